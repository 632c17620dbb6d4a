"""The small interface that every engine is driven through. A driver converts and calls; it times nothing."""

from __future__ import annotations

import importlib
import importlib.metadata
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from benches.compare.data import FloatArray, Metadata

Search = Callable[[FloatArray], Any]
# Takes an id, a vector and its metadata.
Upsert = Callable[[str, FloatArray, Metadata], None]


class NotAvailableError(Exception):
    """The engine cannot take part in a scenario; the message is the reason that the table shows."""


class Engine(ABC):
    """An engine in one of its variants: `InMemory` or a `Store`. Each process makes one."""

    name: ClassVar[str]
    # The module, and the distribution whose version the table states.
    module: ClassVar[str]
    distribution: ClassVar[str]
    # Each variant with what an acknowledged write means in it; the first is the default.
    variants: ClassVar[Mapping[str, str]]

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

    def rows(self, result: Any) -> list[int]:
        """The row numbers of what a search returned, best first. Not timed."""
        raise NotAvailableError(f"searches nothing, and so returned no {result!r}")


class InMemory(Engine):
    """A library over vectors in memory, filled anew in each process; ids are row numbers."""

    @abstractmethod
    def load(self, vectors: FloatArray) -> None:
        """Takes all vectors at once."""


class Store(Engine):
    """A database on disk. An object drives one open store at a time."""

    # Rows that one call accepts, where there is a limit.
    rows_per_call: ClassVar[int | None] = None

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

    @abstractmethod
    def upserter(self) -> Upsert:
        """Returns the call that writes one row, as durably; each thread asks for its own."""
