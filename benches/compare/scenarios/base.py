"""What a scenario is: how one engine is measured in a process of its own, and what its table shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benches.compare.data import MetadataRows, Rows
from benches.compare.engines.base import Engine, InMemory, NotAvailableError, Store
from benches.compare.measure import disk_bytes, peak_resident_bytes, stopwatch

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
class Built:
    """What is built once in a run, or kept from an earlier one: a closed store, or a saved index."""

    # Whether fields that filters ask about are stored and indexed.
    filterable: bool = False
    # The last rows that are left out, for a measurement to add: at most a quarter of all.
    held_back: int = 0

    def rows_of(self, rows: Rows) -> Rows:
        """The rows it is built from."""
        held_back = min(self.held_back, rows.count // 4)
        return rows.first(rows.count - held_back) if held_back else rows


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
    # What it measures and a process of its own builds before: none if it builds what it needs.
    needs: Built | None = None
    # Whether it needs nothing of the rows but the queries, so that the process's memory is the engine's.
    only_queries: bool = False
    derive: Derive | None = None


def as_store(engine: Engine) -> Store:
    """The engine as one that writes to disk, which some scenarios need."""
    if not isinstance(engine, Store):
        raise NotAvailableError("keeps no store on disk")
    return engine


def fill(store: Store, rows: Rows, filter_fields: MetadataRows | None = None) -> None:
    """Writes all rows with metadata in batches of `BATCH_ROWS`, fewer where a call takes fewer."""
    for batch in batches(store, 0, rows.count):
        write(store, rows, batch, filter_fields)


def batches(store: Store, start: int, stop: int) -> Iterator[slice]:
    """The rows from `start` to `stop` in slices that one call takes."""
    step = min(BATCH_ROWS, store.rows_per_call or BATCH_ROWS)
    for at in range(start, stop, step):
        yield slice(at, min(at + step, stop))


def write(store: Store, rows: Rows, batch: slice, filter_fields: MetadataRows | None = None) -> None:
    metadata = rows.metadata[batch]
    if filter_fields is not None:
        metadata = [{**own, **more} for own, more in zip(metadata, filter_fields[batch])]
    store.upsert_many(rows.ids[batch], rows.vectors[batch], metadata)


def build(engine: Engine, rows: Rows, path: Path, filter_fields: MetadataRows | None = None) -> Outcome:
    """Makes the closed store, or the saved index, that `needs` asks for; its index, if any, is settled."""
    if isinstance(engine, Store):
        expect(engine, rows)
        engine.filterable = filter_fields is not None
        engine.create(path, rows.dim)
        # From the first rows acknowledged: what making the store costs is not the index's.
        first, *rest = batches(engine, 0, rows.count)
        write(engine, rows, first, filter_fields)
        with stopwatch() as watch:
            for batch in rest:
                write(engine, rows, batch, filter_fields)
            if engine.variant in engine.indexed:
                engine.settle()
        engine.close()
    elif isinstance(engine, InMemory):
        with stopwatch() as watch:
            engine.load(rows.vectors)
        path.mkdir()
        engine.save(path)
    size = disk_bytes(path)
    return Outcome(
        {
            "build_s": watch.wall_seconds,
            "build_cpu_s": watch.cpu_seconds,
            "build_peak_mb": peak_resident_bytes() / 1e6,
            "disk_mb": size / 1e6,
            "disk_over_raw": size / rows.raw_bytes,
        }
    )


def expect(engine: Engine, rows: Rows) -> None:
    """Tells a store what it is about to hold, which a setting may follow."""
    if isinstance(engine, Store):
        engine.expected_rows, engine.expected_dim = rows.shape


def ready(engine: Engine, context: Context) -> None:
    """Opens the closed store, reads the saved index, or fills an engine in memory."""
    if context.store is None:
        if isinstance(engine, InMemory):
            engine.load(context.rows.vectors)
    elif isinstance(engine, InMemory):
        engine.restore(context.store)
    elif isinstance(engine, Store):
        engine.open(context.store)


def finish(engine: Engine) -> None:
    """Closes a store."""
    if isinstance(engine, Store):
        engine.close()
