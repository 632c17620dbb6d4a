"""The scenarios by name, in the order in which they run."""

from __future__ import annotations

from benches.compare.scenarios import (
    call_overhead,
    durable_call,
    flat,
    import_time,
    open_store,
    recall_qps,
    single_upsert,
    upsert_many,
)
from benches.compare.scenarios.base import Built, Context, Outcome, Scenario, build

SCENARIOS: dict[str, Scenario] = {
    module.SCENARIO.name: module.SCENARIO
    for module in (
        flat,
        upsert_many,
        durable_call,
        single_upsert,
        open_store,
        call_overhead,
        import_time,
        recall_qps,
    )
}

__all__ = ["SCENARIOS", "Built", "Context", "Outcome", "Scenario", "build"]
