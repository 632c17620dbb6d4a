"""The questions, the judgments and the keyword search of the evaluation; the run itself takes a minute."""

from __future__ import annotations

from pydoc_data.topics import topics

from demo.evaluate.__main__ import HERE, REPEATING, by_topic, read_queries
from demo.evaluate.bm25 import BM25
from vecstore.evaluation import evaluate_run, read_qrels


def test_every_question_has_a_topic_that_answers_it() -> None:
    queries, qrels = read_queries(), read_qrels(HERE / "qrels.txt")
    assert len(queries) >= 60
    assert set(queries) == set(qrels)
    for query, grades in qrels.items():
        assert 2 in grades.values(), query
        for topic in grades:
            assert topic in topics, (query, topic)
            assert topic not in REPEATING


def test_keyword_search_finds_most_answers_and_rare_words_first() -> None:
    index = BM25({f"{name}#0": text for name, text in topics.items() if name not in REPEATING})
    run = by_topic({query: index.search(text, 20) for query, text in read_queries().items()})
    assert evaluate_run(read_qrels(HERE / "qrels.txt"), run, ["success_10"]).mean["success_10"] > 0.6
    assert next(iter(index.search("UnboundLocalError", 3))) == "naming#0"
    assert index.search("zzz", 3) == {}


def test_a_topic_ranks_by_its_best_passage() -> None:
    assert by_topic({"q": {"a#0": 0.2, "b#1": 0.3, "a#7": 0.5}}) == {"q": {"a": 0.5, "b": 0.3}}
