"""Embedders that need no server."""

from __future__ import annotations

import os
import typing
from collections import abc
from types import TracebackType

from vecstore import _vecstore
from vecstore._arguments import check_int, check_path, check_text
from vecstore.rag._calls import arun, run
from vecstore.rag._models import Embedder, Retries, check_embedder, check_texts, embedded

__all__ = ["CachedEmbedder", "HashingEmbedder"]


class HashingEmbedder:
    """Not a model: hashes words and pairs of words into components. For tests, and where nothing better is.

    Texts are near that share words; it knows no synonyms and no languages. Vectors have norm 1, and are the
    same on every machine and in every version.

    Parameters
    ----------
    dim : int
        The number of components, at most 65,536.

    Examples
    --------
    >>> embedder = HashingEmbedder(64)
    >>> embedder.embed("The Log") == embedder.embed("the log!")
    True
    """

    def __init__(self, dim: int = 384) -> None:
        self.dim = check_int("dim", dim, 1, 65_536)

    def embed(self, text: str) -> list[float]:
        """The vector of a text.

        >>> len(HashingEmbedder(64).embed("a text"))
        64
        """
        return self.embed_batch([check_text("text", text)])[0]

    def embed_batch(self, texts: abc.Sequence[str]) -> list[list[float]]:
        """The vectors of texts.

        >>> [len(vector) for vector in HashingEmbedder(64).embed_batch(["one", "two"])]
        [64, 64]
        """
        return _vecstore._rag_hashed(check_texts(texts), self.dim)

    # A str is a sequence of str as well; the first that fits holds.
    @typing.overload
    def __call__(self, text: str) -> list[float]: ...  # type: ignore[overload-overlap]
    @typing.overload
    def __call__(self, text: abc.Sequence[str]) -> list[list[float]]: ...
    def __call__(self, text: str | abc.Sequence[str]) -> list[float] | list[list[float]]:
        return self.embed(text) if isinstance(text, str) else self.embed_batch(text)

    def __repr__(self) -> str:
        return f"HashingEmbedder(dim={self.dim})"


class CachedEmbedder:
    """Keeps the vectors of another embedder by a hash of their text, in memory or in a directory.

    The text is kept beside its vector and compared, so that texts of one hash are never taken for each other.
    A directory is for one model: a vector of another dimension is an error.

    Parameters
    ----------
    embedder : TextEmbedder or callable
        Asked for what is not there, each text once, in batches.
    path : path, optional
        The directory. Without it, the cache is in memory.
    capacity : int
        The most vectors in memory; beyond it, the oldest go. In a directory there is no bound.
    batch_size : int
        The most texts in one call.
    retries, backoff
        As in `embed_texts`.

    Examples
    --------
    >>> asked = []
    >>> embedder = CachedEmbedder(lambda text: asked.append(text) or [float(len(text))])
    >>> embedder.embed_batch(["a", "bb", "a"]), embedder.embed("bb"), asked
    ([[1.0], [2.0], [1.0]], [2.0], ['a', 'bb'])
    """

    def __init__(
        self,
        embedder: Embedder,
        path: str | os.PathLike[str] | None = None,
        *,
        capacity: int = 100_000,
        batch_size: int = 64,
        retries: int = 2,
        backoff: float = 0.5,
    ) -> None:
        check_embedder(embedder)
        self._embedder = embedder
        self._batch_size = check_int("batch_size", batch_size, 1)
        self._retries = Retries.checked(retries, backoff)
        place = None if path is None else check_path("path", path)
        self._cache = _vecstore._RagEmbeddingCache(place, check_int("capacity", capacity, 1))

    def embed(self, text: str) -> list[float]:
        """The vector of a text.

        >>> CachedEmbedder(lambda texts: [[float(len(text))] for text in texts]).embed("abc")
        [3.0]
        """
        return self.embed_batch([check_text("text", text)])[0]

    def embed_batch(self, texts: abc.Iterable[str]) -> list[list[float]]:
        """The vectors of texts.

        >>> CachedEmbedder(lambda texts: [[float(len(text))] for text in texts]).embed_batch(["a", "bc"])
        [[1.0], [2.0]]
        """
        return run(self._embedding(texts))

    async def aembed_batch(self, texts: abc.Iterable[str]) -> list[list[float]]:
        """Does what `embed_batch` does, on an event loop.

        >>> import asyncio
        >>> embedder = CachedEmbedder(lambda texts: [[float(len(text))] for text in texts])
        >>> asyncio.run(embedder.aembed_batch(["a", "bc"]))
        [[1.0], [2.0]]
        """
        return await arun(self._embedding(texts))

    def _embedding(self, texts: abc.Iterable[str]) -> typing.Any:
        return embedded(
            self._embedder, texts, batch_size=self._batch_size, cache=self._cache, retries=self._retries
        )

    def __len__(self) -> int:
        return len(self._cache)

    def __bool__(self) -> bool:
        return True

    def close(self) -> None:
        """Makes everything durable and closes the cache.

        >>> embedder = CachedEmbedder(HashingEmbedder(64))
        >>> embedder.close()
        """
        self._cache.close()

    def __enter__(self) -> CachedEmbedder:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"CachedEmbedder({self._embedder!r})"
