"""Clocks and counters: how a duration, a directory's size and a median are taken, once for every engine."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

MICROSECONDS = 1e6
MILLISECONDS = 1e3
STAT_BLOCK_BYTES = 512


class Stopwatch:
    """Wall and CPU seconds of a block; the CPU share tells a quiet machine from a busy one."""

    wall_seconds = 0.0
    cpu_seconds = 0.0

    @property
    def cpu_share(self) -> float:
        return self.cpu_seconds / self.wall_seconds if self.wall_seconds else 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Times a block, with Python's garbage collector off: it would bill the block for what came before it."""
    watch = Stopwatch()
    gc.collect()
    gc.disable()
    cpu, wall = time.process_time(), time.perf_counter()
    try:
        yield watch
    finally:
        watch.wall_seconds = time.perf_counter() - wall
        watch.cpu_seconds = time.process_time() - cpu
        gc.enable()


def seconds_of(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: always a value that was measured."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100).__int__() - 1)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def disk_bytes(path: Path) -> int:
    """The bytes that a file, or all files below a directory, take on disk (allocated blocks, as `du`)."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_blocks * STAT_BLOCK_BYTES for file in files)


def resident_bytes() -> tuple[int, int]:
    """The memory of this process: its own (heap, stacks, huge pages), and pages of mapped files."""
    gc.collect()
    if sys.platform != "linux":
        return peak_resident_bytes(), 0
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)  # what was freed is no longer the engine's
    kilobytes = {}
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if value.endswith("kB"):
            kilobytes[name] = int(value.split()[0])
    own = kilobytes["RssAnon"] + kilobytes["RssShmem"] + kilobytes.get("HugetlbPages", 0)
    return own * 1024, kilobytes["RssFile"] * 1024


def peak_resident_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def fdatasync(descriptor: int) -> None:
    """fdatasync, or fsync where the system has no fdatasync."""
    getattr(os, "fdatasync", os.fsync)(descriptor)
