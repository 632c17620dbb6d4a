from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from benches.compare.data import FloatArray, Metadata
from benches.compare.engines.base import (
    BUILD_WIDTH,
    FILTER_NUMBER_FIELDS,
    FILTER_TEXT_FIELDS,
    GRAPH_LINKS,
    Condition,
    NotAvailableError,
    Search,
    Store,
    Upsert,
)

STRING_FIELDS = ("name", "section", "priority", "architecture", "version", "text")
INTEGER_FIELDS = ("installed_size",)


class Zvec(Store):
    """A collection with a flat index, or HNSW on codes with refinement; a typed column for each field."""

    name = "zvec"
    module = "zvec"
    distribution = "zvec"
    variants: ClassVar = {
        "wal": "no fsync until flush or close",
        "flush": "flush() after each call",
        "int8": "no fsync until flush or close",
    }
    indexed = frozenset({"int8"})
    rows_per_call: ClassVar[int] = 1_024

    def import_library(self) -> ModuleType:
        library = super().import_library()
        library.init(log_level=library.LogLevel.ERROR)
        return library

    def create(self, path: Path, dim: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        z = self.library
        schema = z.CollectionSchema(
            name="rows",
            fields=self._fields(),
            vectors=[
                z.VectorSchema(
                    "vector",
                    z.DataType.VECTOR_FP32,
                    dim,
                    index_param=self._index_param(),
                )
            ],
        )
        self._collection = z.create_and_open(str(path), schema)

    def _fields(self) -> list[Any]:
        z = self.library
        kinds = dict.fromkeys(STRING_FIELDS, z.DataType.STRING)
        kinds.update(dict.fromkeys(INTEGER_FIELDS, z.DataType.INT64))
        if self.filterable:
            kinds.update(dict.fromkeys(FILTER_NUMBER_FIELDS, z.DataType.INT64))
        indexes = {}
        if self.filterable:
            indexes = dict.fromkeys(FILTER_TEXT_FIELDS, z.InvertIndexParam())
            ranges = z.InvertIndexParam(enable_range_optimization=True)
            indexes.update(dict.fromkeys(FILTER_NUMBER_FIELDS, ranges))
        return [
            z.FieldSchema(field, kind, nullable=True, index_param=indexes.get(field))
            for field, kind in kinds.items()
        ]

    def _index_param(self) -> Any:
        z = self.library
        if self.variant != "int8":
            return z.FlatIndexParam(metric_type=z.MetricType.COSINE)
        return z.HnswIndexParam(
            metric_type=z.MetricType.COSINE,
            m=GRAPH_LINKS,
            ef_construction=BUILD_WIDTH,
            quantize_type=z.QuantizeType.INT8,
            use_contiguous_memory=True,
        )

    def settle(self) -> None:
        self._collection.optimize()

    def delete_many(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), self.rows_per_call):
            self._collection.delete(list(ids[start : start + self.rows_per_call]))

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

    def index_search(self, k: int, width: float) -> Search:
        return self._index_searcher(k, width, None)

    def filtered_search(self, k: int, width: float, condition: Condition) -> Search:
        if condition.texts:
            texts = ", ".join(f"'{text}'" for text in condition.texts)
            return self._index_searcher(k, width, f"{condition.field} IN ({texts})")
        bounds = f"{condition.field} >= {condition.low} AND {condition.field} < {condition.high}"
        return self._index_searcher(k, width, bounds)

    def _index_searcher(self, k: int, width: float, filter_: str | None) -> Search:
        query, request = self._collection.query, self.library.Query
        param = self.library.HnswQueryParam(ef=int(width), is_using_refiner=True)
        return lambda vector: query(
            request("vector", vector=vector, param=param), topk=k, filter=filter_, output_fields=[]
        )

    def rows(self, result: Any) -> list[int]:
        return [int(doc.id) for doc in result]

    def parameters(self) -> dict[str, object]:
        if self.variant != "int8":
            return {"index": "flat", "metric": "cosine", "optimize()": "not called"}
        graph = {"index": "HNSW", "m": GRAPH_LINKS, "ef_construction": BUILD_WIDTH}
        return {**graph, "quantize_type": "INT8", "refiner": True, "contiguous memory": True}
