"""Metrics of texts against the packages that define them, and the checks of answers against contexts."""

from __future__ import annotations

import random
import re
import string
import typing
import warnings
from collections import Counter

import pytest

from vecstore import InvalidInputError
from vecstore.evaluation import (
    Bleu,
    Chrf,
    CitationPrecision,
    CitationRecall,
    ContextUtilization,
    EvaluationInput,
    ExactMatch,
    LexicalGroundedness,
    Metric,
    MetricResult,
    QuotedSpans,
    Rouge,
    TokenF1,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import sacrebleu
    from rouge_score import rouge_scorer

SIGNS = r"""don't U.S. e.g. -- - ... , . ! ? & &amp; &quot; (x) [1] "quoted" 'single' $5 50% a/b_c _ ~"""
WORDS = "the a an The A. cat sat mat on red state-of-the-art 7-8 3.14 1,000"
PIECES = [*SIGNS.split(), *WORDS.split(), "\u00e9t\u00e9", "\u4e2d\u6587", "\U0001f600", "\u0130stanbul"]


def random_text(generator: random.Random, most: int = 20) -> str:
    """Words and signs with spaces, none, and line breaks between them."""
    words = [generator.choice(PIECES) for _ in range(generator.randint(0, most))]
    return "".join(word + generator.choice([" ", " ", " ", "", "\n", "  "]) for word in words)


def scored(metric: Metric, answer: str, truth: str = "", contexts: typing.Sequence[str] = ()) -> MetricResult:
    return metric.evaluate(EvaluationInput("q", list(contexts), answer, truth))


def test_rouge_is_that_of_rouge_score(cases: int) -> None:
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"])
    generator = random.Random(40)
    for _ in range(cases):
        answer, truth = random_text(generator), random_text(generator)
        expected = scorer.score(truth, answer)
        for kind in ("1", "2", "L", "Lsum"):
            result = scored(Rouge(kind), answer, truth)
            values = (result.details["precision"], result.details["recall"], result.score)
            assert values == pytest.approx(tuple(expected[f"rouge{kind}"]), abs=1e-9), (kind, answer, truth)


def test_bleu_and_chrf_are_those_of_sacrebleu(cases: int) -> None:
    generator = random.Random(41)
    for _ in range(cases):
        answer, truth = random_text(generator), random_text(generator)
        bleu = sacrebleu.sentence_bleu(answer, [truth]).score / 100
        assert scored(Bleu(), answer, truth).score == pytest.approx(bleu, abs=1e-9), (answer, truth)
        for word_order in (0, 2):
            chrf = sacrebleu.sentence_chrf(answer, [truth], word_order=word_order).score / 100
            score = scored(Chrf(word_order), answer, truth).score
            assert score == pytest.approx(chrf, abs=1e-9), (answer, truth, word_order)


def test_several_references_and_whole_corpora_are_those_of_sacrebleu(cases: int) -> None:
    from vecstore import _vecstore

    generator = random.Random(42)
    for _ in range(max(20, cases // 10)):
        count = generator.randint(1, 5)
        answers = [random_text(generator) for _ in range(count)]
        references = [[random_text(generator) for _ in range(3)] for _ in range(count)]
        columns = [list(column) for column in zip(*references)]
        expected = sacrebleu.corpus_bleu(answers, columns).score / 100
        assert _vecstore._eval_bleu(answers, references, False) == pytest.approx(expected, abs=1e-9)
        expected = sacrebleu.corpus_chrf(answers, columns).score / 100
        assert _vecstore._eval_chrf(answers, references, 0) == pytest.approx(expected, abs=1e-9)


def squad_words(text: str) -> list[str]:
    """The normalisation of SQuAD, by regular expressions."""
    text = "".join(character for character in text.lower() if character not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def test_token_f1_and_exact_match_are_those_of_squad(cases: int) -> None:
    generator = random.Random(43)
    for _ in range(cases):
        answer, truth = random_text(generator, 8), random_text(generator, 8)
        ours, theirs = squad_words(answer), squad_words(truth)
        shared = sum((Counter(ours) & Counter(theirs)).values())
        expected = 2 * shared / (len(ours) + len(theirs)) if ours and theirs else float(ours == theirs)
        assert scored(TokenF1(), answer, truth).score == pytest.approx(expected, abs=1e-12), (answer, truth)
        assert scored(ExactMatch(), answer, truth).score == float(ours == theirs)


CONTEXTS = [
    "The Eiffel Tower was finished in 1889. It is 330 metres high.",
    "Gustave Eiffel was an engineer.",
]


def test_groundedness_finds_invented_numbers_and_names() -> None:
    answer = "The Eiffel Tower was finished in 1890. It is 330 metres high. Later, Marie praised it highly."
    result = scored(LexicalGroundedness(), answer, contexts=CONTEXTS)
    assert result.score == pytest.approx(1 / 3)
    assert result.details["missing_numbers"] == ["1890"]
    assert result.details["missing_names"] == ["marie"]
    spans = result.details["spans"]
    assert answer[spans[1]["start"] : spans[1]["end"]] == "It is 330 metres high."


def test_spans_count_characters_not_bytes() -> None:
    answer = "\U0001f600 \u00c9t\u00e9. Gustave Eiffel was an engineer."
    spans = scored(LexicalGroundedness(), answer, contexts=CONTEXTS).details["spans"]
    assert answer[spans[-1]["start"] : spans[-1]["end"]] == "Gustave Eiffel was an engineer."


def test_quotations_must_stand_in_a_context() -> None:
    answer = 'It says "finished in 1889" and "made of solid gold".'
    assert scored(QuotedSpans(), answer, contexts=CONTEXTS).score == 0.5
    nothing = scored(QuotedSpans(), "No quotes.", contexts=CONTEXTS)
    assert nothing.score is None
    assert nothing.failure is not None
    assert nothing.failure.kind == "nothing_to_judge"


def test_citations_are_checked_against_what_they_name() -> None:
    answer = "The Eiffel Tower was finished in 1889 [1]. Gustave Eiffel was an engineer [1]. It is high."
    assert scored(CitationPrecision(), answer, contexts=CONTEXTS).score == 0.5
    assert scored(CitationRecall(), answer, contexts=CONTEXTS).score == pytest.approx(1 / 3)
    assert scored(CitationRecall(), "Nothing is cited.", contexts=CONTEXTS).score == 0.0
    assert scored(CitationPrecision(), "Nothing is cited.", contexts=CONTEXTS).score is None


def test_utilisation_counts_contexts_that_are_drawn_on() -> None:
    contexts = [*CONTEXTS, "Whales sing."]
    answer = "The Eiffel Tower was finished in 1889. Gustave Eiffel was an engineer."
    assert scored(ContextUtilization(), answer, contexts=contexts).score == pytest.approx(2 / 3)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="rouge: expected 1 to 9, L or Lsum, got `W`"):
        Rouge("W")
    with pytest.raises(InvalidInputError, match="word_order"):
        Chrf(7)
    with pytest.raises(InvalidInputError, match="threshold: expected 0 to 1"):
        LexicalGroundedness(2)
