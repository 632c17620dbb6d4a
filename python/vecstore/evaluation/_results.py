"""Results: of a metric on a sample, of all metrics on a sample, of all samples."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections import abc

from vecstore._errors import InvalidInputError

__all__ = ["AggregateStats", "EvaluationReport", "Failure", "MetricResult"]

#: Kinds that another attempt may mend.
TRANSIENT = frozenset({"judge_error", "timeout", "unparsable", "metric_error"})


@dataclasses.dataclass(frozen=True)
class Failure:
    """Why a metric has no score for a sample.

    ``kind`` is one of ``missing_field``, ``nothing_to_judge``, ``unparsable``, ``judge_error``, ``timeout``
    and ``metric_error``; ``raw`` is what the judge answered, if it did.

    >>> sample = EvaluationInput("Who?")
    >>> Evaluator([ExactMatch()]).evaluate(sample).results[0].failure.kind
    'missing_field'
    """

    kind: str
    message: str
    raw: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


@dataclasses.dataclass(frozen=True)
class MetricResult:
    """What one metric says of one sample.

    ``score`` is a finite number, or None, and then ``failure`` says why. ``details`` has what the score was
    made of. ``coverage`` is the share of what was to be judged that was judged.

    >>> MetricResult("token_f1", 0.5).score
    0.5
    """

    metric_name: str
    score: float | None
    details: dict[str, typing.Any] = dataclasses.field(default_factory=dict)
    failure: Failure | None = None
    coverage: float = 1.0

    def __post_init__(self) -> None:
        if self.score is None:
            return
        score = float(self.score)
        if not math.isfinite(score):
            raise InvalidInputError(
                f"metric `{self.metric_name}`: expected a finite score or None, got {score}"
            )
        object.__setattr__(self, "score", score)

    def to_dict(self) -> dict[str, typing.Any]:
        """The result as plain values.

        >>> MetricResult("token_f1", 0.5).to_dict()["score"]
        0.5
        """
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, record: abc.Mapping[str, typing.Any]) -> MetricResult:
        """The inverse of `to_dict`.

        >>> MetricResult.from_dict(MetricResult("token_f1", 0.5).to_dict()).metric_name
        'token_f1'
        """
        fields = dict(record)
        if fields.get("failure") is not None:
            fields["failure"] = Failure(**fields["failure"])
        return cls(**fields)


@dataclasses.dataclass(frozen=True)
class EvaluationReport:
    """What all metrics say of one sample.

    ``overall_score`` is the mean of the scores there are, None if there are none. ``timestamp`` is in seconds
    since 1970.

    >>> sample = EvaluationInput("Who?", answer="a log", ground_truth="a log")
    >>> Evaluator([ExactMatch()]).evaluate(sample).metric_scores
    {'exact_match': 1.0}
    """

    overall_score: float | None
    metric_scores: dict[str, float | None]
    results: list[MetricResult]
    timestamp: float
    id: str | None = None

    @classmethod
    def of(cls, results: list[MetricResult], timestamp: float, id: str | None = None) -> EvaluationReport:
        """Combines results.

        >>> EvaluationReport.of([MetricResult("a", 0.5), MetricResult("b", 1.0)], 0.0).overall_score
        0.75
        """
        scores = [result.score for result in results if result.score is not None]
        overall = math.fsum(scores) / len(scores) if scores else None
        return cls(overall, {result.metric_name: result.score for result in results}, results, timestamp, id)

    def __getitem__(self, metric_name: str) -> MetricResult:
        for result in self.results:
            if result.metric_name == metric_name:
                return result
        raise KeyError(metric_name)


@dataclasses.dataclass(frozen=True)
class AggregateStats:
    """Scores over several reports: None where no report has any.

    ``scored`` counts, for each metric, the reports that have its score.

    >>> sample = EvaluationInput("Who?", answer="a log", ground_truth="a log")
    >>> AggregateStats.of(Evaluator([ExactMatch()]).evaluate_batch([sample])).count
    1
    """

    count: int
    average_overall_score: float | None
    average_metric_scores: dict[str, float | None]
    min_score: float | None
    max_score: float | None
    scored: dict[str, int] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, reports: abc.Sequence[EvaluationReport]) -> AggregateStats:
        """Aggregates reports.

        >>> report = EvaluationReport.of([MetricResult("token_f1", 0.5)], 0.0)
        >>> AggregateStats.of([report]).average_metric_scores
        {'token_f1': 0.5}
        """
        overall = [report.overall_score for report in reports if report.overall_score is not None]
        columns: dict[str, list[float]] = {}
        for report in reports:
            for name, score in report.metric_scores.items():
                column = columns.setdefault(name, [])
                if score is not None:
                    column.append(score)
        return cls(
            count=len(reports),
            average_overall_score=_mean(overall),
            average_metric_scores={name: _mean(column) for name, column in columns.items()},
            min_score=min(overall, default=None),
            max_score=max(overall, default=None),
            scored={name: len(column) for name, column in columns.items()},
        )


def _mean(values: list[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
