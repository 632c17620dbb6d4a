from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from benches.compare.data import FloatArray, Metadata
from benches.compare.engines.base import (
    BUILD_WIDTH,
    FILTER_NUMBER_FIELDS,
    FILTER_TEXT_FIELDS,
    GRAPH_LINKS,
    WIDTHS,
    Condition,
    Search,
    Store,
    Upsert,
)

REFINE_FACTOR = 2


class LanceDb(Store):
    """A table with one column for each metadata field, without an index or with HNSW on 8-bit codes.

    A batch is `add`ed, its documented bulk load, which looks for no earlier row of the same id.
    """

    name = "lancedb"
    module = "lancedb"
    distribution = "lancedb"
    variants: ClassVar = {
        "default": "files written; no fsync documented",
        "hnsw-sq": "files written; no fsync documented",
    }
    indexed = frozenset({"hnsw-sq"})
    widths: ClassVar = tuple(width for width in WIDTHS if width >= 10 * REFINE_FACTOR)  # it takes no less

    def create(self, path: Path, dim: int) -> None:
        self._prepare(dim)
        self._table = self.library.connect(str(path)).create_table("rows", schema=self._schema)

    def open(self, path: Path) -> None:
        self._prepare(self.expected_dim)
        self._table = self.library.connect(str(path)).open_table("rows")

    def _prepare(self, dim: int) -> None:
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
        if self.filterable:
            self._columns.update(dict.fromkeys(FILTER_NUMBER_FIELDS, number))
        self._schema = arrow.schema(
            [("id", text), ("vector", arrow.list_(arrow.float32(), dim)), *self._columns.items()]
        )

    def settle(self) -> None:
        """Builds the index, or indexes what was added since; compacts the table's files."""
        if not self._table.list_indices():
            index = importlib.import_module("lancedb.index").HnswSq(
                distance_type="dot", num_partitions=1, m=GRAPH_LINKS, ef_construction=BUILD_WIDTH
            )
            self._table.create_index("vector", config=index)
            if self.filterable:
                for field in FILTER_TEXT_FIELDS:
                    self._table.create_scalar_index(field, index_type="BITMAP")
                for field in FILTER_NUMBER_FIELDS:
                    self._table.create_scalar_index(field, index_type="BTREE")
        self._table.optimize()

    def delete_many(self, ids: Sequence[str]) -> None:
        listed = ", ".join(f"'{row_id}'" for row_id in ids)
        self._table.delete(f"id IN ({listed})")

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
        return lambda row_id, vector, metadata: self.replace_many([row_id], vector.reshape(1, -1), [metadata])

    def replace_many(self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata]) -> None:
        merge = self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        merge.execute(self._batch(ids, vectors, metadata))

    def exact_search(self, k: int) -> Search:
        return self.search(k, metadata=False)

    def search(self, k: int, *, metadata: bool) -> Search:
        search = self._table.search
        if metadata:
            return lambda vector: search(vector).distance_type("dot").limit(k).to_list()
        return lambda vector: (
            search(vector).distance_type("dot").limit(k).select(["id", "_distance"]).to_list()
        )

    def index_search(self, k: int, width: float) -> Search:
        return self._index_searcher(k, width, None)

    def filtered_search(self, k: int, width: float, condition: Condition) -> Search:
        if condition.texts:
            texts = ", ".join(f"'{text}'" for text in condition.texts)
            return self._index_searcher(k, width, f"{condition.field} IN ({texts})")
        bounds = f"{condition.field} >= {condition.low} AND {condition.field} < {condition.high}"
        return self._index_searcher(k, width, bounds)

    def _index_searcher(self, k: int, width: float, where: str | None) -> Search:
        search, columns = self._table.search, ["id", "_distance"]

        def call(vector: FloatArray) -> Any:
            query = search(vector).distance_type("dot").ef(int(width)).refine_factor(REFINE_FACTOR)
            if where is not None:
                query = query.where(where, prefilter=True)
            return query.limit(k).select(columns).to_list()

        return call

    def rows(self, result: Any) -> list[int]:
        return [int(row["id"]) for row in result]

    def parameters(self) -> dict[str, object]:
        if self.variant == "default":
            return {"index": "none", "distance": "dot"}
        graph = {"index": "HnswSq", "m": GRAPH_LINKS, "ef_construction": BUILD_WIDTH, "num_partitions": 1}
        return {**graph, "refine_factor": REFINE_FACTOR, "distance": "dot"}
