from __future__ import annotations

import itertools
import threading
import time

from benches.compare.data import Rows
from benches.compare.engines.base import Engine, Store, Upsert
from benches.compare.machine import SYNC_RECORD_BYTES, SyncFile
from benches.compare.measure import MICROSECONDS, median, percentile, seconds_of
from benches.compare.scenarios.base import Column, Context, Outcome, Scenario, as_store

WARM_UP = 50
PAIRS = 500
LEAST_PAIRS = 20
BUDGET_SECONDS = 15.0
RATE_SECONDS = 2.0
THREADS = 8
SYNC_FILE_BYTES = 4 << 20


def measure(engine: Engine, context: Context) -> Outcome:
    rows = context.rows
    store = as_store(engine)
    store.create(context.work / "store", rows.dim)
    numbers = itertools.count()
    upsert = store.upserter()
    sync_file = SyncFile(context.work / "sync", SYNC_FILE_BYTES)
    record = bytes(SYNC_RECORD_BYTES)
    for _ in range(WARM_UP):
        _upsert(upsert, rows, next(numbers))
        sync_file.write(record)
    upserts: list[float] = []
    syncs: list[float] = []
    deadline = time.perf_counter() + BUDGET_SECONDS
    while len(upserts) < PAIRS and (len(upserts) < LEAST_PAIRS or time.perf_counter() < deadline):
        number = next(numbers)
        upserts.append(seconds_of(lambda number=number: _upsert(upsert, rows, number)))  # type: ignore[misc]
        syncs.append(seconds_of(lambda: sync_file.write(record)))
    sync_file.close()
    outcome = Outcome(
        {
            "p50_us": median(upserts) * MICROSECONDS,
            "p99_us": percentile(upserts, 99) * MICROSECONDS,
            "sync_p50_us": median(syncs) * MICROSECONDS,
            "over_sync_us": (median(upserts) - median(syncs)) * MICROSECONDS,
            "count": len(upserts),
        }
    )
    one = _rate(store, rows, numbers, 1)
    outcome.figures["rate_1"] = one
    try:
        many = _rate(store, rows, numbers, THREADS)
    except ThreadFailedError as error:
        outcome.notes.append(f"{THREADS} threads: {error}")
    else:
        outcome.figures["rate_8"] = many
        outcome.figures["rate_8_over_1"] = many / one
    store.close()
    return outcome


class ThreadFailedError(Exception):
    """An upsert failed in one of several threads."""


def _upsert(upsert: Upsert, rows: Rows, number: int) -> None:
    row = number % rows.count
    upsert(str(number), rows.vectors[row], rows.metadata[row])


def _rate(store: Store, rows: Rows, numbers: itertools.count[int], threads: int) -> float:
    """Upserts a second of all threads together, over `RATE_SECONDS`."""
    done = [0] * threads
    failures: list[Exception] = []
    start = threading.Barrier(threads + 1)
    upserters = [store.upserter() for _ in range(threads)]
    stop = threading.Event()

    def work(thread: int) -> None:
        start.wait()
        try:
            while not stop.is_set():
                _upsert(upserters[thread], rows, next(numbers))
                done[thread] += 1
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(thread,)) for thread in range(threads)]
    for worker in workers:
        worker.start()
    start.wait()
    began = time.perf_counter()
    time.sleep(RATE_SECONDS)
    stop.set()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - began
    if failures:
        raise ThreadFailedError(f"{type(failures[0]).__name__}: {failures[0]}")
    return sum(done) / seconds


def fdatasync_alone(context: Context) -> Outcome:
    """The floor: one record written into a preallocated file and fdatasync'ed, nothing in between."""
    sync_file = SyncFile(context.work / "sync", SYNC_FILE_BYTES)
    record = bytes(SYNC_RECORD_BYTES)
    for _ in range(WARM_UP):
        sync_file.write(record)
    syncs = [seconds_of(lambda: sync_file.write(record)) for _ in range(PAIRS)]
    sync_file.close()
    return Outcome(
        {
            "p50_us": median(syncs) * MICROSECONDS,
            "p99_us": percentile(syncs, 99) * MICROSECONDS,
            "count": len(syncs),
            "rate_1": len(syncs) / sum(syncs),
        }
    )


SCENARIO = Scenario(
    name="single_upsert",
    title="Upserting one row at a time",
    how=(
        f"One row with metadata a call, on one thread, {PAIRS} calls after {WARM_UP} (or "
        f"{BUDGET_SECONDS:.0f} s of them), each followed by a {SYNC_RECORD_BYTES:,} byte pwrite and "
        "fdatasync into another preallocated file: `sync` is that write's median, `over sync` the "
        f"difference of the medians. Rates are of {RATE_SECONDS:.0f} s without the interleaved write, by "
        f"1 and by {THREADS} threads together. Not pinned."
    ),
    measure=measure,
    engines=(
        "vecstore:commit",
        "vecstore:interval",
        "vecstore:none",
        "sqlite:full",
        "sqlite:normal",
        "sqlite-vec:full",
        "qdrant-edge:wal",
        "qdrant-edge:flush",
        "zvec:wal",
        "zvec:flush",
        "lancedb",
        "chroma",
    ),
    ours=("vecstore:commit",),
    columns=(
        Column("p50_us", "median us", 1, higher_is_better=False),
        Column("p99_us", "p99 us", 1),
        Column("sync_p50_us", "sync us", 1),
        Column("over_sync_us", "over sync us", 1),
        Column("count", "calls"),
        Column("rate_1", "rows/s, 1 thread"),
        Column("rate_8", "rows/s, 8 threads", higher_is_better=True),
        Column("rate_8_over_1", "8 over 1", 2),
    ),
    baselines={"machine:fdatasync": fdatasync_alone},
)
