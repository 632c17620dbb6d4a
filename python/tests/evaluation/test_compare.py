"""Comparing reports, and assertions against thresholds and baselines."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from scipy import stats

from vecstore import InvalidInputError
from vecstore.evaluation import (
    EvaluationInput,
    Metric,
    Report,
    RetrievalReport,
    Session,
    assert_rag,
    compare,
    evaluate,
    evaluate_run,
)


class Given(Metric):
    """A score that the sample carries."""

    name = "given"

    def measure(self, sample: EvaluationInput, session: Session) -> float:  # noqa: ARG002
        return float(sample.metadata["score"])


def report_of(scores: list[float], first: int = 0) -> Report:
    samples = [
        EvaluationInput("q", id=str(first + at), metadata={"score": score}) for at, score in enumerate(scores)
    ]
    report = evaluate(samples, [Given()])
    assert isinstance(report, Report)
    return report


def test_differences_are_paired_by_id_and_tested() -> None:
    generator = random.Random(70)
    a = [generator.random() for _ in range(40)]
    b = [min(1.0, score + generator.choice([0, 0.1, 0.2, -0.05])) for score in a]
    row = compare(report_of(a), report_of(b))["given"]
    assert row.n == 40
    assert row.difference == pytest.approx(sum(y - x for x, y in zip(a, b)) / 40)
    assert (row.wins, row.ties, row.losses) == (
        sum(y > x for x, y in zip(a, b)),
        sum(y == x for x, y in zip(a, b)),
        sum(y < x for x, y in zip(a, b)),
    )
    assert row.low < row.difference < row.high
    assert row.p_t == pytest.approx(stats.ttest_rel(b, a).pvalue, abs=1e-9)
    assert row.p_value < 0.05
    assert row.effect is not None
    assert row.effect > 0
    shifted = compare(report_of(a), report_of(b[10:], first=10))["given"]
    assert (shifted.n, shifted.skipped) == (30, 10)


def test_runs_are_compared_on_shared_queries_with_a_correction() -> None:
    qrels = {f"q{at}": {"a": 1} for at in range(8)}
    worse = evaluate_run(qrels, {query: {"a": 1.0, "b": 2.0} for query in qrels}, ["recip_rank", "P_1"])
    better = evaluate_run(qrels, {query: {"a": 3.0, "b": 2.0} for query in qrels}, ["recip_rank", "P_1"])
    found = compare(worse, better)
    assert [row.metric for row in found.rows] == ["recip_rank", "P_1"]
    assert found["P_1"].p_value == 2 / 2**8
    assert found["P_1"].p_holm == 4 / 2**8
    assert "| recip_rank | 0.5000 | 1.0000 | +0.5000 |" in found.to_markdown()
    assert compare(worse, worse)["P_1"].p_value == 1.0
    assert "<table>" in found._repr_html_()


def test_what_cannot_be_compared_is_refused() -> None:
    a, b = report_of([1.0]), report_of([1.0], first=5)
    with pytest.raises(InvalidInputError, match="no sample has a score in both"):
        compare(a, b)
    with pytest.raises(InvalidInputError, match="metric `x` is not in both reports: they have given"):
        compare(a, a, ["x"])
    with pytest.raises(InvalidInputError, match="no metric in common"):
        compare(a, RetrievalReport({"0": {"map": 1.0}}, {"map": 1.0}))
    with pytest.raises(TypeError, match="b: expected a Report or a RetrievalReport, got int"):
        compare(a, 3)  # type: ignore[arg-type]


def test_thresholds_name_the_worst_samples() -> None:
    report = report_of([0.9, 0.1, 0.8])
    assert assert_rag(report, thresholds={"given": 0.5}) is report
    with pytest.raises(AssertionError, match=r"given: mean 0\.6000 is below 0\.7; worst: `1` 0\.1000"):
        assert_rag(report, thresholds={"given": 0.7})
    with pytest.raises(AssertionError, match=r"is above 0\.5; worst: `0` 0\.9000"):
        assert_rag(report, thresholds={"given": 0.5}, lower_is_better=["given"])
    with pytest.raises(InvalidInputError, match="metric `x` is not evaluated"):
        assert_rag(report, thresholds={"x": 0.5})


def test_samples_without_score_fail_the_assertion() -> None:
    samples = [{"query": "q", "answer": "a", "ground_truth": "a"}, {"query": "r", "answer": "b"}]
    with pytest.raises(AssertionError, match=r"token_f1: 1 samples without score \(1 missing_field\)"):
        assert_rag(samples, ["token_f1"])
    assert_rag(samples, ["token_f1"], max_failures=1)


def test_a_baseline_may_not_be_fallen_behind(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    generator = random.Random(71)
    scores = [generator.random() for _ in range(50)]
    assert_rag(report_of(scores), baseline=path)
    assert path.exists()
    assert_rag(report_of(scores), baseline=path, margin=0.0)
    slightly = [score - generator.choice([0, 0.01]) for score in scores]
    assert_rag(report_of(slightly), baseline=path, margin=0.02)
    much = [score - generator.choice([0, 0.2]) for score in scores]
    with pytest.raises(AssertionError, match="given: may have fallen behind the baseline"):
        assert_rag(report_of(much), baseline=path, margin=0.02)
    # Few samples that vary: not proven to be no worse.
    with pytest.raises(AssertionError, match="over 3 samples"):
        assert_rag(report_of([scores[0] - 0.2, scores[1] + 0.2, scores[2]]), baseline=path, margin=0.02)
    assert_rag(report_of(much), baseline=path, update_baseline=True)
    assert_rag(report_of(much), baseline=path)
