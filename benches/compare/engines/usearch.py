from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from benches.compare.data import FloatArray
from benches.compare.engines.base import BUILD_WIDTH, GRAPH_LINKS, InMemory, Search

FILE = "index.usearch"


class Usearch(InMemory):
    """usearch.index.search with exact=True, its brute force over a matrix; or its HNSW over float16."""

    name = "usearch"
    module = "usearch.index"
    distribution = "usearch"
    variants: ClassVar = {"exact": "in memory", "f16": "in memory"}
    indexed = frozenset({"f16"})
    width_name = "expansion_search"

    def load(self, vectors: FloatArray) -> None:
        if self.variant == "exact":
            self._matrix = vectors
            return
        self._index = self.library.Index(
            ndim=vectors.shape[1],
            metric=self.library.MetricKind.IP,
            dtype="f16",
            connectivity=GRAPH_LINKS,
            expansion_add=BUILD_WIDTH,
        )
        self._index.add(np.arange(len(vectors)), vectors, threads=os.cpu_count() or 1)

    def save(self, directory: Path) -> None:
        self._index.save(str(directory / FILE))

    def restore(self, directory: Path) -> None:
        self._index = self.library.Index.restore(str(directory / FILE))

    def exact_search(self, k: int) -> Search:
        if self.variant != "exact":
            return super().exact_search(k)
        search, metric, matrix = self.library.search, self.library.MetricKind.IP, self._matrix
        return lambda vector: search(matrix, vector, k, metric, exact=True, threads=1)

    def index_search(self, k: int, width: float) -> Search:
        self._index.expansion_search = int(width)
        search = self._index.search
        return lambda vector: search(vector, k, threads=1)

    def batch_search(self, k: int, width: float, threads: int) -> Search:
        self._index.expansion_search = int(width)
        search = self._index.search
        return lambda vectors: search(vectors, k, threads=threads)

    def rows(self, result: Any) -> list[int]:
        return [int(row) for row in result.keys]

    def batch_rows(self, result: Any) -> list[list[int]]:
        rows: list[list[int]] = result.keys.tolist()
        return rows

    def parameters(self) -> dict[str, object]:
        if self.variant == "exact":
            return {"metric": "ip", "exact": True, "threads": 1}
        return {"metric": "ip", "dtype": "f16", "connectivity": GRAPH_LINKS, "expansion_add": BUILD_WIDTH}
