"""Records of other vector stores, read from their files, into a store or a collection.

>>> import vecstore.importers
>>> sorted(vecstore.importers.SOURCES)
['chroma', 'faiss', 'hnswlib', 'lancedb', 'pinecone', 'qdrant', 'usearch']

None of these stores has to run. Each function takes what to read and where to put it, writes batch by batch
(each atomic), shows progress, goes on from a checkpoint if one is given, and compares the number of rows with
what the source says of itself. What is not read is in docs/import-export.md.
"""

from __future__ import annotations

import os
import typing
from collections import abc

from vecstore._arguments import check_int, check_path, check_text
from vecstore._errors import InvalidInputError
from vecstore._exchange.rows import BATCH_SIZE, BATCH_SIZE_MAX, Source, pour
from vecstore._progress import Progress
from vecstore._values import ImportResult
from vecstore._vecstore import BaseCollection
from vecstore.importers._chroma import ChromaSource
from vecstore.importers._indexes import FaissSource, HnswlibSource, UsearchSource
from vecstore.importers._lancedb import LanceSource
from vecstore.importers._pinecone import PineconeSource
from vecstore.importers._qdrant import QdrantSource

__all__ = [
    "SOURCES",
    "import_chroma",
    "import_faiss",
    "import_from",
    "import_hnswlib",
    "import_lancedb",
    "import_pinecone",
    "import_qdrant",
    "import_usearch",
]

#: What can be read, by the name that ``vecstore import --from`` takes.
SOURCES: abc.Mapping[str, abc.Callable[..., Source]] = {
    "chroma": ChromaSource,
    "faiss": FaissSource,
    "hnswlib": HnswlibSource,
    "lancedb": LanceSource,
    "pinecone": PineconeSource,
    "qdrant": QdrantSource,
    "usearch": UsearchSource,
}

_Path = typing.Union[str, "os.PathLike[str]"]


def import_from(
    kind: str,
    path: _Path,
    store: BaseCollection,
    *,
    batch_size: int = BATCH_SIZE,
    checkpoint: _Path | None = None,
    progress: Progress = False,
    **options: typing.Any,
) -> ImportResult:
    """Upserts what is at ``path``, of the kind of store that is named.

    ``options`` are those of ``import_<kind>``.
    """
    if check_text("kind", kind) not in SOURCES:
        raise InvalidInputError(f"kind: expected one of {', '.join(SOURCES)}, got `{kind}`")
    check_path("path", path)
    if not isinstance(store, BaseCollection):
        raise TypeError(f"store: expected a store or collection, got {type(store).__name__}")
    check_int("batch_size", batch_size, 1, BATCH_SIZE_MAX)
    if checkpoint is not None:
        check_path("checkpoint", checkpoint)
    for name, value in options.items():
        if value is not None:
            (check_path if name == "records" else check_text)(name, value)
    source = SOURCES[kind](path, **options)
    return pour(store, source, batch_size=batch_size, checkpoint=checkpoint, progress=progress)


def import_chroma(
    path: _Path,
    store: BaseCollection,
    *,
    collection: str | None = None,
    batch_size: int = BATCH_SIZE,
    checkpoint: _Path | None = None,
    progress: Progress = False,
) -> ImportResult:
    """Upserts a collection of a directory of Chroma (``PersistentClient``).

    The directory is read without Chroma's package, and not written to. ``collection`` may be left out if
    there is one. Documents become texts. Needs numpy.
    """
    options = {"collection": collection}
    return import_from(
        "chroma", path, store, batch_size=batch_size, checkpoint=checkpoint, progress=progress, **options
    )


def import_qdrant(
    path: _Path,
    store: BaseCollection,
    *,
    vector: str | None = None,
    sparse: str | None = None,
    text: str | None = None,
    batch_size: int = BATCH_SIZE,
    checkpoint: _Path | None = None,
    progress: Progress = False,
) -> ImportResult:
    """Upserts points of Qdrant: of scrolled JSON, or of a snapshot or directory of a shard.

    A shard needs ``vecstore[qdrant]``. ``vector`` and ``sparse`` name the vectors to take, where a point has
    several; a multivector becomes a record of several vectors, as `upsert_multi` writes it. ``text`` names
    the field of the payload that becomes the text as well.
    """
    options = {"vector": vector, "sparse": sparse, "text": text}
    return import_from(
        "qdrant", path, store, batch_size=batch_size, checkpoint=checkpoint, progress=progress, **options
    )


def import_lancedb(
    path: _Path,
    store: BaseCollection,
    *,
    table: str | None = None,
    id: str = "id",
    vector: str = "vector",
    text: str = "text",
    batch_size: int = BATCH_SIZE,
    checkpoint: _Path | None = None,
    progress: Progress = False,
) -> ImportResult:
    """Upserts a table of a directory of LanceDB. Needs ``vecstore[lancedb]``.

    ``table`` may be left out if there is one. Without a column ``id`` the number of the row is the id.
    Columns that stand for nothing else are metadata.
    """
    options = {"table": table, "id": id, "vector": vector, "text": text}
    return import_from(
        "lancedb", path, store, batch_size=batch_size, checkpoint=checkpoint, progress=progress, **options
    )


def import_faiss(
    path: _Path,
    store: BaseCollection,
    *,
    records: _Path | None = None,
    batch_size: int = BATCH_SIZE,
    checkpoint: _Path | None = None,
    progress: Progress = False,
) -> ImportResult:
    """Upserts the vectors of an index file of FAISS. Needs ``vecstore[faiss]``.

    ``records`` is a file of JSON Lines that says what the index does not: ``{"key": 7, "id": "a",
    "metadata": {..}, "text": ".."}``, where the key is the id in an ``IndexIDMap``, else the number of
    the row (the number of the line if it is left out). Without it, the key is the id. Quantized vectors
    come as the index reconstructs them.
    """
    options = {"records": records}
    return import_from(
        "faiss", path, store, batch_size=batch_size, checkpoint=checkpoint, progress=progress, **options
    )


def import_hnswlib(
    path: _Path,
    store: BaseCollection,
    *,
    records: _Path | None = None,
    batch_size: int = BATCH_SIZE,
    checkpoint: _Path | None = None,
    progress: Progress = False,
) -> ImportResult:
    """Upserts the vectors of an index file of hnswlib, read without the package. Needs numpy.

    ``records`` is as in ``import_faiss``, with labels for keys. Deleted elements are left out. Of a
    cosine index the vectors have the length 1: hnswlib keeps no others.
    """
    options = {"records": records}
    return import_from(
        "hnswlib", path, store, batch_size=batch_size, checkpoint=checkpoint, progress=progress, **options
    )


def import_usearch(
    path: _Path,
    store: BaseCollection,
    *,
    records: _Path | None = None,
    batch_size: int = BATCH_SIZE,
    checkpoint: _Path | None = None,
    progress: Progress = False,
) -> ImportResult:
    """Upserts the vectors of an index file of USearch. Needs ``vecstore[usearch]``.

    ``records`` is as in ``import_faiss``. Vectors come in the precision that the index has.
    """
    options = {"records": records}
    return import_from(
        "usearch", path, store, batch_size=batch_size, checkpoint=checkpoint, progress=progress, **options
    )


def import_pinecone(
    path: _Path,
    store: BaseCollection,
    *,
    text: str | None = None,
    batch_size: int = BATCH_SIZE,
    checkpoint: _Path | None = None,
    progress: Progress = False,
) -> ImportResult:
    """Upserts vectors of Pinecone from JSON (an array, or ``{"vectors": [..]}``), JSON Lines, or Parquet.

    ``text`` names the field of the metadata that becomes the text as well. Parquet needs ``vecstore[arrow]``.
    """
    options = {"text": text}
    return import_from(
        "pinecone", path, store, batch_size=batch_size, checkpoint=checkpoint, progress=progress, **options
    )
