"""Files that other stores made, of `make_fixtures`: all of their records come, and damage is refused."""

from __future__ import annotations

import contextlib
import json
import pathlib
import pickle
import shutil
import sqlite3
import struct
import sys
import tarfile
import tracemalloc
import types
import typing

import numpy as np
import pytest

import vecstore
from tests.exchange.records import FIXTURES, unpacked
from vecstore import importers

VECTORS: typing.Any = np.load(FIXTURES / "vectors.npy")
KEYS = [str(3 * n + 5) for n in range(len(VECTORS))]


@pytest.fixture
def target() -> vecstore.VecStore:
    return vecstore.VecStore(":memory:")


def vectors_of(store: vecstore.VecStore) -> dict[str, list[float]]:
    return {record.id: record.vector or [] for record in store}


def test_each_source_says_what_it_is() -> None:
    with pytest.raises(vecstore.InvalidInputError, match="expected one of chroma, faiss"):
        importers.import_from("mongo", "x", vecstore.VecStore(":memory:"))


@pytest.mark.parametrize("name", ["chroma-log", "chroma-index"])
def test_chroma_holds_what_chroma_says(name: str, tmp_path: pathlib.Path, target: vecstore.VecStore) -> None:
    expected = json.loads((FIXTURES / f"{name}.json").read_text())
    place = unpacked(name, tmp_path)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    result = importers.import_chroma(place, target, collection="docs", batch_size=7)
    assert result.records == len(expected)
    found = {record.id: record for record in target}
    assert set(found) == set(expected)
    for record_id, (vector, metadata, text) in expected.items():
        record = found[record_id]
        # Chroma makes vectors of length 1 and back: it has lost the last bit itself.
        assert record.vector == pytest.approx(vector, rel=2e-6, abs=1e-9)
        assert record.metadata == (metadata or {})
        assert {key: type(value) for key, value in record.metadata.items()} == {
            key: type(value) for key, value in (metadata or {}).items()
        }
        assert record.text == text
    # Nothing was written to it.
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


def test_chroma_asks_which_collection(tmp_path: pathlib.Path, target: vecstore.VecStore) -> None:
    place = unpacked("chroma-log", tmp_path)
    for name in (None, "nothing"):
        with pytest.raises(vecstore.InvalidInputError, match="there are: `docs`, `empty`"):
            importers.import_chroma(place, target, collection=name)
    assert importers.import_chroma(place, target, collection="empty").records == 0


def test_chroma_goes_on_where_it_was(tmp_path: pathlib.Path) -> None:
    place, note = unpacked("chroma-index", tmp_path), tmp_path / "note"
    store = vecstore.VecStore(tmp_path / "store")

    def stop(done: int, total: int | None) -> None:
        assert total == 40
        if done >= 20:
            raise KeyboardInterrupt

    options: dict[str, typing.Any] = {"collection": "docs", "batch_size": 10, "checkpoint": note}
    with pytest.raises(KeyboardInterrupt):
        importers.import_chroma(place, store, progress=stop, **options)
    result = importers.import_chroma(place, store, **options)
    assert (result.records, result.resumed_at, len(store)) == (40, 20, 40)


#: SQLite keeps what it is given, whatever the type of the column.
CHROMA_TYPES = {
    "field of bytes": "UPDATE OR REPLACE embedding_metadata SET key = x'ff00'",
    "field of a list of bytes": "UPDATE OR REPLACE embedding_metadata_array SET key = x'ff00'",
    "field with a value and a list": "UPDATE embedding_metadata_array SET key = (SELECT key FROM"
    " embedding_metadata AS other WHERE other.id = embedding_metadata_array.id LIMIT 1)",
    "no number": "UPDATE max_seq_id SET seq_id = 'abc'",
    "number of nothing": "UPDATE max_seq_id SET seq_id = NULL",
}


def damaged_chroma(place: pathlib.Path, act: str) -> None:
    segment = next(path.parent for path in place.rglob("index_metadata.pickle"))
    database = sqlite3.connect(place / "chroma.sqlite3")
    if act == "cut database":
        data = (place / "chroma.sqlite3").read_bytes()
        (place / "chroma.sqlite3").write_bytes(data[: len(data) // 3])
    elif act == "no database":
        (place / "chroma.sqlite3").write_bytes(b"hello")
    elif act == "cut index":
        data = (segment / "data_level0.bin").read_bytes()
        (segment / "data_level0.bin").write_bytes(data[:100])
    elif act == "wild head":
        data = (segment / "header.bin").read_bytes()
        (segment / "header.bin").write_bytes(data[:12] + b"\xff" * 48 + data[60:])
    elif act == "no pickle":
        (segment / "index_metadata.pickle").unlink()
    elif act == "cut lengths":
        (segment / "length.bin").write_bytes(b"\0\0\0")
    elif act == "log away":
        database.execute("DELETE FROM embeddings_queue")
        database.commit()
    elif act in CHROMA_TYPES:
        database.execute(CHROMA_TYPES[act])
        database.commit()
    elif act == "schema of bytes":
        data = (place / "chroma.sqlite3").read_bytes()
        (place / "chroma.sqlite3").write_bytes(
            data.replace(b"embeddings_queue", b"embeddings\xff\xfe\xfd" + b"eue")
        )
    else:
        database.execute(
            "UPDATE embeddings_queue SET vector = x'0102', encoding = 'FLOAT32' WHERE vector NOT NULL"
        )
        database.commit()
    database.close()


@pytest.mark.parametrize(
    "act",
    [
        "cut database",
        "no database",
        "cut index",
        "wild head",
        "no pickle",
        "cut lengths",
        "log away",
        "odd vector",
        "schema of bytes",
        *CHROMA_TYPES,
    ],
)
def test_damage_to_chroma_is_refused(act: str, tmp_path: pathlib.Path, target: vecstore.VecStore) -> None:
    place = unpacked("chroma-index", tmp_path)
    damaged_chroma(place, act)
    with pytest.raises((vecstore.InvalidInputError, vecstore.StorageError)):
        importers.import_chroma(place, target, collection="docs")


def test_a_pickle_of_chroma_executes_nothing(tmp_path: pathlib.Path, target: vecstore.VecStore) -> None:
    place, fired = unpacked("chroma-index", tmp_path), tmp_path / "fired"

    class Bomb:
        def __reduce__(self) -> tuple[typing.Any, ...]:
            return (pathlib.Path.touch, (fired,))

    file = next(place.rglob("index_metadata.pickle"))
    file.write_bytes(pickle.dumps({"id_to_label": Bomb()}))
    with pytest.raises(vecstore.InvalidInputError, match="it asks for"):
        importers.import_chroma(place, target, collection="docs")
    assert not fired.exists()


def test_a_pickle_of_chroma_takes_no_more_memory_than_it_has_bytes(
    tmp_path: pathlib.Path, target: vecstore.VecStore
) -> None:
    place = unpacked("chroma-index", tmp_path)
    # The 0x3fffffff-th place of the memo: the unpickler in C makes room for all before it.
    head = b"\x80\x02" + b"K\x01" + b"r\xff\xff\xff\x3f" + b"0"
    next(place.rglob("index_metadata.pickle")).write_bytes(head + b"}.")
    tracemalloc.start()
    try:
        with pytest.raises(vecstore.InvalidInputError, match="it has no labels by id"):
            importers.import_chroma(place, target, collection="docs")
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_a_head_of_hnswlib_without_elements_promises_nothing(
    tmp_path: pathlib.Path, target: vecstore.VecStore
) -> None:
    for links in (2**20, 2**40, 2**61):
        vector_at = 4 + 4 * links
        sizes = (0, 0, 0, vector_at + 4 + 8, vector_at + 4, vector_at)
        head = struct.pack("<6QiIQQQdQ", *(size & 2**64 - 1 for size in sizes), 0, 0, 0, links, 0, 0, 0)
        (tmp_path / "forged").write_bytes(head)
        with pytest.raises(vecstore.InvalidInputError, match="do not fit"):
            importers.import_hnswlib(tmp_path / "forged", target)


def test_hnswlib(target: vecstore.VecStore, tmp_path: pathlib.Path) -> None:
    assert importers.import_hnswlib(FIXTURES / "l2.hnswlib", target, batch_size=6).records == 39
    expected = {key: row.tolist() for key, row in zip(KEYS, VECTORS) if key != "8"}
    assert vectors_of(target) == expected
    cosine = vecstore.VecStore(":memory:")
    importers.import_hnswlib(FIXTURES / "cosine.hnswlib", cosine)
    assert all(sum(x * x for x in vector) == pytest.approx(1) for vector in vectors_of(cosine).values())
    data = (FIXTURES / "l2.hnswlib").read_bytes()
    for cut in (0, 10, 95, 96, 500):
        (tmp_path / "cut").write_bytes(data[:cut])
        with pytest.raises(vecstore.InvalidInputError, match=r"hnswlib|ends after element"):
            importers.import_hnswlib(tmp_path / "cut", target)
    for at in range(0, 96, 4):
        (tmp_path / "changed").write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        with contextlib.suppress(vecstore.InvalidInputError):
            importers.import_hnswlib(tmp_path / "changed", vecstore.VecStore(":memory:"))


def test_what_an_index_does_not_know_stands_beside_it(
    target: vecstore.VecStore, tmp_path: pathlib.Path
) -> None:
    beside = tmp_path / "records.jsonl"
    lines = [
        {"key": int(key), "id": f"doc {key}", "metadata": {"n": n}, "text": "t"} for n, key in enumerate(KEYS)
    ]
    beside.write_text("\n".join(map(json.dumps, lines)))
    importers.import_hnswlib(FIXTURES / "l2.hnswlib", target, records=beside)
    found = target.get("doc 11")
    assert found is not None
    assert (found.metadata, found.text) == ({"n": 2}, "t")
    beside.write_text(json.dumps(lines[0]))
    with pytest.raises(vecstore.InvalidInputError, match="none with the key 11"):
        importers.import_hnswlib(FIXTURES / "l2.hnswlib", target, records=beside)
    beside.write_text('{"key": "x", "id": "a"}')
    with pytest.raises(vecstore.InvalidInputError, match="a key that is an integer"):
        importers.import_hnswlib(FIXTURES / "l2.hnswlib", target, records=beside)


@pytest.mark.parametrize(("name", "keys"), [("flat", range(40)), ("ivf", range(40)), ("mapped", KEYS)])
def test_faiss(name: str, keys: typing.Any, target: vecstore.VecStore, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("faiss")
    assert importers.import_faiss(FIXTURES / f"{name}.faiss", target, batch_size=7).records == 40
    assert vectors_of(target) == {str(key): row.tolist() for key, row in zip(keys, VECTORS)}
    (tmp_path / "cut").write_bytes((FIXTURES / f"{name}.faiss").read_bytes()[:200])
    with pytest.raises(vecstore.InvalidInputError, match="not an index that FAISS reads"):
        importers.import_faiss(tmp_path / "cut", target)


@pytest.mark.parametrize(("name", "precision"), [("f32", 0), ("f16", 1e-3)])
def test_usearch(name: str, precision: float, target: vecstore.VecStore, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("usearch")
    assert importers.import_usearch(FIXTURES / f"{name}.usearch", target, batch_size=7).records == 39
    found = vectors_of(target)
    expected = {key: row.tolist() for key, row in zip(KEYS, VECTORS) if key != "8"}
    assert set(found) == set(expected)
    for key, vector in found.items():
        assert vector == pytest.approx(expected[key], abs=precision, rel=precision)
    (tmp_path / "other").write_bytes(b"hello" * 100)
    with pytest.raises(vecstore.InvalidInputError, match="not an index that USearch reads"):
        importers.import_usearch(tmp_path / "other", target)


def test_lancedb(target: vecstore.VecStore, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("lancedb")
    place = unpacked("lancedb", tmp_path)
    assert importers.import_lancedb(place, target, batch_size=7).records == 39
    assert vectors_of(target) == {f"d{n}": row.tolist() for n, row in enumerate(VECTORS) if n != 3}
    found = target.get("d2")
    assert found is not None
    assert found.text == "t 2"
    assert found.metadata["tags"] == ["a", "2"]
    assert found.metadata["when"].isoformat() == "2024-05-01T12:00:00+00:00"
    other = vecstore.VecStore(":memory:")
    assert importers.import_lancedb(place / "docs.lance", other, id="n").records == 39
    with pytest.raises(vecstore.InvalidInputError):
        importers.import_lancedb(place, target, table="nothing")


@pytest.mark.parametrize("base", [Exception, BaseException])
def test_what_panics_in_lancedb_is_a_typed_error(
    base: type[BaseException],
    target: vecstore.VecStore,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panic = type("PanicException", (base,), {})

    def connect(place: pathlib.Path) -> None:
        raise panic(f"of a table in {place.name}")

    monkeypatch.setitem(sys.modules, "lancedb", types.SimpleNamespace(connect=connect))
    (tmp_path / "docs.lance").mkdir()
    with pytest.raises(vecstore.InvalidInputError, match=r"`docs` of .* cannot be read: of a table in"):
        importers.import_lancedb(tmp_path, target)


def qdrant_expected() -> dict[str, list[float]]:
    ids = [n if n % 2 else f"550e8400-e29b-41d4-a716-4466554400{n:02}" for n in range(len(VECTORS))]
    return {str(record_id): row.tolist() for record_id, row in zip(ids, VECTORS) if record_id != 1}


def test_qdrant_scrolled(target: vecstore.VecStore, tmp_path: pathlib.Path) -> None:
    assert importers.import_qdrant(FIXTURES / "scrolled.jsonl", target, batch_size=7).records == 39
    assert vectors_of(target) == qdrant_expected()
    found = target.get("3")
    assert found is not None
    assert found.metadata == {"n": 3, "half": 1.5, "list": [1, "a"], "deep": {"k": None}}
    points = [json.loads(line) for line in (FIXTURES / "scrolled.jsonl").read_text().splitlines()]
    pages = [{"result": {"points": points[at : at + 20]}, "status": "ok"} for at in (0, 20)]
    for content in (
        "\n".join(json.dumps(page) for page in pages),
        json.dumps(points),
        json.dumps({"points": points}, indent=1),
    ):
        (tmp_path / "pages").write_text(content)
        other = vecstore.VecStore(":memory:")
        assert importers.import_qdrant(tmp_path / "pages", other).records == 39
        assert vectors_of(other) == qdrant_expected()


def test_qdrant_named_vectors(target: vecstore.VecStore, tmp_path: pathlib.Path) -> None:
    point = {
        "id": 1,
        "vector": {"a": [1.0, 2.0], "b": [3.0], "s": {"indices": [7], "values": [0.5]}},
        "payload": {"t": "x"},
    }
    (tmp_path / "in").write_text(json.dumps(point))
    with pytest.raises(vecstore.InvalidInputError, match="say which one with `vector`: 'a', 'b'"):
        importers.import_qdrant(tmp_path / "in", target)
    importers.import_qdrant(tmp_path / "in", target, vector="a", text="t")
    found = target.get("1")
    assert found is not None
    assert (found.vector, found.sparse, found.text) == ([1, 2], {7: 0.5}, "x")
    (tmp_path / "in").write_text(json.dumps({"id": 1, "payload": None}))
    with pytest.raises(vecstore.InvalidInputError, match="with_vector"):
        importers.import_qdrant(tmp_path / "in", target)


@pytest.mark.parametrize("form", ["scrolled", "shard"])
def test_qdrant_multivectors_are_records_of_several_vectors(
    form: str, target: vecstore.VecStore, tmp_path: pathlib.Path
) -> None:
    if form == "shard":
        pytest.importorskip("qdrant_edge")
    path = FIXTURES / "multivectors.jsonl" if form == "scrolled" else unpacked("multivectors", tmp_path)
    with pytest.raises(vecstore.InvalidInputError, match="say which one with `vector`"):
        importers.import_qdrant(path, target)
    assert importers.import_qdrant(path, target, vector="tokens", batch_size=7).records == 20
    lines = (FIXTURES / "multivectors.jsonl").read_text().splitlines()
    for point in map(json.loads, lines):
        found = target.get(str(point["id"]))
        assert found is not None
        tokens = np.array(point["vector"]["tokens"], np.float32)
        assert found.vectors is not None
        assert found.vector is not None
        assert np.array_equal(np.array(found.vectors, np.float32), tokens)
        assert np.allclose(found.vector, target._mean_vector(tokens))
    assert importers.import_qdrant(path, vecstore.VecStore(":memory:"), vector="other").records == 20
    # The order is that of the definition.
    asked = np.array([[1, 0, 0, 0], [0, 1, 1, 0]], np.float32)
    best = target.multi_query(asked, k=1, exact=True)[0]
    scores = {
        str(point["id"]): (unit(point["vector"]["tokens"]) @ unit(asked).T).max(axis=0).sum()
        for point in map(json.loads, lines)
    }
    assert best.id == max(scores, key=scores.__getitem__)


def unit(vectors: typing.Any) -> typing.Any:
    rows = np.asarray(vectors, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        ([[1.0, 2.0], [3.0]], "expected a list of vectors, each a list of as many numbers"),
        ([[1.0, 2.0], 3.0], "expected a list of vectors"),
        ([[1.0, "2"]], "expected a list of vectors"),
        ([[[1.0]]], "expected a list of vectors"),
        ([[]], "vectors"),
        ([[0.0, 0.0]], "zero"),
        ([], "vector"),
    ],
)
def test_qdrant_multivectors_that_are_none_are_refused(
    vector: typing.Any, message: str, target: vecstore.VecStore, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "in").write_text(json.dumps({"id": 1, "vector": vector, "payload": {}}))
    with pytest.raises(vecstore.InvalidInputError, match=message):
        importers.import_qdrant(tmp_path / "in", target)
    assert len(target) == 0


def test_qdrant_shard(target: vecstore.VecStore, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("qdrant_edge")
    place = unpacked("qdrant", tmp_path)
    assert importers.import_qdrant(place, target).records == 39
    assert vectors_of(target) == qdrant_expected()
    with tarfile.open(tmp_path / "shard.snapshot", "w") as tar:
        tar.add(place, ".")
    other = vecstore.VecStore(":memory:")
    assert importers.import_qdrant(tmp_path / "shard.snapshot", other).records == 39
    shutil.rmtree(place / "segments")
    with pytest.raises(vecstore.InvalidInputError):
        importers.import_qdrant(place, other)
    (tmp_path / "noise").write_bytes(bytes(range(128, 256)) * 10)
    with pytest.raises(vecstore.InvalidInputError):
        importers.import_qdrant(tmp_path / "noise", other)


PINECONE = [
    {"id": f"v{n}", "values": [0.5, n, 1.0], "metadata": {"genre": "x", "n": n, "text": f"t {n}"}}
    for n in range(30)
]


@pytest.mark.parametrize("shape", ["array", "vectors", "lines", "indented", "matches"])
def test_pinecone(shape: str, target: vecstore.VecStore, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "in.json"
    sparse: dict[str, typing.Any] = {"sparse_values": {"indices": [3], "values": [0.25]}}
    points = [PINECONE[0] | sparse, *PINECONE[1:]] if hasattr(dict, "__or__") else PINECONE
    content = {
        "array": json.dumps(points),
        "vectors": json.dumps({"namespace": "n", "usage": {"a": [1]}, "vectors": points}),
        "lines": "\n".join(map(json.dumps, points)),
        "indented": json.dumps({"vectors": points}, indent=2),
        "matches": json.dumps({"matches": points, "namespace": ""}),
    }[shape]
    file.write_text(content, encoding="utf-8")
    result = importers.import_pinecone(file, target, text="text", batch_size=7)
    assert (result.records, result.batches) == (30, 5)
    assert vectors_of(target) == {point["id"]: point["values"] for point in PINECONE}
    found = target.get("v0")
    assert found is not None
    assert (found.metadata, found.text, found.sparse) == (PINECONE[0]["metadata"], "t 0", {3: 0.25})
    for cut in range(1, len(content) - 1, len(content) // 12):
        file.write_text(content[:cut])
        other = vecstore.VecStore(":memory:")
        if shape == "lines" and content[:cut].rstrip().endswith("}}"):
            continue  # It ends between two of them.
        with pytest.raises(vecstore.InvalidInputError, match="character"):
            importers.import_pinecone(file, other, batch_size=7)
        assert len(other) % 7 == 0


def test_pinecone_parquet(target: vecstore.VecStore, tmp_path: pathlib.Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table(
        {
            "id": ["a", "b"],
            "values": [[1.0, 2.0], [3.0, 4.0]],
            "metadata": ['{"n": 1}', None],
            "sparse_values": [{"indices": [7], "values": [0.5]}, None],
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    assert importers.import_pinecone(tmp_path / "in.parquet", target).records == 2
    found = target.get("a")
    assert found is not None
    assert (found.metadata, found.sparse) == ({"n": 1}, {7: 0.5})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"id": "a"}', "expected `id` and `values`"),
        ('{"id": "a", "values": "x"}', "a list of numbers"),
        ('{"id": "a", "values": [true]}', "a list of numbers"),
        ('{"id": 1.5, "values": [1]}', "a string or an integer"),
        ('{"id": "a", "values": [NaN]}', "finite"),
        ('{"id": "a", "values": [1], "metadata": 3}', "an object"),
        ("[1]", "expected an object"),
        ("[" * 100_000, "nested|expected an object|character"),
        ("[{} x]", "expected"),
        ("\x00", "character 0"),
    ],
)
def test_hostile_json_is_refused(
    text: str, why: str, target: vecstore.VecStore, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "in.json").write_text(text)
    with pytest.raises(vecstore.InvalidInputError, match=why):
        importers.import_pinecone(tmp_path / "in.json", target)
    assert len(target) == 0
