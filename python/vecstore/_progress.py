"""Progress of a long call: a tqdm bar if tqdm is installed, else one line on stderr."""

from __future__ import annotations

import sys
import typing


class Bar(typing.Protocol):
    """What shows progress."""

    def update(self, n: int) -> typing.Any:
        """Counts ``n`` more."""
        ...

    def close(self) -> typing.Any:
        """Ends it."""
        ...


class Line:
    """A line on stderr, written anew as rows are read."""

    def __init__(self, total: int | None, what: str = "upsert_many", unit: str = "records") -> None:
        self._done = 0
        self._total = "" if total is None else f" of {total:,}"
        self._what = what
        self._unit = unit

    def update(self, n: int) -> None:
        """Counts ``n`` more."""
        self._done += n
        sys.stderr.write(f"\r{self._what}: {self._done:,}{self._total} {self._unit} read")
        sys.stderr.flush()

    def close(self) -> None:
        """Ends the line."""
        sys.stderr.write("\n")


def bar(total: int | None, what: str = "upsert_many", unit: str = "records") -> Bar:
    """Starts showing how many of ``total`` are done."""
    try:
        from tqdm import tqdm
    except ImportError:
        return Line(total, what, unit)
    progress: Bar = tqdm(total=total, desc=what, unit=f" {unit}")
    return progress


class Watcher:
    """Tells a bar, or a callable of the caller's, how far a call is."""

    def __init__(self, call: typing.Callable[[int, int | None], object] | None, what: str, unit: str) -> None:
        self._call = call
        self._what, self._unit = what, unit
        self._bar: Bar | None = None
        self._done = 0

    def advance(self, done: int, total: int | None) -> None:
        """Tells that so much is done."""
        if self._call is not None:
            self._call(done, total)
            return
        if self._bar is None:
            self._bar = bar(total, self._what, self._unit)
        self._bar.update(done - self._done)
        self._done = done

    def close(self) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.close()


#: What `progress` may be.
Progress = typing.Union[bool, typing.Callable[[int, typing.Optional[int]], object]]


def start(progress: Progress, what: str, unit: str) -> Watcher | None:
    """Returns what shows the progress that was asked for, or None."""
    if isinstance(progress, bool):
        return Watcher(None, what, unit) if progress else None
    if not callable(progress):
        raise TypeError(f"progress: expected a bool or a callable, got {type(progress).__name__}")
    return Watcher(progress, what, unit)
