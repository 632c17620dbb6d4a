"""Measures that trec_eval 9 lacks: against pyndeval, ir_measures and ranx if installed, and by hand."""

from __future__ import annotations

import random
import warnings

import pytest

from vecstore.evaluation import evaluate_diversity, evaluate_run

Qrels = dict[str, dict[str, int]]
Run = dict[str, dict[str, float]]


def random_case(generator: random.Random) -> tuple[Qrels, Run]:
    """A query with up to 30 documents, without ties, which other tools break in other ways."""
    documents = [f"d{number}" for number in range(40)]
    judged = generator.sample(documents, generator.randint(3, 30))
    qrels = {"q": {document: generator.randint(0, 3) for document in judged}}
    # Each tool has its own convention for a query without relevant documents.
    qrels["q"][judged[0]] = 3
    found = generator.sample(documents, generator.randint(2, 30))
    scores = generator.sample(range(1000), len(found))
    return qrels, {"q": {document: float(score) for document, score in zip(found, scores)}}


def test_alpha_ndcg_is_that_of_ndeval(cases: int) -> None:
    pyndeval = pytest.importorskip("pyndeval")
    generator = random.Random(30)
    for _ in range(max(20, cases // 10)):
        documents = [f"d{number}" for number in range(12)]
        qrels = {
            subtopic: {document: generator.randint(0, 1) for document in generator.sample(documents, 6)}
            for subtopic in ("1", "2", "3")
        }
        qrels["1"]["d0"] = 1
        run = {document: float(rank) for rank, document in enumerate(generator.sample(documents, 10))}
        rows = [
            pyndeval.SubtopicQrel("q", subtopic, document, grade)
            for subtopic, grades in qrels.items()
            for document, grade in grades.items()
        ]
        scored = [pyndeval.ScoredDoc("q", document, score) for document, score in run.items()]
        expected = pyndeval.ndeval(rows, scored, measures=["alpha-nDCG@5", "alpha-nDCG@10"], alpha=0.5)["q"]
        got = evaluate_diversity({"q": qrels}, {"q": run}, (5, 10)).mean
        for cut in (5, 10):
            assert got[f"alpha_ndcg_cut_{cut}"] == pytest.approx(expected[f"alpha-nDCG@{cut}"], abs=1e-6)


def test_measures_of_ir_measures(cases: int) -> None:
    ir_measures = pytest.importorskip("ir_measures")
    names = [
        "nDCG@10",
        "AP@5",
        "AP(rel=2)",
        "RR@3",
        "P(rel=2)@5",
        "R@5",
        "Success@3",
        "Judged@10",
        "SetF",
        "Rprec",
    ]
    measures = [ir_measures.parse_measure(name) for name in names]
    generator = random.Random(31)
    for _ in range(max(20, cases // 10)):
        qrels, run = random_case(generator)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = {
                str(value.measure): value.value for value in ir_measures.iter_calc(measures, qrels, run)
            }
        got = evaluate_run(qrels, run, names).mean
        for name, measure in zip(names, measures):
            assert got[name] == pytest.approx(expected[str(measure)], abs=1e-9), name


def test_measures_of_ranx(cases: int) -> None:
    if cases < 1000:
        pytest.skip("compiling ranx takes most of a minute: set VECSTORE_EVAL_CASES=1000")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ranx = pytest.importorskip("ranx")
    ours = {
        "hit_rate@5": "hit_rate@5",
        "f1@5": "f1@5",
        "mrr@10": "mrr@10",
        "ndcg@10": "ndcg@10",
        "ndcg_burges@10": "ndcg_burges@10",
        "precision@5": "precision@5",
        "recall@5": "recall@5",
        "map@10": "map@10",
        "r-precision": "r-precision",
        "rbp.80": "rbp_0.8",
    }
    generator = random.Random(32)
    for _ in range(max(10, min(cases // 10, 200))):
        qrels, run = random_case(generator)
        judged = {"q": {document: grade for document, grade in qrels["q"].items() if grade > 0}}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = ranx.evaluate(ranx.Qrels(judged), ranx.Run(run), list(ours))
        got = evaluate_run(qrels, run, list(ours.values())).mean
        expected["rbp.80"] /= 3  # ranx leaves gains as they are; here they are shares of the greatest
        for theirs, name in ours.items():
            assert got[name] == pytest.approx(expected[theirs], abs=1e-9), name


def test_expected_reciprocal_rank_follows_its_definition(cases: int) -> None:
    generator = random.Random(33)
    for _ in range(cases):
        qrels, run = random_case(generator)
        order = sorted(run["q"], key=lambda document: -run["q"][document])
        left, expected = 1.0, 0.0
        for rank, document in enumerate(order[:10], 1):
            chance = (2 ** qrels["q"].get(document, 0) - 1) / 2**3
            expected += left * chance / rank
            left *= 1 - chance
        assert evaluate_run(qrels, run, ["err_cut_10"]).mean["err_cut_10"] == pytest.approx(
            expected, abs=1e-12
        )
        assert evaluate_run(qrels, run, ["ERR(max=3)@10"]).mean["ERR(max=3)@10"] == pytest.approx(
            expected, abs=1e-12
        )
