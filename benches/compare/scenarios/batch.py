from __future__ import annotations

import time

from benches.compare.data import recall
from benches.compare.engines.base import Engine
from benches.compare.measure import median, stopwatch
from benches.compare.scenarios.base import Built, Column, Context, K, Outcome, Scenario, finish, ready
from benches.compare.scenarios.sweep import width_reaching

TARGET = 0.95
CHOOSING_QUERIES = 300
THREADS = (1, 2)
WARM_UP_SECONDS = 0.5
TURNS = 3
CALLS = 3


def measure(engine: Engine, context: Context) -> Outcome:
    rows = context.rows
    queries = rows.queries
    ready(engine, context)
    width = width_reaching(engine, K, queries[:CHOOSING_QUERIES], rows.neighbors, TARGET)
    seconds: dict[int, list[float]] = {threads: [] for threads in THREADS}
    figures = {"width": width}
    for _ in range(TURNS):
        for threads in THREADS:
            search = engine.batch_search(K, width, threads)
            started = time.perf_counter()
            while time.perf_counter() - started < WARM_UP_SECONDS:
                search(queries)
            with stopwatch() as watch:
                for _ in range(CALLS):
                    started = time.perf_counter()
                    result = search(queries)
                    seconds[threads].append(time.perf_counter() - started)
            figures[f"cpu_share_{threads}"] = watch.cpu_share
            figures["recall"] = recall(engine.batch_rows(result), rows.neighbors, K)
    finish(engine)
    for threads in THREADS:
        figures[f"qps_{threads}"] = len(queries) / median(seconds[threads])
    figures["scaling"] = figures["qps_2"] / figures["qps_1"]
    return Outcome(figures)


SCENARIO = Scenario(
    name="batch",
    title="Batches of queries on two threads",
    how=(
        f"All queries in one call, k={K}, ids and scores, at the first search width whose recall@10 reaches "
        f"{TARGET} on the first {CHOOSING_QUERIES} queries; {TURNS} turns of {CALLS} calls on one thread and "
        f"on two, each after {WARM_UP_SECONDS} seconds of the same, medians. Not pinned: `CPU/wall` is near "
        "2 where two threads had two cores."
    ),
    measure=measure,
    engines=(
        "vecstore:fast",
        "vecstore:int4",
        "symphonyqg:f32",
        "symphonyqg:int8",
        "glass:sq4u",
        "svs:f16",
        "hnswlib:hnsw",
        "faiss:hnsw",
        "faiss:ivf-pq",
        "usearch:f16",
        "qdrant-edge:int8",
        "chroma:hnsw",
    ),
    ours=("vecstore:fast",),
    columns=(
        Column("qps_1", "QPS, 1 thread"),
        Column("qps_2", "QPS, 2 threads", higher_is_better=True),
        Column("scaling", "2 threads / 1", 2),
        Column("recall", "recall@10", 4),
        Column("width", "width", 2),
        Column("cpu_share_1", "CPU/wall, 1", 2),
        Column("cpu_share_2", "CPU/wall, 2", 2),
    ),
    needs=Built(),
    only_queries=True,
)
