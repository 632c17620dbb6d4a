"""The scenarios by name, in the order in which they run."""

from __future__ import annotations

from benches.compare.scenarios import (
    batch,
    call_overhead,
    churn,
    durable_call,
    filtered,
    flat,
    import_time,
    memory,
    open_index,
    open_store,
    rag,
    recall_qps,
    single_upsert,
    texts,
    upsert_many,
    young,
)
from benches.compare.scenarios.base import Built, Context, Outcome, Scenario, build, expect

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        recall_qps.SCENARIO,
        batch.SCENARIO,
        *filtered.SCENARIOS,
        young.SCENARIO,
        churn.SCENARIO,
        memory.SCENARIO,
        open_index.SCENARIO,
        flat.SCENARIO,
        upsert_many.SCENARIO,
        durable_call.SCENARIO,
        single_upsert.SCENARIO,
        open_store.SCENARIO,
        call_overhead.SCENARIO,
        texts.SCENARIO,
        texts.MANY_SCENARIO,
        import_time.SCENARIO,
        *rag.SCENARIOS,
    )
}

__all__ = ["SCENARIOS", "Built", "Context", "Outcome", "Scenario", "build", "expect"]
