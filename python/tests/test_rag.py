"""From documents to cited answers, as a user builds it; the parts are tested in tests/rag."""

from __future__ import annotations

import asyncio
from pathlib import Path
from pydoc_data.topics import topics

import vecstore
from vecstore.rag import (
    BM25Reranker,
    ConversationMemory,
    HashingEmbedder,
    MarkdownTextSplitter,
    PromptTemplate,
    RecursiveCharacterTextSplitter,
    Retriever,
    SemanticCache,
)

NAMES = ("assert", "break", "continue", "pass", "return", "while", "with")


def test_questions_are_answered_from_real_texts_with_citations(tmp_path: Path) -> None:
    embedder = HashingEmbedder(512)
    splitter = RecursiveCharacterTextSplitter(500, 50)
    with vecstore.VecStore(tmp_path / "store") as store:
        for name in NAMES:
            count = store.upsert_chunks(name, topics[name], splitter, embedder, metadata={"topic": name})
            assert count == store.count({"doc_id": name})
        for record in store:
            start, end = record.metadata["start"], record.metadata["end"]
            assert topics[record.metadata["topic"]][start:end] == record.metadata["text"] == record.text
        # A document that got shorter leaves no chunks behind.
        assert store.upsert_chunks("pass", "pass is a null operation.", splitter, embedder) == 1
        assert store.count({"doc_id": "pass"}) == 1

    with vecstore.VecStore(tmp_path / "store", read_only=True) as store:
        retriever = Retriever(store, embedder, BM25Reranker(), k=3, max_tokens=400, truncate=True)
        context = retriever.retrieve("Which loop does the break statement terminate?")
        assert context.sources[0].metadata["doc_id"] == "break"
        prompt = PromptTemplate("{context}\n{question}").format(context=context.text, question=context.query)
        assert "[1] " in prompt
        report = context.citations(
            '"break" terminates the nearest enclosing loop [1]. Bananas are yellow [2].'
        )
        assert [citation.supported for citation in report.citations] == [True, False]
        again = asyncio.run(retriever.aretrieve(context.query))
        assert again.text == context.text


def test_a_conversation_remembers_and_does_not_ask_twice() -> None:
    asked: list[str] = []

    def model(question: str) -> str:
        asked.append(question)
        return f"an answer to {question}"

    memory = ConversationMemory(60)
    memory.add_message("system", "You are brief.")
    with SemanticCache(10, 0.9, embedder=HashingEmbedder(256)) as cache:
        for question in ("What is a log?", "what is a LOG", "Who eats mice?"):
            memory.add_message("user", question)
            memory.add_message("assistant", cache.get_or_compute(question, model))
            assert memory.token_count() <= 60
    assert asked == ["What is a log?", "Who eats mice?"]
    assert memory.get_messages()[0].role == "system"
    assert memory.format_messages().endswith("an answer to Who eats mice?")


def test_markdown_chunks_know_their_headings() -> None:
    text = "# Guide\n\nIntro.\n\n## Install\n\nRun pip.\n\n## Use\n\nOpen it.\n"
    chunks = MarkdownTextSplitter(30, 0).split_with_metadata(text)
    assert all(text[chunk.char_start : chunk.char_end] == chunk.content for chunk in chunks)
    assert any(
        "pip" in chunk.content and "Install" in str(chunk.metadata) + chunk.content for chunk in chunks
    )
