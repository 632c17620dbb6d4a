"""Shards answer as one store does: the same records, in the same order, with the same scores."""

from __future__ import annotations

import pickle
import random
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

import numpy as np
import pytest

import vecstore
from vecstore import Decay, FieldBoost, FilterBoost, VecStore
from vecstore.distributed import RayCollection
from vecstore.distributed._arguments import K_MAX

from .conftest import Make, as_one

ROWS, DIM = 400, 24
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
WORDS = ["solar", "panel", "wind", "farm", "river", "stone", "light", "heavy", "red", "blue"]
WORDS += ["green", "fast", "slow", "solstice", "soliton"]


def written(seed: int, stores: list[Any]) -> None:
    """Writes the same records to stores: with ties, deletes, replaced and hidden ones."""
    rng, words = np.random.default_rng(seed), random.Random(seed)
    # Few values for each component: many records are equally far from a query.
    vectors = rng.integers(1, 4, (ROWS, DIM)).astype(np.float32)
    vectors[::5] = rng.standard_normal((len(vectors[::5]), DIM))
    ids = [f"id-{number * 7919 % ROWS}" for number in range(ROWS)]
    metadatas = [
        {
            "n": n,
            "kind": f"k{n % 7}",
            "price": float(n % 13),
            "tags": [f"t{n % 3}", f"t{n % 5}"],
            "at": NOW - timedelta(days=n % 50),
            "mixed": [None, True, 1, 1.5, "1", b"1", ["x"], {"y": 1}][n % 8],
        }
        for n in range(ROWS)
    ]
    texts = [" ".join(words.choices(WORDS, k=words.randint(1, 12))) if n % 9 else None for n in range(ROWS)]
    sparse = [{n % 20: 1.0 + n % 3, 30 + n % 4: 0.5} if n % 2 else None for n in range(ROWS)]
    for store in stores:
        store.upsert_many(ids, vectors, metadatas, texts=texts, sparse=sparse)
        assert store.delete_many(ids[10:40]) == 30
        store.upsert_many(ids[20:30], vectors[100:110], metadatas[20:30], texts=["solar wind"] * 10)
        assert store.delete_where({"n": {"$gte": 390}}) == 10
        for hidden in ids[50:60]:
            assert store.soft_delete(hidden)
        assert store.restore(ids[55])
        store.patch_metadata(ids[70], {"price": 99.0})
        store.index_text(ids[71], "solar solar solar farm")


class Both:
    """A collection in shards, and one store with the same records."""

    def __init__(self, collection: RayCollection, metric: str, seed: int) -> None:
        self.many = collection
        self.one = VecStore(":memory:", metric=metric)
        written(seed, [self.one, self.many])
        self.rng = np.random.default_rng(seed + 1)

    def vectors(self, count: int) -> list[Any]:
        return [*self.rng.integers(1, 4, (count, DIM)).astype(np.float32)]

    def same(self, name: str, *args: Any, **kwargs: Any) -> None:
        one, many = getattr(self.one, name)(*args, **kwargs), getattr(self.many, name)(*args, **kwargs)
        if isinstance(one, vecstore.QueryBatch):
            one, many = [*map(list, one)], [*map(list, many)]
        assert many == one, (name, args, kwargs)


@pytest.fixture(scope="module", params=["cosine", "euclidean", "dot"])
def both(request: pytest.FixtureRequest, make: Make) -> Both:
    return Both(make(3, metric=request.param), request.param, seed=7)


FILTERS: list[Any] = [None, {"kind": "k3"}, "price < 5 AND NOT kind = 'k1'", {"tags": {"$contains": "t4"}}]


def test_vectors(both: Both) -> None:
    for vector in both.vectors(4):
        for chosen in FILTERS:
            both.same("query", vector, 10, chosen, exact=True, include=("metadata", "vector", "text"))
        both.same("query", vector, 50, exact=True, offset=17)
        both.same("query", vector, 1000, exact=True)
        score = both.one.query(vector, 20, exact=True)[-1].score
        both.same("query", vector, 100, exact=True, min_score=score)
        boosts = [Decay("at", NOW, timedelta(days=20)), FieldBoost("price"), FilterBoost({"kind": "k2"}, 1.5)]
        for boost in [*boosts, boosts]:
            both.same("query", vector, 10, exact=True, boost=boost)
    both.same("query_batch", np.stack(both.vectors(9)), 7, exact=True)
    both.same("query_batch", np.stack(both.vectors(600)), 7, exact=True)  # in several parts
    both.same("query_batch", [vector.tolist() for vector in both.vectors(300)], 3, FILTERS[1], exact=True)


def test_arguments_in_any_form(both: Both) -> None:
    vector = both.vectors(1)[0]
    narrow = {"k": np.uint8(200), "offset": np.uint8(100), "exact": True}
    both.same("query", vector, **narrow)
    both.same("query_batch", [vector], **narrow)
    both.same("query", vector, K_MAX, offset=1, exact=True)
    both.same("query_by_id", "id-3", K_MAX, exact=True)
    both.same("recommend", ["id-3"], k=K_MAX, exact=True)
    both.same("group_query", vector, "kind", 1 << 20, 16, exact=True)
    both.same("hybrid_query", vector, "solar", 2_000_000, exact=True, boost=FieldBoost("price"))
    kinds: list[Any] = [np.array, lambda ids: np.array(ids, dtype=object), iter, tuple, dict.fromkeys]
    for kind in kinds:
        for ids in (["id-3"], ["id-3", "id-9"]):
            # Iterators can be looked at once: each gets one of its own.
            found = [
                where.recommend(kind(ids), kind(["id-7"]), exact=True) for where in (both.one, both.many)
            ]
            assert found[0] == found[1]
    rows = both.vectors(3)
    for search in ("query_batch", "multi_query"):
        answers = [
            [*getattr(where, search)((row.tolist() for row in rows), 5, exact=True)]
            for where in (both.one, both.many)
        ]
        assert answers[0] == answers[1], search
    for wrong in (1, "no", None):
        with pytest.raises(TypeError, match="partial: expected a bool, got"):
            both.many.query(vector, partial=wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"vector: expected a vector .* got generator"):
        both.many.update_vector("id-3", (number for number in vector))  # type: ignore[arg-type]
    assert pickle.loads(pickle.dumps(both.many.query_batch(rows, 5)))[1] == both.many.query(rows[1], 5)


def test_ordered_pages_go_on_after_the_longest_id(make: Make) -> None:
    many = make(2, dim=2)
    ids = ["a", "y" * 1021, "z" * 1024, "é" * 512]
    many.upsert_many(ids, [[1.0, 0.0]] * 4, [{"n": 1}] * 4)
    found: list[str] = []
    cursor = None
    while True:
        page = many.scroll(limit=1, cursor=cursor, order_by="n")
        found += [record.id for record in page.records]
        if (cursor := page.cursor) is None:
            break
    assert found == ids


STRATEGIES: tuple[Literal["average_vector", "best_score", "sum_scores"], ...] = (
    "average_vector",
    "best_score",
    "sum_scores",
)


def test_recommended_are_ordered_by_distances_not_by_rounded_scores(make: Make) -> None:
    many = make(2, dim=2, metric="euclidean")
    with VecStore(":memory:", metric="euclidean") as one:
        rows = ["a", "b", "c", "d"], [[0.0, 0.0], [3.0000002, 0.0], [3.0, 0.0], [3.0000005, 0.0]]
        one.upsert_many(*rows)
        many.upsert_many(*rows)
        for strategy in STRATEGIES:
            found = many.recommend([[0.0, 0.0]], exact=True, strategy=strategy)
            assert found == one.recommend([[0.0, 0.0]], exact=True, strategy=strategy)


def test_words(both: Both) -> None:
    queries = [
        "solar",
        "solar panel",
        "+solar -wind",
        '"solar panel" red',
        "sol*",
        "+so* blue",
        "-sol* red",
        "nothing",
        "re* gr* sto*",
    ]
    for keywords in queries:
        for chosen in FILTERS:
            both.same("text_query", keywords, 15, chosen)
        both.same("text_query", keywords, 1000, include=("text",))
        both.same("text_query", keywords, 10, offset=5, min_score=0.5)
        both.same("text_query", keywords, 10, boost=FieldBoost("price"))
        both.same("text_query", keywords, 10, boosts={"text": 2.5})


def test_sparse_vectors(both: Both) -> None:
    for sparse in ({3: 1.0}, {7: 2.0, 30: 1.0, 31: 0.25}, {33: 1.0}, {999: 1.0}):
        both.same("sparse_query", sparse, 25)
        both.same("sparse_query", sparse, 25, {"price": {"$gt": 3}}, offset=3)


@pytest.mark.parametrize(
    "fusion", ["rrf", "relative", "dbsf", "weighted", "max", "min", "mnz", "borda", "isr"]
)
def test_both_fused(both: Both, fusion: str) -> None:
    for vector in both.vectors(3):
        for alpha in (0.0, 0.3, 0.7, 1.0):
            both.same("hybrid_query", vector, "solar wind", 10, alpha, fusion=fusion, exact=True)
        both.same("hybrid_query", vector, "red -blue", 10, filter={"kind": "k3"}, fusion=fusion, exact=True)
        both.same(
            "hybrid_query", vector, "sol*", 10, fusion=fusion, exact=True, candidates=40, offset=4, autocut=2
        )
        both.same(
            "hybrid_query",
            vector,
            "river",
            5,
            fusion=fusion,
            exact=True,
            boost=FieldBoost("price"),
            min_score=0.01,
        )


def test_searches_made_of_others(both: Both) -> None:
    ids = [record.id for record in both.one.scroll(limit=40).records]
    for vector in both.vectors(4):
        both.same("mmr_query", vector, 8, 40, 0.4, exact=True)
        both.same("group_query", vector, "kind", 5, 4, exact=True)
        both.same("group_query", vector, "tags", 10, 3, {"price": {"$lt": 9}}, exact=True)
        both.same("recommend", [ids[3], vector], [ids[9]], 12, exact=True)
        both.same("recommend", [ids[3], ids[4]], [ids[9]], 12, strategy="sum_scores", exact=True)
        both.same("recommend", ids[5], k=12, strategy="best_score", exact=True, offset=3)
        both.same("multi_query", np.stack([vector, both.vectors(1)[0]]), 9, exact=True)
    both.same("query_by_id", ids[7], 12, exact=True)
    both.same("query_by_id", ids[7], 12, exact=True, include_self=True, offset=2)


def test_records_and_counts(both: Both) -> None:
    assert as_one(iter(both.many.list_all())) == as_one(iter(both.one.list_all()))
    ids = [record.id for record in both.one.list_all()]
    both.same("get_many", [*ids[::3], "absent", ids[0]])
    for name in (
        "count",
        "len",
        "active_count",
        "deleted_count",
        "is_empty",
        "dimension",
        "list_deleted",
        "list_active",
    ):
        both.same(name)
    for chosen in FILTERS:
        both.same("count", chosen)
        for path in ("kind", "price", "tags", "mixed", "n", "absent", "at"):
            both.same("distinct", path, chosen)
            both.same("facets", path, chosen)
    both.same("facets", "kind", limit=3)
    both.same("facets", "price", buckets=[0, 3, 6, 20])
    for order in (None, "price", "-price", "mixed", ("n", "desc"), "absent"):
        cursor: str | None = None
        pages = 0
        while pages == 0 or cursor is not None:
            how: dict[str, Any] = {
                "limit": 77,
                "cursor": cursor,
                "order_by": order,
                "with_vectors": pages % 2 == 0,
            }
            page = both.one.scroll({"price": {"$gte": 2}}, **how)
            assert both.many.scroll({"price": {"$gte": 2}}, **how) == page
            cursor, pages = page.cursor, pages + 1
    assert as_one(iter(both.many)) == as_one(iter(both.one))


@pytest.mark.parametrize("seed", range(3))
def test_after_changes_at_random(make: Make, seed: int) -> None:
    collection = both_of(make)
    words = random.Random(seed)
    with VecStore(":memory:", dim=4) as one:
        for step in range(60):
            name = f"r{words.randrange(25)}"
            vector = [words.choice([1.0, 2.0, -1.0]) for _ in range(4)]
            change = words.choice(
                ["upsert", "upsert", "delete", "soft_delete", "restore", "patch", "text", "where"]
            )
            outcomes = [changed(store, change, name, vector, step) for store in (one, collection)]
            assert outcomes[0] == outcomes[1], (change, name)
        assert as_one(iter(collection.list_all())) == as_one(iter(one.list_all()))
        assert list(collection.query([1.0] * 4, 30, exact=True)) == list(one.query([1.0] * 4, 30, exact=True))
        assert list(collection.text_query("solar 1*")) == list(one.text_query("solar 1*"))


_kept: list[RayCollection] = []


def both_of(make: Make) -> RayCollection:
    """An empty collection of four components."""
    if not _kept:
        _kept.append(make(2, dim=4))
    _kept[0].delete_many([record.id for record in _kept[0].list_all()])
    return _kept[0]


def changed(store: Any, change: str, id: str, vector: list[float], step: int) -> Any:
    try:
        if change == "upsert":
            return store.upsert(id, vector, {"step": step}, text=f"solar {step}")
        if change == "patch":
            return store.patch_metadata(id, {"step": step, "patched": True})
        if change == "text":
            return store.index_text(id, f"solar wind {step}")
        if change == "where":
            return store.delete_where({"step": {"$lt": step - 40}})
        return getattr(store, change)(id)
    except vecstore.NotFoundError as error:
        return str(error)


def test_approximate_searches_find_no_less(make: Make) -> None:
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((50, 48))
    vectors = (centres[rng.integers(0, 50, 9_200)] + 0.4 * rng.standard_normal((9_200, 48))).astype(
        np.float32
    )
    queries = (centres[rng.integers(0, 50, 100)] + 0.4 * rng.standard_normal((100, 48))).astype(np.float32)
    ids = [f"v{n}" for n in range(len(vectors))]
    collection = make(2, dim=48)
    with VecStore(":memory:") as one:
        recalls = []
        for store in (one, collection):
            store.upsert_many(ids, vectors)
            store.compact()
            exact, found = store.query_batch(queries, 10, exact=True), store.query_batch(queries, 10)
            hits = [len({a.id for a in row} & {b.id for b in true}) for row, true in zip(found, exact)]
            recalls.append(sum(hits) / (10 * len(queries)))
    assert recalls[1] >= recalls[0] - 0.005
