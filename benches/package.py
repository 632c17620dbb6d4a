"""What the Python package costs and gains: size, import, threads, and beside plain Python and numpy.

``python benches/package.py [rows]`` prints a table and fails where a limit is missed. Run it where nothing
else runs. How much a call costs over Rust is ``benches.compare --scenario call_overhead``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import vecstore

DIMENSION = 384
QUERIES = 200
WHEEL_BYTES_MAX = 12 << 20
IMPORT_MS_MAX = 30.0


def median_ms(call: Callable[[], object], rounds: int = 5) -> float:
    """The median time of a call in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def import_ms() -> float:
    """What importing adds to starting the interpreter."""

    def start(script: str) -> float:
        return median_ms(lambda: subprocess.run([sys.executable, "-c", script], check=True), 15)

    return start("import vecstore") - start("pass")


class PythonStore:
    """Lists and loops: what one writes first."""

    def __init__(self, vectors: Any, metadatas: list[dict[str, int]]) -> None:
        self.rows = [list(map(float, row)) for row in vectors]
        self.metadatas = metadatas

    def query(self, vector: list[float], k: int, price: int) -> list[int]:
        scores = [
            (sum(a * b for a, b in zip(row, vector)), n)
            for n, row in enumerate(self.rows)
            if self.metadatas[n]["price"] < price
        ]
        return [n for _, n in sorted(scores, reverse=True)[:k]]


class NumpyStore:
    """One matrix, one product, one partition, and a list of dicts for the filter."""

    def __init__(self, vectors: Any, metadatas: list[dict[str, int]]) -> None:
        self.vectors = vectors
        self.metadatas = metadatas

    def query(self, vector: Any, k: int, price: int) -> list[int]:
        kept = np.array([n for n, metadata in enumerate(self.metadatas) if metadata["price"] < price])
        scores = self.vectors[kept] @ vector
        best = np.argpartition(-scores, k)[:k]
        return [int(n) for n in kept[best[np.argsort(-scores[best])]]]


def main(rows: int) -> int:
    """Measures and prints; returns how many limits were missed."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((rows, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    metadatas = [{"price": n % 100} for n in range(rows)]
    queries = vectors[:QUERIES] + 0.05 * rng.standard_normal((QUERIES, DIMENSION)).astype(np.float32)
    cheap = "price < 50"
    missed = 0

    def show(name: str, value: str, limit: str = "", holds: bool = True) -> None:
        nonlocal missed
        missed += not holds
        print(f"{name:<58}{value:>14}  {limit}{'' if holds else '  MISSED'}")

    for wheel in sorted(Path(__file__).resolve().parents[1].glob("python/dist/*.whl")):
        size = wheel.stat().st_size
        show("size of the wheel, MB", f"{size / 1e6:.1f}", "<= 12", size <= WHEEL_BYTES_MAX)
    imported = import_ms()
    show("import over bare Python, ms", f"{imported:.1f}", "<= 30", imported <= IMPORT_MS_MAX)

    with vecstore.VecStore(":memory:", metric="dot", threads=1) as store:
        store.upsert_many([str(n) for n in range(rows)], vectors, metadatas)
        store.optimize()
        numpy_store = NumpyStore(vectors, metadatas)
        python_store = PythonStore(vectors[: rows // 10], metadatas[: rows // 10])
        ours = median_ms(lambda: [store.query(query, 10, cheap) for query in queries]) / QUERIES
        exact = median_ms(lambda: [store.query(query, 10, cheap, exact=True) for query in queries[:20]]) / 20
        theirs = median_ms(lambda: [numpy_store.query(query, 10, 50) for query in queries[:10]]) / 10
        plain = median_ms(lambda: python_store.query(list(map(float, queries[0])), 10, 50), 3) * 10
        found = [{neighbor.id for neighbor in store.query(query, 10, cheap)} for query in queries[:10]]
        true = [{str(n) for n in numpy_store.query(query, 10, 50)} for query in queries[:10]]
        recall = sum(len(a & b) for a, b in zip(found, true)) / 100
        show(f"filtered query of {rows:,} rows, recall .95, ms ({recall:.2f} found)", f"{ours:.3f}")
        show("the same, exact, ms", f"{exact:.3f}")
        show("numpy, ms", f"{theirs:.3f}", ">= 10x", theirs >= 10 * ours)
        show(
            "plain Python (a tenth of the rows, times ten), ms",
            f"{plain:.1f}",
            ">= 100x",
            plain >= 100 * ours,
        )

        def work(_: int) -> None:
            for query in queries:
                store.query(query, 10, exact=True)

        one = median_ms(lambda: work(0), 3)
        with ThreadPoolExecutor(2) as pool:
            two = median_ms(lambda: list(pool.map(work, range(2))), 3)
        show(
            "exact queries of 2 threads over 1 (2 cores)",
            f"{2 * one / two:.2f}x",
            ">= 1.6x",
            two <= 2 * one / 1.6,
        )
    return missed


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000) else 0)
