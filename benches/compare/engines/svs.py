from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from benches.compare.data import FloatArray
from benches.compare.engines.base import BUILD_WIDTH, GRAPH_DEGREE, InMemory, Search

# Bits of the first code and of its residual; a residual reranks.
LVQ_BITS = {"lvq8": (8, 0), "lvq4x8": (4, 8)}
FOLDERS = ("config", "graph", "vectors")
ALPHA = 1.2  # its documented value for L2


class Svs(InMemory):
    """A static Vamana graph over float16, or over the library's own codes (LVQ)."""

    name = "svs"
    module = "svs"
    distribution = "scalable-vs"
    variants: ClassVar = {"f16": "in memory", "lvq4x8": "in memory", "lvq8": "in memory"}
    indexed = frozenset(variants)
    width_name = "search_window_size"

    def load(self, vectors: FloatArray) -> None:
        svs, threads = self.library, os.cpu_count() or 1
        parameters = svs.VamanaBuildParameters(
            graph_max_degree=GRAPH_DEGREE, window_size=BUILD_WIDTH, alpha=ALPHA
        )
        if self.variant == "f16":
            self._index = svs.Vamana.build(
                parameters, vectors.astype(np.float16), svs.L2, num_threads=threads
            )
            return
        # Codes are made from a file only.
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder, "vectors.fvecs"))
            svs.write_vecs(vectors, file)
            loader = svs.VectorDataLoader(file, svs.DataType.float32, dims=vectors.shape[1])
            codes = svs.LVQLoader(loader, *LVQ_BITS[self.variant])
            self._index = svs.Vamana.build(parameters, codes, svs.L2, num_threads=threads)

    def save(self, directory: Path) -> None:
        self._index.save(*(str(directory / folder) for folder in FOLDERS))

    def restore(self, directory: Path) -> None:
        svs = self.library
        config, graph, vectors = (str(directory / folder) for folder in FOLDERS)
        if self.variant == "f16":
            data = svs.VectorDataLoader(vectors, svs.DataType.float16)
        else:
            data = svs.LVQLoader(vectors)
        self._index = svs.Vamana(config, svs.GraphLoader(graph), data, svs.L2, num_threads=1)

    def index_search(self, k: int, width: float) -> Search:
        self._index.search_window_size = int(width)
        search = self._index.search
        return lambda vector: search(vector, k)

    def batch_search(self, k: int, width: float, threads: int) -> Search:
        self._index.search_window_size = int(width)
        self._index.num_threads = threads
        search = self._index.search
        return lambda vectors: search(vectors, k)

    def rows(self, result: Any) -> list[int]:
        return [int(row) for row in result[0][0]]

    def parameters(self) -> dict[str, object]:
        return {"index": "Vamana", "degree": GRAPH_DEGREE, "window": BUILD_WIDTH, "alpha": ALPHA}
