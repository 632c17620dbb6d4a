from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data import FloatArray, Metadata
from .base import Engine, Search


class Usearch(Engine):
    """usearch.index.search with exact=True: its brute force over a matrix, without an index."""

    name = "usearch"
    module = "usearch.index"
    distribution = "usearch"
    variants = {"exact": "in memory"}  # noqa: RUF012
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
        search, metric, matrix = self.library.search, self.library.MetricKind.IP, self._matrix
        return lambda vector: search(matrix, vector, k, metric, exact=True, threads=1)

    def rows(self, result: Any) -> list[int]:
        return [int(row) for row in result.keys]

    def parameters(self) -> dict[str, object]:
        return {"metric": "ip", "exact": True, "threads": 1}
