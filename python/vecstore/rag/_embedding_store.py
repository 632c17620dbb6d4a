"""A store and an embedder as one: texts in, texts out."""

from __future__ import annotations

import os
import typing
from collections import abc
from types import TracebackType

from vecstore._arguments import check_text
from vecstore._types import Filter, Metadata
from vecstore._vecstore import Neighbor, VecStore
from vecstore.rag._calls import arun, run
from vecstore.rag._chunks import chunks_upserted, text_queried, texts_upserted
from vecstore.rag._models import Embedder, check_embedder
from vecstore.rag._results import check_searched

__all__ = ["EmbeddingStore"]


class EmbeddingStore:
    """A store that takes and finds texts.

    Parameters
    ----------
    store : VecStore, Collection, or path
        A path is opened with the ``options`` of ``VecStore``, and closed by `close`.
    embedder : TextEmbedder or callable
        Turns texts into vectors.

    Examples
    --------
    >>> with EmbeddingStore(":memory:", HashingEmbedder(64)) as texts:
    ...     texts.upsert_text("a", "The log is synced.", {"kind": "design"})
    ...     texts.upsert_text("b", "Snakes eat mice.")
    ...     texts.query_text("what do snakes eat", k=1)[0].id
    'b'
    """

    def __init__(self, store: typing.Any, embedder: Embedder, **options: typing.Any) -> None:
        check_embedder(embedder)
        self._owned = isinstance(store, (str, os.PathLike))
        if options and not self._owned:
            raise TypeError("options: expected with a path only, the store is open already")
        self._store = VecStore(store, **options) if self._owned else store
        check_searched(self._store)
        self._embedder = embedder

    @property
    def store(self) -> typing.Any:
        """The store."""
        return self._store

    @property
    def embedder(self) -> Embedder:
        """The embedder."""
        return self._embedder

    def upsert_text(self, id: str, text: str, metadata: Metadata | None = None) -> None:
        """Adds or replaces a text.

        >>> texts = EmbeddingStore(":memory:", HashingEmbedder(64))
        >>> texts.upsert_text("a", "The log is synced.", {"page": 1})
        >>> len(texts)
        1
        """
        run(texts_upserted(self._store, [(id, text, metadata)], self._embedder))

    async def aupsert_text(self, id: str, text: str, metadata: Metadata | None = None) -> None:
        """Does what `upsert_text` does, on an event loop.

        >>> import asyncio
        >>> texts = EmbeddingStore(":memory:", HashingEmbedder(64))
        >>> asyncio.run(texts.aupsert_text("a", "The log is synced."))
        >>> len(texts)
        1
        """
        await arun(texts_upserted(self._store, [(id, text, metadata)], self._embedder))

    def batch_upsert_text(self, documents: abc.Iterable[typing.Any]) -> int:
        """Adds or replaces texts as one atomic write; see ``VecStore.batch_upsert_texts``.

        >>> texts = EmbeddingStore(":memory:", HashingEmbedder(64))
        >>> texts.batch_upsert_text([("a", "logs"), ("b", "snakes")])
        2
        """
        return run(texts_upserted(self._store, documents, self._embedder, name="documents"))

    async def abatch_upsert_text(self, documents: abc.Iterable[typing.Any]) -> int:
        """Does what `batch_upsert_text` does, on an event loop.

        >>> import asyncio
        >>> texts = EmbeddingStore(":memory:", HashingEmbedder(64))
        >>> asyncio.run(texts.abatch_upsert_text([("a", "logs"), ("b", "snakes")]))
        2
        """
        return await arun(texts_upserted(self._store, documents, self._embedder, name="documents"))

    def upsert_chunks(self, doc_id: str, text: str, splitter: typing.Any, **options: typing.Any) -> int:
        """Splits a document and adds its chunks; see ``VecStore.upsert_chunks``.

        >>> texts = EmbeddingStore(":memory:", HashingEmbedder(64))
        >>> texts.upsert_chunks("doc", "One two. Three four.", SentenceTextSplitter(12))
        2
        """
        return run(chunks_upserted(self._store, doc_id, text, splitter, self._embedder, **options))

    async def aupsert_chunks(
        self, doc_id: str, text: str, splitter: typing.Any, **options: typing.Any
    ) -> int:
        """Does what `upsert_chunks` does, on an event loop.

        >>> import asyncio
        >>> texts = EmbeddingStore(":memory:", HashingEmbedder(64))
        >>> asyncio.run(texts.aupsert_chunks("doc", "One two. Three four.", SentenceTextSplitter(12)))
        2
        """
        return await arun(chunks_upserted(self._store, doc_id, text, splitter, self._embedder, **options))

    def query_text(self, query: str, k: int = 10, filter: Filter | None = None) -> list[Neighbor]:
        """The records nearest to a text, with metadata and text.

        >>> texts = EmbeddingStore(":memory:", HashingEmbedder(64))
        >>> texts.batch_upsert_text([("a", "logs are synced"), ("b", "snakes eat")])
        2
        >>> texts.query_text("what do snakes do", k=1)[0].id
        'b'
        """
        check_text("query", query)
        return run(text_queried(self._store, query, self._embedder, k, filter))

    async def aquery_text(self, query: str, k: int = 10, filter: Filter | None = None) -> list[Neighbor]:
        """Does what `query_text` does, on an event loop.

        >>> import asyncio
        >>> texts = EmbeddingStore(":memory:", HashingEmbedder(64))
        >>> texts.batch_upsert_text([("a", "logs are synced"), ("b", "snakes eat")])
        2
        >>> asyncio.run(texts.aquery_text("what do snakes do", k=1))[0].id
        'b'
        """
        check_text("query", query)
        return await arun(text_queried(self._store, query, self._embedder, k, filter))

    def save(self) -> None:
        """Makes everything durable.

        >>> EmbeddingStore(":memory:", HashingEmbedder(64)).save()
        """
        self._store.save()

    def __len__(self) -> int:
        return len(self._store)

    def __bool__(self) -> bool:
        return True

    def is_empty(self) -> bool:
        """Whether there are no records.

        >>> EmbeddingStore(":memory:", HashingEmbedder(64)).is_empty()
        True
        """
        return len(self) == 0

    def close(self) -> None:
        """Closes the store, if it was opened by a path.

        >>> texts = EmbeddingStore(":memory:", HashingEmbedder(64))
        >>> texts.close()
        """
        if self._owned:
            self._store.close()

    def __enter__(self) -> EmbeddingStore:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EmbeddingStore({self._store!r}, {self._embedder!r})"
