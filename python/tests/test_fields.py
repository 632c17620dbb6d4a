"""Field indexes, distinct values, facets, and listing in the order of a value."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecstore
from vecstore import Facet, FieldIndex, InvalidInputError, RangeFacet, UnsupportedError, VecDatabase, VecStore

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "field-indexes.md"
UTC = timezone.utc


def fill(store: VecStore, metadatas: list[dict[str, Any]]) -> None:
    ids = [f"{n:05}" for n in range(len(metadatas))]
    store.upsert_many(ids, np.ones((len(ids), 2), dtype=np.float32), metadatas)


def listed(store: VecStore, **arguments: Any) -> list[str]:
    ids: list[str] = []
    cursor = None
    while True:
        records, cursor = store.scroll(limit=7, cursor=cursor, **arguments)
        ids += [record.id for record in records]
        if cursor is None:
            return ids


def test_indexes_are_listed_with_what_they_hold_and_survive_reopening(path: Path) -> None:
    with VecStore(path) as store:
        fill(store, [{"n": n, "name": f"name {n}", "deep": {"x": n % 3}} for n in range(500)])
        store.compact()
        store.create_index("n", kind="number")
        assert store.drop_index("name") is True
        assert store.drop_index("name") is False
        store.compact()
    with VecStore(path) as store:
        indexes = {index.path: index for index in store.list_indexes()}
        assert sorted(indexes) == ["deep", "deep.x", "n"]
        n = indexes["n"]
        assert isinstance(n, FieldIndex)
        assert (n.kind, n.automatic, n.types, n.records, n.unindexed, n.distinct) == (
            *("number", False, ("number",), 500, 0, 500),
        )
        assert n.bytes > 500
        assert (indexes["deep.x"].kind, indexes["deep.x"].automatic, indexes["deep.x"].distinct) == (
            None,
            True,
            3,
        )
        assert store.count({"name": "name 7"}) == 1
        store.create_index("name")
        assert next(index for index in store.list_indexes() if index.path == "name").kind == "any"


def test_collections_have_indexes_of_their_own() -> None:
    with VecDatabase(":memory:") as database:
        one, other = database.create_collection("one"), database.create_collection("other")
        one.create_index("n")
        assert [index.path for index in one.list_indexes()] == ["n"]
        assert other.list_indexes() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("n", "hash"), "`any`, `keyword`, `number`, `bool`, `datetime`, `geo`"),
        (("n", "text"), "text_fields"),
        (("", None), "1 to 1024 bytes"),
        (("$n", None), r"starts with `\$`"),
        (("n" * 1025, None), "got 1025"),
        ((".".join("n" * 65), None), "got 65"),
    ],
)
def test_an_index_that_cannot_be_is_refused(
    store: VecStore, arguments: tuple[str, str | None], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        store.create_index(*arguments)


def test_arguments_of_another_type_are_refused(store: VecStore) -> None:
    with pytest.raises(TypeError):
        store.create_index(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        store.create_index("n", kind=3)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError):
        store.create_index("\ud800")


def test_there_are_so_many_indexes_and_no_more(store: VecStore) -> None:
    for n in range(256):
        store.create_index(f"path {n}")
    with pytest.raises(InvalidInputError, match="256"):
        store.create_index("one more")
    store.create_index("path 0", "keyword")


def test_a_reader_changes_no_index(path: Path) -> None:
    with VecStore(path) as store:
        store.upsert("a", [1.0], {"n": 1})
        with VecStore(path, read_only=True) as reader:
            with pytest.raises(UnsupportedError):
                reader.create_index("n")
            store.create_index("n", "number")
            assert [index.kind for index in reader.list_indexes()] == ["number"]


@pytest.mark.parametrize("sealed", [False, True])
def test_distinct_values_and_facets(sealed: bool) -> None:
    with VecStore(":memory:") as store:
        noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
        values: list[Any] = [
            1,
            1.0,
            1.5,
            True,
            "1",
            None,
            b"x",
            noon,
            ["a", "b", "a"],
            [["a"]],
            {"k": 1},
            float("nan"),
        ]
        values.append(noon.astimezone(timezone(timedelta(hours=2))))
        fill(store, [{"v": value} for value in values] + [{}])
        if sealed:
            store.compact()
        distinct = store.distinct("v")
        assert distinct == [None, True, 1, 1.5, noon, "1", "a", "b", b"x", ["a"], {"k": 1}]
        assert list(map(type, distinct[:4])) == [type(None), bool, int, float]
        assert distinct[4].tzinfo is not None
        facets = store.facets("v", limit=2)
        assert facets == [(1, 2), (noon, 2)]
        assert isinstance(facets[0], Facet)
        assert store.distinct("v", {"v": {"$exists": False}}) == []
        assert store.distinct("v", "v > :low", params={"low": 1}) == [1.5]
        assert store.distinct("nowhere") == []


@pytest.mark.parametrize("sealed", [False, True])
def test_facets_are_what_a_counter_says(sealed: bool) -> None:
    with VecStore(":memory:") as store:
        metadatas: list[dict[str, Any]] = [
            {"c": "xyz"[n % 3], "tags": [n % 5, n % 7], "n": n} for n in range(2_000)
        ]
        fill(store, metadatas)
        if sealed:
            store.compact()
        assert store.delete_where({"n": {"$lt": 100}}) == 100
        store.soft_delete("00100")
        store.set_ttl("00101", 0)
        left = metadatas[102:]
        assert dict(store.facets("c")) == Counter(metadata["c"] for metadata in left)
        even = [metadata for metadata in left if metadata["n"] < 500]
        expected = Counter(tag for metadata in even for tag in set(metadata["tags"]))
        assert dict(store.facets("tags", "n < 500")) == expected
        buckets = store.facets("n", buckets=[0, 200, 1000.5, None])
        assert buckets == [(0, 200, 98), (200, 1000.5, 801), (1000.5, None, 999)]
        assert isinstance(buckets[0], RangeFacet)


def test_datetime_buckets() -> None:
    with VecStore(":memory:") as store:
        start = datetime(2024, 1, 1, tzinfo=UTC)
        fill(store, [{"at": start + timedelta(days=n)} for n in range(60)])
        february = datetime(2024, 2, 1, tzinfo=UTC)
        assert [bucket.count for bucket in store.facets("at", buckets=[None, february, None])] == [31, 29]


@pytest.mark.parametrize(
    "buckets", [[], [1], [2, 1], [1, 1], [1, "2"], [1, None, 2], [None, None], [True, False], [[1], [2]]]
)
def test_buckets_that_are_none_are_refused(store: VecStore, buckets: list[Any]) -> None:
    with pytest.raises(InvalidInputError, match="buckets"):
        store.facets("price", buckets=buckets)


def test_limits_of_facets(store: VecStore) -> None:
    with pytest.raises(InvalidInputError):
        store.facets("kind", limit=0)
    with pytest.raises(InvalidInputError):
        store.facets("kind", limit=3, buckets=[1, 2])  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        store.facets("kind", buckets="12")


@pytest.mark.parametrize("sealed", [False, True])
def test_records_are_listed_in_the_order_of_a_value(sealed: bool) -> None:
    with VecStore(":memory:") as store:
        values: list[Any] = [
            3,
            1.5,
            "b",
            "a",
            True,
            None,
            [1],
            float("nan"),
            3.0,
            -1,
            datetime(2024, 1, 1, tzinfo=UTC),
        ]
        fill(store, [{"v": value} for value in values] + [{}])
        if sealed:
            store.compact()
        first = ["00004", "00009", "00001", "00000", "00008", "00010", "00003", "00002"]
        last = ["00005", "00006", "00007", "00011"]
        assert listed(store, order_by="v") == first + last
        assert listed(store, order_by=("v", "asc")) == first + last
        ties_by_id = ["00002", "00003", "00010", "00000", "00008", "00001", "00009", "00004"]
        assert listed(store, order_by="-v") == listed(store, order_by=("v", "desc")) == ties_by_id + last
        assert listed(store, order_by="v", filter={"v": {"$gt": 0}}) == ["00001", "00000", "00008"]
        page = store.scroll(order_by="-v", limit=1, with_vectors=True)
        assert page.records[0].vector == [1.0, 1.0]


def test_an_order_that_is_none_is_refused(store: VecStore) -> None:
    cursor = store.scroll(order_by="price", limit=1).cursor
    for order in ("", "-", "$price", ("price", "down"), ("", "asc")):
        with pytest.raises(InvalidInputError):
            store.scroll(order_by=order)  # type: ignore[arg-type]
    others: list[Any] = [3, ("price",), ["price", "asc", "x"]]
    for other in others:
        with pytest.raises(TypeError):
            store.scroll(order_by=other)
    with pytest.raises(InvalidInputError, match="ordered by `price` descending"):
        store.scroll(order_by="-price", cursor=cursor)
    with pytest.raises(InvalidInputError, match="cursor"):
        store.scroll(order_by="price", cursor="apple")


def test_a_pattern_that_would_take_others_forever_does_not(path: Path) -> None:
    with VecStore(path) as store:
        fill(store, [{"text": "a" * 200, "n": n} for n in range(2_000)])
        store.compact()
        assert store.count({"text": {"$regex": "^(a+)+$"}}) == 2_000
        assert store.count({"text": {"$regex": "^(a|a)*b$"}}) == 0
        with pytest.raises(vecstore.FilterError):
            store.count({"text": {"$regex": "(a{1000}){1000}"}})


def test_disk_comes_down_by_itself(path: Path) -> None:
    with VecStore(path, durability="none") as store:
        fill(store, [{"half": n % 2, "text": f"text {n} " * 300} for n in range(6_000)])
        store.compact()
        before = store.stats().disk_bytes
        assert store.delete_where({"half": 0}) == 3_000
        deadline = datetime.now(UTC) + timedelta(seconds=60)
        while store.stats().disk_bytes > before * 0.8:
            assert datetime.now(UTC) < deadline, "the space of removed records was not freed"
        assert store.count() == 3_000


def test_the_guide_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    printed: list[Any] = []
    exec(code, {"print": printed.append})
    assert printed == [2, ["red", "sweet"], {"fruit": 2, "vegetable": 1}, ["pear", "apple", "leek"]]


def test_a_schema_creates_the_indexes_that_are_not_there(tmp_path: Path) -> None:
    schema = {"price": "number", "author.name": "keyword"}
    with vecstore.VecStore(tmp_path / "s", schema=schema) as store:
        store.upsert("a", [1.0, 0.0], {"price": 3, "author": {"name": "Ann"}, "other": 1})
        store.upsert("b", [1.0, 0.0], {"price": "dear"})
        store.compact()
        kinds = {index.path: index.kind for index in store.list_indexes()}
        assert kinds == {**schema, "other": None, "author": None}
        assert store.count({"price": "dear"}) == 1
    with vecstore.VecStore(tmp_path / "s", schema={"other": "any"}) as store:
        assert {index.path for index in store.list_indexes() if index.kind} == {*schema, "other"}
    with vecstore.VecStore(tmp_path / "s", read_only=True, schema=schema) as store:
        assert store.count("price = 3") == 1
    with pytest.raises(vecstore.UnsupportedError):
        vecstore.VecStore(tmp_path / "s", read_only=True, schema={"new": "any"})
    assert vecstore.VecStore(":memory:", schema={"a": "geo"}).list_indexes()[0].kind == "geo"
    wrong: list[Any] = [{"a": "vector"}, {"": "any"}, {"$a": "any"}, {str(n): "any" for n in range(257)}]
    for one in wrong:
        with pytest.raises(vecstore.InvalidInputError):
            vecstore.VecStore(tmp_path / "new", schema=one)
    assert not (tmp_path / "new").exists()
    wrong = [{"a": 1}, {1: "any"}, "price", ["price"]]
    for one in wrong:
        with pytest.raises(TypeError, match="schema"):
            vecstore.VecStore(tmp_path / "new", schema=one)
