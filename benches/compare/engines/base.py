"""The small interface that every engine is driven through. A driver converts and calls; it times nothing."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benches.compare.data import FloatArray, Metadata

Search = Callable[[FloatArray], Any]
TextSearch = Callable[[str], Any]
# Takes an id, a vector and its metadata.
Upsert = Callable[[str, FloatArray, Metadata], None]

# The search widths that a graph is swept over, close enough that the first past a recall is not far past it.
WIDTHS = (10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 400, 512)
GRAPH_LINKS = 16  # HNSW's M; a graph of one layer has a degree of twice that, as HNSW's base layer
GRAPH_DEGREE = 2 * GRAPH_LINKS
BUILD_WIDTH = 200
# What filters ask about; a store that indexes fields indexes these, if it is made `filterable`.
FILTER_TEXT_FIELDS = ("section",)
FILTER_NUMBER_FIELDS = ("installed_size", "bucket", "axis")


def available_cores() -> int:
    """The cores that this process may use: one, if it is pinned."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class NotAvailableError(Exception):
    """The engine cannot take part in a scenario; the message is the reason that the table shows."""


@dataclass(frozen=True)
class Condition:
    """A filter on one field: one of some texts, or a number from `low` up to but not including `high`."""

    field: str
    texts: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    # The rows it keeps, for libraries that filter by rows and not by metadata.
    mask: NDArray[np.bool_] | None = None


class Engine(ABC):
    """An engine in one of its variants: `InMemory` or a `Store`. Each process makes one."""

    name: ClassVar[str]
    # The module, and the distribution whose version the table states.
    module: ClassVar[str]
    distribution: ClassVar[str]
    # Each variant with what an acknowledged write means in it; the first is the default.
    variants: ClassVar[Mapping[str, str]]
    # The variants with an index, which is built ahead and searched at a width: the others search every row.
    indexed: ClassVar[frozenset[str]] = frozenset()
    # Variants that search what another variant builds.
    built_as: ClassVar[Mapping[str, str]] = {}
    # The search's width by the engine's own name for it, and the values it is swept over, fastest first.
    width_name: ClassVar[str] = "ef"
    widths: ClassVar[Sequence[float]] = WIDTHS
    # The width where nothing is swept.
    usual_width: ClassVar[float] = 64

    def __init__(self, variant: str | None = None) -> None:
        self.variant = variant or next(iter(self.variants))
        if self.variant not in self.variants:
            raise NotAvailableError(f"no variant {self.variant!r}: {', '.join(self.variants)}")
        self.library = self.import_library()

    @property
    def durability(self) -> str:
        return self.variants[self.variant]

    def parameters(self) -> dict[str, object]:
        """What the driver chose, for the table."""
        return {}

    def version(self) -> str:
        return importlib.metadata.version(self.distribution)

    def import_library(self) -> ModuleType:
        try:
            return importlib.import_module(self.module)
        except ImportError as error:
            raise NotAvailableError(f"{self.module} cannot be imported: {error}") from error

    def exact_search(self, k: int) -> Search:
        """Returns the call for the exact k nearest rows: ids and scores, nothing else fetched."""
        raise NotAvailableError(f"has no exact search for the {k} nearest rows")

    def search(self, k: int, *, metadata: bool) -> Search:
        """Returns the call as it is made by default, with or without the metadata of each row found."""
        if metadata:
            raise NotAvailableError("stores no metadata")
        return self.exact_search(k)

    def warm_up(self, k: int, queries: FloatArray) -> None:
        """Searches until what searching sets off in the background is done; most have nothing of the kind."""
        del k, queries

    def index_search(self, k: int, width: float) -> Search:
        """Returns the call for about the k nearest rows by the index: ids and scores, nothing else."""
        del width
        raise NotAvailableError(f"variant {self.variant!r} has no index to search for {k} rows")

    def filtered_search(self, k: int, width: float, condition: Condition) -> Search:
        """Returns the same call for the rows that a filter keeps."""
        del k, width
        raise NotAvailableError(f"cannot filter by {condition.field}, or its Python package cannot")

    def batch_search(self, k: int, width: float, threads: int) -> Search:
        """Returns the call that searches for each row of a matrix, on so many threads."""
        del width, threads
        raise NotAvailableError(f"has no call for the {k} nearest rows of a batch of queries")

    def batch_rows(self, result: Any) -> list[list[int]]:
        """The row numbers of what a batch search returned, a list a query. Not timed."""
        rows: list[list[int]] = np.asarray(result[0]).tolist()
        return rows

    def load_texts(self, path: Path, ids: Sequence[str], texts: Sequence[str]) -> None:
        """Indexes texts on one thread, at a path that does not exist; when it returns, all are searchable."""
        raise NotAvailableError(f"indexes no texts, {len(ids)} and {len(texts)}, at {path.name}")

    def text_search(self, k: int) -> TextSearch:
        """Returns the call for the k best texts for some words, any of which may match: ids and scores."""
        raise NotAvailableError(f"has no search for the {k} best texts")

    def text_rows(self, result: Any) -> list[tuple[str, float]]:
        """The ids and scores of what a text search returned, best first. Not timed."""
        raise NotAvailableError(f"searches no texts, and so returned no {result!r}")

    def add_text(self, row: str, text: str) -> None:
        """Adds one text; when it returns, it is durable and searchable."""
        raise NotAvailableError(f"adds no text {row}: {text}")

    def adds_texts(self) -> bool:
        return type(self).add_text is not Engine.add_text

    def rows(self, result: Any) -> list[int]:
        """The row numbers of what a search returned, best first. Not timed."""
        raise NotAvailableError(f"searches nothing, and so returned no {result!r}")


class InMemory(Engine):
    """A library over vectors in memory, filled anew in each process; ids are row numbers."""

    @abstractmethod
    def load(self, vectors: FloatArray) -> None:
        """Takes all vectors at once, and builds the index if the variant has one, on all cores."""

    def save(self, directory: Path) -> None:
        """Writes the index into an empty directory, with all that `restore` needs."""
        raise NotAvailableError(f"saves nothing to {directory.name}")

    def restore(self, directory: Path) -> None:
        """Reads a saved index, ready to search on one thread."""
        raise NotAvailableError(f"restores nothing from {directory.name}")


class Store(Engine):
    """A database on disk. An object drives one open store at a time."""

    # Rows that one call accepts, where there is a limit.
    rows_per_call: ClassVar[int | None] = None
    # Set before `create` and `open`: whether the fields of filters are indexed, and the rows to expect.
    filterable = False
    expected_rows = 0
    expected_dim = 0

    @abstractmethod
    def create(self, path: Path, dim: int) -> None:
        """Makes a new store at a path that does not exist, and opens it."""

    @abstractmethod
    def open(self, path: Path) -> None:
        """Opens a closed store."""

    @abstractmethod
    def close(self) -> None:
        """Closes the store; everything written is in its files."""

    @abstractmethod
    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:
        """Writes a batch in one call; when it returns, the rows are as durable as `durability` says."""

    def replace_many(self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata]) -> None:
        """Writes a batch over rows that are there; `upsert_many` of some looks for no earlier row."""
        self.upsert_many(ids, vectors, metadata)

    def settle(self) -> None:
        """Finishes building the index of what was written."""
        raise NotAvailableError(f"variant {self.variant!r} has no index to build")

    def delete_many(self, ids: Sequence[str]) -> None:
        """Deletes rows in one call."""
        raise NotAvailableError(f"no driver for deleting {len(ids)} rows")

    @abstractmethod
    def upserter(self) -> Upsert:
        """Returns the call that writes one row, as durably; each thread asks for its own."""
