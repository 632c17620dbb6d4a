"""Which of two systems is better, as a user finds out; the parts are tested in tests/evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import vecstore
from vecstore.evaluation import (
    AnswerFaithfulness,
    ContextRelevance,
    EvaluationInput,
    Report,
    TokenF1,
    compare,
    evaluate,
    evaluate_retrieval,
    read_qrels,
    recall_at_k,
    write_qrels,
)


def test_retrieval_is_judged_and_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    centers = rng.standard_normal((20, 16)).astype(np.float32)
    ids = [f"{topic}-{n}" for topic in range(20) for n in range(10)]
    near = np.repeat(centers, 10, axis=0) + 0.2 * rng.standard_normal((200, 16)).astype(np.float32)
    far = np.repeat(centers, 10, axis=0) + 1.5 * rng.standard_normal((200, 16)).astype(np.float32)
    queries = {f"q{topic}": centers[topic] for topic in range(20)}
    write_qrels(
        {f"q{topic}": {f"{topic}-{n}": 1 for n in range(10)} for topic in range(20)}, tmp_path / "qrels"
    )
    qrels = read_qrels(tmp_path / "qrels")

    with vecstore.VecStore(":memory:") as good, vecstore.VecStore(":memory:") as bad:
        good.upsert_many(ids, near)
        bad.upsert_many(ids, far)
        better = evaluate_retrieval(good, queries, qrels, 10, measures=["ndcg_cut_10", "P_10"])
        worse = evaluate_retrieval(bad, queries, qrels, 10, measures=["ndcg_cut_10", "P_10"])
        assert recall_at_k(good, queries.values(), 10) == 1.0
    assert better.mean["P_10"] > 0.95 > worse.mean["P_10"]
    row = compare(worse, better, ["ndcg_cut_10"]).rows[0]
    assert row.difference > 0
    assert row.p_holm < 0.01


def test_answers_are_judged_and_reported(tmp_path: Path) -> None:
    asked: list[str] = []

    def judge(prompt: str) -> str:
        asked.append(prompt)
        return '{"verdict": "yes"}' if "synced" in prompt.split("<context>")[1] else '{"verdict": "no"}'

    samples = [
        EvaluationInput("When?", ["Logs are synced at once."], "At once.", "at once"),
        EvaluationInput("Who?", ["Snakes eat mice."], "Logs do.", "snakes"),
    ]
    report = evaluate(samples, [ContextRelevance(judge), TokenF1(), AnswerFaithfulness(method="lexical")])
    assert isinstance(report, Report)
    assert report.scores["context_relevance"] == [1.0, 0.0]
    assert report.scores["token_f1"] == [1.0, 0.0]
    assert report.worst(1) == [1]
    assert len(asked) == 2
    report.to_json(tmp_path / "report.json")
    report.to_html(tmp_path / "report.html")
    assert json.loads((tmp_path / "report.json").read_text())
    assert Report.from_json(tmp_path / "report.json").scores == report.scores
