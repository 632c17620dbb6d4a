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

from benches.compare import data
from benches.compare.engines import NotAvailableError, make
from benches.compare.scenarios import SCENARIOS, Context, Outcome, build


@dataclass(frozen=True)
class Job:
    """What one process does; `store` alone, without a scenario, means that it is to be built."""

    engine: str
    data: str
    work: str
    outcome: str
    scenario: str | None = None
    store: str | None = None
    core: int | None = None
    rust_call_command: str | None = None


def run(job: Job) -> dict[str, Any]:
    """Returns the outcome as JSON fields; `not_available` is the reason if there is none."""
    if job.core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {job.core})
    version = ""
    try:
        rows = data.load(Path(job.data))
        context = Context(rows, Path(job.work), Path(job.store) if job.store else None, job.rust_call_command)
        scenario = SCENARIOS[job.scenario] if job.scenario else None
        if scenario is not None and job.engine in scenario.baselines:
            return asdict(scenario.baselines[job.engine](context))
        engine = make(job.engine)
        version = engine.version()
        if scenario is None:
            if context.store is not None:
                build(engine, rows, context.store)
            outcome = Outcome({})
        else:
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


if __name__ == "__main__":
    the_job = Job(**json.loads(sys.argv[1]))
    Path(the_job.outcome).write_text(json.dumps(run(the_job)), encoding="utf-8")
