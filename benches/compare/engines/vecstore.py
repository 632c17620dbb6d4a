from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from benches.compare.data import FloatArray, Metadata
from benches.compare.engines.base import Search, Store, Upsert


class VecStore(Store):
    name = "vecstore"
    module = "vecstore"
    distribution = "vecstore"
    variants: ClassVar = {
        "commit": "fsync before each call returns",
        "interval": "fsync in the background, at intervals",
        "none": "no fsync until close",
    }

    def create(self, path: Path, dim: int) -> None:
        self._store = self.library.VecStore(path, dim=dim, durability=self.variant)

    def open(self, path: Path) -> None:
        self._store = self.library.VecStore(path, durability=self.variant)

    def close(self) -> None:
        self._store.close()

    def upsert_many(
        self, ids: Sequence[str], vectors: FloatArray, metadata: Sequence[Metadata] | None
    ) -> None:
        self._store.upsert_many(ids, vectors, metadata)

    def upserter(self) -> Upsert:
        upsert: Upsert = self._store.upsert
        return upsert

    def exact_search(self, k: int) -> Search:
        query = self._store.query
        return lambda vector: query(vector, k, exact=True, include=())

    def search(self, k: int, *, metadata: bool) -> Search:
        query = self._store.query
        if metadata:
            return lambda vector: query(vector, k)
        return lambda vector: query(vector, k, include=())

    def rows(self, result: Any) -> list[int]:
        return [int(neighbor.id) for neighbor in result]
