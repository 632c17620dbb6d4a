"""Calling what users hand in: sync or async, from a thread or from an event loop.

Work that calls models is written once, as a generator that yields what to call and gets the result:
``run`` does the calls on this thread, ``arun`` awaits them. Neither holds a lock meanwhile, and what a
callable raises is raised to the caller as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import threading
import time
import typing
from collections import abc

from vecstore import _vecstore

__all__ = ["Call", "Pause", "Work", "arun", "done", "drive", "run"]

T = typing.TypeVar("T")


class Call:
    """A call to make. ``in_loop``, where there is one, is called instead where the result is awaited."""

    __slots__ = ("args", "function", "in_loop", "kwargs")

    def __init__(
        self,
        function: abc.Callable[..., typing.Any],
        *args: typing.Any,
        in_loop: abc.Callable[..., typing.Any] | None = None,
        **kwargs: typing.Any,
    ) -> None:
        self.function = function
        self.in_loop = in_loop
        self.args = args
        self.kwargs = kwargs


class Pause(typing.NamedTuple):
    """Seconds to let pass."""

    seconds: float


#: What work yields: one call, several that may run at the same time, or a pause.
Wanted = typing.Union[Call, "list[Call]", Pause]
Work = abc.Generator[Wanted, typing.Any, T]


def done(value: T) -> Work[T]:
    """Work that needs no call."""
    yield from ()
    return value


def run(work: Work[T]) -> T:
    """Does the work on this thread."""
    with contextlib.closing(work):
        return _steps(work, _wanted)


def _steps(work: Work[T], answer: abc.Callable[[Wanted], typing.Any]) -> T:
    value, error = None, None
    while True:
        try:
            wanted = work.send(value) if error is None else work.throw(error)
        except StopIteration as stop:
            return typing.cast(T, stop.value)
        except RuntimeError as raised:
            # No generator lets a StopIteration through, but it was the callable's.
            if error is not None and raised.__cause__ is error:
                raise error from None
            raise
        value, error = None, None
        try:
            value = answer(wanted)
        except Exception as raised:
            error = raised


async def arun(work: Work[T]) -> T:
    """Does the work on the running event loop; sync callables run in threads."""
    value, error = None, None
    with contextlib.closing(work):
        while True:
            try:
                wanted = work.send(value) if error is None else work.throw(error)
            except StopIteration as stop:
                return typing.cast(T, stop.value)
            value, error = None, None
            try:
                value = await _awaited(wanted)
            except Exception as raised:
                error = raised


def _wanted(wanted: Wanted) -> typing.Any:
    if isinstance(wanted, Pause):
        return time.sleep(wanted.seconds)
    if isinstance(wanted, list):
        return [_call(call) for call in wanted]
    return _call(wanted)


def _call(call: Call) -> typing.Any:
    result = call.function(*call.args, **call.kwargs)
    return _finished(result) if inspect.isawaitable(result) else result


def _finished(awaitable: abc.Awaitable[T]) -> T:
    """What an awaitable comes to, on a loop of its own."""

    async def wait() -> T:
        return await awaitable

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(wait())
    # This thread's loop is busy with whoever called: another thread gets one.
    return _Thread(lambda: asyncio.run(wait())).result()


class _Thread(typing.Generic[T]):
    """A call in a thread of its own, with the variables of this context."""

    def __init__(self, call: abc.Callable[[], T], done: abc.Callable[[], object] | None = None) -> None:
        self._value: typing.Any = None
        self._error: BaseException | None = None
        context = contextvars.copy_context()

        def work() -> None:
            try:
                self._value = context.run(call)
            except BaseException as error:
                self._error = error
            if done is not None:
                done()

        # A daemon: a call that hangs does not hold up the exit.
        self._thread = threading.Thread(target=work, name="vecstore-call", daemon=True)
        self._thread.start()

    def result(self) -> T:
        self._thread.join()
        if self._error is not None:
            raise self._error
        return typing.cast(T, self._value)


async def _awaited(wanted: Wanted) -> typing.Any:
    if isinstance(wanted, Pause):
        return await asyncio.sleep(wanted.seconds)
    if not isinstance(wanted, list):
        return await _acall(wanted)
    free = asyncio.Semaphore(_MOST_THREADS)
    outcomes = await asyncio.gather(*(_acall(call, free) for call in wanted), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes


#: So many sync calls of those that may run at the same time do.
_MOST_THREADS = 32


async def _acall(call: Call, free: asyncio.Semaphore | None = None) -> typing.Any:
    function = call.in_loop or call.function
    if _is_async(function):
        return await function(*call.args, **call.kwargs)
    # As `contextlib.nullcontext`, which no event loop enters before Python 3.10.
    async with free or asyncio.Semaphore():
        result = await _in_thread(lambda: function(*call.args, **call.kwargs))
    return await result if inspect.isawaitable(result) else result


async def _in_thread(call: abc.Callable[[], T]) -> T:
    loop = asyncio.get_running_loop()
    finished = asyncio.Event()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(finished.set)

    thread = _Thread(call, tell)
    await finished.wait()
    return thread.result()


def _is_async(function: typing.Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004
    )


def drive(
    flow: _vecstore._RagFlow,
    handlers: abc.Mapping[str, abc.Callable[[typing.Any], Work[typing.Any]]],
    *,
    stores: bool = False,
) -> Work[typing.Any]:
    """Runs a flow of the engine to its end; ``handlers`` answer what it needs.

    ``stores``: whether the flow reads and writes a store, which an event loop does not wait for.
    """
    name, payload = "start", None
    failure: Exception | None = None
    while True:
        need, wanted = (yield Call(flow.resume, name, payload)) if stores else flow.resume(name, payload)
        if need == "done":
            return wanted
        if need == "give_up":
            assert failure is not None, "a flow gives up only after a failure"
            raise failure
        if need == "pause":
            yield Pause(wanted)
            name, payload = "paused", None
            continue
        try:
            payload = yield from handlers[need](wanted)
            name = need
        except Exception as error:
            failure = error
            name, payload = "failed", _outlook(error)


#: Statuses of servers that may answer the next time.
_TRANSIENT_STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
#: Parts of the names of exceptions of clients for the same.
_TRANSIENT_NAMES = ("ratelimit", "timeout", "apiconnection", "overloaded", "serviceunavailable")


def _outlook(error: Exception) -> tuple[bool, float | None]:
    """Whether a call that raised this may succeed when made again, and after how many seconds."""
    after = getattr(error, "retry_after", None)
    seconds = float(after) if isinstance(after, (int, float)) and 0 <= after < 1e6 else None
    stated = getattr(error, "is_transient", None)
    if isinstance(stated, bool):
        return stated, seconds
    if isinstance(error, (ConnectionError, TimeoutError, asyncio.TimeoutError)):
        return True, seconds
    for attribute in ("status_code", "status", "code"):
        status = getattr(error, attribute, None)
        if isinstance(status, int):
            return status in _TRANSIENT_STATUSES, seconds
    name = type(error).__name__.lower().replace("_", "")
    return any(part in name for part in _TRANSIENT_NAMES), seconds
