"""Asking an embedder, whatever it looks like, for the vectors of a list of texts."""

from __future__ import annotations

import asyncio
import inspect
import numbers
import typing

from vecstore._errors import InvalidInputError

__all__ = ["Embedder"]

#: Methods that take several texts.
_MANY = ("embed_batch", "embed_many", "embed_documents", "encode")
#: Names of arguments that say how many texts a callable takes.
_SEVERAL = frozenset(("texts", "sentences", "documents", "inputs", "batch", "docs", "strings", "chunks"))
_ONE = frozenset(("text", "sentence", "document", "query", "string", "input"))


class Embedder:
    """An embedder behind one method, and what was learnt of it."""

    __slots__ = ("_call", "_many")

    def __init__(self, embedder: typing.Any) -> None:
        self._many: bool | None
        for name in _MANY:
            if callable(method := getattr(embedder, name, None)):
                self._call, self._many = method, True
                return
        if callable(method := getattr(embedder, "embed", None)):
            self._call, self._many = method, _takes_many(method) or False
        elif callable(embedder):
            # Unless the signature tells, the first call does.
            self._call, self._many = embedder, _takes_many(embedder)
        else:
            raise TypeError(
                f"embedder: expected an object with `embed` or a callable, got {type(embedder).__name__}"
            )

    def embed(self, texts: list[str]) -> list[typing.Any]:
        """The vectors of the texts, by calls on this thread."""
        steps = self._steps(texts)
        answer, error = None, None
        while True:
            try:
                argument = steps.send(answer) if error is None else steps.throw(error)
            except StopIteration as stop:
                return typing.cast("list[typing.Any]", stop.value)
            answer, error = None, None
            try:
                answer = self._call(argument)
                if inspect.isawaitable(answer):
                    answer = _waited(answer)
            except Exception as raised:
                error = raised

    async def aembed(self, texts: list[str]) -> list[typing.Any]:
        """The vectors of the texts; calls that are not async run in a thread."""
        steps = self._steps(texts)
        answer, error = None, None
        while True:
            try:
                argument = steps.send(answer) if error is None else steps.throw(error)
            except StopIteration as stop:
                return typing.cast("list[typing.Any]", stop.value)
            answer, error = None, None
            try:
                if inspect.iscoroutinefunction(self._call):
                    answer = await self._call(argument)
                else:
                    answer = await asyncio.to_thread(self._call, argument)
                    if inspect.isawaitable(answer):
                        answer = await answer
            except Exception as raised:
                error = raised

    def _steps(self, texts: list[str]) -> typing.Generator[typing.Any, typing.Any, list[typing.Any]]:
        if self._many is None:
            try:
                rows = yield texts
            except (AttributeError, TypeError):
                # What a function of one text may do with a list.
                rows = None
            if rows is not None and not _is_vector(rows):
                self._many = True
                return _rows(rows, texts)
            self._many = False
        if self._many:
            return _rows((yield texts), texts)
        rows = []
        for text in texts:
            rows.append((yield text))
        return rows


def _rows(rows: typing.Any, texts: list[str]) -> list[typing.Any]:
    expected = f"embedder: expected {len(texts)} vectors for as many texts"
    if _is_vector(rows):
        raise InvalidInputError(f"{expected}, got numbers that are in none")
    try:
        rows = list(rows)
    except TypeError:
        raise InvalidInputError(f"{expected}, got {type(rows).__name__}") from None
    if len(rows) != len(texts):
        raise InvalidInputError(f"{expected}, got {len(rows)}")
    return typing.cast("list[typing.Any]", rows)


def _is_vector(rows: typing.Any) -> bool:
    shape = getattr(rows, "shape", None)
    if shape is not None:
        return len(shape) == 1
    return isinstance(rows, (list, tuple)) and bool(rows) and isinstance(rows[0], numbers.Number)


def _takes_many(function: typing.Any) -> bool | None:
    try:
        first = next(iter(inspect.signature(function).parameters.values()))
    except (StopIteration, TypeError, ValueError):
        return None
    if first.annotation is not inspect.Parameter.empty:
        annotation = first.annotation if isinstance(first.annotation, str) else repr(first.annotation)
        if any(word in annotation for word in ("list", "List", "Sequence", "Iterable")):
            return True
        return False if annotation in ("str", "<class 'str'>") else None
    return True if first.name in _SEVERAL else False if first.name in _ONE else None


def _waited(awaitable: typing.Any) -> typing.Any:
    """What an awaitable comes to, on a loop of its own."""

    async def wait() -> typing.Any:
        return await awaitable

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(wait())
    # This thread's loop is busy with whoever called.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, wait()).result()
