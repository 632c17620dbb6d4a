"""Measures against trec_eval itself (through pytrec_eval), on random runs with ties and negative grades."""

from __future__ import annotations

import math
import random
import typing
from pathlib import Path

import pytest
import pytrec_eval

from vecstore.evaluation import evaluate_run, read_qrels, read_run

FAMILIES = {
    "num_ret",
    "num_rel",
    "num_rel_ret",
    "num_nonrel_judged_ret",
    "map",
    "map_cut",
    "Rprec",
    "Rprec_mult",
    "bpref",
    "recip_rank",
    "iprec_at_recall",
    "11pt_avg",
    "P",
    "relative_P",
    "recall",
    "success",
    "infAP",
    "ndcg",
    "ndcg_cut",
    "set_P",
    "set_relative_P",
    "set_recall",
    "set_F",
    "set_map",
    "binG",
    "utility",
}

Case = tuple[dict[str, dict[str, int]], dict[str, dict[str, float]]]


def random_case(generator: random.Random) -> Case:
    """A few queries with up to 40 documents retrieved and judged."""
    documents = [f"d{number}" for number in range(60)] + ["\u00e9t\u00e9", "\u4e2d", "\U0001f600", "Z", "a b"]
    qrels, run = {}, {}
    for query in (f"q{number}" for number in range(generator.randint(1, 4))):
        judged = generator.sample(documents, generator.randint(1, 40))
        grades = generator.choice([(0, 1), (0, 1, 2, 3), (-1, 0, 1, 2), (-2, -1, 0, 1, 4)])
        # One judged document at least: without any, trec_eval 9 reads what the last query left in memory.
        qrels[query] = {document: generator.choice(grades) for document in judged}
        qrels[query][judged[0]] = generator.choice((0, 1))
        found = generator.sample(documents, generator.randint(1, 40))
        levels = generator.choice([1, 3, 10, 10**6])
        run[query] = {document: generator.randint(0, levels) / 7 for document in found}
    return qrels, run


def test_random_runs_have_the_values_of_trec_eval(cases: int) -> None:
    generator = random.Random(20)
    for case in range(cases):
        qrels, run = random_case(generator)
        level = generator.choice([1, 1, 1, 2])
        expected = pytrec_eval.RelevanceEvaluator(qrels, FAMILIES, relevance_level=level).evaluate(run)
        got = evaluate_run(qrels, run, FAMILIES, "trec_eval-9", relevance_level=level).per_query
        assert got.keys() == expected.keys()
        for query, values in expected.items():
            # trec_eval 9 reads past its table of grades if none reaches the level.
            if level > max(qrels[query].values()):
                continue
            for name, value in values.items():
                assert got[query][name] == pytest.approx(value, abs=1e-9), (case, query, name, qrels, run)


def test_versions_differ_only_where_they_should(cases: int) -> None:
    generator = random.Random(21)
    for _ in range(cases):
        qrels, run = random_case(generator)
        nine = evaluate_run(qrels, run, FAMILIES, "trec_eval-9")
        ten = evaluate_run(qrels, run, FAMILIES, "trec_eval-10")
        for query, values in nine.per_query.items():
            for name, value in values.items():
                if not name.startswith(("iprec_at_recall", "11pt")):
                    assert ten.per_query[query][name] == value


def test_near_scores_tie_in_version_9_as_in_trec_eval() -> None:
    qrels = {"q": {"a": 1, "b": 0, "c": 0}}
    run = {"q": {"a": 1.0 + 1e-12, "b": 1.0, "c": 0.5}}
    expected = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(run)["q"]["recip_rank"]
    assert evaluate_run(qrels, run, ["recip_rank"], "trec_eval-9").mean["recip_rank"] == expected == 0.5
    assert evaluate_run(qrels, run, ["recip_rank"]).mean["recip_rank"] == 1.0


def levels_of_version_10(grades: list[int], relevant: int) -> list[float]:
    """Interpolated precision at 0, 0.1 ... 1 by its definition, levels rounded to the nearest document."""
    precision = [sum(grades[: rank + 1]) / (rank + 1) for rank in range(len(grades))]
    ranks = [rank for rank, grade in enumerate(grades) if grade]
    values = []
    for tenth in range(11):
        # Half is rounded away from zero, as C does.
        needed = math.floor(tenth / 10 * relevant + 0.5)
        if needed > len(ranks):
            values.append(0.0)
        else:
            values.append(max(precision[ranks[needed - 1] if needed else 0 :], default=0.0))
    return values


def test_levels_of_recall_in_version_10_follow_their_definition(cases: int) -> None:
    generator = random.Random(22)
    for _ in range(cases):
        length = generator.randint(1, 30)
        grades = [generator.randint(0, 1) for _ in range(length)]
        missed = generator.randint(0, 5)
        qrels = {"q": {f"d{at:02}": grade for at, grade in enumerate(grades)}}
        qrels["q"].update({f"m{at}": 1 for at in range(missed)})
        run = {"q": {f"d{at:02}": float(length - at) for at in range(length)}}
        values = evaluate_run(qrels, run, ["iprec_at_recall", "11pt_avg"]).mean
        expected = levels_of_version_10(grades, sum(grades) + missed)
        assert list(values.values())[:11] == pytest.approx(expected, abs=1e-12)
        assert values["11pt_avg"] == pytest.approx(sum(expected) / 11, abs=1e-12)


def test_summaries_are_those_of_trec_eval(cases: int) -> None:
    generator = random.Random(23)
    names = sorted(FAMILIES | {"gm_map", "gm_bpref", "num_q"})
    for _ in range(max(20, cases // 10)):
        qrels, run = random_case(generator)
        each = pytrec_eval.RelevanceEvaluator(qrels, set(names)).evaluate(run)
        mean = evaluate_run(qrels, run, names, "trec_eval-9").mean
        for name, value in mean.items():
            column = [values[name] for values in each.values()]
            assert value == pytest.approx(pytrec_eval.compute_aggregated_measure(name, column), abs=1e-9), (
                name
            )


FIXTURE = Path(__file__).parent / "trec_eval"


@pytest.mark.parametrize(("compat", "expected"), [("trec_eval-10", "10"), ("trec_eval-9", "9")])
def test_a_run_with_near_ties_prints_what_each_version_printed(
    compat: typing.Literal["trec_eval-10", "trec_eval-9"], expected: str
) -> None:
    """The run is made up; the values are what trec_eval 10.0 and 9.0.8 printed for it."""
    lines = (FIXTURE / f"expected-{expected}.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    names = sorted({name for name, _, _ in rows})
    report = evaluate_run(read_qrels(FIXTURE / "qrels.txt"), read_run(FIXTURE / "run.txt"), names, compat)
    for name, query, printed in rows:
        value = report.mean[name] if query == "all" else report.per_query[query][name]
        assert value == pytest.approx(float(printed), abs=0.500001e-4), (name, query)


def test_the_versions_print_different_values_for_the_fixture() -> None:
    nine, ten = ((FIXTURE / f"expected-{version}.txt").read_text(encoding="utf-8") for version in ("9", "10"))
    differ = set(nine.splitlines()) - set(ten.splitlines())
    assert len({line.split("\t")[0] for line in differ}) > 20
