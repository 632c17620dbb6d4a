from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from benches.compare.data import FloatArray, Metadata
from benches.compare.engines.base import NotAvailableError, Search, Store, Upsert

STRING_FIELDS = ("name", "section", "priority", "architecture", "version", "text")
INTEGER_FIELDS = ("installed_size",)


class Zvec(Store):
    """A collection with a flat index and one typed column for each metadata field."""

    name = "zvec"
    module = "zvec"
    distribution = "zvec"
    variants: ClassVar = {
        "wal": "no fsync until flush or close",
        "flush": "flush() after each call",
    }
    rows_per_call = 1_024

    def import_library(self) -> ModuleType:
        library = super().import_library()
        library.init(log_level=library.LogLevel.ERROR)
        return library

    def create(self, path: Path, dim: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        z = self.library
        schema = z.CollectionSchema(
            name="rows",
            fields=[z.FieldSchema(field, z.DataType.STRING, nullable=True) for field in STRING_FIELDS]
            + [z.FieldSchema(field, z.DataType.INT64, nullable=True) for field in INTEGER_FIELDS],
            vectors=[
                z.VectorSchema(
                    "vector",
                    z.DataType.VECTOR_FP32,
                    dim,
                    index_param=z.FlatIndexParam(metric_type=z.MetricType.COSINE),
                )
            ],
        )
        self._collection = z.create_and_open(str(path), schema)

    def open(self, path: Path) -> None:
        self._collection = self.library.open(str(path))

    def close(self) -> None:
        self._collection.close()

    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:
        doc = self.library.Doc
        records: Sequence[Metadata | None] = [None] * len(ids) if metadata is None else metadata
        self._upsert(
            [
                doc(id=row_id, vectors={"vector": vector}, fields=record)
                for row_id, vector, record in zip(ids, vectors, records)
            ]
        )

    def _upsert(self, docs: list[Any]) -> None:
        for status in self._collection.upsert(docs):
            if not status.ok():
                raise NotAvailableError(f"upsert failed: {status}")
        if self.variant == "flush":
            self._collection.flush()

    def upserter(self) -> Upsert:
        doc = self.library.Doc
        return lambda row_id, vector, metadata: self._upsert(
            [doc(id=row_id, vectors={"vector": vector}, fields=metadata)]
        )

    def exact_search(self, k: int) -> Search:
        return self._searcher(k, [])

    def search(self, k: int, *, metadata: bool) -> Search:
        return self._searcher(k, None if metadata else [])

    def _searcher(self, k: int, output_fields: list[str] | None) -> Search:
        query, request = self._collection.query, self.library.Query
        return lambda vector: query(request("vector", vector=vector), topk=k, output_fields=output_fields)

    def rows(self, result: Any) -> list[int]:
        return [int(doc.id) for doc in result]

    def parameters(self) -> dict[str, object]:
        return {"index": "flat", "metric": "cosine", "optimize()": "not called"}
