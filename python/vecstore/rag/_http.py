"""Posting JSON to a server that may be slow, broken or hostile, with the standard library alone.

A call as a whole has a time, also where each byte of it comes in time. Redirects are not followed: the key
would go with them, to whatever server they name.
"""

from __future__ import annotations

import functools
import http.client
import io
import json
import time
import typing
import urllib.error
import urllib.request
from collections import abc

from vecstore.rag._server_errors import ModelServerError, refused

__all__ = ["opened", "parsed", "posted"]

#: Vectors of 2,048 texts, of 3,072 components in full, take about half of this.
_LARGEST_ANSWER_BYTES = 256 << 20
_PIECE_BYTES = 64 << 10


def posted(url: str, headers: abc.Mapping[str, str], body: typing.Any, timeout: float) -> typing.Any:
    """Returns the JSON that a server answers with, within so many seconds."""
    try:
        with _sent(url, headers, body, timeout, whole=True) as response:
            content = bytearray()
            while piece := response.read(_PIECE_BYTES):
                content += piece
                if len(content) > _LARGEST_ANSWER_BYTES:
                    raise ModelServerError(
                        f"{url}: expected an answer of at most {_LARGEST_ANSWER_BYTES} bytes, got more"
                    )
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(url, error) from error
    try:
        return parsed(bytes(content))
    except ValueError as error:
        raise ModelServerError(f"{url}: the answer is not JSON: {error}") from None


def opened(
    url: str, headers: abc.Mapping[str, str], body: typing.Any, timeout: float
) -> http.client.HTTPResponse:
    """Returns a response whose body is read later, with so many seconds for each part of it."""
    return _sent(url, headers, body, timeout, whole=False)


def parsed(text: str | bytes) -> typing.Any:
    """Returns what JSON says. However deep it is nested, what is no JSON to us is a `ValueError`."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _sent(
    url: str, headers: abc.Mapping[str, str], body: typing.Any, timeout: float, *, whole: bool
) -> http.client.HTTPResponse:
    data = json.dumps(body).encode()
    deadline = time.monotonic() + timeout
    timed = functools.partial(_TimedResponse, deadline=deadline, timeout=None if whole else timeout)
    try:
        request = urllib.request.Request(url, data, dict(headers), method="POST")
        opener = urllib.request.build_opener(_Http(timed), _Https(timed), _Stay)
        return typing.cast(http.client.HTTPResponse, opener.open(request, timeout=timeout))
    except urllib.error.HTTPError as error:
        with error:
            raise refused(url, error) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _unreachable(url, error) from error


def _unreachable(url: str, error: Exception) -> ModelServerError:
    is_transient = isinstance(error, (OSError, http.client.HTTPException))
    return ModelServerError(f"{url}: {getattr(error, 'reason', error)}", is_transient=is_transient)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for a refusal."""

    def redirect_request(self, *_: typing.Any, **__: typing.Any) -> None:
        return None


_Response = abc.Callable[..., http.client.HTTPResponse]


class _Http(urllib.request.HTTPHandler):
    def __init__(self, response: _Response) -> None:
        super().__init__()
        self._response = response

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return _open(self, http.client.HTTPConnection, self._response, req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, response: _Response) -> None:
        super().__init__()
        self._response = response

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return _open(self, http.client.HTTPSConnection, self._response, req)


def _open(
    handler: typing.Any, kind: typing.Any, response: _Response, request: urllib.request.Request
) -> http.client.HTTPResponse:
    def connection(*args: typing.Any, **options: typing.Any) -> typing.Any:
        made = kind(*args, **options)
        made.response_class = response
        return made

    return typing.cast(http.client.HTTPResponse, handler.do_open(connection, request))


class _TimedResponse(http.client.HTTPResponse):
    """A response whose head is there at a time; and the body, or each part of it in so many seconds."""

    def __init__(
        self,
        sock: typing.Any,
        *args: typing.Any,
        deadline: float,
        timeout: float | None,
        **options: typing.Any,
    ) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self._file = _TimedFile(sock, deadline)
        self._timeout = timeout
        self.fp = io.BufferedReader(self._file)

    def begin(self) -> None:
        super().begin()
        self._file.timeout = self._timeout


class _TimedFile(io.RawIOBase):
    """What comes from a socket until a time; or, if there is a timeout, in so many seconds."""

    def __init__(self, sock: typing.Any, deadline: float) -> None:
        self._socket = sock
        self._file = sock.makefile("rb", 0)
        self._deadline = deadline
        self.timeout: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: typing.Any) -> int | None:
        seconds = self._deadline - time.monotonic() if self.timeout is None else self.timeout
        if seconds <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(seconds)
        return typing.cast("int | None", self._file.readinto(buffer))

    def close(self) -> None:
        self._file.close()
        super().close()
