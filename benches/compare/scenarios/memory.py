from __future__ import annotations

from benches.compare.data import recall
from benches.compare.engines.base import Engine
from benches.compare.measure import resident_bytes
from benches.compare.scenarios.base import Built, Column, Context, K, Outcome, Scenario, finish, ready
from benches.compare.scenarios.recall_qps import SCENARIO as RECALL_QPS

TARGET = 0.99


def measure(engine: Engine, context: Context) -> Outcome:
    """Resident memory once all queries were asked at each width up to the one that reaches the target."""
    rows = context.rows
    queries, neighbors = rows.queries, rows.neighbors
    before = resident_bytes()
    ready(engine, context)
    figures: dict[str, float] = {}
    for width in engine.widths:
        search = engine.index_search(K, width)
        found = [engine.rows(search(query)) for query in queries]
        figures["recall"] = recall(found, neighbors, K)
        if figures["recall"] >= TARGET or "own_row" not in figures:
            own, mapped = (now - then for now, then in zip(resident_bytes(), before))
            figures["own_row"] = own / rows.count
            figures["mapped_row"] = mapped / rows.count
            figures["row"] = (own + mapped) / rows.count
            figures["over_raw"] = (own + mapped) / rows.raw_bytes
            figures["total_mb"] = (own + mapped) / 1e6
        if figures["recall"] >= TARGET:
            break
    finish(engine)
    return Outcome(figures)


SCENARIO = Scenario(
    name="memory",
    title="Memory that searching keeps hot",
    how=(
        f"What opening, and asking all queries at each search width until recall@10 reaches {TARGET}, adds "
        "to the resident memory of a process that holds nothing else: its own, and pages of mapped files "
        "that were touched, in bytes for each row. An engine that maps its files keeps in memory what "
        "queries touch; 1,000 queries do not touch all of a large index. Not timed."
    ),
    measure=measure,
    engines=RECALL_QPS.engines,
    ours=("vecstore:fast", "vecstore:int4"),
    columns=(
        Column("row", "bytes a row", higher_is_better=False),
        Column("over_raw", "/ raw f32", 2),
        Column("own_row", "own"),
        Column("mapped_row", "mapped"),
        Column("total_mb", "MB", 1),
        Column("recall", "recall@10", 4),
        Column("disk_over_raw", "disk / raw f32", 2),
    ),
    needs=Built(),
    only_queries=True,
)
