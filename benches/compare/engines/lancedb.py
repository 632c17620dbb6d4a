from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from benches.compare.data import FloatArray, Metadata
from benches.compare.engines.base import Search, Store, Upsert


class LanceDb(Store):
    """A table without an index, with one column for each metadata field.

    A batch is `add`ed, its documented bulk load, which looks for no earlier row of the same id.
    """

    name = "lancedb"
    module = "lancedb"
    distribution = "lancedb"
    variants: ClassVar = {"default": "files written; no fsync documented"}

    def create(self, path: Path, dim: int) -> None:
        arrow = importlib.import_module("pyarrow")
        self._arrow = arrow
        text, number = arrow.string(), arrow.int64()
        self._columns = {
            "name": text,
            "section": text,
            "priority": text,
            "installed_size": number,
            "architecture": text,
            "version": text,
            "text": text,
        }
        self._schema = arrow.schema(
            [("id", text), ("vector", arrow.list_(arrow.float32(), dim)), *self._columns.items()]
        )
        self._table = self.library.connect(str(path)).create_table("rows", schema=self._schema)

    def open(self, path: Path) -> None:
        self._table = self.library.connect(str(path)).open_table("rows")

    def close(self) -> None:
        del self._table

    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:
        self._table.add(self._batch(ids, vectors, metadata))

    def _batch(self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None) -> Any:
        arrow = self._arrow
        flat = arrow.array(vectors.reshape(-1))
        columns = [arrow.array(ids), arrow.FixedSizeListArray.from_arrays(flat, vectors.shape[1])]
        for field, kind in self._columns.items():
            values = [record[field] for record in metadata] if metadata is not None else [None] * len(ids)
            columns.append(arrow.array(values, kind))
        return arrow.Table.from_arrays(columns, schema=self._schema)

    def upserter(self) -> Upsert:
        def upsert(row_id: str, vector: FloatArray, metadata: Metadata) -> None:
            merge = self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
            merge.execute(self._batch([row_id], vector.reshape(1, -1), [metadata]))

        return upsert

    def exact_search(self, k: int) -> Search:
        return self.search(k, metadata=False)

    def search(self, k: int, *, metadata: bool) -> Search:
        search = self._table.search
        if metadata:
            return lambda vector: search(vector).distance_type("dot").limit(k).to_list()
        return lambda vector: (
            search(vector).distance_type("dot").limit(k).select(["id", "_distance"]).to_list()
        )

    def rows(self, result: Any) -> list[int]:
        return [int(row["id"]) for row in result]

    def parameters(self) -> dict[str, object]:
        return {"index": "none", "distance": "dot"}
