"""Answers to questions that were asked before in other words."""

from __future__ import annotations

import os
import threading
import typing
from collections import abc
from types import TracebackType

from vecstore import _vecstore
from vecstore._arguments import check_callable, check_int, check_number, check_path, check_text
from vecstore._errors import InvalidInputError
from vecstore._types import Vector
from vecstore.rag._calls import Call, Work, arun, run
from vecstore.rag._models import Embedder, check_embedder, embedded

__all__ = ["CacheHit", "CacheStats", "SemanticCache"]


class CacheHit(typing.NamedTuple):
    """An entry that was found: its value, the cosine with its key, and the question it was kept for.

    >>> cache = SemanticCache()
    >>> cache.insert([1.0, 0.0], "an answer")
    >>> hit = cache.lookup([1.0, 0.0])
    >>> hit.value, round(hit.similarity, 3)
    ('an answer', 1.0)
    """

    value: typing.Any
    similarity: float
    query: str


class CacheStats(typing.NamedTuple):
    """What a cache did since it was opened.

    >>> CacheStats(entries=2, capacity=9, hits=3, misses=1, evictions=0).hit_rate
    0.75
    """

    entries: int
    capacity: int
    hits: int
    misses: int
    evictions: int

    @property
    def hit_rate(self) -> float:
        """The share of lookups that found something, 0 before the first."""
        lookups = self.hits + self.misses
        return self.hits / lookups if lookups else 0.0


class SemanticCache:
    """A cache whose keys are vectors: it finds the nearest key, if that is near enough.

    Every lookup is an exact search, so that an entry above the threshold is always found. Beyond the
    capacity, the entry that was used least lately goes.

    Parameters
    ----------
    capacity : int
        The most entries.
    similarity_threshold : float
        The cosine from which on two questions are taken for the same.
    ttl : float, optional
        Seconds that an entry lives.
    path : path, optional
        A directory where the entries are kept: they are there when it is opened again, in order of insertion.
        Values are then what metadata can be: None, bool, int, float, str, bytes, aware datetime, list and
        dict of them. Without a path, they may be any object.
    embedder : TextEmbedder or callable, optional
        Turns questions into vectors; without it, vectors are given.

    Examples
    --------
    >>> with SemanticCache(1000, 0.9, embedder=HashingEmbedder(256)) as cache:
    ...     cache.insert("What is a log?", "A file of writes.")
    ...     cache.get("what is a LOG"), cache.get("Who sings?")
    ('A file of writes.', None)
    """

    def __init__(
        self,
        capacity: int = 1000,
        similarity_threshold: float = 0.95,
        ttl: float | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        if embedder is not None:
            check_embedder(embedder)
        self._state = _vecstore._RagSemanticCache(
            check_int("capacity", capacity, 1),
            check_number("similarity_threshold", similarity_threshold),
            None if ttl is None else check_number("ttl", ttl),
            None if path is None else check_path("path", path),
        )
        self._embedder = embedder
        #: In memory, entries hold numbers and these the values: a value need not be what metadata can be.
        self._objects: dict[str, typing.Any] | None = {} if path is None else None
        #: Held while both change, which no callable of the caller's is called in.
        self._changing = threading.RLock()

    def insert(self, query: str | Vector, value: typing.Any, *, scope: str = "") -> None:
        """Keeps a value for a question; one that was kept for the same question is replaced.

        Entries of one ``scope`` (a model, a user) are never returned for another.

        >>> cache = SemanticCache(embedder=HashingEmbedder(64))
        >>> cache.insert("When is the log synced?", "At each write.")
        >>> cache.get("when is the LOG synced")
        'At each write.'
        """
        run(self._inserting(query, value, scope))

    async def ainsert(self, query: str | Vector, value: typing.Any, *, scope: str = "") -> None:
        """Does what `insert` does, on an event loop.

        >>> import asyncio
        >>> cache = SemanticCache(embedder=HashingEmbedder(64))
        >>> asyncio.run(cache.ainsert("When is the log synced?", "At each write."))
        >>> len(cache)
        1
        """
        await arun(self._inserting(query, value, scope))

    def get(self, query: str | Vector, default: typing.Any = None, *, scope: str = "") -> typing.Any:
        """The value kept for the nearest question, if that is near enough.

        >>> cache = SemanticCache()
        >>> cache.insert([1.0, 0.0], "an answer")
        >>> cache.get([1.0, 0.01]), cache.get([0.0, 1.0], "none")
        ('an answer', 'none')
        """
        hit = run(self._looking_up(query, scope))
        return default if hit is None else hit.value

    async def aget(self, query: str | Vector, default: typing.Any = None, *, scope: str = "") -> typing.Any:
        """Does what `get` does, on an event loop.

        >>> import asyncio
        >>> cache = SemanticCache()
        >>> cache.insert([1.0, 0.0], "an answer")
        >>> asyncio.run(cache.aget([1.0, 0.0]))
        'an answer'
        """
        hit = await arun(self._looking_up(query, scope))
        return default if hit is None else hit.value

    def lookup(self, query: str | Vector, *, scope: str = "") -> CacheHit | None:
        """What `get` finds, with how near it is and what was asked then.

        >>> cache = SemanticCache(10, 0.9)
        >>> cache.insert([1.0, 0.0], "yes")
        >>> cache.lookup([1.0, 0.0]).similarity
        1.0
        """
        return run(self._looking_up(query, scope))

    def contains(self, query: str | Vector, *, scope: str = "") -> bool:
        """Whether `get` would find something; this is no lookup and no use.

        >>> cache = SemanticCache()
        >>> cache.insert([1.0, 0.0], "an answer")
        >>> cache.contains([1.0, 0.0]), cache.contains([0.0, 1.0])
        (True, False)
        """
        return run(self._containing(query, scope))

    def __contains__(self, query: str | Vector) -> bool:
        return self.contains(query)

    def get_or_compute(
        self, query: str | Vector, compute: abc.Callable[..., typing.Any], *, scope: str = ""
    ) -> typing.Any:
        """The value kept for the nearest question, or else ``compute(query)``, which is kept.

        >>> cache = SemanticCache(10, 0.9, embedder=HashingEmbedder(64))
        >>> cache.get_or_compute("a question", str.upper), cache.get_or_compute("A question?", str.upper)
        ('A QUESTION', 'A QUESTION')
        """
        return run(self._computing(query, compute, scope))

    async def aget_or_compute(
        self, query: str | Vector, compute: abc.Callable[..., typing.Any], *, scope: str = ""
    ) -> typing.Any:
        """Does what `get_or_compute` does, on an event loop.

        >>> import asyncio
        >>> cache = SemanticCache(embedder=HashingEmbedder(64))
        >>> asyncio.run(cache.aget_or_compute("When?", lambda question: "Now."))
        'Now.'
        """
        return await arun(self._computing(query, compute, scope))

    def _key(self, query: str | Vector, scope: str) -> Work[typing.Any]:
        check_text("scope", scope)
        if not isinstance(query, str):
            return query
        if self._embedder is None:
            raise InvalidInputError(
                "query: expected a vector, got a str: the cache was made without an embedder"
            )
        return (yield from embedded(self._embedder, [query], query=True))[0]

    def _inserting(self, query: str | Vector, value: typing.Any, scope: str) -> Work[None]:
        key = yield from self._key(query, scope)
        yield Call(self._keep, key, query, value, scope)

    def _keep(self, key: Vector, query: str | Vector, value: typing.Any, scope: str) -> None:
        text = query if isinstance(query, str) else ""
        if self._objects is None:
            self._state.insert(scope, key, text, value)
            return
        with self._changing:
            identity, gone = self._state.insert(scope, key, text, None)
            self._objects[identity] = value
            for other in gone:
                self._objects.pop(other, None)

    def _looking_up(self, query: str | Vector, scope: str) -> Work[CacheHit | None]:
        key = yield from self._key(query, scope)
        return typing.cast("CacheHit | None", (yield Call(self._find, key, scope)))

    def _find(self, key: Vector, scope: str) -> CacheHit | None:
        found = self._state.get(scope, key)
        if found is None:
            return None
        identity, entry, similarity, text = found
        value = entry["value"]
        if self._objects is not None:
            value = self._objects.get(identity, self)
            if value is self:
                with self._changing:
                    # Another thread has put it there by now, or removed it.
                    value = self._objects.get(identity, self)
            if value is self:
                return None
        return CacheHit(value, similarity, text)

    def _containing(self, query: str | Vector, scope: str) -> Work[bool]:
        key = yield from self._key(query, scope)
        return typing.cast(bool, (yield Call(self._state.contains, scope, key)))

    def _computing(
        self, query: str | Vector, compute: abc.Callable[..., typing.Any], scope: str
    ) -> Work[typing.Any]:
        check_callable("compute", compute)
        key = yield from self._key(query, scope)
        hit = yield Call(self._find, key, scope)
        if hit is not None:
            return hit.value
        value = yield Call(compute, query)
        yield Call(self._keep, key, query, value, scope)
        return value

    def cleanup_expired(self) -> int:
        """Frees the space of entries whose time is over, which no lookup returns. Returns how many.

        >>> SemanticCache(ttl=3600).cleanup_expired()
        0
        """
        with self._changing:
            gone = self._state.remove_expired()
            if self._objects is not None:
                for identity in gone:
                    self._objects.pop(identity, None)
        return len(gone)

    def clear(self) -> None:
        """Removes all entries and forgets the counts.

        >>> cache = SemanticCache()
        >>> cache.insert([1.0, 0.0], "an answer")
        >>> cache.clear()
        >>> cache.is_empty()
        True
        """
        with self._changing:
            self._state.clear()
            if self._objects is not None:
                self._objects.clear()

    def stats(self) -> CacheStats:
        """What the cache did.

        >>> cache = SemanticCache()
        >>> cache.get([1.0, 0.0]) is None
        True
        >>> cache.stats().misses
        1
        """
        return CacheStats(*self._state.stats())

    def hit_rate(self) -> float:
        """The share of lookups that found something, 0 before the first.

        >>> cache = SemanticCache()
        >>> cache.insert([1.0, 0.0], "an answer")
        >>> cache.get([1.0, 0.0]), cache.get([0.0, 1.0])
        ('an answer', None)
        >>> cache.hit_rate()
        0.5
        """
        return self.stats().hit_rate

    def __len__(self) -> int:
        return self.stats().entries

    def __bool__(self) -> bool:
        return True

    def is_empty(self) -> bool:
        """Whether there are no entries.

        >>> SemanticCache().is_empty()
        True
        """
        return len(self) == 0

    def close(self) -> None:
        """Makes everything durable and closes the cache.

        >>> cache = SemanticCache()
        >>> cache.close()
        """
        self._state.close()

    def __enter__(self) -> SemanticCache:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SemanticCache({self.stats()})"
