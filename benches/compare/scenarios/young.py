from __future__ import annotations

import shutil
import time

import numpy as np

from benches.compare.data import RowArray, recall
from benches.compare.engines.base import Engine, NotAvailableError
from benches.compare.measure import seconds_of, stopwatch
from benches.compare.scenarios.base import (
    Built,
    Column,
    Context,
    K,
    Outcome,
    Scenario,
    as_store,
    batches,
    write,
)
from benches.compare.scenarios.sweep import speed, width_reaching

ADDED_ROWS = 10_000
TARGET = 0.95
CHOOSING_QUERIES = 300
YOUNG_SECONDS = 1.0
WARM_UP_SECONDS = 0.5
NEEDS = Built(held_back=ADDED_ROWS)


def measure(engine: Engine, context: Context) -> Outcome:
    store, rows = as_store(engine), context.rows
    if context.store is None:
        raise NotAvailableError("no store was built")
    path = context.work / "store"
    shutil.copytree(context.store, path)
    before = NEEDS.rows_of(rows).count
    store.open(path)
    width = width_reaching(
        store, K, rows.queries[:CHOOSING_QUERIES], _of_first(rows.neighbors, before), TARGET
    )
    warm = store.index_search(K, width)
    started = time.perf_counter()
    while time.perf_counter() - started < WARM_UP_SECONDS:
        for query in rows.queries[:CHOOSING_QUERIES]:
            warm(query)
    with stopwatch() as watch:
        for batch in batches(store, before, rows.count):
            write(store, rows, batch)
    search = store.index_search(K, width)
    results, seconds = [], []
    started = time.perf_counter()
    for query in rows.queries:
        at = time.perf_counter()
        results.append(search(query))
        seconds.append(time.perf_counter() - at)
        if time.perf_counter() - started > YOUNG_SECONDS and len(seconds) >= 20:
            break
    young_recall = recall([store.rows(result) for result in results], rows.neighbors, K)
    settle_seconds = seconds_of(store.settle)
    search = store.index_search(K, width)
    settled = speed(lambda _: search, rows.queries)
    settled_recall = recall([store.rows(result) for result in settled.results], rows.neighbors, K)
    store.close()
    young_qps = len(seconds) / sum(seconds)
    return Outcome(
        {
            "young_qps": young_qps,
            "first_ms": seconds[0] * 1e3,
            "young_recall": young_recall,
            "settled_qps": settled.qps,
            "settled_recall": settled_recall,
            "cost": settled.qps / young_qps,
            "add_s": watch.wall_seconds,
            "settle_s": settle_seconds,
            "width": width,
        }
    )


def _of_first(neighbors: RowArray, count: int) -> RowArray:
    """The nearest `K` rows among the first `count`, from the longer lists of all rows."""
    kept = [row[row < count][:K] for row in neighbors]
    if any(len(row) < K for row in kept):
        raise NotAvailableError("the neighbours given are too few to know those of the first rows")
    return np.array(kept)


SCENARIO = Scenario(
    name="young",
    title=f"Queries just after {ADDED_ROWS:,} rows were added",
    how=(
        f"A settled store of all rows but the last {ADDED_ROWS:,} (a quarter of all, if that is fewer); "
        f"after {WARM_UP_SECONDS} s of queries those are added in batches, and single queries follow at once "
        f"for {YOUNG_SECONDS:.0f} s (k={K}, "
        f"ids and scores, at the first search width that reached {TARGET} before). Then the index is "
        "settled, and the same queries are asked again. `young / settled` is the cost of a young query in "
        "settled ones. Not pinned: work in the background has the other core."
    ),
    measure=measure,
    engines=(
        "vecstore:fast",
        "vecstore:int4",
        "qdrant-edge:int8",
        "zvec:int8",
        "lancedb:hnsw-sq",
        "chroma:hnsw",
    ),
    ours=("vecstore:fast",),
    columns=(
        Column("young_qps", "QPS, young", higher_is_better=True),
        Column("young_recall", "recall@10", 4),
        Column("settled_qps", "QPS, settled", higher_is_better=True),
        Column("settled_recall", "recall@10 ", 4),
        Column("cost", "young / settled", 2, higher_is_better=False),
        Column("first_ms", "first query ms", 2),
        Column("add_s", "add s", 2),
        Column("settle_s", "settle s", 2),
        Column("width", "width", 2),
    ),
    needs=NEEDS,
)
