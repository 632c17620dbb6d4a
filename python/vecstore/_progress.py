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

    def __init__(self, total: int) -> None:
        self._done = 0
        self._total = total

    def update(self, n: int) -> None:
        """Counts ``n`` more rows."""
        self._done += n
        sys.stderr.write(f"\rupsert_many: {self._done:,} of {self._total:,} records read")
        sys.stderr.flush()

    def close(self) -> None:
        """Ends the line."""
        sys.stderr.write("\n")


def bar(total: int) -> Bar:
    """Starts showing how many of ``total`` rows are read."""
    try:
        from tqdm import tqdm
    except ImportError:
        return Line(total)
    progress: Bar = tqdm(total=total, desc="upsert_many", unit=" records")
    return progress
