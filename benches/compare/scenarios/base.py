"""What a scenario is: how one engine is measured in a process of its own, and what its table shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benches.compare.data import Rows
from benches.compare.engines.base import Engine, InMemory, NotAvailableError, Store

K = 10
BATCH_ROWS = 1_000


@dataclass
class Outcome:
    """The figures of one measurement by column key, and what is worth saying about them."""

    figures: dict[str, float]
    notes: list[str] = field(default_factory=list)
    parameters: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a measurement is given: data, an empty directory, the closed store if the scenario needs one."""

    rows: Rows
    work: Path
    store: Path | None
    rust_call_command: str | None


@dataclass(frozen=True)
class Column:
    key: str
    heading: str
    digits: int = 0
    # With a ratio, a column `us/peer` follows for each of ours; it says which way is better.
    higher_is_better: bool | None = None

    @property
    def has_ratio(self) -> bool:
        return self.higher_is_better is not None


Measure = Callable[[Engine, Context], Outcome]
Baseline = Callable[[Context], Outcome]
# Adds figures that need more than one engine's medians, in place.
Derive = Callable[[dict[str, dict[str, float]]], None]


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    how: str
    measure: Measure
    engines: Sequence[str]
    ours: Sequence[str]
    columns: Sequence[Column]
    # What the machine itself does, measured in the same run in a process of its own.
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    # Whether the process is bound to one core, with one thread in every pool that can be told.
    pinned: bool = False
    # Whether it measures a closed store of all rows, built once in a run by a process of its own.
    needs_store: bool = False
    derive: Derive | None = None


def as_store(engine: Engine) -> Store:
    """The engine as one that writes to disk, which some scenarios need."""
    if not isinstance(engine, Store):
        raise NotAvailableError("keeps no store on disk")
    return engine


def fill(store: Store, rows: Rows) -> None:
    """Writes all rows with metadata in batches of `BATCH_ROWS`, fewer where a call takes fewer."""
    step = min(BATCH_ROWS, store.rows_per_call or BATCH_ROWS)
    for start in range(0, rows.count, step):
        batch = slice(start, start + step)
        store.upsert_many(rows.ids[batch], rows.vectors[batch], rows.metadata[batch])


def build(engine: Engine, rows: Rows, path: Path) -> None:
    """Makes the closed store that `needs_store` asks for; an engine in memory has none."""
    if isinstance(engine, Store):
        engine.create(path, rows.dim)
        fill(engine, rows)
        engine.close()


def ready(engine: Engine, context: Context) -> None:
    """Opens the closed store, or fills an engine in memory."""
    if isinstance(engine, InMemory):
        engine.load(context.rows.vectors)
    elif isinstance(engine, Store) and context.store is not None:
        engine.open(context.store)


def finish(engine: Engine) -> None:
    """Closes a store."""
    if isinstance(engine, Store):
        engine.close()
