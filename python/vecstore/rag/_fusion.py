"""One ranking out of several, by the ids of results."""

from __future__ import annotations

import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_items, check_number, check_text
from vecstore._errors import InvalidInputError
from vecstore._vecstore import Neighbor
from vecstore.rag._results import Result, as_neighbors, ranked

__all__ = [
    "average_fusion",
    "borda_fusion",
    "check_normalization",
    "fused",
    "reciprocal_rank_fusion",
    "weighted_fusion",
]

if typing.TYPE_CHECKING:
    _Normalization = typing.Literal["none", "min_max", "max", "sum", "z_score", "rank"]
ResultSets = abc.Iterable[abc.Iterable[Result]]


def fused(
    result_sets: ResultSets,
    fuse: abc.Callable[[list[list[tuple[int, float]]]], list[tuple[int, float]]],
    name: str = "result_sets",
) -> list[Neighbor]:
    """Numbers the results by id, fuses their numbers, and returns the results with their fused scores."""
    places: dict[str, int] = {}
    first: list[Neighbor] = []
    runs = []
    for at, results in enumerate(check_items(name, result_sets, "a list of rankings")):
        run: dict[int, float] = {}
        for neighbor in as_neighbors(results, f"{name}[{at}]"):
            place = places.setdefault(neighbor.id, len(first))
            if place == len(first):
                first.append(neighbor)
            if place in run:
                raise InvalidInputError(f"{name}[{at}]: `{neighbor.id}` is there twice")
            run[place] = neighbor.score
        runs.append(list(run.items()))
    return ranked(first, fuse(runs))


def check_normalization(normalization: typing.Any) -> _Normalization:
    """``normalization`` if it is the name of one."""
    _vecstore._rag_average([], check_text("normalization", normalization))  # checks it
    return typing.cast("_Normalization", normalization)


def _numbers(weights: abc.Sequence[float]) -> list[float]:
    listed = enumerate(check_items("weights", weights, "a list of numbers"))
    return [check_number(f"weights[{at}]", weight) for at, weight in listed]


def reciprocal_rank_fusion(
    result_sets: ResultSets, k: float = 60, weights: abc.Sequence[float] | None = None
) -> list[Neighbor]:
    """Fuses rankings by the sum of weight / (k + rank), ranks from 1. Ties go to the result seen first.

    >>> a, b = vecstore.Neighbor("a", 0.9, 0.1), vecstore.Neighbor("b", 0.8, 0.2)
    >>> [(one.id, round(one.score, 4)) for one in reciprocal_rank_fusion([[a, b], [b]])]
    [('b', 0.0325), ('a', 0.0164)]
    """
    given = None if weights is None else _numbers(weights)
    constant = check_number("k", k)
    return fused(result_sets, lambda runs: _vecstore._rag_rrf(runs, constant, given))


def borda_fusion(result_sets: ResultSets) -> list[Neighbor]:
    """Fuses rankings by points: of n results in all, the first of a ranking gets n, the next n - 1, and so
    on.

    Those that a ranking lacks get an equal share of the points it has left.

    >>> a, b, c = (vecstore.Neighbor(id, 1.0, 0.0) for id in "abc")
    >>> [(one.id, one.score) for one in borda_fusion([[a, b], [b, c]])]
    [('b', 5.0), ('a', 4.0), ('c', 3.0)]
    """
    return fused(result_sets, _vecstore._rag_borda)


def weighted_fusion(
    result_sets: ResultSets, weights: abc.Sequence[float], normalization: _Normalization = "min_max"
) -> list[Neighbor]:
    """Fuses rankings by the weighted sum of their scores, made comparable first; a missing result adds 0.

    ``normalization`` is ``min_max`` (0 for the lowest, 1 for the highest), ``max`` (divided by the highest),
    ``sum`` (from 0, with a sum of 1), ``z_score`` (mean 0, variance 1), ``rank`` (1, 1 - 1/n, ...) or
    ``none``.

    >>> a, b = vecstore.Neighbor("a", 0.9, 0.1), vecstore.Neighbor("b", 0.5, 0.5)
    >>> [(one.id, one.score) for one in weighted_fusion([[a, b], [b, a]], [0.25, 0.75], "none")]
    [('a', 0.9), ('b', 0.5)]
    """
    given = _numbers(weights)
    check_normalization(normalization)
    return fused(result_sets, lambda runs: _vecstore._rag_weighted(runs, given, normalization))


def average_fusion(result_sets: ResultSets, normalization: _Normalization = "none") -> list[Neighbor]:
    """Fuses rankings by the mean of a result's scores in the rankings that have it.

    >>> sets = [[vecstore.Neighbor("a", 0.9, 0.1)], [vecstore.Neighbor("a", 0.5, 0.5)]]
    >>> average_fusion(sets)[0].score
    0.7
    """
    check_normalization(normalization)
    return fused(result_sets, lambda runs: _vecstore._rag_average(runs, normalization))
