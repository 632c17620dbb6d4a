"""The closed stores and saved indexes that measurements open: built once, kept between runs if asked."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benches.compare.data import Rows
from benches.compare.engines import ENGINES
from benches.compare.scenarios import Built

OUTCOME_FILE, STORE = "outcome.json", "store"


@dataclass(frozen=True)
class BuiltStore:
    """A store, what building it cost, or the reason why there is none."""

    path: Path
    figures: dict[str, float]
    reason: str | None


class Stores:
    """A directory of stores. Each is named for all that it depends on, but for the settings of its driver."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, spec: str, built: Built, data: Path, build: Callable[[Path], dict[str, Any]]) -> BuiltStore:
        """Returns a store that is there, or has it built; a failed build is tried again in the next run."""
        folder = self._folder / _name(spec, built, data)
        file = folder / OUTCOME_FILE
        if not file.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a build that was interrupted
            folder.mkdir(parents=True)
            outcome = build(folder / STORE)
            if "not_available" in outcome:
                shutil.rmtree(folder)
                return BuiltStore(folder / STORE, {}, outcome["not_available"])
            file.write_text(json.dumps(outcome), encoding="utf-8")
        outcome = json.loads(file.read_text(encoding="utf-8"))
        return BuiltStore(folder / STORE, outcome["figures"], None)


def _name(spec: str, built: Built, data: Path) -> str:
    distribution = ENGINES[spec.partition(":")[0]].distribution
    try:
        # The hashes of a wheel's files: a build from a checkout keeps its version while its code changes.
        installed = importlib.metadata.distribution(distribution).read_text("RECORD")
    except importlib.metadata.PackageNotFoundError:
        installed = None
    rows = Rows(data)
    key = repr((spec, built, installed, rows.description, rows.shape))
    return f"{spec.replace(':', '-')}-{rows.count}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
