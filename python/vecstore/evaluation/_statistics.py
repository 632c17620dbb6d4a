"""Tests of paired scores, intervals, and the agreement of a judge with people."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_int, check_items, check_number, check_text
from vecstore._errors import InvalidInputError

__all__ = [
    "Agreement",
    "Interval",
    "TestResult",
    "bootstrap_interval",
    "cohen_kappa",
    "holm",
    "judge_agreement",
    "paired_t_test",
    "randomization_test",
    "wilcoxon_test",
]


@dataclasses.dataclass(frozen=True)
class TestResult:
    """A test of paired scores: is the mean of ``a - b`` (or, for ranks, its middle) 0?

    ``statistic`` is None where it would be infinite: all differences are equal and not 0.

    >>> paired_t_test([1.0, 2.0, 3.0], [1.5, 2.1, 3.9]).p_value > 0.05
    True
    """

    test: str
    statistic: float | None
    p_value: float
    n: int
    exact: bool = False

    #: Not a test case, whatever its name begins with.
    __test__: typing.ClassVar[bool] = False


@dataclasses.dataclass(frozen=True)
class Interval:
    """A mean with an interval and its standard error, by bootstrap.

    >>> interval = bootstrap_interval([0.2, 0.4, 0.6, 0.8])
    >>> interval.low < interval.mean < interval.high
    True
    """

    mean: float
    low: float
    high: float
    error: float


def paired_t_test(a: abc.Sequence[float], b: abc.Sequence[float]) -> TestResult:
    """Student's t-test of paired scores, on both sides.

    >>> result = paired_t_test([1.0, 2.0, 3.0], [2.0, 3.5, 4.0])
    >>> result.n, round(result.p_value, 3)
    (3, 0.02)
    """
    differences = _differences(a, b)
    _, t, p_value, _, _ = _vecstore._eval_paired_t(differences, 0.95)
    return TestResult("paired t", t, p_value, len(differences))


def wilcoxon_test(
    a: abc.Sequence[float],
    b: abc.Sequence[float],
    method: typing.Literal["auto", "exact", "normal"] = "auto",
) -> TestResult:
    """Wilcoxon's signed-rank test, on both sides; pairs without a difference are left out.

    ``"auto"`` counts exactly up to 50 pairs without ties, and is normal beyond.

    >>> wilcoxon_test([1.0, 2.0, 3.0], [2.0, 3.5, 4.2]).p_value
    0.25
    """
    check_text("method", method)
    differences = _differences(a, b)
    statistic, p_value = _vecstore._eval_wilcoxon(differences, method)
    return TestResult("Wilcoxon", statistic, p_value, len(differences), method == "exact")


def randomization_test(
    a: abc.Sequence[float], b: abc.Sequence[float], permutations: int = 100_000, seed: int = 0
) -> TestResult:
    """Fisher's randomisation test, on both sides: exact where ``permutations`` suffice for all signs.

    >>> randomization_test([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]).p_value
    0.25
    """
    check_int("seed", seed, 0)
    check_int("permutations", permutations, 1, 10**9)
    differences = _differences(a, b)
    mean, p_value, _, exact = _vecstore._eval_randomization(differences, permutations, seed)
    return TestResult("randomisation", mean, p_value, len(differences), exact)


def bootstrap_interval(
    values: abc.Sequence[float],
    confidence: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
    method: typing.Literal["bca", "percentile"] = "bca",
) -> Interval:
    """The mean of values with an interval by resampling: bias-corrected (BCa), or plain percentiles.

    >>> interval = bootstrap_interval([0.2, 0.4, 0.6, 0.8], resamples=1000)
    >>> interval.low < 0.5 < interval.high
    True
    """
    check_number("confidence", confidence)
    check_int("resamples", resamples, 1)
    check_int("seed", seed, 0)
    check_text("method", method)
    return Interval(
        *_vecstore._eval_bootstrap_mean(_numbers(values, "values"), confidence, resamples, seed, method)
    )


def holm(p_values: abc.Sequence[float]) -> list[float]:
    """P-values corrected for being several, by Holm's method.

    >>> holm([0.01, 0.04])
    [0.02, 0.04]
    """
    return _vecstore._eval_holm(_numbers(p_values, "p_values"))


def cohen_kappa(
    a: abc.Sequence[typing.Any],
    b: abc.Sequence[typing.Any],
    weights: typing.Literal["none", "linear", "quadratic"] = "none",
) -> float | None:
    """Cohen's kappa of two raters; None if both gave everything one category.

    For weights the categories are in their sorted order, and next to each other.

    >>> cohen_kappa([1, 0, 1, 0], [1, 0, 0, 0])
    0.5
    """
    check_text("weights", weights)
    check_items("a", a, "a list of ratings")
    check_items("b", b, "a list of ratings")
    try:
        categories = {category: number for number, category in enumerate(sorted({*a, *b}))}
    except TypeError:
        raise InvalidInputError(
            "ratings: expected categories that can be sorted, such as ints or strings"
        ) from None
    return _vecstore._eval_kappa(
        [categories[rating] for rating in a], [categories[rating] for rating in b], weights
    )


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How far a judge agrees with people: ``observed`` is the plain share, ``kappa`` what is beyond chance.

    ``confusion[(human, judge)]`` counts. ``skipped`` samples had no score of the judge.

    >>> agreement = judge_agreement([1, 0, 1], [1, 0, 0])
    >>> agreement.n, round(agreement.observed, 3)
    (3, 0.667)
    """

    kappa: float | None
    observed: float
    n: int
    skipped: int
    confusion: dict[tuple[typing.Any, typing.Any], int]


def judge_agreement(
    judge: abc.Sequence[typing.Any],
    human: abc.Sequence[typing.Any],
    *,
    threshold: float | None = 0.5,
    weights: typing.Literal["none", "linear", "quadratic"] = "none",
) -> Agreement:
    """Compares a judge's scores, such as ``report.scores["answer_faithfulness"]``, with people's ratings.

    Numbers become yes and no at ``threshold``, on both sides; with ``threshold=None`` they are categories as
    they are. Where the judge has None, the pair is skipped and counted.

    >>> judge_agreement([0.9, 0.2], [1, 0]).kappa
    1.0
    """
    check_items("judge", judge, "a list of scores")
    if threshold is not None:
        check_number("threshold", threshold)
    check_items("human", human, "a list of ratings")
    if len(judge) != len(human):
        raise InvalidInputError(f"expected as many ratings of both, got {len(judge)} and {len(human)}")
    pairs = [(ours, theirs) for ours, theirs in zip(judge, human) if ours is not None]
    if not pairs:
        raise InvalidInputError("judge: expected at least one score, got none")
    if threshold is not None:
        cut = threshold
        pairs = [(int(ours >= cut), int(theirs >= cut)) for ours, theirs in pairs]
    confusion: dict[tuple[typing.Any, typing.Any], int] = {}
    for ours, theirs in pairs:
        confusion[(theirs, ours)] = confusion.get((theirs, ours), 0) + 1
    kappa = cohen_kappa([ours for ours, _ in pairs], [theirs for _, theirs in pairs], weights)
    observed = sum(ours == theirs for ours, theirs in pairs) / len(pairs)
    return Agreement(kappa, observed, len(pairs), len(judge) - len(pairs), confusion)


def _differences(a: abc.Sequence[float], b: abc.Sequence[float]) -> list[float]:
    a, b = _numbers(a, "a"), _numbers(b, "b")
    if len(a) != len(b):
        raise InvalidInputError(f"expected pairs, got {len(a)} and {len(b)} scores")
    return [x - y for x, y in zip(a, b)]


def _numbers(values: abc.Sequence[typing.Any], name: str) -> list[float]:
    numbers = []
    for at, value in enumerate(check_items(name, values, "a list of numbers")):
        if value is None or not math.isfinite(check_number(f"{name}[{at}]", value)):
            raise InvalidInputError(f"{name}[{at}]: expected a finite number, got {value!r}")
        numbers.append(float(value))
    return numbers
