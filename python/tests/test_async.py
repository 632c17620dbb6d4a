"""The async twins: what the blocking classes do, on threads; nobody who stops waiting does harm."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

import vecstore
from vecstore import AsyncCollection, AsyncVecDatabase, AsyncVecStore, VecStore
from vecstore._async_calls import THREADS_MAX
from vecstore.rag import HashingEmbedder, Retriever

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
TWINS = [
    (vecstore.BaseCollection, vecstore.AsyncBaseCollection),
    (vecstore.VecStore, AsyncVecStore),
    (vecstore.Collection, AsyncCollection),
    (vecstore.VecDatabase, AsyncVecDatabase),
]


def on_a_loop(test: Callable[[], Awaitable[T]]) -> T:
    """Runs a test, and fails if it leaves a task or reports an error to nobody."""

    async def run() -> T:
        problems: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, problem: problems.append(problem))
        result = await test()
        assert len(asyncio.all_tasks()) == 1
        assert not problems
        return result

    return asyncio.run(run())


class Gate:
    """A store whose calls wait until they are let through, and are counted."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.begun = threading.Semaphore(0)
        self.calls: list[str] = []

    def delete(self, id: str) -> bool:
        self.begun.release()
        assert self.opened.wait(60)
        self.calls.append(id)
        if id == "bad":
            raise vecstore.NotFoundError(id)
        return True

    def close(self) -> None:
        self.calls.append("close")


def behind(gate: Gate) -> AsyncVecStore:
    return AsyncVecStore.wrapping(gate)  # type: ignore[arg-type]


async def begun(gate: Gate) -> None:
    """Waits until one more call has begun."""
    await asyncio.to_thread(gate.begun.acquire)


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the generator needs Python 3.10")
def test_the_generated_files_are_up_to_date() -> None:
    pytest.importorskip("ruff", reason="formats what is generated")
    command = [sys.executable, str(ROOT / "python" / "tools" / "generate_async.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}: run python python/tools/generate_async.py"


@pytest.mark.parametrize(("blocking", "awaited"), TWINS)
def test_every_method_has_a_twin_with_the_same_parameters(blocking: Any, awaited: Any) -> None:
    for name, defined in vars(blocking).items():
        if name.startswith("_"):
            continue
        twin = getattr(awaited, name)
        if not callable(getattr(blocking, name)):
            assert inspect.isdatadescriptor(inspect.getattr_static(awaited, name)), name
            continue
        if name != "open":
            is_async = inspect.iscoroutinefunction(twin) or inspect.signature(twin).return_annotation
            assert is_async, name
        expected = {one.name: one for one in inspect.signature(getattr(blocking, name)).parameters.values()}
        expected.pop("self", None)
        got = {one.name: one for one in inspect.signature(twin).parameters.values()}
        got.pop("self", None)
        by_place = [
            [one.name for one in parameters.values() if one.kind is not one.KEYWORD_ONLY]
            for parameters in (got, expected)
        ]
        assert by_place[0] == by_place[1], name
        assert set(got) == set(expected), name
        for parameter in expected.values():
            # A default that the signature in Rust does not spell is in the stub.
            if parameter.default is not ...:
                assert got[parameter.name].default == parameter.default, (name, parameter.name)
        assert defined is not None


def test_a_store_is_opened_by_with_by_await_and_by_the_first_call(path: Path) -> None:
    async def test() -> None:
        async with AsyncVecStore(path) as store:
            await store.upsert("a", [1.0, 0.0], {"n": 1})
            assert store.config.dim == 2
        async with AsyncVecStore.open(path) as store:
            assert await store.len() == 1
        store = await AsyncVecStore.open(path, metric="cosine")
        found = await store.query([1.0, 0.0], k=1)
        assert (found[0].id, found[0].metadata) == ("a", {"n": 1})
        await store.close()
        store = AsyncVecStore(path)
        record = await store.get("a")
        assert record is not None
        assert record.vector == [1.0, 0.0]
        await store.close()
        await store.close()
        with pytest.raises(vecstore.ClosedError):
            await store.get("a")
        never = AsyncVecStore(path)
        await never.close()
        with pytest.raises(vecstore.ClosedError):
            await never.len()
        with pytest.raises(vecstore.StoreLockedError):
            async with AsyncVecStore(path), AsyncVecStore(path):
                pass

    on_a_loop(test)
    VecStore(path).close()


def test_errors_are_those_of_the_blocking_call() -> None:
    async def test() -> None:
        async with AsyncVecStore(":memory:", dim=2) as store:
            with pytest.raises(vecstore.DimensionMismatchError, match=r"2.*got 3"):
                await store.upsert("a", [1.0, 2.0, 3.0])
            with pytest.raises(TypeError, match="id: expected a str, got int"):
                await store.upsert(1, [1.0, 2.0])  # type: ignore[arg-type]
            with pytest.raises(vecstore.NotFoundError):
                await store.remove("a")

    on_a_loop(test)


def test_a_database_gives_out_collections_that_are_awaited(path: Path) -> None:
    async def test() -> None:
        async with AsyncVecDatabase(path) as database:
            docs = await database.create_collection("docs")
            assert isinstance(docs, AsyncCollection)
            assert await docs.name() == docs.namespace == "docs"
            await docs.upsert_many(["a", "b"], np.eye(2))
            assert [name async for name in database] == ["docs"]
            again = await database.get_collection("docs")
            assert again is not None
            assert await again.len() == 2
            assert await database.get_collection("none") is None
            assert isinstance(docs.wrapped, vecstore.Collection)
            assert (await docs.stats()).vector_count == 2
        with pytest.raises(vecstore.ClosedError):
            await docs.len()

    on_a_loop(test)


def test_iteration_and_scrolling_list_every_record_once() -> None:
    async def test() -> None:
        async with AsyncVecStore(":memory:") as store:
            ids = [f"{n:04}" for n in range(1000)]
            await store.upsert_many(ids, np.ones((1000, 2)))
            assert [record.id async for record in store] == ids
            seen: list[str] = []
            cursor = None
            while True:
                records, cursor = await store.scroll(limit=300, cursor=cursor)
                seen += [record.id for record in records]
                if cursor is None:
                    break
            assert seen == ids
            async for record in store:
                assert record.id == "0000"
                break

    on_a_loop(test)


def test_many_calls_at_once(path: Path) -> None:
    async def test() -> None:
        async with AsyncVecStore(path) as store:

            async def work(n: int) -> None:
                await store.upsert(f"{n:03}", [1.0, n], {"n": n})
                found = await store.query([1.0, n], k=1, exact=True, filter={"n": n})
                assert [neighbor.id for neighbor in found] == [f"{n:03}"]

            await asyncio.gather(*map(work, range(200)))
            assert await store.len() == 200
            assert (await store.verify()).ok

    on_a_loop(test)


def test_the_loop_runs_on_while_a_call_waits() -> None:
    async def test() -> None:
        gate = Gate()
        call = asyncio.ensure_future(behind(gate).delete("a"))
        await begun(gate)
        assert not call.done()
        gate.opened.set()
        assert await call is True

    on_a_loop(test)


def test_a_call_sees_the_variables_of_its_task() -> None:
    variable = contextvars.ContextVar("variable", default=0)

    class Store:
        def len(self) -> int:
            return variable.get()

    async def test() -> None:
        variable.set(7)
        assert await AsyncVecStore.wrapping(Store()).len() == 7  # type: ignore[arg-type]

    on_a_loop(test)


@pytest.mark.parametrize("id", ["good", "bad"])
def test_a_cancelled_call_that_has_begun_is_over_when_the_cancellation_arrives(id: str) -> None:
    async def test() -> None:
        gate = Gate()
        call = asyncio.ensure_future(behind(gate).delete(id))
        await begun(gate)
        for _ in range(3):  # impatient
            call.cancel()
            await asyncio.sleep(0)
        assert not call.done()
        gate.opened.set()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert gate.calls == [id]

    on_a_loop(test)


def test_a_cancelled_call_that_has_not_begun_never_does() -> None:
    async def test() -> None:
        gate = Gate()
        store = behind(gate)
        busy = [asyncio.ensure_future(store.delete(f"busy {n}")) for n in range(THREADS_MAX)]
        for _ in busy:
            await begun(gate)
        waiting = asyncio.ensure_future(store.delete("waiting"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.opened.set()
        await asyncio.gather(*busy)
        assert await store.delete("last")
        assert "waiting" not in gate.calls

    on_a_loop(test)


def test_a_timeout_is_one() -> None:
    async def test() -> None:
        gate = Gate()
        threading.Timer(0.05, gate.opened.set).start()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(behind(gate).delete("a"), 0.001)
        # 3.12 and later give up at once what has not begun by then.
        assert gate.calls in (["a"], [])

    on_a_loop(test)


def test_cancelled_writes_are_there_wholly_or_not_at_all(path: Path) -> None:
    async def test() -> None:
        async with AsyncVecStore(path) as store:
            await store.upsert("seed", [1.0] * 8)
            vectors = np.ones((100, 8), np.float32)
            there = 0
            for turn in range(60):
                ids = [f"{turn}-{n}" for n in range(100)]
                write = asyncio.ensure_future(store.upsert_many(ids, vectors))
                for _ in range(turn % 4):
                    await asyncio.sleep(0)
                if turn % 3 == 0:
                    await asyncio.sleep(0.0005)
                write.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await write
                found = sum(record is not None for record in await store.get_many(ids))
                assert found in (0, 100)
                there += found
                assert await store.len() == 1 + there
            assert (await store.verify()).ok

    on_a_loop(test)
    with VecStore(path) as store:
        assert len(store) % 100 == 1


def test_closing_while_queries_run_ends_them(path: Path) -> None:
    # Stores that other tests have left have threads until they are collected.
    others = set(threading.enumerate())

    async def test() -> None:
        store = await AsyncVecStore(path)
        await store.upsert_many([str(n) for n in range(2000)], np.ones((2000, 32)))

        async def work() -> int:
            for done in range(10**9):
                try:
                    assert len(await store.query(np.ones(32))) == 10
                except vecstore.ClosedError:
                    return done
            return 0

        tasks = [asyncio.ensure_future(work()) for _ in range(20)]
        await asyncio.sleep(0.01)
        await store.close()
        await asyncio.gather(*tasks)

    on_a_loop(test)
    with VecStore(path) as store:
        assert len(store) == 2000
    for thread in set(threading.enumerate()) - others:
        if thread.name.startswith("vecstore-async"):
            thread.join(10)
            assert not thread.is_alive()


def test_a_cancelled_close_closes() -> None:
    async def test() -> None:
        gate = Gate()
        gate.opened.set()
        store = behind(gate)
        closing = asyncio.ensure_future(store.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert gate.calls == ["close"]

    on_a_loop(test)


def test_embedders_are_awaited_on_the_loop() -> None:
    async def test() -> None:
        here = asyncio.get_running_loop()
        hashing = HashingEmbedder(64)

        async def embedder(texts: list[str]) -> Any:
            assert asyncio.get_running_loop() is here
            return hashing.embed_batch(texts)

        async with AsyncVecStore(":memory:") as store:
            assert await store.batch_upsert_texts(
                [("a", "snakes eat mice"), ("b", "logs are synced")], embedder
            )
            found = await store.query_text("what do snakes eat", embedder, k=1)
            assert found[0].text == "snakes eat mice"
            assert (
                await store.upsert_chunks(
                    "doc", "one two\n\nthree", lambda text: text.split("\n\n"), embedder
                )
                == 2
            )
            context = await Retriever(store, embedder).aretrieve("what do snakes eat")
            assert "[1] snakes eat mice" in context.text

    on_a_loop(test)


def test_several_loops_one_after_the_other() -> None:
    store = AsyncVecStore(":memory:")
    asyncio.run(store.upsert("a", [1.0]))
    assert asyncio.run(store.len()) == 1
    assert len(store.wrapped) == 1
    asyncio.run(store.close())


def test_it_shows_what_it_is(path: Path) -> None:
    async def test() -> None:
        store = AsyncVecStore(path)
        assert repr(store) == "AsyncVecStore(not open)"
        async with store:
            assert repr(store).startswith("AsyncVecStore(")
            assert "store" in repr(store)
            assert bool(store)

    on_a_loop(test)


def test_a_fork_is_told_that_the_store_is_its_parents(path: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    store = AsyncVecStore(path)
    asyncio.run(store.upsert("a", [1.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: the process has threads
        child = os.fork()
    if child == 0:
        status = 1
        try:
            asyncio.run(store.query([1.0]))
        except vecstore.ClosedError:
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert asyncio.run(store.len()) == 1
    asyncio.run(store.close())


def test_they_are_imported_when_they_are_used() -> None:
    script = (
        "import sys, vecstore; assert 'asyncio' not in sys.modules; vecstore.AsyncVecStore; "
        "print('asyncio' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "True\n"
