"""What the Python package costs and gains: size, import, threads, memory, and beside plain Python and numpy.

``python benches/package.py [size import stores tokens threads calls opens] [--rows N]`` prints a table, of
all parts or of those that are named, and fails where a limit is missed. Run it where nothing else runs. How
much a call costs over Rust is ``benches.compare --scenario call_overhead``.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
import tempfile
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
GROWTH_BYTES_MAX = 1 << 20
CALLS = 100_000
OPENS = 1_000


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


def resident_bytes() -> int:
    """The resident memory of this process."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def growth(call: Callable[[int], object], rounds: int) -> int:
    """How much memory calls keep: the slope of a line through twenty samples, times the rounds.

    A third of as many rounds go before, so that allocators and interpreter settle.
    """
    for n in range(rounds // 3):
        call(n)
    samples = []
    for n in range(rounds):
        if n % (rounds // 20) == 0:
            samples.append(resident_bytes())
        call(n)
    slope, _ = np.polyfit(np.arange(len(samples)), samples, 1)
    return int(slope * len(samples))


class Table:
    """Prints figures, and counts limits that are missed."""

    def __init__(self) -> None:
        self.missed = 0

    def show(self, name: str, value: str, limit: str = "", holds: bool = True) -> None:
        self.missed += not holds
        print(f"{name:<66}{value:>12}  {limit}{'' if holds else '  MISSED'}", flush=True)


def measure_size(table: Table, _: int) -> None:
    for wheel in sorted(Path(__file__).resolve().parents[1].glob("python/dist/*.whl")):
        size = wheel.stat().st_size
        table.show("size of the wheel, MB", f"{size / 1e6:.1f}", "<= 12", size <= WHEEL_BYTES_MAX)


def measure_import(table: Table, _: int) -> None:
    imported = import_ms()
    table.show("import over bare Python, ms", f"{imported:.1f}", "<= 30", imported <= IMPORT_MS_MAX)


def filled(rows: int) -> tuple[vecstore.VecStore, Any, Any, list[dict[str, int]]]:
    """A settled store, its vectors, queries near some of them, and the metadata."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((rows, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    metadatas = [{"price": n % 100} for n in range(rows)]
    queries = vectors[:QUERIES] + 0.05 * rng.standard_normal((QUERIES, DIMENSION)).astype(np.float32)
    store = vecstore.VecStore(":memory:", metric="dot", threads=1)
    store.upsert_many([str(n) for n in range(rows)], vectors, metadatas)
    store.optimize()
    return store, vectors, queries, metadatas


def measure_stores(table: Table, rows: int) -> None:
    store, vectors, queries, metadatas = filled(rows)
    cheap = "price < 50"
    numpy_store = NumpyStore(vectors, metadatas)
    python_store = PythonStore(vectors[: rows // 10], metadatas[: rows // 10])
    ours = median_ms(lambda: [store.query(query, 10, cheap) for query in queries]) / QUERIES
    exact = median_ms(lambda: [store.query(query, 10, cheap, exact=True) for query in queries[:20]]) / 20
    theirs = median_ms(lambda: [numpy_store.query(query, 10, 50) for query in queries[:10]]) / 10
    plain = median_ms(lambda: python_store.query(list(map(float, queries[0])), 10, 50), 3) * 10
    found = [{neighbor.id for neighbor in store.query(query, 10, cheap)} for query in queries[:10]]
    true = [{str(n) for n in numpy_store.query(query, 10, 50)} for query in queries[:10]]
    recall = sum(len(a & b) for a, b in zip(found, true)) / 100
    table.show(f"filtered query of {rows:,} rows, recall .95, ms ({recall:.2f} found)", f"{ours:.3f}")
    table.show("the same, exact, ms", f"{exact:.3f}")
    table.show("numpy, ms", f"{theirs:.3f}", ">= 10x", theirs >= 10 * ours)
    table.show(
        "plain Python (a tenth of the rows, times ten), ms", f"{plain:.1f}", ">= 100x", plain >= 100 * ours
    )


def measure_tokens(table: Table, rows: int) -> None:
    """Records of several vectors each, and queries of as many, near those of one record."""
    rng = np.random.default_rng(0)
    records, tokens, asked = rows // 10, 32, 16
    topics = rng.standard_normal((records, 1, DIMENSION)).astype(np.float32)
    vectors = topics + rng.standard_normal((records, tokens, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    queries = vectors[:50, :asked] + 0.5 * rng.standard_normal((50, asked, DIMENSION)).astype(np.float32)
    store = vecstore.VecStore(":memory:", metric="dot", threads=1)
    for n in range(records):
        store.upsert_multi(str(n), vectors[n])
    store.optimize()
    flat = vectors.reshape(-1, DIMENSION)

    def brute(query: Any) -> Any:
        best = (flat @ query.T).reshape(records, tokens, asked).max(axis=1).sum(axis=1)
        return np.argsort(-best)[:10]

    ours = median_ms(lambda: [store.multi_query(query, 10) for query in queries], 3) / len(queries)
    exact = median_ms(lambda: [store.multi_query(query, 10, exact=True) for query in queries[:5]], 3) / 5
    theirs = median_ms(lambda: [brute(query) for query in queries[:5]], 3) / 5
    found = [{int(neighbor.id) for neighbor in store.multi_query(query, 10)} for query in queries]
    recall = sum(len(a & set(brute(query).tolist())) for a, query in zip(found, queries)) / 10 / len(queries)
    table.show(f"MaxSim over {records:,} records of {tokens} vectors, ms ({recall:.2f} found)", f"{ours:.2f}")
    table.show("the same, exact, ms", f"{exact:.1f}")
    table.show("numpy, ms", f"{theirs:.1f}", ">= 2x", theirs >= 2 * ours)


def measure_threads(table: Table, rows: int) -> None:
    store, _, queries, _ = filled(rows)

    def work(_: int) -> None:
        for query in queries:
            store.query(query, 10, exact=True)

    one = median_ms(lambda: work(0), 3)
    with ThreadPoolExecutor(2) as pool:
        two = median_ms(lambda: list(pool.map(work, range(2))), 3)
    table.show(
        "exact queries of 2 threads over 1 (2 cores)",
        f"{2 * one / two:.2f}x",
        ">= 1.6x",
        two <= 2 * one / 1.6,
    )


def measure_calls(table: Table, _: int) -> None:
    """Every kind of call by turns, with filters, metadata, failures and arrays."""
    store = vecstore.VecStore(":memory:")
    vectors = np.eye(50, 64, dtype=np.float32) + 1
    metadatas = [{"n": n, "title": "a title", "list": [1, {"x": None}]} for n in range(50)]
    store.upsert_many([str(n) for n in range(50)], vectors, metadatas, texts=["some text"] * 50)

    def refused() -> None:
        try:
            store.upsert("a", [1.0])
        except vecstore.DimensionMismatchError:
            return
        raise AssertionError("a vector of another dimension was taken")

    def added_and_removed() -> None:
        store.upsert("gone", vectors[1])
        store.delete("gone")

    calls: list[Callable[[], object]] = [
        lambda: store.query(vectors[0], 5, "n < 25", include=("metadata", "vector", "text"))[0].vector,
        lambda: store.upsert("7", vectors[7], metadatas[7], text="some text"),
        lambda: store.query_batch(vectors[:4], 5).scores,
        lambda: store.get("3"),
        lambda: store.hybrid_query(vectors[1], "text", 5),
        lambda: store.scroll(limit=5),
        refused,
        added_and_removed,
    ]
    grown = growth(lambda n: calls[n % len(calls)](), CALLS)
    table.show(
        f"memory kept by {CALLS:,} calls, KB", f"{grown / 1e3:.0f}", "< 1 MB", grown < GROWTH_BYTES_MAX
    )


def measure_opens(table: Table, _: int) -> None:
    with tempfile.TemporaryDirectory() as directory:

        def call(n: int) -> None:
            with vecstore.VecStore(directory, durability="none") as store:
                store.upsert(str(n % 10), [float(n), 1.0], {"n": n})

        grown = growth(call, OPENS)
    table.show(
        f"memory kept by {OPENS:,} times opening, writing, closing, KB",
        f"{grown / 1e3:.0f}",
        "< 1 MB",
        grown < GROWTH_BYTES_MAX,
    )


PARTS: dict[str, Callable[[Table, int], None]] = {
    "size": measure_size,
    "import": measure_import,
    "stores": measure_stores,
    "tokens": measure_tokens,
    "threads": measure_threads,
    "calls": measure_calls,
    "opens": measure_opens,
}


def main() -> int:
    """Measures and prints; returns how many limits were missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="part", help=" ".join(PARTS))
    parser.add_argument("--rows", type=int, default=50_000)
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    table = Table()
    for part in arguments.parts or PARTS:
        PARTS[part](table, arguments.rows)
    return table.missed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
