from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data import FloatArray, Metadata
from .base import Engine, Search

CAPACITY_ROWS = 1 << 17


class Hnswlib(Engine):
    """BFIndex: hnswlib's brute force."""

    name = "hnswlib"
    module = "hnswlib"
    distribution = "hnswlib"
    variants = {"bruteforce": "in memory"}  # noqa: RUF012
    persistent = False

    def create(self, path: Path, dim: int) -> None:  # noqa: ARG002
        self._index = self.library.BFIndex("ip", dim)
        self._index.init_index(CAPACITY_ROWS)
        self._index.set_num_threads(1)

    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:  # noqa: ARG002
        self._index.add_items(vectors, np.array([int(id) for id in ids]))

    def exact_search(self, k: int) -> Search:
        knn_query = self._index.knn_query
        return lambda vector: knn_query(vector, k)

    def rows(self, result: Any) -> list[int]:
        return [int(row) for row in result[0][0]]

    def parameters(self) -> dict[str, object]:
        return {"index": "BFIndex", "space": "ip"}
