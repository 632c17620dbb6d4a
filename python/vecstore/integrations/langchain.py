"""A LangChain vector store over vecstore, and its splitters as LangChain's. Needs ``vecstore[langchain]``.

>>> from langchain_core.embeddings import DeterministicFakeEmbedding
>>> from vecstore.integrations.langchain import VecStoreVectorStore
>>> notes = VecStoreVectorStore(DeterministicFakeEmbedding(size=32))
>>> notes.add_texts(["a fig", "a leek"], [{"kind": "fruit"}, {"kind": "vegetable"}], ids=["fig", "leek"])
['fig', 'leek']
>>> notes.similarity_search("a leek", k=1)
[Document(id='leek', metadata={'kind': 'vegetable'}, page_content='a leek')]
>>> notes.similarity_search("a leek", filter="kind = 'fruit'")
[Document(id='fig', metadata={'kind': 'fruit'}, page_content='a fig')]
"""

from __future__ import annotations

import asyncio
import math
import os
import typing
import uuid
from collections import abc

from vecstore._errors import InvalidInputError
from vecstore._types import Filter, Metadata, Vector
from vecstore._vecstore import BaseCollection, Neighbor, Record, VecStore
from vecstore.integrations._opening import missing, no_more, opened

try:
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import VectorStore
except ImportError as error:
    raise missing("langchain", "langchain-core", "langchain") from error

if typing.TYPE_CHECKING:
    from langchain_text_splitters import TextSplitter
    from typing_extensions import Self

    from vecstore.rag import SemanticTextSplitter
    from vecstore.rag import TextSplitter as OwnSplitter

__all__ = ["VecStoreVectorStore", "text_splitter"]

_Metadatas = typing.Optional[list[dict[str, typing.Any]]]
_Include = tuple[typing.Literal["metadata", "vector", "text"], ...]


class VecStoreVectorStore(VectorStore):
    """Documents in a vecstore: ids are those of records, ``page_content`` is the text, metadata the metadata.

    Filters are vecstore's, in any spelling. What searches take beside ``filter`` goes to ``VecStore.query``:
    ``params``, ``recall``, ``exact``, ``offset``, ``min_score``. With ``alpha`` a search by a text is hybrid:
    ``VecStore.hybrid_query``, with its arguments. So ``as_retriever(search_kwargs={"alpha": 0.5})``
    searches by meaning and by words.

    Parameters
    ----------
    embedding : Embeddings
        Makes vectors of texts.
    store : VecStore or Collection, optional
        Where the documents are; else one is opened at ``path``.
    path : path, optional
        A directory, or ``:memory:``.
    relevance_score_fn : callable, optional
        Makes relevance, 0 to 1, of a score. By default: under cosine the score itself, 0 for negative ones;
        under dot its logistic function; under other metrics the score, which is 1 / (1 + distance).
    **options
        For ``VecStore``, such as ``metric``.
    """

    def __init__(
        self,
        embedding: Embeddings,
        store: BaseCollection | None = None,
        path: str | os.PathLike[str] = ":memory:",
        *,
        relevance_score_fn: abc.Callable[[float], float] | None = None,
        **options: typing.Any,
    ) -> None:
        if not isinstance(embedding, Embeddings):
            raise TypeError(f"embedding: expected langchain_core Embeddings, got {type(embedding).__name__}")
        self._embedding = embedding
        self._store = opened(store, path, options)
        self._relevance_score_fn = relevance_score_fn

    @property
    def embeddings(self) -> Embeddings:
        """What makes vectors of texts."""
        return self._embedding

    @property
    def store(self) -> BaseCollection:
        """The store or collection that the documents are in."""
        return self._store

    def close(self) -> None:
        """Closes the store, with all that was acknowledged on disk. A collection is left to its database."""
        if isinstance(self._store, VecStore):
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Writing

    def add_texts(
        self,
        texts: abc.Iterable[str],
        metadatas: _Metadatas = None,
        *,
        ids: abc.Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **kwargs: typing.Any,
    ) -> list[str]:
        """Embeds texts and adds or replaces their documents, all or none of them; returns the ids.

        A document without an id gets a random one. ``batch_size`` is how many texts are embedded in one call;
        all by default.
        """
        no_more(kwargs)
        texts = list(texts)
        ids = _identified(texts, metadatas, ids)
        vectors: list[list[float]] = []
        for batch in _batches(texts, batch_size):
            vectors.extend(self._embedding.embed_documents(batch))
        return self._upsert(ids, texts, vectors, metadatas)

    async def aadd_texts(
        self,
        texts: abc.Iterable[str],
        metadatas: _Metadatas = None,
        *,
        ids: abc.Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **kwargs: typing.Any,
    ) -> list[str]:
        """As `add_texts`."""
        no_more(kwargs)
        texts = list(texts)
        ids = _identified(texts, metadatas, ids)
        vectors: list[list[float]] = []
        for batch in _batches(texts, batch_size):
            vectors.extend(await self._embedding.aembed_documents(batch))
        return await asyncio.to_thread(self._upsert, ids, texts, vectors, metadatas)

    def _upsert(
        self, ids: list[str], texts: list[str], vectors: list[list[float]], metadatas: _Metadatas
    ) -> list[str]:
        if ids:
            self._store.upsert_many(ids, vectors, metadatas or None, texts=texts)
        return ids

    def delete(
        self,
        ids: list[str] | None = None,
        *,
        filter: Filter | None = None,
        params: Metadata | None = None,
        **kwargs: typing.Any,
    ) -> bool:
        """Removes documents by id, or those that match a filter, or without both all.

        Ids that are not there are no error.
        """
        no_more(kwargs)
        if ids is None:
            self._store.delete_where({} if filter is None else filter, params=params)
        elif filter is not None:
            raise InvalidInputError("delete: expected ids or a filter, got both")
        else:
            self._store.delete_many(ids)
        return True

    async def adelete(
        self,
        ids: list[str] | None = None,
        *,
        filter: Filter | None = None,
        params: Metadata | None = None,
        **kwargs: typing.Any,
    ) -> bool:
        """As `delete`."""
        return await asyncio.to_thread(self.delete, ids, filter=filter, params=params, **kwargs)

    # Reading

    def get_by_ids(self, ids: abc.Sequence[str], /) -> list[Document]:
        """The documents with these ids, in their order, without those that are not there."""
        return [_document(record) for record in self._store.get_many(ids) if record is not None]

    async def aget_by_ids(self, ids: abc.Sequence[str], /) -> list[Document]:
        """As `get_by_ids`."""
        return await asyncio.to_thread(self.get_by_ids, ids)

    def similarity_search(
        self, query: str, k: int = 4, filter: Filter | None = None, **options: typing.Any
    ) -> list[Document]:
        """The k documents nearest to a text, the nearest first."""
        return [document for document, _ in self.similarity_search_with_score(query, k, filter, **options)]

    async def asimilarity_search(
        self, query: str, k: int = 4, filter: Filter | None = None, **options: typing.Any
    ) -> list[Document]:
        """As `similarity_search`."""
        found = await self.asimilarity_search_with_score(query, k, filter, **options)
        return [document for document, _ in found]

    def similarity_search_with_score(
        self, query: str, k: int = 4, filter: Filter | None = None, **options: typing.Any
    ) -> list[tuple[Document, float]]:
        """As `similarity_search`, with scores: larger is better, under cosine the similarity."""
        return _scored(self._found(self._embedding.embed_query(query), query, k, filter, options))

    async def asimilarity_search_with_score(
        self, query: str, k: int = 4, filter: Filter | None = None, **options: typing.Any
    ) -> list[tuple[Document, float]]:
        """As `similarity_search_with_score`."""
        vector = await self._embedding.aembed_query(query)
        return _scored(await asyncio.to_thread(self._found, vector, query, k, filter, options))

    def similarity_search_by_vector(
        self, embedding: Vector, k: int = 4, filter: Filter | None = None, **options: typing.Any
    ) -> list[Document]:
        """The k documents nearest to a vector, the nearest first."""
        return [_document(neighbor) for neighbor in self._found(embedding, None, k, filter, options)]

    async def asimilarity_search_by_vector(
        self, embedding: Vector, k: int = 4, filter: Filter | None = None, **options: typing.Any
    ) -> list[Document]:
        """As `similarity_search_by_vector`."""
        return await asyncio.to_thread(self.similarity_search_by_vector, embedding, k, filter, **options)

    def _found(
        self,
        vector: Vector,
        query: str | None,
        k: int,
        filter: Filter | None,
        options: dict[str, typing.Any],
        include: _Include = ("metadata", "text"),
    ) -> list[Neighbor]:
        if "alpha" not in options:
            return self._store.query(vector, k, filter, include=include, **options)
        if query is None:
            raise InvalidInputError("alpha: a hybrid search needs a text, got a vector")
        return self._store.hybrid_query(vector, query, k, filter=filter, include=include, **options)

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **options: typing.Any,
    ) -> list[Document]:
        """k documents near a text and unlike each other, of the ``fetch_k`` nearest.

        ``lambda_mult`` is from 0, where only difference counts, to 1, where only relevance does. Both are
        cosines, whatever the metric.
        """
        vector = self._embedding.embed_query(query)
        return self.max_marginal_relevance_search_by_vector(
            vector, k, fetch_k, lambda_mult, filter, **options
        )

    async def amax_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **options: typing.Any,
    ) -> list[Document]:
        """As `max_marginal_relevance_search`."""
        vector = await self._embedding.aembed_query(query)
        return await self.amax_marginal_relevance_search_by_vector(
            vector, k, fetch_k, lambda_mult, filter, **options
        )

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: Vector,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **options: typing.Any,
    ) -> list[Document]:
        """As `max_marginal_relevance_search`, for a vector."""
        from vecstore.rag import MMRReranker

        rerank = MMRReranker(lambda_mult).rerank
        include: _Include = ("metadata", "text", "vector")
        nearest = self._found(embedding, None, max(k, fetch_k), filter, options, include)
        return [_document(neighbor) for neighbor in rerank("", nearest, k, query_vector=embedding)]

    async def amax_marginal_relevance_search_by_vector(
        self,
        embedding: Vector,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **options: typing.Any,
    ) -> list[Document]:
        """As `max_marginal_relevance_search_by_vector`."""
        search = self.max_marginal_relevance_search_by_vector
        return await asyncio.to_thread(search, embedding, k, fetch_k, lambda_mult, filter, **options)

    def _select_relevance_score_fn(self) -> abc.Callable[[float], float]:
        if self._relevance_score_fn is not None:
            return self._relevance_score_fn
        return _logistic if self._store.distance_metric == "dot" else _unit

    # Making

    @classmethod
    def from_texts(
        cls,
        texts: abc.Iterable[str],
        embedding: Embeddings,
        metadatas: _Metadatas = None,
        *,
        ids: abc.Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **options: typing.Any,
    ) -> Self:
        """A store with these texts. ``options`` are those of the class: ``store``, ``path`` and others."""
        made = cls(embedding, **options)
        made.add_texts(texts, metadatas, ids=ids, batch_size=batch_size)
        return made

    @classmethod
    async def afrom_texts(
        cls,
        texts: abc.Iterable[str],
        embedding: Embeddings,
        metadatas: _Metadatas = None,
        *,
        ids: abc.Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **options: typing.Any,
    ) -> Self:
        """As `from_texts`."""
        made = await asyncio.to_thread(cls, embedding, **options)
        await made.aadd_texts(texts, metadatas, ids=ids, batch_size=batch_size)
        return made

    def __repr__(self) -> str:
        return f"VecStoreVectorStore({self._store!r})"


def text_splitter(
    splitter: OwnSplitter | SemanticTextSplitter, *, add_start_index: bool = False
) -> TextSplitter:
    """A splitter of `vecstore.rag` as a ``TextSplitter`` of LangChain.

    Each chunk has the metadata of its document, and what the splitter knows of it: headings in Markdown, for
    example. ``add_start_index`` adds ``start_index``, where the chunk starts in characters, always exactly.

    >>> from langchain_core.documents import Document
    >>> from vecstore.rag import RecursiveCharacterTextSplitter
    >>> splitter = text_splitter(RecursiveCharacterTextSplitter(12), add_start_index=True)
    >>> for chunk in splitter.split_documents([Document("one two three four", metadata={"page": 7})]):
    ...     print(chunk.page_content, chunk.metadata)
    one two {'page': 7, 'start_index': 0}
    three four {'page': 7, 'start_index': 8}
    """
    from vecstore.integrations._langchain_splitter import VecStoreTextSplitter

    return VecStoreTextSplitter(splitter, add_start_index=add_start_index)


def _identified(texts: list[str], metadatas: _Metadatas, ids: abc.Sequence[str | None] | None) -> list[str]:
    """An id for each text; what does not fit together is found before anything is embedded."""
    for what, given in (("metadatas", metadatas), ("ids", ids)):
        if given and len(given) != len(texts):
            raise InvalidInputError(
                f"{what}: expected one for each of the {len(texts)} texts, got {len(given)}"
            )
    return [given or str(uuid.uuid4()) for given in ids or [None] * len(texts)]


def _batches(texts: list[str], size: int | None) -> abc.Iterator[list[str]]:
    if size is not None and size < 1:
        raise InvalidInputError(f"batch_size: expected at least 1, got {size}")
    size = size or len(texts) or 1
    return (texts[start : start + size] for start in range(0, len(texts), size))


def _document(found: Neighbor | Record) -> Document:
    text = found.text
    if text is None:
        # Where the toolkit of vecstore keeps texts of chunks.
        kept = found.metadata.get("text")
        text = kept if isinstance(kept, str) else ""
    return Document(id=found.id, page_content=text, metadata=found.metadata)


def _scored(neighbors: list[Neighbor]) -> list[tuple[Document, float]]:
    return [(_document(neighbor), neighbor.score) for neighbor in neighbors]


def _unit(score: float) -> float:
    return min(1.0, max(0.0, score))


def _logistic(score: float) -> float:
    # Written so that neither a large nor a small score overflows.
    return 0.5 * (1.0 + math.tanh(0.5 * score))
