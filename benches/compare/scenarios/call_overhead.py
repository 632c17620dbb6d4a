from __future__ import annotations

import json
import shlex
import subprocess

from benches.compare.data import FloatArray, exact_neighbors, recall
from benches.compare.engines.base import Engine, InMemory, NotAvailableError, Search
from benches.compare.measure import MICROSECONDS, median, stopwatch
from benches.compare.scenarios.base import Column, Context, K, Outcome, Scenario, as_store, finish

STORE_ROWS = 100
WARM_UP_CALLS = 200
BLOCKS = 7
BLOCK_SECONDS = 0.2
OURS = "vecstore"
RUST = "vecstore (Rust)"
KINDS = ("metadata", "ids")


def measure(engine: Engine, context: Context) -> Outcome:
    rows = context.rows
    vectors = rows.vectors[:STORE_ROWS]
    if isinstance(engine, InMemory):
        engine.load(vectors)
    else:
        store = as_store(engine)
        store.create(context.work / "store", rows.dim)
        store.upsert_many(rows.ids[:STORE_ROWS], vectors, rows.metadata[:STORE_ROWS])
    queries = list(rows.queries)
    outcome = Outcome({})
    for kind in KINDS:
        try:
            search = engine.search(K, metadata=kind == "metadata")
        except NotAvailableError as reason:
            outcome.notes.append(str(reason))
            continue
        outcome.figures[f"{kind}_us"] = _call_seconds(search, queries) * MICROSECONDS
        found = [engine.rows(search(query)) for query in queries[:STORE_ROWS]]
        outcome.figures["recall"] = recall(found, exact_neighbors(vectors, rows.queries[:STORE_ROWS], K), K)
    finish(engine)
    return outcome


def _call_seconds(search: Search, queries: list[FloatArray]) -> float:
    """The median over blocks of the mean of a call: short calls are not timed one by one."""
    calls = [queries[number % len(queries)] for number in range(WARM_UP_CALLS)]
    with stopwatch() as watch:
        for query in calls:
            search(query)
    mean_seconds = watch.wall_seconds / len(calls)
    count = max(20, int(BLOCK_SECONDS / mean_seconds))
    block = [queries[number % len(queries)] for number in range(count)]
    means = []
    for _ in range(BLOCKS):
        with stopwatch() as watch:
            for query in block:
                search(query)
        means.append(watch.wall_seconds / count)
    return median(means)


def rust_call(context: Context) -> Outcome:
    """Runs the command given; its last line of output is JSON with `metadata_us` and `ids_us`."""
    if context.rust_call_command is None:
        raise NotAvailableError("no --rust-call-command given")
    output = subprocess.run(
        shlex.split(context.rust_call_command), capture_output=True, text=True, check=True
    ).stdout
    printed = json.loads(output.strip().splitlines()[-1])
    return Outcome({f"{kind}_us": float(printed[f"{kind}_us"]) for kind in KINDS if f"{kind}_us" in printed})


def subtract_rust(medians: dict[str, dict[str, float]]) -> None:
    ours, rust = medians.get(OURS, {}), medians.get(RUST, {})
    for kind in KINDS:
        key = f"{kind}_us"
        if key in ours and key in rust:
            ours[f"{kind}_over_rust_us"] = ours[key] - rust[key]


SCENARIO = Scenario(
    name="call_overhead",
    title="What one call costs",
    how=(
        f"query() with k={K} on a store of {STORE_ROWS} rows, default settings, on one pinned thread: the "
        f"median of {BLOCKS} blocks of calls of {BLOCK_SECONDS} s each."
    ),
    measure=measure,
    engines=(OURS, "sqlite-vec", "qdrant-edge", "zvec", "lancedb", "chroma", "faiss", "usearch", "numpy"),
    ours=(OURS,),
    columns=(
        Column("metadata_us", "with metadata us", 1, higher_is_better=False),
        Column("ids_us", "ids and scores us", 1, higher_is_better=False),
        Column("recall", "recall@10", 4),
        Column("metadata_over_rust_us", "over Rust, with metadata us", 1),
        Column("ids_over_rust_us", "over Rust, ids us", 1),
    ),
    baselines={RUST: rust_call},
    pinned=True,
    derive=subtract_rust,
)
