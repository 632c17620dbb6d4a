from __future__ import annotations

from benches.compare.data import recall
from benches.compare.engines.base import Engine
from benches.compare.measure import resident_bytes
from benches.compare.scenarios.base import Built, Column, Context, K, Outcome, Scenario, finish, ready
from benches.compare.scenarios.sweep import (
    LEAST_SECONDS,
    PASSES,
    TARGETS,
    WARM_UP_QUERIES,
    add_points,
    speed,
)

# No target is past this recall: what is slower than its point need not be measured.
ENOUGH_RECALL = 0.996


def measure(engine: Engine, context: Context) -> Outcome:
    rows = context.rows
    queries = rows.queries
    before = sum(resident_bytes())
    ready(engine, context)
    engine.warm_up(K, queries)
    figures: dict[str, float] = {}
    shares = []
    for width in engine.widths:
        search = engine.index_search(K, width)
        measured = speed(lambda _, search=search: search, queries)  # type: ignore[misc]
        found = [engine.rows(result) for result in measured.results]
        reached = recall(found, rows.neighbors, K)
        figures[f"recall@{width}"] = reached
        figures[f"qps@{width}"] = measured.qps
        figures[f"p50_us@{width}"] = measured.p50_us
        figures[f"p99_us@{width}"] = measured.p99_us
        shares.append(measured.cpu_share)
        if "rss_mb" not in figures:
            added = sum(resident_bytes()) - before
            figures["rss_mb"], figures["rss_over_raw"] = added / 1e6, added / rows.raw_bytes
        if reached >= ENOUGH_RECALL:
            break
    figures["cpu_share"] = min(shares)
    finish(engine)
    return Outcome(figures, parameters={"swept": f"{engine.width_name} {engine.widths[0]} to {width}"})


SCENARIO = Scenario(
    name="recall_qps",
    title="Approximate search, single queries: speed at a recall",
    how=(
        f"k={K}, ids and scores only, one query at a time through Python on one pinned thread. Each engine's "
        "search width is swept; the table has the fastest measured point whose recall@10 reaches "
        f"{TARGETS[0]} and {TARGETS[1]}, as measured, nothing interpolated; the JSON has all points. A point "
        f"is the median of {PASSES} passes or more over the queries ({LEAST_SECONDS} s at least), after "
        f"{WARM_UP_QUERIES} queries to warm up (vecstore: until it has copied the graph to memory, which "
        "it does after 1,000 searches); an engine that needs over {MOST_SECONDS:.0f} s a pass gets "
        "fewer queries. `build` is from the first rows acknowledged to a settled index, on all cores, once "
        "in a run; databases store the metadata, too. `RSS` is what opening and the searches of the "
        "first width added to the process."
    ),
    measure=measure,
    engines=(
        "vecstore:fast",
        "vecstore:compact",
        "vecstore:int8",
        "vecstore:int4",
        "vecstore:f32",
        "symphonyqg:f32",
        "symphonyqg:int8",
        "glass:sq4u",
        "glass:sq8u",
        "svs:f16",
        "svs:lvq4x8",
        "svs:lvq8",
        "vsag:sq8",
        "vsag:sq8-uniform",
        "hnswlib:hnsw",
        "faiss:hnsw",
        "faiss:hnsw-sq8",
        "faiss:ivf-pq",
        "usearch:f16",
        "qdrant-edge:int8",
        "qdrant-edge:int8-x2",
        "qdrant-edge:4bit",
        "qdrant-edge:4bit-x2",
        "zvec:int8",
        "lancedb:hnsw-sq",
        "chroma:hnsw",
    ),
    ours=("vecstore:fast", "vecstore:int4"),
    columns=(
        Column("qps at 0.95", "QPS at .95", higher_is_better=True),
        Column("recall at 0.95", "recall@10", 4),
        Column("width at 0.95", "width", 2),
        Column("qps at 0.99", "QPS at .99", higher_is_better=True),
        Column("recall at 0.99", "recall@10 ", 4),
        Column("width at 0.99", "width ", 2),
        Column("build_s", "build s", 1),
        Column("build_cpu_s", "build CPU s", 1, higher_is_better=False),
        Column("rss_mb", "RSS MB", 1),
        Column("rss_over_raw", "RSS / raw f32", 2),
        Column("disk_mb", "disk MB", 1),
        Column("disk_over_raw", "disk / raw f32", 2),
        Column("cpu_share", "CPU/wall", 2),
    ),
    pinned=True,
    needs=Built(),
    only_queries=True,
    derive=add_points,
)
