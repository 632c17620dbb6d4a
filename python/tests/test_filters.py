"""Filters in their three spellings, against a plain evaluation in Python."""

from __future__ import annotations

import datetime as datetime_module
import operator
import pickle
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecstore
from vecstore import F, FilterExpr, VecStore, parse_filter

MISSING = object()
FIELDS = ["a", "b", "c"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([-1.5, 0.5, 1.0, 2.0]),
    st.sampled_from("xyz"),
)
RECORDS = st.dictionaries(st.sampled_from(FIELDS), SCALARS | st.lists(SCALARS, max_size=3))
ORDERINGS = {"$lt": operator.lt, "$lte": operator.le, "$gt": operator.gt, "$gte": operator.ge}
CONDITIONS = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne"]), SCALARS),
    st.tuples(st.sampled_from(sorted(ORDERINGS)), SCALARS),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(SCALARS, max_size=4)),
    st.tuples(st.just("$exists"), st.booleans()),
)
LEAVES = st.tuples(st.sampled_from(FIELDS), CONDITIONS).map(lambda leaf: {leaf[0]: {leaf[1][0]: leaf[1][1]}})
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda all_: {"$and": all_}),
        st.lists(inner, min_size=1, max_size=3).map(lambda any_: {"$or": any_}),
        st.lists(inner, min_size=1, max_size=3).map(lambda none_: {"$nor": none_}),
        inner.map(lambda one: {"$not": one}),
    ),
    max_leaves=6,
)


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def equal(stored: Any, operand: Any) -> bool:
    """Whether a value, or an element of a list, equals the operand; what is missing equals None."""
    if stored is MISSING:
        stored = None
    values = [stored, *stored] if isinstance(stored, list) else [stored]
    return any(kind(value) == kind(operand) and value == operand for value in values)


def ordered(stored: Any, operand: Any, compare: Any) -> bool:
    values = stored if isinstance(stored, list) else [stored]
    return any(
        kind(value) == kind(operand) and kind(operand) in ("number", "str") and compare(value, operand)
        for value in values
    )


def matches(record: dict[str, Any], filter: dict[str, Any]) -> bool:
    """What the documentation says, in Python."""
    [(key, value)] = filter.items()
    if key == "$and":
        return all(matches(record, inner) for inner in value)
    if key == "$or":
        return any(matches(record, inner) for inner in value)
    if key == "$nor":
        return not any(matches(record, inner) for inner in value)
    if key == "$not":
        return not matches(record, value)
    stored = record.get(key, MISSING)
    [(condition, operand)] = value.items()
    if condition in ORDERINGS:
        return not isinstance(stored, list) and ordered(stored, operand, ORDERINGS[condition])
    results: dict[str, Callable[[], bool]] = {
        "$eq": lambda: equal(stored, operand),
        "$ne": lambda: not equal(stored, operand),
        "$in": lambda: any(equal(stored, one) for one in operand),
        "$nin": lambda: not any(equal(stored, one) for one in operand),
        "$exists": lambda: (stored is not MISSING) == operand,
    }
    return results[condition]()


@settings(max_examples=150, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=12), st.lists(FILTERS, min_size=1, max_size=6))
def test_filters_agree_with_plain_python(
    records: list[dict[str, Any]], filters: list[dict[str, Any]]
) -> None:
    with VecStore(":memory:") as store:
        ids = [f"{n:02}" for n in range(len(records))]
        store.upsert_many(ids, np.ones((len(ids), 1)), records)
        for wanted in filters:
            expected = [one for one, record in zip(ids, records) if matches(record, wanted)]
            assert [neighbor.id for neighbor in store.query([1.0], 100, wanted)] == expected
            assert [record.id for record in store.scroll(wanted).records] == expected
            assert store.count(wanted) == len(expected)
            assert store.count(FilterExpr(FilterExpr(wanted).to_dict())) == len(expected)


BOOKS: list[dict[str, Any]] = [
    {
        "title": "Dune",
        "price": 10,
        "tags": ["sand", "spice"],
        "author": {"name": "Frank", "born": 1920},
        "at": {"lat": 52.5, "lon": 13.4},
        "scores": [1, 4],
        "sold": datetime(2024, 5, 1, 12, tzinfo=timezone.utc),
    },
    {"title": "Emma", "price": 7.5, "tags": [], "author": {"name": "Jane"}, "at": {"lat": 48.9, "lon": 2.4}},
    {"title": "50% off_", "price": None, "scores": [6]},
]


@pytest.mark.parametrize(
    ("dict_", "expression", "text", "expected"),
    [
        ({"price": {"$lt": 10}}, F("price") < 10, "price < 10", [1]),
        ({"price": {"$lte": 10}}, F("price") <= 10, "price <= 10", [0, 1]),
        ({"price": {"$gt": 7.5}}, F("price") > 7.5, "price > 7.5", [0]),
        ({"price": {"$gte": 7.5}}, F("price") >= 7.5, "price >= 7.5", [0, 1]),
        ({"price": 10.0}, F("price") == 10.0, "price = 10.0", [0]),
        ({"price": {"$ne": 10}}, F("price") != 10, "price != 10", [1, 2]),
        ({"price": None}, F("price") == None, "price IS NULL", [2]),  # noqa: E711
        ({"price": {"$ne": None}}, F("price") != None, "price is not null", [0, 1]),  # noqa: E711
        (
            {"title": ["Emma", "Dune"]},
            F("title").is_in(["Emma", "Dune"]),
            "title IN ('Emma', \"Dune\")",
            [0, 1],
        ),
        ({"title": {"$nin": ["Emma"]}}, F("title").not_in(("Emma",)), "title NOT IN ('Emma')", [0, 2]),
        ({"price": {"$between": [7, 9]}}, F("price").between(7, 9), "price BETWEEN 7 AND 9", [1]),
        ({"tags": {"$exists": False}}, F("tags").exists(False), "NOT EXISTS(tags)", [2]),
        ({"price": {"$exists": True}}, F("price").exists(), "EXISTS(price)", [0, 1, 2]),
        ({"tags": "sand"}, F("tags") == "sand", "tags = 'sand'", [0]),
        ({"tags": {"$contains": "sand"}}, F("tags").contains("sand"), "tags CONTAINS 'sand'", [0]),
        ({"tags": {"$contains_any": ["x", "spice"]}}, F("tags").contains_any(["x", "spice"]), None, [0]),
        ({"tags": {"$contains_all": ["sand", "x"]}}, F("tags").contains_all(["sand", "x"]), None, []),
        ({"tags": {"$size": 0}}, F("tags").size(0), None, [1]),
        ({"title": {"$starts_with": "Du"}}, F("title").starts_with("Du"), "title STARTSWITH 'Du'", [0]),
        ({"title": {"$ends_with": "ma"}}, F("title").ends_with("ma"), "title ENDSWITH 'ma'", [1]),
        ({"title": {"$like": "_m%"}}, F("title").like("_m%"), "title LIKE '_m%'", [1]),
        ({"title": {"$like": r"50\%%"}}, F("title").like(r"50\%%"), r"title LIKE '50\%%'", [2]),
        ({"title": {"$regex": "^d.n", "$options": "i"}}, F("title").regex("^d.n", "i"), None, [0]),
        ({"title": {"$text": "OFF 50"}}, F("title").text("OFF 50"), None, [2]),
        ({"author.name": "Jane"}, F("author.name") == "Jane", "author.name = 'Jane'", [1]),
        ({"tags.1": "spice"}, F("tags.1") == "spice", "tags.1 = 'spice'", [0]),
        (
            {"scores": {"$elem_match": {"$gt": 3, "$lt": 5}}},
            F("scores").elem_match((F.element() > 3) & (F.element() < 5)),
            None,
            [0],
        ),
        (
            {"at": {"$geo_radius": {"center": {"lat": 52.5, "lon": 13.5}, "radius": 10_000}}},
            F("at").geo_radius({"lat": 52.5, "lon": 13.5}, 10_000),
            None,
            [0],
        ),
        (
            {"at": {"$geo_box": {"top_left": [50, 0], "bottom_right": [40, 10]}}},
            F("at").geo_box((50, 0), (40, 10)),
            None,
            [1],
        ),
        (
            {"sold": {"$gt": "2024-05-01T13:00:00+02:00"}},
            F("sold") > datetime(2024, 5, 1, 11, tzinfo=timezone.utc),
            "sold > '2024-05-01T11:00:00Z'",
            [0],
        ),
        (
            {"$or": [{"price": {"$lt": 8}}, {"title": "Dune"}]},
            (F("price") < 8) | (F("title") == "Dune"),
            "price < 8 OR title = 'Dune'",
            [0, 1],
        ),
        ({"$not": {"price": {"$lt": 8}}}, ~(F("price") < 8), "NOT price < 8", [0, 2]),
        ({}, FilterExpr({}), None, [0, 1, 2]),
    ],
    ids=str,
)
def test_the_spellings_mean_the_same(
    dict_: dict[str, Any], expression: FilterExpr, text: str | None, expected: list[int]
) -> None:
    with VecStore(":memory:") as store:
        store.upsert_many(["0", "1", "2"], np.ones((3, 1)), BOOKS)
        for wanted in (dict_, expression, text, FilterExpr(dict_)):
            if wanted is not None:
                assert [int(record.id) for record in store.scroll(wanted).records] == expected, wanted
        assert pickle.loads(pickle.dumps(expression)) == expression
        assert eval(repr(expression), {"FilterExpr": FilterExpr, "datetime": datetime_module}) == expression


def test_parameters_are_bound_with_their_types(store: VecStore) -> None:
    found = store.query(
        [1, 0, 0], filter="kind = $kind AND price IN :prices", params={"kind": "fruit", "prices": [3]}
    )
    assert [neighbor.id for neighbor in found] == ["apple"]
    quoted = "x' OR 'a' = 'a"
    assert store.count("kind = :kind", params={"kind": quoted}) == 0
    assert parse_filter("price < :most", {"most": 4}) == (F("price") < 4)
    with pytest.raises(vecstore.FilterError, match="most"):
        parse_filter("price < :most")
    with pytest.raises(vecstore.FilterError, match="`other` was given but is not used"):
        parse_filter("price < 3", {"other": 1})
    with pytest.raises(vecstore.FilterError, match="params are for filters written as a string"):
        store.count({"price": 3}, params={"x": 1})
    with pytest.raises(TypeError, match="params: expected a dict, got list"):
        parse_filter("price < :most", [4])  # type: ignore[arg-type]


def deep_dict(levels: int) -> dict[str, Any]:
    deep: dict[str, Any] = {"a": 1}
    for _ in range(levels):
        deep = {"$not": deep}
    return deep


@pytest.mark.parametrize(
    ("filter", "message"),
    [
        ({"price": {"$less": 3}}, "unknown operator `\\$less` at `price`"),
        ({"$nonsense": []}, "unknown operator `\\$nonsense`"),
        ({"$and": {"a": 1}}, "expected a list of maps"),
        ({"$lt": 3}, "expected a field"),
        ({"price": {"$lt": [1]}}, "has an order"),
        ({"price": {"$in": 3}}, "expected a list"),
        ({"price": {"$regex": "("}}, "regex|pattern"),
        ({"price": {"$exists": 1}}, "expected a bool"),
        ({"price": {"$size": -1}}, "expected an int from 0"),
        (deep_dict(100), "too deep"),
        (deep_dict(100_000), "too deep"),
        ({"$or": [{"a": 1}] * 5000}, "too large"),
        ({"a": {"$in": list(range(65_537))}}, "65536"),
        ({"a": {"$like": "x" * 100_000}}, "too long"),
        ("price < 3 and then some", "position 19, got `some`"),
        ("price <", "position 7"),
        ("price < 3)", "position 9"),
        ("", "position 0"),
        ("(" * 200_000, "nested|position"),
        ("(" * 200_000 + "a = 1" + ")" * 200_000, "nested"),
        ("NOT " * 200_000 + "a = 1", "nested"),
        ("price = 'open", "position 8"),
        ("price ~ 3", "position 6"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else type(value).__name__,
)
def test_a_malformed_filter_is_an_error_that_says_where(store: VecStore, filter: Any, message: str) -> None:
    for call in (
        lambda: store.query([1, 0, 0], filter=filter),
        lambda: store.count(filter),
        lambda: store.scroll(filter),
        lambda: store.delete_where(filter),
        lambda: FilterExpr(filter),
    ):
        with pytest.raises(vecstore.FilterError, match=message):
            call()
    assert len(store) == 3


@pytest.mark.parametrize("filter", [3, [], ("a", 1), b"a = 1", F("a")])
def test_another_type_is_no_filter(store: VecStore, filter: Any) -> None:
    with pytest.raises(TypeError, match="filter: expected a filter"):
        store.count(filter)


def test_and_or_and_chains_of_python_are_refused() -> None:
    with pytest.raises(TypeError, match="no truth value"):
        _ = (F("a") > 1) and (F("a") < 3)
    with pytest.raises(TypeError, match="no truth value"):
        _ = 1 < F("a") < 3
    with pytest.raises(TypeError):
        _ = (F("a") > 1) & {"a": 1}  # type: ignore[operator]


def test_a_reflected_comparison_is_the_same_filter() -> None:
    assert (F("price") < 10) == (F("price") < 10)
    assert (F("price") == 3) == (F("price") == 3)


def test_an_expression_cannot_grow_beyond_the_limits() -> None:
    def negate_often(expression: FilterExpr) -> None:
        for _ in range(100):
            expression = ~expression

    for expression in (F("a") == 1, F.element() == 1):
        with pytest.raises(vecstore.FilterError, match="too deep"):
            negate_often(expression)


def test_a_condition_on_an_element_stands_only_in_elem_match(store: VecStore) -> None:
    with pytest.raises(vecstore.FilterError, match="elem_match"):
        store.count(F.element() > 3)
    assert repr(F.element()) == "F.element()"
    assert repr(F("a.b")) == "F('a.b')"


def test_filters_of_another_form_differ() -> None:
    assert (F("a") == 1) != (F("a") == 2)
    assert (F("a") == 1) != {"a": 1}
    assert FilterExpr({"a": 1}) == FilterExpr("a = 1") == FilterExpr(F("a") == 1)


def test_bad_arguments_of_f_are_refused() -> None:
    with pytest.raises(TypeError, match="path: expected a str, got int"):
        F(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="values: expected a list, got str"):
        F("a").is_in("xyz")
    with pytest.raises(vecstore.FilterError, match="cannot start with"):
        _ = F("$a") == 1
    with pytest.raises(vecstore.InvalidInputError, match="length must be between 0 and"):
        F("a").size(-1)
    with pytest.raises(vecstore.FilterError, match="latitude"):
        F("a").geo_radius({"lat": 100, "lon": 0}, 5)
