"""Metrics that need no judge: they compare the answer with the truth, or with its contexts."""

from __future__ import annotations

import typing

from vecstore import _vecstore
from vecstore._arguments import check_int, check_number, check_text
from vecstore._errors import InvalidInputError
from vecstore.evaluation._inputs import EvaluationInput
from vecstore.evaluation._metric import Metric, NothingToJudgeError, cosine
from vecstore.evaluation._session import Session

__all__ = [
    "Bleu",
    "Chrf",
    "CitationPrecision",
    "CitationRecall",
    "ContextUtilization",
    "EmbeddingSimilarity",
    "ExactMatch",
    "LexicalGroundedness",
    "QuotedSpans",
    "Rouge",
    "TokenF1",
    "spans_of",
]

#: The share of a sentence's content words that a context must have to support it.
SUPPORT_THRESHOLD = 0.6

_Measured = tuple[float, dict[str, typing.Any]]


class ExactMatch(Metric):
    """1 if answer and truth are equal but for case, punctuation and English articles (SQuAD), else 0.

    >>> ExactMatch().evaluate(EvaluationInput("Who?", answer="The log.", ground_truth="log")).score
    1.0
    """

    name = "exact_match"
    needs = ("answer", "ground_truth")

    def measure(self, sample: EvaluationInput, session: Session) -> float:  # noqa: ARG002
        """Measures one sample; see `Metric.measure`."""
        return float(_vecstore._eval_exact_match(*_pair(sample)))


class TokenF1(Metric):
    """The F1 of the words of answer and truth, after the same normalisation as `ExactMatch`.

    >>> TokenF1().evaluate(EvaluationInput("Who?", answer="a red log", ground_truth="a log")).score
    0.6666666666666666
    """

    name = "token_f1"
    needs = ("answer", "ground_truth")

    def measure(self, sample: EvaluationInput, session: Session) -> float:  # noqa: ARG002
        """Measures one sample; see `Metric.measure`."""
        return _vecstore._eval_token_f1(*_pair(sample))


class Rouge(Metric):
    """The F1 of ROUGE; ``kind`` is ``"1"`` to ``"9"``, ``"L"``, or ``"Lsum"`` (lines are sentences).

    Tokens are those of the package rouge-score: runs of ASCII letters and digits, unstemmed.

    >>> Rouge("1").evaluate(EvaluationInput("Who?", answer="red log", ground_truth="log")).score
    0.6666666666666666
    """

    needs = ("answer", "ground_truth")

    def __init__(self, kind: str = "L") -> None:
        _vecstore._eval_rouge(check_text("kind", kind), "", "")
        self.kind = kind
        self.name = f"rouge_{kind.lower()}"

    def measure(self, sample: EvaluationInput, session: Session) -> _Measured:  # noqa: ARG002
        """Measures one sample; see `Metric.measure`."""
        precision, recall, f1 = _vecstore._eval_rouge(self.kind, *_pair(sample))
        return f1, {"precision": precision, "recall": recall}


class Bleu(Metric):
    """Sentence BLEU from 0 to 1, with the tokens (13a) and smoothing (exponential) of sacrebleu.

    >>> text = "the log is synced at each write"
    >>> Bleu().evaluate(EvaluationInput("When?", answer=text, ground_truth=text)).score
    1.0
    """

    name = "bleu"
    needs = ("answer", "ground_truth")

    def measure(self, sample: EvaluationInput, session: Session) -> float:  # noqa: ARG002
        """Measures one sample; see `Metric.measure`."""
        answer, truth = _pair(sample)
        return _vecstore._eval_bleu([answer], [[truth]], True)


class Chrf(Metric):
    """chrF from 0 to 1, or chrF++ with ``word_order=2``, as sacrebleu has it.

    >>> Chrf().evaluate(EvaluationInput("Who?", answer="logs", ground_truth="logs")).score
    1.0
    """

    name = "chrf"
    needs = ("answer", "ground_truth")

    def __init__(self, word_order: int = 0) -> None:
        self.word_order = check_int("word_order", word_order, 0, 2)

    def measure(self, sample: EvaluationInput, session: Session) -> float:  # noqa: ARG002
        """Measures one sample; see `Metric.measure`."""
        answer, truth = _pair(sample)
        return _vecstore._eval_chrf([answer], [[truth]], self.word_order)


class EmbeddingSimilarity(Metric):
    """The cosine of the embeddings of answer and truth, from -1 to 1.

    >>> class Embedder:
    ...     def embed(self, text):
    ...         return [1.0, float(len(text))]
    >>> sample = EvaluationInput("Who?", answer="log", ground_truth="dog")
    >>> round(EmbeddingSimilarity(Embedder()).evaluate(sample).score, 3)
    1.0
    """

    name = "embedding_similarity"
    needs = ("answer", "ground_truth")

    def __init__(self, embedder: typing.Any) -> None:
        self.embedder = embedder

    async def measure(self, sample: EvaluationInput, session: Session) -> float:
        """Measures one sample; see `Metric.measure`."""
        return cosine(*await session.embed(self.embedder, list(_pair(sample))))


class LexicalGroundedness(Metric):
    """The share of the answer's sentences that a context supports by its words.

    A sentence is supported if one context has at least ``threshold`` of its content words and all of its
    numbers. Details have each sentence, the numbers and names that no context has, and ``ngram_support``, the
    share of runs of three words that a context has. A negated sentence passes: that takes a judge
    (`AnswerFaithfulness`).

    >>> sample = EvaluationInput("What?", ["Logs are synced."], "Logs are synced. Pigs can fly.")
    >>> LexicalGroundedness().evaluate(sample).score
    0.5
    """

    name = "lexical_groundedness"
    needs = ("answer",)

    def __init__(self, threshold: float = SUPPORT_THRESHOLD) -> None:
        self.threshold = _share(threshold, "threshold")

    def measure(self, sample: EvaluationInput, session: Session) -> _Measured:  # noqa: ARG002
        """Measures one sample; see `Metric.measure`."""
        answer = typing.cast(str, sample.answer)
        sentences, ngram_support, _ = _vecstore._eval_ground(answer, sample.contexts, self.threshold)
        if not sentences:
            raise NothingToJudgeError("the answer has no sentences")
        spans = [
            {
                "start": start,
                "end": end,
                "supported": supported,
                "coverage": coverage,
                "context": context,
                "missing_numbers": numbers,
                "missing_names": names,
            }
            for start, end, coverage, context, supported, numbers, names in sentences
        ]
        supported = sum(span["supported"] is True for span in spans)
        details: dict[str, typing.Any] = {
            "spans": spans,
            "ngram_support": ngram_support,
            "missing_numbers": sorted({text for span in sentences for text in span[5]}),
            "missing_names": sorted({text for span in sentences for text in span[6]}),
        }
        return supported / len(spans), details


class QuotedSpans(Metric):
    """The share of the answer's quotations (of ``min_words`` words or more) that a context has verbatim.

    >>> sample = EvaluationInput("What?", ["Logs are synced."], 'It says "logs are synced".')
    >>> QuotedSpans().evaluate(sample).score
    1.0
    """

    name = "quoted_spans"
    needs = ("answer",)

    def __init__(self, min_words: int = 2) -> None:
        self.min_words = check_int("min_words", min_words, 1)

    def measure(self, sample: EvaluationInput, session: Session) -> _Measured:  # noqa: ARG002
        """Measures one sample; see `Metric.measure`."""
        answer = typing.cast(str, sample.answer)
        quotes = _vecstore._eval_quotes(answer, sample.contexts, self.min_words)
        if not quotes:
            raise NothingToJudgeError("the answer quotes nothing")
        spans = [
            {"start": start, "end": end, "supported": context is not None, "context": context}
            for start, end, context in quotes
        ]
        return sum(span["supported"] is True for span in spans) / len(spans), {"spans": spans}


class CitationPrecision(Metric):
    """The share of citations (``[1]`` is the first context) that are correct.

    A citation is correct if its context supports the sentence by its words, or is needed for the cited
    contexts to support it together. One that names no context is wrong.

    >>> sample = EvaluationInput("What?", ["Logs are synced."], "Logs are synced [1].")
    >>> CitationPrecision().evaluate(sample).score
    1.0
    """

    name = "citation_precision"
    needs = ("answer",)

    def __init__(self, threshold: float = SUPPORT_THRESHOLD) -> None:
        self.threshold = _share(threshold, "threshold")

    def measure(self, sample: EvaluationInput, session: Session) -> _Measured:  # noqa: ARG002
        """Measures one sample; see `Metric.measure`."""
        answer = typing.cast(str, sample.answer)
        citations, _ = _vecstore._eval_citations(answer, sample.contexts, self.threshold)
        if not citations:
            raise NothingToJudgeError("the answer has no citations")
        spans = [
            {"start": start, "end": end, "supported": correct, "citation": number}
            for start, end, number, correct in citations
        ]
        return sum(span["supported"] is True for span in spans) / len(spans), {"spans": spans}


class CitationRecall(Metric):
    """The share of the answer's sentences that the contexts they cite support by their words.

    >>> sample = EvaluationInput("What?", ["Logs are synced."], "Logs are synced [1]. Pigs fly.")
    >>> CitationRecall().evaluate(sample).score
    0.5
    """

    name = "citation_recall"
    needs = ("answer",)

    def __init__(self, threshold: float = SUPPORT_THRESHOLD) -> None:
        self.threshold = _share(threshold, "threshold")

    def measure(self, sample: EvaluationInput, session: Session) -> _Measured:  # noqa: ARG002
        """Measures one sample; see `Metric.measure`."""
        answer = typing.cast(str, sample.answer)
        _, sentences = _vecstore._eval_citations(answer, sample.contexts, self.threshold)
        if not sentences:
            raise NothingToJudgeError("the answer has no sentences")
        spans = [{"start": start, "end": end, "supported": supported} for start, end, supported in sentences]
        return sum(span["supported"] is True for span in spans) / len(spans), {"spans": spans}


class ContextUtilization(Metric):
    """The share of contexts the answer draws on: that support one of its sentences best, by their words.

    >>> sample = EvaluationInput("What?", ["Logs are synced.", "Snakes eat."], "Logs are synced.")
    >>> ContextUtilization().evaluate(sample).score
    0.5
    """

    name = "context_utilization"
    needs = ("answer",)

    def __init__(self, threshold: float = SUPPORT_THRESHOLD) -> None:
        self.threshold = _share(threshold, "threshold")

    def measure(self, sample: EvaluationInput, session: Session) -> _Measured:  # noqa: ARG002
        """Measures one sample; see `Metric.measure`."""
        if not sample.contexts:
            raise NothingToJudgeError("there are no contexts")
        answer = typing.cast(str, sample.answer)
        sentences, _, used = _vecstore._eval_ground(answer, sample.contexts, self.threshold)
        if not sentences:
            raise NothingToJudgeError("the answer has no sentences")
        return sum(share > 0 for share in used) / len(used), {"sentences_by_context": used}


def spans_of(details: dict[str, typing.Any]) -> list[tuple[int, int, bool]]:
    """The judged pieces of the answer among a metric's details."""
    return [
        (span["start"], span["end"], bool(span["supported"]))
        for span in details.get("spans", ())
        if span.get("start") is not None and span.get("supported") is not None
    ]


def _pair(sample: EvaluationInput) -> tuple[str, str]:
    return typing.cast(str, sample.answer), typing.cast(str, sample.ground_truth)


def _share(value: float, name: str) -> float:
    if not 0 <= check_number(name, value) <= 1:
        raise InvalidInputError(f"{name}: expected 0 to 1, got {value}")
    return float(value)
