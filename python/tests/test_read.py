"""Reading by id, listing, counting, figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vecstore
from vecstore import VecStore


@pytest.fixture
def many() -> VecStore:
    store = VecStore(":memory:")
    store.upsert_many([f"{n:03}" for n in range(250)], np.ones((250, 2)), [{"n": n} for n in range(250)])
    return store


def test_get_many_keeps_the_order_and_the_gaps(store: VecStore) -> None:
    found = store.get_many(["pear", "no such", "apple", "pear"])
    assert [record.id if record else None for record in found] == ["pear", None, "apple", "pear"]
    assert store.get_many([]) == []
    assert store.get_many(iter(["leek"])) == [store.get("leek")]


def test_scroll_lists_every_record_once(many: VecStore) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        page = many.scroll(limit=64, cursor=cursor)
        records, cursor = page
        assert (page.records, page.cursor) == (records, cursor)
        seen += [record.id for record in records]
        if cursor is None:
            break
    assert seen == [f"{n:03}" for n in range(250)]


def test_scroll_lists_a_hundred_without_vectors(many: VecStore) -> None:
    page = many.scroll()
    assert len(page.records) == 100
    assert page.records[0].vector is None
    assert many.scroll(limit=1, with_vectors=True).records[0].vector == [1.0, 1.0]


def test_scroll_filters(many: VecStore) -> None:
    page = many.scroll("n >= :low", limit=5, params={"low": 200})
    assert [record.metadata["n"] for record in page.records] == [200, 201, 202, 203, 204]
    rest = many.scroll({"n": {"$gte": 200}}, limit=100, cursor=page.cursor)
    assert len(rest.records) == 45
    assert rest.cursor is None


def test_a_cursor_need_not_exist_any_more(many: VecStore) -> None:
    cursor = many.scroll(limit=10).cursor
    assert cursor == "009"
    many.delete(cursor)
    assert many.scroll(limit=1, cursor=cursor).records[0].id == "010"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"limit": 0}, vecstore.InvalidInputError, "limit must be between 1 and"),
        ({"limit": 2**31}, vecstore.InvalidInputError, "limit must be between 1 and"),
        ({"limit": 1.0}, TypeError, "limit: expected an int, got float"),
        ({"cursor": 5}, TypeError, "cursor: expected a str, got int"),
        ({"filter": 5}, TypeError, "filter"),
    ],
)
def test_a_bad_scroll_is_refused(
    many: VecStore, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        many.scroll(**arguments)


def test_iteration_is_of_one_moment(many: VecStore) -> None:
    iterator = iter(many)
    first = next(iterator)
    many.delete_where({})
    many.upsert("new", [1, 0])
    assert [first.id, *(record.id for record in iterator)] == [f"{n:03}" for n in range(250)]
    assert [record.id for record in many] == ["new"]
    with pytest.raises(StopIteration):
        next(iterator)


def test_iteration_yields_whole_records(store: VecStore) -> None:
    assert list(store) == [store.get("apple"), store.get("leek"), store.get("pear")]
    assert {record.id: record.vector for record in store}["leek"] == pytest.approx([0.1, 0.9, 0.0])


def test_counts_agree(store: VecStore) -> None:
    assert store.len() == len(store) == store.count() == store.active_count() == 3
    assert store.count({"kind": "fruit"}) == 2
    assert not store.is_empty()
    assert VecStore(":memory:").is_empty()


def test_stats_are_figures_about_now(path: Any) -> None:
    with VecStore(path) as store:
        store.upsert_many(["a", "b", "c"], np.eye(3))
        store.delete("a")
        store.soft_delete("b")
        store.query([1, 0, 0])
        stats = store.stats()
        assert (stats.active, stats.deleted, stats.dim, stats.metric) == (1, 1, 3, "cosine")
        assert (stats.queries, stats.upserts, stats.deletes) == (1, 3, 1)
        assert stats.disk_bytes > 0
        assert stats.upkeep_error is None


def test_compaction_frees_removed_records(path: Any) -> None:
    with VecStore(path) as store:
        store.upsert_many([str(n) for n in range(1000)], np.ones((1000, 8)))
        store.compact()
        store.delete_many([str(n) for n in range(900)])
        result = store.maybe_compact()
        again = store.maybe_compact()
        assert result.compacted or store.stats().dead_rows <= 200  # upkeep in the background may be first
        assert not again.compacted
        assert again.freed == 0
        assert store.compact() >= 0
        assert store.optimize() == 0
        assert store.stats().dead_rows == 0
        assert len(store) == 100


def test_verify_finds_nothing_wrong_with_a_store(path: Any) -> None:
    with VecStore(path) as store:
        store.upsert_many([str(n) for n in range(100)], np.ones((100, 8)))
        store.compact()
        report = store.verify()
    assert report.ok
    assert report.problems == []
    assert report.records == 100
    assert report.files > 0
    assert report.bytes > 0


def test_a_flipped_bit_is_found_and_never_answered_from(path: Any) -> None:
    with VecStore(path) as store:
        store.upsert_many([str(n) for n in range(100)], np.ones((100, 8)))
        store.compact()
    [segment] = path.glob("collections/*/*.seg")
    content = bytearray(segment.read_bytes())
    content[4200] ^= 1  # in the vectors, which start at 4 KiB
    segment.write_bytes(bytes(content))
    with VecStore(path, read_only=True) as store:
        report = store.verify()
        assert not report.ok
        assert report.problems[0].path == str(segment)
        with pytest.raises(vecstore.CorruptionError):
            store.query(np.ones(8))
