from __future__ import annotations

from benches.compare.data import recall
from benches.compare.engines.base import Engine
from benches.compare.measure import MILLISECONDS, median, resident_bytes, seconds_of
from benches.compare.scenarios.base import Built, Column, Context, K, Outcome, Scenario, finish, ready

NEXT_QUERIES = 100


def measure(engine: Engine, context: Context) -> Outcome:
    queries = context.rows.queries
    results = []
    before = sum(resident_bytes())
    open_seconds = seconds_of(lambda: ready(engine, context))
    opened = sum(resident_bytes())
    first_seconds = seconds_of(lambda: results.append(engine.index_search(K, engine.usual_width)(queries[0])))
    search = engine.index_search(K, engine.usual_width)
    next_seconds = [
        seconds_of(lambda query=query: results.append(search(query)))  # type: ignore[misc]
        for query in queries[1 : 1 + NEXT_QUERIES]
    ]
    found = [engine.rows(result) for result in results]
    finish(engine)
    return Outcome(
        {
            "open_ms": open_seconds * MILLISECONDS,
            "first_ms": first_seconds * MILLISECONDS,
            "next_ms": median(next_seconds) * MILLISECONDS,
            "recall": recall(found, context.rows.neighbors, K),
            "opened_mb": (opened - before) / 1e6,
        }
    )


SCENARIO = Scenario(
    name="open_index",
    title="Opening a store with its index, or a saved index",
    how=(
        "In a new process each time, the import of the library not counted, files in the page cache; then "
        f"the first query (k={K}, ids and scores, at a usual search width) and the median of the "
        f"{NEXT_QUERIES} after it. `RSS` is what opening added to the process. Not pinned."
    ),
    measure=measure,
    engines=(
        "vecstore:fast",
        "vecstore:int4",
        "symphonyqg:f32",
        "glass:sq4u",
        "svs:f16",
        "hnswlib:hnsw",
        "faiss:hnsw",
        "usearch:f16",
        "qdrant-edge:int8",
        "zvec:int8",
        "lancedb:hnsw-sq",
        "chroma:hnsw",
    ),
    ours=("vecstore:fast", "vecstore:int4"),
    columns=(
        Column("open_ms", "open ms", 2, higher_is_better=False),
        Column("first_ms", "first query ms", 2, higher_is_better=False),
        Column("next_ms", "next queries ms", 3),
        Column("recall", "recall@10", 4),
        Column("opened_mb", "RSS MB", 1),
        Column("disk_mb", "disk MB", 1),
        Column("disk_over_raw", "disk / raw f32", 2),
    ),
    needs=Built(),
    only_queries=True,
)
