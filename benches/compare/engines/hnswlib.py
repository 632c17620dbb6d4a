from __future__ import annotations

from typing import Any, ClassVar

from benches.compare.data import FloatArray
from benches.compare.engines.base import InMemory, Search


class Hnswlib(InMemory):
    """BFIndex: hnswlib's brute force."""

    name = "hnswlib"
    module = "hnswlib"
    distribution = "hnswlib"
    variants: ClassVar = {"bruteforce": "in memory"}

    def load(self, vectors: FloatArray) -> None:
        count, dim = vectors.shape
        self._index = self.library.BFIndex("ip", dim)
        self._index.init_index(count)
        self._index.set_num_threads(1)
        self._index.add_items(vectors, range(count))

    def exact_search(self, k: int) -> Search:
        knn_query = self._index.knn_query
        return lambda vector: knn_query(vector, k)

    def rows(self, result: Any) -> list[int]:
        return [int(row) for row in result[0][0]]

    def parameters(self) -> dict[str, object]:
        return {"index": "BFIndex", "space": "ip"}
