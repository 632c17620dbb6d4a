"""`assert_rag`: an evaluation as a test, against thresholds and against an earlier report."""

from __future__ import annotations

import os
import typing
from collections import abc
from pathlib import Path

from vecstore import _vecstore
from vecstore._arguments import check_bool, check_int, check_items, check_mapping, check_number, check_path
from vecstore._errors import InvalidInputError
from vecstore.evaluation._compare import _scores
from vecstore.evaluation._evaluate import evaluate
from vecstore.evaluation._inputs import Dataset, EvaluationInput
from vecstore.evaluation._metric import Metric
from vecstore.evaluation._report import Report

__all__ = ["assert_rag"]


def assert_rag(
    dataset: Dataset | EvaluationInput | Report,
    metrics: abc.Iterable[Metric | str] | Metric | str | None = None,
    thresholds: abc.Mapping[str, float] | None = None,
    *,
    baseline: str | os.PathLike[str] | Report | None = None,
    margin: float = 0.02,
    confidence: float = 0.95,
    lower_is_better: abc.Collection[str] = (),
    max_failures: int = 0,
    update_baseline: bool = False,
    **options: typing.Any,
) -> Report:
    """Evaluates, and raises an `AssertionError` that says all that falls short.

    Parameters
    ----------
    dataset, metrics, **options
        As for `evaluate`; or a report that there is already, without metrics.
    thresholds : mapping, optional
        The least mean of metrics, or the greatest for those in ``lower_is_better``.
    baseline : path or Report, optional
        An earlier report (`Report.to_json`), which no metric may fall behind: the bound of the mean
        difference, at ``confidence`` on one side, must be within ``margin``. If the file is not there it is
        written.
    max_failures : int
        How many samples may be without score, for each metric. Samples with nothing to judge do not count.
    update_baseline : bool
        Writes the report to ``baseline`` once all thresholds hold, instead of comparing with it.

    Examples
    --------
    >>> from vecstore.evaluation import assert_rag
    >>> samples = [{"query": "2 + 2?", "answer": "4", "ground_truth": "4"}]
    >>> assert_rag(samples, ["exact_match"], {"exact_match": 0.9}).scores["exact_match"]
    [1.0]
    """
    bounds = {} if thresholds is None else check_mapping("thresholds", thresholds)
    for name, bound in bounds.items():
        check_number(f"thresholds[{name!r}]", bound)
    margin, confidence = check_number("margin", margin), check_number("confidence", confidence)
    lower_is_better = list(check_items("lower_is_better", lower_is_better, "a list of metrics"))
    check_int("max_failures", max_failures, 0)
    check_bool("update_baseline", update_baseline)
    if baseline is not None and not isinstance(baseline, Report):
        check_path("baseline", baseline)
    report = _report(dataset, metrics, options)
    problems: list[str] = []
    summaries = {summary.name: summary for summary in report.summaries}
    for name in [*bounds, *lower_is_better]:
        if name not in summaries:
            raise InvalidInputError(
                f"metric `{name}` is not evaluated: expected one of {', '.join(summaries)}"
            )
    for name, bound in bounds.items():
        mean = summaries[name].mean
        if mean is None:
            problems.append(f"{name}: no sample has a score")
        elif name in lower_is_better and mean > bound:
            problems.append(f"{name}: mean {mean:.4f} is above {bound:g}{_named_worst(report, name, True)}")
        elif name not in lower_is_better and mean < bound:
            problems.append(f"{name}: mean {mean:.4f} is below {bound:g}{_named_worst(report, name, False)}")
    for summary in report.summaries:
        failed = summary.failed - summary.failures.get("nothing_to_judge", 0)
        if failed > max_failures:
            kinds = ", ".join(f"{count} {kind}" for kind, count in summary.failures.items())
            problems.append(f"{summary.name}: {failed} samples without score ({kinds})")
    if baseline is not None:
        problems += _against(report, baseline, margin, confidence, lower_is_better, update_baseline, problems)
    if problems:
        raise AssertionError(
            "the evaluation falls short:\n" + "\n".join(f"  {problem}" for problem in problems)
        )
    return report


def _report(dataset: typing.Any, metrics: typing.Any, options: dict[str, typing.Any]) -> Report:
    if isinstance(dataset, Report):
        if metrics is not None or options:
            raise InvalidInputError("a report is evaluated already: expected no metrics or options with it")
        return dataset
    if metrics is None:
        raise InvalidInputError("metrics: expected at least one, got none")
    if options.get("dry_run"):
        raise InvalidInputError("a dry run has no scores to assert")
    report = evaluate([dataset] if isinstance(dataset, EvaluationInput) else dataset, metrics, **options)
    return typing.cast(Report, report)


def _against(
    report: Report,
    baseline: str | os.PathLike[str] | Report,
    margin: float,
    confidence: float,
    lower_is_better: abc.Collection[str],
    update: bool,
    problems: list[str],
) -> list[str]:
    if not margin >= 0:
        raise InvalidInputError(f"margin: expected a number of at least 0, got {margin!r}")
    if isinstance(baseline, Report):
        earlier = baseline
    else:
        path = Path(baseline)
        if update or not path.exists():
            if not problems:
                report.to_json(path)
            return []
        earlier = Report.from_json(path)
    behind = []
    before, now = _scores(earlier, "baseline"), _scores(report, "report")
    for name in now:
        if name not in before:
            continue
        differences = [
            after - old
            for sample, after in now[name].items()
            for old in [before[name].get(sample)]
            if after is not None and old is not None
        ]
        if not differences:
            behind.append(f"{name}: no sample has a score here and in the baseline")
            continue
        if name in lower_is_better:
            differences = [-difference for difference in differences]
        # Both tails of this interval together: each has half of what is left.
        both = 1 - 2 * (1 - confidence)
        if not 0 < both < 1:
            raise InvalidInputError(f"confidence: expected a number between 0.5 and 1, got {confidence!r}")
        mean, low, _, _ = _vecstore._eval_bootstrap_mean(differences, both, 10_000, 0, "bca")
        if low < -margin:
            behind.append(
                f"{name}: may have fallen behind the baseline by {-low:.4f} (mean {mean:+.4f} over "
                f"{len(differences)} samples, margin {margin:g})"
            )
    return behind


def _named_worst(report: Report, name: str, highest: bool) -> str:
    scored = [at for at in report.worst(metric=name) if report.rows[at].metric_scores[name] is not None]
    scored = scored[::-1] if highest else scored
    shown = [f"`{report.samples[at].id}` {report.rows[at].metric_scores[name]:.4f}" for at in scored[:3]]
    return f"; worst: {', '.join(shown)}" if shown else ""
