from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from benches.compare.data import FloatArray
from benches.compare.engines.base import InMemory, Search


class Numpy(InMemory):
    """A matrix-vector product and argpartition: what one writes without a library."""

    name = "numpy"
    module = "numpy"
    distribution = "numpy"
    variants: ClassVar = {"matmul": "in memory"}

    def load(self, vectors: FloatArray) -> None:
        self._matrix = vectors

    def exact_search(self, k: int) -> Search:
        matrix = self._matrix

        def search(vector: FloatArray) -> tuple[Any, Any]:
            scores = matrix @ vector
            rows = np.argpartition(scores, -k)[-k:]
            rows = rows[np.argsort(-scores[rows])]
            return rows, scores[rows]

        return search

    def rows(self, result: Any) -> list[int]:
        return [int(row) for row in result[0]]

    def parameters(self) -> dict[str, object]:
        return {"search": "matrix @ vector, argpartition"}
