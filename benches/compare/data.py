"""The rows, queries and exact neighbours that every engine is measured on: of a directory, or a stand-in.

A directory holds `vectors.npy` (float32) or `vectors.f16.npy` (float16, widened), `queries.npy`,
`neighbors.npy` (row numbers, best first) and, if it has it, `metadata.jsonl.gz`. All vectors have length 1:
cosine, dot product and Euclidean distance give the same order.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
RowArray = NDArray[np.int32]
Metadata = dict[str, Any]

STAND_IN_ROWS = 62_436
STAND_IN_DIM = 384
STAND_IN_QUERIES = 1_000
STAND_IN_CLUSTERS = 1_000
NEIGHBORS = 100


@dataclass(frozen=True)
class Rows:
    """What is stored, what is asked, and what the right answers are."""

    ids: list[str]
    vectors: FloatArray
    metadata: list[Metadata]
    queries: FloatArray
    neighbors: RowArray
    description: str

    @property
    def count(self) -> int:
        return len(self.vectors)

    @property
    def dim(self) -> int:
        return int(self.vectors.shape[1])


def load(directory: Path) -> Rows:
    """Reads a directory in the form this module's docstring states."""
    widened = directory / "vectors.f16.npy"
    vectors = np.load(widened if widened.exists() else directory / "vectors.npy").astype(
        np.float32, copy=False
    )
    metadata_file = directory / "metadata.jsonl.gz"
    if metadata_file.exists():
        with gzip.open(metadata_file, "rt", encoding="utf-8") as lines:
            metadata = [json.loads(line) for line in lines]
        note = "with their metadata"
    else:
        metadata = [_generated_metadata(row) for row in range(len(vectors))]
        note = "with generated metadata"
    description_file = directory / "description.txt"
    description = (
        description_file.read_text(encoding="utf-8").strip()
        if description_file.exists()
        else f"{len(vectors):,} x {vectors.shape[1]} vectors of the directory given, {note}"
    )
    return Rows(
        ids=[str(row) for row in range(len(vectors))],
        vectors=np.ascontiguousarray(vectors),
        metadata=metadata,
        queries=np.load(directory / "queries.npy").astype(np.float32, copy=False),
        neighbors=np.load(directory / "neighbors.npy"),
        description=description,
    )


def write_stand_in(directory: Path, rows: int = STAND_IN_ROWS, seed: int = 1) -> None:
    """Writes clustered random vectors in the form that `load` reads. Easier than real embeddings."""
    random = np.random.default_rng(seed)
    centers = _unit(random.standard_normal((STAND_IN_CLUSTERS, STAND_IN_DIM), dtype=np.float32))

    def around_centers(count: int) -> FloatArray:
        noise = random.standard_normal((count, STAND_IN_DIM), dtype=np.float32)
        return _unit(centers[random.integers(0, STAND_IN_CLUSTERS, count)] + 0.8 * _unit(noise))

    vectors, queries = around_centers(rows), around_centers(STAND_IN_QUERIES)
    description = (
        f"{rows:,} x {STAND_IN_DIM} STAND-IN vectors (random, {STAND_IN_CLUSTERS:,} clusters, seed {seed}), "
        "with generated metadata: not real data"
    )
    _write(directory, vectors, queries, [_generated_metadata(row) for row in range(rows)], description)


def write_first_rows(source: Path, directory: Path, rows: int) -> None:
    """Writes the first rows of a larger set, with the neighbours found anew."""
    whole = load(source)
    description = f"the first {rows:,} of {whole.description}"
    _write(directory, whole.vectors[:rows], whole.queries, whole.metadata[:rows], description)


def exact_neighbors(vectors: FloatArray, queries: FloatArray, k: int = NEIGHBORS) -> RowArray:
    """Finds the rows of greatest inner product for each query, best first, ties by row."""
    k = min(k, len(vectors))
    found = np.empty((len(queries), k), np.int32)
    for number, query in enumerate(queries):
        scores = vectors @ query
        rows = np.argpartition(-scores, k - 1)[:k]
        found[number] = rows[np.lexsort((rows, -scores[rows]))]
    return found


def recall(found: list[list[int]], neighbors: RowArray, k: int) -> float:
    """The share of the true k nearest rows among the first k found, over the queries asked."""
    k = min(k, neighbors.shape[1])
    hits = sum(len(set(rows[:k]) & set(truth[:k].tolist())) for rows, truth in zip(found, neighbors))
    return hits / (len(found) * k)


def _write(
    directory: Path, vectors: FloatArray, queries: FloatArray, metadata: list[Metadata], description: str
) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    np.save(directory / "vectors.npy", vectors)
    np.save(directory / "queries.npy", queries)
    np.save(directory / "neighbors.npy", exact_neighbors(vectors, queries))
    with gzip.open(directory / "metadata.jsonl.gz", "wt", encoding="utf-8", compresslevel=1) as lines:
        lines.writelines(json.dumps(record) + "\n" for record in metadata)
    (directory / "description.txt").write_text(description + "\n", encoding="utf-8")


def _generated_metadata(row: int) -> Metadata:
    return {
        "name": f"package-{row}",
        "section": f"section-{row % 57}",
        "priority": "optional",
        "installed_size": (row * 7919) % 100_000,
        "architecture": "amd64",
        "version": f"1.{row % 100}-1",
        "text": f"package-{row}: " + "a generated description of the usual length " * 6,
    }


def _unit(rows: FloatArray) -> FloatArray:
    unit: FloatArray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
