"""What goes wrong with servers."""

from __future__ import annotations

import email.utils
import http.client
import json
import math
import time
import typing
import urllib.error

from vecstore._errors import VecStoreError

__all__ = ["ModelServerError", "check_answer", "refused"]


class ModelServerError(VecStoreError):
    """A server refused, could not be reached, or answered what is no answer.

    ``status`` is the HTTP status, if there was a response; ``retry_after`` are the seconds it asks to wait;
    ``is_transient`` says whether the same call may succeed later.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        is_transient: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.is_transient = is_transient


#: Statuses of servers that may answer the next time, beside 5xx.
_TRANSIENT = (408, 409, 425, 429)


def refused(url: str, error: urllib.error.HTTPError) -> ModelServerError:
    """Returns what a server said when it refused, as an error that says whether to try again."""
    try:
        body = error.read(2000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        body = ""  # it has said enough
    try:
        body = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        body = body.strip()
    return ModelServerError(
        f"{url}: status {error.code}: {body or error.reason}",
        status=error.code,
        retry_after=_seconds(error.headers.get("Retry-After", "")),
        is_transient=error.code in _TRANSIENT or error.code >= 500,
    )


def _seconds(after: str) -> float | None:
    """What ``Retry-After`` asks for: seconds, or a date."""
    try:
        seconds = float(after)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(after).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def check_answer(url: str, answer: typing.Any) -> None:
    """Raises what a server says went wrong in an answer of status 200."""
    if isinstance(answer, dict) and answer.get("error"):
        error = answer["error"]
        message = error.get("message") if isinstance(error, dict) else error
        raise ModelServerError(f"{url}: {message}")
