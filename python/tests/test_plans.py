"""Plans: their figures against what must be true, and what decides how a part is searched."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import vecstore
from vecstore import (
    ExplainedNeighbor,
    F,
    HNSWSearchParams,
    Query,
    QueryExplanation,
    QueryPlan,
    QueryStep,
    VecStore,
)

ROWS, DIM, GROUPS = 8_000, 64, 4


def vectors() -> npt.NDArray[np.float32]:
    """Points around a centre for each group, in 10 dimensions of 64; the group of row n is n % 4."""
    rng = np.random.default_rng(7)
    centers = 3 * rng.standard_normal((GROUPS, 10))
    points = centers[np.arange(ROWS) % GROUPS] + rng.standard_normal((ROWS, 10))
    noise = 0.05 * rng.standard_normal((ROWS, DIM))
    rows: npt.NDArray[np.float32] = (points @ rng.standard_normal((10, DIM)) + noise).astype(np.float32)
    return rows


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VecStore]:
    """A store with one segment that has a graph."""
    with VecStore(tmp_path_factory.mktemp("plans") / "store") as store:
        metadatas = [{"n": n, "group": n % GROUPS, "odd": n // GROUPS % 2 == 1} for n in range(ROWS)]
        store.upsert_many([f"{n:04}" for n in range(ROWS)], vectors(), metadatas)
        store.optimize()
        yield store


@pytest.fixture(scope="module")
def target() -> npt.NDArray[np.float32]:
    """A vector near those of group 0."""
    near: npt.NDArray[np.float32] = vectors()[0] + np.float32(0.1)
    return near


def check(plan: QueryPlan) -> None:
    """What holds of every plan."""
    assert plan.results == sum(step.results for step in plan.steps) <= plan.k
    assert plan.distances == sum(step.distances for step in plan.steps)
    assert plan.filter_time_us >= 0
    if plan.threads == 1:
        assert plan.filter_time_us + sum(step.time_us for step in plan.steps) <= plan.time_us
    for step in plan.steps:
        assert step.time_us > 0
        assert step.live <= step.rows
        assert step.results <= step.full_distances
        assert step.reranked <= step.full_distances
        assert step.outcome == "done" or step.results == 0


def test_a_walk_visits_few_of_the_rows(graph: VecStore, target: npt.NDArray[np.float32]) -> None:
    plan = graph.explain_query(target)
    check(plan)
    [step] = plan.steps
    assert (step.method, step.layout, step.kind, step.outcome) == ("graph walk", "fast", "segment", "done")
    assert step.reason == "the segment has a graph"
    assert step.rows == step.live == plan.records == ROWS
    assert 10 < step.visits == step.code_distances < ROWS / 4
    assert step.estimates >= step.visits
    assert plan.k <= step.reranked == step.full_distances < step.visits + plan.k
    assert plan.results == 10
    assert step.slack is not None
    assert step.matches_at_most is None
    assert plan.filter is None
    assert plan.recall == 0.95
    assert plan.lsn == graph.stats().lsn


def step_of(found: ExplainedNeighbor) -> QueryStep:
    assert isinstance(found.explanation, QueryExplanation)
    return found.explanation.step


def test_a_search_explained_finds_the_same(graph: VecStore, target: npt.NDArray[np.float32]) -> None:
    cases: list[dict[str, Any]] = [{}, {"filter": F("n") < 6000}, {"exact": True}, {"k": 3, "offset": 2}]
    for arguments in cases:
        query = Query(target, **arguments)
        found = graph.query_explain(query)
        assert [one.neighbor for one in found] == graph.query(target, **arguments)
        ranks = [one.explanation.rank for one in found]
        assert ranks == list(range(query.offset + 1, query.offset + query.k + 1))
        assert len({step_of(one).part for one in found}) == 1
        assert step_of(found[0]).results == len(found)


def test_more_recall_takes_more_visits(graph: VecStore, target: npt.NDArray[np.float32]) -> None:
    presets = [HNSWSearchParams.fast(), HNSWSearchParams.balanced(), HNSWSearchParams.high_recall()]
    assert [preset.recall for preset in presets] == [0.80, 0.95, 0.99]
    rng = np.random.default_rng(3)
    queries = vectors()[:50] + 0.1 * rng.standard_normal((50, DIM)).astype(np.float32)
    visits = [
        sum(graph.explain_query(Query(query, recall=preset.recall)).visits for query in queries)
        for preset in presets
    ]
    # Slacks are measured in steps: two recalls that are near may have the same.
    assert visits[0] < visits[2]
    assert visits[0] <= visits[1] <= visits[2]
    exact = graph.explain_query(Query(target, recall=HNSWSearchParams.max_recall().recall))
    check(exact)
    assert {step.method for step in exact.steps} == {"scan of codes"}
    assert {step.reason for step in exact.steps} == {"exact search was asked for"}
    assert sum(step.code_distances for step in exact.steps) == ROWS
    assert graph.query_with_params(Query(target), HNSWSearchParams.max_recall()) == graph.query(
        target, exact=True
    )


def test_few_matches_are_scored_one_by_one(graph: VecStore, target: npt.NDArray[np.float32]) -> None:
    handful = graph.explain_query(Query(target, filter=F("n") < 20))
    hundreds = graph.explain_query(Query(target, filter=F("n") < 600))
    for plan, matches in ((handful, 20), (hundreds, 600)):
        check(plan)
        [step] = plan.steps
        assert step.reason == "few rows match"
        assert step.matches_at_most == matches
        assert (step.visits, step.results) == (0, 10)
    assert handful.steps[0].method == "matches by vectors"
    assert handful.steps[0].full_distances == 20
    assert handful.reranked == 0
    assert hundreds.steps[0].method == "matches by codes"
    assert hundreds.steps[0].code_distances == 600
    assert 10 <= hundreds.reranked < 600


def test_many_matches_are_walked_to(graph: VecStore, target: npt.NDArray[np.float32]) -> None:
    free = graph.explain_query(target)
    filtered = graph.explain_query(Query(target, filter={"odd": True}))
    check(filtered)
    [step] = filtered.steps
    assert (step.method, step.matches_at_most) == ("graph walk", ROWS // 2)
    assert free.visits < filtered.visits < ROWS
    assert filtered.filter == vecstore.FilterExpr({"odd": True})
    assert filtered.filter_time_us > 0


def test_a_walk_to_the_wrong_place_is_followed_by_a_scan(
    graph: VecStore, target: npt.NDArray[np.float32]
) -> None:
    plan = graph.explain_query(Query(target, filter={"group": {"$in": [1, 2]}}))
    check(plan)
    walk, scan = plan.steps
    assert (walk.method, walk.results, walk.reranked) == ("graph walk", 0, 0)
    assert walk.outcome in ("gave up", "found too few")
    assert walk.visits > 0
    assert (scan.method, scan.reason, scan.outcome) == ("matches by codes", "the walk was not enough", "done")
    assert (scan.part, scan.results) == (walk.part, 10)
    assert 0 < scan.code_distances < ROWS


def test_each_part_has_its_step(target: npt.NDArray[np.float32]) -> None:
    with VecStore(":memory:") as store:
        store.upsert_many([f"{n:04}" for n in range(1000)], vectors()[:1000], [{"n": n} for n in range(1000)])
        store.upsert("late", target)
        store.soft_delete("0004")
        plan = store.explain_query(target)
        check(plan)
        assert [(step.live, step.method, step.reason) for step in plan.steps] == [
            (999, "scan of signs", "the part has no graph"),
            (1, "scan of vectors", "the part has few rows"),
        ]
        assert [step.results for step in plan.steps] == [9, 1]
        assert plan.steps[0].estimates == 1000
        assert {step.kind for step in plan.steps} == {"memory"}
        best, second, *_ = store.query_explain(target)
        assert (best.id, step_of(best)) != (second.id, step_of(second))
        filtered = store.explain_query(Query(target, filter=F("n") < 500))
        check(filtered)
        assert filtered.steps[0].reason == "a filter, and no graph"
    with VecStore(":memory:", metric="manhattan") as store:
        store.upsert_many([str(n) for n in range(500)], vectors()[:500])
        [step] = store.explain_query(target).steps
        assert step.reason == "the metric or the dimension has no codes"
        assert step.full_distances == 500
    with VecStore(":memory:") as store:
        assert store.explain_query([1.0, 2.0]).steps == ()
        assert store.query_explain([1.0, 2.0]) == []


def test_an_exact_search_on_two_threads_is_one_step(tmp_path: Path) -> None:
    with VecStore(tmp_path / "store", threads=2) as store:
        rng = np.random.default_rng(1)
        store.upsert_many(
            [str(n) for n in range(40_000)], rng.standard_normal((40_000, 32)).astype(np.float32)
        )
        plan = store.explain_query(Query(np.ones(32), exact=True))
        check(plan)
        assert plan.threads == 2
        assert len({step.part for step in plan.steps}) == len(plan.steps)
        assert sum(step.full_distances + step.code_distances for step in plan.steps) >= 40_000


def test_an_estimate_is_of_several_runs(graph: VecStore, target: npt.NDArray[np.float32]) -> None:
    query = Query(target, filter={"odd": True})
    estimate, plan = graph.estimate_query(query), graph.explain_query(query)
    assert (estimate.records, estimate.matches, estimate.selectivity) == (ROWS, ROWS // 2, 0.5)
    assert (estimate.visits, estimate.distances) == (plan.visits, plan.distances)
    assert (estimate.results, estimate.reranked) == (plan.results, plan.reranked)
    assert 0 < estimate.time_us_min <= estimate.time_us <= estimate.time_us_max
    assert graph.estimate_query(target).selectivity == 1.0


def test_a_plan_is_shown_as_a_table(graph: VecStore, target: npt.NDArray[np.float32]) -> None:
    plan = graph.explain_query(Query(target, filter="odd = true OR n = '<b>'"))
    head, columns, step = repr(plan).splitlines()
    assert head.startswith("QueryPlan(k=10, recall=0.95, metric=cosine, filter={'$or': ")
    assert columns.split()[:2] == ["part", "live"]
    assert plan.steps[0].part in step
    assert "graph walk (fast)" in step
    shown = plan._repr_html_()
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown
    assert shown.count("<tr>") == 2
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_a_query_has_the_arguments_of_a_search(store: VecStore) -> None:
    query = Query([1, 0, 0], k=1, offset=1, include=("vector",))
    [found] = store.query_explain(query)
    assert (found.id, found.explanation.rank, found.metadata) == ("pear", 2, {})
    assert found.vector == pytest.approx([0.8, 0.2, 0.1])
    assert found.text is None
    assert (found.score, found.distance) == (found.neighbor.score, found.neighbor.distance)
    assert store.query_with_params(query, HNSWSearchParams()) == [found.neighbor]
    assert store.explain_query(Query([1, 0, 0], min_score=0.98)).results == 1
    with pytest.raises(TypeError, match="query: expected"):
        store.explain_query("no vector")  # type: ignore[arg-type]
    with pytest.raises(vecstore.InvalidInputError, match="k must be"):
        store.explain_query(Query([1, 0, 0], k=0))
    with pytest.raises(vecstore.DimensionMismatchError):
        store.query_explain([1, 0])
    with pytest.raises(vecstore.FilterError):
        store.estimate_query(Query([1, 0, 0], filter={"$no": 1}))
