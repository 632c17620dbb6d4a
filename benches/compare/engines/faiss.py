from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benches.compare.data import FloatArray
from benches.compare.engines.base import BUILD_WIDTH, GRAPH_LINKS, Condition, InMemory, Search

FILE = "index.faiss"
PROBES = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128)


@dataclass(frozen=True)
class Kind:
    """An index by its factory string, and how many times k it hands to the refinement on float32."""

    factory: str
    refined: int = 0
    inverted: bool = False


# PQ: 4 bits for each 2 components, the shape that fast scan is made for.
KINDS = {
    "hnsw": Kind(f"HNSW{GRAPH_LINKS}"),
    "hnsw-sq8": Kind(f"HNSW{GRAPH_LINKS}_SQ8,RFlat", refined=2),
    "ivf-pq": Kind("IVF{lists},PQ{half_dim}x4fs,RFlat", refined=10, inverted=True),
}


class Faiss(InMemory):
    """IndexFlatIP, exact; or an index for approximate search by L2 (unit vectors: the same order)."""

    name = "faiss"
    module = "faiss"
    distribution = "faiss-cpu"
    variants: ClassVar = {"flat": "in memory", **dict.fromkeys(KINDS, "in memory")}
    indexed = frozenset(KINDS)

    def __init__(self, variant: str | None = None) -> None:
        super().__init__(variant)
        self._kind = KINDS.get(self.variant)
        if self._kind is not None and self._kind.inverted:
            self.width_name, self.widths = "nprobe", PROBES  # type: ignore[misc]

    def load(self, vectors: FloatArray) -> None:
        count, dim = vectors.shape
        if self._kind is None:
            self._index = self.library.IndexFlatIP(dim)
            self._index.add(vectors)
            return
        self.library.omp_set_num_threads(os.cpu_count() or 1)
        # The documented rule of thumb: about 4 times the root of the rows, here as a power of two.
        lists = 2 ** round(np.log2(4 * count**0.5))
        factory = self._kind.factory.format(lists=lists, half_dim=dim // 2)
        self._index = self.library.index_factory(dim, factory, self.library.METRIC_L2)
        base = self._base()
        if not self._kind.inverted:
            base.hnsw.efConstruction = BUILD_WIDTH
        self._index.train(vectors)
        self._index.add(vectors)

    def _base(self) -> Any:
        refined = self._kind is not None and self._kind.refined
        return self.library.downcast_index(self._index.base_index if refined else self._index)

    def save(self, directory: Path) -> None:
        self.library.write_index(self._index, str(directory / FILE))

    def restore(self, directory: Path) -> None:
        self._index = self.library.read_index(str(directory / FILE))
        self.library.omp_set_num_threads(1)

    def exact_search(self, k: int) -> Search:
        if self._kind is not None:
            return super().exact_search(k)
        search = self._index.search
        return lambda vector: search(vector.reshape(1, -1), k)

    def index_search(self, k: int, width: float) -> Search:
        return self._searcher(k, self._search_parameters(int(width), None))

    def filtered_search(self, k: int, width: float, condition: Condition) -> Search:
        return self._searcher(k, self._search_parameters(int(width), condition.mask))

    def _searcher(self, k: int, parameters: Any) -> Search:
        search = self._index.search
        return lambda vector: search(vector.reshape(1, -1), k, params=parameters)

    def _search_parameters(self, width: int, mask: NDArray[np.bool_] | None) -> Any:
        if self._kind is None:
            raise TypeError("a flat index has no search width")
        faiss = self.library
        chosen: dict[str, Any] = {"nprobe" if self._kind.inverted else "efSearch": width}
        if mask is not None:
            chosen["sel"] = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
        make = faiss.SearchParametersIVF if self._kind.inverted else faiss.SearchParametersHNSW
        parameters = make(**chosen)
        if self._kind.refined:
            parameters = faiss.IndexRefineSearchParameters(
                k_factor=float(self._kind.refined), base_index_params=parameters
            )
        return parameters

    def batch_search(self, k: int, width: float, threads: int) -> Search:
        self.library.omp_set_num_threads(threads)
        parameters = self._search_parameters(int(width), None)
        search = self._index.search
        return lambda vectors: search(vectors, k, params=parameters)

    def batch_rows(self, result: Any) -> list[list[int]]:
        rows: list[list[int]] = result[1].tolist()
        return rows

    def rows(self, result: Any) -> list[int]:
        _, rows = result
        return [int(row) for row in rows[0] if row >= 0]

    def parameters(self) -> dict[str, object]:
        if self._kind is None:
            return {"index": "IndexFlatIP"}
        facts: dict[str, object] = {"index": self._kind.factory}
        if not self._kind.inverted:
            facts["efConstruction"] = BUILD_WIDTH
        return {**facts, **({"k_factor": self._kind.refined} if self._kind.refined else {})}
