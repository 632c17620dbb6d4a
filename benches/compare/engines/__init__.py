"""The engines by name. `name:variant` picks a variant; the bare name is the first."""

from __future__ import annotations

from .base import Engine, NotAvailableError
from .chroma import Chroma
from .faiss import Faiss
from .hnswlib import Hnswlib
from .lancedb import LanceDb
from .numpy import Numpy
from .qdrant_edge import QdrantEdge
from .sqlite import Sqlite
from .sqlite_vec import SqliteVec
from .usearch import Usearch
from .vecstore import VecStore
from .zvec import Zvec

ENGINES: dict[str, type[Engine]] = {
    engine.name: engine
    for engine in (
        VecStore,
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
    )
}


def make(spec: str) -> Engine:
    """Makes the engine that `name` or `name:variant` names."""
    name, _, variant = spec.partition(":")
    if name not in ENGINES:
        raise NotAvailableError(f"no engine {name!r}: {', '.join(ENGINES)}")
    return ENGINES[name](variant or None)


__all__ = ["ENGINES", "Engine", "NotAvailableError", "make"]
