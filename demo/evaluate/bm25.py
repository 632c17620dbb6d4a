"""Okapi BM25 over a few thousand texts in memory: what keyword search does, to compare with."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping

#: The usual constants: how fast repetitions saturate, and how much length counts.
K1 = 1.2
B = 0.75


def words(text: str) -> list[str]:
    """Runs of letters, digits and underscores, in lower case; no stemming, no stop words."""
    return re.findall(r"\w+", text.lower())


class BM25:
    """An index of texts by id."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._counts = {name: Counter(words(text)) for name, text in texts.items()}
        self._lengths = {name: sum(counts.values()) for name, counts in self._counts.items()}
        self._mean = sum(self._lengths.values()) / len(self._lengths)
        self._postings: dict[str, list[str]] = {}
        for name, counts in self._counts.items():
            for word in counts:
                self._postings.setdefault(word, []).append(name)

    def search(self, question: str, k: int) -> dict[str, float]:
        """The scores of the best ``k`` texts."""
        scores: dict[str, float] = {}
        for word in words(question):
            names = self._postings.get(word, ())
            rarity = math.log(1 + (len(self._counts) - len(names) + 0.5) / (len(names) + 0.5))
            for name in names:
                count = self._counts[name][word]
                length = K1 * (1 - B + B * self._lengths[name] / self._mean)
                scores[name] = scores.get(name, 0.0) + rarity * count * (K1 + 1) / (count + length)
        best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        return dict(best[:k])
