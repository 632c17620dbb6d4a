from __future__ import annotations

from benches.compare.engines.base import Engine
from benches.compare.measure import disk_bytes, seconds_of, stopwatch
from benches.compare.scenarios.base import BATCH_ROWS, Column, Context, Outcome, Scenario, as_store, fill


def measure(engine: Engine, context: Context) -> Outcome:
    rows = context.rows
    path = context.work / "store"
    store = as_store(engine)
    store.create(path, rows.dim)
    with stopwatch() as watch:
        fill(store, rows)
    close_seconds = seconds_of(store.close)
    size = disk_bytes(path)
    return Outcome(
        {
            "rows_s": rows.count / watch.wall_seconds,
            "rows_s_closed": rows.count / (watch.wall_seconds + close_seconds),
            "close_s": close_seconds,
            "cpu_s": watch.cpu_seconds,
            "disk_mb": size / 1e6,
            "disk_over_raw": size / rows.vectors.nbytes,
        }
    )


SCENARIO = Scenario(
    name="upsert_many",
    title="Writing all rows in batches",
    how=(
        f"Batches of {BATCH_ROWS:,} rows with metadata into a new store, one call (one transaction) a "
        "batch, from the first call to the return of the last; then close(), and the bytes on disk after "
        "it. Not pinned."
    ),
    measure=measure,
    engines=(
        "vecstore:commit",
        "vecstore:interval",
        "vecstore:none",
        "sqlite:full",
        "sqlite:normal",
        "sqlite-vec:full",
        "sqlite-vec:normal",
        "qdrant-edge:wal",
        "qdrant-edge:flush",
        "zvec:wal",
        "zvec:flush",
        "lancedb",
        "chroma",
    ),
    ours=("vecstore:commit", "vecstore:interval", "vecstore:none"),
    columns=(
        Column("rows_s", "rows/s", higher_is_better=True),
        Column("rows_s_closed", "rows/s with close"),
        Column("close_s", "close s", 2),
        Column("cpu_s", "CPU s", 2),
        Column("disk_mb", "disk MB", 1),
        Column("disk_over_raw", "x raw f32", 2),
    ),
)
