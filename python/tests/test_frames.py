"""Records and results in Arrow, pandas, polars and notebooks, and columns of theirs as arguments."""

from __future__ import annotations

import datetime
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import vecstore
from vecstore import NeighborList, VecDatabase, VecStore

WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
IDS = ["a", "b", "c"]
VECTORS = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0.5]], np.float32)
METADATAS: list[dict[str, Any] | None] = [
    {"n": 1, "s": "x", "when": WHEN, "raw": b"\xff"},
    None,
    {"n": 2.5, "list": [None, True], "infinite": float("inf")},
]
TEXTS = ["a fig", None, "leek"]


@pytest.fixture
def full() -> Iterator[VecStore]:
    with VecStore(":memory:") as store:
        store.upsert_many(IDS, VECTORS, METADATAS, texts=TEXTS, sparse=[{3: 0.5}, None, None])
        yield store


# Out


def test_searches_return_a_list_that_is_more(full: VecStore) -> None:
    for found in (
        full.query([1, 0, 0]),
        full.query([1, 0, 0], filter="n = 1", offset=0),
        full.text_query("fig"),
        full.sparse_query({3: 1.0}),
        full.hybrid_query([1, 0, 0], "fig"),
        full.query_with_filter([1, 0, 0], 2, {}),
        full.query_batch([[1, 0, 0]])[0],
        next(iter(full.query_batch([[1, 0, 0]]))),
    ):
        assert type(found) is NeighborList
        assert isinstance(found, list)
        assert found == list(found)
        assert found[0].id == "a"
        assert found.to_pandas()["id"].tolist() == [neighbor.id for neighbor in found]
    assert repr(full.query([1, 0, 0], k=1)) == repr(list(full.query([1, 0, 0], k=1)))
    assert type(found[:1]) is list


def test_a_result_pickles(full: VecStore) -> None:
    import copy
    import pickle

    found = full.query([1, 0, 0])
    assert pickle.loads(pickle.dumps(found)) == found
    assert type(pickle.loads(pickle.dumps(found))) is NeighborList
    assert copy.copy(found) == found


def test_neighbors_become_tables(full: VecStore) -> None:
    found = full.query([1, 0, 0], include=("metadata", "text", "vector"))
    table = found.to_arrow()
    assert table.column_names == ["id", "score", "distance", "metadata", "text", "vector"]
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 3)
    assert table.column("id").to_pylist() == ["a", "c", "b"]
    assert table.column("text").to_pylist() == ["a fig", "leek", None]
    assert table.column("score").to_pylist() == [neighbor.score for neighbor in found]
    assert np.array_equal(np.array(table.column("vector").to_pylist(), np.float32), VECTORS[[0, 2, 1]])
    frame = found.to_pandas()
    assert list(frame.columns) == table.column_names
    assert frame.metadata[0] == METADATAS[0]
    assert frame.vector[1].dtype == np.float32
    assert frame.text[2] is None
    polar = found.to_polars()
    assert polar.columns == table.column_names
    assert polar.schema["vector"] == pl.Array(pl.Float32, 3)
    assert polar["metadata"].to_list() == table.column("metadata").to_pylist()
    assert full.query([1, 0, 0]).to_arrow().column_names == ["id", "score", "distance", "metadata"]


def test_metadata_as_json_says_what_json_has_not(full: VecStore) -> None:
    (text,) = full.to_arrow({"n": 1}).column("metadata").to_pylist()
    assert text == (
        '{"n": 1, "s": "x", "when": {"$datetime": "2026-01-02T03:04:05+00:00"}, "raw": {"$bytes": "/w=="}}'
    )
    (text,) = full.to_arrow({"n": 2.5}).column("metadata").to_pylist()
    assert text == '{"n": 2.5, "list": [null, true], "infinite": {"$float": "Infinity"}}'


def test_the_batch_says_which_query_found_what(full: VecStore) -> None:
    batch = full.query_batch([[1, 0, 0], [0, 1, 0]], k=2)
    assert batch.to_arrow().select(["query", "id"]).to_pydict() == {
        "query": [0, 0, 1, 1],
        "id": ["a", "c", "b", "c"],
    }
    assert batch.to_pandas().groupby("query").id.first().tolist() == ["a", "b"]
    assert batch.to_polars()["query"].to_list() == [0, 0, 1, 1]
    assert pa.table(batch).num_rows == 4


def test_stores_and_collections_become_tables(full: VecStore) -> None:
    full.set_ttl("b", 1000)
    table = full.to_arrow()
    assert table.column("id").to_pylist() == IDS
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 3)
    assert table.column("sparse_indices").to_pylist() == [[3], None, None]
    assert table.column("expires_at_unix_ms").null_count == 2
    assert full.to_pandas().metadata.tolist() == [METADATAS[0], {}, METADATAS[2]]
    assert full.to_polars("n = :n", params={"n": 1})["id"].to_list() == ["a"]
    assert "vector" not in full.to_arrow(with_vectors=False).column_names
    with VecDatabase(":memory:") as database:
        collection = database.create_collection("c")
        assert collection.to_arrow().num_rows == 0
        assert collection.to_pandas().empty
        assert collection.to_polars().is_empty()
        collection.upsert_many([f"{at:04}" for at in range(2500)], np.ones((2500, 2)))
        assert collection.to_arrow().num_rows == 2500
        assert pl.DataFrame(collection).shape[0] == 2500


def test_other_libraries_read_them_by_the_capsule(full: VecStore) -> None:
    for exported in (full, full.query([1, 0, 0]), full.query_batch([[1, 0, 0]])):
        with duckdb.connect() as connection:
            connection.register("found", pa.RecordBatchReader.from_stream(exported))
            assert connection.execute("select count(*) from found").fetchone() == (3,)
        if not isinstance(exported, list):
            # What is a list is one to these, whatever else it is.
            assert sorted(pa.table(exported).column("id").to_pylist()) == IDS
            assert sorted(pl.DataFrame(exported)["id"].to_list()) == IDS


def test_an_empty_result_is_an_empty_table() -> None:
    with VecStore(":memory:") as store:
        found = store.query([1, 0])
        assert found == []
        assert found.to_arrow().num_rows == 0
        assert found.to_pandas().empty
        assert found.to_polars().is_empty()
        assert store.query_batch([[1, 0]]).to_arrow().num_rows == 0
        assert store.to_arrow().num_rows == 0


def test_without_the_library_the_error_names_the_extra() -> None:
    script = (
        "import sys\n"
        "for name in ('pyarrow', 'pandas', 'polars'): sys.modules[name] = None\n"
        "import vecstore\n"
        "store = vecstore.VecStore(':memory:'); store.upsert('a', [1, 0])\n"
        "for make in (store.to_arrow, store.query([1, 0]).to_pandas, store.query_batch([[1, 0]]).to_polars,\n"
        "             store.__arrow_c_stream__):\n"
        "    try: make()\n"
        "    except ImportError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert [line.split("'")[1] for line in done.stdout.splitlines()] == [
        "vecstore[arrow]", "vecstore[pandas]", "vecstore[polars]", "vecstore[arrow]",
    ]  # fmt: skip


# In

MATRIX = VECTORS.tolist()
ARROW = pa.array(MATRIX, pa.list_(pa.float32(), 3))


@pytest.mark.parametrize(
    "vectors",
    [
        ARROW,
        pa.chunked_array([ARROW.slice(0, 1), ARROW.slice(1)]),
        pa.array(MATRIX, pa.list_(pa.float64())),
        pa.array(MATRIX, pa.list_(pa.float64(), 3)),
        pa.table({"vector": ARROW}),
        pl.Series(MATRIX, dtype=pl.Array(pl.Float32, 3)),
        pl.Series(MATRIX, dtype=pl.List(pl.Float32)),
        pd.Series(list(VECTORS)),
        pd.Series(MATRIX),
        pd.DataFrame(VECTORS),
        pl.DataFrame(VECTORS),
        duckdb.sql("select v::float[3] from (values ([1,0,0]), ([0,1,0]), ([1,1,0.5])) as t(v)"),
    ],
    ids=lambda value: f"{type(value).__module__.partition('.')[0]}-{type(value).__name__}",
)
def test_columns_of_vectors_are_taken(vectors: Any) -> None:
    with VecStore(":memory:") as store:
        assert store.upsert_many(IDS, vectors) == 3
        assert [record.vector for record in store.list_all()] == MATRIX
        assert store.query_batch(vectors, k=1).ids.ravel().tolist() == IDS


@pytest.mark.parametrize("kind", ["arrow", "pandas", "pandas-arrow", "polars"])
def test_a_table_is_taken_column_by_column(kind: str) -> None:
    columns: dict[str, Any] = {"id": IDS, "vector": MATRIX, "text": TEXTS, "n": [1, None, 3]}
    table = pa.table({**columns, "vector": ARROW})
    made: dict[str, Callable[[], Any]] = {
        "arrow": lambda: table,
        "pandas": lambda: pd.DataFrame(columns),
        "pandas-arrow": lambda: table.to_pandas(types_mapper=pd.ArrowDtype),
        "polars": lambda: pl.DataFrame(columns),
    }
    frame = made[kind]()
    rest = table.select(["n"]) if kind == "arrow" else frame[["n"]]
    with VecStore(":memory:") as store:
        assert store.upsert_many(frame["id"], frame["vector"], rest, texts=frame["text"]) == 3
        assert [record.id for record in store.list_all()] == IDS
        assert [record.text for record in store.list_all()] == TEXTS
        assert [record.metadata for record in store.list_all()] == [{"n": 1}, {"n": None}, {"n": 3}]
        assert [record and record.id for record in store.get_many(frame["id"])] == IDS
        assert store.delete_many(frame["id"]) == 3


def test_what_a_column_lacks_is_said() -> None:
    with VecStore(":memory:") as store:
        with pytest.raises(TypeError, match=r"vectors\[1\]: .* got NoneType"):
            store.upsert_many(["a", "b"], pa.array([[1.0, 0.0], None], pa.list_(pa.float32(), 2)))
        with pytest.raises(vecstore.DimensionMismatchError):
            store.upsert_many(["a", "b"], pa.array([[1.0, 0.0], [1.0]]))
        with pytest.raises(TypeError, match=r"ids\[1\]"):
            store.upsert_many(pa.array(["a", None]), [[1.0], [2.0]])
        with pytest.raises(
            vecstore.InvalidInputError, match="expected one column, got the columns id, vector"
        ):
            store.upsert_many(["a"], pa.table({"id": ["a"], "vector": [[1.0]]}))
        with pytest.raises(TypeError, match=r"ids\[0\]: expected a str, got int"):
            store.upsert_many(pd.Series([1]), [[1.0]])
        assert store.is_empty()


class Tensor:
    """A tensor of which only DLPack can be read, as of a library that knows nothing of numpy."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()


def test_tensors_are_read_by_dlpack() -> None:
    with VecStore(":memory:") as store:
        store.upsert_many(IDS, Tensor(VECTORS))
        store.upsert("d", Tensor(VECTORS[0]))
        assert store.get("d").vector == [1, 0, 0]  # type: ignore[union-attr]
        assert store.query(Tensor(VECTORS[1]), k=1)[0].id == "b"
        assert store.query_batch(Tensor(VECTORS), k=1).ids.ravel().tolist()[1] == "b"


class Unreadable:
    """A tensor of which DLPack gives nothing that numpy reads."""

    def __init__(self, given: Any) -> None:
        self._given = given

    def __dlpack__(self, **_: Any) -> Any:
        if isinstance(self._given, BaseException):
            raise self._given
        return self._given

    def __dlpack_device__(self) -> Any:
        return (1, 0)


def test_a_tensor_that_dlpack_cannot_read_is_named() -> None:
    with VecStore(":memory:") as store:
        for given in ("nonsense", BufferError("it lies on an accelerator")):
            with pytest.raises(TypeError, match=r"vector: expected a tensor .* got Unreadable") as raised:
                store.upsert("a", Unreadable(given))
            assert isinstance(raised.value.__cause__, Exception)
            with pytest.raises(TypeError, match=r"vectors: expected a tensor .* got Unreadable"):
                store.upsert_many(IDS, Unreadable(given))
        with pytest.raises(KeyboardInterrupt):
            store.upsert("a", Unreadable(KeyboardInterrupt()))
        assert store.is_empty()


def test_scores_of_a_batch_are_not_copied_and_vectors_are_read_where_they_lie() -> None:
    with VecStore(":memory:") as store:
        store.upsert_many(IDS, VECTORS)
        scores = store.query_batch(VECTORS, k=2).scores
        assert scores.dtype == np.float32
        assert scores.shape == (3, 2)
        assert scores.flags.c_contiguous
        frozen = VECTORS.copy()
        frozen.setflags(write=False)
        assert store.upsert_many(IDS, frozen) == 3


# Notebooks

NASTY = "<script>alert('x')</script>&"


def test_html_is_escaped_and_bounded() -> None:
    with VecStore(":memory:") as store:
        store.upsert(NASTY, [1, 0], {NASTY: NASTY}, text=NASTY * 100)
        store.upsert_many([f"{at:03}" for at in range(200)], np.ones((200, 2)))
        found = store.query([1, 0], k=200, include=("metadata", "text"))
        shown = [
            found._repr_html_(),
            store.query_batch([[1, 0], [1, 0]], k=150, include=("metadata", "text"))._repr_html_(),
            store.explain_query(vecstore.Query([1, 0], filter={NASTY: NASTY}))._repr_html_(),
            store._repr_html_(),
        ]
        for html in shown:
            assert "<script" not in html
            assert len(html) < 40_000
        assert "&lt;script&gt;" in shown[0]
        assert "and 150 more" in shown[0]
        assert shown[0].count("<tr>") == 51
        assert "201" in shown[3]
    assert "closed" in store._repr_html_()


def test_html_of_databases_and_collections() -> None:
    with VecDatabase(":memory:") as database:
        collection = database.create_collection(NASTY)
        collection.upsert("a", [1, 0])
        for html in (database._repr_html_(), collection._repr_html_()):
            assert "<script" not in html
            assert "&lt;script&gt;" in html
    assert "<table" not in database._repr_html_()
