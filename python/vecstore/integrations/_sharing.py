"""One open database for all stores of a process that name the same path.

A Haystack pipeline that is loaded from a file makes a document store for each of its components, and mem0
opens a store for each kind of memory, while a directory can be open for writing only once.
"""

from __future__ import annotations

import os
import threading
import weakref

from vecstore._vecstore import VecDatabase

__all__ = ["SharedDatabase", "shared"]


class SharedDatabase:
    """A database and the lock that its writes take turns by. It closes when nobody has it any more."""

    __slots__ = ("__weakref__", "database", "lock")

    def __init__(self, path: str, durability: str) -> None:
        self.database = VecDatabase(path, durability=durability)  # type: ignore[arg-type]
        self.lock = threading.RLock()


_open: weakref.WeakValueDictionary[str, SharedDatabase] = weakref.WeakValueDictionary()
_opening = threading.Lock()


def shared(path: str, durability: str) -> SharedDatabase:
    """The database at the path, opened if it is not open yet; each in memory is one of its own."""
    if path == ":memory:":
        return SharedDatabase(path, durability)
    place = os.path.realpath(path)
    with _opening:
        found = _open.get(place)
        if found is None:
            found = _open[place] = SharedDatabase(path, durability)
        return found
