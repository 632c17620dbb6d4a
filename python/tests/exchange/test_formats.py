"""What goes out in a format comes in the same, to the last bit; what is cut or hostile is refused with its
place."""

from __future__ import annotations

import contextlib
import datetime
import json
import pathlib
import tempfile
import typing
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings

import vecstore
from tests.exchange.records import collections, shown, upsert

FORMATS = {"jsonl": "jsonl", "numpy": "npz", "parquet": "parquet"}


def file_of(directory: pathlib.Path, format: str) -> pathlib.Path:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    return directory / f"records.{FORMATS[format]}"


def filled(records: list[dict[str, typing.Any]], hidden: int = 3) -> vecstore.VecStore:
    store = vecstore.VecStore(":memory:", dim=3, metric="chebyshev")
    upsert(store, records)
    for record in records[::hidden] if hidden else []:
        store.soft_delete(record["id"])
    return store


def some(count: int) -> list[dict[str, typing.Any]]:
    return [
        {"id": f"id-{n:03}", "vector": [1.0, n, 0.5], "metadata": {"n": n}, "text": f"t {n}"}
        for n in range(count)
    ]


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=15, deadline=None)
@given(records=collections)
def test_records_of_every_kind_come_back_the_same(format: str, records: list[dict[str, typing.Any]]) -> None:
    with tempfile.TemporaryDirectory() as directory, filled(records) as store:
        file = file_of(pathlib.Path(directory), format)
        exported = getattr(store, f"export_{format}")(file, include_deleted=True)
        assert exported.records == len(records)
        assert exported.bytes == file.stat().st_size
        with vecstore.VecStore(":memory:", dim=3, metric="chebyshev") as copy:
            imported = getattr(copy, f"import_{format}")(file, batch_size=5)
            assert imported.records == len(records)
            assert shown(copy.list_all()) == shown(store.list_all())
        assert [one.name for one in pathlib.Path(directory).iterdir()] == [file.name]


@pytest.mark.parametrize("format", FORMATS)
def test_a_filter_and_hidden_records(format: str, tmp_path: pathlib.Path) -> None:
    store = filled(some(10))
    file = file_of(tmp_path, format)
    export = getattr(store, f"export_{format}")
    assert export(file).records == 6
    assert export(file, filter="n >= :least", params={"least": 5}).records == 3
    assert export(file, filter={"n": {"$gte": 5}}, include_deleted=True).records == 5
    copy = vecstore.VecStore(":memory:")
    getattr(copy, f"import_{format}")(file)
    assert (copy.active_count(), copy.deleted_count()) == (3, 2)


@pytest.mark.parametrize("format", FORMATS)
def test_a_collection_of_a_database_and_an_empty_one(format: str, tmp_path: pathlib.Path) -> None:
    file = file_of(tmp_path, format)
    database = vecstore.VecDatabase(":memory:")
    docs = database.create_collection("docs")
    assert getattr(docs, f"export_{format}")(file).records == 0
    assert getattr(docs, f"import_{format}")(file).records == 0
    docs.batch_upsert(some(5))
    assert getattr(docs, f"export_{format}")(file).records == 5
    other = database.create_collection("other")
    assert getattr(other, f"import_{format}")(file).records == 5
    assert list(other) == list(docs)


@pytest.mark.parametrize("format", FORMATS)
def test_an_interrupted_import_goes_on(format: str, tmp_path: pathlib.Path) -> None:
    file, note = file_of(tmp_path, format), tmp_path / "note"
    getattr(filled(some(95), 0), f"export_{format}")(file)
    store = vecstore.VecStore(tmp_path / "store")
    run = getattr(store, f"import_{format}")

    class StopError(Exception):
        """Raised in the middle."""

    def stop(done: int, total: int | None) -> None:
        assert total is not None
        assert done <= total
        if len(store) >= 40:
            raise StopError

    with pytest.raises(StopError):
        run(file, batch_size=10, checkpoint=note, progress=stop)
    assert len(store) == 40
    assert note.is_file()
    result = run(file, batch_size=10, checkpoint=note)
    assert (result.records, result.resumed_at, result.batches) == (95, 40, 6)
    assert len(store) == 95
    assert [record.metadata["n"] for record in store] == list(range(95))
    assert not note.exists()


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_cut_anywhere_is_refused_or_read(format: str, tmp_path: pathlib.Path) -> None:
    file = file_of(tmp_path, format)
    getattr(filled(some(30), 0), f"export_{format}")(file)
    whole = file.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 25)):
        file.write_bytes(whole[:length])
        store = vecstore.VecStore(":memory:")
        run = getattr(store, f"import_{format}")
        if format == "jsonl" and is_whole(whole[:length]):
            assert run(file, batch_size=7).records == len(whole[:length].splitlines()) == len(store)
            continue
        with pytest.raises(vecstore.InvalidInputError, match="records before it are imported"):
            run(file, batch_size=7)
        assert len(store) % 7 == 0


def is_whole(lines: bytes) -> bool:
    """Whether lines that are cut are cut between two records."""
    return (
        not lines
        or lines.endswith(b"\n")
        or (lines.endswith(b"}") and lines.splitlines()[-1].endswith(b'"}'))
    )


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_with_any_byte_changed_is_refused_or_read(format: str, tmp_path: pathlib.Path) -> None:
    file = file_of(tmp_path, format)
    getattr(filled(some(8), 0), f"export_{format}")(file)
    whole = file.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        with contextlib.suppress(vecstore.VecStoreError):
            getattr(vecstore.VecStore(":memory:"), f"import_{format}")(file)


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_not_there_or_wrong_is_said(format: str, tmp_path: pathlib.Path) -> None:
    file = file_of(tmp_path, format)
    store = vecstore.VecStore(":memory:")
    with pytest.raises(vecstore.StorageError):
        getattr(store, f"import_{format}")(tmp_path / "nothing")
    with pytest.raises(vecstore.StorageError):
        getattr(store, f"export_{format}")(tmp_path / "no" / "such")
    for no_file in (tmp_path, "/dev/null"):
        with pytest.raises(vecstore.InvalidInputError, match="expected the path of a file"):
            getattr(store, f"export_{format}")(no_file)
    assert not pathlib.Path("/dev/null").is_file()
    getattr(store, f"export_{format}")(file)
    for wrong in (0, -1):
        with pytest.raises(vecstore.InvalidInputError, match="batch_size"):
            getattr(store, f"import_{format}")(file, batch_size=wrong)
    with pytest.raises(TypeError, match="progress"):
        getattr(store, f"import_{format}")(file, progress=3)
    with pytest.raises(TypeError):
        getattr(store, f"import_{format}")(file, colour="red")


def test_lines_that_are_no_records_are_named(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "in.jsonl"
    good = '{"id": "a", "vector": [1, 2]}\n'
    for bad, why in (
        ('{"id": "b"}', "line 2, column 11: missing field `vector`"),
        ('{"id": "b", "vector": [1, 2, 3]}', "line 2, record `b`: dimension mismatch"),
        ('{"id": "b", "vector": [1, 2], "metadata": {"a": 18446744073709551615}}', "64 bits"),
        ("[" * 100_000, "line 2, column"),
        ('{"id": "b", "vector": [' + "1," * 100_000 + "1]}", "at most 65536"),
    ):
        file.write_text(good + bad)
        store = vecstore.VecStore(":memory:")
        with pytest.raises(vecstore.InvalidInputError, match="0 records before it") as caught:
            store.import_jsonl(file)
        assert why in str(caught.value)
        assert len(store) == 0


def test_arrays_of_other_programs(tmp_path: pathlib.Path) -> None:
    vectors = np.arange(12, dtype=np.float64).reshape(4, 3) + 1
    plain = tmp_path / "vectors.npy"
    np.save(plain, vectors)
    store = vecstore.VecStore(":memory:")
    assert store.import_numpy(plain).records == 4
    assert [record.id for record in store] == ["0", "1", "2", "3"]
    store.import_numpy(plain, ids=["a", "b", "c", "d"], metadatas=[{"n": 1}, None, None, None])
    found = store.get("a")
    assert found is not None
    assert (found.vector, found.metadata) == ([1, 2, 3], {"n": 1})
    np.savez(tmp_path / "both.npz", vectors=vectors.astype(np.float16), ids=np.array(["x", "y", "z", "w"]))
    assert store.import_numpy(tmp_path / "both.npz").records == 4
    assert "z" in store
    with pytest.raises(vecstore.InvalidInputError, match="one for each of the 4 rows, got 1"):
        store.import_numpy(plain, ids=["a"])


def test_nothing_of_numpy_is_unpickled(tmp_path: pathlib.Path) -> None:
    fired = tmp_path / "fired"

    class Bomb:
        def __reduce__(self) -> tuple[typing.Any, ...]:
            return (pathlib.Path.touch, (fired,))

    store = vecstore.VecStore(":memory:")
    objects = np.array([[Bomb()]], dtype=object)
    np.save(tmp_path / "objects.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "objects.npz", vectors=np.ones((1, 2)), ids=objects[0])
    for name in ("objects.npy", "objects.npz"):
        with pytest.raises(vecstore.InvalidInputError, match="expected an array of numbers"):
            store.import_numpy(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
        archive.writestr("../../vectors.npy", b"x")
    with pytest.raises(vecstore.InvalidInputError, match="expected an array `vectors`"):
        store.import_numpy(tmp_path / "other.npz")
    # A head that promises more than there is makes no room for it.
    head = {"descr": "<f4", "fortran_order": False, "shape": (2**40, 3)}
    with (tmp_path / "huge.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, head)
    with pytest.raises(vecstore.InvalidInputError, match="ends after row 0"):
        store.import_numpy(tmp_path / "huge.npy")
    assert not fired.exists()


def test_tables_of_other_programs(tmp_path: pathlib.Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table(
        {
            "key": [7, 8],
            "embedding": pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64())),
            "body": ["one", None],
            "price": [1.5, None],
            "tags": [["a"], []],
        }
    )
    names: dict[str, typing.Any] = {"id": "key", "vector": "embedding", "text": "body"}
    for data in (table, table.to_batches()[0], table.to_reader(), table.to_batches()):
        store = vecstore.VecStore(":memory:")
        assert store.import_arrow(data, **names).records == 2
        assert shown(store.list_all()[0]) == shown(
            vecstore.Record("7", [1, 2], {"price": 1.5, "tags": ["a"]}, text="one")
        )

    class Stream:
        """Nothing but the protocol."""

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return table.__arrow_c_stream__(requested_schema)

    assert vecstore.VecStore(":memory:").import_arrow(Stream(), **names).records == 2
    pq.write_table(table, tmp_path / "t.parquet")
    assert vecstore.VecStore(":memory:").import_parquet(tmp_path / "t.parquet", **names).records == 2
    store = vecstore.VecStore(":memory:")
    with pytest.raises(vecstore.InvalidInputError, match="expected one column `id`"):
        store.import_parquet(tmp_path / "t.parquet")
    with pytest.raises(TypeError, match="expected Arrow data, got list"):
        store.import_arrow([1])
    odd = pa.table({"id": ["a", "b"], "vector": [[1.0], [1.0, 2.0]]})
    with pytest.raises(vecstore.InvalidInputError, match="one length"):
        store.import_arrow(odd)
    null = pa.table({"id": ["a", "b"], "vector": [[1.0], None]})
    with pytest.raises(vecstore.InvalidInputError, match="got null"):
        store.import_arrow(null)


def test_times_to_the_nanosecond_are_times() -> None:
    pa = pytest.importorskip("pyarrow")
    store = vecstore.VecStore(":memory:")
    times = pa.array([1_500, None], pa.timestamp("ns", "UTC"))
    store.import_arrow(pa.table({"id": ["a", "b"], "vector": [[1.0], [2.0]], "at": times}))
    first, second = store.list_all()
    assert first.metadata == {
        "at": datetime.datetime(1970, 1, 1, microsecond=1, tzinfo=datetime.timezone.utc)
    }
    assert second.metadata == {"at": None}
    # Beyond the years that datetimes have.
    late = pa.array([2**62], pa.timestamp("s"))
    with pytest.raises(vecstore.InvalidInputError, match="column `at`"):
        store.import_arrow(pa.table({"id": ["a"], "vector": [[1.0]], "at": late}))


def test_metadata_in_parquet_is_json(tmp_path: pathlib.Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    filled(some(3), 0).export_parquet(tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert [json.loads(one)["n"] for one in table.column("metadata").to_pylist()] == [0, 1, 2]
    assert table.schema.field("vector").type.list_size == 3


def tokens(count: int, start: int = 0) -> vecstore.VecStore:
    """A store in which each second record has several vectors, never as many as the one before."""
    store = vecstore.VecStore(":memory:", dim=2)
    for n in range(start, count):
        if n % 2:
            vectors: list[list[float]] = [[1, n], [0.5, -n], [n, 1]]
            store.upsert_multi(f"id-{n:03}", vectors[: 1 + n % 3], {"n": n})
        else:
            store.upsert(f"id-{n:03}", [1, n], {"n": n})
    return store


@pytest.mark.parametrize("format", FORMATS)
def test_several_vectors_come_back_and_are_searched(format: str, tmp_path: pathlib.Path) -> None:
    file, note = file_of(tmp_path, format), tmp_path / "note"
    store, query = tokens(40), np.array([[1, 3], [2, 0.5]])
    assert getattr(store, f"export_{format}")(file).records == 40
    copy = vecstore.VecStore(tmp_path / "copy")

    def stop(_done: int, _total: int | None) -> None:
        if len(copy) >= 21:
            raise ZeroDivisionError

    # What goes on in the middle finds the vectors of the records that are left.
    with pytest.raises(ZeroDivisionError):
        getattr(copy, f"import_{format}")(file, batch_size=7, checkpoint=note, progress=stop)
    assert getattr(copy, f"import_{format}")(file, batch_size=7, checkpoint=note).resumed_at == 21
    assert shown(copy.list_all()) == shown(store.list_all())
    assert copy.multi_query(query, exact=True) == store.multi_query(query, exact=True)


def test_several_vectors_go_through_tables() -> None:
    pa = pytest.importorskip("pyarrow")
    store = tokens(10)
    table = store.to_arrow()
    assert table.schema.field("vectors").type.value_type.list_size == 2
    for data in (table, table.slice(3), pa.Table.from_batches(table.to_batches(max_chunksize=3))):
        copy = vecstore.VecStore(":memory:")
        copy.import_arrow(data)
        assert shown(copy.list_all()) == shown(tokens(10, 10 - data.num_rows).list_all())
    if pl := pytest.importorskip("polars", exc_type=ImportError):
        frame = store.to_polars()
        assert frame["vectors"].dtype == pl.List(pl.Array(pl.Float32, 2))
        copy = vecstore.VecStore(":memory:")
        copy.import_arrow(frame)
        assert shown(copy.list_all()) == shown(store.list_all())
    assert "vectors" not in store.to_arrow(with_vectors=False).column_names
    assert "vectors" not in filled(some(2)).to_arrow().column_names


def test_a_column_of_vectors_that_are_none_is_metadata() -> None:
    pa = pytest.importorskip("pyarrow")
    store = vecstore.VecStore(":memory:")
    store.import_arrow(pa.table({"id": ["a"], "vector": [[1.0]], "vectors": ["TIFF"]}))
    assert store.list_all()[0].metadata == {"vectors": "TIFF"}
    table = pa.table({"id": ["b"], "vector": [[1.0]], "vectors": [[[1.0], [2.0, 3.0]]]})
    with pytest.raises(vecstore.InvalidInputError, match="one length"):
        store.import_arrow(table)
    table = pa.table({"id": ["b"], "vector": [[1.0]], "vectors": [[[1.0, 2.0]]]})
    with pytest.raises(vecstore.DimensionMismatchError):
        store.import_arrow(table)


def test_arrays_of_several_vectors_that_promise_too_much_are_refused(tmp_path: pathlib.Path) -> None:
    def saved(count: object, several: object) -> pathlib.Path:
        lines = json.dumps({"id": "a", "several": count}).encode() + b"\n"
        arrays: dict[str, typing.Any] = {
            "vectors": np.ones((1, 2)),
            "records": np.frombuffer(lines, np.uint8),
            "several": several,
        }
        np.savez(tmp_path / "forged.npz", **arrays)
        return tmp_path / "forged.npz"

    for count, several, why in (
        (3, np.ones((2, 2)), "at most 2 vectors, got 3"),
        (-1, np.ones((2, 2)), "the number of vectors, got -1"),
        (True, np.ones((2, 2)), "the number of vectors, got True"),
        (10**30, np.ones((2, 2)), "at most 2 vectors"),
        (1, np.ones((1, 70_000)), "at most 65536 components, got 70000"),
        (1, np.ones(3), "expected 2 dimensions"),
        (1, np.array([["a"]]), "array of numbers"),
        (2, np.array([[1, 2], [1, np.inf]]), "component 1 is inf"),
    ):
        with pytest.raises(vecstore.InvalidInputError, match=why):
            vecstore.VecStore(":memory:").import_numpy(saved(count, several))
    store = vecstore.VecStore(":memory:")
    store.import_numpy(saved(2, np.arange(4, dtype=np.float16).reshape(2, 2)))
    assert store.list_all()[0].vectors == [[0, 1], [2, 3]]
