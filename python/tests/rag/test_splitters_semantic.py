"""Splitting by meaning: thresholds, sizes, embedders of every kind, and what they may do wrong."""

from __future__ import annotations

import asyncio
import typing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecstore
from tests.rag.corpus import TEXTS, reference
from vecstore.rag import SemanticTextSplitter

TEXT = "Cats sleep. Bats fly. Iron rusts. Gold does not. Rats run."


def vector(text: str) -> list[float]:
    return [1.0, 0.0] if "ats" in text else [0.0, 1.0]


def embed_many(texts: list[str]) -> list[list[float]]:
    return [vector(text) for text in texts]


class OfOne:
    def embed(self, text: str) -> list[float]:
        return vector(text)


class OfMany:
    def embed_documents(self, documents: list[str]) -> typing.Any:
        return np.array(embed_many(documents), dtype=np.float32)


async def async_many(texts: list[str]) -> list[list[float]]:
    await asyncio.sleep(0)
    return embed_many(texts)


EMBEDDERS: list[typing.Any] = [
    embed_many,
    OfOne(),
    OfMany(),
    vector,
    async_many,
    lambda x: [vector(one) for one in x],
    lambda x: vector(x.strip()),
]


@pytest.mark.parametrize("embedder", EMBEDDERS, ids=repr)
def test_embedders_of_every_kind(embedder: typing.Any) -> None:
    splitter = SemanticTextSplitter(embedder, 200, 0, batch_size=2)
    expected = ["Cats sleep. Bats fly.", "Iron rusts. Gold does not.", "Rats run."]
    assert splitter.split_text(TEXT) == expected
    assert asyncio.run(splitter.asplit_text(TEXT)) == expected
    chunks = asyncio.run(splitter.asplit_with_metadata(TEXT))
    assert [TEXT[chunk.char_start : chunk.char_end] for chunk in chunks] == expected
    assert splitter.split_offsets(TEXT).shape == (3, 2)
    assert splitter.split_many([TEXT, "", TEXT], threads=2) == [expected, [], expected]


def test_texts_come_in_batches() -> None:
    batches: list[int] = []

    def embed(texts: list[str]) -> list[list[float]]:
        batches.append(len(texts))
        return embed_many(texts)

    SemanticTextSplitter(embed, 200, 0, batch_size=3).split_text("One. " * 10)
    assert batches == [3, 3, 3, 1]


def test_the_buffer_embeds_neighbors_together() -> None:
    seen: list[str] = []

    def embed(texts: list[str]) -> list[list[float]]:
        seen.extend(texts)
        return [[1.0]] * len(texts)

    SemanticTextSplitter(embed, 200, 0, buffer_size=1).split_text("One. Two. Three.")
    assert seen == ["One. Two.", "One. Two. Three.", "Two. Three."]


def their_breaks(similarities: list[float], kind: str) -> list[bool]:
    """The rules of LangChain's SemanticChunker, in numpy."""
    distances = 1 - np.array(similarities)
    values = np.gradient(distances) if kind == "gradient" else distances
    limit = {
        "percentile": lambda: np.percentile(distances, 95),
        "standard_deviation": lambda: distances.mean() + 3 * distances.std(),
        "interquartile": lambda: (
            distances.mean() + 1.5 * (np.percentile(distances, 75) - np.percentile(distances, 25))
        ),
        "gradient": lambda: np.percentile(values, 95),
    }[kind]()
    return [bool(value > limit) for value in values]


@pytest.mark.parametrize("kind", ["percentile", "standard_deviation", "interquartile", "gradient"])
@settings(max_examples=50, deadline=None)
@given(angles=st.lists(st.integers(0, 100).map(lambda angle: angle / 50), min_size=4, max_size=40))
def test_thresholds_are_those_of_the_field(kind: str, angles: list[float]) -> None:
    sentences = [f"Sentence {at:03}." for at in range(len(angles))]
    vectors = {sentence: [float(np.cos(a)), float(np.sin(a))] for sentence, a in zip(sentences, angles)}
    rows = np.array([vectors[sentence] for sentence in sentences], dtype=np.float32).astype(float)
    norms = np.linalg.norm(rows, axis=1)
    similarities = [
        float(rows[at] @ rows[at + 1] / (norms[at] * norms[at + 1])) for at in range(len(sentences) - 1)
    ]
    limit_is_near = np.min(
        np.abs(np.subtract.outer(similarities, similarities))[~np.eye(len(similarities), dtype=bool)]
    )
    if limit_is_near < 1e-6:
        return  # Ties are decided by the last bit.
    expected, current = [], sentences[0]
    for sentence, parted in zip(sentences[1:], their_breaks(similarities, kind)):
        if parted:
            expected.append(current)
            current = sentence
        else:
            current += " " + sentence
    expected.append(current)
    splitter = SemanticTextSplitter(
        lambda texts: [vectors[text] for text in texts], 10_000, 0, threshold=kind
    )
    assert splitter.split_text(" ".join(sentences)) == expected


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(1, 60), st.data())
def test_no_text_is_lost_and_no_chunk_too_large(text: str, largest: int, data: st.DataObject) -> None:
    least = data.draw(st.integers(0, largest))
    splitter = SemanticTextSplitter(
        lambda texts: [[float(len(one) % 5) - 2, float(len(one) % 3)] for one in texts], largest, least
    )
    chunks = splitter.split_with_metadata(text)
    assert all(text[chunk.char_start : chunk.char_end] == chunk.content for chunk in chunks)
    assert all(len(chunk.content) <= largest for chunk in chunks)
    assert "".join("".join(chunk.content.split()) for chunk in chunks) == "".join(text.split())


def test_small_parts_join_the_next() -> None:
    chunks = SemanticTextSplitter(embed_many, 60, 25).split_text(TEXT)
    assert chunks == ["Cats sleep. Bats fly. Iron rusts. Gold does not. Rats run."]
    chunks = SemanticTextSplitter(embed_many, 50, 20).split_text(TEXT)
    assert all(len(chunk) <= 50 for chunk in chunks)


@pytest.mark.parametrize(
    ("embedder", "message"),
    [
        (lambda texts: [[1.0]] * (len(texts) - 1), "expected 5 vectors for as many texts, got 4"),
        (lambda texts: texts[:0], "expected 5 vectors for as many texts, got 0"),
        (lambda texts: print(end="" * len(texts)), "expected 5 vectors for as many texts, got NoneType"),
        (lambda texts: [1.0] * len(texts), "got numbers that are in none"),
        (
            lambda texts: [[1.0] * (1 + at) for at in range(len(texts))],
            "vectors of 1 components, got 2 for text 1",
        ),
        (lambda texts: [[] for _ in texts], "vectors of at least 1 components, got 0 for text 0"),
        (lambda texts: [[float("nan")]] * len(texts), "expected finite components"),
        (lambda texts: np.zeros((len(texts), 2, 2)), "expected one dimension"),
    ],
)
def test_embedders_that_answer_wrongly(embedder: typing.Any, message: str) -> None:
    with pytest.raises(vecstore.InvalidInputError, match=message):
        SemanticTextSplitter(embedder, 200, 0).split_text(TEXT)


def test_what_an_embedder_raises_reaches_the_caller() -> None:
    error = RuntimeError("down")

    def embed(_: list[str]) -> list[list[float]]:
        raise error

    for splitter in (SemanticTextSplitter(embed, 200, 0), SemanticTextSplitter(lambda _: embed([]), 200, 0)):
        with pytest.raises(RuntimeError) as caught:
            splitter.split_text(TEXT)
        assert caught.value is error
        with pytest.raises(RuntimeError) as caught:
            asyncio.run(splitter.asplit_text(TEXT))
        assert caught.value is error


def test_options_that_make_no_sense_are_refused() -> None:
    cases: list[tuple[dict[str, typing.Any], str]] = [
        ({"max_chunk_size": 0}, "max_chunk_size"),
        (
            {"max_chunk_size": 10, "min_chunk_size": 11},
            "min_chunk_size: expected at most max_chunk_size 10, got 11",
        ),
        ({"similarity_threshold": 1.5}, "similarity_threshold: expected a number between -1 and 1, got 1.5"),
        ({"threshold": "percentile", "amount": 101}, "amount: expected a number between 0 and 100"),
        ({"threshold": "median"}, "threshold: expected absolute, percentile"),
        ({"amount": 3}, "amount: expected none with the absolute threshold"),
        ({"batch_size": 0}, "batch_size"),
    ]
    for options, message in cases:
        with pytest.raises(vecstore.InvalidInputError, match=message):
            SemanticTextSplitter(embed_many, **{"min_chunk_size": 0, **options})
    with pytest.raises(TypeError, match="embedder: expected an object with `embed` or a callable"):
        SemanticTextSplitter(5)


def test_a_text_of_one_sentence_asks_for_nothing() -> None:
    def embed(_: list[str]) -> list[list[float]]:
        raise AssertionError("nothing to compare")

    assert SemanticTextSplitter(embed, 200, 0).split_text("One sentence.") == ["One sentence."]
    assert SemanticTextSplitter(embed, 200, 0).split_text("  ") == []


def test_a_corpus_of_prose() -> None:
    def embed(texts: list[str]) -> typing.Any:
        return np.array([[text.count(letter) for letter in "aeiou"] for text in texts], dtype=float)

    for text in reference()[:5]:
        chunks = SemanticTextSplitter(embed, 800, 200, threshold="percentile").split_with_metadata(text)
        assert all(len(chunk.content) <= 800 for chunk in chunks)
        assert "".join("".join(chunk.content.split()) for chunk in chunks) == "".join(text.split())
