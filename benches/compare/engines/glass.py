from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from benches.compare.data import FloatArray
from benches.compare.engines.base import BUILD_WIDTH, GRAPH_DEGREE, InMemory, Search

GRAPH_FILE, VECTORS_FILE = "graph.glass", "vectors.npy"


class Glass(InMemory):
    """An HNSW built on 8-bit codes and searched on 4-bit ones, reranked on float32.

    It saves the graph alone and encodes the vectors again at each start: its files are both.
    """

    name = "glass"
    module = "glass"
    distribution = "pyglass-portable"
    variants: ClassVar = {"sq4u": "in memory", "sq8u": "in memory"}
    indexed = frozenset(variants)

    def load(self, vectors: FloatArray) -> None:
        self._vectors = vectors
        index = self.library.Index("HNSW", "L2", "SQ8U", R=GRAPH_DEGREE, L=BUILD_WIDTH)
        self._graph = index.build(vectors)

    def save(self, directory: Path) -> None:
        self._graph.save(str(directory / GRAPH_FILE))
        np.save(directory / VECTORS_FILE, self._vectors)

    def restore(self, directory: Path) -> None:
        graph = self.library.Graph(str(directory / GRAPH_FILE))
        vectors = np.asarray(np.load(directory / VECTORS_FILE, mmap_mode="c"))
        self._searcher = self.library.Searcher(graph, vectors, "L2", self.variant.upper(), "FP32")
        self.library.set_num_threads(1)
        self._searcher.set_ef(BUILD_WIDTH)
        self._searcher.optimize(1)  # finds its prefetch distances

    def index_search(self, k: int, width: float) -> Search:
        self._searcher.set_ef(int(width))
        search = self._searcher.search
        return lambda vector: search(vector, k)

    def batch_search(self, k: int, width: float, threads: int) -> Search:
        self._searcher.set_ef(int(width))
        search = self._searcher.batch_search
        return lambda vectors: search(vectors, k, threads)

    def rows(self, result: Any) -> list[int]:
        return [int(row) for row in np.ravel(result[0])]

    def parameters(self) -> dict[str, object]:
        codes = {"build": "SQ8U", "search": self.variant.upper(), "refine": "FP32"}
        return {"index": "HNSW", "R": GRAPH_DEGREE, "L": BUILD_WIDTH, **codes}
