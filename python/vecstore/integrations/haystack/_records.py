"""Documents of Haystack as records, and back.

The content is the text of the record, the embedding its vector. A document without an embedding gets a
vector that stands in for it: no search by vectors returns it. The metadata of a record::

    {"id": id, "meta": the document's, "order": when it was written,
     "embedded": whether the vector is its own, "wordless": True without content,
     "blob", "score", "embedding": only if there are any}
"""

from __future__ import annotations

import typing
import zlib
from collections import abc

import numpy as np
from haystack import Document
from haystack.dataclasses import ByteStream, SparseEmbedding

from vecstore._errors import DimensionMismatchError
from vecstore._vecstore import Record

__all__ = ["EMBEDDED", "META", "ORDER", "WORDLESS", "Row", "check_dim", "document", "row", "stand_ins"]

META = "meta"
ORDER = "order"
EMBEDDED = "embedded"
WORDLESS = "wordless"
_EXACT = "embedding"


class Row(typing.NamedTuple):
    """A record to be, without its vector where there is none."""

    id: str
    vector: typing.Any
    metadata: dict[str, typing.Any]
    text: str | None
    sparse: dict[int, float] | None


def row(document: Document, order: int, exact: bool) -> Row:
    """A document as a record. With ``exact`` an embedding is kept in full where 32 bits do not hold it."""
    metadata: dict[str, typing.Any] = {
        "id": document.id,
        META: document.meta,
        ORDER: order,
        EMBEDDED: document.embedding is not None,
    }
    if document.content is None:
        metadata[WORDLESS] = True
    if document.score is not None:
        metadata["score"] = float(document.score)
    if (blob := document.blob) is not None:
        metadata["blob"] = {"data": blob.data, "meta": blob.meta, "mime_type": blob.mime_type}
    vector = None
    if document.embedding is not None:
        given = np.asarray(document.embedding, dtype=np.float64)
        vector = given.astype(np.float32)
        if exact and not np.array_equal(vector, given):
            metadata[_EXACT] = given.tobytes()
    sparse = document.sparse_embedding
    weights = None if sparse is None else dict(zip(sparse.indices, sparse.values))
    return Row(document.id, vector, metadata, document.content, weights)


def stand_ins(ids: abc.Iterable[str], dim: int) -> list[typing.Any]:
    """Vectors for documents without: the same for the same id, and nowhere near each other."""
    seeds = (zlib.crc32(one.encode()) for one in ids)
    return [np.random.default_rng(seed).standard_normal(dim, dtype=np.float32) for seed in seeds]


def check_dim(row: Row, dim: int) -> None:
    """Says which document has an embedding of another length."""
    if row.vector is not None and len(row.vector) != dim:
        raise DimensionMismatchError(
            f"document `{row.id}`: expected an embedding of {dim} numbers, got {len(row.vector)}"
        )


def document(record: Record, *, score: float | None = None, with_embedding: bool = True) -> Document:
    """The document that a record was made of, with the score of a search if there is one."""
    metadata = record.metadata
    embedding = None
    if with_embedding and metadata[EMBEDDED]:
        exact = metadata.get(_EXACT)
        embedding = record.vector if exact is None else np.frombuffer(exact, dtype=np.float64).tolist()
    blob, sparse = metadata.get("blob"), record.sparse
    return Document(
        id=record.id,
        content=record.text,
        meta=metadata[META],
        score=metadata.get("score") if score is None else score,
        embedding=embedding,
        blob=None if blob is None else ByteStream(**blob),
        sparse_embedding=None if sparse is None else SparseEmbedding(list(sparse), list(sparse.values())),
    )
