from __future__ import annotations

from collections.abc import Callable

from benches.compare import filters
from benches.compare.engines.base import Engine
from benches.compare.scenarios.base import Built, Column, Context, K, Outcome, Scenario, finish, ready
from benches.compare.scenarios.sweep import add_points, speed

TARGET = 0.95
ENOUGH_RECALL = 0.99
WIDTHS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 512)
MOST_SECONDS = 2.0
QUERIES = 300
HOW = {
    "section": (
        "By `section`, a real field, some of whose values have little to do with the queries: one section, "
        "or the largest together."
    ),
    "installed_size": "By a range of `installed_size` around its median, a real field.",
    "bucket": "By a range of a random number, unrelated to everything.",
    "axis": (
        "By the rank along the direction in which the vectors vary most: each query may have only rows of "
        "the end farther from it."
    ),
}


def measure_kind(kind: str) -> Callable[[Engine, Context], Outcome]:
    def measure(engine: Engine, context: Context) -> Outcome:
        rows = context.rows
        queries = rows.queries[:QUERIES]
        cases = [
            (filter_, filters.neighbors(rows, filter_, K))
            for filter_ in filters.filters(rows, kind, len(queries))
        ]
        ready(engine, context)
        widths = [width for width in engine.widths if width in WIDTHS] or engine.widths
        figures: dict[str, float] = {"short": 0}
        notes = []
        for filter_, truth in cases:
            prefix = f"{filter_.share:g} "
            notes.append(f"{filter_.kept:.2%}")
            for width in widths:
                searches = [engine.filtered_search(K, width, condition) for condition in filter_.conditions]
                of_query = [searches[number] for number in filter_.of_query]
                measured = speed(of_query.__getitem__, queries, MOST_SECONDS)
                found = [engine.rows(result) for result in measured.results]
                reached = filters.recall(found, truth, K)
                figures[f"{prefix}recall@{width}"] = reached
                figures[f"{prefix}qps@{width}"] = measured.qps
                figures["short"] = max(figures["short"], filters.short_answers(found, truth, K))
                if reached >= ENOUGH_RECALL:
                    break
        finish(engine)
        return Outcome(figures, notes=[f"kept {', '.join(notes)} of the rows"])

    return measure


def _points(medians: dict[str, dict[str, float]]) -> None:
    for share in filters.SHARES:
        add_points(medians, (TARGET,), f"{share:g} ")


def _scenario(kind: str) -> Scenario:
    columns = []
    for number, share in enumerate(filters.SHARES):
        name, blank = f"{share:g} {TARGET:.2f}", " " * number
        columns.append(Column(f"qps at {name}", f"QPS, {share:.1%} kept", higher_is_better=True))
        columns.append(Column(f"recall at {name}", f"recall@10{blank}", 4))
    return Scenario(
        name=f"filtered_{kind}",
        title=f"Filtered search: {kind}",
        how=(
            f"{HOW[kind]} k={K}, ids and scores only, the first {QUERIES} queries one at a time on one "
            "pinned thread, fields indexed where an engine has indexes for them. The search width is swept; "
            "the table has the fastest measured point whose recall@10 against exact filtered search reaches "
            f"{TARGET}. `short` counts, at the worst point, the queries that got fewer than min(k, matches) "
            "rows."
        ),
        measure=measure_kind(kind),
        engines=(
            "vecstore:fast",
            "vecstore:int4",
            "qdrant-edge:int8-x2",
            "zvec:int8",
            "lancedb:hnsw-sq",
            "chroma:hnsw",
            "faiss:hnsw",
        ),
        ours=("vecstore:fast",),
        columns=(*columns, Column("short", "short")),
        pinned=True,
        needs=Built(filterable=True),
        derive=_points,
    )


SCENARIOS = tuple(_scenario(kind) for kind in filters.KINDS)
