"""SQLite with vectors as blobs and metadata as JSON text: the plain durable baseline. It searches nothing."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..data import FloatArray, Metadata
from .base import Engine, NotAvailableError, Search, Upsert

SYNCHRONOUS = {
    "full": "WAL, synchronous=FULL: fsync in each commit",
    "normal": "WAL, synchronous=NORMAL: fsync at checkpoints only",
}
BUSY_TIMEOUT_SECONDS = 60


def import_sqlite() -> ModuleType:
    """The interpreter's own sqlite3 if it loads extensions, else pysqlite3: one SQLite for both drivers."""
    own = importlib.import_module("sqlite3")
    if hasattr(own.Connection, "enable_load_extension"):
        return own
    try:
        return importlib.import_module("pysqlite3")
    except ImportError:
        return own


def connect(library: ModuleType, path: Path, synchronous: str) -> Any:
    """Opens a connection in WAL mode that begins and commits only when told."""
    connection = library.connect(
        str(path), isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_SECONDS
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous.upper()}")
    return connection


class Sqlite(Engine):
    name = "sqlite"
    module = "sqlite3"
    distribution = "sqlite3"
    variants = SYNCHRONOUS

    INSERT = "INSERT OR REPLACE INTO rows(id, vector, metadata) VALUES (?, ?, ?)"

    def import_library(self) -> ModuleType:
        return import_sqlite()

    def version(self) -> str:
        return str(self.library.sqlite_version)

    def create(self, path: Path, dim: int) -> None:  # noqa: ARG002
        path.mkdir(parents=True)
        self.open(path)
        self._connection.execute("CREATE TABLE rows(id TEXT PRIMARY KEY, vector BLOB, metadata TEXT)")

    def open(self, path: Path) -> None:
        self._file = path / "rows.sqlite"
        self._connection = connect(self.library, self._file, self.variant)

    def close(self) -> None:
        self._connection.close()

    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:
        texts = map(json.dumps, metadata) if metadata is not None else [None] * len(ids)
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(self.INSERT, zip(ids, (vector.tobytes() for vector in vectors), texts))
        self._connection.execute("COMMIT")

    def upserter(self) -> Upsert:
        execute = connect(self.library, self._file, self.variant).execute
        return lambda id, vector, metadata: execute(self.INSERT, (id, vector.tobytes(), json.dumps(metadata)))

    def exact_search(self, k: int) -> Search:
        raise NotAvailableError("SQLite alone has no vector search")

    def rows(self, result: Any) -> list[int]:
        raise NotAvailableError("SQLite alone has no vector search")
