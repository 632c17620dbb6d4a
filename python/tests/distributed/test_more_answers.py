"""Shards answer as one store does: duplicates, searches in stages, explanations, files."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecstore
from vecstore import FieldBoost, FilterBoost, HybridQuery, PrefetchQuery, Query, QueryStage, VecStore
from vecstore.distributed import RayCollection

from .conftest import Make, as_one, clear
from .test_one_answer import FILTERS, Both


@pytest.fixture(scope="module", params=["cosine", "euclidean", "dot"])
def both(request: pytest.FixtureRequest, make: Make) -> Both:
    return Both(make(3, metric=request.param), request.param, seed=11)


@pytest.fixture(scope="module")
def few(make: Make) -> RayCollection:
    return make(2, dim=3)


@pytest.fixture
def pair(few: RayCollection) -> Iterator[tuple[VecStore, RayCollection]]:
    """One store and one in shards, both empty."""
    clear(few)
    with VecStore(":memory:", dim=3) as one:
        yield one, few


def test_duplicates(both: Both) -> None:
    # Scores of which many pairs are at least as large, and few.
    scores = [
        neighbor.score for vector in both.vectors(3) for neighbor in both.one.query(vector, 30, exact=True)
    ]
    for threshold in (max(scores), float(np.median(scores))):
        for chosen in FILTERS[:3]:
            both.same("find_duplicates", threshold, chosen, exact=True)
    assert both.one.find_duplicates(float(np.median(scores)), exact=True)


@pytest.mark.parametrize("seed", range(4))
def test_only_what_is_unlike_is_written(pair: tuple[VecStore, RayCollection], seed: int) -> None:
    rng, words = np.random.default_rng(seed), random.Random(seed)
    for size in (5, 40, 700, 30):
        # Ids and vectors come again, within a call and later.
        ids = [f"u{words.randrange(600)}" for _ in range(size)]
        vectors = rng.integers(1, 6, (size, 3)).astype(np.float32) + 0.01 * rng.standard_normal((size, 3))
        how: dict[str, Any] = {
            "metadatas": [{"n": n} if n % 3 else None for n in range(size)],
            "texts": [f"solar {n}" if n % 2 else None for n in range(size)],
            "threshold": words.choice([0.9, 0.98, 0.999, 0.9999]),
            "exact": True,
        }
        one, many = (store.upsert_unique(ids, vectors, **how) for store in pair)
        assert many == one
        assert as_one(iter(pair[1].list_all())) == as_one(iter(pair[0].list_all()))
    assert pair[1].upsert_unique([], []).written == 0
    for store in pair:
        with pytest.raises(vecstore.DimensionMismatchError):
            store.upsert_unique(["a"], [[1.0]])
        with pytest.raises(vecstore.InvalidInputError, match="threshold"):
            store.upsert_unique(["a"], [[1.0, 2.0, 3.0]], threshold=float("nan"))


def test_two_that_bring_the_same_do_not_both_bring_it(few: RayCollection, make: Make) -> None:
    import threading

    clear(few)
    other = make(None, uri=few.uri)
    vectors = np.random.default_rng(3).standard_normal((40, 3))
    results: list[Any] = []

    def bring(collection: RayCollection, name: str) -> None:
        for start in range(0, 40, 10):
            ids = [f"{name}{n}" for n in range(start, start + 10)]
            results.append(
                collection.upsert_unique(ids, vectors[start : start + 10], threshold=0.99999, exact=True)
            )

    threads = [threading.Thread(target=bring, args=pair) for pair in ((few, "a"), (other, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(result.written for result in results) == few.count() == 40


def stages(vector: Any, other: Any) -> list[list[QueryStage]]:
    """Returns searches in stages of all kinds."""
    make, boost = QueryStage, FilterBoost({"kind": "k2"}, 3.0)
    searches = [
        make.vector_search(vector, 60, exact=True),
        make.vector_search(vector, 60, {"kind": "k3"}, exact=True, boost=FieldBoost("price")),
        make.text_search("solar wind", 50),
        make.sparse_search({3: 1.0, 30: 0.5}, 40),
        make.hybrid_search(vector, "sol*", 50, exact=True),
        make.multi_search(np.stack([vector, other]), 40, exact=True),
        make.fusion([make.vector_search(vector, 30, exact=True), make.text_search("red", 30)], k=40),
        make.fusion(
            [
                PrefetchQuery([make.vector_search(other, 40, exact=True), make.min_score(0.01)], k=20),
                make.sparse_search({7: 1.0}, 40),
                PrefetchQuery([make.text_search("river -blue", 40)], offset=3, filter={"price": {"$gt": 2}}),
            ],
            "relative",
            30,
            weights=[1.0, 0.25, 2.0],
        ),
    ]
    rest = [
        [],
        [make.filter({"price": {"$lt": 8}}), make.limit(15)],
        [make.rerank(other, 20), make.min_score(0.001)],
        [make.rerank(vectors=np.stack([other, vector]), k=12)],
        [make.rerank(score="default(price, 1) / rank + score", k=25), make.boost(boost)],
        [make.mmr(12, 0.3), make.rerank(score="rank")],
        [make.mmr(9, 0.6, vector=other), make.limit(7)],
    ]
    return [[search, *more] for search, more in itertools.product(searches, rest)]


def test_searches_in_stages(both: Both) -> None:
    vector, other = both.vectors(2)
    nothing = QueryStage.vector_search(vector, exact=True, filter={"kind": "none"})
    queries = [PrefetchQuery(one, k=20) for one in stages(vector, other)]
    queries += [
        dataclasses.replace(queries[0], k=None),
        dataclasses.replace(queries[1], filter="price < 5", offset=2, include=("vector", "text")),
        dataclasses.replace(queries[-1], filter={"kind": "k1"}, min_score=0.5),
        PrefetchQuery([nothing, QueryStage.mmr(3)]),
    ]
    for query in queries:
        one, many = both.one.prefetch_query(query), both.many.prefetch_query(query)
        assert list(many) == list(one), query
    assert any(len(both.many.prefetch_query(query)) > 5 for query in queries)


def test_bad_stages_say_which(both: Both) -> None:
    vector = both.vectors(1)[0]
    search = QueryStage.vector_search(vector, exact=True)
    for stages in ([], [QueryStage.limit(3)], [search, QueryStage.rerank(score="price +")], [search, search]):
        query = PrefetchQuery(stages)
        with pytest.raises(vecstore.InvalidInputError) as one:
            both.one.prefetch_query(query)
        with pytest.raises(vecstore.InvalidInputError) as many:
            both.many.prefetch_query(query)
        assert str(many.value) == str(one.value)
    with pytest.raises(vecstore.InvalidInputError, match=r"stage 2 \(rerank\)"):
        both.many.prefetch_query(PrefetchQuery([search, QueryStage.rerank(score="1 / 0")]))


def test_explanations(both: Both) -> None:
    for vector in both.vectors(3):
        query = Query(vector, 12, {"kind": "k3"}, exact=True, offset=2)
        one, many = both.one.explain_query(query), both.many.explain_query(query)
        for name in ("metric", "records", "k", "offset", "recall", "filter", "results", "distances"):
            assert getattr(many, name) == getattr(one, name), name
        assert sum(step.results for step in many.steps) == many.results
        assert {step.part.split("/")[0] for step in many.steps} == {f"shard-{n}" for n in both.many.shards}
        pairs = zip(both.one.query_explain(query), both.many.query_explain(query))
        for a, b in pairs:
            assert (a.neighbor, a.explanation.rank) == (b.neighbor, b.explanation.rank)
        boosted = Query(vector, 12, exact=True, boost=FieldBoost("price"))
        found = [[part.neighbor for part in store.query_explain(boosted)] for store in (both.one, both.many)]
        assert found[0] == found[1]
        hybrid = HybridQuery(vector, "solar wind", 15, 0.4, exact=True, offset=1, fusion="relative")
        assert both.many.query_explain(hybrid) == both.one.query_explain(hybrid)
        one_estimate, estimate = both.one.estimate_query(query), both.many.estimate_query(query)
        for name in ("runs", "records", "matches", "results", "distances"):
            assert getattr(estimate, name) == getattr(one_estimate, name), name
        assert 0 < estimate.time_us_min <= estimate.time_us <= estimate.time_us_max


def test_first_components_find_no_less(both: Both) -> None:
    for vector in both.vectors(3):
        one = both.one.query(vector, 10, prefix_dim=6)
        many = both.many.query(vector, 10, prefix_dim=6)
        assert [n.score for n in many] >= [n.score for n in one]
    with pytest.raises(vecstore.InvalidInputError, match="prefix_dim"):
        both.many.query(vector, 10, prefix_dim=6, exact=True)


EXPORTS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "jsonl": (
        lambda store, path, **how: store.export_jsonl(path, **how),
        lambda store, path: store.import_jsonl(path),
    ),
    "parquet": (
        lambda store, path, **how: store.export_parquet(path, batch_size=64, **how),
        lambda store, path: store.import_parquet(path, batch_size=50),
    ),
    "npz": (
        lambda store, path, **how: store.export_numpy(path, **how),
        lambda store, path: store.import_numpy(path),
    ),
}


@pytest.mark.parametrize("kind", EXPORTS)
def test_files_are_those_of_one_store(both: Both, few: RayCollection, tmp_path: Path, kind: str) -> None:
    write, read = EXPORTS[kind]
    for at, (chosen, deleted) in enumerate(itertools.product(FILTERS, (False, True))):
        one, many = tmp_path / f"one-{at}.{kind}", tmp_path / f"many-{at}.{kind}"
        results = [
            write(store, path, filter=chosen, include_deleted=deleted)
            for store, path in ((both.one, one), (both.many, many))
        ]
        assert results[0].records == results[1].records > 0
        if kind == "parquet":
            import pyarrow.parquet as pq

            assert pq.read_table(one).equals(pq.read_table(many))
            continue
        assert results[0] == results[1]
        if kind == "jsonl":
            assert one.read_bytes() == many.read_bytes()
        else:
            with np.load(one) as a, np.load(many) as b:
                assert a.files == b.files
                assert all(np.array_equal(a[name], b[name]) for name in a.files)
    with VecStore(":memory:", metric=both.one.distance_metric) as back:
        read(back, many)
        with VecStore(":memory:", metric=both.one.distance_metric) as again:
            read(again, one)
            assert as_one(iter(again.list_all())) == as_one(iter(back.list_all()))
    assert few.uri


@pytest.mark.parametrize("kind", EXPORTS)
def test_files_are_read_as_one_store_reads_them(
    pair: tuple[VecStore, RayCollection], tmp_path: Path, kind: str
) -> None:
    write, read = EXPORTS[kind]
    rng = np.random.default_rng(5)
    with VecStore(":memory:", dim=3) as source:
        source.upsert_many(
            [f"f{n}" for n in range(120)],
            rng.standard_normal((120, 3)),
            [{"n": n, "b": b"1"} for n in range(120)],
            texts=[f"t{n}" if n % 2 else None for n in range(120)],
            sparse=[{n: 1.0} if n % 3 else None for n in range(120)],
        )
        source.upsert_multi("several", rng.standard_normal((3, 3)))
        source.set_ttl("f3", 3600)
        source.soft_delete("f5")
        path = tmp_path / f"records.{kind}"
        write(source, path, include_deleted=True)
    one, many = (read(store, path) for store in pair)
    assert (one.records, one.resumed_at) == (many.records, many.resumed_at) == (121, 0)
    assert as_one(iter(pair[1].list_all())) == as_one(iter(pair[0].list_all()))
    path.write_bytes(path.read_bytes()[:-40])
    for store in pair:
        with pytest.raises(vecstore.VecStoreError):
            read(store, path)


def test_an_import_goes_on_where_it_was(few: RayCollection, tmp_path: Path) -> None:
    clear(few)
    lines = [f'{{"id": "i{n}", "vector": [1, {n}, 0]}}' for n in range(50)]
    path, note = tmp_path / "rows.jsonl", tmp_path / "note"
    path.write_text("\n".join([*lines[:30], "{", *lines[30:]]))
    with pytest.raises(vecstore.InvalidInputError, match=r"line 31, .*; 30 records before it are imported"):
        few.import_jsonl(path, batch_size=10, checkpoint=note)
    assert few.count() == 30
    content = path.read_text().replace("{\n", "\n", 1).replace("\n{\n", "\n \n")
    stat = path.stat()
    path.write_text(content.ljust(stat.st_size)[: stat.st_size])
    import os

    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    result = few.import_jsonl(path, batch_size=10, checkpoint=note)
    assert (result.records, result.resumed_at) == (50, 30)
    assert not note.exists()
    assert few.count() == 50
    note.write_text("mine")
    with pytest.raises(vecstore.InvalidInputError, match="is not a checkpoint"):
        few.import_jsonl(path, checkpoint=note)
    path.write_text('{"id": "x", "vector": [1, 2]}')
    with pytest.raises(vecstore.DimensionMismatchError, match=r"line 1, record `x`: .*3 components, got 2"):
        few.import_jsonl(path)
    import pyarrow

    table = pyarrow.table({"id": ["fig"], "vector": [[0.8, 0.1, 0.2]], "kind": ["fruit"]})
    assert few.import_arrow(table).records == 1
    fig = few.get("fig")
    assert fig is not None
    assert fig.metadata == {"kind": "fruit"}


def test_indexes_are_told_as_of_one(both: Both) -> None:
    for store in (both.one, both.many):
        store.create_index("price", "number")
        store.compact()
    one, many = ({index.path: index for index in store.list_indexes()} for store in (both.one, both.many))
    assert list(many) == list(one)
    for path, index in many.items():
        for name in ("kind", "automatic", "records", "unindexed"):
            assert getattr(index, name) == getattr(one[path], name), (path, name)
        assert set(index.types) == set(one[path].types)
    assert both.many.drop_index("price")


def test_a_snapshot_is_gone_back_to(make: Make) -> None:
    collection = make(2, dim=2)
    collection.upsert_many([f"r{n}" for n in range(60)], [[1.0, float(n)] for n in range(60)])
    collection.soft_delete("r3")
    before = as_one(iter(collection.list_all()))
    made = collection.create_snapshot("../first")
    assert (made.name, made.record_count) == ("../first", 59)
    with pytest.raises(vecstore.AlreadyExistsError, match="has a snapshot named"):
        collection.create_snapshot("../first")
    with pytest.raises(vecstore.InvalidInputError):
        collection.create_snapshot("")
    collection.delete_many([f"r{n}" for n in range(30)])
    collection.upsert("late", [1.0, 1.0])
    collection.compact()
    collection.save()
    collection.save()  # nothing but the snapshot has the old files now
    second = collection.create_snapshot("second")
    assert collection.list_snapshots() == [made, second]
    after = as_one(iter(collection.list_all()))
    stale = make(None, uri=collection.uri)
    collection.restore_snapshot("../first")
    assert as_one(iter(collection.list_all())) == before
    assert stale.count() == 59
    stale.upsert("new", [1.0, 2.0])
    collection.rebalance(3)
    collection.restore_snapshot("second")
    assert as_one(iter(collection.list_all())) == after
    assert len(collection.shards) == 2
    assert collection.delete_snapshot("../first")
    assert not collection.delete_snapshot("../first")
    with pytest.raises(vecstore.NotFoundError, match="has no snapshot named"):
        collection.restore_snapshot("../first")
    assert collection.list_snapshots() == [second]
    assert collection.delete_snapshot("second")
    # What is left is what the checkpoints of the shards have.
    kept = {int(name.split("/")[1]) for name in collection._storage.names("shards/")}
    assert kept == set(collection.shards)
    assert collection.verify().ok


def test_a_snapshot_is_of_one_moment(make: Make) -> None:
    from .test_failures import Writer

    collection = make(2, dim=2)
    writer = Writer(collection)
    writer.start()
    writer.wait_for(20)
    collection.create_snapshot("now")
    writer.wait_for(5)
    writer.stopped.set()
    writer.join(60)
    collection.restore_snapshot("now")
    steps = [record.metadata["step"] for record in collection]
    # One call after the other, of three records each: all of a call, and those before it.
    last = max(steps)
    expected = {f"w{(step + n) % 97}": step for step in range(last + 1) for n in range(3)}
    there = {record.id: record.metadata["step"] for record in collection}
    torn = {name for name in expected if there.get(name) != expected[name]}
    assert torn <= {f"w{(last + n) % 97}" for n in range(3)} | {f"w{(last + 1 + n) % 97}" for n in range(3)}
