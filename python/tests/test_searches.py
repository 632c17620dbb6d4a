"""Searches beyond the plain ones, against numpy."""

from __future__ import annotations

import contextlib
import io
import pickle
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecstore
from vecstore import (
    Decay,
    FieldBoost,
    FilterBoost,
    HybridQuery,
    InvalidInputError,
    NotFoundError,
    PrefetchQuery,
    Query,
    QueryStage,
    VecStore,
)

ROWS, DIM = 300, 40
NOW = datetime.now(timezone.utc)


class World:
    """A store of random records, and its columns."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.rng = rng
        self.vectors = rng.standard_normal((ROWS, DIM)).astype(np.float32)
        self.unit = self.vectors / np.linalg.norm(self.vectors, axis=1, keepdims=True)
        self.ids = [f"r{n:03}" for n in range(ROWS)]
        self.ages = rng.integers(0, 100, ROWS)
        self.prices = rng.integers(0, 50, ROWS)
        metadatas = [
            {"n": n, "price": int(price), "at": NOW - timedelta(days=int(age)), "kind": f"k{n % 30 % 4}"}
            for n, (price, age) in enumerate(zip(self.prices, self.ages))
        ]
        texts = [f"{'red' if n % 3 else 'blue'} thing {n}" for n in range(ROWS)]
        self.store = VecStore(":memory:")
        self.store.upsert_many(self.ids, self.vectors, metadatas, texts=texts)
        self.store.compact()

    def scores(self, vector: Any) -> Any:
        return self.unit @ (vector / np.linalg.norm(vector))

    def best(self, scores: Any, k: int, without: tuple[str, ...] = ()) -> list[str]:
        order = [self.ids[at] for at in np.argsort(-scores, kind="stable") if self.ids[at] not in without]
        return order[:k]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def ids(found: list[vecstore.Neighbor]) -> list[str]:
    return [neighbor.id for neighbor in found]


def test_recommend_takes_ids_and_vectors(world: World) -> None:
    up, down = world.unit[[3, 5]], world.unit[7]
    average = 2 * (up[0] + up[1]) / 2 - down
    found = world.store.recommend(["r003", world.vectors[5]], ["r007"], k=9, exact=True)
    assert ids(found) == world.best(world.scores(average), 9, ("r003", "r007"))
    sums = world.unit @ up[0] + world.unit @ up[1] - world.unit @ down
    found = world.store.recommend(["r003", "r005"], ["r007"], 9, strategy="sum_scores", exact=True)
    assert ids(found) == world.best(sums, 9, ("r003", "r005", "r007"))
    assert found[0].score == pytest.approx(np.sort(sums)[-1 - 2], abs=1.0)
    best = np.maximum(world.unit @ up[0], world.unit @ up[1])
    found = world.store.recommend(["r003", "r005"], strategy="best_score", k=9, exact=True)
    assert ids(found) == world.best(best, 9, ("r003", "r005"))
    assert ids(world.store.recommend("r003", k=3, exact=True)) == ids(
        world.store.query_by_id("r003", 3, exact=True)
    )
    found = world.store.recommend(["r003"], k=5, filter={"kind": "k1"})
    assert [neighbor.metadata["kind"] for neighbor in found] == ["k1"] * 5


def test_query_by_id_may_include_itself(world: World) -> None:
    assert ids(world.store.query_by_id("r010", 5, include_self=True, exact=True)) == world.best(
        world.scores(world.vectors[10]), 5
    )
    assert "r010" not in ids(world.store.query_by_id("r010", 5))
    with pytest.raises(NotFoundError, match="nobody"):
        world.store.query_by_id("nobody")


def mmr(scores: Any, unit: Any, fetched: list[int], k: int, lambda_: float) -> list[int]:
    left, chosen = list(fetched), [fetched[0]]
    left.remove(fetched[0])
    while left and len(chosen) < k:
        worth = [lambda_ * scores[n] - (1 - lambda_) * max(unit[n] @ unit[c] for c in chosen) for n in left]
        chosen.append(left.pop(int(np.argmax(worth))))
    return chosen


@pytest.mark.parametrize("lambda_", [0.1, 0.5, 0.9])
def test_mmr_query_is_maximal_marginal_relevance(world: World, lambda_: float) -> None:
    vector = world.rng.standard_normal(DIM)
    scores = world.scores(vector)
    fetched = [int(n) for n in np.argsort(-scores, kind="stable")[:40]]
    expected = [world.ids[n] for n in mmr(scores, world.unit, fetched, 8, lambda_)]
    assert ids(world.store.mmr_query(vector, 8, 40, lambda_, exact=True)) == expected


def test_groups_are_full(world: World) -> None:
    vector = world.rng.standard_normal(DIM)
    order = world.best(world.scores(vector), ROWS)
    kinds: dict[str, list[str]] = {}
    for member in order:
        kinds.setdefault(f"k{int(member[1:]) % 30 % 4}", []).append(member)
    groups = world.store.group_query(vector, "kind", groups=10, group_size=20, exact=True)
    assert [(group.value, ids(group.neighbors)) for group in groups] == [
        (kind, members[:20]) for kind, members in kinds.items()
    ]
    assert len(world.store.group_query(vector, by="kind", groups=2, group_size=1)) == 2
    assert world.store.group_query(vector, by="nothing") == []


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("exp", lambda d: 0.3**d),
        ("gauss", lambda d: 0.3 ** (d * d)),
        ("linear", lambda d: np.maximum(1 - 0.7 * d, 0)),
    ],
)
def test_recency_decays(world: World, kind: Any, left: Callable[[Any], Any]) -> None:
    vector = world.rng.standard_normal(DIM)
    scores = world.scores(vector)
    d = np.maximum(world.ages - 5, 0) / 20
    factors = left(d)
    boosted = np.where(scores >= 0, scores * factors, scores / np.maximum(factors, 1e-300))
    boost = Decay("at", NOW, timedelta(days=20), timedelta(days=5), 0.3, kind)
    found = world.store.query(vector, k=12, boost=boost, exact=True)
    assert [neighbor.score for neighbor in found] == pytest.approx(np.sort(boosted)[::-1][:12], abs=1e-5)
    iso = Decay("at", NOW.isoformat(), 20 * 86400, 5 * 86400, 0.3, kind)
    assert world.store.query(vector, k=12, boost=[iso], exact=True) == found
    assert ids(world.store.query_batch([vector], k=12, boost=boost, exact=True)[0]) == ids(found)
    # A recent record is about as old now as it was then.
    now = world.store.query(
        vector, k=12, boost=Decay("at", None, 20 * 86400, 5 * 86400, 0.3, kind), exact=True
    )
    assert [n.score for n in now] == pytest.approx([n.score for n in found], abs=1e-3)


def test_boosts_join(world: World) -> None:
    vector = world.rng.standard_normal(DIM)
    boosts: list[Decay | FilterBoost | FieldBoost] = [
        FilterBoost({"kind": "k1"}, 3.0),
        FieldBoost("price", 0.1, "sqrt", mode="add", most=1.5),
    ]
    kinds = np.array([n % 30 % 4 for n in range(ROWS)])
    scores = world.scores(vector)
    tripled = np.where(scores >= 0, scores * 3, scores / 3)
    expected = np.where(kinds == 1, tripled, scores) + np.minimum(np.sqrt(0.1 * world.prices), 1.5)
    found = world.store.query(vector, k=12, boost=boosts, exact=True)
    assert [neighbor.score for neighbor in found] == pytest.approx(np.sort(expected)[::-1][:12], abs=1e-5)
    query = Query(vector, k=12, boost=boosts, exact=True)
    assert ids([hit.neighbor for hit in world.store.query_explain(query)]) == ids(found)
    assert world.store.explain_query(query).results == 12
    texts = world.store.text_query("red", k=3, boost=FieldBoost("n"))
    assert ids(texts) == ["r299", "r298", "r296"]
    hybrid = world.store.hybrid_query(vector, "red", k=3, boost=FilterBoost("n = 4", 1e6), candidates=300)
    assert hybrid[0].id == "r004"


@pytest.mark.parametrize(
    ("boost", "error", "message"),
    [
        ({"n": 2}, TypeError, "boost: expected a Decay"),
        ([1], TypeError, "got int"),
        (Decay("at", None, 0), InvalidInputError, "scale"),
        (Decay("at", None, 1, decay=1), InvalidInputError, "decay"),
        (Decay("at", "yesterday", 1), ValueError, "yesterday"),
        (Decay("at", NOW.replace(tzinfo=None), 1), InvalidInputError, "aware"),
        (Decay("at", None, "x"), TypeError, "scale"),  # type: ignore[arg-type]
        (Decay("at", None, 1, kind="log"), InvalidInputError, "exp, gauss, linear"),  # type: ignore[arg-type]
        (FieldBoost("n", -1), InvalidInputError, "factor"),
        (FieldBoost("", 1), InvalidInputError, "path"),
        (FilterBoost("n ==", 1), vecstore.FilterError, "expected"),
        (FilterBoost({"n": 1}, 1, "divide"), InvalidInputError, "multiply, add"),  # type: ignore[arg-type]
    ],
)
def test_bad_boosts_are_refused(world: World, boost: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        world.store.query([1] * DIM, boost=boost)


def test_stages(world: World) -> None:
    vector, other = world.rng.standard_normal((2, DIM))
    first = world.best(world.scores(vector), 60)

    def run(*stages: QueryStage, **more: Any) -> list[vecstore.Neighbor]:
        return world.store.prefetch_query(PrefetchQuery(stages, **more))

    search = QueryStage.vector_search(vector, k=60, exact=True)
    scores = dict(zip(world.ids, world.scores(other)))
    expected = sorted(first, key=lambda one: -scores[one])
    assert ids(run(search, QueryStage.rerank(other))) == expected[:10]
    assert ids(run(search, QueryStage.rerank(other, k=4), offset=1)) == expected[1:4]
    assert ids(run(search, QueryStage.filter("n < 100"), k=60)) == [
        one for one in first if int(one[1:]) < 100
    ]
    assert ids(run(search, QueryStage.rerank(score="0 - n"), k=3)) == sorted(first)[:3]
    assert ids(run(search, QueryStage.boost(FilterBoost("n = 1000", 2)), QueryStage.limit(5))) == first[:5]
    assert ids(run(search, QueryStage.mmr(5, vector=vector))) == ids(
        world.store.mmr_query(vector, 5, 60, exact=True)
    )
    assert run(QueryStage.text_search("blue", k=7)) == world.store.text_query("blue", 7)
    hybrid = QueryStage.hybrid_search(vector, "blue", k=5, alpha=0.3, candidates=50)
    assert run(hybrid) == world.store.hybrid_query(vector, "blue", k=5, alpha=0.3, candidates=50)
    fused = QueryStage.fusion(
        [QueryStage.vector_search(vector, k=50), PrefetchQuery([QueryStage.text_search("blue", k=50)])],
        weights=[0.3, 0.7],
    )
    assert run(fused, k=5) == run(hybrid)
    found = run(fused, k=5, filter={"kind": "k2"}, include=("vector",))
    assert all(int(neighbor.id[1:]) % 30 % 4 == 2 and neighbor.vector for neighbor in found)
    least = run(search, QueryStage.min_score(0.2))
    assert all(neighbor.score >= 0.2 for neighbor in least)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([], "at least one stage"),
        ([QueryStage.limit(3)], r"stage 1 \(limit\)"),
        ([QueryStage.vector_search([1.0])], r"stage 1 \(vector_search\): dimension"),
        ([QueryStage.text_search("a"), QueryStage.rerank(score="1 +")], r"stage 2 \(rerank\): formula"),
        ([QueryStage.text_search("red"), QueryStage.rerank()], "got none"),
        ([QueryStage.text_search("red"), QueryStage.rerank([1], score="1")], "got several"),
        ([QueryStage("sql")], "no stage of the kind `sql`"),
        ([QueryStage.fusion([])], "at least one prefetch"),
        ([QueryStage.fusion([QueryStage.text_search("a")], "best")], "fusion must be one of"),
    ],
)
def test_bad_stages_are_refused(world: World, stages: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        world.store.prefetch_query(PrefetchQuery(stages))


def test_prefetches_nest_as_deep_as_they_may(world: World) -> None:
    def nested(depth: int) -> QueryStage:
        stage = QueryStage.text_search("red")
        for _ in range(depth):
            stage = QueryStage.fusion([stage])
        return stage

    assert world.store.prefetch_query(PrefetchQuery([nested(7)]))
    for depth in (8, 500):
        with pytest.raises(InvalidInputError, match="nest 8 deep"):
            world.store.prefetch_query(PrefetchQuery([nested(depth)]))


def test_a_prefix_is_enough_to_find_candidates(world: World) -> None:
    vector = world.rng.standard_normal(DIM).astype(np.float32)
    head = world.vectors[:, :8]
    prefix = (head @ vector[:8]) / np.linalg.norm(head, axis=1)
    candidates = np.argsort(-prefix)[:100]
    scores = world.scores(vector)
    expected = [world.ids[n] for n in sorted(candidates, key=lambda n: -scores[n])[:10]]
    assert ids(world.store.query(vector, prefix_dim=8)) == expected
    assert ids(world.store.query(vector, prefix_dim=DIM)) == ids(world.store.query(vector, exact=True))
    for wrong in (0, DIM + 1):
        with pytest.raises(InvalidInputError, match="prefix_dim"):
            world.store.query(vector, prefix_dim=wrong)


def test_the_examples_of_the_guide_run() -> None:
    guide = Path(__file__).resolve().parents[2] / "docs" / "search.md"
    blocks = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    scope: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for block in blocks:
            exec(compile(block, str(guide), "exec"), scope)
    assert len(blocks) == 9


def max_sim(query: Any, tokens: Any) -> float:
    def unit(rows: Any) -> Any:
        return rows / np.linalg.norm(rows, axis=-1, keepdims=True)

    return float((unit(query) @ unit(tokens).T).max(axis=1).sum())


def test_multi_query_is_max_sim(path: Path) -> None:
    rng = np.random.default_rng(5)
    many = [rng.standard_normal((int(count), 16)).astype(np.float32) for count in rng.integers(1, 9, 200)]
    with VecStore(path) as store:
        store.upsert_multi("d0", many[0], {"n": 0}, text="zero")
        names = [f"d{n}" for n in range(1, 200)]
        assert store.upsert_multi_many(names, many[1:], [{"n": n} for n in range(1, 200)]) == 199
    with VecStore(path) as store:
        query = rng.standard_normal((4, 16))
        scores = np.array([max_sim(query, tokens) for tokens in many])
        order = np.argsort(-scores)
        found = store.multi_query(query, k=10, exact=True)
        assert ids(found) == [f"d{n}" for n in order[:10]]
        assert [neighbor.score for neighbor in found] == pytest.approx(scores[order[:10]], abs=1e-4)
        assert len(set(ids(store.multi_query(query, k=10, candidates=60))) & set(ids(found))) >= 5
        found = store.multi_query(query, k=5, filter="n < 50", exact=True)
        assert ids(found) == [f"d{n}" for n in order if n < 50][:5]
        stages = [QueryStage.vector_search(query[0], k=200), QueryStage.rerank(vectors=query, k=3)]
        assert ids(store.prefetch_query(PrefetchQuery(stages))) == [f"d{n}" for n in order[:3]]
        stage = QueryStage.multi_search(query, k=3, exact=True)
        assert ids(store.prefetch_query(PrefetchQuery([stage]))) == [f"d{n}" for n in order[:3]]
        record = store.get("d7")
        assert record is not None
        assert record.vectors == many[7].tolist()
        assert pickle.loads(pickle.dumps(record)) == record
        with VecStore(":memory:") as copy:
            copy.batch_upsert(store.list_all())
            assert copy.get("d7") == record
        for vectors in ([], [[1.0, 2.0], [1.0]], np.zeros((2, 16)), np.zeros((0, 16))):
            with pytest.raises(ValueError, match="vector"):
                store.upsert_multi("bad", vectors)


def test_near_duplicates_are_found_and_left_out() -> None:
    rng = np.random.default_rng(6)
    originals = rng.standard_normal((50, 40)).astype(np.float32)
    copies = originals[:20] + 0.01 * rng.standard_normal((20, 40)).astype(np.float32)
    with VecStore(":memory:") as store:
        store.upsert_many([f"a{n:02}" for n in range(50)], originals)
        assert store.find_duplicates() == []
        names = [f"b{n:02}" for n in range(20)]
        result = store.upsert_unique([*names, "c"], [*copies, -originals[0]], threshold=0.99)
        assert (result.written, "c" in store, len(store)) == (1, True, 51)
        assert [(found.id, found.of) for found in result.duplicates] == [
            (f"b{n:02}", f"a{n:02}") for n in range(20)
        ]
        store.upsert_many(names, copies)
        assert store.find_duplicates(0.99, exact=True) == result.duplicates
        assert store.find_duplicates(0.99, {"x": 1}) == []
        assert store.upsert_unique([], []).written == 0


def test_values_pickle_and_show_themselves(world: World) -> None:
    values = [
        Query([1, 2], boost=Decay("at", None, 5)),
        HybridQuery([1, 2], "a", boost=[FieldBoost("n"), FilterBoost({"n": 1}, 2)]),
        PrefetchQuery([QueryStage.fusion([QueryStage.text_search("a")]), QueryStage.mmr(3)]),
        world.store.group_query([1] * DIM, "kind", 1, 1)[0],
        vecstore.UniqueResult(1, [vecstore.Duplicate("a", "b", 0.99)]),
        vecstore.HNSWSearchParams.fast(),
    ]
    for value in values:
        assert pickle.loads(pickle.dumps(value)) == value
        assert repr(value).startswith(type(value).__name__ + "(")
