"""The small interface that every engine is driven through. A driver converts and calls; it measures nothing."""

from __future__ import annotations

import importlib
import importlib.metadata
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from ..data import FloatArray, Metadata

Search = Callable[[FloatArray], Any]
Upsert = Callable[[str, FloatArray, Metadata], None]


class NotAvailableError(Exception):
    """The engine cannot take part in a scenario; the message is the reason the table shows."""


class Engine(ABC):
    """An engine in one of its variants. One is made in each process, and it drives one store at a time."""

    name: ClassVar[str]
    # The module and the distribution it comes from; the version in the table is the distribution's.
    module: ClassVar[str]
    distribution: ClassVar[str]
    # Each variant by name, with what an acknowledged write means in it; the first is the default.
    variants: ClassVar[Mapping[str, str]]
    # An engine without a store of its own is filled anew in each process that measures it.
    persistent: ClassVar[bool] = True
    # Rows that one call accepts, where there is a limit.
    rows_per_call: ClassVar[int | None] = None

    def __init__(self, variant: str | None = None) -> None:
        self.variant = variant or next(iter(self.variants))
        if self.variant not in self.variants:
            known = ", ".join(self.variants)
            raise NotAvailableError(f"{self.name} has no variant {self.variant!r}: {known}")
        self.library = self.import_library()

    @property
    def durability(self) -> str:
        return self.variants[self.variant]

    def parameters(self) -> dict[str, object]:
        """What was set other than by default, for the table."""
        return {}

    def version(self) -> str:
        return importlib.metadata.version(self.distribution)

    def import_library(self) -> ModuleType:
        try:
            return importlib.import_module(self.module)
        except ImportError as error:
            raise NotAvailableError(f"{self.module} is not installed ({error})") from error

    @abstractmethod
    def create(self, path: Path, dim: int) -> None:
        """Makes a new, empty store at a path that does not exist, and opens it."""

    @abstractmethod
    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:
        """Writes a batch in one call; when it returns, the rows are as durable as `durability` says."""

    @abstractmethod
    def exact_search(self, k: int) -> Search:
        """Returns the call for the exact k nearest rows, ids and scores, with nothing else fetched."""

    @abstractmethod
    def rows(self, result: Any) -> list[int]:
        """The row numbers of a result, best first. Not timed."""

    def open(self, path: Path) -> None:
        raise NotAvailableError("keeps no store on disk")

    def close(self) -> None:  # noqa: B027  (an engine in memory has nothing to close)
        """Closes the store; everything written is on disk."""

    def search(self, k: int, *, metadata: bool) -> Search:
        """Returns the call as a user makes it by default, with or without each row's metadata."""
        if metadata:
            raise NotAvailableError("stores no metadata")
        return self.exact_search(k)

    def upserter(self) -> Upsert:
        """Returns a call that writes one row; each thread asks for its own."""
        raise NotAvailableError("has no durable upsert of one row")
