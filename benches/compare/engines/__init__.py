"""The engines by name. `name:variant` picks a variant; the bare name is the first."""

from __future__ import annotations

from benches.compare.engines.base import Engine, InMemory, NotAvailableError, Store
from benches.compare.engines.bm25s import Bm25s
from benches.compare.engines.chroma import Chroma
from benches.compare.engines.faiss import Faiss
from benches.compare.engines.glass import Glass
from benches.compare.engines.hnswlib import Hnswlib
from benches.compare.engines.lancedb import LanceDb
from benches.compare.engines.numpy import Numpy
from benches.compare.engines.qdrant_edge import QdrantEdge
from benches.compare.engines.sqlite import Sqlite
from benches.compare.engines.sqlite_vec import SqliteVec
from benches.compare.engines.svs import Svs
from benches.compare.engines.symphonyqg import SymphonyQg
from benches.compare.engines.tantivy import Tantivy
from benches.compare.engines.usearch import Usearch
from benches.compare.engines.vecstore import VecStore
from benches.compare.engines.vsag import Vsag
from benches.compare.engines.zvec import Zvec

ENGINES: dict[str, type[Engine]] = {
    engine.name: engine
    for engine in (
        VecStore,
        SymphonyQg,
        Glass,
        Svs,
        Vsag,
        Faiss,
        Numpy,
        Usearch,
        Hnswlib,
        Sqlite,
        SqliteVec,
        QdrantEdge,
        Zvec,
        LanceDb,
        Chroma,
        Tantivy,
        Bm25s,
    )
}


def make(spec: str) -> Engine:
    """Makes the engine that `name` or `name:variant` names."""
    name, _, variant = spec.partition(":")
    if name not in ENGINES:
        raise NotAvailableError(f"no engine {name!r}: {', '.join(ENGINES)}")
    return ENGINES[name](variant or None)


def is_store(spec: str) -> bool:
    """Whether the engine keeps its rows on disk."""
    return issubclass(ENGINES[spec.partition(":")[0]], Store)


def built_spec(spec: str) -> str | None:
    """The engine and variant whose store or saved index this one opens; none if it has neither."""
    name, _, variant = spec.partition(":")
    engine = ENGINES[name]
    if not issubclass(engine, Store) and variant not in engine.indexed:
        return None
    built = engine.built_as.get(variant, variant)
    return f"{name}:{built}" if built else name


__all__ = ["ENGINES", "Engine", "InMemory", "NotAvailableError", "Store", "built_spec", "is_store", "make"]
