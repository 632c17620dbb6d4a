"""The LangChain store beyond LangChain's own suite."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("langchain_tests", reason="langchain-tests needs Python 3.11")

from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_core.indexing import InMemoryRecordManager, index
from langchain_core.vectorstores.utils import maximal_marginal_relevance
from langchain_text_splitters import TextSplitter

import vecstore
from vecstore import F, VecDatabase, VecStore
from vecstore.integrations.langchain import VecStoreVectorStore, text_splitter
from vecstore.rag import (
    MarkdownTextSplitter,
    RecursiveCharacterTextSplitter,
    SemanticTextSplitter,
)

from .words import counts, embed


class Words(Embeddings):
    """Counts its calls, by kind."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.calls.append(("documents", len(texts)))
        return embed(texts)

    def embed_query(self, text: str) -> list[float]:
        self.calls.append(("query", 1))
        return counts(text)

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        self.calls.append(("async documents", len(texts)))
        return embed(texts)

    async def aembed_query(self, text: str) -> list[float]:
        self.calls.append(("async query", 1))
        return counts(text)


TEXTS = ["fig", "fig fig pear", "leek", "leek soup", "pear"]
METADATAS = [{"n": n, "long": " " in text} for n, text in enumerate(TEXTS)]
IDS = list("abcde")


@pytest.fixture
def notes() -> VecStoreVectorStore:
    return VecStoreVectorStore.from_texts(TEXTS, Words(), METADATAS, ids=IDS)


def ids(documents: list[Document]) -> list[str | None]:
    return [document.id for document in documents]


@pytest.mark.parametrize(
    "filter", [{"n": {"$gte": 2}, "long": True}, F("n").is_in([3]), "n > 2 AND long = true", {"n": 3}]
)
def test_every_spelling_of_a_filter_is_taken_everywhere(notes: VecStoreVectorStore, filter: Any) -> None:
    assert ids(notes.similarity_search("fig", filter=filter)) == ["d"]
    assert ids(notes.similarity_search_by_vector(counts("fig"), filter=filter)) == ["d"]
    assert ids(notes.max_marginal_relevance_search("fig", filter=filter)) == ["d"]
    assert ids(notes.as_retriever(search_kwargs={"filter": filter}).invoke("fig")) == ["d"]
    assert ids(asyncio.run(notes.asimilarity_search("fig", filter=filter))) == ["d"]
    assert ids(asyncio.run(notes.amax_marginal_relevance_search("fig", filter=filter))) == ["d"]


def test_parameters_of_a_filter_and_options_of_a_search_reach_the_store(notes: VecStoreVectorStore) -> None:
    assert ids(notes.similarity_search("fig", filter="n = :n", params={"n": 4})) == ["e"]
    assert ids(notes.similarity_search("fig", k=1, offset=1)) == ["b"]
    assert ids(notes.similarity_search("fig", min_score=0.95)) == ["a"]
    with pytest.raises(TypeError, match="no_such"):
        notes.similarity_search("fig", no_such=1)


def test_alpha_makes_a_search_hybrid(notes: VecStoreVectorStore) -> None:
    assert ids(notes.similarity_search("soup", k=1, alpha=0.0)) == ["d"]
    assert ids(notes.as_retriever(search_kwargs={"k": 1, "alpha": 0.5}).invoke("leek soup")) == ["d"]
    with pytest.raises(vecstore.InvalidInputError, match="needs a text"):
        notes.similarity_search_by_vector(counts("fig"), alpha=0.5)


def test_maximal_marginal_relevance_is_that_of_langchain() -> None:
    embedding = DeterministicFakeEmbedding(size=8)
    notes = VecStoreVectorStore.from_texts([f"text {n}" for n in range(60)], embedding)
    query = embedding.embed_query("question")
    near = notes.similarity_search_by_vector(query, k=20, exact=True)
    rows = embedding.embed_documents([document.page_content for document in near])
    for mult in (0.0, 0.3, 0.5, 0.9, 1.0):
        wanted = maximal_marginal_relevance(np.array(query), rows, mult, 6)
        found = notes.max_marginal_relevance_search_by_vector(query, 6, 20, mult, exact=True)
        assert ids(found) == [near[at].id for at in wanted], mult


def test_relevance_is_within_0_and_1_under_each_metric() -> None:
    for metric in ("cosine", "dot", "euclidean", "manhattan"):
        notes = VecStoreVectorStore.from_texts(TEXTS, Words(), metric=metric)
        found = notes.similarity_search_with_relevance_scores("fig", k=5)
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
        assert all(0 <= score <= 1 for _, score in found), metric
    notes = VecStoreVectorStore.from_texts(TEXTS, Words(), relevance_score_fn=lambda score: score / 2)
    assert notes.similarity_search_with_relevance_scores("fig")[0][1] == pytest.approx(0.5)


def test_a_retriever_heeds_a_threshold_and_asks_for_diversity(notes: VecStoreVectorStore) -> None:
    near = notes.as_retriever(
        search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.8}
    )
    assert ids(near.invoke("fig")) == ["a", "b"]
    unlike = notes.as_retriever(search_type="mmr", search_kwargs={"k": 2, "lambda_mult": 0.1})
    assert ids(unlike.invoke("fig")) == ["a", "c"]


def test_async_calls_use_the_async_embedder() -> None:
    async def run() -> list[tuple[str, int]]:
        words = Words()
        notes = await VecStoreVectorStore.afrom_texts(TEXTS, words, METADATAS, ids=IDS, batch_size=2)
        assert ids(await notes.asimilarity_search("fig", k=1)) == ["a"]
        assert (await notes.asimilarity_search_with_score("fig", k=1))[0][1] == pytest.approx(1)
        assert ids(await notes.as_retriever(search_kwargs={"k": 1}).ainvoke("leek")) == ["c"]
        assert await notes.adelete(filter={"n": {"$lt": 4}})
        assert ids(await notes.aget_by_ids(IDS)) == ["e"]
        return words.calls

    calls = asyncio.run(run())
    assert [size for kind, size in calls if kind == "async documents"] == [2, 2, 1]
    assert all(kind.startswith("async") for kind, _ in calls)


def test_delete_takes_ids_a_filter_or_all(notes: VecStoreVectorStore) -> None:
    assert notes.delete(["a", "no such"])
    assert notes.delete(filter="n = 1")
    assert ids(notes.get_by_ids(IDS)) == ["c", "d", "e"]
    with pytest.raises(vecstore.InvalidInputError, match="got both"):
        notes.delete(["c"], filter="n = 1")
    assert notes.delete()
    assert notes.get_by_ids(IDS) == []


def test_what_does_not_fit_together_is_refused_before_anything_is_embedded() -> None:
    words = Words()
    notes = VecStoreVectorStore(words)
    with pytest.raises(ValueError, match="metadatas: expected one for each of the 2 texts, got 1"):
        notes.add_texts(["a", "b"], [{}])
    with pytest.raises(ValueError, match="ids: expected one for each of the 2 texts, got 1"):
        notes.add_texts(["a", "b"], ids=["a"])
    with pytest.raises(ValueError, match="batch_size: expected at least 1, got 0"):
        notes.add_texts(["a", "b"], batch_size=0)
    assert words.calls == []
    assert notes.add_texts([]) == []
    with pytest.raises(TypeError, match="no_such"):
        notes.add_texts(["a"], no_such=True)


def test_documents_without_an_id_get_one_and_keep_their_types() -> None:
    notes = VecStoreVectorStore(Words())
    metadata = {"none": None, "true": True, "int": 1, "float": 1.0, "list": [1, "a"], "dict": {"a": b"b"}}
    made = notes.add_documents([Document("fig", id="x"), Document("", metadata=metadata)])
    assert made[0] == "x"
    assert made[1] not in ("", "x")
    (back,) = notes.get_by_ids(made[1:])
    assert back == Document("", metadata=metadata, id=made[1])
    assert type(back.metadata["true"]) is bool
    assert type(back.metadata["float"]) is float


def test_a_store_a_collection_or_a_path(tmp_path: Path) -> None:
    with VecStoreVectorStore.from_texts(
        TEXTS, Words(), ids=IDS, path=tmp_path / "notes", metric="dot"
    ) as notes:
        assert notes.store.distance_metric == "dot"
    with VecStore(tmp_path / "notes") as store:
        notes = VecStoreVectorStore(Words(), store)
        assert ids(notes.get_by_ids(["a"])) == ["a"]
        with pytest.raises(vecstore.InvalidInputError, match="got both: store and path"):
            VecStoreVectorStore(Words(), store, path="elsewhere")
    with VecDatabase(":memory:") as database:
        collection = database.create_collection("notes")
        with VecStoreVectorStore(Words(), collection) as notes:
            notes.add_texts(["fig"], ids=["a"])
        assert len(collection) == 1
    with pytest.raises(TypeError, match="store: expected a VecStore or a Collection, got str"):
        VecStoreVectorStore(Words(), "path")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="embedding: expected langchain_core Embeddings, got function"):
        VecStoreVectorStore(embed)  # type: ignore[arg-type]


def test_the_indexing_of_langchain_works_on_it() -> None:
    notes = VecStoreVectorStore(Words())
    manager = InMemoryRecordManager("notes")
    manager.create_schema()
    documents = [Document(text, metadata={"source": text}) for text in TEXTS]

    def run(documents: list[Document]) -> Any:
        return index(documents, manager, notes, cleanup="full", source_id_key="source", key_encoder="sha256")

    assert run(documents)["num_added"] == 5
    assert run(documents)["num_skipped"] == 5
    assert run(documents[:2])["num_deleted"] == 3
    assert len(notes.store) == 2


def test_a_splitter_gives_exact_starts_and_what_it_knows() -> None:
    guide = "# Tea\n\nBoil it. Boil it.\n\n## Pots\n\nWarm it first."
    splitter = text_splitter(MarkdownTextSplitter(20, 0), add_start_index=True)
    assert isinstance(splitter, TextSplitter)
    chunks = splitter.split_documents([Document(guide, metadata={"page": 1})])
    for chunk in chunks:
        start = chunk.metadata["start_index"]
        assert guide[start : start + len(chunk.page_content)] == chunk.page_content
        assert chunk.metadata["page"] == 1
    assert chunks[-1].metadata["headers"] == ["Tea", "Pots"]
    plain = text_splitter(RecursiveCharacterTextSplitter(9, 0))
    assert plain.split_text("a b a b a b a b") == ["a b a b a", "b a b"]
    assert asyncio.run(plain.atransform_documents([Document("a b")]))[0].metadata == {}
    semantic = text_splitter(SemanticTextSplitter(embed, 20, 1))
    assert "".join(semantic.split_text("Fig fig. Leek leek.")).startswith("Fig fig.")


def test_a_splitter_refuses_what_it_is_not_made_for() -> None:
    with pytest.raises(TypeError, match=r"splitter: expected one of vecstore\.rag, got str"):
        text_splitter("recursive")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="metadatas: expected one for each of the 2 texts, got 1"):
        text_splitter(RecursiveCharacterTextSplitter(9, 0)).create_documents(["a", "b"], [{}])
