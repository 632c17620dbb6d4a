"""Retrieval over the language reference, sync and async."""

from __future__ import annotations

import asyncio
import typing

import pytest

from vecstore import InvalidInputError, Neighbor, VecStore
from vecstore.rag import (
    BM25Reranker,
    EmbeddingStore,
    HashingEmbedder,
    HyDEHelper,
    MMRReranker,
    MultiQueryRetrieval,
    Retriever,
)

QUESTION = "How does the assert statement work?"


def test_what_is_retrieved_is_what_the_store_finds(reference: VecStore, embedder: HashingEmbedder) -> None:
    context = Retriever(reference, embedder, k=5).retrieve(QUESTION)
    found = reference.query_text(QUESTION, embedder, k=5)
    assert [one.id for one in context.sources] == [one.id for one in found]
    assert [one.score for one in context.sources] == [one.score for one in found]
    assert context.text == "\n\n".join(f"[{n}] {one.text}" for n, one in enumerate(found, 1))
    assert context.queries == [QUESTION]
    assert any(one.metadata["doc_id"] == "assert" for one in context.sources)


def test_sync_and_async_find_the_same(reference: VecStore, embedder: HashingEmbedder) -> None:
    asked: list[str] = []

    async def llm(prompt: str) -> str:
        asked.append(prompt)
        await asyncio.sleep(0)
        return "1. What does assert do?\n2. When is AssertionError raised?"

    options: list[dict[str, typing.Any]] = [
        {},
        {"reranker": BM25Reranker()},
        {"reranker": MMRReranker(0.5), "fetch_k": 30},
        {"llm": llm, "expansion": "multi_query"},
        {"llm": llm, "expansion": "hyde"},
        {"llm": llm, "expansion": "decompose", "reranker": BM25Reranker()},
        {"expansion": "decompose", "window": 1},
        {"parents": True, "max_tokens": None},
    ]
    for option in options:
        retriever = Retriever(reference, embedder, k=4, **option)
        context = retriever.retrieve(QUESTION)
        assert context == asyncio.run(retriever.aretrieve(QUESTION))
        assert 1 <= len(context.sources) <= 4
        assert any(one.metadata["doc_id"] == "assert" for one in context.sources), option
    assert all(QUESTION in prompt for prompt in asked)
    several = Retriever(reference, embedder, llm=llm, expansion="multi_query").retrieve(QUESTION)
    assert several.queries == [QUESTION, "What does assert do?", "When is AssertionError raised?"]


def test_a_filter_restricts_and_the_budget_holds(reference: VecStore, embedder: HashingEmbedder) -> None:
    retriever = Retriever(
        reference, embedder, k=50, filter={"doc_id": "assert"}, max_tokens=60, truncate=True
    )
    context = retriever.retrieve(QUESTION)
    assert {one.metadata["doc_id"] for one in context.sources} == {"assert"}
    words = Retriever(reference, embedder, max_tokens=30, token_estimator=lambda text: len(text.split()))
    assert sum(len((one.text or "").split()) for one in words.retrieve(QUESTION).sources) <= 30
    other = retriever.retrieve(QUESTION, k=1, filter="doc_id = 'break'")
    assert [one.metadata["doc_id"] for one in other.sources] == ["break"]


def test_what_any_part_raises_comes_back_as_it_is(reference: VecStore, embedder: HashingEmbedder) -> None:
    class MineError(Exception):
        pass

    error = MineError()

    def fail(*_: object) -> typing.Any:
        raise error

    for retriever in (
        Retriever(reference, fail),
        Retriever(reference, embedder, fail),
        Retriever(reference, embedder, llm=fail, expansion="hyde"),
        Retriever(reference, embedder, token_estimator=fail),
    ):
        with pytest.raises(MineError) as caught:
            retriever.retrieve(QUESTION)
        assert caught.value is error
        with pytest.raises(MineError) as caught:
            asyncio.run(retriever.aretrieve(QUESTION))
        assert caught.value is error
    closed = VecStore(":memory:", dim=512)
    closed.close()
    with pytest.raises(Exception, match="closed"):
        Retriever(closed, embedder).retrieve(QUESTION)


def test_bad_options_are_named(reference: VecStore, embedder: HashingEmbedder) -> None:
    with pytest.raises(InvalidInputError, match="llm"):
        Retriever(reference, embedder, expansion="hyde")
    with pytest.raises(InvalidInputError, match="expansion"):
        Retriever(reference, embedder, expansion=typing.cast(typing.Any, "more"))
    with pytest.raises(InvalidInputError, match="k: expected"):
        Retriever(reference, embedder, k=0)
    with pytest.raises(TypeError, match="query"):
        Retriever(reference, embedder).retrieve(typing.cast(str, None))
    stranger = [Neighbor("stranger", 1.0, 0.0)]
    with pytest.raises(InvalidInputError, match="stranger"):
        Retriever(reference, embedder, lambda *_: stranger).retrieve(QUESTION)


def test_several_wordings_are_fused(reference: VecStore, embedder: HashingEmbedder) -> None:
    multi = MultiQueryRetrieval(reference, embedder, lambda _: "What does assert do?", count=1)
    sets = [reference.query_text(query, embedder, k=12) for query in (QUESTION, "What does assert do?")]
    fused = MultiQueryRetrieval.reciprocal_rank_fusion(sets)[:3]
    assert [one.id for one in multi.retrieve(QUESTION, k=3)] == [one.id for one in fused]
    assert asyncio.run(multi.aretrieve(QUESTION, k=3)) == multi.retrieve(QUESTION, k=3)


def test_a_hypothetical_document_is_the_mean(embedder: HashingEmbedder) -> None:
    helper = HyDEHelper(lambda question: question + " the log", embedder, count=2)
    question, document = embedder.embed("q"), embedder.embed("q the log")
    expected = [(a + 2 * b) / 3 for a, b in zip(question, document)]
    assert helper.embed("q") == pytest.approx(expected, abs=1e-6)
    assert asyncio.run(helper.aembed("q")) == helper.embed("q")


def test_a_store_of_texts(tmp_path: typing.Any, embedder: HashingEmbedder) -> None:
    with EmbeddingStore(tmp_path / "texts", embedder) as texts:
        texts.upsert_text("a", "The log is synced.", {"kind": "design"})
        assert (
            texts.batch_upsert_text([("b", "Snakes eat mice."), {"id": "c", "text": "Mice eat cheese."}]) == 2
        )
        asyncio.run(texts.aupsert_text("d", "Logs burn."))
        assert [one.id for one in texts.query_text("what do snakes eat", k=1)] == ["b"]
        assert texts.query_text("log", k=9, filter={"kind": "design"})[0].text == "The log is synced."
        texts.save()
    with EmbeddingStore(tmp_path / "texts", embedder) as texts:
        assert len(texts) == 4
        assert asyncio.run(texts.aquery_text("cheese", k=1))[0].id == "c"
