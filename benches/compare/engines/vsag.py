from __future__ import annotations

import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from benches.compare.data import FloatArray
from benches.compare.engines.base import BUILD_WIDTH, GRAPH_DEGREE, InMemory, Search

CODES = {"sq8": "sq8", "sq8-uniform": "sq8_uniform"}
INDEX_FILE, SETTINGS_FILE = "vsag.index", "settings.json"


class Vsag(InMemory):
    """HGraph on 8-bit codes, reranked on float32. Its Python package has no batch search and no filter."""

    name = "vsag"
    module = "pyvsag"
    distribution = "pyvsag"
    variants: ClassVar = {"sq8": "in memory", "sq8-uniform": "in memory"}
    indexed = frozenset(variants)
    width_name = "ef_search"

    def import_library(self) -> ModuleType:
        library = super().import_library()
        library.set_logger_off()
        return library

    def load(self, vectors: FloatArray) -> None:
        count, dim = vectors.shape
        self._settings = json.dumps(
            {
                "dtype": "float32",
                "metric_type": "ip",
                "dim": dim,
                "index_param": {**self._index_parameters(), "build_thread_count": os.cpu_count() or 1},
            }
        )
        self._index = self.library.Index("hgraph", self._settings)
        self._index.build(vectors.reshape(-1), np.arange(count, dtype=np.int64), count, dim)

    def _index_parameters(self) -> dict[str, object]:
        return {
            "base_quantization_type": CODES[self.variant],
            "max_degree": GRAPH_DEGREE,
            "ef_construction": BUILD_WIDTH,
            "use_reorder": True,
            "precise_quantization_type": "fp32",
        }

    def save(self, directory: Path) -> None:
        self._index.save(str(directory / INDEX_FILE))
        (directory / SETTINGS_FILE).write_text(self._settings, encoding="utf-8")

    def restore(self, directory: Path) -> None:
        settings = (directory / SETTINGS_FILE).read_text(encoding="utf-8")
        self._index = self.library.Index("hgraph", settings)
        self._index.load(str(directory / INDEX_FILE))

    def index_search(self, k: int, width: float) -> Search:
        search = self._index.knn_search
        parameters = json.dumps({"hgraph": {"ef_search": int(width)}})
        return lambda vector: search(vector, k, parameters)

    def rows(self, result: Any) -> list[int]:
        return [int(row) for row in result[0]]

    def parameters(self) -> dict[str, object]:
        return {"index": "hgraph", "metric_type": "ip", **self._index_parameters()}
