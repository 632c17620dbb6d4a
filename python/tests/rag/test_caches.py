"""The semantic cache."""

from __future__ import annotations

import asyncio
import threading
import typing
from pathlib import Path

import numpy as np
import pytest

from vecstore import DimensionMismatchError, InvalidInputError, StoreLockedError
from vecstore.rag import HashingEmbedder, SemanticCache


def near(keys: typing.Any, similarity: float, rng: np.random.Generator) -> typing.Any:
    """Vectors with this cosine to each of the keys."""
    noise = rng.standard_normal(keys.shape)
    noise -= (noise * keys).sum(axis=1, keepdims=True) * keys
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    return similarity * keys + (1 - similarity**2) ** 0.5 * noise


def test_true_hits_are_found_and_others_are_not() -> None:
    rng = np.random.default_rng(5)
    keys = rng.standard_normal((200, 64))
    keys /= np.linalg.norm(keys, axis=1, keepdims=True)
    cache = SemanticCache(1000, 0.9)
    for number, key in enumerate(keys):
        cache.insert(key, number)
    above, below = near(keys, 0.9, rng), near(keys, 0.899, rng)
    assert sum(cache.get(key) == number for number, key in enumerate(above)) >= 198
    assert sum(cache.get(key) is None for key in below) >= 198
    stats = cache.stats()
    assert (stats.entries, stats.hits + stats.misses) == (200, 400)
    assert cache.hit_rate() == stats.hit_rate


def test_the_least_lately_used_goes_and_any_object_stays_the_same() -> None:
    cache = SemanticCache(2, 0.99)
    objects = [object() for _ in range(3)]
    axes = np.eye(3).tolist()
    cache.insert(axes[0], objects[0])
    cache.insert(axes[1], objects[1])
    assert cache.get(axes[0]) is objects[0]
    cache.insert(axes[2], objects[2])
    assert [cache.get(axis) for axis in axes] == [objects[0], None, objects[2]]
    assert cache.stats().evictions == 1
    cache.insert(axes[0], "new")
    assert (cache.get(axes[0]), len(cache)) == ("new", 2)
    cache.clear()
    assert cache.is_empty()
    assert cache.get(axes[0], "none") == "none"


def test_it_is_there_again_after_reopening(tmp_path: Path, embedder: HashingEmbedder) -> None:
    value = {"answer": "A file of writes.", "sources": [1, 2], "score": 0.5, "raw": b"x", "none": None}
    with SemanticCache(10, 0.9, path=tmp_path / "cache", embedder=embedder) as cache:
        cache.insert("What is a log?", value)
        with pytest.raises(StoreLockedError):
            SemanticCache(10, 0.9, path=tmp_path / "cache")
        with pytest.raises(TypeError, match="value"):
            cache.insert("another", object())
    with SemanticCache(10, 0.9, path=tmp_path / "cache", embedder=embedder) as cache:
        assert cache.get("what is a LOG") == value
        hit = cache.lookup("what is a log")
        assert hit is not None
        assert (hit.query, round(hit.similarity, 6)) == ("What is a log?", 1.0)
        assert "Who sings?" not in cache
        assert len(cache) == 1
    with SemanticCache(10, 0.9, path=tmp_path / "cache") as cache, pytest.raises(DimensionMismatchError):
        cache.get([1.0, 2.0])


def test_entries_expire() -> None:
    cache = SemanticCache(10, 0.9, ttl=0)
    cache.insert([1.0, 0.0], "gone")
    assert cache.get([1.0, 0.0]) is None
    assert (cache.cleanup_expired(), len(cache)) == (1, 0)
    lasting = SemanticCache(10, 0.9, ttl=1000)
    lasting.insert([1.0, 0.0], "here")
    assert lasting.get([1.0, 0.0]) == "here"


def test_computing_happens_once_and_its_errors_come_back(embedder: HashingEmbedder) -> None:
    calls: list[str] = []
    error = ValueError("no answer")

    async def answer(question: str) -> str:
        calls.append(question)
        if "bad" in question:
            raise error
        return question.upper()

    cache = SemanticCache(10, 0.95, embedder=embedder)
    assert cache.get_or_compute("a good question", answer) == "A GOOD QUESTION"
    assert asyncio.run(cache.aget_or_compute("A GOOD question?", answer)) == "A GOOD QUESTION"
    for _ in range(2):
        with pytest.raises(ValueError, match="no answer") as caught:
            cache.get_or_compute("a bad question", answer)
        assert caught.value is error
    assert calls == ["a good question", "a bad question", "a bad question"]
    cache.insert("a good question", "mine", scope="me")
    assert cache.get("a good question", scope="me") == "mine"
    assert cache.get("a good question") == "A GOOD QUESTION"
    assert cache.get("a good question", scope="you") is None


def test_threads_use_it_at_once() -> None:
    cache = SemanticCache(50, 0.999)
    rng = np.random.default_rng(0)
    keys = rng.standard_normal((200, 16))
    wrong: list[int] = []

    def work(part: range) -> None:
        for number in part:
            cache.insert(keys[number], number)
            if cache.get(keys[number]) not in (number, None):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(range(at, 200, 4),)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert len(cache) == 50
    # No value is left without an entry.
    assert cache._objects is not None
    assert len(cache._objects) == 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0, 0.9), "capacity"), ((1, 1.5), "similarity_threshold"), ((1, 0.9, -1.0), "ttl_seconds")],
)
def test_bad_options_are_named(arguments: typing.Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        SemanticCache(*arguments)
    with pytest.raises(InvalidInputError, match="without an embedder"):
        SemanticCache().get("a text")
