"""What a metric is: a name, the fields it needs, and a score of a sample."""

from __future__ import annotations

import asyncio
import math
import typing
from collections import abc

from vecstore._errors import InvalidInputError
from vecstore.evaluation._inputs import EvaluationInput
from vecstore.evaluation._results import Failure, MetricResult
from vecstore.evaluation._session import JudgeError, Session

__all__ = ["Metric", "NothingToJudgeError", "cosine"]


class NothingToJudgeError(Exception):
    """A sample that the metric has nothing to say of; the message says why."""


class Metric:
    """The base of all metrics; derive from it to write your own.

    A metric has a `name`, says in `needs` which fields of a sample it cannot do without, and scores samples
    in `measure`, which may be a coroutine. It returns a score, a score with details, or a whole
    `MetricResult`; what it raises becomes a result without score, and never stops other metrics.

    >>> from vecstore.evaluation import EvaluationInput, Evaluator, Metric
    >>> class Brevity(Metric):
    ...     name = "brevity"
    ...     needs = ("answer",)
    ...     def measure(self, sample, session):
    ...         return 1 / max(1, len(sample.answer.split()))
    >>> Evaluator([Brevity()]).evaluate(EvaluationInput("q", [], "two words")).overall_score
    0.5
    """

    #: Names the metric in results.
    name: str = "metric"
    #: Fields a sample must have, of ``query``, ``contexts``, ``answer``, ``ground_truth``, ``other_answer``.
    needs: tuple[str, ...] = ()

    def measure(self, sample: EvaluationInput, session: Session) -> typing.Any:
        """Scores a sample that has all that the metric needs.

        >>> sample = EvaluationInput("Who?", answer="a log", ground_truth="a log")
        >>> ExactMatch().measure(sample, Session())
        1.0
        """
        raise NotImplementedError(f"{type(self).__name__}.measure is not written")

    def evaluate(self, input: EvaluationInput) -> MetricResult:
        """Scores one sample by itself.

        >>> TokenF1().evaluate(EvaluationInput("Who?", answer="a log", ground_truth="a log")).score
        1.0
        """
        from vecstore.evaluation._evaluate import run

        return run(self.score(input, Session()))

    async def score(self, sample: EvaluationInput, session: Session) -> MetricResult:
        """Scores a sample; what goes wrong is in the result.

        >>> import asyncio
        >>> sample = EvaluationInput("Who?", answer="a log", ground_truth="a log")
        >>> asyncio.run(TokenF1().score(sample, Session())).score
        1.0
        """
        missing = [field for field in self.needs if getattr(sample, field) is None]
        if missing:
            message = f"metric `{self.name}` needs {' and '.join(f'`{field}`' for field in missing)}"
            return MetricResult(self.name, None, failure=Failure("missing_field", message), coverage=0.0)
        try:
            outcome = self.measure(sample, session)
            if isinstance(outcome, abc.Awaitable):
                outcome = await outcome
            return self._result(outcome)
        except NothingToJudgeError as error:
            return MetricResult(
                self.name, None, failure=Failure("nothing_to_judge", str(error)), coverage=0.0
            )
        except JudgeError as error:
            return MetricResult(self.name, None, failure=error.failure, coverage=0.0)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            message = f"metric `{self.name}` raised {type(error).__name__}: {error}"
            return MetricResult(self.name, None, failure=Failure("metric_error", message), coverage=0.0)

    def _result(self, outcome: typing.Any) -> MetricResult:
        if isinstance(outcome, MetricResult):
            return outcome
        score, details = outcome if isinstance(outcome, tuple) else (outcome, {})
        coverage = details.pop("coverage", 1.0)
        return MetricResult(self.name, score, details, coverage=coverage)

    def identity(self) -> str:
        """What tells its results from others' in a resumed run: its class, name, settings and models.

        >>> TokenF1().identity() != ""
        True
        """
        plain = {
            key: value
            for key, value in sorted(vars(self).items())
            if isinstance(value, (str, int, float, bool, tuple, list, dict, type(None)))
        }
        models = {
            key: name
            for key, value in sorted(vars(self).items())
            for name in [getattr(value, "model", getattr(value, "model_name", None))]
            if isinstance(name, str)
        }
        return f"{type(self).__module__}.{type(self).__qualname__} {self.name} {plain!r} {models!r}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


def cosine(a: list[float], b: list[float]) -> float:
    """The cosine of two vectors; 0 if either has no direction."""
    if len(a) != len(b):
        raise InvalidInputError(f"embedder: expected vectors of one dimension, got {len(a)} and {len(b)}")
    # Scaled first, so that no square overflows or vanishes.
    scales = [max(map(abs, vector), default=0.0) for vector in (a, b)]
    if not all(math.isfinite(scale) for scale in scales):
        raise InvalidInputError("embedder: expected finite components, got a vector with others")
    if 0.0 in scales:
        return 0.0
    a, b = ([component / scale for component in vector] for vector, scale in zip((a, b), scales))
    product = math.fsum(x * y for x, y in zip(a, b))
    norms = math.sqrt(math.fsum(x * x for x in a) * math.fsum(y * y for y in b))
    return max(-1.0, min(1.0, product / norms))
