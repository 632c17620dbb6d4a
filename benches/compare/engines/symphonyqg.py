from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from benches.compare.data import FloatArray
from benches.compare.engines.base import BUILD_WIDTH, GRAPH_DEGREE, InMemory, Search

QUANTIZATION_BITS = {"f32": 0, "int8": 8}
FILE = "symphonyqg"


class SymphonyQg(InMemory):
    """SymqgIndex of rabitqlib: neighbours' one-bit codes beside each row, rows as float32 or as int8."""

    name = "symphonyqg"
    module = "rabitqlib"
    distribution = "rabitqlib"
    variants: ClassVar = {"f32": "in memory", "int8": "in memory"}
    indexed = frozenset(variants)

    def load(self, vectors: FloatArray) -> None:
        self._index = self.library.SymqgIndex(
            dim=vectors.shape[1],
            max_degree=GRAPH_DEGREE,
            metric="l2",
            quantization_bits=QUANTIZATION_BITS[self.variant],
        )
        self._index.build(vectors, BUILD_WIDTH, num_threads=os.cpu_count() or 1)

    def save(self, directory: Path) -> None:
        self._index.save(str(directory / FILE))

    def restore(self, directory: Path) -> None:
        self._index = self.library.SymqgIndex.load(str(directory / FILE))

    def index_search(self, k: int, width: float) -> Search:
        search, ef = self._index.search, int(width)
        return lambda vector: search(vector.reshape(1, -1), k, ef)

    def batch_search(self, k: int, width: float, threads: int) -> Search:
        search, ef = self._index.search_batch, int(width)
        return lambda vectors: search(vectors, k, ef, threads)

    def rows(self, result: Any) -> list[int]:
        return [int(row) for row in result[0][0]]

    def parameters(self) -> dict[str, object]:
        return {
            "max_degree": GRAPH_DEGREE,
            "ef_construction": BUILD_WIDTH,
            "metric": "l2",
            "quantization_bits": QUANTIZATION_BITS[self.variant],
        }
