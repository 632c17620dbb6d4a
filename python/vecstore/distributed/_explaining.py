"""The methods of a collection on Ray that say how a query was done: the steps of all shards."""

from __future__ import annotations

import dataclasses
import time
import typing

from vecstore._plans import (
    ExplainedNeighbor,
    HybridExplanation,
    QueryEstimate,
    QueryExplanation,
    QueryPlan,
    QueryStep,
)
from vecstore._searches import HybridQuery, Query
from vecstore._types import Vector
from vecstore._vecstore import Neighbor
from vecstore.distributed import _merge
from vecstore.distributed._arguments import sent_vector
from vecstore.distributed._searching import Searching, _listed

__all__ = ["Explaining"]

#: As in one store: runs of an estimate.
RUNS = 5


class Explaining(Searching):
    """Queries that say how they were done."""

    def explain_query(self, query: Query | Vector) -> QueryPlan:
        """Runs a query and returns how it was done. See `VecStore.explain_query`.

        The parts are those of all shards, with the shard's number in front. Times of a part are the shard's;
        the whole is what the caller waited, and ``lsn`` is the sum of the shards'.
        """
        return self._planned(query)[0]

    def query_explain(self, query: Query | HybridQuery | Vector) -> list[ExplainedNeighbor]:
        """Runs a query and returns its neighbors and how each was found. See `VecStore.query_explain`."""
        if isinstance(query, HybridQuery):
            return self._explained_hybrid(query)
        plan, found = self._planned(query)
        return [
            ExplainedNeighbor(neighbor, QueryExplanation(plan.offset + rank, plan.metric, plan.steps[step]))
            for rank, (neighbor, step) in enumerate(found, 1)
        ]

    def estimate_query(self, query: Query | Vector) -> QueryEstimate:
        """Runs a query five times and returns what it takes. See `VecStore.estimate_query`."""
        plans = [self._planned(query)[0] for _ in range(RUNS)]
        times = sorted(plan.time_us for plan in plans)
        last = plans[-1]
        return QueryEstimate(
            runs=RUNS,
            records=self.count(),
            matches=self.count(last.filter),
            results=last.results,
            visits=last.visits,
            distances=last.distances,
            reranked=last.reranked,
            time_us=times[RUNS // 2],
            time_us_min=times[0],
            time_us_max=times[-1],
        )

    def _planned(self, query: Query | Vector) -> tuple[QueryPlan, list[tuple[Neighbor, int]]]:
        """Returns the plan, and the neighbors with the places of the steps that found them."""
        if isinstance(query, Query):
            query = dataclasses.replace(query, include=_listed(query.include))
        asked = self._empty.explain_query(query)  # raises for what one store refuses
        query = query if isinstance(query, Query) else Query(query)
        query = dataclasses.replace(query, vector=sent_vector(query.vector))
        of_one = dataclasses.replace(query, k=query.k + query.offset, offset=0)
        began = time.perf_counter()
        of_shards = self._all("explained", of_one)
        steps: list[QueryStep] = []
        answers, found_by = [], dict[str, int]()
        for shard, (plan, neighbors, places, keys) in zip(self._manifest.shards, of_shards):
            answers.append((neighbors, None if query.boost else keys))
            found_by.update(
                (one.id, len(steps) + place) for one, place in zip(neighbors, places) if place is not None
            )
            steps += [
                dataclasses.replace(step, part=f"shard-{shard}/{step.part}", results=0) for step in plan.steps
            ]
        merged = _merge.by_key(answers, query.k + query.offset)[query.offset :]
        took = (time.perf_counter() - began) * 1e6
        for one in merged:
            step = steps[found_by[one.id]]
            steps[found_by[one.id]] = dataclasses.replace(step, results=step.results + 1)
        plans = [plan for plan, *_ in of_shards]
        plan = dataclasses.replace(
            asked,
            lsn=sum(plan.lsn for plan in plans),
            records=sum(plan.records for plan in plans),
            steps=tuple(steps),
            results=len(merged),
            threads=sum(plan.threads for plan in plans),
            filter_time_us=sum(plan.filter_time_us for plan in plans),
            time_us=took,
        )
        return plan, [(one, found_by[one.id]) for one in merged]

    def _explained_hybrid(self, query: HybridQuery) -> list[ExplainedNeighbor]:
        include = _listed(query.include)
        query = dataclasses.replace(query, include=include)
        self._empty.query_explain(query)  # raises for what one store refuses
        search: dict[str, typing.Any] = {"recall": query.recall, "exact": query.exact, "params": None}
        arms = self._arms(
            query.vector,
            query.keywords,
            query.k + query.offset,
            query.alpha,
            query.filter,
            query.candidates,
            query.boost,
            include,
            search,
            {"boosts": query.boosts, "params": None},
            None,
        )
        by_vector = {one.id: (rank, one.score) for rank, one in enumerate(arms.by_vector, 1)}
        by_words = {one.id: (rank, one.score) for rank, one in enumerate(arms.by_words, 1)}
        ranked = arms.fused(query.alpha, query.fusion, query.rrf_k, query.autocut, query.boost)
        absent = (None, None)
        explained = []
        ranked = ranked[query.offset : query.offset + query.k]
        for rank, (found, score) in enumerate(ranked, query.offset + 1):
            if query.min_score is not None and score < query.min_score:
                continue
            arm, words = by_vector.get(found, absent), by_words.get(found, absent)
            explanation = HybridExplanation(rank, query.fusion, query.alpha, *arm, *words)
            explained.append(ExplainedNeighbor(arms.neighbor(found, score, include), explanation))
        return explained
