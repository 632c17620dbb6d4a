"""SQLite with vectors as blobs and metadata as JSON text: the plain durable baseline. It searches nothing."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from benches.compare.data import FloatArray, Metadata
from benches.compare.engines.base import Store, Upsert

BUSY_TIMEOUT_SECONDS = 60


class Sqlite(Store):
    name = "sqlite"
    module = "sqlite3"
    distribution = "sqlite3"
    variants: ClassVar = {
        "full": "WAL, synchronous=FULL: fsync in each commit",
        "normal": "WAL, synchronous=NORMAL: fsync at checkpoints only",
    }

    TABLE = "CREATE TABLE rows(id TEXT PRIMARY KEY, vector BLOB, metadata TEXT)"
    INSERT = "INSERT OR REPLACE INTO rows(id, vector, metadata) VALUES (?, ?, ?)"

    def import_library(self) -> ModuleType:
        self.sqlite = self._sqlite()
        return self.sqlite

    def version(self) -> str:
        return str(self.sqlite.sqlite_version)

    def create(self, path: Path, dim: int) -> None:
        path.mkdir(parents=True)
        self.open(path)
        self._connection.execute(self.TABLE.format(dim=dim))

    def open(self, path: Path) -> None:
        self._file = path / "rows.sqlite"
        self._connection = self.connect()

    def close(self) -> None:
        self._connection.close()

    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:
        texts = map(json.dumps, metadata) if metadata is not None else [None] * len(ids)
        blobs = (vector.tobytes() for vector in vectors)
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(self.INSERT, zip(map(self.key, ids), blobs, texts))
        self._connection.execute("COMMIT")

    def upserter(self) -> Upsert:
        execute = self.connect().execute
        insert, key = self.INSERT, self.key
        return lambda row_id, vector, metadata: execute(
            insert, (key(row_id), vector.tobytes(), json.dumps(metadata))
        )

    def connect(self) -> Any:
        """Opens a connection in WAL mode that begins and commits only when told."""
        connection = self.sqlite.connect(
            str(self._file), isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_SECONDS
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={self.variant.upper()}")
        return connection

    @staticmethod
    def key(row_id: str) -> str | int:
        """The primary key that stands for an id."""
        return row_id

    @staticmethod
    def _sqlite() -> ModuleType:
        """The interpreter's sqlite3 if it loads extensions, else pysqlite3: one SQLite for both drivers."""
        own = importlib.import_module("sqlite3")
        if hasattr(own.Connection, "enable_load_extension"):
            return own
        try:
            return importlib.import_module("pysqlite3")
        except ImportError:
            return own
