"""Which retrieval is better? Judged questions, four ways to search, measures, and whether differences are
luck.

Run it with ``python python/examples/evaluation.py``. It judges by which topic of Python's reference should be
found, so that no language model is needed.
"""

from __future__ import annotations

from pydoc_data.topics import topics

import vecstore
from example_models import load_embedder
from vecstore.evaluation import compare, evaluate_run, recall_at_k
from vecstore.rag import BM25Reranker, RecursiveCharacterTextSplitter

#: What is asked, and which topics answer it.
JUDGED = {
    "How do I leave the innermost loop?": {"break": 2, "while": 1, "for": 1},
    "skip the rest of the loop body": {"continue": 2, "while": 1, "for": 1},
    "Which statement does nothing?": {"pass": 2},
    "remove a name from its namespace": {"del": 2},
    "assign to a variable of the module inside a function": {"global": 2},
    "rebind a name of the enclosing function": {"nonlocal": 2},
    "check a condition while debugging": {"assert": 2},
    "hand a value back to the caller": {"return": 2},
    "re-raise the exception being handled": {"raise": 2, "try": 1},
    "clean up whether or not there was an error": {"try": 2, "with": 1},
    "repeat while an expression is true": {"while": 2},
    "iterate over the items of a sequence": {"for": 2},
    "use a context manager": {"with": 2},
    "chain an exception to its cause": {"raise": 2},
    "catch an exception of a class": {"try": 2},
}
TOPICS = sorted({topic for judged in JUDGED.values() for topic in judged})
MEASURES = ("ndcg_cut_10", "recip_rank", "recall_5")


def by_topic(neighbors: list[vecstore.Neighbor]) -> dict[str, float]:
    """The best score of each topic's chunks: a document is as good as its best passage."""
    best: dict[str, float] = {}
    for neighbor in neighbors:
        topic = neighbor.metadata["doc_id"]
        best[topic] = max(neighbor.score, best.get(topic, float("-inf")))
    return best


def main() -> None:
    embedder = load_embedder()
    splitter = RecursiveCharacterTextSplitter(600, 80)
    with vecstore.VecStore(":memory:") as store:
        for name in TOPICS:
            store.upsert_chunks(name, topics[name], splitter, embedder)
        print(f"{len(store)} chunks of {len(TOPICS)} topics, {len(JUDGED)} judged questions")

        vectors = {question: embedder.embed(question) for question in JUDGED}
        reranker = BM25Reranker()
        found: dict[str, dict[str, list[vecstore.Neighbor]]] = {
            "vector": {q: store.query(vectors[q], 20, include=("metadata", "text")) for q in JUDGED},
            "words": {q: store.text_query(q, 20) for q in JUDGED},
            "hybrid": {q: store.hybrid_query(vectors[q], q, 20) for q in JUDGED},
        }
        found["reranked"] = {q: reranker.rerank(q, found["vector"][q]) for q in JUDGED}
        reports = {
            name: evaluate_run(JUDGED, {q: by_topic(neighbors) for q, neighbors in run.items()}, MEASURES)
            for name, run in found.items()
        }
        print("".join(f"{measure:>14}" for measure in ("", *MEASURES)))
        for name, report in reports.items():
            print(f"{name:>14}" + "".join(f"{report.mean[measure]:14.3f}" for measure in MEASURES))

        print("\nIs the vector search better than the words, or only luckier?")
        print(compare(reports["vector"], reports["words"], ["ndcg_cut_10"]))
        print(f"\nsearch against exact search: recall@10 {recall_at_k(store, vectors.values()):.3f}")


if __name__ == "__main__":
    main()
