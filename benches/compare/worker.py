"""One measurement, or the building of one store, in this process: `python -m benches.compare.worker JSON`.

The outcome goes to a file, since libraries print.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benches.compare import data, filters
from benches.compare.engines import Engine, NotAvailableError, make
from benches.compare.scenarios import SCENARIOS, Context, Outcome, Scenario, build, expect


@dataclass(frozen=True)
class Job:
    """What one process does; with `build` it builds `store` for the scenario, and measures the building."""

    engine: str
    data: str
    work: str
    outcome: str
    scenario: str
    build: bool = False
    store: str | None = None
    core: int | None = None
    rust_call_command: str | None = None


def run(job: Job) -> dict[str, Any]:
    """Returns the outcome as JSON fields; `not_available` is the reason if there is none."""
    if job.core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {job.core})
    version = ""
    try:
        scenario, rows = SCENARIOS[job.scenario], data.Rows(Path(job.data))
        context = Context(rows, Path(job.work), Path(job.store) if job.store else None, job.rust_call_command)
        if job.engine in scenario.baselines:
            return asdict(scenario.baselines[job.engine](context))
        engine = make(job.engine)
        expect(engine, rows)
        version = engine.version()
        if job.build:
            outcome = _build(engine, context, scenario)
        else:
            if not scenario.only_queries:
                rows.load()
            outcome = scenario.measure(engine, context)
        outcome.parameters = {**engine.parameters(), **outcome.parameters}
        durability = engine.durability
    except NotAvailableError as reason:
        return {"version": version, "not_available": str(reason)}
    except Exception as error:
        if os.environ.get("VECSTORE_BENCH_TRACE"):
            raise
        return {"version": version, "not_available": f"failed: {type(error).__name__}: {error}"[:300]}
    return {"version": version, "durability": durability, **asdict(outcome)}


def _build(engine: Engine, context: Context, scenario: Scenario) -> Outcome:
    if scenario.needs is None or context.store is None:
        raise ValueError(f"scenario {scenario.name} needs nothing built")
    rows = scenario.needs.rows_of(context.rows)
    rows.load()
    fields = filters.fields(context.rows) if scenario.needs.filterable else None
    return build(engine, rows, context.store, fields)


if __name__ == "__main__":
    the_job = Job(**json.loads(sys.argv[1]))
    Path(the_job.outcome).write_text(json.dumps(run(the_job)), encoding="utf-8")
