from __future__ import annotations

from benches.compare.data import recall
from benches.compare.engines.base import Engine, NotAvailableError
from benches.compare.measure import MILLISECONDS, disk_bytes, median, seconds_of
from benches.compare.scenarios.base import Built, Column, Context, K, Outcome, Scenario, as_store

NEXT_QUERIES = 20


def measure(engine: Engine, context: Context) -> Outcome:
    store, path = as_store(engine), context.store
    if path is None:
        raise NotAvailableError("no store was built")
    queries = context.rows.queries
    results = []
    size = disk_bytes(path)
    open_seconds = seconds_of(lambda: store.open(path))
    # Making the call is part of the first query: some engines connect there.
    first_seconds = seconds_of(lambda: results.append(store.search(K, metadata=True)(queries[0])))
    search = store.search(K, metadata=True)
    next_seconds = [
        seconds_of(lambda query=query: results.append(search(query)))  # type: ignore[misc]
        for query in queries[1 : 1 + NEXT_QUERIES]
    ]
    found = [store.rows(result) for result in results]
    close_seconds = seconds_of(store.close)
    return Outcome(
        {
            "open_ms": open_seconds * MILLISECONDS,
            "first_ms": first_seconds * MILLISECONDS,
            "next_ms": median(next_seconds) * MILLISECONDS,
            "recall": recall(found, context.rows.neighbors, K),
            "close_ms": close_seconds * MILLISECONDS,
            "disk_mb": size / 1e6,
        }
    )


SCENARIO = Scenario(
    name="open",
    title="Opening a closed store of all rows",
    how=(
        "In a new process each time, the import of the library not counted, files in the page cache; "
        f"then the first query (k={K}, with metadata, default settings) and the median of the "
        f"{NEXT_QUERIES} after it. Not pinned."
    ),
    measure=measure,
    engines=("vecstore", "sqlite-vec", "qdrant-edge", "zvec", "lancedb", "chroma"),
    ours=("vecstore",),
    columns=(
        Column("open_ms", "open ms", 2, higher_is_better=False),
        Column("first_ms", "first query ms", 2, higher_is_better=False),
        Column("next_ms", "next queries ms", 2),
        Column("recall", "recall@10", 4),
        Column("close_ms", "close ms", 2),
        Column("disk_mb", "disk MB", 1, higher_is_better=False),
    ),
    needs=Built(),
)
