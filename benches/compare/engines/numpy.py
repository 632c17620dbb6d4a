from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data import FloatArray, Metadata
from .base import Engine, Search


class Numpy(Engine):
    """A matrix product and argpartition: what one writes without a library."""

    name = "numpy"
    module = "numpy"
    distribution = "numpy"
    variants = {"matmul": "in memory"}  # noqa: RUF012
    persistent = False

    def create(self, path: Path, dim: int) -> None:  # noqa: ARG002
        self._matrix: FloatArray = np.empty((0, dim), np.float32)

    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:  # noqa: ARG002
        self._matrix = np.ascontiguousarray(
            np.concatenate([self._matrix, vectors]) if len(self._matrix) else vectors
        )

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
