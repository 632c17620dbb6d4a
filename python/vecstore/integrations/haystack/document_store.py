"""The document store."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
import typing
from collections import abc

from haystack import Document, default_from_dict, default_to_dict
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy
from haystack.utils.filters import document_matches_filter

from vecstore._errors import ClosedError, InvalidInputError
from vecstore._values import BatchOperation, CollectionConfig
from vecstore._vecstore import Collection, Neighbor, Record
from vecstore.integrations._predicates import Predicate, all_of, any_of
from vecstore.integrations._sharing import SharedDatabase, shared
from vecstore.integrations.haystack._filters import NeedsDocumentsError, predicate
from vecstore.integrations.haystack._metadata import MetadataFields
from vecstore.integrations.haystack._records import (
    EMBEDDED,
    META,
    ORDER,
    Row,
    check_dim,
    document,
    row,
    stand_ins,
)

__all__ = ["VecStoreDocumentStore"]

Filters = typing.Optional[dict[str, typing.Any]]

#: Where the documents are, as in a `VecStore`; and where they are as long as no embedding told the dimension.
_MAIN, _BEFORE = "default", "before-the-first-embedding"
#: Threads that use a store in memory for the first time must not open two.
_first_use = threading.Lock()
#: Records read at once, and the longest list in a filter.
_PAGE, _LIST = 1_000, 65_536
#: How far scores are squeezed into 0 to 1, as Haystack's store in memory does it.
_BM25_SCALE, _DOT_SCALE = 8.0, 100.0
#: Documents of each arm that a fusion looks at, at least, and the constant of reciprocal ranks.
_CANDIDATES, _RRF_K = 100, 60.0


class VecStoreDocumentStore(MetadataFields):
    """Documents in a vecstore, on disk or in memory.

    Document stores of one process may share a path, as they do in a pipeline that is loaded from a file: they
    use one open database. What one writes the others find. Documents come in the order they were written.

    Parameters
    ----------
    path : path
        A directory, made if it is not there; or ``:memory:``. It is opened at the first use.
    embedding_dim : int, optional
        The length of embeddings; by default that of the first one written.
    metric : str
        ``cosine``, ``dot``, ``euclidean`` or another of vecstore's.
    analyzer : str
        How BM25 makes words of contents: ``standard``, ``english`` and others. Kept from the first use on.
    exact_embeddings : bool
        Embeddings are searched with 32 bits a number. Those that 32 bits do not hold exactly are kept in full
        beside them, so that documents come back equal; False saves the 8 bytes a number.
    durability : str
        As in ``VecStore``.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] = ":memory:",
        embedding_dim: int | None = None,
        metric: str = "cosine",
        *,
        analyzer: str = "standard",
        exact_embeddings: bool = True,
        durability: typing.Literal["commit", "interval", "none"] = "commit",
    ) -> None:
        self.path = os.fspath(path)
        self.embedding_dim = embedding_dim
        self.metric = metric
        self.analyzer = analyzer
        self.exact_embeddings = exact_embeddings
        self.durability = durability
        self._shared: SharedDatabase | None = None
        self._closed = False

    # Opening and closing

    @property
    def _database(self) -> SharedDatabase:
        if self._closed:
            raise ClosedError(f"the document store at `{self.path}` is closed")
        with _first_use:
            if self._shared is None:
                opened = shared(self.path, self.durability)
                with opened.lock:
                    self._prepare(opened)
                self._shared = opened
            return self._shared

    def _prepare(self, opened: SharedDatabase) -> None:
        database = opened.database
        main = database.get_collection(_MAIN)
        if main is None:
            if self.embedding_dim is not None:
                self._begin(opened, self.embedding_dim, [])
            return
        if main.distance_metric != CollectionConfig(metric=self.metric).metric:
            raise InvalidInputError(
                f"metric: the documents at `{self.path}` have {main.distance_metric}, got {self.metric}"
            )
        if self.embedding_dim not in (None, main.dimension()):
            raise InvalidInputError(
                f"embedding_dim: the documents at `{self.path}` have {main.dimension()}, "
                f"got {self.embedding_dim}"
            )
        # A stop between the two steps of `_begin` left it; its documents are in the main collection.
        database.delete_collection(_BEFORE)

    def _begin(self, opened: SharedDatabase, dim: int, rows: list[Row]) -> None:
        """Makes the main collection, now that the dimension is known, of what was there and new rows."""
        database = opened.database
        before = database.get_collection(_BEFORE)
        config = CollectionConfig(dim=dim, metric=self.metric, analyzer=self.analyzer)
        main = database.create_collection(_MAIN, config)
        try:
            old = [] if before is None else [_row_again(record) for record in _records(before)]
            _upsert(main, [*old, *rows], dim)
        except BaseException:
            database.delete_collection(_MAIN)
            raise
        # A crash before this line loses nothing: `_prepare` removes what is in both.
        database.delete_collection(_BEFORE)

    def _collection(self) -> Collection | None:
        """Where the documents are; None if there never was one."""
        database = self._database.database
        return database.get_collection(_MAIN) or database.get_collection(_BEFORE)

    def close(self) -> None:
        """Closes the store. The database closes with the last store of this process that has it."""
        self._shared = None
        self._closed = True

    def to_dict(self) -> dict[str, typing.Any]:
        """The store as Haystack serializes it: how it is opened, not what is in it."""
        return default_to_dict(
            self,
            path=self.path,
            embedding_dim=self.embedding_dim,
            metric=self.metric,
            analyzer=self.analyzer,
            exact_embeddings=self.exact_embeddings,
            durability=self.durability,
        )

    @classmethod
    def from_dict(cls, data: dict[str, typing.Any]) -> VecStoreDocumentStore:
        """The store that `to_dict` told of."""
        return default_from_dict(cls, data)

    # Writing

    def write_documents(
        self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE
    ) -> int:
        """Writes documents, all or none of them, and returns how many were written.

        ``NONE`` is as ``FAIL``: a document whose id is there already raises ``DuplicateDocumentError``. With
        ``OVERWRITE`` the new one takes the place of the old one.
        """
        documents = _checked(documents)
        if not documents:
            return 0
        opened = self._database
        with opened.lock:
            kept = self._without_duplicates(documents, policy)
            if not kept:
                return 0
            self._write(opened, [row(given, order, self.exact_embeddings) for given, order in kept])
        return len(documents) if policy == DuplicatePolicy.OVERWRITE else len(kept)

    def _without_duplicates(
        self, documents: list[Document], policy: DuplicatePolicy
    ) -> list[tuple[Document, int]]:
        """The documents to write with their places in the order of all."""
        collection = self._collection()
        ids = [given.id for given in documents]
        there = [None] * len(ids) if collection is None else collection.get_many(ids)
        places = {record.id: record.metadata[ORDER] for record in there if record is not None}
        old = set(places)
        wanted: dict[str, Document] = {}
        now = time.time_ns()
        for at, given in enumerate(documents):
            if given.id in old or given.id in wanted:
                if policy == DuplicatePolicy.SKIP:
                    continue
                if policy != DuplicatePolicy.OVERWRITE:
                    raise DuplicateDocumentError(f"a document has the id `{given.id}` already")
            wanted[given.id] = given
            places.setdefault(given.id, now + at)
        return [(given, places[given.id]) for given in wanted.values()]

    def _write(self, opened: SharedDatabase, rows: list[Row]) -> None:
        main = opened.database.get_collection(_MAIN)
        first = next((row for row in rows if row.vector is not None), None)
        if main is not None:
            _upsert(main, rows, typing.cast(int, main.dimension()))
        elif first is not None:
            self._begin(opened, len(first.vector), rows)
        else:
            # Manhattan has no graph, which vectors that are all alike would be no good for.
            config = CollectionConfig(dim=1, metric="manhattan", analyzer=self.analyzer)
            _upsert(opened.database.get_or_create_collection(_BEFORE, config), rows, 1)

    def delete_documents(self, document_ids: list[str]) -> None:
        """Deletes documents by id. Ids that are not there are no error."""
        collection = self._collection()
        if collection is not None:
            collection.delete_many(document_ids)

    def delete_all_documents(self, recreate_collection: bool = False) -> None:
        """Deletes all documents. With ``recreate_collection`` the next embedding may have another length."""
        opened = self._database
        with opened.lock:
            collection = self._collection()
            if collection is None:
                return
            if not recreate_collection:
                collection.delete_where({})
                return
            opened.database.delete_collection(_MAIN)
            opened.database.delete_collection(_BEFORE)
            if self.embedding_dim is not None:
                self._begin(opened, self.embedding_dim, [])

    def delete_by_filter(self, filters: dict[str, typing.Any]) -> int:
        """Deletes the documents that match and returns how many there were."""
        collection, wanted = self._wanted(filters)
        return 0 if collection is None else collection.delete_where(wanted)

    def update_by_filter(self, filters: dict[str, typing.Any], meta: dict[str, typing.Any]) -> int:
        """Merges ``meta`` into that of the documents that match, all or none; returns how many there were."""
        with self._database.lock:
            collection, wanted = self._wanted(filters)
            if collection is None:
                return 0
            changes = [
                BatchOperation.update_metadata(
                    record.id, {**record.metadata, META: {**record.metadata[META], **meta}}
                )
                for record in _records(collection, wanted)
            ]
            if changes:
                result = collection.batch_execute(changes)
                return result.succeeded
            return 0

    # Reading

    def count_documents(self) -> int:
        """How many documents there are."""
        collection = self._collection()
        return 0 if collection is None else len(collection)

    def count_documents_by_filter(self, filters: dict[str, typing.Any]) -> int:
        """How many documents match."""
        collection, wanted = self._wanted(filters)
        return 0 if collection is None else collection.count(wanted)

    def filter_documents(self, filters: Filters = None) -> list[Document]:
        """The documents that match, or all, in the order they were written."""
        collection, wanted = self._wanted(filters)
        return [] if collection is None else [document(record) for record in _in_order(collection, wanted)]

    def _metas(self, filters: Filters) -> abc.Iterator[dict[str, typing.Any]]:
        collection, wanted = self._wanted(filters)
        if collection is not None:
            for record in _in_order(collection, wanted, with_vectors=False):
                yield record.metadata[META]

    def _wanted(self, filters: Filters) -> tuple[Collection | None, Predicate]:
        """Where the documents are, and the filter as one of vecstore."""
        try:
            wanted = predicate(filters) if filters else {}
        except NeedsDocumentsError:
            collection = self._collection()
            if collection is None:
                return None, {}
            # Haystack reads the documents itself; what is searched are those that it found.
            ids = [
                record.id
                for record in _records(collection)
                if document_matches_filter(typing.cast(dict[str, typing.Any], filters), document(record))
            ]
            pages = (ids[start : start + _LIST] for start in range(0, len(ids), _LIST))
            return collection, any_of({"id": {"$in": page}} for page in pages)
        return self._collection(), wanted

    # Searching

    def embedding_retrieval(
        self,
        query_embedding: abc.Sequence[float],
        filters: Filters = None,
        top_k: int = 10,
        scale_score: bool = False,
        return_embedding: bool = False,
    ) -> list[Document]:
        """The documents whose embeddings are nearest. Scores are the metric's, larger for nearer.

        With ``scale_score`` they are from 0 to 1: (1 + cosine) / 2, or the logistic function of dot / 100.
        """
        if len(query_embedding) == 0:
            raise ValueError("query_embedding: expected at least one number, got none")
        collection, wanted = self._wanted(filters)
        if collection is None or top_k == 0 or collection.name() == _BEFORE:
            return []
        found = collection.query(query_embedding, top_k, _embedded(collection, wanted), include=())
        scale = (
            _similarity if self.metric == "cosine" else _dot if collection.distance_metric == "dot" else None
        )
        return _documents(collection, found, scale if scale_score else None, return_embedding)

    def bm25_retrieval(
        self, query: str, filters: Filters = None, top_k: int = 10, scale_score: bool = False
    ) -> list[Document]:
        """The documents whose contents have the words of a query, by BM25.

        Words may be put as in ``VecStore.text_query``: ``+must``, ``-must not``, ``"a phrase"``, ``prefix*``.
        With ``scale_score`` scores are from 0 to 1: the logistic function of BM25 / 8.
        """
        if not query:
            raise ValueError("query: expected a non-empty str")
        collection, wanted = self._wanted(filters)
        if collection is None or top_k == 0:
            return []
        found = collection.text_query(query, top_k, wanted, include=())
        return _documents(collection, found, _bm25 if scale_score else None)

    def hybrid_retrieval(
        self,
        query: str,
        query_embedding: abc.Sequence[float],
        filters: Filters = None,
        top_k: int = 10,
        alpha: float = 0.7,
        return_embedding: bool = False,
    ) -> list[Document]:
        """The documents that are best by embedding and by words: reciprocal ranks, fused with weights.

        ``alpha`` is the weight of the embedding, 0 to 1; that of the words is the rest. Documents without an
        embedding are found by their words.
        """
        if not query:
            raise ValueError("query: expected a non-empty str")
        collection, wanted = self._wanted(filters)
        if collection is None or top_k == 0:
            return []
        found: list[Neighbor]
        if collection.name() == _MAIN and collection.count({EMBEDDED: False}) == 0:
            found = collection.hybrid_query(query_embedding, query, top_k, alpha, wanted, include=())
        else:
            found = self._fused(collection, query, query_embedding, wanted, top_k, alpha)
        return _documents(collection, found, None, return_embedding)

    def _fused(
        self,
        collection: Collection,
        query: str,
        query_embedding: abc.Sequence[float],
        wanted: Predicate,
        top_k: int,
        alpha: float,
    ) -> list[Neighbor]:
        """As ``hybrid_query``, where vectors that stand in must not take part."""
        from vecstore.rag import reciprocal_rank_fusion

        if not 0 <= alpha <= 1:
            raise InvalidInputError(f"alpha: expected a number from 0 to 1, got {alpha!r}")
        k = max(top_k, _CANDIDATES)
        near: list[Neighbor] = []
        if alpha > 0 and collection.name() == _MAIN:
            near = collection.query(query_embedding, k, _embedded(collection, wanted), include=())
        worded = collection.text_query(query, k, wanted, include=()) if alpha < 1 else []
        return reciprocal_rank_fusion([near, worded], _RRF_K, weights=[alpha, 1 - alpha])[:top_k]

    # On an event loop

    async def write_documents_async(
        self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE
    ) -> int:
        """As `write_documents`."""
        return await asyncio.to_thread(self.write_documents, documents, policy)

    async def delete_documents_async(self, document_ids: list[str]) -> None:
        """As `delete_documents`."""
        await asyncio.to_thread(self.delete_documents, document_ids)

    async def delete_all_documents_async(self, recreate_collection: bool = False) -> None:
        """As `delete_all_documents`."""
        await asyncio.to_thread(self.delete_all_documents, recreate_collection)

    async def delete_by_filter_async(self, filters: dict[str, typing.Any]) -> int:
        """As `delete_by_filter`."""
        return await asyncio.to_thread(self.delete_by_filter, filters)

    async def update_by_filter_async(
        self, filters: dict[str, typing.Any], meta: dict[str, typing.Any]
    ) -> int:
        """As `update_by_filter`."""
        return await asyncio.to_thread(self.update_by_filter, filters, meta)

    async def count_documents_async(self) -> int:
        """As `count_documents`."""
        return await asyncio.to_thread(self.count_documents)

    async def count_documents_by_filter_async(self, filters: dict[str, typing.Any]) -> int:
        """As `count_documents_by_filter`."""
        return await asyncio.to_thread(self.count_documents_by_filter, filters)

    async def filter_documents_async(self, filters: Filters = None) -> list[Document]:
        """As `filter_documents`."""
        return await asyncio.to_thread(self.filter_documents, filters)

    async def embedding_retrieval_async(
        self,
        query_embedding: abc.Sequence[float],
        filters: Filters = None,
        top_k: int = 10,
        scale_score: bool = False,
        return_embedding: bool = False,
    ) -> list[Document]:
        """As `embedding_retrieval`."""
        return await asyncio.to_thread(
            self.embedding_retrieval, query_embedding, filters, top_k, scale_score, return_embedding
        )

    async def bm25_retrieval_async(
        self, query: str, filters: Filters = None, top_k: int = 10, scale_score: bool = False
    ) -> list[Document]:
        """As `bm25_retrieval`."""
        return await asyncio.to_thread(self.bm25_retrieval, query, filters, top_k, scale_score)

    async def hybrid_retrieval_async(
        self,
        query: str,
        query_embedding: abc.Sequence[float],
        filters: Filters = None,
        top_k: int = 10,
        alpha: float = 0.7,
        return_embedding: bool = False,
    ) -> list[Document]:
        """As `hybrid_retrieval`."""
        return await asyncio.to_thread(
            self.hybrid_retrieval, query, query_embedding, filters, top_k, alpha, return_embedding
        )

    def __repr__(self) -> str:
        options = f"embedding_dim={self.embedding_dim}, metric={self.metric!r}"
        return f"VecStoreDocumentStore({self.path!r}, {options})"


def _checked(documents: typing.Any) -> list[Document]:
    if isinstance(documents, (str, bytes)) or not isinstance(documents, abc.Iterable):
        raise ValueError(f"documents: expected a list of Documents, got {type(documents).__name__}")
    checked: list[Document] = list(documents)
    for at, given in enumerate(checked):
        if not isinstance(given, Document):
            raise ValueError(f"documents[{at}]: expected a Document, got {type(given).__name__}")
    return checked


def _upsert(collection: Collection, rows: list[Row], dim: int) -> None:
    if not rows:
        return
    for given in rows:
        check_dim(given, dim)
    missing = [given.id for given in rows if given.vector is None]
    own = dict(zip(missing, stand_ins(missing, dim)))
    ids, vectors, metadatas, texts, sparse = zip(*rows)
    collection.upsert_many(
        ids,
        [own[one] if vector is None else vector for one, vector in zip(ids, vectors)],
        metadatas,
        texts=texts,
        sparse=sparse,
    )


def _row_again(record: Record) -> Row:
    return Row(record.id, None, record.metadata, record.text, record.sparse)


def _records(
    collection: Collection, wanted: Predicate | None = None, *, with_vectors: bool = True
) -> abc.Iterator[Record]:
    cursor = None
    while True:
        page, cursor = collection.scroll(wanted, limit=_PAGE, cursor=cursor, with_vectors=with_vectors)
        yield from page
        if cursor is None:
            return


def _in_order(collection: Collection, wanted: Predicate, *, with_vectors: bool = True) -> list[Record]:
    records = _records(collection, wanted, with_vectors=with_vectors)
    return sorted(records, key=lambda record: record.metadata[ORDER])


def _embedded(collection: Collection, wanted: Predicate) -> Predicate:
    """The filter, for a search by vectors: those that stand in are left out."""
    own: Predicate = {EMBEDDED: True}
    if collection.count({EMBEDDED: False}) == 0:
        return wanted
    return all_of([own, wanted]) if wanted else own


def _documents(
    collection: Collection,
    found: list[Neighbor],
    scale: abc.Callable[[float], float] | None,
    with_embedding: bool = False,
) -> list[Document]:
    records = collection.get_many([neighbor.id for neighbor in found])
    return [
        document(
            record,
            score=neighbor.score if scale is None else scale(neighbor.score),
            with_embedding=with_embedding,
        )
        for record, neighbor in zip(records, found)
        if record is not None
    ]


def _similarity(score: float) -> float:
    return (1.0 + score) / 2.0


def _dot(score: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * score / _DOT_SCALE))


def _bm25(score: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * score / _BM25_SCALE))
