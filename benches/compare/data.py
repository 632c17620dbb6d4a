"""The rows, queries and exact neighbours that every engine is measured on: of a directory, or a stand-in.

A directory holds `vectors.npy` (float32) or `vectors.f16.npy` (float16, widened), `queries.npy`,
`neighbors.npy` (row numbers, best first) and, if it has it, `metadata.jsonl.gz`. All vectors have length 1:
cosine, dot product and Euclidean distance give the same order.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
RowArray = NDArray[np.int32]
Metadata = dict[str, Any]
MetadataRows = Sequence[Metadata]

STAND_IN_ROWS = 62_436
STAND_IN_DIM = 384
STAND_IN_QUERIES = 1_000
STAND_IN_CLUSTERS = 1_000
NEIGHBORS = 100


@dataclass(frozen=True)
class Rows:
    """What is stored, what is asked, and what the right answers are; each part is read when first used.

    A process that only searches never holds the vectors, so that its memory is the engine's. The first rows
    alone, with `limit`, have no neighbours.
    """

    directory: Path
    limit: int | None = None

    @cached_property
    def vectors(self) -> FloatArray:
        widened = self.directory / "vectors.f16.npy"
        if widened.exists():
            vectors = np.load(widened, mmap_mode="r")[: self.limit].astype(np.float32)
        else:
            # Mapped: pages of a large set are the file's, not this process's memory. Copied on write, which
            # nobody does, since some libraries take no array that they might not write to.
            vectors = np.asarray(np.load(self.directory / "vectors.npy", mmap_mode="c")[: self.limit])
        return np.ascontiguousarray(vectors, np.float32)

    @cached_property
    def metadata(self) -> MetadataRows:
        file = self.directory / "metadata.jsonl.gz"
        if not file.exists():
            return GeneratedMetadata(self.count)
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines][: self.limit]

    @cached_property
    def ids(self) -> list[str]:
        return [str(row) for row in range(self.count)]

    @cached_property
    def queries(self) -> FloatArray:
        return np.ascontiguousarray(np.load(self.directory / "queries.npy"), np.float32)

    @cached_property
    def neighbors(self) -> RowArray:
        if self.limit is not None:
            raise ValueError(f"the neighbours of the first {self.limit} rows are not known")
        neighbors: RowArray = np.load(self.directory / "neighbors.npy")
        return neighbors

    @cached_property
    def shape(self) -> tuple[int, int]:
        widened = self.directory / "vectors.f16.npy"
        file = widened if widened.exists() else self.directory / "vectors.npy"
        count, dim = np.load(file, mmap_mode="r").shape
        return (count if self.limit is None else min(count, self.limit), dim)

    @property
    def count(self) -> int:
        return self.shape[0]

    @property
    def dim(self) -> int:
        return self.shape[1]

    @property
    def raw_bytes(self) -> int:
        """The bytes of all vectors as float32: what sizes are compared with."""
        return self.count * self.dim * np.dtype(np.float32).itemsize

    @property
    def description(self) -> str:
        file = self.directory / "description.txt"
        if file.exists():
            return file.read_text(encoding="utf-8").strip()
        real = (self.directory / "metadata.jsonl.gz").exists()
        note = "with their metadata" if real else "with generated metadata"
        return f"{self.count:,} x {self.dim} vectors of the directory given, {note}"

    def first(self, count: int) -> Rows:
        """The first rows only."""
        return Rows(self.directory, count)

    def load(self) -> None:
        """Reads every part now, so that no measurement pays for it."""
        _ = self.ids, self.vectors, self.metadata, self.queries


class GeneratedMetadata(Sequence[Metadata]):
    """Metadata made up for each row when it is asked for: a million of them at once would be a gigabyte."""

    def __init__(self, count: int) -> None:
        self._rows = range(count)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Metadata: ...

    @overload
    def __getitem__(self, at: slice) -> list[Metadata]: ...

    def __getitem__(self, at: int | slice) -> Metadata | list[Metadata]:
        if isinstance(at, slice):
            return [_generated_metadata(row) for row in self._rows[at]]
        return _generated_metadata(self._rows[at])


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
    whole, first = Rows(source), Rows(source, rows)
    description = f"the first {rows:,} of {whole.description}"
    _write(directory, first.vectors, whole.queries, first.metadata, description)


def exact_neighbors(vectors: FloatArray, queries: FloatArray, k: int = NEIGHBORS) -> RowArray:
    """Finds the rows of greatest inner product for each query, best first, ties by row."""
    k = min(k, len(vectors))
    found = np.empty((len(queries), k), np.int32)
    for number, query in enumerate(queries):
        scores = vectors @ query
        rows = np.argpartition(-scores, k - 1)[:k]
        found[number] = rows[np.lexsort((rows, -scores[rows]))]
    return found


def recall(found: Sequence[Sequence[int]], neighbors: RowArray, k: int) -> float:
    """The share of the true k nearest rows among the first k found, over the queries asked."""
    k = min(k, neighbors.shape[1])
    hits = sum(len(set(rows[:k]) & set(truth[:k].tolist())) for rows, truth in zip(found, neighbors))
    return hits / (len(found) * k)


def _write(
    directory: Path, vectors: FloatArray, queries: FloatArray, metadata: MetadataRows, description: str
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
