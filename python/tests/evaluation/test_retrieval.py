"""Retrieval from collections, runs from arrays and files, and what is refused."""

from __future__ import annotations

import typing
from pathlib import Path

import numpy as np
import pytest

import vecstore
from vecstore import InvalidInputError
from vecstore.evaluation import (
    evaluate_retrieval,
    evaluate_run,
    fuse_runs,
    measure_names,
    qrels_from_arrays,
    read_qrels,
    read_run,
    recall_at_k,
    run_from_arrays,
    run_from_collection,
    write_qrels,
    write_run,
)

QRELS = {"q1": {"a": 1, "b": 0}, "q2": {"c": 2}}
RUN = {"q1": {"a": 0.5, "b": 0.9}, "q2": {"c": 1.0, "a": 1.0}}


def test_a_collection_is_evaluated_by_its_answers(store: vecstore.VecStore) -> None:
    queries = {"red": [1.0, 0.0, 0.0], "green": [0.0, 1.0, 0.0], "unjudged": [0.0, 0.0, 1.0]}
    qrels = {"red": {"apple": 2, "pear": 1}, "green": {"pear": 1}}
    report = evaluate_retrieval(store, queries, qrels, k=2)
    assert set(report.per_query) == {"red", "green"}
    assert report.per_query["red"] == {
        "ndcg_cut_2": 1.0,
        "P_2": 1.0,
        "recall_2": 1.0,
        "success_2": 1.0,
        "map": 1.0,
        "recip_rank": 1.0,
    }
    assert report.per_query["green"]["recip_rank"] == 0.5
    assert report.mean["P_2"] == 0.75
    fruit = evaluate_retrieval(store, queries, qrels, k=1, filter={"kind": "fruit"}, measures="recip_rank")
    assert fruit.mean == {"recip_rank": 1.0}


def test_texts_are_embedded(store: vecstore.VecStore) -> None:
    vectors = {"fruit": [1.0, 0.0, 0.0], "leaf": [0.0, 1.0, 0.0]}

    async def embed(text: str) -> list[float]:
        return vectors[text]

    run = run_from_collection(store, {"q": "leaf"}, 1, embedder=embed)
    assert list(run["q"]) == ["leek"]
    with pytest.raises(
        InvalidInputError, match=r"queries\['q'\] is a text: expected a vector, or an embedder="
    ):
        run_from_collection(store, {"q": "leaf"})


class Neighbor(typing.NamedTuple):
    id: str
    distance: float


class Approximate:
    """A collection whose search misses the nearest record unless it is exact."""

    def query_batch(
        self, vectors: list[object], k: int, *, exact: bool = False, **_: object
    ) -> list[list[Neighbor]]:
        nearest = [Neighbor(f"d{at}", float(at)) for at in range(k + 1)]
        return [nearest[:k] if exact else nearest[1:] for _ in vectors]


def test_recall_compares_with_exact_search(store: vecstore.VecStore) -> None:
    assert recall_at_k(store, [[1, 0, 0], [0, 1, 0]], k=2) == 1.0
    assert recall_at_k(store, {"q": [1, 0, 0]}, k=10) == 1.0
    assert recall_at_k(Approximate(), [[0], [1]], k=4) == 0.75
    with pytest.raises(InvalidInputError, match="queries: expected at least one"):
        recall_at_k(store, [])
    with vecstore.VecStore(":memory:", dim=2) as empty:
        assert recall_at_k(empty, [[1, 0]]) == 1.0


def test_files_of_trec_read_back(tmp_path: Path) -> None:
    write_qrels(QRELS, tmp_path / "qrels")
    write_run(RUN, tmp_path / "run", tag="mine")
    assert read_qrels(tmp_path / "qrels") == QRELS
    assert read_run(tmp_path / "run") == RUN
    lines = (tmp_path / "run").read_text(encoding="utf-8").splitlines()
    # Ties are in trec_eval's order.
    assert lines == [
        "q1 Q0 b 1 0.9 mine",
        "q1 Q0 a 2 0.5 mine",
        "q2 Q0 c 1 1.0 mine",
        "q2 Q0 a 2 1.0 mine",
    ]
    for bad in ({"q 1": {"a": 1.0}}, {"q": {"": 1.0}}, {"#q": {"a": 1.0}}):
        with pytest.raises(InvalidInputError, match="a file of TREC cannot hold"):
            write_run(bad, tmp_path / "bad")


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (read_qrels, "q 0 a 1\nq 0 a 2\n", "document `a` of query `q` is judged twice"),
        (read_run, "q Q0 a 1 1 t\nq Q0 a 2 0 t\n", "document `a` of query `q` is retrieved twice"),
        (read_qrels, "q 0 a\n", "qrels line 1: expected 4 fields"),
        (read_qrels, "q 0 a 1.5\n", "expected a whole number as the grade, got `1.5`"),
        (read_run, "q Q0 a 1 high t\n", "expected a number as the score, got `high`"),
        (read_run, b"\xff\xfe", "expected UTF-8"),
    ],
)
def test_bad_files_are_refused(
    read: typing.Callable[[Path], object], text: str | bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidInputError, match=message):
        read(path)


def test_arrays_become_runs_and_judgments() -> None:
    ids = np.array([[3, 1, -1], [2, 3, 1]])
    run = run_from_arrays(["q1", "q2"], ids)
    assert run == {"q1": {"3": 0.0, "1": -1.0}, "q2": {"2": 0.0, "3": -1.0, "1": -2.0}}
    scores = np.array([[0.9, 0.5, 0.0], [0.1, 0.2, 0.3]], np.float32)
    assert list(run_from_arrays([1, 2], ids, scores)["2"].values()) == pytest.approx([0.1, 0.2, 0.3])
    qrels = qrels_from_arrays(np.array(["q1", "q2"]), np.array([1, 2]), np.array([1, 2]))
    assert qrels == {"q1": {"1": 1}, "q2": {"2": 2}}
    assert evaluate_run(qrels, run, ["recip_rank"]).per_query == {
        "q1": {"recip_rank": 0.5},
        "q2": {"recip_rank": 1.0},
    }
    with pytest.raises(InvalidInputError, match="columns of one length, got 1, 2, 2"):
        qrels_from_arrays([1], [1, 2], [1, 2])
    with pytest.raises(InvalidInputError, match="retrieved twice"):
        run_from_arrays(["q"], [["a", "a"]])
    with pytest.raises(InvalidInputError, match=r"expected a whole number, got 0\.5"):
        qrels_from_arrays(["q"], ["a"], [0.5])


def test_queries_are_those_in_both_or_all_that_are_judged() -> None:
    run = {"q1": RUN["q1"], "other": {"a": 1.0}}
    assert set(evaluate_run(QRELS, run, ["map"]).per_query) == {"q1"}
    complete = evaluate_run(QRELS, run, ["map", "num_rel", "gm_map", "num_q"], complete=True)
    assert complete.per_query["q2"] == {"map": 0.0, "num_rel": 1.0, "num_q": 1.0}
    assert complete.mean["map"] == 0.25
    assert complete.mean["num_q"] == 2
    with pytest.raises(
        InvalidInputError, match="no query is in both qrels and run: qrels has 'q1', 'q2', the run 'x'"
    ):
        evaluate_run(QRELS, {"x": {"a": 1.0}})


def test_mappings_and_numbers_of_other_kinds_are_taken() -> None:
    import types

    qrels: typing.Any = types.MappingProxyType({"q": types.MappingProxyType({"a": np.int64(1), "b": True})})
    run: typing.Any = types.MappingProxyType({"q": {"a": np.float32(0.5), "b": 1, "c": np.float64(2)}})
    assert evaluate_run(qrels, run, ["map"]).mean["map"] == pytest.approx((1 / 2 + 2 / 3) / 2)


@pytest.mark.parametrize(
    ("qrels", "run", "measures", "error", "message"),
    [
        (QRELS, RUN, ["ndgc"], ValueError, "measure `ndgc` is unknown: expected one of num_q"),
        (QRELS, RUN, [], ValueError, "measures: expected at least one"),
        (QRELS, RUN, ["P_0"], ValueError, "whole number above 0, got `0`"),
        (
            QRELS,
            {"q1": {"a": float("nan")}},
            ["map"],
            ValueError,
            r"run\['q1'\]\['a'\]: expected a number, got NaN",
        ),
        (QRELS, {"q1": {"a": "high"}}, ["map"], TypeError, r"run\['q1'\]\['a'\]: expected a number, got str"),
        (QRELS, {"q1": ["a"]}, ["map"], TypeError, r"run\['q1'\]: expected a mapping, got list"),
        (QRELS, {"q1": {1: 1.0}}, ["map"], TypeError, "document id of run"),
        ({"q1": {"a": 0.5}}, RUN, ["map"], TypeError, r"qrels\['q1'\]\['a'\]: expected an int, got float"),
        ({"q1": {"a": 1 << 40}}, RUN, ["map"], ValueError, "relevance: expected at most 4294967295"),
        ({"q1": {"a": 1 << 80}}, RUN, ["map"], ValueError, "64 bits"),
        (7, RUN, ["map"], TypeError, "qrels: expected a mapping, got int"),
    ],
)
def test_bad_runs_and_judgments_are_refused(
    qrels: typing.Any, run: typing.Any, measures: list[str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        evaluate_run(qrels, run, measures)
    with pytest.raises(InvalidInputError, match="compat: expected `trec_eval-10` or `trec_eval-9`"):
        evaluate_run(QRELS, RUN, compat="trec_eval-8")  # type: ignore[arg-type]


def test_infinite_scores_and_huge_grades_are_finite_values() -> None:
    qrels = {"q": {"a": 2**32 - 1, "b": 1, "c": -5}}
    run = {"q": {"a": float("inf"), "b": float("-inf"), "c": 1e308}}
    names = [name for name in measure_names() if name not in ("Success", "hit_rate")]
    values = evaluate_run(qrels, run, names).mean
    assert all(np.isfinite(value) for value in values.values()), values


def test_runs_are_fused_by_rank() -> None:
    fused = fuse_runs([{"q": {"a": 9.0, "b": 1.0}}, {"q": {"b": 0.3, "c": 0.2}}], k=60)
    assert fused["q"] == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 62})
    assert list(fuse_runs([{"q": {"a": 9.0, "b": 1.0}}], depth=1)["q"]) == ["a"]


def test_reports_show_themselves() -> None:
    report = evaluate_run(QRELS, RUN, ["map", "gm_map"])
    assert repr(report).startswith("RetrievalReport(2 queries: map=0.7500")
    assert "| map | 0.7500 |" in report.to_markdown()
    assert "<td>map</td>" in report._repr_html_()
    assert report.scores == {"map": [0.5, 1.0]}
