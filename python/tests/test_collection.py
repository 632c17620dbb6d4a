"""A collection does with records what a store does, and has a config, figures and texts of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import vecstore
from vecstore import BaseCollection, Collection, CollectionConfig, NamespaceQuotas, VecDatabase, VecStore


@pytest.fixture
def database() -> Iterator[VecDatabase]:
    with VecDatabase(":memory:") as database:
        yield database


@pytest.fixture
def docs(database: VecDatabase) -> Collection:
    return database.create_collection("docs")


def embed(text: str) -> list[float]:
    """Two texts are alike if they share letters."""
    return [1.0, *(float(text.lower().count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz")]


def test_every_method_of_records_is_shared_with_the_store() -> None:
    assert issubclass(VecStore, BaseCollection)
    assert issubclass(Collection, BaseCollection)
    own = {name for name in vars(Collection) if not name.startswith("_")}
    assert own == {"name", "namespace", "config", "stats"}
    with pytest.raises(TypeError):
        BaseCollection()


def test_writing_reading_and_searching(docs: Collection) -> None:
    docs.upsert("a", [1.0, 0.0], {"n": 1}, text="first")
    assert docs.upsert_many(["b", "c"], np.eye(2, dtype=np.float32), [{"n": 2}, None]) == 2
    docs.batch_upsert([{"id": "d", "vector": [1.0, 1.0], "metadata": {"n": 4}}])
    assert [neighbor.id for neighbor in docs.query([1.0, 0.1], k=2)] == ["a", "b"]
    assert [neighbor.id for neighbor in docs.query([1.0, 0.1], 3, {"n": {"$gt": 1}})] == ["b", "d"]
    assert docs.query_batch([[1, 0], [0, 1]], k=1).ids.tolist() == [["a"], ["c"]]
    assert docs.soft_delete("a")
    assert "a" not in docs
    assert docs.restore("a")
    assert docs.delete_where("n >= 2") == 2
    assert [record.id for record in docs] == ["a", "c"]
    assert len(docs) == docs.len() == docs.count() == 2
    assert docs.get_text("a") == "first"
    assert docs.dimension() == 2
    assert docs.verify().ok
    assert docs.explain_query([1.0, 0.0]).results == 2
    result = docs.batch_execute([vecstore.BatchOperation.delete("a"), vecstore.BatchOperation.delete("x")])
    assert (result.succeeded, result.failed) == (1, 1)


def test_config_is_kept_and_honoured(database: VecDatabase) -> None:
    config = CollectionConfig(dim=3, metric="l2", quantization="int4", quotas=NamespaceQuotas(max_vectors=5))
    made = database.create_collection("a", config)
    assert made.config == CollectionConfig(3, "euclidean", "int4", NamespaceQuotas(max_vectors=5))
    assert made.distance_metric == "euclidean"
    made.upsert("x", [3.0, 0.0, 4.0])
    assert made.query([0.0, 0.0, 0.0])[0].distance == 5.0
    with pytest.raises(vecstore.DimensionMismatchError):
        made.upsert("y", [1.0])
    assert database.create_collection("b").config == CollectionConfig(quotas=NamespaceQuotas.unlimited())


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        (CollectionConfig(metric="far"), vecstore.InvalidInputError, "metric"),
        (CollectionConfig(dim=0), vecstore.InvalidInputError, "dim must be between 1"),
        (CollectionConfig(quantization="int2"), vecstore.InvalidInputError, "quantization must be one of"),
        ({"dim": 3}, TypeError, "config: expected a CollectionConfig, got dict"),
        (CollectionConfig(quotas=3), TypeError, "quotas: expected a NamespaceQuotas, got int"),  # type: ignore[arg-type]
        (CollectionConfig(quotas=NamespaceQuotas(max_vectors=-1)), vecstore.InvalidInputError, "max_vectors"),
        (CollectionConfig(dim="3"), TypeError, "dim: expected an int, got str"),  # type: ignore[arg-type]
    ],
)
def test_a_bad_config_makes_nothing(
    database: VecDatabase, config: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        database.create_collection("a", config)
    assert database.list_collections() == []


def test_figures_are_attributes_and_items(docs: Collection) -> None:
    docs.upsert_many(["a", "b", "c"], [[1.0, 0.0]] * 3)
    docs.soft_delete("a")
    docs.delete("b")
    docs.query([1.0, 0.0])
    stats = docs.stats()
    assert stats.namespace_id == stats["namespace_id"] == docs.name() == docs.namespace == "docs"
    counts = (stats.vector_count, stats.active_count, stats.deleted_count, stats.dimension)
    assert counts == (2, 1, 1, 2)
    assert (stats.total_upserts, stats.total_deletes, stats.total_queries) == (3, 1, 1)
    assert stats.total_requests == 4
    assert stats.quota_utilization == 0.0
    assert stats.status is vecstore.NamespaceStatus.Active
    assert str.__eq__(stats.status, "Active")
    assert stats.storage_bytes > 0
    assert stats.memory_bytes > 0
    assert dict(stats)["segments"] == 0
    with pytest.raises(KeyError):
        stats["no such"]
    assert repr(docs) == "Collection('docs', vectors=1, dim=2, metric='cosine')"


class Chunk(NamedTuple):
    content: str
    char_start: int
    char_end: int


class Splitter:
    """What the splitters of `vecstore.rag` look like."""

    def split_with_metadata(self, text: str) -> list[Chunk]:
        return [Chunk(text[at : at + 10], at, min(at + 10, len(text))) for at in range(0, len(text), 10)]


def test_chunks_are_upserted_with_where_they_are_and_old_ones_go(docs: Collection) -> None:
    text = "The quick brown fox jumps over the lazy dog"
    assert docs.upsert_chunks("fox", text, Splitter(), embed) == 5
    docs.upsert("other_0", embed("other"), {"doc_id": "other", "chunk_index": 0})
    for n in range(5):
        record = docs.get(f"fox_{n}")
        assert record is not None
        assert record.text == record.metadata["text"]
        metadata = record.metadata
        assert (metadata["chunk_index"], metadata["doc_id"]) == (n, "fox")
        assert text[metadata["start"] : metadata["end"]] == metadata["text"]
    assert docs.upsert_chunks("fox", text[:15], Splitter(), embed) == 2
    assert [record.id for record in docs] == ["fox_0", "fox_1", "other_0"]
    assert docs.upsert_chunks("fox", "", Splitter(), embed) == 0
    assert [record.id for record in docs] == ["other_0"]


def test_splitters_and_embedders_of_any_kind(docs: Collection) -> None:
    class Overlapping:
        def split_text(self, text: str) -> list[str]:
            return [text[:6], text[4:10], text[8:]]

    class Batching:
        def embed_batch(self, texts: list[str]) -> np.ndarray[Any, Any]:
            return np.array([embed(text) for text in texts], dtype=np.float32)

    class Embedding:
        def embed(self, text: str) -> list[float]:
            return embed(text)

    text = "abcdefghijklmn"
    assert docs.upsert_chunks("d", text, Overlapping(), Batching()) == 3
    spans = [(record.metadata["start"], record.metadata["end"]) for record in docs]
    assert spans == [(0, 6), (4, 10), (8, 14)]
    assert (
        docs.batch_upsert_texts(
            [("x", "xylophone"), {"id": "y", "text": "yes", "metadata": {"n": 1}}], Embedding()
        )
        == 2
    )
    assert docs.batch_upsert_texts(iter([]), embed) == 0
    for embedder in (embed, Embedding(), Batching()):
        assert docs.query_text("xylophones", embedder, k=1)[0].id == "x"
    assert [neighbor.id for neighbor in docs.query_text("x", embed, 5, {"n": 1})] == ["y"]


@pytest.mark.parametrize("item", ["ab", ("a",), {"id": "a"}, {"id": "a", "text": "b", "more": 1}])
def test_a_bad_item_of_texts_is_named(docs: Collection, item: Any) -> None:
    with pytest.raises((TypeError, vecstore.InvalidInputError), match=r"items\[1\]: expected"):
        docs.batch_upsert_texts([("a", "b"), item], embed)
    assert docs.is_empty()


def test_an_error_of_the_embedder_changes_nothing_and_is_passed_on(docs: Collection) -> None:
    def broken(text: str) -> list[float]:
        raise LookupError(text)

    with pytest.raises(LookupError, match="first"):
        docs.batch_upsert_texts([("a", "first")], broken)
    with pytest.raises(TypeError, match="embedder: expected an object with `embed` or a callable, got int"):
        docs.query_text("a", 3)  # type: ignore[arg-type]
    with pytest.raises(
        TypeError, match="splitter: expected an object with `split_with_metadata` or `split_text`"
    ):
        docs.upsert_chunks("a", "text", 3, embed)  # type: ignore[arg-type]
    assert docs.is_empty()


@pytest.mark.parametrize(
    "found", [None, 3, "text", [3], [("text", 0, 4)], [SimpleNamespace(content=b"", char_start=0)]]
)
@pytest.mark.parametrize("name", ["split_text", "split_with_metadata"])
def test_a_splitter_that_returns_no_chunks_is_told(docs: Collection, name: str, found: Any) -> None:
    splitter: Any = SimpleNamespace(**{name: lambda _: found})
    with pytest.raises(TypeError, match=r"what the splitter returned.*: expected"):
        docs.upsert_chunks("a", "text", splitter, embed)
    assert docs.is_empty()


def test_a_collection_deleted_while_threads_use_it_is_closed_to_them(tmp_path: Any) -> None:
    with VecDatabase(tmp_path / "database") as database:
        docs = database.create_collection("docs")
        docs.upsert_many([str(n) for n in range(2000)], np.random.default_rng(1).random((2000, 8)))
        errors: list[BaseException] = []
        begun = threading.Barrier(4)

        def use(n: int) -> None:
            begun.wait()
            try:
                while True:
                    docs.upsert(f"new {n}", [1.0] * 8) if n else docs.query([1.0] * 8)
            except vecstore.VecStoreError as error:
                errors.append(error)

        threads = [threading.Thread(target=use, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        begun.wait()
        assert database.delete_collection("docs")
        for thread in threads:
            thread.join(30)
        assert [type(error) for error in errors] == [vecstore.ClosedError] * 3
        with pytest.raises(vecstore.ClosedError, match="the collection `docs` was deleted"):
            len(docs)
        assert repr(docs) == "Collection('docs', metric='cosine', closed)"
