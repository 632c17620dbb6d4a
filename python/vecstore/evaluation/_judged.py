"""The judged metrics: the formulas of the field. docs/evaluation.md has them with their edge cases."""

from __future__ import annotations

import json
import re
import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_callable, check_int, check_items, check_number, check_share, check_text
from vecstore._errors import InvalidInputError
from vecstore.evaluation import _parse, _prompts
from vecstore.evaluation._deterministic import SUPPORT_THRESHOLD
from vecstore.evaluation._inputs import EvaluationInput
from vecstore.evaluation._judging import JudgedMetric, Verdicts, gathered
from vecstore.evaluation._metric import NothingToJudgeError, cosine
from vecstore.evaluation._results import Failure, MetricResult
from vecstore.evaluation._session import LLM, JudgeError, Session, _called

__all__ = [
    "AnswerCorrectness",
    "AnswerFaithfulness",
    "AnswerRelevancy",
    "ContextEntityRecall",
    "ContextPrecision",
    "ContextRecall",
    "ContextRelevance",
    "FactualCorrectness",
    "NoiseSensitivity",
    "Pairwise",
    "Rubric",
]

_Measured = tuple[float, dict[str, typing.Any]]


class ContextRelevance(JudgedMetric):
    """The share of contexts that help to answer the question.

    The judge says yes or no, or a number from 0 to 1, of each context; the score is the mean. Without
    contexts it is 0: nothing relevant was retrieved.

    >>> judge = lambda prompt: '{"verdict": "yes"}'
    >>> ContextRelevance(judge).evaluate(EvaluationInput("What?", ["Logs are synced."])).score
    1.0
    """

    name = "context_relevance"

    async def measure(self, sample: EvaluationInput, session: Session) -> MetricResult | _Measured:
        """Measures one sample; see `Metric.measure`."""
        if not sample.contexts:
            return 0.0, {"relevant_count": 0, "total_contexts": 0, "reason": "no contexts"}
        outcomes = await _each(
            [
                self._rating(_prompts.context_relevance(sample.query, context), session)
                for context in sample.contexts
            ]
        )
        rated = [outcome for outcome in outcomes if not isinstance(outcome, JudgeError)]
        if not rated:
            raise _first_failure(outcomes)
        details = {
            "context_scores": [None if isinstance(one, JudgeError) else one[0] for one in outcomes],
            "relevant_count": sum(score >= 0.5 for score, _ in rated),
            "total_contexts": len(sample.contexts),
            "agreement": sum(agreement for _, agreement in rated) / len(rated),
            "coverage": len(rated) / len(outcomes),
        }
        return sum(score for score, _ in rated) / len(rated), details


class AnswerFaithfulness(JudgedMetric):
    """The share of the answer's claims that follow from the contexts.

    Parameters
    ----------
    llm
        The judge, which ``method="lexical"``, ``"embedding"`` and ``"nli"`` do without.
    method : str
        ``"judge"``: the judge lists the claims and says of each whether it follows. ``"lexical"``: a sentence
        needs ``threshold`` of its content words and all its numbers in one context. ``"embedding"``: a
        sentence needs a cosine of ``threshold`` to a sentence of a context. ``"nli"``: ``nli(premise,
        hypothesis)`` gives the chance, or the label, that a context entails a sentence.
    embedder, nli
        What those methods use; sync or async.

    An answer without claims, such as a refusal, has no score; without contexts no claim is supported, and it
    is 0. A judge that rates the answer (a bare number from 0 to 1) where claims were asked for is taken at
    its word, and details say ``"method": "rating"``.

    Examples
    --------
    >>> sample = EvaluationInput("What?", ["Logs are synced."], "Logs are synced.")
    >>> AnswerFaithfulness(method="lexical").evaluate(sample).score
    1.0
    """

    name = "answer_faithfulness"
    needs = ("answer",)

    def __init__(
        self,
        llm: LLM = None,
        method: typing.Literal["judge", "lexical", "embedding", "nli"] = "judge",
        *,
        votes: int = 1,
        embedder: typing.Any = None,
        nli: abc.Callable[[str, str], typing.Any] | None = None,
        threshold: float | None = None,
    ) -> None:
        tools = {"judge": llm, "lexical": True, "embedding": embedder, "nli": nli}
        if check_text("method", method) not in tools:
            raise InvalidInputError(f"method: expected one of {', '.join(tools)}, got `{method}`")
        if tools[method] is None:
            argument = {"judge": "llm"}.get(method, method if method == "nli" else "embedder")
            raise InvalidInputError(f"method `{method}` needs the argument `{argument}`")
        super().__init__(llm if llm is not None else str, votes)
        self.method = method
        self.embedder = embedder
        self.nli = nli
        if nli is not None:
            check_callable("nli", nli)
        self.threshold = _THRESHOLDS[method] if threshold is None else check_share("threshold", threshold)

    async def measure(self, sample: EvaluationInput, session: Session) -> _Measured:
        """Measures one sample; see `Metric.measure`."""
        answer = typing.cast(str, sample.answer)
        if not answer.strip():
            raise NothingToJudgeError("the answer is empty")
        if self.method == "judge":
            return await self._judged(sample, answer, session)
        sentences = _vecstore._eval_sentences(answer)
        if not sentences:
            raise NothingToJudgeError("the answer has no sentences")
        if self.method == "lexical":
            grounded, _, _ = _vecstore._eval_ground(answer, sample.contexts, self.threshold)
            supported = [one[4] for one in grounded]
        elif not sample.contexts:
            supported = [False] * len(sentences)
        elif self.method == "embedding":
            supported = await self._near(answer, sentences, sample.contexts, session)
        else:
            supported = await self._entailed(answer, sentences, sample.contexts)
        spans = [
            {"start": start, "end": end, "supported": yes} for (start, end), yes in zip(sentences, supported)
        ]
        return sum(supported) / len(supported), {"spans": spans, "method": self.method}

    async def _judged(self, sample: EvaluationInput, answer: str, session: Session) -> _Measured:
        example = json.dumps({"claims": [answer[a:b] for a, b in _vecstore._eval_sentences(answer)]})
        claims = await session.ask(
            self.llm, _prompts.claims(sample.query, answer), _claims_or_rating, example=example
        )
        if not isinstance(claims, list):
            return claims, {"method": "rating", "claims": []}
        if not claims:
            raise NothingToJudgeError("the answer makes no claims")
        if not sample.contexts:
            unsupported = [{"claim": claim, "supported": False} for claim in claims]
            return 0.0, {"claims": unsupported, "reason": "no contexts"}
        verdicts = await self._supported("\n\n".join(sample.contexts), claims, session)
        judged = [{"claim": claim, "supported": value} for claim, value in zip(claims, verdicts.values)]
        return _share(verdicts), {
            "claims": judged,
            "spans": _located(answer, judged),
            "agreement": verdicts.agreement,
            "coverage": verdicts.coverage,
        }

    async def _near(
        self, answer: str, sentences: list[tuple[int, int]], contexts: list[str], session: Session
    ) -> list[bool]:
        passages = [text[a:b] for text in contexts for a, b in _vecstore._eval_sentences(text)]
        if not passages:
            return [False] * len(sentences)
        texts = [answer[a:b] for a, b in sentences]
        vectors = await session.embed(self.embedder, texts + passages)
        known = vectors[len(texts) :]
        return [
            max(cosine(vector, other) for other in known) >= self.threshold
            for vector in vectors[: len(texts)]
        ]

    async def _entailed(
        self, answer: str, sentences: list[tuple[int, int]], contexts: list[str]
    ) -> list[bool]:
        nli = typing.cast("abc.Callable[[str, str], typing.Any]", self.nli)
        supported = []
        for start, end in sentences:
            entailed = False
            for context in contexts:
                outcome = await _called(lambda pair: nli(*pair), (context, answer[start:end]))
                entailed = entailed or _is_entailment(outcome, self.threshold)
            supported.append(entailed)
        return supported


_THRESHOLDS = {"judge": 0.5, "lexical": SUPPORT_THRESHOLD, "embedding": 0.7, "nli": 0.5}


def _claims_or_rating(text: str) -> list[str] | float:
    # Only a bare number: a list of claims may begin with one.
    if re.fullmatch(r"\s*(?:0(?:\.\d+)?|1(?:\.0+)?)\s*", text):
        return float(text)
    return _parse.claims(text)


def _is_entailment(outcome: typing.Any, threshold: float) -> bool:
    if hasattr(outcome, "item"):  # a scalar of numpy or of a tensor library
        outcome = outcome.item()
    if isinstance(outcome, str):
        return outcome.strip().lower() in ("entailment", "entailed", "entails", "yes")
    if isinstance(outcome, bool):
        return outcome
    if isinstance(outcome, (int, float)) and 0 <= outcome <= 1:
        return outcome >= threshold
    raise InvalidInputError(f"nli: expected a chance from 0 to 1 or a label, got {outcome!r:.80}")


class AnswerCorrectness(JudgedMetric):
    """How far the answer is the truth: in meaning by an embedder, in facts by a judge, or both.

    With both, the score is the weighted mean (three quarters facts, one quarter meaning) of the F-score of
    statements and of the cosine. With an embedder alone it is the cosine, with a judge alone the F-score.
    Below 0, the cosine counts as 0.

    Parameters
    ----------
    embedder, llm
        At least one of them.
    weights : tuple of float
        Of facts and of meaning.
    beta : float
        Above 1, truth that the answer lacks counts more than what it says beyond the truth.

    Examples
    --------
    >>> class Embedder:
    ...     def embed(self, text):
    ...         return [1.0, float(len(text))]
    >>> sample = EvaluationInput("What?", answer="logs", ground_truth="logs")
    >>> round(AnswerCorrectness(Embedder()).evaluate(sample).score, 3)
    1.0
    """

    name = "answer_correctness"
    needs = ("answer", "ground_truth")

    def __init__(
        self,
        embedder: typing.Any = None,
        llm: LLM = None,
        *,
        weights: abc.Sequence[float] = (0.75, 0.25),
        beta: float = 1.0,
        votes: int = 1,
    ) -> None:
        if embedder is None and llm is None:
            raise InvalidInputError("answer_correctness needs an embedder, an llm, or both")
        weights = [check_number("weights", one) for one in check_items("weights", weights, "two numbers")]
        if len(weights) != 2 or min(weights) < 0 or sum(weights) <= 0:
            raise InvalidInputError(f"weights: expected two numbers of at least 0, not both 0, got {weights}")
        super().__init__(llm if llm is not None else str, votes)
        self.embedder = embedder
        self.weights = (0.0 if llm is None else weights[0], 0.0 if embedder is None else weights[1])
        if sum(self.weights) == 0:
            raise InvalidInputError(f"weights: expected one above 0 for what there is, got {weights}")
        self.beta = _beta(beta)

    async def measure(self, sample: EvaluationInput, session: Session) -> _Measured:
        """Measures one sample; see `Metric.measure`."""
        answer, truth = typing.cast(str, sample.answer), typing.cast(str, sample.ground_truth)
        details: dict[str, typing.Any] = {}
        factual = similarity = 0.0
        if self.weights[0] > 0:
            factual = await self._factual(sample.query, answer, truth, session, details)
        if self.weights[1] > 0:
            similarity = cosine(*await session.embed(self.embedder, [answer, truth]))
            details["cosine_similarity"] = similarity
        total = sum(self.weights)
        return (self.weights[0] * factual + self.weights[1] * max(0.0, similarity)) / total, details

    async def _factual(
        self, query: str, answer: str, truth: str, session: Session, details: dict[str, typing.Any]
    ) -> float:
        claims, facts = await gathered(
            [self._claims(query, answer, session), self._claims(query, truth, session)]
        )
        if not claims and not facts:  # neither says anything: they agree
            details["statement_f"] = 1.0
            return 1.0
        in_truth, in_answer = await gathered(
            [
                self._verdicts(
                    lambda some: _prompts.same_facts(query, some, "\n".join(facts)), claims, session
                ),
                self._verdicts(
                    lambda some: _prompts.same_facts(query, some, "\n".join(claims)), facts, session
                ),
            ]
        )
        both = sum(in_truth.known)
        extra, lacking = len(in_truth.known) - both, len(in_answer.known) - sum(in_answer.known)
        score = _vecstore._eval_statement_f(both, extra, lacking, self.beta)
        details.update(statement_f=score, true_positives=both, false_positives=extra, false_negatives=lacking)
        details["coverage"] = _joint_coverage([in_truth, in_answer])
        return score


class AnswerRelevancy(JudgedMetric):
    """How near the question is to the questions that the answer would answer.

    The judge writes ``questions`` of them; the score is the mean cosine of their embeddings to the
    question's, or 0 if it calls the answer noncommittal each time.

    >>> judge = lambda prompt: '{"question": "What?", "noncommittal": "no"}'
    >>> class Embedder:
    ...     def embed(self, text):
    ...         return [1.0, float(len(text))]
    >>> sample = EvaluationInput("What?", answer="logs")
    >>> round(AnswerRelevancy(judge, Embedder()).evaluate(sample).score, 3)
    1.0
    """

    name = "answer_relevancy"
    needs = ("answer",)

    def __init__(self, llm: LLM, embedder: typing.Any, questions: int = 3) -> None:
        super().__init__(llm)
        if embedder is None:
            raise InvalidInputError("answer_relevancy needs an embedder")
        self.embedder = embedder
        self.questions = check_int("questions", questions, 1)

    async def measure(self, sample: EvaluationInput, session: Session) -> _Measured:
        """Measures one sample; see `Metric.measure`."""
        answer = typing.cast(str, sample.answer)
        if not answer.strip():
            raise NothingToJudgeError("the answer is empty")
        example = json.dumps({"question": sample.query, "noncommittal": "no"})
        outcomes = await _each(
            [
                session.ask(
                    self.llm, _prompts.question_for(answer, vote), _question, example=example, vote=vote
                )
                for vote in range(self.questions)
            ]
        )
        written = [outcome for outcome in outcomes if not isinstance(outcome, JudgeError)]
        if not written:
            raise _first_failure(outcomes)
        details: dict[str, typing.Any] = {
            "questions": [question for question, _ in written],
            "noncommittal": all(evasive for _, evasive in written),
            "coverage": len(written) / len(outcomes),
        }
        if details["noncommittal"]:
            return 0.0, details
        vectors = await session.embed(self.embedder, [sample.query, *details["questions"]])
        return sum(cosine(vectors[0], other) for other in vectors[1:]) / len(written), details


def _question(text: str) -> tuple[str, bool]:
    answer = _parse.json_in(text)
    question = answer.get("question") if isinstance(answer, dict) else None
    if not isinstance(question, str) or not question.strip():
        raise _parse.UnparsableError('expected {"question": "...", "noncommittal": "yes" or "no"}')
    return question, _parse.verdict(answer.get("noncommittal", False))


class ContextPrecision(JudgedMetric):
    """Whether useful contexts stand above useless ones: the average precision of the ranking.

    The judge says of each context whether it was useful for the ground truth, or for the answer where there
    is no truth. Without contexts, or without useful ones, the score is 0.

    >>> judge = lambda prompt: '{"verdict": "yes"}'
    >>> sample = EvaluationInput("What?", ["Logs are synced."], "logs", "logs")
    >>> ContextPrecision(judge).evaluate(sample).score
    1.0
    """

    name = "context_precision"

    async def measure(self, sample: EvaluationInput, session: Session) -> _Measured:
        """Measures one sample; see `Metric.measure`."""
        target = sample.ground_truth if sample.ground_truth is not None else sample.answer
        if target is None:
            raise _missing(self.name, "`ground_truth` or `answer`")
        if not sample.contexts:
            return 0.0, {"useful": [], "reason": "no contexts"}
        outcomes = await gathered(
            self._rating(_prompts.context_useful(sample.query, context, target), session)
            for context in sample.contexts
        )
        useful = [score > 0.5 for score, _ in outcomes]
        agreement = sum(one for _, one in outcomes) / len(outcomes)
        return _vecstore._eval_context_precision(useful), {"useful": useful, "agreement": agreement}


class ContextRecall(JudgedMetric):
    """The share of the ground truth's statements that follow from the contexts.

    >>> judge = lambda prompt: (
    ...     '{"claims": ["Logs are synced."]}'
    ...     if "Break the answer" in prompt
    ...     else '{"verdicts": [{"number": 1, "verdict": "yes"}]}'
    ... )
    >>> sample = EvaluationInput("What?", ["Logs are synced."], ground_truth="Logs are synced.")
    >>> ContextRecall(judge).evaluate(sample).score
    1.0
    """

    name = "context_recall"
    needs = ("ground_truth",)

    async def measure(self, sample: EvaluationInput, session: Session) -> _Measured:
        """Measures one sample; see `Metric.measure`."""
        truth = typing.cast(str, sample.ground_truth)
        facts = await self._claims(sample.query, truth, session) if truth.strip() else []
        if not facts:
            raise NothingToJudgeError("the ground truth makes no statements")
        if not sample.contexts:
            return 0.0, {"statements": facts, "reason": "no contexts"}
        verdicts = await self._supported("\n\n".join(sample.contexts), facts, session)
        statements = [{"statement": fact, "attributed": value} for fact, value in zip(facts, verdicts.values)]
        details = {
            "statements": statements,
            "agreement": verdicts.agreement,
            "coverage": verdicts.coverage,
        }
        return _share(verdicts), details


class ContextEntityRecall(JudgedMetric):
    """The share of the ground truth's entities, as the judge lists them, that the contexts name too.

    Case and white space make no difference.

    >>> judge = lambda prompt: '{"entities": ["Ada"]}'
    >>> sample = EvaluationInput("Who?", ["Ada wrote it."], ground_truth="Ada")
    >>> ContextEntityRecall(judge).evaluate(sample).score
    1.0
    """

    name = "context_entity_recall"
    needs = ("ground_truth",)

    async def measure(self, sample: EvaluationInput, session: Session) -> _Measured:
        """Measures one sample; see `Metric.measure`."""
        truth = typing.cast(str, sample.ground_truth)
        wanted = await self._entities(truth, session) if truth.strip() else set()
        if not wanted:
            raise NothingToJudgeError("the ground truth names no entities")
        if not sample.contexts:
            return 0.0, {"missing": sorted(wanted), "reason": "no contexts"}
        found = await self._entities("\n\n".join(sample.contexts), session)
        return len(wanted & found) / len(wanted), {
            "found": sorted(wanted & found),
            "missing": sorted(wanted - found),
        }

    async def _entities(self, text: str, session: Session) -> set[str]:
        example = json.dumps({"entities": text.split()[:10]})
        listed = await session.ask(self.llm, _prompts.entities(text), _parse.claims, example=example)
        return {" ".join(entity.lower().split()) for entity in listed}


class NoiseSensitivity(JudgedMetric):
    """The share of the answer's claims that are wrong and come from the contexts: lower is better.

    ``mode`` says from which contexts: ``"relevant"`` (those that support a statement of the ground truth) or
    ``"irrelevant"`` (only others).

    >>> judge = lambda prompt: (
    ...     '{"claims": ["Logs are synced."]}'
    ...     if "Break the answer" in prompt
    ...     else '{"verdicts": [{"number": 1, "verdict": "yes"}]}'
    ... )
    >>> sample = EvaluationInput("What?", ["Logs are synced."], "Logs are synced.", "Logs are synced.")
    >>> NoiseSensitivity(judge).evaluate(sample).score
    0.0
    """

    needs = ("answer", "ground_truth")

    def __init__(
        self, llm: LLM, mode: typing.Literal["relevant", "irrelevant"] = "relevant", *, votes: int = 1
    ) -> None:
        super().__init__(llm, votes)
        _vecstore._eval_noise_sensitivity([], [], [], check_text("mode", mode))
        self.mode = mode
        self.name = f"noise_sensitivity_{mode}"

    async def measure(self, sample: EvaluationInput, session: Session) -> _Measured:
        """Measures one sample; see `Metric.measure`."""
        answer, truth = typing.cast(str, sample.answer), typing.cast(str, sample.ground_truth)
        if not sample.contexts:
            raise NothingToJudgeError("there are no contexts")
        claims, facts = await gathered(
            [self._claims(sample.query, answer, session), self._claims(sample.query, truth, session)]
        )
        if not claims:
            raise NothingToJudgeError("the answer makes no claims")
        asked = [self._supported(truth, claims, session)]
        asked += [self._supported(context, claims, session) for context in sample.contexts]
        asked += [self._supported(context, facts, session) for context in sample.contexts]
        correct, *rest = await gathered(asked)
        by_claim, by_fact = rest[: len(sample.contexts)], rest[len(sample.contexts) :]
        # A verdict that is still missing after being asked for by itself is no support.
        rows = [[bool(column.values[at]) for column in by_claim] for at in range(len(claims))]
        fact_rows = [[bool(column.values[at]) for column in by_fact] for at in range(len(facts))]
        verdicts = [bool(value) for value in correct.values]
        score = _vecstore._eval_noise_sensitivity(rows, fact_rows, verdicts, self.mode)
        details = {
            "claims": [
                {"claim": claim, "correct": right, "contexts": [at for at, yes in enumerate(row) if yes]}
                for claim, right, row in zip(claims, verdicts, rows)
            ],
            "coverage": _joint_coverage([correct, *rest]),
        }
        return typing.cast(float, score), details


class FactualCorrectness(JudgedMetric):
    """How far the claims of answer and ground truth follow from each other.

    ``mode`` is ``"precision"`` (claims of the answer that follow from the truth), ``"recall"`` (of the truth
    that follow from the answer) or ``"f1"`` (``beta`` weighs recall).

    >>> judge = lambda prompt: (
    ...     '{"claims": ["Logs are synced."]}'
    ...     if "Break the answer" in prompt
    ...     else '{"verdicts": [{"number": 1, "verdict": "yes"}]}'
    ... )
    >>> sample = EvaluationInput("What?", answer="Logs are synced.", ground_truth="Logs are synced.")
    >>> FactualCorrectness(judge).evaluate(sample).score
    1.0
    """

    name = "factual_correctness"
    needs = ("answer", "ground_truth")

    def __init__(
        self,
        llm: LLM,
        mode: typing.Literal["f1", "precision", "recall"] = "f1",
        *,
        beta: float = 1.0,
        votes: int = 1,
    ) -> None:
        super().__init__(llm, votes)
        if check_text("mode", mode) not in ("f1", "precision", "recall"):
            raise InvalidInputError(f"mode: expected f1, precision or recall, got `{mode}`")
        self.mode = mode
        self.beta = _beta(beta)
        if mode != "f1":
            self.name = f"factual_correctness_{mode}"

    async def measure(self, sample: EvaluationInput, session: Session) -> _Measured:
        """Measures one sample; see `Metric.measure`."""
        answer, truth = typing.cast(str, sample.answer), typing.cast(str, sample.ground_truth)
        claims = await self._claims(sample.query, answer, session)
        forward = await self._supported(truth, claims, session)
        both, extra, lacking = sum(forward.known), len(forward.known) - sum(forward.known), 0
        parts = [forward]
        if self.mode != "precision":
            facts = await self._claims(sample.query, truth, session)
            backward = await self._supported(answer, facts, session)
            lacking = len(backward.known) - sum(backward.known)
            parts.append(backward)
        if not any(part.values for part in parts):
            raise NothingToJudgeError("neither the answer nor the ground truth makes claims")
        details = {
            "true_positives": both,
            "false_positives": extra,
            "false_negatives": lacking,
            "coverage": _joint_coverage(parts),
        }
        if self.mode == "precision":
            return (both / (both + extra) if both else 0.0), details
        if self.mode == "recall":
            return (both / (both + lacking) if both else 0.0), details
        return _vecstore._eval_statement_f(both, extra, lacking, self.beta), details


class Rubric(JudgedMetric):
    """A rating of the answer by your own criteria, brought to 0 to 1.

    Parameters
    ----------
    criteria : str or mapping
        What to rate by; or a description of each mark, ``{1: "wrong", 5: "complete and correct"}``, which
        then are the scale.
    scale : tuple of float
        The least and the greatest mark.
    name : str
        Names the metric.

    Examples
    --------
    >>> judge = lambda prompt: '{"reason": "clear", "score": 5}'
    >>> Rubric(judge, "Is it clear?").evaluate(EvaluationInput("What?", answer="logs")).score
    1.0
    """

    needs = ("answer",)

    def __init__(
        self,
        llm: LLM,
        criteria: str | abc.Mapping[int, str],
        *,
        scale: tuple[float, float] = (1, 5),
        name: str = "rubric",
        votes: int = 1,
    ) -> None:
        super().__init__(llm, votes)
        if isinstance(criteria, abc.Mapping):
            if len(criteria) < 2:
                raise InvalidInputError(f"criteria: expected at least two marks, got {len(criteria)}")
            scale = (min(criteria), max(criteria))
            criteria = "\n".join(f"{mark}: {text}" for mark, text in sorted(criteria.items()))
        check_text("criteria", criteria)
        check_text("name", name)
        marks = [check_number("scale", mark) for mark in check_items("scale", scale, "two numbers")]
        if len(marks) != 2 or not marks[0] < marks[1]:
            raise InvalidInputError(f"scale: expected a lower and a higher mark, got {scale}")
        self.criteria = criteria
        self.scale = (marks[0], marks[1])
        self.name = name

    async def measure(self, sample: EvaluationInput, session: Session) -> _Measured:
        """Measures one sample; see `Metric.measure`."""
        texts = {"question": sample.query, "answer": typing.cast(str, sample.answer)}
        if sample.contexts:
            texts["context"] = "\n\n".join(sample.contexts)
        if sample.ground_truth is not None:
            texts["reference"] = sample.ground_truth
        low, high = self.scale
        prompt = _prompts.rubric(self.criteria, low, high, texts)
        score, agreement = await self._rating(prompt, session, low, high)
        return score, {"mark": low + score * (high - low), "scale": list(self.scale), "agreement": agreement}


class Pairwise(JudgedMetric):
    """Whether ``answer`` is better than ``other_answer``: 1 if it is, 0 if the other is, 0.5 for a tie.

    The judge sees the two in both orders; if it prefers a place rather than an answer, that is a tie, and
    details say ``"position_bias": True``.

    >>> judge = lambda prompt: '{"better": "tie"}'
    >>> Pairwise(judge).evaluate(EvaluationInput("What?", answer="a", other_answer="b")).score
    0.5
    """

    name = "pairwise"
    needs = ("answer", "other_answer")

    def __init__(
        self, llm: LLM, criteria: str = "correct, complete and to the point", *, votes: int = 1
    ) -> None:
        super().__init__(llm, votes)
        self.criteria = check_text("criteria", criteria)

    async def measure(self, sample: EvaluationInput, session: Session) -> _Measured:
        """Measures one sample; see `Metric.measure`."""
        answer, other = typing.cast(str, sample.answer), typing.cast(str, sample.other_answer)
        context = "\n\n".join(sample.contexts)
        prompts = [
            _prompts.pairwise(sample.query, first, second, self.criteria, context)
            for first, second in ((answer, other), (other, answer))
        ]
        preferences = await gathered(
            session.ask(self.llm, prompt, _preference, example='{"better": "tie"}', vote=vote)
            for prompt in prompts
            for vote in range(self.votes)
        )
        as_first = sum(preferences[: self.votes]) / self.votes
        as_second = 1 - sum(preferences[self.votes :]) / self.votes
        biased = (as_first - 0.5) * (as_second - 0.5) < 0
        score = 0.5 if biased else (as_first + as_second) / 2
        return score, {"as_first": as_first, "as_second": as_second, "position_bias": biased}


def _preference(text: str) -> float:
    """1 for the first answer, 0 for the second, 0.5 for a tie."""
    try:
        answer = _parse.json_in(text)
    except _parse.UnparsableError:
        answer = text
    if isinstance(answer, dict):
        answer = answer.get("better", answer.get("winner"))
    places = {"1": 1.0, "a": 1.0, "first": 1.0, "2": 0.0, "b": 0.0, "second": 0.0, "tie": 0.5, "equal": 0.5}
    word = str(answer).strip().strip(".\"'").lower()
    for prefix in ("answer_", "answer "):
        word = word[len(prefix) :] if word.startswith(prefix) else word
    if word not in places:
        raise _parse.UnparsableError('expected {"better": "1"}, "2" or "tie"')
    return places[word]


def _share(verdicts: Verdicts) -> float:
    share = _vecstore._eval_verdict_share(verdicts.known)
    if share is None:
        raise JudgeError("unparsable", f"expected verdicts on {len(verdicts.values)} statements, got none")
    return share


def _joint_coverage(parts: abc.Sequence[Verdicts]) -> float:
    asked = sum(len(part.values) for part in parts)
    return sum(len(part.known) for part in parts) / asked if asked else 1.0


def _beta(beta: float) -> float:
    if not check_number("beta", beta) > 0:
        raise InvalidInputError(f"beta: expected a number above 0, got {beta!r}")
    return float(beta)


async def _each(questions: list[abc.Coroutine[typing.Any, typing.Any, typing.Any]]) -> list[typing.Any]:
    """Runs questions side by side; those that fail give their failure."""

    async def caught(question: abc.Coroutine[typing.Any, typing.Any, typing.Any]) -> typing.Any:
        try:
            return await question
        except JudgeError as failure:
            return failure

    return await gathered(caught(question) for question in questions)


def _first_failure(outcomes: abc.Iterable[typing.Any]) -> JudgeError:
    return next(outcome for outcome in outcomes if isinstance(outcome, JudgeError))


def _missing(name: str, what: str) -> JudgeError:
    failure = JudgeError("missing_field", f"metric `{name}` needs {what}")
    failure.failure = Failure("missing_field", str(failure))
    return failure


def _located(answer: str, claims: list[dict[str, typing.Any]]) -> list[dict[str, typing.Any]]:
    """Marks the sentences that claims are taken from, more or less: for reading, not for the score."""
    sentences = _vecstore._eval_sentences(answer)
    worst: dict[int, bool] = {}
    for claim in claims:
        if claim["supported"] is None:
            continue
        overlap = [_vecstore._eval_token_f1(claim["claim"], answer[a:b]) for a, b in sentences]
        at = max(range(len(overlap)), key=overlap.__getitem__, default=None)
        if at is not None and overlap[at] >= 0.3:
            worst[at] = worst.get(at, True) and claim["supported"]
    return [
        {"start": sentences[at][0], "end": sentences[at][1], "supported": supported}
        for at, supported in sorted(worst.items())
    ]
