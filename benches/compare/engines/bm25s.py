from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from benches.compare.engines.base import Engine, TextSearch

WORD = re.compile(r"[^\W_]+")


class Bm25s(Engine):
    """BM25 scores of every word, computed ahead and summed up with numpy; in memory."""

    name = "bm25s"
    module = "bm25s"
    distribution = "bm25s"
    variants: ClassVar = {"numpy": "in memory"}

    def load_texts(self, path: Path, ids: Sequence[str], texts: Sequence[str]) -> None:
        del path
        self._ids = list(ids)
        self._model = self.library.BM25(k1=1.2, b=0.75, method="lucene")
        self._model.index([words(text) for text in texts], show_progress=False)

    def text_search(self, k: int) -> TextSearch:
        model, ids = self._model, self._ids

        def search(text: str) -> list[tuple[str, float]]:
            rows, scores = model.retrieve([words(text)], k=k, show_progress=False)
            return [(ids[row], float(score)) for row, score in zip(rows[0], scores[0]) if score > 0]

        return search

    def text_rows(self, result: Any) -> list[tuple[str, float]]:
        # Without the factor k1 + 1, which changes no order.
        return [(row, float(np.float32(score)) * 2.2) for row, score in result]

    def parameters(self) -> dict[str, object]:
        return {"tokens": "runs of letters and digits, lower case", "method": "lucene", "k1": 1.2, "b": 0.75}


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())
