"""`evaluate` and `Evaluator`: all metrics on all samples, side by side, taken up again where they stopped."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import os
import sys
import threading
import time
import typing
from collections import abc
from pathlib import Path

from vecstore._arguments import check_bool, check_items, check_path
from vecstore._errors import AlreadyExistsError, InvalidInputError
from vecstore.evaluation import _deterministic, _judged
from vecstore.evaluation._inputs import Dataset, EvaluationInput, read_dataset
from vecstore.evaluation._metric import Metric
from vecstore.evaluation._report import Report
from vecstore.evaluation._results import TRANSIENT, AggregateStats, EvaluationReport, MetricResult
from vecstore.evaluation._session import LLM, Account, Session, Settings

__all__ = ["Evaluator", "Plan", "evaluate", "metric_names", "run"]

T = typing.TypeVar("T")

#: Samples in work at once; judges have a limit of their own.
SAMPLES_AT_ONCE = 64

_PLAIN: dict[str, abc.Callable[[], Metric]] = {
    "exact_match": _deterministic.ExactMatch,
    "token_f1": _deterministic.TokenF1,
    "rouge_1": lambda: _deterministic.Rouge("1"),
    "rouge_2": lambda: _deterministic.Rouge("2"),
    "rouge_l": lambda: _deterministic.Rouge("L"),
    "rouge_lsum": lambda: _deterministic.Rouge("Lsum"),
    "bleu": _deterministic.Bleu,
    "chrf": _deterministic.Chrf,
    "lexical_groundedness": _deterministic.LexicalGroundedness,
    "quoted_spans": _deterministic.QuotedSpans,
    "citation_precision": _deterministic.CitationPrecision,
    "citation_recall": _deterministic.CitationRecall,
    "context_utilization": _deterministic.ContextUtilization,
}
_WITH_LLM: dict[str, abc.Callable[[typing.Any], Metric]] = {
    "context_relevance": _judged.ContextRelevance,
    "answer_faithfulness": _judged.AnswerFaithfulness,
    "faithfulness": _judged.AnswerFaithfulness,
    "context_precision": _judged.ContextPrecision,
    "context_recall": _judged.ContextRecall,
    "context_entity_recall": _judged.ContextEntityRecall,
    "noise_sensitivity": _judged.NoiseSensitivity,
    "factual_correctness": _judged.FactualCorrectness,
    "pairwise": _judged.Pairwise,
}
_WITH_EMBEDDER: dict[str, abc.Callable[[typing.Any], Metric]] = {
    "embedding_similarity": _deterministic.EmbeddingSimilarity,
}
_WITH_BOTH = ("answer_correctness", "answer_relevancy")


@dataclasses.dataclass(frozen=True)
class Plan:
    """What an evaluation would ask of judges, as far as that can be told without asking.

    Made by a dry run: prompts are counted as they would be if each sentence of an answer were one claim.

    >>> sample = EvaluationInput("Who?", ["a log"], answer="a log")
    >>> plan = evaluate([sample], [ContextRelevance(lambda prompt: "")], dry_run=True)
    >>> plan.samples, plan.metrics
    (1, ['context_relevance'])
    """

    samples: int
    metrics: list[str]
    account: Account

    def __repr__(self) -> str:
        account = self.account
        return (
            f"Plan(samples={self.samples}, metrics={self.metrics}, calls={account.calls}, "
            f"prompt_tokens={account.prompt_tokens}, completion_tokens={account.completion_tokens}, "
            f"cost={account.cost:.4f})"
        )


def metric_names() -> list[str]:
    """The names of metrics that `evaluate` knows.

    >>> "token_f1" in metric_names()
    True
    """
    return [*_PLAIN, *_WITH_LLM, *_WITH_EMBEDDER, *_WITH_BOTH]


def evaluate(
    dataset: Dataset,
    metrics: abc.Iterable[Metric | str] | Metric | str,
    *,
    llm: LLM = None,
    embedder: typing.Any = None,
    concurrency: int = 16,
    timeout: float = 60.0,
    retries: int = 2,
    backoff: float = 0.5,
    cache: str | os.PathLike[str] | None = None,
    model: str | None = None,
    price: tuple[float, float] = (0.0, 0.0),
    resume: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    progress: bool = False,
) -> Report | Plan:
    """Evaluates a data set under metrics.

    A metric that fails on a sample has no score there (``score=None`` with the reason), and stops nothing
    else.

    Parameters
    ----------
    dataset : iterable or path
        Samples, records, a data frame, or a JSONL or JSON file.
    metrics : iterable of Metric or str
        Metrics, or names of them (`metric_names`); those that need it get ``llm`` and ``embedder``.
    llm, embedder
        For metrics given by name.
    concurrency, timeout, retries, backoff, cache, model, price
        How judges are asked: see `Settings`.
    resume : path, optional
        A JSONL file that every finished sample is appended to. What it has already is not done again, unless
        the sample or the metrics have changed, or a failure might not repeat.
    dry_run : bool
        Asks nobody; returns a `Plan` of calls, tokens and cost.
    progress : bool
        Shows progress on stderr.

    Raises
    ------
    InvalidInputError
        For an empty data set, ids that occur twice, an unknown metric (the message lists them), two metrics
        of one name, or metrics of which no sample has the fields.

    Examples
    --------
    >>> from vecstore.evaluation import evaluate
    >>> samples = [{"query": "2 + 2?", "answer": "four", "ground_truth": "Four."}]
    >>> evaluate(samples, ["exact_match"]).scores["exact_match"]
    [1.0]
    """
    samples = read_dataset(dataset)
    chosen = choose(metrics, llm, embedder)
    _check_fields(samples, chosen)
    settings = Settings(
        concurrency=concurrency,
        timeout=timeout,
        retries=retries,
        backoff=backoff,
        price=price,
        cache=cache,
        model=model,
    )
    journal = None if resume is None else Path(check_path("resume", resume))
    session = Session(settings, dry=check_bool("dry_run", dry_run))
    began = time.perf_counter()
    rows = run(_all(samples, chosen, session, None if dry_run else journal, check_bool("progress", progress)))
    if dry_run:
        return Plan(len(samples), [metric.name for metric in chosen], session.account)
    return Report(samples, rows, session.account, time.perf_counter() - began)


class Evaluator:
    """A fixed set of metrics, applied to one sample or many.

    >>> from vecstore.evaluation import EvaluationInput, Evaluator, TokenF1
    >>> evaluator = Evaluator()
    >>> evaluator.add_metric(TokenF1())
    >>> evaluator.evaluate(EvaluationInput("q", [], "a red house", "the house")).metric_scores
    {'token_f1': 0.6666666666666666}
    """

    def __init__(self, metrics: abc.Iterable[Metric] = (), *, settings: Settings | None = None) -> None:
        self._metrics: list[Metric] = []
        if settings is not None and not isinstance(settings, Settings):
            raise TypeError(f"settings: expected a Settings or None, got {type(settings).__name__}")
        self._settings = settings
        for metric in check_items("metrics", metrics, "a list of metrics"):
            self.add_metric(metric)

    def add_metric(self, metric: Metric) -> None:
        """Adds a metric; its name must be new.

        >>> evaluator = Evaluator()
        >>> evaluator.add_metric(TokenF1())
        >>> evaluator.metric_names()
        ['token_f1']
        """
        if not isinstance(metric, Metric):
            raise TypeError(f"metric: expected a Metric, got {type(metric).__name__}")
        if metric.name in self.metric_names():
            raise AlreadyExistsError(f"there is a metric `{metric.name}` already")
        self._metrics.append(metric)

    def evaluate(self, input: EvaluationInput) -> EvaluationReport:
        """Scores one sample under all metrics.

        >>> sample = EvaluationInput("Who?", answer="a red log", ground_truth="a log")
        >>> Evaluator([TokenF1()]).evaluate(sample).overall_score
        0.6666666666666666
        """
        return self.evaluate_batch([input])[0]

    def evaluate_batch(self, inputs: abc.Iterable[EvaluationInput]) -> list[EvaluationReport]:
        """Scores samples, in their order.

        >>> sample = EvaluationInput("Who?", answer="a log", ground_truth="a log")
        >>> [report.overall_score for report in Evaluator([ExactMatch()]).evaluate_batch([sample, sample])]
        [1.0, 1.0]
        """
        if not self._metrics:
            raise InvalidInputError("the evaluator has no metrics: expected at least one, by add_metric()")
        samples = list(check_items("inputs", inputs, "a list of EvaluationInput"))
        for at, sample in enumerate(samples):
            if not isinstance(sample, EvaluationInput):
                raise TypeError(f"inputs[{at}]: expected an EvaluationInput, got {type(sample).__name__}")
        return run(_all(samples, self._metrics, Session(self._settings), None, False))

    def aggregate_reports(self, reports: abc.Sequence[EvaluationReport]) -> AggregateStats:
        """Means, least and greatest over reports; None where there are no scores.

        >>> sample = EvaluationInput("Who?", answer="a log", ground_truth="a log")
        >>> evaluator = Evaluator([ExactMatch()])
        >>> evaluator.aggregate_reports(evaluator.evaluate_batch([sample, sample])).average_overall_score
        1.0
        """
        listed = list(check_items("reports", reports, "a list of EvaluationReport"))
        for at, report in enumerate(listed):
            if not isinstance(report, EvaluationReport):
                raise TypeError(f"reports[{at}]: expected an EvaluationReport, got {type(report).__name__}")
        return AggregateStats.of(listed)

    def metric_count(self) -> int:
        """The number of metrics.

        >>> Evaluator([ExactMatch(), TokenF1()]).metric_count()
        2
        """
        return len(self._metrics)

    def metric_names(self) -> list[str]:
        """Their names, in the order they were added.

        >>> Evaluator([ExactMatch(), TokenF1()]).metric_names()
        ['exact_match', 'token_f1']
        """
        return [metric.name for metric in self._metrics]

    def __repr__(self) -> str:
        return f"Evaluator(metrics={self.metric_names()})"


def choose(
    metrics: abc.Iterable[Metric | str] | Metric | str, llm: LLM, embedder: typing.Any
) -> list[Metric]:
    """The metrics that names and metrics stand for."""
    wanted = (
        [metrics]
        if isinstance(metrics, (Metric, str))
        else list(check_items("metrics", metrics, "metrics or names of them"))
    )
    if not wanted:
        raise InvalidInputError("metrics: expected at least one, got none")
    chosen = [metric if isinstance(metric, Metric) else _by_name(metric, llm, embedder) for metric in wanted]
    names = [metric.name for metric in chosen]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInputError(f"metrics: there are several named `{name}`: give them different names")
    return chosen


def _by_name(name: typing.Any, llm: LLM, embedder: typing.Any) -> Metric:
    if not isinstance(name, str):
        raise TypeError(f"metrics: expected a Metric or a name, got {type(name).__name__}")

    def need(what: str, value: typing.Any) -> typing.Any:
        if value is None:
            raise InvalidInputError(f"metric `{name}` needs the argument {what}=")
        return value

    if name in _PLAIN:
        return _PLAIN[name]()
    if name in _WITH_LLM:
        return _WITH_LLM[name](need("llm", llm))
    if name in _WITH_EMBEDDER:
        return _WITH_EMBEDDER[name](need("embedder", embedder))
    if name == "answer_correctness":
        return _judged.AnswerCorrectness(embedder, llm)
    if name == "answer_relevancy":
        return _judged.AnswerRelevancy(need("llm", llm), need("embedder", embedder))
    raise InvalidInputError(f"metric `{name}` is unknown: expected one of {', '.join(metric_names())}")


def _check_fields(samples: abc.Sequence[EvaluationInput], metrics: abc.Iterable[Metric]) -> None:
    """A field that every sample lacks is a mistake of the call, not of a sample."""
    for metric in metrics:
        for field in metric.needs:
            if all(getattr(sample, field) is None for sample in samples):
                raise InvalidInputError(f"metric `{metric.name}` needs `{field}`, which no sample has")


async def _all(
    samples: abc.Sequence[EvaluationInput],
    metrics: abc.Sequence[Metric],
    session: Session,
    resume: Path | None,
    progress: bool,
) -> list[EvaluationReport]:
    done = _read_done(resume) if resume is not None else {}
    log = resume.open("a", encoding="utf-8") if resume is not None else None
    bar = _bar(len(samples)) if progress else None
    rows: list[EvaluationReport | None] = [None] * len(samples)
    places = iter(range(len(samples)))

    async def one(at: int) -> None:
        sample = samples[at]
        keys = [_fingerprint(sample, metric) for metric in metrics]
        fresh = [place for place, key in enumerate(keys) if key not in done]
        scored = await asyncio.gather(*(metrics[place].score(sample, session) for place in fresh))
        results = {key: done[key] for key in keys if key in done}
        for place, result in zip(fresh, scored):
            results[keys[place]] = result
            if log is not None:
                log.write(json.dumps({"key": keys[place], "id": sample.id, "result": _plain(result)}) + "\n")
                log.flush()
        rows[at] = EvaluationReport.of([results[key] for key in keys], time.time(), sample.id)
        if bar is not None:
            bar.update(1)

    async def work() -> None:
        for at in places:
            await one(at)

    try:
        await asyncio.gather(*(work() for _ in range(min(SAMPLES_AT_ONCE, len(samples)))))
    finally:
        if log is not None:
            log.close()
        if bar is not None:
            bar.close()
    return typing.cast("list[EvaluationReport]", rows)


def _fingerprint(sample: EvaluationInput, metric: Metric) -> str:
    text = json.dumps([sample.to_dict(), metric.identity()], sort_keys=True, default=repr)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(result: MetricResult) -> dict[str, typing.Any]:
    record = result.to_dict()
    try:
        json.dumps(record)
    except (TypeError, ValueError):  # details of a metric that is not ours
        record["details"] = json.loads(json.dumps(record["details"], default=repr, skipkeys=True))
    return record


def _read_done(path: Path) -> dict[str, MetricResult]:
    done: dict[str, MetricResult] = {}
    if not path.exists():
        return done
    text = path.read_text(encoding="utf-8", errors="replace")
    if text and not text.endswith("\n"):
        # The last write was cut off: the next one must not continue its line.
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")
    for line in text.splitlines():
        try:
            record = json.loads(line)
            result = MetricResult.from_dict(record["result"])
        except (ValueError, KeyError, TypeError):
            continue
        if result.failure is None or result.failure.kind not in TRANSIENT:
            done[record["key"]] = result
    return done


def run(work: abc.Coroutine[typing.Any, typing.Any, T]) -> T:
    """Runs a coroutine to its end; where a loop runs already (a notebook), in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    outcome: list[T] = []
    failure: list[BaseException] = []

    def inside() -> None:
        try:
            outcome.append(asyncio.run(work))
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=inside, name="vecstore-evaluate")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


class _Line:
    """A line on stderr, written anew as samples are done."""

    def __init__(self, total: int) -> None:
        self._done = 0
        self._total = total

    def update(self, n: int) -> None:
        self._done += n
        sys.stderr.write(f"\revaluate: {self._done:,} of {self._total:,} samples")
        sys.stderr.flush()

    def close(self) -> None:
        sys.stderr.write("\n")


def _bar(total: int) -> typing.Any:
    try:
        from tqdm import tqdm
    except ImportError:
        return _Line(total)
    return tqdm(total=total, desc="evaluate", unit=" samples")
