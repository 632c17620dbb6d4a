"""Chats about statements of Python: retrieval, a prompt of limited size, a cache, checked citations.

Run it with ``python python/examples/chat.py``. It needs no model: an embedder that hashes words, and a
"model" that repeats the best source. Put `OnnxEmbedder` and `OpenAICompatible` in their places for real ones.
"""

from __future__ import annotations

import re
import typing
from pydoc_data.topics import topics

import vecstore
from vecstore.rag import (
    BM25Reranker,
    ConversationMemory,
    HashingEmbedder,
    PromptTemplate,
    Retriever,
    SemanticCache,
)

PROMPT = PromptTemplate(
    "Sources:\n{context}\n\n{history}\n\nAnswer from the sources, citing them as [n]: {question}"
)


class Chunk(typing.NamedTuple):
    content: str
    char_start: int
    char_end: int


class Paragraphs:
    """Splits at blank lines and leaves out headings; the splitters of `vecstore.rag` do more."""

    def split_with_metadata(self, text: str) -> list[Chunk]:
        parts = re.finditer(r"\S(?:.|\n(?!\n))*", text)
        return [Chunk(part.group(), *part.span()) for part in parts if "***" not in part.group()]


def answer(prompt: str) -> str:
    """What a model would do: repeats the first sentence of the best source."""
    best = prompt.split("[1] ", 1)[1].split("\n\n", 1)[0]
    return " ".join(re.split(r"[.:]\s", best, maxsplit=1)[0].split()).rstrip(".:") + " [1]."


def main() -> None:
    embedder = HashingEmbedder(512)
    with vecstore.VecStore(":memory:") as store, SemanticCache(100, 0.9, embedder=embedder) as cache:
        for name in ("assert", "break", "continue", "del", "global", "pass", "raise", "return", "while"):
            store.upsert_chunks(name, topics[name], Paragraphs(), embedder)
        print(f"{len(store)} chunks")
        retriever = Retriever(store, embedder, BM25Reranker(), k=3, max_tokens=300, truncate=True)
        memory = ConversationMemory(500)
        memory.add_message("system", "You answer from the sources.")
        for question in (
            "What does the break statement terminate?",
            "what does the BREAK statement terminate",
        ):
            context = retriever.retrieve(question)
            prompt = PROMPT.format(context=context.text, history=memory.format_messages(), question=question)
            said = cache.get_or_compute(question, lambda _, prompt=prompt: answer(prompt))
            memory.add_message("user", question)
            memory.add_message("assistant", said)
            cited = context.citations(said).citations[0]
            print(f"> {question}\n{said}\n  source {cited.id}, supported: {cited.supported}")
        print(f"answered from the cache: {cache.stats().hits}")


if __name__ == "__main__":
    main()
