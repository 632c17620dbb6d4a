from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..data import FloatArray, Metadata
from .base import Engine, NotAvailableError, Search, Upsert
from .sqlite import SYNCHRONOUS, connect, import_sqlite


class SqliteVec(Engine):
    """A vec0 table with the metadata, as JSON, in an auxiliary column.

    Row numbers are its integer keys, the fastest it has. vec0 has no INSERT OR REPLACE: rows are inserted, which is
    less work than an upsert. The distance is its default, L2, the fastest; unit vectors have the same order by it.
    """

    name = "sqlite-vec"
    module = "sqlite_vec"
    distribution = "sqlite-vec"
    variants = SYNCHRONOUS

    INSERT = "INSERT INTO rows(id, vector, metadata) VALUES (?, ?, ?)"

    def import_library(self) -> ModuleType:
        library = super().import_library()
        self._sqlite = import_sqlite()
        if not hasattr(self._sqlite.Connection, "enable_load_extension"):
            raise NotAvailableError(
                "this Python's sqlite3 loads no extensions, and pysqlite3 is not installed"
            )
        return library

    def version(self) -> str:
        return f"{importlib.metadata.version(self.distribution)} (SQLite {self._sqlite.sqlite_version})"

    def create(self, path: Path, dim: int) -> None:
        path.mkdir(parents=True)
        self.open(path)
        self._connection.execute(
            f"CREATE VIRTUAL TABLE rows USING vec0(id INTEGER PRIMARY KEY, vector FLOAT[{dim}], +metadata TEXT)"
        )

    def open(self, path: Path) -> None:
        self._file = path / "rows.sqlite"
        self._connection = self._connect()

    def close(self) -> None:
        self._connection.close()

    def _connect(self) -> Any:
        connection = connect(self._sqlite, self._file, self.variant)
        connection.enable_load_extension(True)
        self.library.load(connection)
        return connection

    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:
        texts = map(json.dumps, metadata) if metadata is not None else [None] * len(ids)
        blobs = (vector.tobytes() for vector in vectors)
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(self.INSERT, zip(map(int, ids), blobs, texts))
        self._connection.execute("COMMIT")

    def upserter(self) -> Upsert:
        execute = self._connect().execute
        return lambda id, vector, metadata: execute(
            self.INSERT, (int(id), vector.tobytes(), json.dumps(metadata))
        )

    def exact_search(self, k: int) -> Search:
        return self._select("id, distance", k)

    def search(self, k: int, *, metadata: bool) -> Search:
        if not metadata:
            return self.exact_search(k)
        select = self._select("id, distance, metadata", k)
        return lambda vector: [
            (id, distance, json.loads(text) if text else None) for id, distance, text in select(vector)
        ]

    def _select(self, columns: str, k: int) -> Search:
        execute = self._connection.execute
        statement = f"SELECT {columns} FROM rows WHERE vector MATCH ? AND k = {int(k)} ORDER BY distance"
        return lambda vector: execute(statement, (vector.tobytes(),)).fetchall()

    def rows(self, result: Any) -> list[int]:
        return [int(row[0]) for row in result]

    def parameters(self) -> dict[str, object]:
        return {"table": "vec0", "distance": "L2"}
