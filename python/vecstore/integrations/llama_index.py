"""A LlamaIndex vector store over vecstore. Needs ``vecstore[llama-index]``.

>>> from llama_index.core.schema import TextNode
>>> from llama_index.core.vector_stores.types import VectorStoreQuery
>>> from vecstore.integrations.llama_index import VecStoreVectorStore
>>> notes = VecStoreVectorStore()
>>> notes.add([TextNode(id_="fig", text="a fig", embedding=[1.0, 0.0], metadata={"kind": "fruit"}),
...            TextNode(id_="leek", text="a leek", embedding=[0.0, 1.0], metadata={"kind": "vegetable"})])
['fig', 'leek']
>>> found = notes.query(VectorStoreQuery(query_embedding=[0.1, 0.9], similarity_top_k=1))
>>> found.ids, found.nodes[0].text
(['leek'], 'a leek')
"""

from __future__ import annotations

import asyncio
import os
import typing
from collections import abc

from vecstore._errors import InvalidInputError
from vecstore._vecstore import BaseCollection, Neighbor, Record, VecStore
from vecstore.integrations._opening import missing, no_more, opened
from vecstore.integrations._predicates import Predicate, all_of, is_one_of

try:
    from llama_index.core.bridge.pydantic import PrivateAttr
    from llama_index.core.schema import BaseNode, MetadataMode
    from llama_index.core.vector_stores.types import (
        BasePydanticVectorStore,
        MetadataFilters,
        VectorStoreQuery,
        VectorStoreQueryMode,
        VectorStoreQueryResult,
    )
except ImportError as error:
    raise missing("llama_index", "llama-index-core", "llama-index") from error

from vecstore.integrations._llama_index_filters import predicate
from vecstore.integrations._llama_index_nodes import NODE_ID, REF_DOC_ID, metadata_of, node_of

__all__ = ["VecStoreVectorStore"]

_Include = tuple[typing.Literal["metadata", "vector", "text"], ...]

#: Records read at once.
_PAGE = 1_000
#: Of how many times as many the k nodes that differ are chosen, as LlamaIndex's own store does it.
_MMR_PREFETCH_FACTOR = 4.0


class VecStoreVectorStore(BasePydanticVectorStore):
    """Nodes in a vecstore: ids are those of records, the content is the text, metadata the metadata.

    All filter operators and nested conditions work in all modes: ``default`` by vector, ``sparse`` and
    ``text_search`` by words (BM25), ``hybrid`` and ``semantic_hybrid`` by both, ``mmr`` by vector for nodes
    that differ. ``alpha`` of a hybrid query is the weight of the vector, 0.7 if it is not given.

    Parameters
    ----------
    store : VecStore or Collection, optional
        Where the nodes are; else one is opened at ``path``.
    path : path, optional
        A directory, or ``:memory:``.
    **options
        For ``VecStore``, such as ``metric``.
    """

    stores_text: bool = True
    is_embedding_query: bool = True
    flat_metadata: bool = False
    path: str = ":memory:"

    _store: BaseCollection = PrivateAttr()

    def __init__(
        self,
        store: BaseCollection | None = None,
        path: str | os.PathLike[str] = ":memory:",
        **options: typing.Any,
    ) -> None:
        opened_store = opened(store, path, options)
        super().__init__(path=os.fspath(path))  # type: ignore[call-arg]
        self._store = opened_store

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex knows the class by."""
        return "VecStoreVectorStore"

    @property
    def client(self) -> BaseCollection:
        """The store or collection that the nodes are in."""
        return self._store

    def close(self) -> None:
        """Closes the store, with all that was acknowledged on disk. A collection is left to its database."""
        if isinstance(self._store, VecStore):
            self._store.close()

    def persist(self, persist_path: str = "", fs: typing.Any = None) -> None:
        """Waits until everything is on disk, where the store is. Another place is what ``backup`` is for."""
        if fs is not None:
            raise InvalidInputError("fs: a store is kept by the file system of the machine only")
        del persist_path  # LlamaIndex passes where its own store would write a file.
        self._store.save()

    # Writing

    def add(self, nodes: abc.Sequence[BaseNode], **kwargs: typing.Any) -> list[str]:
        """Adds or replaces nodes, which have embeddings, all or none of them; returns their ids."""
        no_more(kwargs)
        ids = [node.node_id for node in nodes]
        if ids:
            self._store.upsert_many(
                ids,
                [node.get_embedding() for node in nodes],
                [metadata_of(node) for node in nodes],
                texts=[node.get_content(MetadataMode.NONE) for node in nodes],
            )
        return ids

    async def async_add(self, nodes: abc.Sequence[BaseNode], **kwargs: typing.Any) -> list[str]:
        """As `add`."""
        return await asyncio.to_thread(self.add, nodes, **kwargs)

    def delete(self, ref_doc_id: str, **delete_kwargs: typing.Any) -> None:
        """Deletes the nodes that were made of a document."""
        no_more(delete_kwargs)
        self._store.delete_where(is_one_of(REF_DOC_ID, [ref_doc_id]))

    async def adelete(self, ref_doc_id: str, **delete_kwargs: typing.Any) -> None:
        """As `delete`."""
        await asyncio.to_thread(self.delete, ref_doc_id, **delete_kwargs)

    def delete_nodes(
        self,
        node_ids: list[str] | None = None,
        filters: MetadataFilters | None = None,
        **delete_kwargs: typing.Any,
    ) -> None:
        """Deletes nodes by id, or those that match, or those of the ids that match; without both none."""
        no_more(delete_kwargs)
        if node_ids is not None or filters is not None:
            self._store.delete_where(_restricted(node_ids, None, filters))

    async def adelete_nodes(
        self,
        node_ids: list[str] | None = None,
        filters: MetadataFilters | None = None,
        **delete_kwargs: typing.Any,
    ) -> None:
        """As `delete_nodes`."""
        await asyncio.to_thread(self.delete_nodes, node_ids, filters, **delete_kwargs)

    def clear(self) -> None:
        """Deletes all nodes."""
        self._store.delete_where({})

    async def aclear(self) -> None:
        """As `clear`."""
        await asyncio.to_thread(self.clear)

    # Reading

    def get_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        """The nodes with these ids, in their order, or those that match, in order of id; without both all.

        They have no embeddings, as those of searches.
        """
        if node_ids is not None and filters is None:
            return [_node(record) for record in self._store.get_many(node_ids) if record is not None]
        wanted = _restricted(node_ids, None, filters)
        nodes: list[BaseNode] = []
        cursor = None
        while True:
            page, cursor = self._store.scroll(wanted, limit=_PAGE, cursor=cursor)
            nodes.extend(_node(record) for record in page)
            if cursor is None:
                return nodes

    async def aget_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        """As `get_nodes`."""
        return await asyncio.to_thread(self.get_nodes, node_ids, filters)

    def query(self, query: VectorStoreQuery, **kwargs: typing.Any) -> VectorStoreQueryResult:
        """The nodes that are best for a query, with their scores: larger is better.

        Keyword arguments go to the search of vecstore: ``recall``, ``exact``, ``min_score`` and the like. Of
        mode ``mmr`` they are ``mmr_threshold``, from 0, where only difference counts, to 1, where only
        relevance does (0.5), and ``mmr_prefetch_k`` or ``mmr_prefetch_factor``, of how many nodes to choose.
        """
        found = self._found(query, kwargs)
        return VectorStoreQueryResult(
            nodes=[_node(neighbor) for neighbor in found],
            similarities=[neighbor.score for neighbor in found],
            ids=[neighbor.id for neighbor in found],
        )

    async def aquery(self, query: VectorStoreQuery, **kwargs: typing.Any) -> VectorStoreQueryResult:
        """As `query`."""
        return await asyncio.to_thread(self.query, query, **kwargs)

    def _found(self, query: VectorStoreQuery, options: dict[str, typing.Any]) -> list[Neighbor]:
        mode = VectorStoreQueryMode(query.mode)
        # LlamaIndex gives an empty list where it restricts nothing.
        wanted = _restricted(query.node_ids or None, query.doc_ids or None, query.filters)
        k = query.similarity_top_k
        include: _Include = ("metadata", "text")
        if mode == VectorStoreQueryMode.DEFAULT:
            return self._store.query(_vector(query), k, wanted, include=include, **options)
        if mode in (VectorStoreQueryMode.SPARSE, VectorStoreQueryMode.TEXT_SEARCH):
            k = query.sparse_top_k or k
            return self._store.text_query(_words(query), k, wanted, include=include, **options)
        if mode in (VectorStoreQueryMode.HYBRID, VectorStoreQueryMode.SEMANTIC_HYBRID):
            k = query.hybrid_top_k or k
            if query.alpha is not None:
                options = {"alpha": query.alpha, **options}
            return self._store.hybrid_query(
                _vector(query), _words(query), k, filter=wanted, include=include, **options
            )
        if mode == VectorStoreQueryMode.MMR:
            return self._unlike(query, wanted, options)
        raise InvalidInputError(
            "mode: expected default, sparse, text_search, hybrid, semantic_hybrid or mmr, "
            f"got {mode.value}, which needs a model that is fitted to each query"
        )

    def _unlike(
        self, query: VectorStoreQuery, wanted: Predicate, options: dict[str, typing.Any]
    ) -> list[Neighbor]:
        from vecstore.rag import MMRReranker

        options = dict(options)
        threshold = options.pop("mmr_threshold", query.mmr_threshold)
        fetch, factor = options.pop("mmr_prefetch_k", None), options.pop("mmr_prefetch_factor", None)
        if fetch is not None and factor is not None:
            raise InvalidInputError("expected mmr_prefetch_k or mmr_prefetch_factor, got both")
        k, vector = query.similarity_top_k, _vector(query)
        if fetch is None:
            fetch = int(k * (_MMR_PREFETCH_FACTOR if factor is None else factor))
        rerank = MMRReranker(0.5 if threshold is None else threshold).rerank
        include: _Include = ("metadata", "text", "vector")
        near = self._store.query(vector, max(k, fetch), wanted, include=include, **options)
        return rerank("", near, k, query_vector=vector)

    def __repr__(self) -> str:
        return f"VecStoreVectorStore({self._store!r})"


def _vector(query: VectorStoreQuery) -> list[float]:
    if query.query_embedding is None:
        raise InvalidInputError(f"query_embedding: mode {query.mode.value} needs one, got None")
    return query.query_embedding


def _words(query: VectorStoreQuery) -> str:
    if query.query_str is None:
        raise InvalidInputError(f"query_str: mode {query.mode.value} needs one, got None")
    return query.query_str


def _restricted(
    node_ids: abc.Sequence[str] | None, doc_ids: abc.Sequence[str] | None, filters: MetadataFilters | None
) -> Predicate:
    parts = [
        *([is_one_of(NODE_ID, node_ids)] if node_ids is not None else []),
        *([is_one_of(REF_DOC_ID, doc_ids)] if doc_ids is not None else []),
        *([predicate(filters)] if filters is not None else []),
    ]
    return all_of(parts) if parts else {}


def _node(found: Neighbor | Record) -> BaseNode:
    return node_of(found.metadata, found.text)
