"""Tests and intervals against scipy, and the agreement of raters."""

from __future__ import annotations

import inspect
import itertools
import random
import warnings
from typing import Any

import numpy as np
import pytest
import scipy
from scipy import stats

from vecstore import InvalidInputError
from vecstore.evaluation import (
    bootstrap_interval,
    cohen_kappa,
    holm,
    judge_agreement,
    paired_t_test,
    randomization_test,
    wilcoxon_test,
)

#: Releases of scipy for Python 3.9 have another name for it.
NORMAL: Any = "asymptotic" if np.lib.NumpyVersion(scipy.__version__) >= "1.14.0" else "approx"


def random_pairs(generator: random.Random, most: int = 60) -> tuple[list[float], list[float]]:
    count = generator.randint(3, most)
    a = [generator.random() for _ in range(count)]
    return a, [value + generator.gauss(0.05, 0.2) for value in a]


def test_the_t_test_is_that_of_scipy(cases: int) -> None:
    generator = random.Random(50)
    for _ in range(cases):
        a, b = random_pairs(generator)
        expected = stats.ttest_rel(a, b)
        got = paired_t_test(a, b)
        assert got.statistic == pytest.approx(expected.statistic, rel=1e-9)
        assert got.p_value == pytest.approx(expected.pvalue, abs=1e-9)


def test_the_signed_rank_test_is_that_of_scipy(cases: int) -> None:
    generator = random.Random(51)
    for _ in range(cases):
        a, b = random_pairs(generator, 45)
        expected: Any = stats.wilcoxon(a, b, method="exact")
        got = wilcoxon_test(a, b)
        assert got.statistic == pytest.approx(expected.statistic, abs=1e-9)
        assert got.p_value == pytest.approx(expected.pvalue, abs=1e-9)
        tied = [round(y - x, 1) for x, y in zip(a, b)]
        if any(tied):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # scipy warns of small samples
                expected = stats.wilcoxon(tied, zero_method="wilcox", method=NORMAL)
            got = wilcoxon_test(tied, [0.0] * len(tied), "normal")
            if np.isfinite(expected.pvalue):
                assert got.p_value == pytest.approx(expected.pvalue, abs=1e-9)


def test_the_randomisation_test_counts_as_scipy_does(cases: int) -> None:
    generator = random.Random(52)
    for _ in range(max(5, cases // 30)):
        a, b = random_pairs(generator, 10)
        expected = stats.permutation_test(
            (np.array(a) - np.array(b),),
            lambda differences, axis: np.mean(differences, axis=axis),
            permutation_type="samples",
            n_resamples=np.inf,  # pyright: ignore[reportArgumentType]
            vectorized=True,
        )
        got = randomization_test(a, b)
        assert got.exact
        assert got.p_value == pytest.approx(expected.pvalue, abs=1e-9)


def test_many_pairs_are_permuted_at_random_and_alike_each_time() -> None:
    generator = random.Random(53)
    a = [generator.random() for _ in range(500)]
    b = [value + generator.gauss(0.01, 0.2) for value in a]
    got = randomization_test(a, b)
    assert not got.exact
    assert got.p_value == pytest.approx(stats.ttest_rel(a, b).pvalue, abs=0.02)
    assert got == randomization_test(a, b)
    assert got != randomization_test(a, b, seed=1)


@pytest.mark.parametrize(("method", "theirs"), [("bca", "BCa"), ("percentile", "percentile")])
def test_intervals_are_about_those_of_scipy(method: str, theirs: str) -> None:
    values = np.random.default_rng(54).gamma(1.5, 0.2, 40)
    # Older versions of scipy have another name for it.
    seed = "rng" if "rng" in inspect.signature(stats.bootstrap).parameters else "random_state"
    options = {"n_resamples": 50_000, "method": theirs, seed: np.random.default_rng(0)}
    expected = stats.bootstrap((values,), np.mean, **options)
    got = bootstrap_interval(list(values), resamples=50_000, method=method)  # type: ignore[arg-type]
    width = expected.confidence_interval.high - expected.confidence_interval.low
    assert got.low == pytest.approx(expected.confidence_interval.low, abs=width / 50)
    assert got.high == pytest.approx(expected.confidence_interval.high, abs=width / 50)
    assert got.error == pytest.approx(expected.standard_error, rel=0.02)


def test_holm_by_its_definition() -> None:
    p_values = [0.01, 0.2, 0.03, 0.005, 1.0]
    ordered = sorted(range(5), key=p_values.__getitem__)
    expected = [0.0] * 5
    greatest = 0.0
    for step, at in enumerate(ordered):
        greatest = max(greatest, min(1.0, (5 - step) * p_values[at]))
        expected[at] = greatest
    assert holm(p_values) == pytest.approx(expected, abs=1e-15)


def test_kappa_by_its_definition() -> None:
    generator = random.Random(55)
    for weights, power in (("none", None), ("linear", 1), ("quadratic", 2)):
        a = [generator.randint(0, 3) for _ in range(100)]
        b = [value if generator.random() < 0.6 else generator.randint(0, 3) for value in a]
        size = 4
        observed = np.zeros((size, size))
        for x, y in zip(a, b):
            observed[x, y] += 1
        expected = np.outer(observed.sum(1), observed.sum(0)) / 100
        weight = np.array(
            [
                [float(x != y) if power is None else abs(x - y) ** power for y in range(size)]
                for x in range(size)
            ]
        )
        kappa = 1 - (weight * observed).sum() / (weight * expected).sum()
        assert cohen_kappa(a, b, weights) == pytest.approx(kappa, abs=1e-12)  # type: ignore[arg-type]


def test_a_judge_is_compared_with_people() -> None:
    agreement = judge_agreement([0.9, 0.2, None, 0.8, 0.1], [1, 0, 1, 0, 0])
    assert (agreement.n, agreement.skipped, agreement.observed) == (4, 1, 0.75)
    assert agreement.kappa == pytest.approx(0.5)
    assert agreement.confusion == {(1, 1): 1, (0, 0): 2, (0, 1): 1}


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"a\[1\]: expected a finite number, got nan"):
        paired_t_test([1.0, float("nan")], [1.0, 2.0])
    with pytest.raises(InvalidInputError, match="expected pairs, got 2 and 1"):
        wilcoxon_test([1.0, 2.0], [1.0])
    with pytest.raises(InvalidInputError, match="permutations"):
        randomization_test([1.0], [2.0], permutations=0)
    with pytest.raises(InvalidInputError, match="confidence"):
        bootstrap_interval([1.0, 2.0], confidence=2)
    with pytest.raises(InvalidInputError, match="expected at least one score"):
        judge_agreement([None], [1])


def test_equal_scores_are_no_evidence() -> None:
    same = [0.5, 0.5, 0.5]
    for test in (paired_t_test, wilcoxon_test, randomization_test):
        assert test(same, same).p_value == 1.0
    shifted = paired_t_test([1.0, 1.0, 1.0], same)
    assert (shifted.statistic, shifted.p_value) == (None, 0.0)


def test_all_signs_are_tried_when_they_are_few() -> None:
    differences = [0.3, -0.1, 0.2, 0.4]
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences))) for signs in itertools.product((1, -1), repeat=4)
    ]
    expected = sum(total >= abs(sum(differences)) - 1e-12 for total in sums) / 16
    assert randomization_test(differences, [0.0] * 4).p_value == pytest.approx(expected)
