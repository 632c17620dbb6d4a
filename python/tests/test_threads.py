"""Threads: the GIL is released, answers stay right, closing is safe."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import vecstore
from vecstore import VecStore


def releases_the_gil(call: Callable[[], object]) -> bool:
    """Whether another thread of Python gets to run while `call` does.

    No thread is made to hand over the GIL here, so that the other can only run if the call lets go of it.
    A short call may be over before the system has woken the other thread, hence the repetitions.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e3)
    try:
        for _ in range(100):
            ran = threading.Event()
            turn = threading.Lock()
            turn.acquire()

            def note(turn: threading.Lock = turn, ran: threading.Event = ran) -> None:
                with turn:
                    ran.set()

            other = threading.Thread(target=note)
            other.start()
            turn.release()
            for _ in range(100):
                call()
                if ran.is_set():
                    break
            has_run = ran.is_set()
            other.join()
            if has_run:
                return True
        return False
    finally:
        sys.setswitchinterval(interval)


def test_a_call_that_holds_the_gil_is_told_apart() -> None:
    assert not releases_the_gil(lambda: sum(range(100)))


@pytest.fixture(scope="module")
def large() -> VecStore:
    store = VecStore(":memory:", threads=1)
    rng = np.random.default_rng(3)
    store.upsert_many([str(n) for n in range(40_000)], rng.standard_normal((40_000, 256), np.float32))
    return store


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.query(np.ones(256), k=1),
        lambda store: store.query_batch(np.ones((16, 256)), k=1),
        lambda store: store.count({"no": {"$regex": "^x"}}),
        lambda store: store.scroll({"no": 1}),
        lambda store: store.list_deleted(),
        lambda store: store.upsert_many([str(n) for n in range(2_000)], np.ones((2_000, 256))),
        lambda store: store.verify(),
    ],
    ids=[
        "query",
        "query_batch",
        "count",
        "scroll",
        "list",
        "upsert_many",
        "verify",
    ],
)
def test_the_gil_is_released(large: VecStore, call: Callable[[VecStore], object]) -> None:
    """Of calls that take a millisecond or more; shorter ones end before another thread could win the GIL."""
    assert releases_the_gil(lambda: call(large))


def test_the_gil_is_released_while_the_disk_syncs(path: Path) -> None:
    with VecStore(path) as store:
        assert releases_the_gil(lambda: store.upsert("1", [1.0, 0.0]))


def test_many_threads_write_and_read_at_once(path: Path) -> None:
    with VecStore(path) as store:
        store.upsert("seed", [1.0, 0.0])

        def work(thread: int) -> None:
            for n in range(50):
                store.upsert(f"{thread}-{n}", [1.0, n], {"thread": thread})
                found = store.query([1.0, n], k=3)
                assert 1 <= len(found) <= 3
                assert f"{thread}-{n}" in store

        with ThreadPoolExecutor(8) as pool:
            for outcome in [pool.submit(work, thread) for thread in range(8)]:
                outcome.result()
        assert len(store) == 401
        assert store.verify().ok


def test_an_iterator_may_be_shared_by_threads() -> None:
    with VecStore(":memory:") as store:
        ids = [f"{n:04}" for n in range(2000)]
        store.upsert_many(ids, np.ones((2000, 2)))
        iterator = iter(store)
        with ThreadPoolExecutor(4) as pool:
            parts = [pool.submit(lambda: [record.id for record in iterator]) for _ in range(4)]
            seen = sorted(one for part in parts for one in part.result())
        assert seen == ids


def test_closing_while_others_work_ends_them_with_a_closed_error(path: Path) -> None:
    store = VecStore(path)
    store.upsert_many([str(n) for n in range(1000)], np.ones((1000, 16)))
    started = threading.Barrier(5)

    def work(write: bool) -> None:
        started.wait()
        for n in range(10**9):
            if write:
                store.upsert(f"w{n}", np.ones(16))
            else:
                assert len(store.query(np.ones(16))) == 10

    with ThreadPoolExecutor(4) as pool:
        outcomes = [pool.submit(work, bool(n % 2)) for n in range(4)]
        started.wait()
        store.close()
        for outcome in outcomes:
            assert isinstance(outcome.exception(), vecstore.ClosedError)
    with VecStore(path) as again:
        assert len(again) >= 1000
        assert again.verify().ok
