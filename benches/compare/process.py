"""Starts a worker for each measurement, so that no engine sees another's memory, threads or settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benches.compare.worker import Job

REPOSITORY = Path(__file__).resolve().parents[2]
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
# Settings of the machine that would choose other kernels for numpy than its own detection does.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def run(job: Job, timeout_seconds: float) -> dict[str, Any]:
    """Runs a job and returns its outcome; a crash or a timeout is a reason like any other."""
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    environment["ANONYMIZED_TELEMETRY"] = "False"
    if job.core is not None:
        environment.update(dict.fromkeys(ONE_THREAD, "1"))
    outcome = Path(job.outcome)
    outcome.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benches.compare.worker", json.dumps(asdict(job))]
    try:
        finished = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=environment,
            timeout=timeout_seconds,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"not_available": f"took longer than {timeout_seconds:.0f} s"}
    if finished.returncode != 0 or not outcome.exists():
        if os.environ.get("VECSTORE_BENCH_TRACE"):
            sys.stderr.write(finished.stderr)
        last = (finished.stderr.strip().splitlines() or ["no message"])[-1]
        return {"not_available": f"its process ended with {finished.returncode}: {last}"[:300]}
    result: dict[str, Any] = json.loads(outcome.read_text(encoding="utf-8"))
    return result
