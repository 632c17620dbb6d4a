"""`python -m demo.evaluate` from the root of the repository: BM25, vectors and both, with significance.

Passages are searched, and topics are judged: a topic's score is that of its best passage.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from pydoc_data.topics import topics

import vecstore
from demo.embedder import DIMENSION, Embedder
from demo.evaluate.bm25 import BM25
from demo.passages import Passage
from demo.reference import embed_missing, read_passages
from vecstore.evaluation import compare, evaluate_run, fuse_runs, read_qrels, run_from_collection, write_run

HERE = Path(__file__).resolve().parent
#: Topics that repeat the texts of others as chapters: with them, half of the corpus would be there twice.
REPEATING = frozenset({"compound", "specialnames", "else"})
MEASURES = ("ndcg_cut_10", "map", "recip_rank", "success_1", "recall_5")
#: Passages of each search; the topics among them are ranked.
DEPTH = 100


def read_queries() -> dict[str, str]:
    """The questions by their ids."""
    lines = (HERE / "queries.tsv").read_text(encoding="utf-8").splitlines()
    pairs: list[list[str]] = [line.split("\t") for line in lines if not line.startswith("#")]
    return {query: text for query, text, *_ in pairs}


def by_topic(run: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """A run of topics from a run of passages."""
    found: dict[str, dict[str, float]] = {}
    for query, scores in run.items():
        row = found.setdefault(query, {})
        for passage, score in scores.items():
            topic = passage.rpartition("#")[0]
            row[topic] = max(score, row.get(topic, score))
    return found


def search(
    passages: Sequence[Passage], queries: Mapping[str, str], embedder: Embedder
) -> dict[str, dict[str, dict[str, float]]]:
    """The runs of the three ways."""
    index = BM25({passage.id: f"{passage.title}\n{passage.text}" for passage in passages})
    keywords = by_topic({query: index.search(text, DEPTH) for query, text in queries.items()})
    with vecstore.VecStore(":memory:", dim=DIMENSION) as store:
        embed_missing(store, passages, "evaluation", embedder)
        vectors = dict(zip(queries, embedder.embed(list(queries.values()))))
        near = by_topic(run_from_collection(store, vectors, DEPTH))
    return {"BM25": keywords, "vector": near, "hybrid (RRF)": fuse_runs([keywords, near])}


def main(arguments: Iterable[str] = ()) -> int:
    """Prints the tables; with a directory as argument, also writes the runs there."""
    embedder = Embedder()
    kept = {name: text for name, text in topics.items() if name not in REPEATING}
    passages = read_passages(kept, embedder)
    queries, qrels = read_queries(), read_qrels(HERE / "qrels.txt")
    runs = search(passages, queries, embedder)
    reports = {name: evaluate_run(qrels, run, MEASURES) for name, run in runs.items()}

    print(f"{len(queries)} questions, {len(kept)} topics, {len(passages)} passages\n")
    print(f"| search | {' | '.join(MEASURES)} |\n|---|{'---:|' * len(MEASURES)}")
    for name, report in reports.items():
        print(f"| {name} | {' | '.join(f'{report.mean[measure]:.4f}' for measure in MEASURES)} |")
    for a, b in (("BM25", "vector"), ("BM25", "hybrid (RRF)"), ("vector", "hybrid (RRF)")):
        print(f"\na: {a}, b: {b}\n")
        print(compare(reports[a], reports[b]).to_markdown(), end="")
    for directory in arguments:
        Path(directory).mkdir(parents=True, exist_ok=True)
        for name, run in runs.items():
            write_run(run, Path(directory) / f"{name.split()[0].lower()}.run", tag=name.split()[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
