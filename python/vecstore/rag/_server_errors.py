"""What goes wrong with servers."""

from __future__ import annotations

import json
import urllib.error

from vecstore._errors import VecStoreError

__all__ = ["ModelServerError", "refused"]


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
    body = error.read(2000).decode("utf-8", "replace")
    try:
        body = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        body = body.strip()
    after = error.headers.get("Retry-After", "")
    return ModelServerError(
        f"{url}: status {error.code}: {body or error.reason}",
        status=error.code,
        retry_after=float(after) if after.replace(".", "", 1).isdigit() else None,
        is_transient=error.code in _TRANSIENT or error.code >= 500,
    )
