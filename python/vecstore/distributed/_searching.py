"""The methods of a collection on Ray that search: every shard is asked for its best, and the best of those
are the answer.
"""

from __future__ import annotations

import functools
import time
import typing
from collections import abc
from concurrent import futures

from vecstore._searches import Group
from vecstore._types import Embedder, Filter, Metadata, Sparse, Vector, Vectors
from vecstore._values import HNSWSearchParams, Query
from vecstore._vecstore import Neighbor, VecStore, _fuse, _MergedAnswers
from vecstore.distributed import _merge
from vecstore.distributed._arguments import (
    K_MAX,
    check_flag,
    is_of_numpy,
    looked_at_twice,
    reach,
    sent_vector,
)
from vecstore.distributed._merge import Answers, Found, Lazy
from vecstore.distributed._reading import Reading
from vecstore.distributed._rows import rows_that_match

__all__ = ["Searching"]

_Include = abc.Iterable[typing.Literal["metadata", "vector", "text"]]
_Fusion = typing.Literal["rrf", "relative", "dbsf", "weighted", "max", "min", "mnz", "borda", "isr"]
_Strategy = typing.Literal["average_vector", "best_score", "sum_scores"]

#: What each arm of a hybrid search finds where scores are boosted, as in one store: times what is wanted, and
#: at least.
BOOSTED_FACTOR, BOOSTED_MIN = 16, 256

#: Queries that are asked for at a time: more are asked for in parts.
BATCH = 256

#: How many times as many neighbors are looked at each time that those there are make too few groups.
GROWTH = 4


class Searching(Reading):
    """Searches. With ``partial=True`` shards that do not answer soon are left out, and ``missing`` of what is
    found says which.
    """

    def query(
        self,
        vector: Vector,
        k: int = 10,
        filter: Filter | None = None,
        *,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
        prefix_dim: int | None = None,
        partial: bool = False,
    ) -> Found:
        """Returns the records nearest to a vector. See `VecStore.query`."""
        include = _listed(include)
        how: dict[str, typing.Any] = {"recall": recall, "exact": exact, "min_score": min_score}
        how.update(boost=boost, include=include, params=params)
        self._empty.query(vector, k, filter, offset=offset, prefix_dim=prefix_dim, **how)
        if prefix_dim is not None:
            missing = _missing(partial)
            # Each shard orders as many candidates by whole vectors as one store would of all records.
            of_shards = self._all(
                "query",
                sent_vector(vector),
                reach(k, offset),
                filter,
                missing=missing,
                prefix_dim=prefix_dim,
                **how,
            )
            return Found(_merge.by_score(of_shards, reach(k, offset))[offset:], missing or ())
        return self._best([vector], k, offset, filter, how, partial)[0]

    def query_batch(
        self,
        vectors: Vectors,
        k: int = 10,
        filter: Filter | None = None,
        *,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
        partial: bool = False,
    ) -> Answers:
        """Answers many queries at once. See `VecStore.query_batch`.

        More than 256 are asked for in parts, each of a moment of its own. With ``read_from="any"`` the copies
        of a shard share them.
        """
        include = _listed(include)
        how: dict[str, typing.Any] = {"recall": recall, "exact": exact, "min_score": min_score}
        how.update(boost=boost, include=include, params=params)
        vectors = looked_at_twice(vectors)
        count = len(self._empty.query_batch(vectors, k, filter, offset=offset, **how))
        if count == 0:
            return Answers([])
        return Answers(self._best(vectors, k, offset, filter, how, partial))

    def _best(
        self,
        vectors: typing.Any,
        k: int,
        offset: int,
        filter: typing.Any,
        how: dict[str, typing.Any],
        partial: bool,
    ) -> Lazy:
        vectors = self._sent(vectors)
        ask = functools.partial(self._best_of, k=k, offset=offset, filter=filter, how=how, partial=partial)
        if len(vectors) <= BATCH:
            return Lazy([ask(vectors)])
        # While some are merged here, shards look for others; copies of a shard look for some each.
        copies = self._manifest.replicas + 1 if self._config.read_from == "any" else 1
        parts = (vectors[start : start + BATCH] for start in range(0, len(vectors), BATCH))
        with futures.ThreadPoolExecutor(2 * copies, "vecstore-batch") as threads:
            return Lazy(threads.map(ask, parts))

    def _best_of(
        self,
        vectors: typing.Any,
        k: int,
        offset: int,
        filter: typing.Any,
        how: dict[str, typing.Any],
        partial: bool,
    ) -> tuple[_MergedAnswers, list[int]]:
        missing = _missing(partial)
        wanted = reach(k, offset)
        of_shards = self._all("nearest", vectors, wanted, filter, missing=missing, **how)
        return _merge.nearest(of_shards, len(vectors), wanted, offset), missing or []

    def _sent(self, vectors: typing.Any) -> typing.Any:
        """Returns vectors that one store takes as they can be sent to shards."""
        if isinstance(vectors, (list, tuple)):
            return [sent_vector(vector) for vector in vectors]
        if is_of_numpy(vectors):
            return vectors
        import numpy

        with VecStore(":memory:", metric="euclidean") as store:
            rows = len(store.query_batch(vectors, 1))
            store.upsert_many([f"{at:012}" for at in range(rows)], vectors)
            batches = [rows.vectors for rows in rows_that_match(store)]
        return numpy.frombuffer(b"".join(batches), "<f4").reshape(rows, -1)

    def query_with_filter(
        self, vector: Vector, k: int, filter: Filter | None, *, params: Metadata | None = None
    ) -> Found:
        """Returns the nearest records that match. See `VecStore.query_with_filter`."""
        return self.query(vector, k, filter, params=params)

    def query_with_params(self, query: Query, params: HNSWSearchParams) -> Found:
        """Runs a `Query` with the recall of a preset. See `VecStore.query_with_params`."""
        self._empty.query_with_params(query, params)
        return self.query(
            query.vector,
            query.k,
            query.filter,
            recall=params.recall,
            exact=query.exact,
            offset=query.offset,
            min_score=query.min_score,
            boost=query.boost,
            include=query.include,
        )

    def query_by_id(
        self,
        id: str,
        k: int = 10,
        filter: Filter | None = None,
        *,
        include_self: bool = False,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
    ) -> Found:
        """Returns the records nearest to another one. See `VecStore.query_by_id`."""
        check_flag("include_self", include_self)
        record = self.get(id)
        if record is None or record.vector is None:
            self._empty.query_by_id(id, k, filter, params=params)  # raises: there is none
            raise AssertionError("an empty store has no record")
        include = _listed(include)
        how: dict[str, typing.Any] = {"recall": recall, "exact": exact, "min_score": min_score}
        how.update(boost=boost, include=include, params=params)
        self._empty.query(record.vector, k, filter, offset=offset, **how)
        found = self._best([record.vector], reach(k, offset, 1), 0, filter, how, False)[0]
        rest = [neighbor for neighbor in found if include_self or neighbor.id != id]
        return Found(rest[offset:][:k])

    def text_query(
        self,
        keywords: str,
        k: int = 10,
        filter: Filter | None = None,
        *,
        offset: int = 0,
        min_score: float | None = None,
        boost: typing.Any = None,
        boosts: abc.Mapping[str, float] | None = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
        partial: bool = False,
    ) -> Found:
        """Returns the records whose texts match words best, by BM25 over all shards. See
        `VecStore.text_query`.
        """
        include = _listed(include)
        how: dict[str, typing.Any] = {"min_score": min_score, "boost": boost, "boosts": boosts}
        how.update(include=include, params=params)
        self._empty.text_query(keywords, k, filter, offset=offset, **how)
        missing = _missing(partial)
        found = self._matched(keywords, reach(k, offset), filter, how, missing)
        return Found(found[offset:], sorted(set(missing or ())))

    def _matched(
        self, keywords: str, k: int, filter: typing.Any, how: dict[str, typing.Any], missing: list[int] | None
    ) -> list[Neighbor]:
        counts = self._all("text_statistics", keywords, how["boosts"], missing=missing)
        statistics = _merge.statistics(counts)
        return _merge.by_score(self._all("text", statistics, keywords, k, filter, missing=missing, **how), k)

    def sparse_query(
        self,
        indices_values: Sparse,
        k: int = 10,
        filter: Filter | None = None,
        *,
        offset: int = 0,
        min_score: float | None = None,
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
        partial: bool = False,
    ) -> Found:
        """Returns the records whose sparse vectors have the largest dot products. See
        `VecStore.sparse_query`.
        """
        include = _listed(include)
        how: dict[str, typing.Any] = {
            "min_score": min_score,
            "boost": boost,
            "include": include,
            "params": params,
        }
        self._empty.sparse_query(indices_values, k, filter, offset=offset, **how)
        missing = _missing(partial)
        found = self._all("sparse_query", indices_values, reach(k, offset), filter, missing=missing, **how)
        return Found(_merge.by_score(found, reach(k, offset))[offset:], missing or ())

    def hybrid_query(
        self,
        vector: Vector,
        keywords: str,
        k: int = 10,
        alpha: float = 0.7,
        filter: Filter | None = None,
        *,
        fusion: _Fusion = "rrf",
        rrf_k: float = 60.0,
        candidates: int | None = None,
        autocut: int | None = None,
        boosts: abc.Mapping[str, float] | None = None,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
        partial: bool = False,
    ) -> Found:
        """Returns the records that match a vector and words best, fused after the merge. See
        `VecStore.hybrid_query`.
        """
        include = _listed(include)
        self._empty.hybrid_query(
            vector,
            keywords,
            k,
            alpha,
            filter,
            fusion=fusion,
            rrf_k=rrf_k,
            candidates=candidates,
            autocut=autocut,
            boosts=boosts,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )
        search: dict[str, typing.Any] = {"recall": recall, "exact": exact, "params": params}
        words = {"boosts": boosts, "params": params}
        missing = _missing(partial)
        arms = self._arms(
            vector,
            keywords,
            reach(k, offset),
            alpha,
            filter,
            candidates,
            boost,
            include,
            search,
            words,
            missing,
        )
        fused = arms.fused(alpha, fusion, rrf_k, autocut, boost)[offset:][:k]
        neighbors = (
            arms.neighbor(found, score, include)
            for found, score in fused
            if min_score is None or score >= min_score
        )
        return Found(neighbors, sorted(set(missing or ())))

    def _arms(
        self,
        vector: Vector,
        keywords: str,
        wanted: int,
        alpha: float,
        filter: Filter | None,
        candidates: int | None,
        boost: typing.Any,
        include: _Include,
        search: dict[str, typing.Any],
        words: dict[str, typing.Any],
        missing: list[int] | None,
    ) -> _Arms:
        """Returns what both arms of a hybrid search find."""
        depth = _depth(wanted, alpha, candidates, bool(boost))
        # Boosts look at the metadata.
        carried = tuple({*include, "metadata"}) if boost else include
        by_vector, by_words = Found(), list[Neighbor]()
        if alpha > 0.0:
            by_vector = self._best(
                [vector], depth, 0, filter, {**search, "include": carried}, missing is not None
            )[0]
            if missing is not None:
                missing.extend(by_vector.missing)
        if alpha < 1.0:
            by_words = self._matched(keywords, depth, filter, {**words, "include": carried}, missing)
        return _Arms(by_vector, by_words)

    def recommend(
        self,
        positive: str | abc.Sequence[str | Vector] | Vectors,
        negative: str | abc.Sequence[str | Vector] | Vectors = (),
        k: int = 10,
        filter: Filter | None = None,
        *,
        strategy: _Strategy = "average_vector",
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
    ) -> Found:
        """Returns records like some and unlike others. See `VecStore.recommend`."""
        include = _listed(include)
        positive, negative = _listed(positive), _listed(negative)
        ids = [*_ids_of(positive), *_ids_of(negative)]
        how: dict[str, typing.Any] = {"strategy": strategy, "recall": recall, "exact": exact}
        how.update(min_score=min_score, boost=boost, include=include, params=params)
        known: dict[str, typing.Any] = {}
        with self._scratch() as store:
            for record in self.get_many(list(dict.fromkeys(ids))):
                if record is not None:
                    known[record.id] = record.vector
                    store.upsert(record.id, known[record.id])
            # Raises for what one store refuses, and for ids that are not there.
            store.recommend(positive, negative, k, filter, offset=offset, **how)
        wanted = reach(k, offset, len(known))
        found = self._all(
            "recommended", _vectors_of(positive, known), _vectors_of(negative, known), wanted, filter, **how
        )
        merged = _merge.nearest(found, 1, wanted).neighbors(0)
        rest = [neighbor for neighbor in merged if neighbor.id not in known]
        return Found(rest[offset:][:k])

    def mmr_query(
        self,
        vector: Vector,
        k: int = 10,
        fetch_k: int = 50,
        lambda_: float = 0.5,
        filter: Filter | None = None,
        *,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
    ) -> Found:
        """Returns records that are near and unlike each other. See `VecStore.mmr_query`."""
        include = _listed(include)
        how: dict[str, typing.Any] = {
            "offset": offset,
            "min_score": min_score,
            "boost": boost,
            "include": include,
        }
        self._empty.mmr_query(
            vector, k, fetch_k, lambda_, filter, recall=recall, exact=exact, params=params, **how
        )
        depth = max(fetch_k, reach(k, offset))
        search: dict[str, typing.Any] = {"recall": recall, "exact": exact, "boost": boost, "params": params}
        with self._nearest_in_memory(vector, depth, filter, search) as store:
            return Found(store.mmr_query(vector, k, fetch_k, lambda_, exact=True, **how))

    def group_query(
        self,
        vector: Vector,
        by: str,
        groups: int = 10,
        group_size: int = 3,
        filter: Filter | None = None,
        *,
        recall: float = 0.95,
        exact: bool = False,
        min_score: float | None = None,
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
    ) -> list[Group]:
        """Returns the best records of the best groups. See `VecStore.group_query`."""
        include = _listed(include)
        how: dict[str, typing.Any] = {"min_score": min_score, "boost": boost, "include": include}
        self._empty.group_query(vector, by, groups, group_size, filter, recall=recall, params=params, **how)
        depth = min(int(groups) * int(group_size) * GROWTH, K_MAX)
        while True:
            search: dict[str, typing.Any] = {
                "recall": recall,
                "exact": exact,
                "boost": boost,
                "params": params,
            }
            with self._nearest_in_memory(vector, depth, filter, search) as store:
                found = store.group_query(vector, by, groups, group_size, exact=True, **how)
                are_all = len(store) < depth or depth == K_MAX
            are_full = len(found) == groups and all(len(group.neighbors) == group_size for group in found)
            if are_full or are_all:
                return found
            depth = min(depth * GROWTH, K_MAX)

    def _nearest_in_memory(
        self, vector: Vector, k: int, filter: typing.Any, search: dict[str, typing.Any]
    ) -> VecStore:
        """Returns a store in memory with the nearest records."""
        how = {**search, "include": ("metadata", "vector", "text")}
        found = self._best([vector], k, 0, filter, how, False)[0]
        store = self._scratch()
        store.upsert_many(
            [neighbor.id for neighbor in found],
            [neighbor.vector for neighbor in found],
            [neighbor.metadata for neighbor in found],
            texts=[neighbor.text for neighbor in found],
        )
        return store

    def multi_query(
        self,
        vectors: Vectors,
        k: int = 10,
        filter: Filter | None = None,
        *,
        candidates: int | None = None,
        recall: float = 0.95,
        exact: bool = False,
        offset: int = 0,
        min_score: float | None = None,
        boost: typing.Any = None,
        include: _Include = ("metadata",),
        params: Metadata | None = None,
    ) -> Found:
        """Returns the records nearest to several vectors at once. See `VecStore.multi_query`."""
        include = _listed(include)
        how: dict[str, typing.Any] = {"candidates": candidates, "recall": recall, "exact": exact}
        how.update(min_score=min_score, boost=boost, include=include, params=params)
        vectors = looked_at_twice(vectors)
        self._empty.multi_query(vectors, k, filter, offset=offset, **how)
        found = self._all("multi_query", self._sent(vectors), reach(k, offset), filter, **how)
        return Found(_merge.by_score(found, reach(k, offset))[offset:])

    def query_text(
        self,
        text: str,
        embedder: Embedder,
        k: int = 10,
        filter: Filter | None = None,
        *,
        params: Metadata | None = None,
    ) -> typing.Any:
        """Embeds a text and returns the records nearest to it. See `VecStore.query_text`."""
        from vecstore.rag import _chunks

        return _chunks.query_text(self, text, embedder, k, filter, params=params)

    def highlight(
        self,
        keywords: str,
        text: str,
        *,
        before: str = "<b>",
        after: str = "</b>",
        length: int = 160,
        passages: int = 3,
    ) -> list[str]:
        """Returns passages of a text that show what of the keywords is in it. See `VecStore.highlight`."""
        self._check_open()
        return self._empty.highlight(
            keywords, text, before=before, after=after, length=length, passages=passages
        )


class _Arms(typing.NamedTuple):
    """What the arms of a hybrid search found."""

    by_vector: abc.Sequence[Neighbor]
    by_words: abc.Sequence[Neighbor]

    def fused(
        self, alpha: float, fusion: str, rrf_k: float, autocut: int | None, boost: typing.Any
    ) -> list[tuple[str, float]]:
        """Makes one ranking of both: ids with their scores."""
        found = [*self.by_vector, *self.by_words]
        return _fuse(
            [(neighbor.id, neighbor.score) for neighbor in self.by_vector],
            [(neighbor.id, neighbor.score) for neighbor in self.by_words],
            alpha,
            fusion,
            rrf_k,
            autocut=autocut,
            boost=boost,
            metadatas={one.id: one.metadata for one in found} if boost else None,
            now_unix_ms=time.time_ns() // 1_000_000,
        )

    def neighbor(self, id: str, score: float, include: _Include) -> Neighbor:
        """Returns a neighbor with its score of the ranking."""
        of = next(one for one in (*self.by_vector, *self.by_words) if one.id == id)
        metadata = of.metadata if "metadata" in include else None
        return Neighbor(of.id, score, -score, metadata, of.vector, of.text)


def _missing(partial: bool) -> list[int] | None:
    """Returns where shards that are missing are noted, if that is wanted."""
    check_flag("partial", partial)
    return [] if partial else None


def _listed(items: typing.Any) -> typing.Any:
    """Returns what is included, or examples, as they can be looked at twice; what is wrong stays as it is, to
    be refused.
    """
    return tuple(items) if isinstance(items, abc.Iterable) and not isinstance(items, str) else items


def _depth(wanted: int, alpha: float, candidates: int | None, is_boosted: bool) -> int:
    """Returns how many records each arm of a hybrid search finds, as in one store."""
    if alpha in (0.0, 1.0) and not is_boosted:
        return wanted
    if candidates is not None:
        return max(candidates, wanted)
    return min(max(wanted * BOOSTED_FACTOR, BOOSTED_MIN), K_MAX) if is_boosted else wanted


def _ids_of(examples: typing.Any) -> list[str]:
    if isinstance(examples, str):
        return [examples]
    return [one for one in examples if isinstance(one, str)] if isinstance(examples, tuple) else []


def _vectors_of(examples: typing.Any, known: abc.Mapping[str, typing.Any]) -> list[typing.Any]:
    """Returns examples with vectors in the place of ids."""
    if isinstance(examples, str):
        return [known[examples]]
    return [known[one] if isinstance(one, str) else sent_vector(one) for one in examples]
