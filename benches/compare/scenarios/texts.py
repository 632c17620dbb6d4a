from __future__ import annotations

import math
import random
import re
from array import array
from collections import Counter
from dataclasses import replace

import numpy as np

from benches.compare.engines.base import Engine
from benches.compare.measure import MICROSECONDS, MILLISECONDS, median, seconds_of, stopwatch
from benches.compare.scenarios.base import Column, Context, K, Outcome, Scenario

WORD = re.compile(r"[^\W_]+")
# Words of somebody who leaves out "the", "for" and the like, few of which have five letters.
LONG_WORD = re.compile(r"[^\W_]{5,}")
QUERIES = 500
BUDGET_SECONDS = 20.0
ADDED = 50
MANY = 1_000_000
# Of all queries, those whose ranking is compared with brute force.
CHECKED = 20


def queries(texts: list[str], words: int, count: int, word: re.Pattern[str] = WORD) -> list[str]:
    """Words of one text each, drawn with a fixed seed: common and rare ones, as they come."""
    draw = random.Random(words)
    found: list[str] = []
    while len(found) < count:
        distinct = sorted(set(word.findall(draw.choice(texts).lower())))
        if len(distinct) >= words:
            found.append(" ".join(draw.sample(distinct, words)))
    return found


def made(texts: list[str], count: int) -> list[str]:
    """As many texts: the first half of one and the second half of another each, drawn with a fixed seed."""
    halves = [text.split() for text in texts]
    draw = random.Random(1)
    pairs = ((draw.choice(halves), draw.choice(halves)) for _ in range(count))
    return [" ".join(first[: len(first) // 2] + second[len(second) // 2 :]) for first, second in pairs]


class Exact:
    """BM25 by brute force, in 64 bits, on runs of letters and digits in lower case."""

    def __init__(self, ids: list[str], texts: list[str]) -> None:
        self._ids = ids
        # For each word, the rows that have it and how often.
        self._rows: dict[str, tuple[array[int], array[int]]] = {}
        lengths = array("I")
        for row, text in enumerate(texts):
            times = Counter(WORD.findall(text.lower()))
            lengths.append(sum(times.values()))
            for word, count in times.items():
                rows, counts = self._rows.setdefault(word, (array("I"), array("I")))
                rows.append(row)
                counts.append(count)
        self._norms = 1.2 * (0.25 + 0.75 * np.array(lengths) / max(1.0, float(np.mean(lengths))))

    def scores(self, query: str) -> dict[str, float]:
        scores = np.zeros(len(self._ids))
        for word in query.split():
            rows, times = (np.array(part) for part in self._rows.get(word, (array("I"), array("I"))))
            idf = math.log1p((len(self._ids) - len(rows) + 0.5) / (len(rows) + 0.5))
            scores[rows] += idf * times * 2.2 / (times + self._norms[rows])
        return {self._ids[row]: float(scores[row]) for row in np.flatnonzero(scores)}


def agreement(found: list[tuple[str, float]], scores: dict[str, float]) -> float:
    """The share of the best K whose own exact score is one of the K best, to 1e-4."""
    best = sorted(scores.values(), reverse=True)[:K]
    if not best:
        return float(not found)
    worst = best[-1] - 1e-4 * abs(best[-1])
    return sum(scores.get(row, -1.0) >= worst for row, _ in found) / len(best)


def measure(engine: Engine, context: Context) -> Outcome:
    return measure_texts(engine, context, context.rows.ids, descriptions(context))


def measure_many(engine: Engine, context: Context) -> Outcome:
    texts = made(descriptions(context), MANY)
    return measure_texts(engine, context, [f"text-{n}" for n in range(MANY)], texts)


def descriptions(context: Context) -> list[str]:
    return [str(metadata["text"]) for metadata in context.rows.metadata]


def measure_texts(engine: Engine, context: Context, ids: list[str], texts: list[str]) -> Outcome:
    with stopwatch() as watch:
        engine.load_texts(context.work / "texts", ids, texts)
    figures = {"texts_s": len(texts) / watch.wall_seconds, "index_s": watch.wall_seconds}
    exact = Exact(ids, texts)
    search = engine.text_search(K)
    shares = []
    for name, words, word in (
        ("1", 1, WORD),
        ("2", 2, WORD),
        ("3", 3, WORD),
        ("6", 6, WORD),
        ("3_long", 3, LONG_WORD),
    ):
        asked = queries(texts, words, QUERIES, word)
        shares += [
            agreement(engine.text_rows(search(query)), exact.scores(query)) for query in asked[:CHECKED]
        ]
        seconds: list[float] = []
        for query in asked:
            seconds.append(seconds_of(lambda query=query: search(query)))  # type: ignore[misc]
            if sum(seconds) > BUDGET_SECONDS:
                break
        figures[f"p50_us_{name}"] = median(seconds) * MICROSECONDS
        if name == "3":
            figures["p99_us_3"] = sorted(seconds)[int(len(seconds) * 0.99)] * MICROSECONDS
    figures["agreement"] = sum(shares) / len(shares)
    added = (
        [
            seconds_of(lambda n=n: engine.add_text(f"added-{n}", f"{texts[n]} addition{n}"))  # type: ignore[misc]
            for n in range(ADDED)
        ]
        if engine.adds_texts()
        else []
    )
    if added:
        figures["add_ms"] = median(added) * MILLISECONDS
    return Outcome(figures)


SCENARIO = Scenario(
    name="texts",
    title="Full-text search",
    how=(
        "The descriptions of all rows, indexed from the first call until all are searchable and "
        f"durable (where the engine keeps them on disk); then {QUERIES} queries each of 1, 2, 3 and 6 "
        f"words of a random text, and of 3 that have five letters or more, any of which may match, k={K}, "
        "ids fetched, through Python on one pinned thread. `exact` is the share of the found whose exact "
        "BM25 score is among the ten "
        "best. `add` is one more text, durable and searchable; vecstore is asked for it. vecstore "
        "stores a vector of 2 components and the text of each row as well; the others ids."
    ),
    measure=measure,
    engines=("vecstore:commit", "tantivy", "bm25s"),
    ours=("vecstore:commit",),
    columns=(
        Column("texts_s", "texts/s", higher_is_better=True),
        Column("p50_us_1", "1 word us", 1, higher_is_better=False),
        Column("p50_us_2", "2 words us", 1, higher_is_better=False),
        Column("p50_us_3", "3 words us", 1, higher_is_better=False),
        Column("p99_us_3", "3 words p99", 1),
        Column("p50_us_6", "6 words us", 1, higher_is_better=False),
        Column("p50_us_3_long", "3 long words us", 1, higher_is_better=False),
        Column("agreement", "exact", 4),
        Column("add_ms", "add ms", 2, higher_is_better=False),
    ),
    pinned=True,
)

MANY_SCENARIO = replace(
    SCENARIO,
    name="texts_1m",
    title="Full-text search in a million texts",
    how=(
        "As above, of a million texts: the first half of one description and the second half of another "
        "each, drawn with a seed."
    ),
    measure=measure_many,
)
