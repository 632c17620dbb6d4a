"""The judged metrics: their formulas on canned verdicts, and what they say with nothing to judge."""

from __future__ import annotations

import json
import random
import typing

import pytest

from vecstore import InvalidInputError, _vecstore
from vecstore.evaluation import (
    AnswerCorrectness,
    AnswerFaithfulness,
    AnswerRelevancy,
    ContextEntityRecall,
    ContextPrecision,
    ContextRecall,
    ContextRelevance,
    EvaluationInput,
    FactualCorrectness,
    Metric,
    MetricResult,
    NoiseSensitivity,
    Pairwise,
    Rubric,
    Session,
    Settings,
)
from vecstore.evaluation._evaluate import run

from .conftest import Judge, scripted

CONTEXTS = ["Paris is in France.", "The Seine flows through Paris.", "Cats purr."]


def at_once(metric: Metric, sample: EvaluationInput) -> MetricResult:
    """Scores a sample without pauses between attempts."""
    return run(metric.score(sample, Session(Settings(retries=1, backoff=0))))


def kind(result: MetricResult) -> str | None:
    return result.failure.kind if result.failure is not None else None


def test_relevance_is_the_share_of_contexts_that_help() -> None:
    judge = Judge(lambda prompt: "No." if "Cats" in prompt else "Yes, it does.")
    result = ContextRelevance(judge).evaluate(EvaluationInput("Where is Paris?", CONTEXTS))
    assert result.score == pytest.approx(2 / 3)
    assert result.details["relevant_count"] == 2
    assert result.details["total_contexts"] == 3
    rated = ContextRelevance(lambda prompt: "0.8").evaluate(EvaluationInput("q", CONTEXTS))  # noqa: ARG005
    assert rated.score == pytest.approx(0.8)


def test_nothing_retrieved_is_not_relevant_and_says_so() -> None:
    result = ContextRelevance(lambda prompt: "yes").evaluate(EvaluationInput("q", []))  # noqa: ARG005
    assert result.score == 0.0
    assert result.details["reason"] == "no contexts"


def test_faithfulness_is_the_share_of_claims_that_follow() -> None:
    answer = "Paris is in France. It has 12 bridges."
    judge = scripted(
        {answer: ["Paris is in France.", "Paris has 12 bridges."]},
        lambda context, claim: claim in context,
    )
    result = AnswerFaithfulness(judge).evaluate(EvaluationInput("q", CONTEXTS, answer))
    assert result.score == 0.5
    assert [claim["supported"] for claim in result.details["claims"]] == [True, False]
    assert [span["supported"] for span in result.details["spans"]] == [True, False]
    assert (result.coverage, result.details["agreement"]) == (1.0, 1.0)
    assert "\n\n".join(CONTEXTS) in judge.prompts[-1]


def test_faithfulness_in_edge_cases() -> None:
    judge = scripted({"I do not know.": [], "Paris is in France.": ["Paris is in France."]}, lambda *_: True)
    metric = AnswerFaithfulness(judge)
    assert kind(metric.evaluate(EvaluationInput("q", CONTEXTS, "I do not know."))) == "nothing_to_judge"
    assert kind(metric.evaluate(EvaluationInput("q", CONTEXTS, "  "))) == "nothing_to_judge"
    assert kind(metric.evaluate(EvaluationInput("q", CONTEXTS))) == "missing_field"
    without = metric.evaluate(EvaluationInput("q", [], "Paris is in France."))
    assert (without.score, without.details["reason"]) == (0.0, "no contexts")


def test_a_judge_that_rates_is_taken_at_its_word() -> None:
    result = AnswerFaithfulness(lambda prompt: "0.8").evaluate(EvaluationInput("q", CONTEXTS, "Yes."))  # noqa: ARG005
    assert (result.score, result.details["method"]) == (0.8, "rating")


def test_faithfulness_without_a_judge() -> None:
    answer = "The Seine flows through Paris. Dogs bark."
    sample = EvaluationInput("q", CONTEXTS, answer)
    assert AnswerFaithfulness(method="lexical").evaluate(sample).score == 0.5

    def embed(text: str) -> list[float]:
        return [1.0, 0.0] if "Seine" in text else [0.0, 1.0] if "Dogs" in text else [-1.0, -1.0]

    assert AnswerFaithfulness(method="embedding", embedder=embed).evaluate(sample).score == 0.5

    def entails(premise: str, hypothesis: str) -> float:
        return 0.9 if hypothesis in premise else 0.1

    assert AnswerFaithfulness(method="nli", nli=entails).evaluate(sample).score == 0.5
    labels = AnswerFaithfulness(
        method="nli", nli=lambda premise, claim: "ENTAILMENT" if claim in premise else "NEUTRAL"
    )
    assert labels.evaluate(sample).score == 0.5


def test_verdicts_that_are_left_out_are_asked_for_again_and_counted_if_they_never_come() -> None:
    claims = ["one.", "two.", "three."]

    def answer(prompt: str) -> str:
        if "Break the answer" in prompt:
            return json.dumps(claims)
        statements = prompt.split("<statements>\n")[1].split("\n</statements>")[0]
        if statements == "1. two.":
            return "no"
        if statements == "1. three.":
            return "hard to say"
        return '{"verdicts": [{"number": 1, "verdict": "yes"}]}'

    result = at_once(AnswerFaithfulness(Judge(answer)), EvaluationInput("q", CONTEXTS, "One. Two. Three."))
    assert [claim["supported"] for claim in result.details["claims"]] == [True, False, None]
    assert result.score == 0.5
    assert result.coverage == pytest.approx(2 / 3)


def test_the_majority_of_votes_decides() -> None:
    votes = iter(["yes", "no", "yes"])

    def answer(prompt: str) -> str:
        return '["A claim."]' if "Break the answer" in prompt else next(votes)

    result = AnswerFaithfulness(Judge(answer), votes=3).evaluate(EvaluationInput("q", CONTEXTS, "A claim."))
    assert result.score == 1.0
    assert result.details["agreement"] == pytest.approx(2 / 3)


def embed_by_word(text: str) -> list[float]:
    return [float(word in text.lower()) for word in ("paris", "france", "cat")]


def test_correctness_by_meaning_facts_and_both() -> None:
    sample = EvaluationInput("q", [], "Paris. Cats purr.", "Paris. France.")
    judge = scripted(
        {"Paris. Cats purr.": ["Paris.", "Cats purr."], "Paris. France.": ["Paris.", "France."]},
        lambda others, statement: statement in others.splitlines(),
    )
    meaning = AnswerCorrectness(embed_by_word).evaluate(sample)
    assert meaning.score == pytest.approx(0.5)
    facts = AnswerCorrectness(llm=judge).evaluate(sample)
    assert facts.score == pytest.approx(0.5)
    assert facts.details["true_positives"] == facts.details["false_positives"] == 1
    both = AnswerCorrectness(lambda text: [1.0, float("France" in text)], judge).evaluate(sample)
    assert both.score == pytest.approx(0.75 * 0.5 + 0.25 * 2**-0.5)
    opposite = AnswerCorrectness(lambda text: [1.0 if "France" in text else -1.0]).evaluate(sample)
    assert (opposite.score, opposite.details["cosine_similarity"]) == (0.0, -1.0)


def test_relevancy_is_the_mean_cosine_of_the_questions() -> None:
    questions = iter(
        ['{"question": "Where is Paris?", "noncommittal": 0}', '{"question": "Cat?", "noncommittal": 1}']
    )
    metric = AnswerRelevancy(Judge(lambda prompt: next(questions)), embed_by_word, questions=2)  # noqa: ARG005
    result = metric.evaluate(EvaluationInput("Paris?", [], "In France."))
    assert result.score == pytest.approx((1.0 + 0.0) / 2)
    evasive = AnswerRelevancy(lambda prompt: '{"question": "Paris?", "noncommittal": "yes"}', embed_by_word)  # noqa: ARG005
    result = evasive.evaluate(EvaluationInput("Paris?", [], "I cannot say."))
    assert (result.score, result.details["noncommittal"]) == (0.0, True)


def test_precision_of_contexts_is_average_precision() -> None:
    judge = Judge(lambda prompt: "no" if "Seine" in prompt else "yes")
    result = ContextPrecision(judge).evaluate(EvaluationInput("q", CONTEXTS, None, "It is in France."))
    assert result.score == pytest.approx((1 + 2 / 3) / 2)
    assert ContextPrecision(judge).evaluate(EvaluationInput("q", [], "a")).score == 0.0
    assert kind(ContextPrecision(judge).evaluate(EvaluationInput("q", CONTEXTS))) == "missing_field"


def test_recall_of_contexts_is_of_the_truths_statements() -> None:
    truth = "Paris is in France. It is old."
    judge = scripted({truth: ["Paris is in France.", "It is old."]}, lambda context, claim: claim in context)
    assert ContextRecall(judge).evaluate(EvaluationInput("q", CONTEXTS, None, truth)).score == 0.5
    assert ContextRecall(judge).evaluate(EvaluationInput("q", [], None, truth)).score == 0.0
    assert (
        kind(ContextRecall(judge).evaluate(EvaluationInput("q", CONTEXTS, None, " "))) == "nothing_to_judge"
    )


def test_recall_of_entities() -> None:
    judge = Judge(
        lambda prompt: '{"entities": ["Paris", "FRANCE "]}' if "Cats" in prompt else '["paris", "Lyon"]'
    )
    result = ContextEntityRecall(judge).evaluate(EvaluationInput("q", CONTEXTS, None, "Paris or Lyon."))
    assert result.score == 0.5
    assert result.details["missing"] == ["lyon"]


def test_noise_is_wrong_claims_from_contexts() -> None:
    answer, truth = "Paris is in France. Cats purr. Mars is red.", "Paris is in France."
    judge = scripted(
        {answer: ["Paris is in France.", "Cats purr.", "Mars is red."], truth: ["Paris is in France."]},
        lambda context, claim: claim in context,
    )
    sample = EvaluationInput("q", CONTEXTS, answer, truth)
    assert NoiseSensitivity(judge, "irrelevant").evaluate(sample).score == pytest.approx(1 / 3)
    assert NoiseSensitivity(judge, "relevant").evaluate(sample).score == 0.0
    assert NoiseSensitivity(judge).name == "noise_sensitivity_relevant"


@pytest.mark.parametrize(("mode", "expected"), [("precision", 0.5), ("recall", 1.0), ("f1", 2 / 3)])
def test_factual_correctness(mode: typing.Any, expected: float) -> None:
    answer, truth = "Paris. Mars.", "Paris."
    judge = scripted(
        {answer: ["Paris.", "Mars."], truth: ["Paris."]}, lambda context, claim: claim in context
    )
    sample = EvaluationInput("q", [], answer, truth)
    assert FactualCorrectness(judge, mode).evaluate(sample).score == pytest.approx(expected)


def test_a_rubric_is_brought_to_0_to_1() -> None:
    metric = Rubric(lambda prompt: '{"reason": "5 faults", "score": 4}', "Is it kind?", name="kindness")  # noqa: ARG005
    result = metric.evaluate(EvaluationInput("q", [], "a"))
    assert (result.metric_name, result.score, result.details["mark"]) == ("kindness", 0.75, 4.0)
    marks = Rubric(lambda prompt: "7", {0: "bad", 10: "good"})  # noqa: ARG005
    assert marks.evaluate(EvaluationInput("q", [], "a")).score == pytest.approx(0.7)
    outside = Rubric(lambda prompt: "11", {0: "bad", 10: "good"})  # noqa: ARG005
    assert kind(at_once(outside, EvaluationInput("q", [], "a"))) == "unparsable"


def test_pairs_are_judged_in_both_orders() -> None:
    sample = EvaluationInput("q", [], "good", other_answer="bad")

    def honest(prompt: str) -> str:
        first = prompt.split("<answer_1>\n")[1].split("\n")[0]
        return '{"better": "1"}' if first == "good" else '{"better": "2"}'

    assert Pairwise(Judge(honest)).evaluate(sample).score == 1.0
    biased = Pairwise(lambda prompt: "Answer 1").evaluate(sample)  # noqa: ARG005
    assert (biased.score, biased.details["position_bias"]) == (0.5, True)
    assert Pairwise(lambda prompt: '{"better": "tie"}').evaluate(sample).score == 0.5  # noqa: ARG005


METRICS: list[typing.Callable[[typing.Any], Metric]] = [
    ContextRelevance,
    AnswerFaithfulness,
    lambda llm: AnswerCorrectness(None, llm),
    lambda llm: AnswerRelevancy(llm, embed_by_word),
    ContextPrecision,
    ContextRecall,
    ContextEntityRecall,
    NoiseSensitivity,
    FactualCorrectness,
    lambda llm: Rubric(llm, "Is it good?"),
    Pairwise,
]


@pytest.mark.parametrize("make", METRICS)
@pytest.mark.parametrize(
    "nonsense",
    ["", "lorem ipsum", "{", '{"score": NaN}', "[" * 2000, '{"better": 7}', "NaN", "1e999", "\x00"],
)
def test_nonsense_is_never_a_score(make: typing.Callable[[typing.Any], Metric], nonsense: str) -> None:
    metric = make(lambda prompt: nonsense)  # noqa: ARG005
    sample = EvaluationInput("q", CONTEXTS, "Paris is big.", "Paris is old.", "Rome is old.")
    result = at_once(metric, sample)
    assert result.score is None
    assert result.failure is not None
    assert (result.failure.kind, result.failure.raw, result.coverage) == ("unparsable", nonsense, 0.0)


def test_scores_of_verdicts_follow_their_formulas() -> None:
    generator = random.Random(60)
    for _ in range(200):
        verdicts = [generator.random() < 0.5 for _ in range(generator.randint(1, 9))]
        numerator = sum(sum(verdicts[: at + 1]) / (at + 1) * verdict for at, verdict in enumerate(verdicts))
        expected = numerator / (sum(verdicts) + 1e-10)
        assert _vecstore._eval_context_precision(verdicts) == pytest.approx(expected, abs=1e-9)
        tp, fp, fn = (generator.randint(0, 5) for _ in range(3))
        beta = generator.choice([0.5, 1.0, 2.0])
        precision = tp / (tp + fp) if tp + fp else 0.0
        recall = tp / (tp + fn) if tp + fn else 0.0
        bottom = beta**2 * precision + recall
        expected = (1 + beta**2) * precision * recall / bottom if bottom else 0.0
        assert _vecstore._eval_statement_f(tp, fp, fn, beta) == pytest.approx(expected, abs=1e-12)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(
        TypeError, match="llm: expected a callable or an object with `generate`, got NoneType"
    ):
        ContextRelevance(None)
    with pytest.raises(InvalidInputError, match="method `judge` needs the argument `llm`"):
        AnswerFaithfulness()
    with pytest.raises(InvalidInputError, match="method: expected one of judge, lexical"):
        AnswerFaithfulness(len, method="guess")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="an embedder, an llm, or both"):
        AnswerCorrectness()
    with pytest.raises(InvalidInputError, match="votes"):
        ContextRecall(len, votes=0)
    with pytest.raises(InvalidInputError, match="mode"):
        NoiseSensitivity(len, "loud")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="scale"):
        Rubric(len, "x", scale=(3, 3))
