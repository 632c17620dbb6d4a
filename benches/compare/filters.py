"""The filters of the filtered scenarios: which rows each keeps, and the exact neighbours among them.

Four kinds, each at about the same shares of the rows:

- section: a real field, some of whose values have little to do with the queries
- installed_size: a real number, by a range around its median
- bucket: a random number, unrelated to everything
- axis: the rank of a row along the direction in which the rows vary most; a query gets the rows at the end
  that is farther from it, so that what it is near to is what it may not have
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benches.compare.data import FloatArray, Metadata, Rows
from benches.compare.engines.base import Condition

SHARES = (0.001, 0.01, 0.1, 0.5)
KINDS = ("section", "installed_size", "bucket", "axis")
BUCKETS = 1_000
AXIS_RANKS = 1_000_000
SEED = 7
AXIS_SAMPLE_ROWS = 20_000
POWER_STEPS = 50

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Filter:
    """A condition for each query, by its number, and the rows that each condition keeps."""

    kind: str
    share: float
    conditions: Sequence[Condition]
    of_query: Sequence[int]

    @property
    def kept(self) -> float:
        """The share of the rows that it really keeps."""
        return float(np.mean([_mask(self.conditions[number]).mean() for number in self.of_query]))


def fields(rows: Rows) -> list[Metadata]:
    """The fields that filters need beside a row's own metadata."""
    buckets = np.random.default_rng(SEED).integers(0, BUCKETS, rows.count)
    ranks = _axis_ranks(rows.vectors)
    return [{"bucket": int(bucket), "axis": int(rank)} for bucket, rank in zip(buckets, ranks)]


def filters(rows: Rows, kind: str, queries: int) -> Iterator[Filter]:
    """The filters of one kind for the first queries; a share that no value comes near is left out."""
    for share in SHARES:
        if kind == "axis":
            yield _axis(rows, share, queries)
            continue
        condition = {"section": _section, "installed_size": _size, "bucket": _bucket}[kind](rows, share)
        if condition is not None:
            yield Filter(kind, share, (condition,), (0,) * queries)


def neighbors(rows: Rows, filter_: Filter, k: int) -> list[list[int]]:
    """The exact neighbours that each query may have: fewer than k where fewer rows are kept."""
    found: list[list[int]] = [[] for _ in filter_.of_query]
    for number, condition in enumerate(filter_.conditions):
        asked = [query for query, its in enumerate(filter_.of_query) if its == number]
        kept = np.flatnonzero(_mask(condition))
        vectors = rows.vectors[kept]
        for query in asked:
            scores = vectors @ rows.queries[query]
            best = np.argpartition(-scores, k - 1)[:k] if len(kept) > k else np.arange(len(kept))
            found[query] = kept[best[np.argsort(-scores[best], kind="stable")]].tolist()
    return found


def recall(found: Sequence[Sequence[int]], truth: Sequence[Sequence[int]], k: int) -> float:
    """The share of the rows that each query may have, of those it should have had; none is nothing missed."""
    asked = [(rows, exact) for rows, exact in zip(found, truth) if exact]
    shares = [len(set(rows[:k]) & set(exact)) / len(exact) for rows, exact in asked]
    return float(np.mean(shares)) if shares else 1.0


def short_answers(found: Sequence[Sequence[int]], truth: Sequence[Sequence[int]], k: int) -> int:
    """How many queries got fewer than min(k, matches) rows."""
    return sum(len(set(rows[:k])) < len(exact) for rows, exact in zip(found, truth))


def _mask(condition: Condition) -> Mask:
    if condition.mask is None:
        raise ValueError(f"the rows of the filter on {condition.field} are not known")
    return condition.mask


def _section(rows: Rows, share: float) -> Condition | None:
    """One section whose share is nearest; many, the largest first, where no one is large enough."""
    sections = np.array([str(record.get("section")) for record in rows.metadata])
    counts = Counter(sections.tolist()).most_common()
    wanted = share * rows.count
    if wanted > counts[0][1] * 1.5:
        chosen, total = [], 0
        for section, count in counts:
            if total + count <= wanted * 1.05:
                chosen.append(section)
                total += count
    else:
        nearest = min(counts, key=lambda item: abs(np.log(item[1] / wanted)))
        chosen, total = [nearest[0]], nearest[1]
    if not wanted / 2 < total < wanted * 2:
        return None
    return Condition("section", texts=tuple(chosen), mask=np.isin(sections, chosen))


def _size(rows: Rows, share: float) -> Condition:
    """The narrowest range around the median that keeps the share."""
    sizes = np.array([int(record["installed_size"]) for record in rows.metadata])
    ordered = np.sort(sizes)
    middle, half = rows.count // 2, share * rows.count / 2
    low, high = int(ordered[int(middle - half)]), int(ordered[min(int(middle + half), rows.count - 1)]) + 1
    return Condition("installed_size", low=low, high=high, mask=(sizes >= low) & (sizes < high))


def _bucket(rows: Rows, share: float) -> Condition:
    buckets = np.random.default_rng(SEED).integers(0, BUCKETS, rows.count)
    high = round(share * BUCKETS)
    return Condition("bucket", low=0, high=high, mask=buckets < high)


def _axis(rows: Rows, share: float, queries: int) -> Filter:
    ranks = _axis_ranks(rows.vectors)
    axis = _axis_direction(rows.vectors)
    middle = float(np.median(rows.vectors[:AXIS_SAMPLE_ROWS] @ axis))
    cut = round(share * AXIS_RANKS)
    low_end = Condition("axis", low=0, high=cut, mask=ranks < cut)
    high_end = Condition("axis", low=AXIS_RANKS - cut, high=AXIS_RANKS, mask=ranks >= AXIS_RANKS - cut)
    of_query = [0 if score > middle else 1 for score in (rows.queries[:queries] @ axis).tolist()]
    return Filter("axis", share, (low_end, high_end), of_query)


def _axis_ranks(vectors: FloatArray) -> NDArray[np.int64]:
    order = np.argsort(vectors @ _axis_direction(vectors), kind="stable")
    ranks = np.empty(len(vectors), np.int64)
    ranks[order] = np.arange(len(vectors)) * AXIS_RANKS // len(vectors)
    return ranks


def _axis_direction(vectors: FloatArray) -> FloatArray:
    """The first principal component of the first rows."""
    sample = vectors[:AXIS_SAMPLE_ROWS] - vectors[:AXIS_SAMPLE_ROWS].mean(axis=0)
    direction: FloatArray = np.ones(vectors.shape[1], np.float32)
    for _ in range(POWER_STEPS):
        direction = sample.T @ (sample @ direction)
        direction = direction / np.float32(np.linalg.norm(direction))
    return direction
