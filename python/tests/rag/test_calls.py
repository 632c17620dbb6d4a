"""Callables of users: sync and async, from threads and loops; what they raise comes back as it is."""

from __future__ import annotations

import asyncio
import threading
import typing
from pathlib import Path

import numpy as np
import pytest

from vecstore import DimensionMismatchError, InvalidInputError, Neighbor, VecStore
from vecstore.rag import (
    CachedEmbedder,
    HashingEmbedder,
    Retriever,
    ScoreReranker,
    TextEmbedder,
    aembed_texts,
    embed_texts,
)
from vecstore.rag._calls import _outlook

TEXTS = ["a", "bb", "a", "ccc"]
VECTORS = [[1.0, 1.0], [2.0, 1.0], [1.0, 1.0], [3.0, 1.0]]


def vector(text: str) -> list[float]:
    return [float(len(text)), 1.0]


class Single:
    def embed(self, text: str) -> list[float]:
        return vector(text)


class Batch(Single):
    def embed_batch(self, texts: list[str]) -> typing.Any:
        return np.array([vector(text) for text in texts])


class Encoder:
    def encode(self, texts: list[str]) -> typing.Any:
        return np.array([vector(text) for text in texts], np.float16)


class Loop:
    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        await asyncio.sleep(0)
        return [vector(text) for text in texts]


async def single(text: str) -> list[float]:
    await asyncio.sleep(0)
    return vector(text)


def named(texts: list[str]) -> list[list[float]]:
    return [vector(text) for text in texts]


def row(text: str) -> typing.Any:
    return np.array([vector(text)])


def untold(x: typing.Any) -> list[float]:
    """A function of one text that also answers, wrongly, for a list."""
    return [float(len(x)), 1.0]


def strict(x: typing.Any) -> list[float]:
    return vector(x.lower())


def wide(x: typing.Any) -> list[list[float]]:
    return [vector(text) for text in x]


@pytest.mark.parametrize(
    "embedder",
    [
        Single(),
        Batch(),
        Encoder(),
        Loop(),
        single,
        named,
        vector,
        row,
        lambda texts: named(texts),
        untold,
        strict,
        wide,
    ],
    ids=[
        "embed",
        "embed_batch",
        "encode",
        "aembed",
        "async",
        "list",
        "str",
        "rows",
        "named",
        "untold",
        "strict",
        "wide",
    ],
)
def test_embedders_of_every_kind_embed(embedder: typing.Any) -> None:
    assert embed_texts(embedder, TEXTS, batch_size=2) == VECTORS
    assert asyncio.run(aembed_texts(embedder, TEXTS)) == VECTORS

    async def on_a_loop() -> list[list[float]]:
        return embed_texts(embedder, TEXTS)  # a sync call under a running loop does not wait for it

    assert asyncio.run(on_a_loop()) == VECTORS


def test_a_batch_has_each_text_once() -> None:
    calls: list[list[str]] = []

    def embed(texts: list[str]) -> list[list[float]]:
        calls.append(texts)
        return named(texts)

    embed_texts(embed, [*TEXTS, "dddd"], batch_size=3)
    assert calls == [["a", "bb", "ccc"], ["dddd"]]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([[1.0]], "expected 2 vectors"),
        ([[1.0], [1.0, 2.0]], "1 components"),
        ([[], []], "got 0"),
        ([[1.0], [float("nan")]], "not finite"),
        (3, "expected 2 vectors"),
    ],
)
def test_a_wrong_answer_of_an_embedder_is_an_error(answer: typing.Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match="embedder") as caught:
        embed_texts(lambda texts: answer, ["a", "b"])  # noqa: ARG005
    assert message in str(caught.value) or "as before" in str(caught.value)
    with pytest.raises(TypeError, match="embedder"):
        embed_texts(3, ["a"])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"texts\[0\]"):
        embed_texts(vector, [typing.cast(str, 3)])


class MineError(Exception):
    pass


@pytest.mark.parametrize("error", [MineError("x"), KeyError("x"), StopIteration("x"), ZeroDivisionError()])
def test_what_a_callable_raises_comes_back_as_it_is(error: Exception) -> None:
    def fail(_: str) -> typing.Any:
        raise error

    async def afail(_: str) -> typing.Any:
        raise error

    # Python lets no StopIteration out of a coroutine.
    through_coroutines = not isinstance(error, StopIteration)
    for embedder in (fail, afail) if through_coroutines else (fail,):
        with pytest.raises(type(error)) as caught:
            embed_texts(embedder, ["a"])
        assert caught.value is error
    for embedder in (fail, afail) if through_coroutines else ():
        with pytest.raises(type(error)) as caught:
            asyncio.run(aembed_texts(embedder, ["a"]))
        assert caught.value is error


def test_a_loop_starts_few_threads_for_many_calls() -> None:
    running, peak, lock, never = 0, 0, threading.Lock(), threading.Event()

    def score(_: Neighbor) -> float:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
        never.wait(0.001)
        with lock:
            running -= 1
        return 1.0

    assert len(asyncio.run(ScoreReranker(score).arerank("", ["a"] * 300))) == 300
    assert 1 < peak <= 32


def test_an_interrupt_is_not_held_up() -> None:
    def interrupt(_: str) -> typing.Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_texts(interrupt, ["a"])


def test_what_may_pass_is_tried_again() -> None:
    failures: list[Exception] = [ConnectionError("lost"), TimeoutError("late")]

    def embed(text: str) -> list[float]:
        if failures:
            raise failures.pop()
        return vector(text)

    assert embed_texts(embed, ["a"], backoff=0.0) == [[1.0, 1.0]]
    last = ConnectionError("3")
    failures = [last, ConnectionError("2"), ConnectionError("1")]
    with pytest.raises(ConnectionError) as caught:
        embed_texts(embed, ["a"], retries=2, backoff=0.0)
    assert caught.value is last


def test_errors_say_by_kind_status_or_name_whether_they_may_pass() -> None:
    class RateLimitError(Exception):
        retry_after = 3

    class StatusError(Exception):
        def __init__(self, status_code: int) -> None:
            self.status_code = status_code

    assert _outlook(RateLimitError()) == (True, 3.0)
    assert _outlook(StatusError(503)) == (True, None)
    assert _outlook(StatusError(400)) == (False, None)
    assert _outlook(ValueError()) == (False, None)


def test_a_cache_asks_for_each_text_once_also_after_reopening(tmp_path: Path) -> None:
    asked: list[str] = []

    def embed(text: str) -> list[float]:
        asked.append(text)
        return vector(text)

    for _ in range(2):
        with CachedEmbedder(embed, tmp_path / "cache") as cached:
            assert cached.embed_batch(TEXTS) == VECTORS
            assert asyncio.run(cached.aembed_batch(["bb"])) == VECTORS[1:2]
            assert len(cached) == 3
    assert asked == ["a", "bb", "ccc"]
    with CachedEmbedder(lambda _: [1.0], tmp_path / "cache") as other, pytest.raises(DimensionMismatchError):
        other.embed("new")


def test_threads_and_callbacks_do_not_wait_for_each_other(embedder: HashingEmbedder) -> None:
    """Callbacks use the store, and other threads' callbacks, while a retrieval is under way."""
    with VecStore(":memory:") as store:
        store.batch_upsert_texts([(str(at), f"text number {at}") for at in range(50)], embedder)
        both = threading.Barrier(4, timeout=30)

        def embed(text: str) -> list[float]:
            both.wait()
            assert len(store.query_text("text", embedder, k=2)) == 2
            return embedder.embed(text)

        def rerank(query: str, results: list[typing.Any], top_k: int) -> list[typing.Any]:
            assert store.get(results[0].id) is not None
            assert query
            return results[:top_k][::-1]

        found: list[int] = []

        def work() -> None:
            found.append(len(Retriever(store, embed, rerank, k=3).retrieve("number").sources))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert found == [3, 3, 3, 3]


def test_a_loop_runs_on_while_a_sync_callable_works() -> None:
    ticked = threading.Event()

    def embed(text: str) -> list[float]:
        assert ticked.wait(30), "the loop stood still"
        return vector(text)

    async def both() -> list[list[float]]:
        waiting = asyncio.ensure_future(aembed_texts(embed, ["a"]))
        await asyncio.sleep(0)
        ticked.set()
        return await waiting

    assert asyncio.run(both()) == [[1.0, 1.0]]


def test_the_protocol_is_checked_at_run_time() -> None:
    assert isinstance(Single(), TextEmbedder)
    assert not isinstance(3, TextEmbedder)
