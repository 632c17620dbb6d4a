from __future__ import annotations

from typing import Any, ClassVar

from benches.compare.data import FloatArray
from benches.compare.engines.base import InMemory, Search


class Usearch(InMemory):
    """usearch.index.search with exact=True: its brute force over a matrix, without an index."""

    name = "usearch"
    module = "usearch.index"
    distribution = "usearch"
    variants: ClassVar = {"exact": "in memory"}

    def load(self, vectors: FloatArray) -> None:
        self._matrix = vectors

    def exact_search(self, k: int) -> Search:
        search, metric, matrix = self.library.search, self.library.MetricKind.IP, self._matrix
        return lambda vector: search(matrix, vector, k, metric, exact=True, threads=1)

    def rows(self, result: Any) -> list[int]:
        return [int(row) for row in result.keys]

    def parameters(self) -> dict[str, object]:
        return {"metric": "ip", "exact": True, "threads": 1}
