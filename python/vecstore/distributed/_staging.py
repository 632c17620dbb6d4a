"""Searches in stages on Ray: the searches ask all shards; what filters, rescores, reorders or cuts what they
found is done by the engine, on a store in memory that has those records."""

from __future__ import annotations

import dataclasses
import typing
from collections import abc

from vecstore._searches import HybridQuery, PrefetchQuery, Query, QueryStage
from vecstore._vecstore import FilterExpr, Neighbor, parse_filter
from vecstore.distributed._merge import Found
from vecstore.distributed._rows import Rows
from vecstore.distributed._searching import Searching

__all__ = ["Staging"]

#: What is found where the query does not say how much.
K = 10

#: Stages that begin with records of all shards.
SEARCHES = ("vector_search", "text_search", "sparse_search", "hybrid_search", "multi_search")


class Staging(Searching):
    """Searches in stages."""

    def prefetch_query(self, query: PrefetchQuery) -> Found:
        """Searches in stages. See `VecStore.prefetch_query`."""
        if isinstance(query, PrefetchQuery):
            query = _read_twice(query)
        self._empty.prefetch_query(query)
        passed = self._run(query, None)[: K if query.k is None else query.k]
        include = tuple(query.include)
        records = self._records([one.id for one in passed])
        with self._scratch() as scratch:
            for rows in records:
                rows.put(scratch)
            of = {record.id: record for record in scratch.list_all()}
        return Found(
            Neighbor(
                one.id,
                one.score,
                one.distance,
                of[one.id].metadata if "metadata" in include else None,
                of[one.id].vector if "vector" in include else None,
                of[one.id].text if "text" in include else None,
            )
            for one in passed
            if one.id in of
        )

    def _run(self, query: PrefetchQuery, within: typing.Any) -> list[Neighbor]:
        """Runs all stages; ``within`` restricts the searches besides the query's own filter."""
        within = _both(within, query.filter)
        passed: list[Neighbor] = []
        for at, stage in enumerate(query.stages):
            if stage.kind in SEARCHES:
                passed = self._searched(stage, within)
            elif stage.kind == "fusion":
                prefetch = (_query_of(one) for one in stage.arguments["prefetch"])
                passed = self._passed(at, stage, [self._run(one, within) for one in prefetch])
            elif passed:
                passed = self._passed(at, stage, [passed])
        if query.min_score is not None:
            passed = [one for one in passed if one.score >= query.min_score]
        passed = passed[query.offset :]
        return passed if query.k is None else passed[: query.k]

    def _searched(self, stage: QueryStage, within: typing.Any) -> list[Neighbor]:
        arguments = dict(stage.arguments)
        query = arguments.pop("query", None)
        if isinstance(query, HybridQuery):
            how = {name: getattr(query, name) for name in HybridQuery.__dataclass_fields__}
            call: typing.Any = self.hybrid_query
        elif query is not None:
            query = query if isinstance(query, Query) else Query(query)
            how = {name: getattr(query, name) for name in Query.__dataclass_fields__}
            call = self.query
        else:
            how = arguments
            call = getattr(self, stage.kind.replace("search", "query"))
        how["filter"] = _both(within, how.get("filter"))
        return list(call(**{**how, "include": ()}))

    def _passed(self, at: int, stage: QueryStage, found: list[list[Neighbor]]) -> list[Neighbor]:
        """Runs a stage on what those before it passed on."""
        before = {one.id: one for arm in found for one in arm}
        with self._scratch() as scratch:
            if scratch.dimension() is None:
                return []
            for rows in self._records(list(before)):
                rows.put(scratch)
            if stage.kind == "fusion":
                # Its searches are done.
                stage = QueryStage(stage.kind, {**stage.arguments, "prefetch": _placeholders(len(found))})
            scored = [[(one.id, one.score) for one in arm] for arm in found]
            passed = scratch._search_stage(at, stage, scored)
        if stage.kind in ("fusion", "rerank") or (
            stage.kind == "mmr" and stage.arguments["vector"] is not None
        ):
            return list(passed)
        # Its distance is still that of the search.
        return [Neighbor(one.id, one.score, before[one.id].distance, None, None, None) for one in passed]

    def _records(self, ids: abc.Sequence[str]) -> list[Rows]:
        """Returns whole records, of each shard its own."""
        return [rows for _, rows in self._of_ids_by_part("rows_of_ids", ids) if rows is not None]


def _read_twice(query: PrefetchQuery) -> PrefetchQuery:
    """Returns a query whose parts can be looked at twice; what is wrong stays as it is, to be refused."""
    changes: dict[str, typing.Any] = {}
    for name in ("stages", "include"):
        value = getattr(query, name)
        if isinstance(value, abc.Iterable) and not isinstance(value, (str, bytes)):
            changes[name] = tuple(value)
    return dataclasses.replace(query, **changes)


def _query_of(one: QueryStage | PrefetchQuery) -> PrefetchQuery:
    return PrefetchQuery([one]) if isinstance(one, QueryStage) else _read_twice(one)


def _placeholders(count: int) -> tuple[QueryStage, ...]:
    return (QueryStage.sparse_search({0: 1.0}),) * count


def _both(a: typing.Any, b: typing.Any) -> typing.Any:
    """Returns a filter that matches what both do."""
    if a is None or b is None:
        return b if a is None else a
    return {"$and": [_as_dict(a), _as_dict(b)]}


def _as_dict(filter: typing.Any) -> typing.Any:
    parsed = parse_filter(filter) if isinstance(filter, str) else filter
    return parsed.to_dict() if isinstance(parsed, FilterExpr) else parsed
