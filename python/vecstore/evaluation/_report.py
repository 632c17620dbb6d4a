"""What an evaluation found: rows by sample, means with intervals, failures counted; and ways to show it."""

from __future__ import annotations

import dataclasses
import importlib
import json
import math
import os
import typing
from collections import abc
from pathlib import Path

from vecstore import _vecstore
from vecstore._arguments import check_int, check_mapping, check_number, check_path
from vecstore._errors import InvalidInputError
from vecstore.evaluation._inputs import EvaluationInput
from vecstore.evaluation._results import AggregateStats, EvaluationReport, MetricResult
from vecstore.evaluation._session import Account

__all__ = ["MetricSummary", "Report"]

#: Resamples of an interval: its bounds then move by about a hundredth of its width from seed to seed.
RESAMPLES = 2_000


@dataclasses.dataclass(frozen=True)
class MetricSummary:
    """A metric over all samples.

    ``mean``, ``low`` and ``high`` (a 95 % interval by bootstrap) are over the samples that have a score, and
    None if there are none. ``failures`` counts those that have none, by kind. ``coverage`` is the mean share
    of each sample that was judged, 0 for a sample without score.

    >>> sample = EvaluationInput("Who?", answer="a log", ground_truth="a log")
    >>> evaluate([sample], [ExactMatch()]).summaries[0].mean
    1.0
    """

    name: str
    mean: float | None
    low: float | None
    high: float | None
    scored: int
    failures: dict[str, int]
    coverage: float

    @property
    def failed(self) -> int:
        """Samples without a score."""
        return sum(self.failures.values())


class Report:
    """The result of `evaluate`.

    >>> samples = [EvaluationInput("Who?", answer=answer, ground_truth="a log") for answer in ("a log", "no")]
    >>> report = evaluate(samples, [TokenF1()])
    >>> report.worst(1)
    [1]
    """

    def __init__(
        self,
        samples: abc.Sequence[EvaluationInput],
        rows: abc.Sequence[EvaluationReport],
        account: Account | None = None,
        seconds: float = 0.0,
    ) -> None:
        if len(samples) != len(rows):
            raise InvalidInputError(f"expected a row for each sample, got {len(samples)} and {len(rows)}")
        self.samples = list(samples)
        self.rows = list(rows)
        self.account = account if account is not None else Account()
        self.seconds = seconds
        self._summaries: list[MetricSummary] | None = None

    @property
    def metric_names(self) -> list[str]:
        """The metrics, in their order."""
        return list(self.rows[0].metric_scores) if self.rows else []

    @property
    def scores(self) -> dict[str, list[float | None]]:
        """The scores by metric, one for each sample."""
        return {name: [row.metric_scores[name] for row in self.rows] for name in self.metric_names}

    @property
    def summaries(self) -> list[MetricSummary]:
        """Each metric over all samples."""
        if self._summaries is None:
            self._summaries = [self._summary(name) for name in self.metric_names]
        return self._summaries

    @property
    def stats(self) -> AggregateStats:
        """Means, least and greatest."""
        return AggregateStats.of(self.rows)

    def _summary(self, name: str) -> MetricSummary:
        results = [row[name] for row in self.rows]
        scores = [result.score for result in results if result.score is not None]
        failures: dict[str, int] = {}
        for result in results:
            if result.score is None:
                kind = result.failure.kind if result.failure is not None else "nothing_to_judge"
                failures[kind] = failures.get(kind, 0) + 1
        coverage = math.fsum(result.coverage for result in results if result.score is not None) / len(results)
        if not scores:
            return MetricSummary(name, None, None, None, 0, failures, coverage)
        mean, low, high, _ = _vecstore._eval_bootstrap_mean(scores, 0.95, RESAMPLES, 0, "bca")
        return MetricSummary(name, mean, low, high, len(scores), failures, coverage)

    def worst(self, count: int | None = None, metric: str | None = None) -> list[int]:
        """The places of samples, the worst first, by a metric or the overall score; those without lead.

        >>> truth = {"ground_truth": "a log"}
        >>> samples = [EvaluationInput("Who?", answer=answer, **truth) for answer in ("a log", "no")]
        >>> evaluate(samples, [TokenF1()]).worst()
        [1, 0]
        """
        if metric is not None and metric not in self.metric_names:
            raise InvalidInputError(
                f"metric `{metric}` is unknown: expected one of {', '.join(self.metric_names)}"
            )

        def key(at: int) -> tuple[bool, float, int]:
            score = self.rows[at].overall_score if metric is None else self.rows[at].metric_scores[metric]
            return (score is not None, score if score is not None else 0.0, at)

        return sorted(range(len(self.rows)), key=key)[
            : None if count is None else check_int("count", count, 0)
        ]

    def to_dict(self) -> dict[str, typing.Any]:
        """The report as plain values.

        >>> sample = EvaluationInput("Who?", answer="a log", ground_truth="a log")
        >>> evaluate([sample], [ExactMatch()]).to_dict()["summaries"][0]["name"]
        'exact_match'
        """
        return {
            "summaries": [dataclasses.asdict(summary) for summary in self.summaries],
            "account": dataclasses.asdict(self.account),
            "seconds": self.seconds,
            "rows": [
                {
                    "sample": sample.to_dict(),
                    "overall_score": row.overall_score,
                    "timestamp": row.timestamp,
                    "results": [result.to_dict() for result in row.results],
                }
                for sample, row in zip(self.samples, self.rows)
            ],
        }

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """The report as JSON, which `from_json` reads back; written to ``path`` if there is one.

        >>> sample = EvaluationInput("Who?", answer="a log", ground_truth="a log")
        >>> evaluate([sample], [ExactMatch()]).to_json()[0]
        '{'
        """
        record = self.to_dict()
        try:
            text = json.dumps(record, indent=1, default=repr, allow_nan=False)
        except ValueError:  # details of a metric that is not ours
            text = json.dumps(_finite(record), indent=1, default=repr)
        return _written(text + "\n", path)

    @classmethod
    def from_json(cls, source: str | os.PathLike[str]) -> Report:
        """Reads a report from a file, or from the JSON itself.

        >>> import pathlib, tempfile
        >>> sample = EvaluationInput("Who?", answer="a log", ground_truth="a log")
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     path = pathlib.Path(directory, "report.json")
        ...     _ = evaluate([sample], [ExactMatch()]).to_json(path)
        ...     again = Report.from_json(path)
        >>> again.rows[0].overall_score
        1.0
        """
        text = source if isinstance(source, str) and source.lstrip().startswith("{") else None
        source = check_path("source", source)
        try:
            record = json.loads(text if text is not None else Path(source).read_text(encoding="utf-8"))
            samples = [EvaluationInput(**row["sample"]) for row in record["rows"]]
            rows = [
                EvaluationReport.of(
                    [MetricResult.from_dict(result) for result in row["results"]],
                    row["timestamp"],
                    row["sample"].get("id"),
                )
                for row in record["rows"]
            ]
            return cls(samples, rows, Account(**record["account"]), record["seconds"])
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInputError(
                f"report: expected what Report.to_json() writes, got {error!r:.200}"
            ) from None

    def to_markdown(self, path: str | os.PathLike[str] | None = None, *, worst: int = 5) -> str:
        """The report as Markdown: a table of metrics, and the worst samples.

        >>> sample = EvaluationInput("Who?", answer="a log", ground_truth="a log")
        >>> "exact_match" in evaluate([sample], [ExactMatch()]).to_markdown()
        True
        """
        from vecstore.evaluation._markdown import markdown

        return _written(markdown(self, check_int("worst", worst, 0)), path)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """The report as one HTML file without scripts or outside links: plots; samples, the worst first.

        >>> sample = EvaluationInput("Who?", answer="a log", ground_truth="a log")
        >>> "<table" in evaluate([sample], [ExactMatch()]).to_html()
        True
        """
        from vecstore.evaluation._html import html

        return _written(html(self), path)

    def to_junit(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        thresholds: abc.Mapping[str, float] | None = None,
    ) -> str:
        """The report as JUnit XML: a test for each sample and metric, which fails below its threshold.

        >>> sample = EvaluationInput("Who?", answer="a log", ground_truth="a log")
        >>> "<testsuite" in evaluate([sample], [ExactMatch()]).to_junit(thresholds={"exact_match": 0.5})
        True
        """
        from vecstore.evaluation._junit import junit

        bounds = {} if thresholds is None else check_mapping("thresholds", thresholds)
        return _written(
            junit(
                self, {name: check_number(f"thresholds[{name!r}]", bound) for name, bound in bounds.items()}
            ),
            path,
        )

    def to_pandas(self) -> typing.Any:
        """A data frame of the samples with a column for each metric; needs pandas."""
        pd = importlib.import_module("pandas")
        columns: dict[str, typing.Any] = {
            "id": [sample.id for sample in self.samples],
            "query": [sample.query for sample in self.samples],
        }
        return pd.DataFrame({**columns, **self.scores})

    def _repr_html_(self) -> str:
        from vecstore.evaluation._html import summary_table

        return summary_table(self)

    def __repr__(self) -> str:
        lines = [f"Report of {len(self.rows)} samples"]
        for summary in self.summaries:
            value = (
                "no score"
                if summary.mean is None
                else f"{summary.mean:.4f} [{summary.low:.4f}, {summary.high:.4f}]"
            )
            failed = f", {summary.failed} without score" if summary.failed else ""
            lines.append(f"  {summary.name}: {value}{failed}")
        return "\n".join(lines)


def _finite(value: typing.Any) -> typing.Any:
    """A tree of values in which what JSON has no number for is None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _written(text: str, path: str | os.PathLike[str] | None) -> str:
    if path is not None:
        Path(check_path("path", path)).write_text(text, encoding="utf-8")
    return text
