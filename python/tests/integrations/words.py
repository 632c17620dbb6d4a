"""A tiny embedder whose neighbors are known: a text is the counts of a few words."""

from __future__ import annotations

from collections.abc import Iterable

WORDS = ("fig", "leek", "pear", "soup")


def counts(text: str) -> list[float]:
    """How often each word is in the text, and a little of everything, so that no vector is zero."""
    spoken = text.lower().split()
    return [0.1 + spoken.count(word) for word in WORDS]


def embed(texts: Iterable[str]) -> list[list[float]]:
    """The vectors of texts."""
    return [counts(text) for text in texts]
