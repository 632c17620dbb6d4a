from __future__ import annotations

import json
import shutil

from benches.compare.data import Rows
from benches.compare.engines.base import Engine, NotAvailableError, Store
from benches.compare.machine import SyncFile
from benches.compare.measure import median, seconds_of
from benches.compare.scenarios.base import Column, Context, Outcome, Scenario, as_store

CALL_ROWS = 10_000
WARM_UP_ROWS = 100
REPETITIONS = 5


def measure(engine: Engine, context: Context) -> Outcome:
    rows = context.rows
    call_rows = _call_rows(rows)
    store = as_store(engine)
    if store.rows_per_call is not None and store.rows_per_call < call_rows:
        raise NotAvailableError(f"one call takes at most {store.rows_per_call:,} rows")
    return Outcome(
        {
            "rows_s": call_rows / _call_seconds(store, context, metadata=True),
            "rows_s_bare": call_rows / _call_seconds(store, context, metadata=False),
        }
    )


def _call_seconds(store: Store, context: Context, *, metadata: bool) -> float:
    rows = context.rows
    warm_up = slice(0, WARM_UP_ROWS)
    call = slice(WARM_UP_ROWS, WARM_UP_ROWS + _call_rows(rows))
    ids, vectors, records = rows.ids[call], rows.vectors[call], rows.metadata[call]
    seconds = []
    for repetition in range(REPETITIONS):
        path = context.work / f"store-{metadata}-{repetition}"
        store.create(path, rows.dim)
        store.upsert_many(
            rows.ids[warm_up], rows.vectors[warm_up], rows.metadata[warm_up] if metadata else None
        )
        seconds.append(seconds_of(lambda: store.upsert_many(ids, vectors, records if metadata else None)))
        store.close()
        shutil.rmtree(path)
    return median(seconds)


def raw_written(context: Context) -> Outcome:
    return _raw(context, written=True)


def raw_allocated(context: Context) -> Outcome:
    return _raw(context, written=False)


def _raw(context: Context, *, written: bool) -> Outcome:
    call_rows = _call_rows(context.rows)
    vectors = context.rows.vectors[:call_rows].tobytes()
    ids = "\n".join(context.rows.ids[:call_rows]).encode()
    records = "\n".join(map(json.dumps, context.rows.metadata[:call_rows])).encode()
    whole, bare = vectors + ids + records, vectors + ids
    return Outcome(
        {
            "rows_s": call_rows / _write_seconds(context, whole, written=written),
            "rows_s_bare": call_rows / _write_seconds(context, bare, written=written),
        },
        notes=[f"{len(whole):,} and {len(bare):,} bytes"],
    )


def _write_seconds(context: Context, content: bytes, *, written: bool) -> float:
    seconds = []
    for repetition in range(REPETITIONS):
        path = context.work / f"raw-{len(content)}-{repetition}"
        file = SyncFile(path, 2 * len(content), written=written)
        file.write(content[: len(content) // CALL_ROWS])
        seconds.append(seconds_of(lambda file=file: file.write(content)))  # type: ignore[misc]
        file.close()
        path.unlink()
    return median(seconds)


def _call_rows(rows: Rows) -> int:
    return min(CALL_ROWS, rows.count - WARM_UP_ROWS)


SCENARIO = Scenario(
    name="durable_call",
    title="One durable call of 10,000 rows",
    how=(
        f"One call of {CALL_ROWS:,} rows (fewer if the set is smaller) into a store that holds "
        f"{WARM_UP_ROWS}; the median of {REPETITIONS} new stores. `machine:raw` writes the same bytes "
        "(float32 vectors, ids, metadata as JSON) with one pwrite and one fdatasync into a preallocated "
        "file whose blocks hold zeros already; `machine:raw-fallocate` into one that was only "
        "fallocate'd. Not pinned."
    ),
    measure=measure,
    engines=(
        "vecstore:commit",
        "sqlite:full",
        "sqlite-vec:full",
        "qdrant-edge:wal",
        "qdrant-edge:flush",
        "zvec:flush",
        "lancedb",
        "chroma",
    ),
    ours=("vecstore:commit",),
    columns=(
        Column("rows_s", "rows/s with metadata", higher_is_better=True),
        Column("rows_s_bare", "rows/s, ids and vectors", higher_is_better=True),
    ),
    baselines={"machine:raw": raw_written, "machine:raw-fallocate": raw_allocated},
)
