from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, ClassVar

from benches.compare.data import FloatArray
from benches.compare.engines.base import BUILD_WIDTH, GRAPH_LINKS, InMemory, Search

INDEX_FILE, SHAPE_FILE = "hnswlib.bin", "shape.json"


class Hnswlib(InMemory):
    """BFIndex, hnswlib's brute force; or its HNSW."""

    name = "hnswlib"
    module = "hnswlib"
    distribution = "hnswlib"
    variants: ClassVar = {"bruteforce": "in memory", "hnsw": "in memory"}
    indexed = frozenset({"hnsw"})

    def load(self, vectors: FloatArray) -> None:
        count, dim = vectors.shape
        if self.variant == "bruteforce":
            self._index = self.library.BFIndex("ip", dim)
            self._index.init_index(count)
            self._index.set_num_threads(1)
        else:
            self._index = self.library.Index("ip", dim)
            self._index.init_index(count, ef_construction=BUILD_WIDTH, M=GRAPH_LINKS)
            self._index.set_num_threads(os.cpu_count() or 1)
        self._index.add_items(vectors, range(count))

    def save(self, directory: Path) -> None:
        self._index.save_index(str(directory / INDEX_FILE))
        (directory / SHAPE_FILE).write_text(json.dumps({"dim": self._index.dim}), encoding="utf-8")

    def restore(self, directory: Path) -> None:
        shape = json.loads((directory / SHAPE_FILE).read_text(encoding="utf-8"))
        self._index = self.library.Index("ip", shape["dim"])
        self._index.load_index(str(directory / INDEX_FILE))
        self._index.set_num_threads(1)

    def exact_search(self, k: int) -> Search:
        if self.variant != "bruteforce":
            return super().exact_search(k)
        knn_query = self._index.knn_query
        return lambda vector: knn_query(vector, k)

    def index_search(self, k: int, width: float) -> Search:
        self._index.set_ef(int(width))
        knn_query = self._index.knn_query
        return lambda vector: knn_query(vector, k, 1)

    def batch_search(self, k: int, width: float, threads: int) -> Search:
        self._index.set_ef(int(width))
        knn_query = self._index.knn_query
        return lambda vectors: knn_query(vectors, k, threads)

    def rows(self, result: Any) -> list[int]:
        return [int(row) for row in result[0][0]]

    def parameters(self) -> dict[str, object]:
        if self.variant == "bruteforce":
            return {"index": "BFIndex", "space": "ip"}
        return {"index": "HNSW", "space": "ip", "M": GRAPH_LINKS, "ef_construction": BUILD_WIDTH}
