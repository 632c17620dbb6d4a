"""Retrieval over the language reference, sync and async."""

from __future__ import annotations

import asyncio
import typing

import pytest

from tests.rag.conftest import Chunk
from vecstore import InvalidInputError, Neighbor, VecStore
from vecstore.rag import (
    BM25Reranker,
    ContextWindowManager,
    EmbeddingStore,
    HashingEmbedder,
    HyDEHelper,
    MMRReranker,
    MultiQueryRetrieval,
    Retriever,
    count_tokens,
    join_pages,
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
        {"expansion": "multi_query", "synonyms": {"statement": ["keyword"]}},
        {"expansion": "hyde"},
        {"mode": "text"},
        {"mode": "hybrid", "alpha": 0.5, "reranker": MMRReranker(0.5)},
        {"mode": "hybrid", "expansion": "hyde"},
        {"mode": "text", "expansion": "hyde"},
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
    with pytest.raises(InvalidInputError, match="mode: expected vector, text or hybrid"):
        Retriever(reference, embedder, mode=typing.cast(typing.Any, "words"))
    for alpha in (-0.1, 1.1, float("nan")):
        with pytest.raises(InvalidInputError, match="alpha"):
            Retriever(reference, embedder, alpha=alpha)
    with pytest.raises(TypeError, match="embedder"):
        Retriever(reference, None)
    with pytest.raises(InvalidInputError, match="expansion"):
        Retriever(reference, embedder, expansion=typing.cast(typing.Any, "more"))
    with pytest.raises(InvalidInputError, match="k: expected"):
        Retriever(reference, embedder, k=0)
    with pytest.raises(TypeError, match="query"):
        Retriever(reference, embedder).retrieve(typing.cast(str, None))
    stranger = [Neighbor("stranger", 1.0, 0.0)]
    with pytest.raises(InvalidInputError, match="stranger"):
        Retriever(reference, embedder, lambda *_: stranger).retrieve(QUESTION)
    with pytest.raises(TypeError, match="reranker: expected to return results"):
        Retriever(reference, embedder, lambda *_: None).retrieve(QUESTION)


def test_a_reranker_that_repeats_itself_is_heard_once(reference: VecStore, embedder: HashingEmbedder) -> None:
    retriever = Retriever(reference, embedder, lambda _, results, __: [*results[:2], *results[:3]])
    sources = retriever.retrieve(QUESTION).sources
    assert len(sources) == len({source.id for source in sources}) == 3


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


def test_a_search_may_go_by_words(reference: VecStore, embedder: HashingEmbedder) -> None:
    def ids(found: list[Neighbor]) -> list[str]:
        return [one.id for one in found]

    words = Retriever(reference, None, mode="text", k=5).retrieve(QUESTION)
    assert ids(words.sources) == ids(reference.text_query(QUESTION, 5))
    both = Retriever(reference, embedder, mode="hybrid", alpha=0.3, k=5).retrieve(QUESTION)
    vector = embedder.embed(QUESTION)
    assert ids(both.sources) == ids(reference.hybrid_query(vector, QUESTION, 5, alpha=0.3))
    only = {"doc_id": "assert"}
    filtered = Retriever(reference, embedder, mode="hybrid", k=3).retrieve(QUESTION, filter=only)
    assert {one.metadata["doc_id"] for one in filtered.sources} == {"assert"}


def test_rules_expand_where_there_is_no_model(reference: VecStore, embedder: HashingEmbedder) -> None:
    several = Retriever(reference, embedder, expansion="multi_query", synonyms={"assert": ["check"]})
    assert several.retrieve(QUESTION).queries == [
        QUESTION,
        "How does the check statement work?",
        "assert statement work",
        "the assert statement work",
    ]
    assert Retriever(reference, embedder, expansion="hyde").retrieve("Why is the log synced?").queries == [
        "Why is the log synced?",
        "The log is synced because",
    ]
    assert len(MultiQueryRetrieval(reference, embedder).retrieve(QUESTION, 3)) == 3
    assert len(HyDEHelper(embedder=embedder).embed(QUESTION)) == 512


@pytest.mark.parametrize("order", ["relevance", "lost_in_the_middle"])
@pytest.mark.parametrize("truncate", [False, True])
@pytest.mark.parametrize("counter", [None, "cl100k", "chars"])
def test_the_context_stays_within_its_budget(
    reference: VecStore, embedder: HashingEmbedder, order: typing.Any, truncate: bool, counter: str | None
) -> None:
    count: typing.Any = {
        None: ContextWindowManager.simple_token_estimator,
        "cl100k": lambda text: count_tokens(text, "cl100k"),
        "chars": len,
    }[counter]
    for max_tokens in (1, 5, 17, 60, 150, 333, 1000):
        retriever = Retriever(
            reference,
            embedder,
            k=12,
            max_tokens=max_tokens,
            truncate=truncate,
            order=order,
            token_estimator=None if counter is None else count,
        )
        context = retriever.retrieve(QUESTION)
        assert count(context.text) <= max_tokens
        assert context.text == "\n\n".join(f"[{n}] {one.text}" for n, one in enumerate(context.sources, 1))


def test_what_is_cut_is_cited_where_it_stands(
    reference: VecStore, embedder: HashingEmbedder, topics: dict[str, str]
) -> None:
    cut = 0
    for max_tokens in range(20, 400, 20):
        found = Retriever(reference, embedder, max_tokens=max_tokens, truncate=True).retrieve(QUESTION)
        for source in found.sources:
            start, end = source.metadata["start"], source.metadata["end"]
            assert topics[str(source.metadata["doc_id"])][start:end] == source.text == source.metadata["text"]
            cut += source.text != reference.get_text(source.id)
    assert cut >= 3


def test_breaks_of_pages_behind_a_cut_are_left_out(embedder: HashingEmbedder) -> None:
    text, pages = join_pages(["one two three", "four five six", "seven eight nine"])
    with VecStore(":memory:") as store:
        store.upsert_chunks("d", text, Whole(), embedder, page_starts=pages)
        full = Retriever(store, embedder).retrieve("one").sources[0]
        cut = Retriever(store, embedder, max_document_tokens=5).retrieve("one").sources[0]
    assert len(full.metadata["page_breaks"]) == 2
    assert cut.text is not None
    assert cut.metadata["page_breaks"] == [
        place for place in full.metadata["page_breaks"] if place < len(cut.text)
    ]
    assert len(cut.metadata["page_breaks"]) < 2


class Whole:
    def split_with_metadata(self, text: str) -> list[Chunk]:
        return [Chunk(text, 0, len(text))]
