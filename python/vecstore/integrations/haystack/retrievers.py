"""The components that search a document store."""

from __future__ import annotations

import typing

from haystack import Document, component, default_from_dict, default_to_dict
from haystack.document_stores.types import FilterPolicy, apply_filter_policy

from vecstore.integrations.haystack.document_store import VecStoreDocumentStore

__all__ = ["VecStoreBM25Retriever", "VecStoreEmbeddingRetriever", "VecStoreHybridRetriever"]


class _Retriever:
    """What the retrievers have in common: their store, filters and ``top_k``."""

    document_store: VecStoreDocumentStore
    filters: dict[str, typing.Any] | None
    top_k: int
    filter_policy: FilterPolicy

    def _take(self, document_store: typing.Any, filters: typing.Any, top_k: int, policy: typing.Any) -> None:
        if not isinstance(document_store, VecStoreDocumentStore):
            name = type(document_store).__name__
            raise TypeError(f"document_store: expected a VecStoreDocumentStore, got {name}")
        if top_k <= 0:
            raise ValueError(f"top_k: expected at least 1, got {top_k}")
        self.document_store = document_store
        self.filters = filters
        self.top_k = top_k
        self.filter_policy = policy if isinstance(policy, FilterPolicy) else FilterPolicy.from_str(policy)

    def _restricted(self, filters: typing.Any, top_k: int | None) -> dict[str, typing.Any]:
        k = self.top_k if top_k is None else top_k
        if k < 0:
            raise ValueError(f"top_k: expected at least 0, got {k}")
        return {"filters": apply_filter_policy(self.filter_policy, self.filters, filters), "top_k": k}

    def _serialized(self, **own: typing.Any) -> dict[str, typing.Any]:
        return default_to_dict(
            self,
            document_store=self.document_store,
            filters=self.filters,
            top_k=self.top_k,
            filter_policy=self.filter_policy.value,
            **own,
        )


@component
class VecStoreEmbeddingRetriever(_Retriever):
    """Finds the documents whose embeddings are nearest to that of a query.

    Parameters
    ----------
    document_store : VecStoreDocumentStore
        Where the documents are.
    filters : dict, optional
        Restrict every search.
    top_k : int
        The most documents.
    scale_score, return_embedding : bool
        As in ``VecStoreDocumentStore.embedding_retrieval``.
    filter_policy : FilterPolicy or str
        Whether filters of a run replace those above, or are merged with them.
    """

    def __init__(
        self,
        document_store: VecStoreDocumentStore,
        filters: dict[str, typing.Any] | None = None,
        top_k: int = 10,
        scale_score: bool = False,
        return_embedding: bool = False,
        filter_policy: FilterPolicy | str = FilterPolicy.REPLACE,
    ) -> None:
        self._take(document_store, filters, top_k, filter_policy)
        self.scale_score = scale_score
        self.return_embedding = return_embedding

    def to_dict(self) -> dict[str, typing.Any]:
        """The component as Haystack serializes it."""
        return self._serialized(scale_score=self.scale_score, return_embedding=self.return_embedding)

    @classmethod
    def from_dict(cls, data: dict[str, typing.Any]) -> VecStoreEmbeddingRetriever:
        """The component that `to_dict` told of."""
        return default_from_dict(cls, data)

    def _asked(self, scale_score: bool | None, return_embedding: bool | None) -> dict[str, bool]:
        return {
            "scale_score": self.scale_score if scale_score is None else scale_score,
            "return_embedding": self.return_embedding if return_embedding is None else return_embedding,
        }

    @component.output_types(documents=list[Document])
    def run(
        self,
        query_embedding: list[float],
        filters: dict[str, typing.Any] | None = None,
        top_k: int | None = None,
        scale_score: bool | None = None,
        return_embedding: bool | None = None,
    ) -> dict[str, list[Document]]:
        """Searches; what is given here takes the place of what the component was made with."""
        asked = {**self._restricted(filters, top_k), **self._asked(scale_score, return_embedding)}
        return {"documents": self.document_store.embedding_retrieval(query_embedding, **asked)}

    @component.output_types(documents=list[Document])
    async def run_async(
        self,
        query_embedding: list[float],
        filters: dict[str, typing.Any] | None = None,
        top_k: int | None = None,
        scale_score: bool | None = None,
        return_embedding: bool | None = None,
    ) -> dict[str, list[Document]]:
        """As `run`."""
        asked = {**self._restricted(filters, top_k), **self._asked(scale_score, return_embedding)}
        return {"documents": await self.document_store.embedding_retrieval_async(query_embedding, **asked)}


@component
class VecStoreBM25Retriever(_Retriever):
    """Finds the documents whose contents have the words of a query.

    Parameters
    ----------
    document_store : VecStoreDocumentStore
        Where the documents are.
    filters : dict, optional
        Restrict every search.
    top_k : int
        The most documents.
    scale_score : bool
        As in ``VecStoreDocumentStore.bm25_retrieval``.
    filter_policy : FilterPolicy or str
        Whether filters of a run replace those above, or are merged with them.
    """

    def __init__(
        self,
        document_store: VecStoreDocumentStore,
        filters: dict[str, typing.Any] | None = None,
        top_k: int = 10,
        scale_score: bool = False,
        filter_policy: FilterPolicy | str = FilterPolicy.REPLACE,
    ) -> None:
        self._take(document_store, filters, top_k, filter_policy)
        self.scale_score = scale_score

    def to_dict(self) -> dict[str, typing.Any]:
        """The component as Haystack serializes it."""
        return self._serialized(scale_score=self.scale_score)

    @classmethod
    def from_dict(cls, data: dict[str, typing.Any]) -> VecStoreBM25Retriever:
        """The component that `to_dict` told of."""
        return default_from_dict(cls, data)

    @component.output_types(documents=list[Document])
    def run(
        self,
        query: str,
        filters: dict[str, typing.Any] | None = None,
        top_k: int | None = None,
        scale_score: bool | None = None,
    ) -> dict[str, list[Document]]:
        """Searches; what is given here takes the place of what the component was made with."""
        scale = self.scale_score if scale_score is None else scale_score
        asked = self._restricted(filters, top_k)
        return {"documents": self.document_store.bm25_retrieval(query, scale_score=scale, **asked)}

    @component.output_types(documents=list[Document])
    async def run_async(
        self,
        query: str,
        filters: dict[str, typing.Any] | None = None,
        top_k: int | None = None,
        scale_score: bool | None = None,
    ) -> dict[str, list[Document]]:
        """As `run`."""
        scale = self.scale_score if scale_score is None else scale_score
        asked = self._restricted(filters, top_k)
        return {
            "documents": await self.document_store.bm25_retrieval_async(query, scale_score=scale, **asked)
        }


@component
class VecStoreHybridRetriever(_Retriever):
    """Finds the documents that are best by embedding and by words, in one search.

    Parameters
    ----------
    document_store : VecStoreDocumentStore
        Where the documents are.
    filters : dict, optional
        Restrict every search.
    top_k : int
        The most documents.
    alpha : float
        The weight of the embedding, from 0 to 1; that of the words is the rest.
    return_embedding : bool
        Whether documents come with their embeddings.
    filter_policy : FilterPolicy or str
        Whether filters of a run replace those above, or are merged with them.
    """

    def __init__(
        self,
        document_store: VecStoreDocumentStore,
        filters: dict[str, typing.Any] | None = None,
        top_k: int = 10,
        alpha: float = 0.7,
        return_embedding: bool = False,
        filter_policy: FilterPolicy | str = FilterPolicy.REPLACE,
    ) -> None:
        self._take(document_store, filters, top_k, filter_policy)
        self.alpha = alpha
        self.return_embedding = return_embedding

    def to_dict(self) -> dict[str, typing.Any]:
        """The component as Haystack serializes it."""
        return self._serialized(alpha=self.alpha, return_embedding=self.return_embedding)

    @classmethod
    def from_dict(cls, data: dict[str, typing.Any]) -> VecStoreHybridRetriever:
        """The component that `to_dict` told of."""
        return default_from_dict(cls, data)

    def _asked(self, alpha: float | None, return_embedding: bool | None) -> dict[str, typing.Any]:
        return {
            "alpha": self.alpha if alpha is None else alpha,
            "return_embedding": self.return_embedding if return_embedding is None else return_embedding,
        }

    @component.output_types(documents=list[Document])
    def run(
        self,
        query: str,
        query_embedding: list[float],
        filters: dict[str, typing.Any] | None = None,
        top_k: int | None = None,
        alpha: float | None = None,
        return_embedding: bool | None = None,
    ) -> dict[str, list[Document]]:
        """Searches; what is given here takes the place of what the component was made with."""
        asked = {**self._restricted(filters, top_k), **self._asked(alpha, return_embedding)}
        return {"documents": self.document_store.hybrid_retrieval(query, query_embedding, **asked)}

    @component.output_types(documents=list[Document])
    async def run_async(
        self,
        query: str,
        query_embedding: list[float],
        filters: dict[str, typing.Any] | None = None,
        top_k: int | None = None,
        alpha: float | None = None,
        return_embedding: bool | None = None,
    ) -> dict[str, list[Document]]:
        """As `run`."""
        asked = {**self._restricted(filters, top_k), **self._asked(alpha, return_embedding)}
        return {
            "documents": await self.document_store.hybrid_retrieval_async(query, query_embedding, **asked)
        }
