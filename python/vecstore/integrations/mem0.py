# pyright: reportIncompatibleMethodOverride=false, reportIndexIssue=false
# mem0 says of its abstract methods that they return None.
"""A mem0 vector store over vecstore, with searches by words. Needs ``vecstore[mem0]``.

>>> from vecstore.integrations.mem0 import VecStoreVectorStore
>>> memories = VecStoreVectorStore(embedding_model_dims=2)
>>> memories.insert([[1.0, 0.0], [0.0, 1.0]], [{"data": "likes figs"}, {"data": "likes leeks"}], ["a", "b"])
>>> memories.search("figs", [0.9, 0.1], top_k=1)[0].payload
{'data': 'likes figs'}

``register()`` makes it a provider, for ``Memory.from_config``::

    register()
    where = {"provider": "vecstore", "config": {"path": "memories"}}
    memory = Memory.from_config({"vector_store": where, ...})
"""

from __future__ import annotations

import sys
import types
import typing
import uuid
from collections import abc

from vecstore._errors import FilterError, InvalidInputError
from vecstore._values import CollectionConfig
from vecstore._vecstore import Collection, Neighbor, Record
from vecstore.integrations._opening import missing
from vecstore.integrations._predicates import Predicate, all_of, any_of, literally, negated
from vecstore.integrations._sharing import shared

try:
    from mem0.vector_stores.base import VectorStoreBase
    from pydantic import BaseModel, ConfigDict
except ImportError as error:
    raise missing("mem0", "mem0ai", "mem0") from error

__all__ = ["Memory", "VecStoreConfig", "VecStoreVectorStore", "register"]

Filters = typing.Optional[dict[str, typing.Any]]

#: Records read at once.
_PAGE = 1_000
_COMPARISONS = {
    "eq": "$eq",
    "ne": "$ne",
    "gt": "$gt",
    "gte": "$gte",
    "lt": "$lt",
    "lte": "$lte",
    "in": "$in",
    "nin": "$nin",
    "contains": "$contains",
}
_LOGIC = {"$and": "AND", "$or": "OR", "$not": "NOT"}


class Memory(BaseModel):
    """What is found: an id, a score that is larger for nearer, and the payload."""

    id: str
    score: float | None = None
    payload: dict[str, typing.Any]


class VecStoreConfig(BaseModel):
    """The configuration of the provider ``vecstore``; the fields are those of `VecStoreVectorStore`."""

    model_config = ConfigDict(extra="forbid")

    collection_name: str = "mem0"
    path: str = ":memory:"
    embedding_model_dims: int = 1536
    metric: str = "cosine"
    analyzer: str = "english"


class VecStoreVectorStore(VectorStoreBase):  # type: ignore[misc, unused-ignore]
    """Memories in a collection of vecstore. Stores of one process may share a path.

    Filters are mem0's: values, lists, ``*``, ``eq ne gt gte lt lte in nin contains icontains``, and ``AND``,
    ``OR`` and ``NOT`` with lists of filters.

    Parameters
    ----------
    collection_name : str
        The collection, made if it is not there.
    path : str
        A directory, or ``:memory:``.
    embedding_model_dims : int
        The length of vectors.
    metric : str
        ``cosine``, ``dot``, ``euclidean`` or another of vecstore's.
    analyzer : str
        How words are made of memories, for searches by words.
    """

    def __init__(
        self,
        collection_name: str = "mem0",
        path: str = ":memory:",
        embedding_model_dims: int = 1536,
        metric: str = "cosine",
        analyzer: str = "english",
    ) -> None:
        self._shared = shared(path, "commit")
        self._config = CollectionConfig(dim=embedding_model_dims, metric=metric, analyzer=analyzer)
        self.collection_name = collection_name
        self.create_col(collection_name, embedding_model_dims, metric)

    @property
    def client(self) -> Collection:
        """The collection that the memories are in."""
        found = self._shared.database.get_collection(self.collection_name)
        if found is None:
            raise InvalidInputError(
                f"the collection `{self.collection_name}` was deleted: create it, or reset"
            )
        return found

    def create_col(self, name: str, vector_size: int, distance: str) -> None:
        """Makes a collection, unless it is there."""
        config = CollectionConfig(dim=vector_size, metric=distance, analyzer=self._config.analyzer)
        self._shared.database.get_or_create_collection(name, config)

    def insert(
        self,
        vectors: abc.Sequence[typing.Any],
        payloads: abc.Sequence[dict[str, typing.Any]] | None = None,
        ids: abc.Sequence[str] | None = None,
    ) -> None:
        """Adds or replaces memories, all or none of them."""
        if ids is None:
            ids = [str(uuid.uuid4()) for _ in vectors]
        if len(ids):
            texts = None if payloads is None else [_words(payload) for payload in payloads]
            self.client.upsert_many(ids, vectors, payloads, texts=texts)

    def search(
        self, query: str, vectors: typing.Any, top_k: int = 5, filters: Filters = None
    ) -> list[Memory]:
        """The memories nearest to a vector. Scores are 0 to 1 under cosine: the similarity, 0 if negative."""
        del query
        return _found(self.client.query(vectors, top_k, _predicate(filters)))

    def search_batch(
        self,
        queries: list[str],
        vectors_list: abc.Sequence[typing.Any],
        top_k: int = 1,
        filters: Filters = None,
    ) -> list[list[Memory]]:
        """The memories nearest to each of several vectors."""
        del queries
        if not len(vectors_list):
            return []
        return [_found(row) for row in self.client.query_batch(vectors_list, top_k, _predicate(filters))]

    def keyword_search(self, query: str, top_k: int = 5, filters: Filters = None) -> list[Memory]:
        """The memories that have the words of a query, with their BM25 scores."""
        return _found(self.client.text_query(query, top_k, _predicate(filters)))

    def delete(self, vector_id: str) -> None:
        """Deletes a memory, if it is there."""
        self.client.delete(vector_id)

    def update(
        self,
        vector_id: str,
        vector: typing.Any = None,
        payload: dict[str, typing.Any] | None = None,
    ) -> None:
        """Replaces the vector, the payload, or both."""
        collection = self.client
        if vector is None and payload is None:
            return
        if vector is None or payload is None:
            old = collection.get(vector_id)
            if old is None:
                return
            vector = old.vector if vector is None else vector
            payload = old.metadata if payload is None else payload
        collection.upsert(vector_id, vector, payload, text=_words(payload))

    def get(self, vector_id: str) -> Memory | None:
        """A memory by id; None if it is not there."""
        record = self.client.get(vector_id)
        return None if record is None else _memory(record)

    def list_cols(self) -> list[str]:
        """The names of all collections at the path."""
        return self._shared.database.list_collections()

    def delete_col(self) -> None:
        """Deletes the collection with all memories."""
        self._shared.database.delete_collection(self.collection_name)

    def col_info(self) -> dict[str, typing.Any]:
        """The name of the collection, how many memories it has, their dimension and metric."""
        collection = self.client
        return {
            "name": self.collection_name,
            "count": len(collection),
            "dimension": collection.dimension(),
            "metric": collection.distance_metric,
        }

    def list(self, filters: Filters = None, top_k: int | None = 100) -> list[list[Memory]]:
        """The memories that match, in order of id, at most ``top_k``: a list of one list, as mem0 has it."""
        found: list[Memory] = []
        cursor, wanted = None, _predicate(filters)
        while top_k is None or len(found) < top_k:
            limit = _PAGE if top_k is None else min(_PAGE, top_k - len(found))
            page, cursor = self.client.scroll(wanted, limit=limit, cursor=cursor)
            found.extend(_memory(record) for record in page)
            if cursor is None:
                break
        return [found]

    def reset(self) -> None:
        """Deletes all memories."""
        self.delete_col()
        self.create_col(self.collection_name, typing.cast(int, self._config.dim), self._config.metric)


def register() -> None:
    """Makes ``vecstore`` a provider of vector stores that ``Memory.from_config`` knows.

    mem0 has no place where a provider outside of it is entered; this adds to the tables it looks into.
    """
    from mem0.utils.factory import VectorStoreFactory
    from mem0.vector_stores.configs import VectorStoreConfig

    VectorStoreFactory.provider_to_class["vecstore"] = f"{__name__}.VecStoreVectorStore"
    VectorStoreConfig.__private_attributes__["_provider_configs"].default["vecstore"] = "VecStoreConfig"
    module = types.ModuleType("mem0.configs.vector_stores.vecstore", VecStoreConfig.__doc__)
    module.VecStoreConfig = VecStoreConfig  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module


def _words(payload: abc.Mapping[str, typing.Any]) -> str | None:
    """What a memory is found by: its words as mem0 prepares them, and queries for them."""
    text = payload.get("text_lemmatized") or payload.get("data")
    return text if isinstance(text, str) else None


def _memory(record: Record) -> Memory:
    return Memory(id=record.id, payload=record.metadata)


def _found(neighbors: list[Neighbor]) -> list[Memory]:
    return [
        Memory(id=neighbor.id, score=max(0.0, neighbor.score), payload=neighbor.metadata)
        for neighbor in neighbors
    ]


def _predicate(filters: typing.Any) -> Predicate:
    if not filters:
        return {}
    if not isinstance(filters, abc.Mapping):
        raise FilterError(f"filters: expected a dict, got {type(filters).__name__}")
    # mem0 gives `OR` and `$or` side by side, with the same conditions; the first counts.
    parts: dict[str, Predicate] = {}
    for key, value in filters.items():
        name = _LOGIC.get(key) or str(key)
        if name not in parts:
            parts[name] = _logic(name, value) if name in _LOGIC.values() else _comparison(name, value)
    return all_of(parts.values())


def _logic(name: str, value: typing.Any) -> Predicate:
    if not isinstance(value, (list, tuple)):
        raise FilterError(f"{name}: expected a list of filters, got {type(value).__name__}")
    parts = [_predicate(item) for item in value]
    if name == "AND":
        return all_of(parts)
    return any_of(parts) if name == "OR" else negated(any_of(parts))


def _comparison(key: str, value: typing.Any) -> Predicate:
    if isinstance(value, str) and value == "*":
        return {key: {"$exists": True}}
    if isinstance(value, list):
        return {key: {"$in": value}}
    if not isinstance(value, abc.Mapping):
        return {key: {"$eq": value}}
    return all_of(_condition(key, operator, operand) for operator, operand in value.items())


def _condition(key: str, operator: str, operand: typing.Any) -> Predicate:
    if operator == "icontains":
        return {key: {"$regex": {"pattern": literally(str(operand)), "flags": "i"}}}
    if operator not in _COMPARISONS:
        known = ", ".join([*_COMPARISONS, "icontains"])
        raise FilterError(f"{key}: expected an operator of {known}, got {operator!r}")
    return {key: {_COMPARISONS[operator]: operand}}
