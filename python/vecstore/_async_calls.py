"""Calls on a store from an event loop: on threads of its own, and finished even if nobody waits any more."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import itertools
import os
import threading
import typing
from collections import abc
from concurrent.futures import ThreadPoolExecutor

from vecstore._errors import ClosedError

__all__ = ["Opened", "Threads", "Twin", "on_a_thread"]

T = typing.TypeVar("T")
R = typing.TypeVar("R")

#: Most threads of a store. Writes that wait for the disk at the same time share one sync, so that more
#: threads than cores pay; searches gain nothing beyond the cores. They start when calls come.
THREADS_MAX = 16
#: Records that an iteration fetches at a time: the way to a thread and back takes as long as reading a few
#: of them.
ITERATION_RECORDS = 256


class Threads:
    """The threads for the calls on one store or database.

    They are not those of ``asyncio.to_thread``: that pool is shared with whatever else the program does in
    it (the loop looks up host names there), so that a burst of writes would hold up everything else, and
    the other way round. And only threads of our own can be ended with the store.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="vecstore-async")
        self._process = os.getpid()

    async def run(self, call: abc.Callable[[], R], may_be_dropped: bool = True) -> R:
        """Makes a call on one of the threads.

        Who stops waiting (``task.cancel()``, a timeout) cancels a call that has not begun; one that has
        begun is waited for. So when ``CancelledError`` arrives, the call has either done all it does or
        nothing, and nothing of it is still to come.
        """
        if os.getpid() != self._process:
            # The threads have stayed behind in the parent, and so has the store: the call says so.
            return call()
        try:
            running = self._pool.submit(contextvars.copy_context().run, call)
        except RuntimeError:
            # The pool has ended, and the store is closed: the call says so.
            return call()
        outcome = asyncio.wrap_future(running)
        try:
            return await asyncio.shield(outcome)
        except asyncio.CancelledError:
            if not (may_be_dropped and running.cancel()):
                while not outcome.done():
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.wait([outcome])
                if not outcome.cancelled():
                    # Looked at, lest the loop reports an error that nobody has seen.
                    outcome.exception()
            raise

    def end(self) -> None:
        """Lets the threads end when their calls have. Further calls are made where they are asked for."""
        self._pool.shutdown(wait=False)


class Opened(typing.Generic[T]):
    """What calls go to: opened by the first of them, or when it is awaited or entered."""

    def __init__(self, open: abc.Callable[[], T], opened: T | None = None) -> None:
        self._open = open
        self._opened = opened
        self._lock = threading.Lock()
        self._is_closed = False

    def get(self) -> T:
        """The store or database; blocks to open it if it is not yet."""
        opened = self._opened
        if opened is None:
            with self._lock:
                if self._is_closed:
                    raise ClosedError("the store was closed")
                opened = self._opened
                if opened is None:
                    opened = self._opened = self._open()
        return opened

    def close(self) -> None:
        """Closes it; what was never opened stays closed for good."""
        with self._lock:
            self._is_closed = True
            opened: typing.Any = self._opened
        if opened is not None:
            opened.close()


class Twin(typing.Generic[T]):
    """What the twins have in common: something that calls go to, and threads to make them on."""

    __slots__ = ("__weakref__", "_opened", "_threads")

    _opened: Opened[T]
    _threads: Threads

    @property
    def wrapped(self) -> T:
        """The object that blocks: the two share one store, and either closes it for both."""
        return self._opened.get()

    async def _call(self, name: str, *args: typing.Any, **kwargs: typing.Any) -> typing.Any:
        return await self._threads.run(lambda: getattr(self._opened.get(), name)(*args, **kwargs))

    async def _each(
        self, name: str, *args: typing.Any, **kwargs: typing.Any
    ) -> abc.AsyncIterator[typing.Any]:
        """What the iterator that a method returns yields, fetched in steps."""
        iterator = iter(await self._call(name, *args, **kwargs))
        step = functools.partial(itertools.islice, iterator, ITERATION_RECORDS)
        while fetched := await self._threads.run(lambda: list(step())):
            for one in fetched:
                yield one

    async def _close(self) -> None:
        try:
            await self._threads.run(self._opened.close, may_be_dropped=False)
        finally:
            self._threads.end()


async def on_a_thread(function: abc.Callable[..., R], *args: typing.Any, **kwargs: typing.Any) -> R:
    """Makes a call that belongs to no open store, on a thread for it alone."""
    threads = Threads()
    try:
        return await threads.run(lambda: function(*args, **kwargs))
    finally:
        threads.end()
