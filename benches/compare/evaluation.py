"""Evaluation beside pytrec_eval, in one process: `python -m benches.compare.evaluation`.

500 queries x 1,000 documents x 5 measures, from the same dictionaries, calls taking turns; then the
randomisation test, and the import. Needs pytrec_eval-terrier.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
import typing
from collections.abc import Callable

import pytrec_eval

from vecstore.evaluation import evaluate_run, randomization_test

QUERIES = 500
DOCUMENTS = 1_000
JUDGED = 100
MEASURES = ("map", "ndcg", "recip_rank", "P_10", "recall_100")
#: How pytrec_eval names the same.
FAMILIES = {"map", "ndcg", "recip_rank", "P.10", "recall.100"}
ROUNDS = 11


def main() -> int:
    """Prints the medians and their ratio."""
    generator = random.Random(0)
    qrels, run = {}, {}
    for query in (f"q{number}" for number in range(QUERIES)):
        documents = [f"doc-{generator.randrange(10**9):09}-{number}" for number in range(DOCUMENTS)]
        qrels[query] = {document: generator.randint(0, 2) for document in generator.sample(documents, JUDGED)}
        # Scores to three decimals: a tenth of the documents tie, as in real runs of quantised scores.
        run[query] = {document: round(generator.random() * 10, 3) for document in documents}
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, FAMILIES)

    def ours() -> dict[str, dict[str, float]]:
        return evaluate_run(qrels, run, MEASURES, "trec_eval-9").per_query

    def theirs() -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = evaluator.evaluate(run)
        return found

    expected, got = theirs(), ours()
    worst = max(
        abs(value - expected[query][name]) for query, values in got.items() for name, value in values.items()
    )
    times: dict[Callable[[], typing.Any], list[float]] = {ours: [], theirs: []}
    for _ in range(ROUNDS):
        for call, taken in times.items():
            taken.append(_milliseconds(call))
    mine, peer = (statistics.median(taken) for taken in times.values())
    print(f"{QUERIES} queries x {DOCUMENTS} documents x {len(MEASURES)} measures, median of {ROUNDS}:")
    print(f"  vecstore {mine:.1f} ms, pytrec_eval {peer:.1f} ms: {peer / mine:.1f}x")
    print(f"  greatest difference of a value: {worst:.1e}")

    a = [generator.random() for _ in range(QUERIES)]
    b = [value + generator.gauss(0.01, 0.2) for value in a]
    permuted = [_milliseconds(lambda: randomization_test(a, b, 100_000)) for _ in range(ROUNDS)]
    print(f"100,000 permutations of {QUERIES} pairs: {statistics.median(permuted):.1f} ms")

    bare = [_import("pass") for _ in range(ROUNDS)]
    store = [_import("import vecstore") for _ in range(ROUNDS)]
    whole = [_import("import vecstore.evaluation") for _ in range(ROUNDS)]
    used = [_import("from vecstore.evaluation import evaluate") for _ in range(ROUNDS)]
    base = statistics.median(bare)
    print(
        "import, over bare Python: "
        f"vecstore {statistics.median(store) - base:.1f} ms, "
        f"vecstore.evaluation {statistics.median(whole) - base:.1f} ms, "
        f"with evaluate used {statistics.median(used) - base:.1f} ms"
    )
    return 0


def _milliseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1e3


def _import(code: str) -> float:
    return _milliseconds(lambda: subprocess.run([sys.executable, "-c", code], check=True))


if __name__ == "__main__":
    sys.exit(main())
