"""Timing single queries over an engine's search widths, recall beside each speed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benches.compare.data import FloatArray, RowArray, recall
from benches.compare.engines.base import Engine, Search
from benches.compare.measure import MICROSECONDS, median, percentile, stopwatch

WARM_UP_QUERIES = 100
PASSES = 5
LEAST_SECONDS = 0.3
MOST_SECONDS = 4.0
LEAST_QUERIES = 100
TARGETS = (0.95, 0.99)


@dataclass(frozen=True)
class Speed:
    """What queries one at a time cost, and what the first pass over them returned."""

    qps: float
    p50_us: float
    p99_us: float
    cpu_share: float
    results: list[Any]


def speed(
    search_of: Callable[[int], Search], queries: FloatArray, most_seconds: float = MOST_SECONDS
) -> Speed:
    """Times passes over the queries, of `LEAST_SECONDS` at least; a slow engine gets fewer queries.

    The speed is that of the median pass. Each call and its result are all that is timed.
    """
    calls = [(search_of(number), query) for number, query in enumerate(queries)]
    warm_up = calls[:WARM_UP_QUERIES]
    with stopwatch() as watch:
        for search, query in warm_up:
            search(query)
    affordable = int(most_seconds * len(warm_up) / max(watch.wall_seconds, 1e-9))
    calls = calls[: max(LEAST_QUERIES, affordable)]
    results: list[Any] = []
    passes: list[float] = []
    with stopwatch() as watch:
        while not passes or (
            sum(passes) < most_seconds and (len(passes) < PASSES or sum(passes) < LEAST_SECONDS)
        ):
            keep = results.append if not passes else _drop
            started = time.perf_counter()
            for search, query in calls:
                keep(search(query))
            passes.append(time.perf_counter() - started)
    share = watch.cpu_share
    latencies = []
    for search, query in calls:
        started = time.perf_counter()
        search(query)
        latencies.append(time.perf_counter() - started)
    return Speed(
        qps=len(calls) / median(passes),
        p50_us=median(latencies) * MICROSECONDS,
        p99_us=percentile(latencies, 99) * MICROSECONDS,
        cpu_share=share,
        results=results,
    )


def _drop(result: Any) -> None:
    """Takes a result of a later pass, which is the same as the first's."""


def width_reaching(engine: Engine, k: int, queries: FloatArray, neighbors: RowArray, target: float) -> float:
    """The first width whose recall over the queries reaches a target, or the last; nothing is timed."""
    for width in engine.widths:
        search = engine.index_search(k, width)
        found = [engine.rows(search(query)) for query in queries]
        if recall(found, neighbors, k) >= target:
            return width
    return engine.widths[-1]


def first_at(medians: dict[str, float], target: float, prefix: str = "") -> str | None:
    """The width of the fastest point whose recall reaches a target: a measured point, nothing between two."""
    widths = [key.partition("@")[2] for key in medians if key.startswith(f"{prefix}recall@")]
    reached = [width for width in widths if medians[f"{prefix}recall@{width}"] >= target]
    return max(reached, key=lambda width: medians[f"{prefix}qps@{width}"], default=None)


def add_points(
    medians: dict[str, dict[str, float]], targets: Sequence[float] = TARGETS, prefix: str = ""
) -> None:
    """Adds the first points at each target to the figures of each engine."""
    for figures in medians.values():
        for target in targets:
            width = first_at(figures, target, prefix)
            if width is not None:
                name = f"{prefix}{target:.2f}"
                figures[f"qps at {name}"] = figures[f"{prefix}qps@{width}"]
                figures[f"recall at {name}"] = figures[f"{prefix}recall@{width}"]
                figures[f"width at {name}"] = float(width)
