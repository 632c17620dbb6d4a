"""The scenarios by name, in the order in which they run."""

from __future__ import annotations

from . import call_overhead, durable_call, flat, import_time, open, single_upsert, upsert_many
from .base import Context, Outcome, Scenario, build

SCENARIOS: dict[str, Scenario] = {
    module.SCENARIO.name: module.SCENARIO
    for module in (flat, upsert_many, durable_call, single_upsert, open, call_overhead, import_time)
}

__all__ = ["SCENARIOS", "Context", "Outcome", "Scenario", "build"]
