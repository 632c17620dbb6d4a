from __future__ import annotations

import subprocess
import sys

from benches.compare.engines.base import Engine
from benches.compare.measure import MILLISECONDS, median, seconds_of
from benches.compare.scenarios.base import Column, Context, Outcome, Scenario

RUNS = 11
COUNT_MODULES = "import sys; before = set(sys.modules); import {}; print(len(set(sys.modules) - before))"


def measure(engine: Engine, context: Context) -> Outcome:  # noqa: ARG001
    code = f"import {engine.module}"
    modules = int(
        _run(COUNT_MODULES.format(engine.module))
    )  # also warms the page cache and the compiled files
    bare, imported = [], []
    for _ in range(RUNS):
        bare.append(seconds_of(lambda: _run("pass")))
        imported.append(seconds_of(lambda: _run(code)))
    return Outcome(
        {
            "over_ms": (median(imported) - median(bare)) * MILLISECONDS,
            "import_ms": median(imported) * MILLISECONDS,
            "bare_ms": median(bare) * MILLISECONDS,
            "modules": modules,
        },
        parameters={"code": code},
    )


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


SCENARIO = Scenario(
    name="import_time",
    title="Importing the library",
    how=(
        f"`python -c 'import ...'` and `python -c pass` by turns, {RUNS} times each, files in the page "
        "cache; the medians and their difference, and how many modules the import loads. Not pinned."
    ),
    measure=measure,
    engines=(
        "vecstore",
        "numpy",
        "sqlite-vec",
        "qdrant-edge",
        "faiss",
        "usearch",
        "hnswlib",
        "zvec",
        "lancedb",
        "chroma",
    ),
    ours=("vecstore",),
    columns=(
        Column("over_ms", "over bare Python ms", 1, higher_is_better=False),
        Column("import_ms", "with import ms", 1),
        Column("bare_ms", "bare Python ms", 1),
        Column("modules", "modules loaded"),
    ),
)
