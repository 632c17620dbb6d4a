"""Real texts, a splitter without dependencies, and a store of the language reference."""

from __future__ import annotations

import typing
from collections import abc

import hypothesis
import pytest

import vecstore
from vecstore.rag import HashingEmbedder

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("rag", deadline=None)
hypothesis.settings.load_profile("rag")


class Chunk(typing.NamedTuple):
    content: str
    char_start: int
    char_end: int


class Paragraphs:
    """Splits at blank lines."""

    def split_with_metadata(self, text: str) -> list[Chunk]:
        chunks, at = [], 0
        for part in text.split("\n\n"):
            if part.strip():
                chunks.append(Chunk(part, at, at + len(part)))
            at += len(part) + 2
        return chunks


@pytest.fixture(scope="session")
def topics() -> dict[str, str]:
    """The language reference that CPython carries."""
    from pydoc_data.topics import topics

    return dict(list(topics.items())[:30])


@pytest.fixture(scope="session")
def embedder() -> HashingEmbedder:
    return HashingEmbedder(512)


@pytest.fixture(scope="session")
def reference(topics: dict[str, str], embedder: HashingEmbedder) -> abc.Iterator[vecstore.VecStore]:
    """A store of the paragraphs of the topics; tests must not change it."""
    with vecstore.VecStore(":memory:") as store:
        for name, text in topics.items():
            store.upsert_chunks(name, text, Paragraphs(), embedder)
        yield store
