"""Makes the files of other stores that the tests import, with those stores: run by hand where they are
installed.

pip install chromadb==1.5.9 faiss-cpu==1.15.1 hnswlib==0.8.0 lancedb==0.40.0 qdrant-edge-py==0.9.0
usearch==2.26.6
"""

from __future__ import annotations

import datetime
import importlib
import json
import pathlib
import tarfile
import tempfile
import typing

import numpy as np

HERE = pathlib.Path(__file__).parent / "fixtures"
COUNT, DIM = 40, 4
VECTORS = np.random.default_rng(7).normal(size=(COUNT, DIM)).astype(np.float32)


def archive(name: str, directory: pathlib.Path) -> None:
    """Keeps a directory, compressed: most of it is zeros."""
    with tarfile.open(HERE / f"{name}.tar.xz", "w:xz") as tar:
        for path in sorted(directory.rglob("*")):
            tar.add(path, path.relative_to(directory), recursive=False)


def expect(name: str, records: dict[str, typing.Any]) -> None:
    """Keeps what a store itself says that it holds."""
    text = json.dumps(records, ensure_ascii=True, separators=(",", ":"))
    (HERE / f"{name}.json").write_text(text + "\n", encoding="ascii")


def chroma(directory: pathlib.Path, name: str, settings: dict[str, typing.Any]) -> None:
    """A collection with records that were changed, removed and added again, beside another collection."""
    chromadb: typing.Any = importlib.import_module("chromadb")

    client = chromadb.PersistentClient(str(directory))
    client.create_collection("empty")
    docs = client.create_collection(
        "docs", metadata={"hnsw:space": "cosine", **settings}, embedding_function=None
    )
    for start in range(0, COUNT, 10):
        rows = range(start, start + 10)
        docs.add(
            ids=[f"id-{n}" for n in rows],
            embeddings=VECTORS[start : start + 10],
            metadatas=[{"n": n, "half": n / 2, "name": f"name {n}", "even": n % 2 == 0} for n in rows],
            documents=[f"document {n}" if n % 3 else None for n in rows],
        )
    docs.delete(ids=["id-3", "id-4"])
    docs.add(ids=["id-4"], embeddings=[[4.0, 4.0, 4.0, 4.5]], metadatas=[{"again": True}])
    docs.add(ids=["id-5"], embeddings=[[9.0, 9.0, 9.0, 9.0]])  # it is there, so that this does nothing
    docs.update(ids=["id-6"], embeddings=[[6.0, 6.0, 6.0, 6.5]])
    docs.update(ids=["id-7"], metadatas=[{"n": -7, "tags": ["a", "b"]}])
    docs.upsert(
        ids=["id-8", "new"], embeddings=[[8.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]], documents=["d", "e"]
    )
    found = docs.get(include=["embeddings", "metadatas", "documents"])
    columns = (found["ids"], found["embeddings"], found["metadatas"], found["documents"])
    expect(
        name,
        {record_id: [vector.tolist(), metadata, text] for record_id, vector, metadata, text in zip(*columns)},
    )
    archive(name, directory)


def indexes() -> None:
    """The same vectors in each kind of index, with keys that are not the numbers of rows."""
    faiss: typing.Any = importlib.import_module("faiss")
    hnswlib: typing.Any = importlib.import_module("hnswlib")
    usearch: typing.Any = importlib.import_module("usearch.index")

    keys = np.arange(COUNT, dtype=np.int64) * 3 + 5
    flat = faiss.IndexFlatIP(DIM)
    flat.add(VECTORS)
    faiss.write_index(flat, str(HERE / "flat.faiss"))
    mapped = faiss.IndexIDMap2(faiss.IndexFlatL2(DIM))
    mapped.add_with_ids(VECTORS, keys)
    faiss.write_index(mapped, str(HERE / "mapped.faiss"))
    lists = faiss.IndexIVFFlat(faiss.IndexFlatL2(DIM), DIM, 2)
    lists.train(VECTORS)
    lists.add(VECTORS)
    faiss.write_index(lists, str(HERE / "ivf.faiss"))
    for space, name in (("l2", "l2"), ("cosine", "cosine")):
        index = hnswlib.Index(space, DIM)
        index.init_index(COUNT + 20)
        index.add_items(VECTORS, keys)
        index.mark_deleted(8)
        index.save_index(str(HERE / f"{name}.hnswlib"))
    for dtype in ("f32", "f16"):
        index = usearch.Index(ndim=DIM, metric="cos", dtype=dtype)
        index.add(keys, VECTORS)
        index.remove(8)
        index.save(str(HERE / f"{dtype}.usearch"))


def lance(directory: pathlib.Path) -> None:
    """A table that rows were removed from, with columns of several types."""
    lancedb: typing.Any = importlib.import_module("lancedb")

    noon = datetime.datetime(2024, 5, 1, 12)
    rows = [
        {"id": f"d{n}", "vector": VECTORS[n], "text": f"t {n}", "n": n, "tags": ["a", str(n)], "when": noon}
        for n in range(COUNT)
    ]
    table = lancedb.connect(directory).create_table("docs", rows)
    table.delete("n = 3")
    archive("lancedb", directory)


def qdrant(directory: pathlib.Path) -> None:
    """A shard with numbers and UUIDs for ids, and its points as scrolling returns them."""
    edge: typing.Any = importlib.import_module("qdrant_edge")

    config = edge.EdgeConfig(vectors=edge.EdgeVectorParams(size=DIM, distance=edge.Distance.Dot))
    shard = edge.EdgeShard.create(str(directory), config)
    ids = [n if n % 2 else f"550e8400-e29b-41d4-a716-4466554400{n:02}" for n in range(COUNT)]
    points = [
        edge.Point(
            record_id, VECTORS[n].tolist(), {"n": n, "half": n / 2, "list": [1, "a"], "deep": {"k": None}}
        )
        for n, record_id in enumerate(ids)
    ]
    shard.update(edge.UpdateOperation.upsert_points(points))
    shard.update(edge.UpdateOperation.delete_points([1]))
    shard.flush()
    found, _ = shard.scroll(edge.ScrollRequest(limit=COUNT, with_vector=True, with_payload=True))
    shard.close()
    with (HERE / "scrolled.jsonl").open("w", encoding="ascii") as file:
        for point in found:
            record_id = point.id if isinstance(point.id, int) else str(point.id)
            one = {"id": record_id, "vector": point.vector, "payload": dict(point.payload.items())}
            file.write(json.dumps(one) + "\n")
    archive("qdrant", directory)


def multivectors(directory: pathlib.Path) -> None:
    """A shard with a multivector and another vector of each point, and its points as scrolled."""
    edge: typing.Any = importlib.import_module("qdrant_edge")

    comparator = edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim)
    params = edge.EdgeVectorParams(size=DIM, distance=edge.Distance.Dot, multivector_config=comparator)
    other = edge.EdgeVectorParams(size=2, distance=edge.Distance.Dot)
    shard = edge.EdgeShard.create(str(directory), edge.EdgeConfig(vectors={"tokens": params, "other": other}))
    points = [
        edge.Point(n, {"tokens": VECTORS[n : n + 1 + n % 3].tolist(), "other": [1.0, 2.0]}, {"n": n})
        for n in range(COUNT // 2)
    ]
    shard.update(edge.UpdateOperation.upsert_points(points))
    shard.flush()
    found, _ = shard.scroll(edge.ScrollRequest(limit=COUNT, with_vector=True, with_payload=True))
    shard.close()
    with (HERE / "multivectors.jsonl").open("w", encoding="ascii") as file:
        for point in found:
            one = {"id": point.id, "vector": point.vector, "payload": dict(point.payload.items())}
            file.write(json.dumps(one) + "\n")
    archive("multivectors", directory)


def main() -> None:
    """Makes all of them anew."""
    HERE.mkdir(exist_ok=True)
    np.save(HERE / "vectors.npy", VECTORS)
    indexes()
    for make in (
        lambda path: chroma(path, "chroma-log", {}),
        lambda path: chroma(path, "chroma-index", {"hnsw:batch_size": 10, "hnsw:sync_threshold": 20}),
        lance,
        qdrant,
        multivectors,
    ):
        with tempfile.TemporaryDirectory() as directory:
            make(pathlib.Path(directory))


if __name__ == "__main__":
    main()
