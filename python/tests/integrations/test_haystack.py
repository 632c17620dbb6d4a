"""The Haystack document store and its retrievers beyond Haystack's own suites."""

from __future__ import annotations

import asyncio
import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("haystack", reason="haystack-ai needs Python 3.11")

from haystack import Document, Pipeline
from haystack.components.writers import DocumentWriter
from haystack.dataclasses import ByteStream, SparseEmbedding
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy, FilterPolicy
from haystack.errors import FilterError
from haystack.utils.filters import document_matches_filter

import vecstore
from vecstore import VecStore
from vecstore.integrations.haystack import (
    VecStoreBM25Retriever,
    VecStoreDocumentStore,
    VecStoreEmbeddingRetriever,
    VecStoreHybridRetriever,
)

from .words import counts

TEXTS = {"a": "fig", "b": "fig fig pear", "c": "leek", "d": "leek soup", "e": "pear"}


def documents() -> list[Document]:
    return [
        Document(id=key, content=text, embedding=counts(text), meta={"n": at})
        for at, (key, text) in enumerate(TEXTS.items())
    ]


@pytest.fixture
def notes() -> VecStoreDocumentStore:
    notes = VecStoreDocumentStore()
    notes.write_documents(documents())
    return notes


def ids(found: list[Document]) -> list[str]:
    return [document.id for document in found]


# Filters

VALUES: list[Any] = [
    *(None, "", "x", 0, 1, -2, 1.0, 2.5, True, False, [], ["x"], ["x", "y"], [["x"]], [1, 2], {}, {"a": 1}),
    *("1969-07-21T20:17:40", "1969-07-21 20:17:40", "1969-07-21T20:17:40+00:00", "1972-12-11"),
]
OPERANDS: list[Any] = [*VALUES, [None], [0, "x"], [["x"], 2.5], ["1972-12-11T00:00:00"]]


def oracle(document: Document, filters: dict[str, Any]) -> bool | None:
    try:
        return document_matches_filter(filters, document)
    except (FilterError, TypeError):
        return None


def test_each_comparison_means_what_it_does_in_haystack() -> None:
    notes = VecStoreDocumentStore()
    held = [Document(id=str(at), content="x", meta={"key": value}) for at, value in enumerate(VALUES)]
    held.append(Document(id="none", meta={}))
    notes.write_documents(held)
    compared = 0
    for operator, operand in itertools.product(["==", "!=", ">", ">=", "<", "<=", "in", "not in"], OPERANDS):
        filters = {"field": "meta.key", "operator": operator, "value": operand}
        expected = {document.id: oracle(document, filters) for document in held}
        try:
            found = set(ids(notes.filter_documents(filters)))
        except FilterError:
            assert not any(expected.values()), filters
            continue
        for document in held:
            if expected[document.id] is not None:
                assert (document.id in found) is expected[document.id], (filters, document.meta)
                compared += 1
    assert compared > 1900


def test_conditions_nest_as_in_haystack() -> None:
    rng = random.Random(8)
    notes = VecStoreDocumentStore()
    held = [
        Document(
            id=str(at),
            content=rng.choice(["x", "y", None]),
            meta={"n": rng.randrange(4), "deep": {"s": rng.choice("xyz")}},
        )
        for at in range(60)
    ]
    notes.write_documents(held)

    def made(depth: int) -> dict[str, Any]:
        if depth:
            conditions = [made(depth - 1) for _ in range(rng.randrange(4))]
            return {"operator": rng.choice(["AND", "OR", "NOT"]), "conditions": conditions}
        return rng.choice(
            [
                {"field": "meta.n", "operator": ">=", "value": rng.randrange(4)},
                {"field": "n", "operator": "==", "value": rng.randrange(4)},
                {"field": "meta.deep.s", "operator": "in", "value": ["x", "z"]},
                {"field": "content", "operator": "==", "value": "x"},
                {"field": "content", "operator": "!=", "value": None},
                {"field": "embedding", "operator": "==", "value": None},
                {"field": "id", "operator": "in", "value": [str(n) for n in range(30)]},
                {"field": "deep.s", "operator": "==", "value": None},
            ]
        )

    for _ in range(60):
        filters = made(3)
        wanted = [document.id for document in held if oracle(document, filters)]
        assert ids(notes.filter_documents(filters)) == wanted, filters
        assert notes.count_documents_by_filter(filters) == len(wanted)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ("n = 1", "expected a dict, got str"),
        ({"operator": "XOR", "conditions": []}, "expected AND, OR or NOT"),
        ({"operator": "AND", "conditions": {}}, "conditions: expected a list, got dict"),
        ({"field": "meta.n", "operator": "~", "value": 1}, "expected one of ==, !=, .*, got '~'"),
        ({"field": 1, "operator": "==", "value": 1}, "field: expected a str, got int"),
        ({"field": "meta.n", "operator": ">", "value": "soon"}, "an ISO date with `>`, got the str 'soon'"),
        ({"field": "content", "operator": ">", "value": [1]}, "an ISO date with `>`, got list"),
        (
            {
                "operator": "OR",
                "conditions": [{"field": "content", "operator": "==", "value": "x"}, {"field": "n"}],
            },
            "`operator`",
        ),
    ],
)
def test_filters_that_cannot_be_are_errors(notes: VecStoreDocumentStore, filters: Any, message: str) -> None:
    with pytest.raises(FilterError, match=message):
        notes.filter_documents(filters)
    with pytest.raises(FilterError, match=message):
        notes.embedding_retrieval(counts("fig"), filters)


def test_filters_that_nest_too_deep_are_errors(notes: VecStoreDocumentStore) -> None:
    deep: dict[str, Any] = {"field": "meta.n", "operator": "==", "value": [1]}
    for _ in range(25):
        deep = {"operator": "NOT", "conditions": [deep]}
    assert len(notes.filter_documents(deep)) == 5
    for _ in range(5000):
        deep = {"operator": "NOT", "conditions": [deep]}
    with pytest.raises(FilterError, match="at most 26 conditions in each other"):
        notes.filter_documents(deep)


# Documents


@pytest.mark.parametrize(
    "document",
    [
        Document(content="fig", meta={"n": 1, "list": [1, "a"], "none": None}),
        Document(content="fig", embedding=[0.1, 0.2]),
        Document(content="", embedding=[1.0, 2.0], score=0.5),
        Document(blob=ByteStream(b"\x00\xff", {"a": 1}, "image/png")),
        Document(content="fig", sparse_embedding=SparseEmbedding([3, 9], [0.5, 1.5])),
        Document(meta={}),
    ],
)
def test_documents_come_back_equal(document: Document) -> None:
    notes = VecStoreDocumentStore()
    notes.write_documents([document])
    assert notes.filter_documents() == [document]


def test_embeddings_are_kept_in_full_unless_told_otherwise() -> None:
    notes = VecStoreDocumentStore(exact_embeddings=False)
    notes.write_documents([Document(id="a", embedding=[0.1, 0.2])])
    (back,) = notes.filter_documents()
    assert back.embedding != [0.1, 0.2]
    assert back.embedding == pytest.approx([0.1, 0.2], rel=1e-6)


def test_documents_without_embeddings_stay_when_the_first_embedding_comes(tmp_path: Path) -> None:
    before = [
        Document(id=str(at), content=f"fig {at}", sparse_embedding=SparseEmbedding([at], [1.0]))
        for at in range(5)
    ]
    notes = VecStoreDocumentStore(tmp_path / "notes")
    notes.write_documents(before)
    assert notes.embedding_retrieval(counts("fig")) == []
    assert len(notes.bm25_retrieval("fig")) == 5
    notes.close()
    with VecStoreDocumentStoreAt(tmp_path / "notes") as notes:
        assert notes.filter_documents() == before
        notes.write_documents(documents())
        assert notes.filter_documents() == [*before, *documents()]
        assert sorted(ids(notes.embedding_retrieval(counts("fig"), top_k=20))) == list("abcde")
        assert len(notes.bm25_retrieval("fig", top_k=20)) == 7
    with VecStore(tmp_path / "notes") as store:
        assert len(store) == 10
        assert store.dimension() == 4


class VecStoreDocumentStoreAt(VecStoreDocumentStore):
    """One that closes."""

    def __enter__(self) -> VecStoreDocumentStoreAt:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def test_a_batch_is_all_or_nothing(notes: VecStoreDocumentStore) -> None:
    fresh = Document(id="f", content="new", embedding=counts("new"))
    with pytest.raises(DuplicateDocumentError, match="the id `a` already"):
        notes.write_documents([fresh, documents()[0]])
    with pytest.raises(DuplicateDocumentError, match="the id `f` already"):
        notes.write_documents([fresh, fresh], DuplicatePolicy.FAIL)
    with pytest.raises(
        vecstore.DimensionMismatchError, match="document `g`: expected an embedding of 4 numbers, got 1"
    ):
        notes.write_documents([fresh, Document(id="g", embedding=[1.0])])
    assert ids(notes.filter_documents()) == list("abcde")
    assert notes.write_documents([fresh, documents()[0]], DuplicatePolicy.SKIP) == 1
    changed = Document(id="a", content="changed")
    assert notes.write_documents([changed, changed], DuplicatePolicy.OVERWRITE) == 2
    assert ids(notes.filter_documents()) == list("abcdef")
    assert notes.filter_documents()[0] == changed


def test_what_does_not_fit_the_store_is_an_error(tmp_path: Path) -> None:
    with VecStoreDocumentStoreAt(tmp_path / "notes", embedding_dim=4) as notes:
        assert notes.count_documents() == 0
    other = VecStoreDocumentStore(tmp_path / "notes", metric="dot")
    with pytest.raises(vecstore.InvalidInputError, match=r"metric: the documents at .* have cosine, got dot"):
        other.count_documents()
    longer = VecStoreDocumentStore(tmp_path / "notes", embedding_dim=5)
    with pytest.raises(vecstore.InvalidInputError, match=r"embedding_dim: the documents .* have 4, got 5"):
        longer.count_documents()
    with pytest.raises(vecstore.ClosedError):
        notes.count_documents()


def test_threads_that_use_a_store_first_use_the_same() -> None:
    for _ in range(20):
        notes = VecStoreDocumentStore()
        with ThreadPoolExecutor(4) as pool:
            written = [
                pool.submit(notes.write_documents, [Document(id=str(at), content="x")]) for at in range(8)
            ]
        assert [one.result() for one in written] == [1] * 8
        assert notes.count_documents() == 8


# Searching


def test_retrievers_find_what_they_are_for(notes: VecStoreDocumentStore) -> None:
    near = VecStoreEmbeddingRetriever(notes, top_k=2)
    assert ids(near.run(counts("fig"))["documents"]) == ["a", "b"]
    (best,) = near.run(counts("fig"), top_k=1, return_embedding=True)["documents"]
    assert best.score == pytest.approx(1)
    assert best.embedding == counts("fig")
    assert near.run(counts("fig"), top_k=1)["documents"][0].embedding is None
    assert near.run(counts("fig"), top_k=0)["documents"] == []
    worded = VecStoreBM25Retriever(notes)
    assert ids(worded.run("soup pear")["documents"]) == ["d", "e", "b"]
    both = VecStoreHybridRetriever(notes, top_k=1)
    assert ids(both.run("soup", counts("fig"), alpha=0.0)["documents"]) == ["d"]
    assert ids(both.run("soup", counts("fig"), alpha=1.0)["documents"]) == ["a"]
    for found in (
        asyncio.run(near.run_async(counts("fig"))),
        asyncio.run(worded.run_async("fig", top_k=2)),
        asyncio.run(both.run_async("fig", counts("fig"), top_k=2)),
    ):
        assert sorted(ids(found["documents"])) == ["a", "b"]


def test_hybrid_ranks_are_the_same_beside_documents_without_embeddings(notes: VecStoreDocumentStore) -> None:
    cases = [
        (query, text, alpha)
        for query in TEXTS.values()
        for text in TEXTS.values()
        for alpha in (0, 0.3, 0.7, 1)
    ]
    plain = [notes.hybrid_retrieval(query, counts(text), alpha=alpha) for query, text, alpha in cases]
    notes.write_documents([Document(id="other", content="nothing of it")])
    for (query, text, alpha), wanted in zip(cases, plain):
        found = notes.hybrid_retrieval(query, counts(text), alpha=alpha)
        assert ids(found) == ids(wanted), (query, text, alpha)
        assert [one.score for one in found] == pytest.approx([one.score for one in wanted])


def test_scores_can_be_from_0_to_1(notes: VecStoreDocumentStore) -> None:
    for found in (
        notes.embedding_retrieval([-one for one in counts("fig")], scale_score=True),
        notes.bm25_retrieval("fig", scale_score=True),
        VecStoreBM25Retriever(notes, scale_score=True).run("fig")["documents"],
    ):
        assert all(0 <= (one.score or 0) <= 1 for one in found)


def test_filters_of_a_run_replace_or_merge(notes: VecStoreDocumentStore) -> None:
    odd = {"field": "meta.n", "operator": "in", "value": [1, 3]}
    early = {"field": "id", "operator": "in", "value": ["a", "b", "c"]}
    replacing = VecStoreBM25Retriever(notes, odd)
    assert sorted(ids(replacing.run("fig leek")["documents"])) == ["b", "d"]
    assert sorted(ids(replacing.run("fig leek", early)["documents"])) == ["a", "b", "c"]
    merging = VecStoreBM25Retriever(notes, odd, filter_policy=FilterPolicy.MERGE)
    assert ids(merging.run("fig leek", early)["documents"]) == ["b"]


def test_wrong_arguments_are_errors(notes: VecStoreDocumentStore) -> None:
    with pytest.raises(TypeError, match="expected a VecStoreDocumentStore, got str"):
        VecStoreEmbeddingRetriever("notes")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="top_k: expected at least 1, got 0"):
        VecStoreBM25Retriever(notes, top_k=0)
    with pytest.raises(ValueError, match="top_k: expected at least 0, got -1"):
        VecStoreBM25Retriever(notes).run("fig", top_k=-1)
    with pytest.raises(ValueError, match="query: expected a non-empty str"):
        notes.bm25_retrieval("")
    with pytest.raises(ValueError, match="query_embedding: expected at least one number"):
        notes.embedding_retrieval([])


# Pipelines


def test_a_pipeline_is_saved_and_loaded_with_its_stores(tmp_path: Path) -> None:
    store = VecStoreDocumentStore(tmp_path / "notes", embedding_dim=4)
    writing = Pipeline()
    writing.add_component("writer", DocumentWriter(store))
    writing.run({"writer": {"documents": documents()}})
    asking = Pipeline()
    asking.add_component("near", VecStoreEmbeddingRetriever(store, top_k=1))
    asking.add_component("worded", VecStoreBM25Retriever(store, top_k=1))
    asking.add_component("both", VecStoreHybridRetriever(store, top_k=1, alpha=0.2))
    given = {
        "near": {"query_embedding": counts("fig")},
        "worded": {"query": "soup"},
        "both": {"query": "soup", "query_embedding": counts("fig")},
    }
    again = Pipeline.loads(asking.dumps(), allowed_modules=["vecstore.integrations.*"])
    assert again.to_dict() == asking.to_dict()
    for pipeline in (asking, again):
        found = pipeline.run(given)
        assert {name: ids(one["documents"]) for name, one in found.items()} == {
            "near": ["a"],
            "worded": ["d"],
            "both": ["d"],
        }


def test_a_store_is_the_same_after_its_dict() -> None:
    store = VecStoreDocumentStore(
        "notes", 4, "dot", analyzer="english", exact_embeddings=False, durability="none"
    )
    again = VecStoreDocumentStore.from_dict(store.to_dict())
    assert again.to_dict() == store.to_dict()
    assert repr(again) == "VecStoreDocumentStore('notes', embedding_dim=4, metric='dot')"
