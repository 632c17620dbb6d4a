from __future__ import annotations

import importlib
import importlib.metadata
import json
from types import ModuleType
from typing import Any

from benches.compare.data import FloatArray
from benches.compare.engines.base import NotAvailableError, Search
from benches.compare.engines.sqlite import Sqlite


class SqliteVec(Sqlite):
    """A vec0 table with the metadata, as JSON, in an auxiliary column.

    Row numbers are its integer keys, the fastest it has. vec0 has no INSERT OR REPLACE: rows are inserted,
    which is less work than an upsert. The distance is its default: L2 orders unit vectors as cosine does.
    """

    name = "sqlite-vec"
    module = "sqlite_vec"
    distribution = "sqlite-vec"

    TABLE = (
        "CREATE VIRTUAL TABLE rows USING vec0(id INTEGER PRIMARY KEY, vector FLOAT[{dim}], +metadata TEXT)"
    )
    INSERT = "INSERT INTO rows(id, vector, metadata) VALUES (?, ?, ?)"

    def import_library(self) -> ModuleType:
        if not hasattr(super().import_library().Connection, "enable_load_extension"):
            raise NotAvailableError("this Python's sqlite3 loads no extensions, and there is no pysqlite3")
        try:
            return importlib.import_module(self.module)
        except ImportError as error:
            raise NotAvailableError(f"{self.module} cannot be imported: {error}") from error

    def version(self) -> str:
        return f"{importlib.metadata.version(self.distribution)} (SQLite {super().version()})"

    def connect(self) -> Any:
        connection = super().connect()
        connection.enable_load_extension(True)
        self.library.load(connection)
        return connection

    @staticmethod
    def key(row_id: str) -> str | int:
        return int(row_id)

    def exact_search(self, k: int) -> Search:
        return self._select("id, distance", k)

    def search(self, k: int, *, metadata: bool) -> Search:
        if not metadata:
            return self.exact_search(k)
        select = self._select("id, distance, metadata", k)
        return lambda vector: [(row, distance, json.loads(text)) for row, distance, text in select(vector)]

    def _select(self, columns: str, k: int) -> Search:
        execute = self._connection.execute
        statement = f"SELECT {columns} FROM rows WHERE vector MATCH ? AND k = {int(k)} ORDER BY distance"

        def select(vector: FloatArray) -> Any:
            return execute(statement, (vector.tobytes(),)).fetchall()

        return select

    def rows(self, result: Any) -> list[int]:
        return [int(row[0]) for row in result]

    def parameters(self) -> dict[str, object]:
        return {"table": "vec0", "distance": "L2"}
