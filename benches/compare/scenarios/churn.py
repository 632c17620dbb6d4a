from __future__ import annotations

import shutil

from benches.compare.data import RowArray, Rows, exact_neighbors, recall
from benches.compare.engines.base import Engine, NotAvailableError, Store
from benches.compare.scenarios.base import (
    BATCH_ROWS,
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

TARGET = 0.95
CHOOSING_QUERIES = 300


def measure(engine: Engine, context: Context) -> Outcome:
    """Three stores end with the second half of the rows: written so, left over, or put in others' place."""
    store, rows = as_store(engine), context.rows
    if context.store is None:
        raise NotAvailableError("no store was built")
    half = rows.count // 2
    truth = exact_neighbors(rows.vectors[half:], rows.queries, K) + half
    figures: dict[str, float] = {}

    store.create(context.work / "fresh", rows.dim)
    _write_own(store, rows, half, rows.count)
    store.settle()
    width = width_reaching(store, K, rows.queries[:CHOOSING_QUERIES], truth, TARGET)
    figures["width"] = width
    _ask(store, rows, truth, width, figures, "fresh")
    store.close()

    shutil.copytree(context.store, context.work / "deleted")
    store.open(context.work / "deleted")
    for start in range(0, half, BATCH_ROWS):
        store.delete_many(rows.ids[start : min(start + BATCH_ROWS, half)])
    _ask(store, rows, truth, width, figures, "deleted")
    store.settle()
    _ask(store, rows, truth, width, figures, "deleted, settled")
    store.close()

    # The later half of the rows begins with the vectors of others, which are then replaced.
    quarter = half + (rows.count - half) // 2
    store.create(context.work / "replaced", rows.dim)
    _write_own(store, rows, half, quarter)
    for batch in batches(store, quarter, rows.count):
        others = slice(batch.start - quarter, batch.stop - quarter)
        store.upsert_many(rows.ids[batch], rows.vectors[others], rows.metadata[others])
    store.settle()
    for batch in batches(store, quarter, rows.count):
        store.replace_many(rows.ids[batch], rows.vectors[batch], rows.metadata[batch])
    _ask(store, rows, truth, width, figures, "replaced")
    store.settle()
    _ask(store, rows, truth, width, figures, "replaced, settled")
    store.close()
    for state in ("deleted", "deleted, settled", "replaced", "replaced, settled"):
        figures[f"loss {state}"] = (figures["recall fresh"] - figures[f"recall {state}"]) * 100
    return Outcome(figures)


def _write_own(store: Store, rows: Rows, start: int, stop: int) -> None:
    for batch in batches(store, start, stop):
        write(store, rows, batch)


def _ask(
    store: Store, rows: Rows, truth: RowArray, width: float, figures: dict[str, float], state: str
) -> None:
    search = store.index_search(K, width)
    measured = speed(lambda _: search, rows.queries)
    figures[f"recall {state}"] = recall([store.rows(result) for result in measured.results], truth, K)
    figures[f"qps {state}"] = measured.qps


SCENARIO = Scenario(
    name="churn",
    title="After half of the rows were deleted or replaced",
    how=(
        "Three stores come to hold the same rows, the second half of all. Fresh: written and settled. "
        "Deleted: a settled store of all rows loses the first half. Replaced: half of a settled store's rows "
        f"get other vectors. k={K}, single queries, at the first search width whose recall reached {TARGET} "
        "on the fresh store; `lost` is recall in points below the fresh store's, at once and after settling. "
        "Not pinned."
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
        Column("recall fresh", "recall@10, fresh", 4),
        Column("qps fresh", "QPS, fresh"),
        Column("loss deleted", "lost: deleted", 2),
        Column("qps deleted", "QPS, deleted"),
        Column("loss deleted, settled", "lost: deleted, settled", 2),
        Column("qps deleted, settled", "QPS, deleted, settled"),
        Column("loss replaced", "lost: replaced", 2),
        Column("qps replaced", "QPS, replaced"),
        Column("loss replaced, settled", "lost: replaced, settled", 2),
        Column("qps replaced, settled", "QPS, replaced, settled"),
        Column("width", "width", 2),
    ),
    needs=Built(),
)
