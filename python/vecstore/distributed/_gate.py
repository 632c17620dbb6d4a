"""Lets calls run side by side, and one change of the shard alone."""

from __future__ import annotations

import contextlib
import threading
from collections import abc

__all__ = ["Gate"]


class Gate:
    """Calls pass together; who closes the gate waits until all are through, and is then alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._is_closed = False

    @contextlib.contextmanager
    def passed(self) -> abc.Iterator[None]:
        """A call."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_closed)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def closed(self) -> abc.Iterator[None]:
        """A change."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_closed)
            self._is_closed = True
            self._changed.wait_for(lambda: self._inside == 0)
        try:
            yield
        finally:
            with self._changed:
                self._is_closed = False
                self._changed.notify_all()
