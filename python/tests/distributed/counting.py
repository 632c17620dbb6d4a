"""Lets `make coverage` count the lines that run in the processes of Ray.

Such a process is killed, so that what it counted is written while it runs; and it calls its actor on threads
that are not Python's, which nothing would count.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from collections.abc import Callable
from typing import Any

#: What a killed process may have counted and not written. Writing is not cheap: twenty processes that did so
#: twice a second did nothing else.
SAVE_SECONDS = 3.0


def is_on() -> bool:
    """Returns whether this process counts."""
    return "coverage" in sys.modules and sys.modules["coverage"].Coverage.current() is not None


def in_a_process_of_ray() -> None:
    """Called by Ray in each of its processes before anything else."""
    import coverage

    counting = coverage.Coverage.current()
    assert counting is not None, "coverage hands itself to child processes"
    from vecstore.distributed._actors import ShardActor

    for name, method in inspect.getmembers(ShardActor, inspect.isfunction):
        if not name.startswith("_"):
            setattr(ShardActor, name, counted(method))
    threading.Thread(target=save_now_and_then, args=(counting,), name="coverage", daemon=True).start()


def counted(method: Callable[..., Any]) -> Callable[..., Any]:
    """Has a method count on a thread that `threading` did not start."""

    @functools.wraps(method)
    def counting(*args: Any, **kwargs: Any) -> Any:
        # What coverage leaves with `threading` for the threads to come; it begins at the next call.
        if sys.gettrace() is None:
            sys.settrace(threading.gettrace())
        return method(*args, **kwargs)

    return counting


def save_now_and_then(counting: Any) -> None:
    """Writes what was counted."""
    never = threading.Event()
    while not never.wait(SAVE_SECONDS):
        counting.save()
