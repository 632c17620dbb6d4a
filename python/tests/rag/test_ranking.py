"""Fusion, held to ranx, and rerankers, held to their formulas."""

from __future__ import annotations

import asyncio
import json
import typing
from pathlib import Path

import numpy as np
import pytest

from vecstore import InvalidInputError, Neighbor, VecStore, rag

#: Made with ranx 0.3.20.
CASES = json.loads(
    (Path(__file__).resolve().parents[3] / "crates/vecstore-rag/tests/data/ranx.json").read_text()
)


def neighbors(run: list[list[float]]) -> list[Neighbor]:
    return [Neighbor(str(item), score, 0.0) for item, score in run]


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_fusion_is_that_of_ranx(case: dict[str, typing.Any]) -> None:
    sets = [neighbors(run) for run in case["runs"]]
    for name, expected in case["expected"].items():
        method, _, normalization = name.partition("/")
        if method == "rrf":
            fused = rag.reciprocal_rank_fusion(sets)
        elif method == "borda":
            fused = rag.borda_fusion(sets)
        elif method == "weighted":
            fused = rag.weighted_fusion(sets, case["weights"], normalization)
        else:
            fused = rag.average_fusion(sets, normalization)
        scores = {one.id: one.score for one in fused}
        assert scores.keys() == expected.keys()
        for item, score in expected.items():
            assert scores[item] == pytest.approx(score, rel=1e-12, abs=1e-12), name
        assert [one.score for one in fused] == sorted(scores.values(), reverse=True)


def test_classes_fuse_as_the_functions_do() -> None:
    sets = [neighbors(run) for run in CASES[0]["runs"]]
    assert rag.RRFReranker(60).fuse_multiple(sets) == rag.reciprocal_rank_fusion(sets)
    assert rag.MultiQueryRetrieval.reciprocal_rank_fusion(sets, 60) == rag.reciprocal_rank_fusion(sets)
    assert rag.BordaCountReranker().combine(sets, 1) == rag.borda_fusion(sets)[:1]
    assert rag.MultiQueryRetrieval.average_fusion(sets) == rag.average_fusion(sets)
    with pytest.raises(InvalidInputError, match="twice"):
        rag.borda_fusion([[sets[0][0], sets[0][0]]])
    with pytest.raises(InvalidInputError, match="weights"):
        rag.weighted_fusion(sets, [1.0] * (len(sets) + 1))


def test_mmr_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((60, 8)).astype(np.float32)
    query = rng.standard_normal(8)
    with VecStore(":memory:") as store:
        store.upsert_many([str(at) for at in range(60)], vectors)
        results = store.query(query, k=60, include=("metadata", "vector"))
    rows = {one.id: np.array(one.vector) for one in results}
    unit = {name: row / np.linalg.norm(row) for name, row in rows.items()}
    for lambda_ in (0.0, 0.3, 0.7, 1.0):
        chosen = [results[0]]
        while len(chosen) < 10:
            rest = [one for one in results if one not in chosen]
            chosen.append(
                max(
                    rest,
                    key=lambda one: (
                        lambda_ * one.score
                        - (1 - lambda_) * max(unit[one.id] @ unit[other.id] for other in chosen)
                    ),
                )
            )
        reranked = rag.MMRReranker(lambda_).rerank("", results, 10)
        assert [one.id for one in reranked] == [one.id for one in chosen]
        by_vector = rag.MMRReranker(lambda_).rerank("", results, 10, query_vector=query)
        assert [one.id for one in by_vector] == [one.id for one in chosen]
    assert reranked[0].vector == results[0].vector


def test_mmr_needs_vectors_of_one_dimension() -> None:
    with pytest.raises(InvalidInputError, match="`a` has no vector"):
        rag.MMRReranker(0.5).rerank("", [Neighbor("a", 1.0, 0.0)])
    with pytest.raises(InvalidInputError, match="`b` has a vector of 1 components"):
        rag.MMRReranker(0.5).rerank(
            "", [Neighbor("a", 1.0, 0.0, None, [1, 2]), Neighbor("b", 1.0, 0.0, None, [1])]
        )
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(InvalidInputError, match="lambda_"):
            rag.MMRReranker(bad)
    assert rag.MMRReranker(0.5).rerank("", []) == []


def test_an_ensemble_is_the_weighted_sum_of_scaled_scores() -> None:
    results = [
        Neighbor(name, score, 0.0, {"n": n}) for name, score, n in [("a", 3, 1), ("b", 2, 9), ("c", 1, 5)]
    ]
    by_n = rag.ScoreReranker(lambda one: one.metadata["n"])
    ensemble = rag.EnsembleReranker([(rag.IdentityReranker(), 1.0), (by_n, 3.0)])
    assert [(one.id, one.score) for one in ensemble.rerank("", results)] == [
        ("b", 0.25 * 0.5 + 0.75),
        ("c", 0.75 * 0.5),
        ("a", 0.25),
    ]
    assert rag.EnsembleReranker().rerank("", results) == results
    with pytest.raises(InvalidInputError, match="weights"):
        rag.EnsembleReranker([(by_n, 0.0)]).rerank("", results)


def test_functions_may_be_async_and_batched() -> None:
    async def score(query: str, text: str) -> float:
        return float(query in text)

    def scores(pairs: list[tuple[str, str]]) -> typing.Any:
        return np.array([query in text for query, text in pairs], float)

    texts = ["one", "two", "three two"]
    for reranker in (rag.CrossEncoderFn(score), rag.CrossEncoderFn(scores, batch=True)):
        assert [one.text for one in reranker.rerank("two", texts, 2)] == ["two", "three two"]
        reranked = asyncio.run(reranker.arerank("two", texts, 1))
        assert [(one.text, one.score) for one in reranked] == [("two", 1.0)]


@pytest.mark.parametrize("wrong", [[1.0], [1.0, float("nan")], [1.0, 2.0, 3.0]])
def test_wrong_scores_are_an_error(wrong: list[float]) -> None:
    with pytest.raises(InvalidInputError, match="scores"):
        rag.CrossEncoderFn(lambda _: wrong, batch=True).rerank("", ["a", "b"])


@pytest.mark.parametrize("wrong", [None, "1.5", [1.0], object()])
def test_what_is_no_score_is_an_error(wrong: typing.Any) -> None:
    with pytest.raises(TypeError, match="score: expected to return a number"):
        rag.ScoreReranker(lambda _: wrong).rerank("", ["a", "b"])
    with pytest.raises(TypeError, match="score: expected to return a number"):
        rag.CrossEncoderFn(lambda _: [wrong, wrong], batch=True).rerank("", ["a", "b"])
    with pytest.raises(TypeError, match="score: expected to return 2 numbers"):
        rag.CrossEncoderFn(lambda _: 1.0, batch=True).rerank("", ["a", "b"])
    with pytest.raises(InvalidInputError, match="score"):
        rag.ScoreReranker(lambda _: 10**400).rerank("", ["a"])


def test_max_sim_is_the_sum_of_the_best_products() -> None:
    rng = np.random.default_rng(1)
    query, text = rng.standard_normal((5, 16)), rng.standard_normal((9, 16))
    assert rag.max_sim(query, text) == pytest.approx((query @ text.T).max(axis=1).sum(), rel=1e-5)

    def unit(rows: typing.Any) -> typing.Any:
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    expected = (unit(query) @ unit(text).T).max(axis=1).sum()
    assert rag.max_sim(query, text, normalize=True) == pytest.approx(expected, rel=1e-5)
    assert rag.max_sim(query, []) == 0.0
    with pytest.raises(InvalidInputError, match="components"):
        rag.max_sim([[1.0]], [[1.0, 2.0]])
    with pytest.raises(InvalidInputError, match="cache_document"):
        rag.ColBERTReranker().rerank([[1.0]], ["text"])


def test_every_reranker_answers_nothing_with_nothing_and_keeps_records() -> None:
    results = [
        Neighbor("a", 0.9, 0.1, {"k": 1}, [1.0, 0.0], "log"),
        Neighbor("b", 0.8, 0.2, {}, [0.0, 1.0], "x"),
    ]
    rerankers: list[typing.Any] = [
        rag.IdentityReranker(),
        rag.MMRReranker(0.5),
        rag.ScoreReranker(lambda one: one.score),
        rag.CrossEncoderFn(lambda _, text: len(text)),
        rag.RRFReranker(),
        rag.BordaCountReranker(),
        rag.EnsembleReranker([rag.RRFReranker()]),
        rag.ContextualReranker(["log"]),
        rag.BM25Reranker(),
        rag.ColBERTReranker(lambda text: [[float(len(text))]]),
    ]
    for reranker in rerankers:
        assert reranker.rerank("log", []) == []
        assert reranker.rerank("log", results, 0) == []
        first = reranker.rerank("log", results, 1)[0]
        assert (first.id, first.metadata, first.vector, first.text) == ("a", {"k": 1}, [1.0, 0.0], "log")
        assert asyncio.run(reranker.arerank("log", results))[0].id == "a"
