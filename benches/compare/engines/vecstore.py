from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from benches.compare.data import FloatArray, Metadata
from benches.compare.engines.base import Condition, Search, Store, TextSearch, Upsert

# What an index variant asks for beyond the defaults.
OPTIONS: dict[str, dict[str, object]] = {
    "fast": {},
    "compact": {},  # and a memory budget, which `create` and `open` know
    "int8": {"quantization": "int8"},
    "int4": {"quantization": "int4"},
    "f32": {"quantization": "none"},
}
# The compact layout needs under a third of the float32 bytes, the fast one more than all of them.
COMPACT_BUDGET_OVER_RAW = 0.75
WARM_UP_SECONDS = 20.0
FLOAT_BYTES = 4
RECALLS = (0.8, 0.88, 0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995)


class VecStore(Store):
    name = "vecstore"
    module = "vecstore"
    distribution = "vecstore"
    variants: ClassVar = {
        "commit": "fsync before each call returns",
        "interval": "fsync in the background, at intervals",
        "none": "no fsync until close",
        **dict.fromkeys(OPTIONS, "fsync before each call returns"),
    }
    indexed = frozenset(OPTIONS)
    width_name = "recall"
    widths = RECALLS
    usual_width = 0.95

    def create(self, path: Path, dim: int) -> None:
        self._open(path, self.expected_rows * dim * FLOAT_BYTES, dim=dim)

    def open(self, path: Path) -> None:
        self._open(path, self.expected_rows * self.expected_dim * FLOAT_BYTES)

    def _open(self, path: Path, raw_bytes: int, **options: object) -> None:
        self._path, self._raw_bytes = path, raw_bytes
        if self.variant not in OPTIONS:
            options["durability"] = self.variant
        else:
            options.update(OPTIONS[self.variant])
        if self.variant == "compact":
            options["memory_budget"] = int(COMPACT_BUDGET_OVER_RAW * raw_bytes)
        self._store = self.library.VecStore(path, **options)

    def close(self) -> None:
        self._store.close()

    def settle(self) -> None:
        self._store.optimize()

    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:
        self._store.upsert_many(ids, vectors, metadata)

    def upserter(self) -> Upsert:
        upsert: Upsert = self._store.upsert
        return upsert

    def delete_many(self, ids: Sequence[str]) -> None:
        self._store.delete_many(ids)

    def exact_search(self, k: int) -> Search:
        query = self._store.query
        return lambda vector: query(vector, k, exact=True, include=())

    def search(self, k: int, *, metadata: bool) -> Search:
        query = self._store.query
        if metadata:
            return lambda vector: query(vector, k)
        return lambda vector: query(vector, k, include=())

    def index_search(self, k: int, width: float) -> Search:
        query = self._store.query
        return lambda vector: query(vector, k, recall=width, include=())

    def warm_up(self, k: int, queries: FloatArray) -> None:
        # After 1,000 searches it copies what they read all over to memory, in a thread of its own.
        deadline = time.monotonic() + WARM_UP_SECONDS
        while not self._store.stats().resident_bytes and time.monotonic() < deadline:
            for query in queries:
                self._store.query(query, k, include=())

    def filtered_search(self, k: int, width: float, condition: Condition) -> Search:
        query = self._store.query
        kept: dict[str, object] = (
            {"$in": list(condition.texts)}
            if condition.texts
            else {"$gte": condition.low, "$lt": condition.high}
        )
        filter_ = {condition.field: kept}
        return lambda vector: query(vector, k, filter_, recall=width, include=())

    def batch_search(self, k: int, width: float, threads: int) -> Search:
        self.close()
        self._open(self._path, self._raw_bytes, threads=threads)
        query_batch = self._store.query_batch
        return lambda vectors: query_batch(vectors, k, recall=width)

    def batch_rows(self, result: Any) -> list[list[int]]:
        rows: list[list[int]] = np.asarray(result.ids).astype(np.int64).tolist()
        return rows

    def rows(self, result: Any) -> list[int]:
        return [int(neighbor.id) for neighbor in result]

    def load_texts(self, path: Path, ids: Sequence[str], texts: Sequence[str]) -> None:
        self._store = self.library.VecStore(path, dim=2)
        vectors = np.tile(np.array([[1.0, 0.0]], np.float32), (len(ids), 1))
        for start in range(0, len(ids), 5_000):
            batch = slice(start, start + 5_000)
            self._store.upsert_many(ids[batch], vectors[batch], texts=texts[batch])
        # Rows in memory are indexed by the first search.
        self._store.text_query(texts[0][:100])

    def text_search(self, k: int) -> TextSearch:
        self._store.compact()
        query = self._store.text_query
        return lambda words: query(words, k, include=())

    def text_rows(self, result: Any) -> list[tuple[str, float]]:
        return [(neighbor.id, neighbor.score) for neighbor in result]

    def add_text(self, row: str, text: str) -> None:
        self._store.upsert(row, [1.0, 0.0], text=text)
        if [neighbor.id for neighbor in self._store.text_query(text.split()[-1], 1)] != [row]:
            raise RuntimeError(f"{row} is not found")

    def parameters(self) -> dict[str, object]:
        if self.variant == "compact":
            return {"memory_budget": f"{COMPACT_BUDGET_OVER_RAW} x the float32 bytes"}
        return OPTIONS.get(self.variant, {})
