"""What goes in as metadata comes out with the same type."""

from __future__ import annotations

import collections
import enum
import math
import types
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecstore
from vecstore import VecStore

STORE = VecStore(":memory:", dim=1)

OFFSETS = st.integers(-86_399, 86_399).map(lambda seconds: timezone(timedelta(seconds=seconds)))
# A day inside the range, so that the offset cannot push the instant out of it.
DATETIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.one_of(OFFSETS))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    TEXTS,
    st.binary(),
    DATETIMES,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


class Color(enum.IntEnum):
    """An int of another name."""

    RED = 1


def round_trip(metadata: Any) -> dict[str, Any]:
    """Stores metadata and reads it again, by id and by search, which convert it differently."""
    STORE.upsert("a", [1.0], metadata)
    record = STORE.get("a")
    assert record is not None
    [neighbor] = STORE.query([1.0])
    assert same(record.metadata, neighbor.metadata)
    return record.metadata


def same(one: Any, other: Any) -> bool:
    """Equality that tells types, signs of zero, NaN and offsets apart, and minds the order of keys."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other))
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    if isinstance(one, datetime):
        return bool(one == other and one.utcoffset() == other.utcoffset())
    return bool(one == other)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(TEXTS, VALUES, max_size=6))
def test_metadata_comes_out_as_it_went_in(metadata: dict[str, Any]) -> None:
    assert same(round_trip(metadata), metadata)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((1, "a"), [1, "a"]),
        (np.float64(1.5), 1.5),
        (np.float32(1.5), 1.5),
        (np.int64(-3), -3),
        (np.uint8(3), 3),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (Color.RED, 1),
        (type("Name", (str,), {})("name"), "name"),
        ([[[]], {}], [[[]], {}]),
    ],
    ids=str,
)
def test_kindred_types_become_the_plain_one(given: Any, expected: Any) -> None:
    assert same(round_trip({"x": given}), {"x": expected})


def test_metadata_may_be_any_mapping_or_left_out() -> None:
    assert round_trip(types.MappingProxyType({"b": 1, "a": 2})) == {"b": 1, "a": 2}
    assert round_trip({}) == {}
    assert round_trip(None) == {}


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**400])
def test_an_int_beyond_64_bits_is_refused_with_its_key(number: int) -> None:
    with pytest.raises(
        vecstore.InvalidInputError, match=r'metadata\["a"\]\["b"\]\[1\]: expected an int of 64 bits'
    ):
        STORE.upsert("big", [1.0], {"a": {"b": [0, number]}})
    assert "big" not in STORE


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(vecstore.InvalidInputError, match=r'metadata\["t"\]: expected an aware datetime'):
        STORE.upsert("naive", [1.0], {"t": datetime(2024, 5, 1)})


class Odd(tzinfo):
    """A zone whose offset is no whole number of seconds."""

    def utcoffset(self, _when: datetime | None) -> timedelta:
        return timedelta(microseconds=1)

    def dst(self, _when: datetime | None) -> None:
        return None

    def tzname(self, _when: datetime | None) -> str:
        return "odd"


def test_an_offset_of_part_of_a_second_is_refused() -> None:
    with pytest.raises(vecstore.InvalidInputError, match="whole seconds"):
        STORE.upsert("odd", [1.0], {"t": datetime(2024, 5, 1, tzinfo=Odd())})


class Meddling(Odd):
    """A zone that changes the dict that its datetime is in."""

    def __init__(self, victim: dict[str, Any]) -> None:
        self.victim = victim

    def utcoffset(self, _when: datetime | None) -> timedelta:
        self.victim.clear()
        return timedelta(0)


def test_a_dict_that_changes_while_it_is_read_is_refused() -> None:
    victim: dict[str, Any] = {}
    victim.update(t=datetime(2024, 5, 1, tzinfo=Meddling(victim)), other=1)
    with pytest.raises(vecstore.InvalidInputError, match="changed while it was read"):
        STORE.upsert("odd", [1.0], victim)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"x": {1, 2}}, r'metadata\["x"\]: expected None, a bool.* got set'),
        ({"x": [object()]}, r'metadata\["x"\]\[0\]: .* got object'),
        ({"x": np.ones(2)}, r'metadata\["x"\]: .* got ndarray'),
        ({"x": 1j}, "got complex"),
        ({"x": datetime(2024, 5, 1).date()}, "got date"),
        ({1: "x"}, "a key of metadata: expected a str, got int"),
        ({"x": {None: 1}}, r'a key of metadata\["x"\]: expected a str, got NoneType'),
        ([("x", 1)], "metadata: expected a dict or None, got list"),
        ("x", "metadata: expected a dict or None, got str"),
    ],
)
def test_another_type_is_a_type_error_with_its_place(metadata: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        STORE.upsert("typed", [1.0], metadata)
    assert "typed" not in STORE


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_a_lone_surrogate_is_refused(text: str) -> None:
    for metadata in ({"x": text}, {text: 1}):
        with pytest.raises(vecstore.InvalidInputError, match="lone surrogates"):
            STORE.upsert("broken", [1.0], metadata)


def nested(levels: int, make: Any) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = make(value)
    return value


def test_64_levels_are_kept_and_65_refused() -> None:
    deepest = {"x": nested(63, lambda inner: [inner])}
    assert round_trip(deepest) == deepest
    with pytest.raises(vecstore.InvalidInputError, match=r"too deep .*at most 64"):
        STORE.upsert("deep", [1.0], {"x": nested(64, lambda inner: [inner])})


@pytest.mark.parametrize("make", [lambda inner: [inner], lambda inner: {"x": inner}, lambda inner: (inner,)])
def test_100_000_levels_are_refused(make: Any) -> None:
    metadata = {"x": nested(100_000, make)}
    with pytest.raises(vecstore.InvalidInputError, match="too deep"):
        STORE.upsert("deep", [1.0], metadata)
    with pytest.raises(vecstore.InvalidInputError, match="too deep"):
        STORE.upsert_many(["deep"], [[1.0]], [metadata])
    with pytest.raises(vecstore.InvalidInputError):
        STORE.count(metadata)


def test_metadata_that_holds_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["again"] = loop
    with pytest.raises(vecstore.InvalidInputError, match="too deep"):
        STORE.upsert("loop", [1.0], loop)
    bush: list[Any] = []
    bush.extend([bush] * 10)
    with pytest.raises(vecstore.InvalidInputError):
        STORE.upsert("bush", [1.0], {"x": bush})
    with pytest.raises(vecstore.FilterError):
        STORE.count({"x": {"$in": bush}})


@pytest.mark.parametrize(
    "metadata",
    [{"x": "a" * 10_000_000}, {"x": b"a" * 10_000_000}, {"a" * 10_000_000: 1}, {"x": list(range(2_000_000))}],
    ids=["str", "bytes", "key", "list"],
)
def test_10_mb_of_metadata_are_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(vecstore.InvalidInputError, match=r"too large .*at most 1048576"):
        STORE.upsert("large", [1.0], metadata)
    assert "large" not in STORE


def test_many_different_keys_are_kept() -> None:
    metadatas = [{f"key-{row}-{n}": n for n in range(20)} for row in range(20)]
    with VecStore(":memory:") as store:
        store.upsert_many([f"{row:02}" for row in range(20)], np.ones((20, 1)), metadatas)
        assert [record.metadata for record in store] == metadatas
        found = {neighbor.id: neighbor.metadata for neighbor in store.query([1.0], k=20)}
        assert [found[key] for key in sorted(found)] == metadatas


def test_the_metadata_of_a_result_is_one_dict() -> None:
    STORE.upsert("a", [1.0], {"n": 1})
    [neighbor] = STORE.query([1.0])
    neighbor.metadata["mine"] = True
    assert neighbor.metadata == {"n": 1, "mine": True}
    record = STORE.get("a")
    assert record is not None
    assert record.metadata == {"n": 1}


class Raising(Odd):
    """A zone whose code fails."""

    def utcoffset(self, _when: datetime | None) -> timedelta:
        raise ZeroDivisionError("the caller's own")


def test_an_exception_of_the_callers_code_passes() -> None:
    metadata = {"t": datetime(2024, 5, 1, tzinfo=Raising())}
    with pytest.raises(ZeroDivisionError, match="the caller's own"):
        STORE.upsert("odd", [1.0], metadata)
    with pytest.raises(ZeroDivisionError, match="the caller's own"):
        STORE.upsert_many(["odd"], [[1.0]], [metadata])
