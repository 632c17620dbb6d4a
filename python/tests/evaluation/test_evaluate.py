"""`evaluate`, `Evaluator` and their results."""

from __future__ import annotations

import asyncio
import json
import math
import pickle
import typing
from pathlib import Path

import pytest

from vecstore import AlreadyExistsError, InvalidInputError
from vecstore.evaluation import (
    AnswerCorrectness,
    AnswerFaithfulness,
    ContextRelevance,
    EvaluationInput,
    EvaluationReport,
    Evaluator,
    ExactMatch,
    Metric,
    MetricResult,
    Plan,
    Report,
    Session,
    TokenF1,
    evaluate,
    metric_names,
    read_dataset,
)

from .conftest import Judge

SAMPLES: list[dict[str, typing.Any]] = [
    {"question": "2 + 2?", "answer": "four", "reference": "Four.", "user": 7},
    {"question": "3 + 3?", "answer": "seven", "reference": "six"},
]


def report_of(*args: typing.Any, **options: typing.Any) -> Report:
    report = evaluate(*args, **options)
    assert isinstance(report, Report)
    return report


class Broken(Metric):
    name = "broken"

    def measure(self, sample: EvaluationInput, session: Session) -> float:  # noqa: ARG002
        if sample.id == "0":
            raise RuntimeError("no")
        return math.nan


def test_one_metric_that_fails_stops_no_other() -> None:
    report = report_of(SAMPLES, [Broken(), ExactMatch()])
    assert report.scores == {"broken": [None, None], "exact_match": [1.0, 0.0]}
    failures = [row["broken"].failure for row in report.rows]
    assert "RuntimeError: no" in str(failures[0])
    assert "expected a finite score or None, got nan" in str(failures[1])
    assert report.rows[0].overall_score == 1.0
    assert report.summaries[0].mean is None


def test_the_three_metrics_of_the_first_hour() -> None:
    def judge(prompt: str) -> str:  # noqa: ARG001
        return "Yes"

    evaluator = Evaluator()
    evaluator.add_metric(ContextRelevance(judge))
    evaluator.add_metric(AnswerFaithfulness(lambda prompt: "0.5"))  # noqa: ARG005
    evaluator.add_metric(AnswerCorrectness(lambda text: [len(text) / 100, 1.0]))
    assert evaluator.metric_count() == 3
    assert evaluator.metric_names() == ["context_relevance", "answer_faithfulness", "answer_correctness"]
    sample = EvaluationInput("What is Rust?", ["Rust is a language."], "A language.", "A systems language.")
    report = evaluator.evaluate(sample)
    assert report.metric_scores["context_relevance"] == 1.0
    assert report.metric_scores["answer_faithfulness"] == 0.5
    assert report.overall_score is not None
    assert 0.8 < report.overall_score < 1
    assert report.timestamp > 1.7e9
    stats = evaluator.aggregate_reports(evaluator.evaluate_batch([sample, sample]))
    assert stats.count == 2
    assert stats.average_overall_score == pytest.approx(report.overall_score)
    assert stats.average_metric_scores["answer_faithfulness"] == 0.5
    assert stats.min_score == stats.max_score
    with pytest.raises(AlreadyExistsError, match="context_relevance"):
        evaluator.add_metric(ContextRelevance(judge))


def test_aggregates_of_nothing_are_none() -> None:
    stats = Evaluator().aggregate_reports([])
    assert (stats.count, stats.average_overall_score, stats.min_score) == (0, None, None)
    with pytest.raises(InvalidInputError, match="no metrics"):
        Evaluator().evaluate(EvaluationInput("q"))


def test_records_of_other_tools_and_files_are_read(tmp_path: Path) -> None:
    samples = read_dataset(SAMPLES)
    assert samples[0] == EvaluationInput("2 + 2?", [], "four", "Four.", id="0", metadata={"user": 7})
    lines = tmp_path / "samples.jsonl"
    lines.write_text("\n".join(map(json.dumps, SAMPLES)) + "\n\n", encoding="utf-8")
    listed = tmp_path / "samples.json"
    listed.write_text(json.dumps(SAMPLES), encoding="utf-8")
    assert read_dataset(lines) == read_dataset(str(listed)) == samples
    lines.write_text('{"query": "a"}\n{"query"\n', encoding="utf-8")
    with pytest.raises(InvalidInputError, match="line 2"):
        read_dataset(lines)
    listed.write_text("[{", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="expected a JSON list of records"):
        read_dataset(listed)


@pytest.mark.parametrize(
    ("dataset", "metrics", "message"),
    [
        ([], ["exact_match"], "the data set is empty"),
        (
            [{"query": "a", "id": "x"}, {"query": "b", "id": "x"}],
            ["exact_match"],
            "the id `x` is that of sample 0",
        ),
        ([{"query": "a", "answer": "b"}], ["exact_match"], "metric `exact_match` needs `ground_truth`"),
        (SAMPLES, ["exact_mach"], "metric `exact_mach` is unknown: expected one of exact_match, token_f1"),
        (SAMPLES, ["answer_faithfulness"], "metric `answer_faithfulness` needs the argument llm="),
        (SAMPLES, [], "metrics: expected at least one"),
        (SAMPLES, [ExactMatch(), "exact_match"], "several named `exact_match`"),
        ([{"answer": "b"}], ["exact_match"], "sample 0: a sample has no query"),
    ],
)
def test_bad_input_is_refused(dataset: typing.Any, metrics: typing.Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        evaluate(dataset, metrics)


@pytest.mark.parametrize(
    "sample",
    [
        lambda: EvaluationInput("q", "one string"),  # type: ignore[arg-type]
        lambda: EvaluationInput("q", [1]),  # type: ignore[list-item]
        lambda: EvaluationInput(3),  # type: ignore[arg-type]
        lambda: EvaluationInput("q", [], answer=b"x"),  # type: ignore[arg-type]
        lambda: read_dataset([3]),  # type: ignore[list-item]
        lambda: read_dataset(7),  # type: ignore[arg-type]
    ],
)
def test_values_of_wrong_types_are_refused(sample: typing.Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="expected"):
        sample()


def test_texts_that_are_no_unicode_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"contexts\[1\]: expected valid Unicode"):
        EvaluationInput("q", ["fine", "\ud800"])
    with pytest.raises(InvalidInputError, match="sample 0: answer"):
        evaluate([{"query": "q", "answer": "\udfff"}], ["quoted_spans"])
    cut_off = ContextRelevance(lambda prompt: "yes \ud83d")  # noqa: ARG005
    assert cut_off.evaluate(EvaluationInput("q", ["c"])).score == 1.0


def test_a_sample_that_lacks_a_field_has_no_score() -> None:
    report = report_of([*SAMPLES, {"question": "x", "answer": "y"}], ["token_f1"])
    assert report.scores["token_f1"][2] is None
    assert report.summaries[0].failures == {"missing_field": 1}
    assert "needs `ground_truth`" in str(report.rows[2]["token_f1"].failure)


def test_every_name_makes_a_metric_of_that_name() -> None:
    for name in metric_names():
        metrics = [name]
        record = {"query": "q", "contexts": ["c"], "answer": "a", "ground_truth": "g", "other_answer": "o"}
        plan = evaluate([record], metrics, llm=str.upper, embedder=str.upper, dry_run=True)
        assert isinstance(plan, Plan)


def test_a_dry_run_asks_nobody_and_counts() -> None:
    judge = Judge(lambda prompt: pytest.fail(f"asked {prompt}"))
    samples = [EvaluationInput("q", ["c"], "One. Two. Three.")]
    plan = evaluate(
        samples, [AnswerFaithfulness(judge), ContextRelevance(judge)], price=(1.0, 1.0), dry_run=True
    )
    assert isinstance(plan, Plan)
    assert plan.account.calls == 3
    assert plan.account.prompt_tokens > 100
    assert plan.account.cost > 0
    assert "calls=3" in repr(plan)


def test_a_run_is_taken_up_where_it_stopped(tmp_path: Path) -> None:
    log = tmp_path / "run.jsonl"
    judge = Judge(lambda prompt: "yes" if "first" in prompt else "what?")
    samples = [EvaluationInput("q", ["first"], id="a"), EvaluationInput("q", ["second"], id="b")]
    first = report_of(samples, [ContextRelevance(judge)], resume=log, retries=0)
    assert first.scores["context_relevance"] == [1.0, None]
    with log.open("a", encoding="utf-8") as file:
        file.write('{"key": "cut o')
    asked = len(judge.prompts)
    mended = Judge(lambda prompt: "no")  # noqa: ARG005
    again = report_of(samples, [ContextRelevance(mended)], resume=log)
    # Only what failed is asked again.
    assert again.scores["context_relevance"] == [1.0, 0.0]
    assert (len(judge.prompts), len(mended.prompts)) == (asked, 1)
    third = report_of(samples, [ContextRelevance(Judge(lambda prompt: pytest.fail(prompt)))], resume=log)
    assert third.scores == again.scores
    changed = [EvaluationInput("q", ["first, changed"], id="a")]
    assert report_of(changed, [ContextRelevance(mended)], resume=log).scores["context_relevance"] == [0.0]


def test_it_runs_where_a_loop_runs_already() -> None:
    async def notebook() -> Report:
        return report_of(SAMPLES, ["exact_match"])

    assert asyncio.run(notebook()).scores["exact_match"] == [1.0, 0.0]


def test_results_keep_the_order_of_samples() -> None:
    samples = [EvaluationInput(str(number), [], "a" * number, "a" * 50) for number in range(1, 200)]
    assert [row.id for row in report_of(samples, [TokenF1()]).rows] == [str(number) for number in range(199)]


def test_progress_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    report_of(SAMPLES, ["exact_match"], progress=True)
    assert "evaluate" in capsys.readouterr().err


def test_values_survive_pickling() -> None:
    sample = EvaluationInput("q", ["c"], "a", id="x")
    result = MetricResult("m", 0.5, {"k": [1]})
    row = EvaluationReport.of([result], 1.0, "x")
    for value in (sample, result, row):
        assert pickle.loads(pickle.dumps(value)) == value
    assert MetricResult.from_dict(result.to_dict()) == result
    with pytest.raises(InvalidInputError, match="finite"):
        MetricResult("m", math.inf)
