"""Answers of servers that come piece by piece, as server-sent events."""

from __future__ import annotations

import http.client
import threading
import typing
from collections import abc

from vecstore.rag._http import parsed
from vecstore.rag._server_errors import ModelServerError, check_answer

__all__ = ["AnswerStream"]

#: No event of a chat is as long; a line without an end is not read for ever.
_LONGEST_LINE_BYTES = 16 << 20


class AnswerStream(abc.Iterator[str]):
    """The pieces of one answer. Iterating reads them from the server; `close` gives up on the rest."""

    def __init__(self, url: str, open_: abc.Callable[[], http.client.HTTPResponse]) -> None:
        self._url = url
        self._open = open_
        self._response: http.client.HTTPResponse | None = None
        self._pieces: abc.Iterator[str] | None = None
        self._is_closed = False
        # Held while a thread reads.
        self._reading = threading.Lock()

    def __next__(self) -> str:
        with self._reading:
            try:
                if self._is_closed:
                    raise StopIteration
                if self._pieces is None:
                    self._response = self._open()
                    self._pieces = _pieces(self._url, self._response)
                return next(self._pieces)
            except BaseException:
                # The end, or a failure.
                self._is_closed = True
                raise
            finally:
                if self._is_closed:
                    self._release()

    def close(self) -> None:
        """Gives up on the rest; a thread that is reading lets go when it has its piece."""
        self._is_closed = True
        if self._reading.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._reading.release()

    def _release(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.close()

    def __enter__(self) -> AnswerStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def _pieces(url: str, response: http.client.HTTPResponse) -> abc.Iterator[str]:
    kind = response.headers.get_content_type()
    try:
        if kind == "application/json":
            # A server that does not stream sends the answer as a whole.
            yield from _of_answer(url, _whole(url, response), "message")
            return
        ended = False
        for event in _events(url, response):
            if event == "[DONE]":
                return
            answer = parsed(event)
            yield from _of_answer(url, answer, "delta")
            ended = ended or _has_ended(answer)
    except (OSError, http.client.HTTPException) as error:
        raise ModelServerError(f"{url}: the stream broke: {error!r}", is_transient=True) from error
    except ValueError as error:
        raise ModelServerError(f"{url}: the stream is not of the protocol: {error}") from None
    if not ended:
        raise ModelServerError(f"{url}: the stream ended before the answer did", is_transient=True)


def _events(url: str, response: http.client.HTTPResponse) -> abc.Iterator[str]:
    """The data of each event."""
    lines: list[str] = []
    while True:
        line = response.readline(_LONGEST_LINE_BYTES + 1)
        if len(line) > _LONGEST_LINE_BYTES:
            raise ModelServerError(f"{url}: expected lines of at most {_LONGEST_LINE_BYTES} bytes")
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            # An event without an end is none, but for the mark behind the last.
            if lines == ["[DONE]"]:
                yield lines[0]
            return
        if text.startswith("data:"):
            lines.append(text[5:].removeprefix(" "))
        elif not text and lines:
            yield "\n".join(lines)
            lines = []
        # Comments keep the connection open; names and ids of events say nothing here.


def _whole(url: str, response: http.client.HTTPResponse) -> typing.Any:
    content = response.read(_LONGEST_LINE_BYTES)
    if response.read(1):
        raise ModelServerError(f"{url}: expected an answer of at most {_LONGEST_LINE_BYTES} bytes")
    return parsed(content)


def _of_answer(url: str, answer: typing.Any, part: str) -> abc.Iterator[str]:
    check_answer(url, answer)
    try:
        choices = answer["choices"]
        # The last event may have the usage alone.
        content = choices[0][part].get("content") if choices else None
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ModelServerError(f"{url}: the stream is not of the protocol: {error!r}") from None
    if content is not None and not isinstance(content, str):
        raise ModelServerError(f"{url}: expected a text, got {type(content).__name__}")
    if content:
        yield content


def _has_ended(answer: typing.Any) -> bool:
    choices = answer["choices"] or []
    return any(isinstance(choice, dict) and choice.get("finish_reason") for choice in choices)
