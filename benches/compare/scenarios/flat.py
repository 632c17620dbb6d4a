from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from benches.compare.data import recall
from benches.compare.engines.base import Engine
from benches.compare.machine import gigabytes_per_second, scan_methods
from benches.compare.measure import MICROSECONDS, median, seconds_of, stopwatch
from benches.compare.scenarios.base import Built, Column, Context, K, Outcome, Scenario, finish, ready

WARM_UP_QUERIES = 20
BUDGET_SECONDS = 6.0
LEAST_QUERIES = 50
FLOAT_BYTES = 4


def measure(engine: Engine, context: Context) -> Outcome:
    rows = context.rows
    ready(engine, context)
    search = engine.exact_search(K)
    for query in rows.queries[:WARM_UP_QUERIES]:
        search(query)
    seconds: list[float] = []
    results = []
    with stopwatch() as watch:
        for query in rows.queries:
            seconds.append(seconds_of(lambda query=query: results.append(search(query))))  # type: ignore[misc]
            if len(seconds) >= LEAST_QUERIES and sum(seconds) > BUDGET_SECONDS:
                break
    found = [engine.rows(result) for result in results]
    qps = len(seconds) / sum(seconds)
    finish(engine)
    return Outcome(
        {
            "qps": qps,
            "p50_us": median(seconds) * MICROSECONDS,
            "gb_s": qps * rows.vectors.nbytes / 1e9,
            "recall": recall(found, rows.neighbors, K),
            "queries": len(seconds),
            "cpu_share": watch.cpu_share,
        }
    )


def scan_memory(context: Context) -> Outcome:
    """The fastest way this machine has of reading the matrix once; a search can at best be that fast."""
    return _scan(np.array(context.rows.vectors))


def scan_mapped_file(context: Context) -> Outcome:
    """The same from a memory-mapped file in the page cache, as a store on disk is read."""
    with tempfile.TemporaryDirectory(dir=context.work) as folder:
        path = Path(folder, "vectors.f32")
        context.rows.vectors.tofile(path)
        mapped = np.memmap(path, np.float32, "r", shape=context.rows.vectors.shape)
        return _scan(np.asarray(mapped))


def _scan(matrix: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Outcome:
    size = matrix.size * FLOAT_BYTES
    speeds = {name: gigabytes_per_second(scan, size) for name, scan in scan_methods(matrix).items()}
    best = max(speeds, key=lambda name: speeds[name])
    stated = ", ".join(f"{name} {speed:.1f} GB/s" for name, speed in speeds.items())
    return Outcome({"qps": speeds[best] * 1e9 / size, "gb_s": speeds[best]}, notes=[f"best of: {stated}"])


SCENARIO = Scenario(
    name="flat",
    title="Exact search, single queries",
    how=(
        f"k={K}, ids and scores only, one query at a time through Python on one pinned thread, after "
        f"{WARM_UP_QUERIES} queries to warm up; all queries or {BUDGET_SECONDS:.0f} s of them. `f32 GB/s` is "
        "QPS times the bytes of all float32 values, whether an engine reads them or is exact from less. "
        "`machine:scan` is the fastest plain read of them (a compiled C sum, numpy's sum or its "
        "matrix-vector product); its QPS is the limit of a search that reads them all."
    ),
    measure=measure,
    engines=(
        "vecstore",
        "faiss",
        "numpy",
        "usearch",
        "hnswlib",
        "sqlite-vec",
        "qdrant-edge",
        "zvec",
        "lancedb",
    ),
    ours=("vecstore",),
    columns=(
        Column("qps", "QPS", 1, higher_is_better=True),
        Column("p50_us", "median us"),
        Column("gb_s", "f32 GB/s", 1),
        Column("recall", "recall@10", 4),
        Column("queries", "queries"),
        Column("cpu_share", "CPU/wall", 2),
    ),
    baselines={"machine:scan": scan_memory, "machine:scan-mmap": scan_mapped_file},
    pinned=True,
    needs=Built(),
)
