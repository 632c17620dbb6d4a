"""Filters of LlamaIndex as filters of vecstore.

They mean what LlamaIndex's own store makes of them, where it has a meaning: ``!=`` and ``nin`` are true for
nodes that lack the field, other operators but ``is_empty`` are false for them; a field of another type than
the operand does not match.
"""

from __future__ import annotations

import typing
from collections import abc

from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
)

from vecstore._errors import FilterError
from vecstore.integrations._predicates import (
    NOTHING,
    Predicate,
    all_of,
    any_of,
    equals,
    is_one_of,
    literally,
    negated,
    ordered,
)

__all__ = ["predicate"]

_ORDERS = {
    FilterOperator.GT: "$gt",
    FilterOperator.GTE: "$gte",
    FilterOperator.LT: "$lt",
    FilterOperator.LTE: "$lte",
}
#: Filters of vecstore may be 64 deep; a level of these is two of those, and a comparison up to ten.
_MOST_DEPTH = 26


def predicate(filters: MetadataFilters, depth: int = 1) -> Predicate:
    """The filter. One without conditions matches everything."""
    if depth > _MOST_DEPTH:
        raise FilterError(f"filters: expected at most {_MOST_DEPTH} conditions in each other, got more")
    if not filters.filters:
        return {}
    parts = [
        predicate(one, depth + 1) if isinstance(one, MetadataFilters) else _comparison(one)
        for one in filters.filters
    ]
    condition = filters.condition or FilterCondition.AND
    if condition == FilterCondition.OR:
        return any_of(parts)
    # As LlamaIndex has it: true if none of them is.
    return negated(any_of(parts)) if condition == FilterCondition.NOT else all_of(parts)


def _comparison(filter: MetadataFilter) -> Predicate:
    key, value, operator = filter.key, filter.value, filter.operator
    if operator == FilterOperator.IS_EMPTY:
        return is_one_of(key, [None, "", []])
    if operator in _ORDERS:
        if isinstance(value, list):
            raise FilterError(f"{key}: expected a number or a str with `{operator.value}`, got a list")
        return ordered(key, _ORDERS[operator], value)
    if operator in (FilterOperator.EQ, FilterOperator.NE):
        if value is None:
            # None is a field that is missing, which equals nothing.
            return NOTHING if operator == FilterOperator.EQ else {}
        return equals(key, value) if operator == FilterOperator.EQ else negated(equals(key, value))
    if operator in (FilterOperator.IN, FilterOperator.NIN):
        found = is_one_of(key, _several(key, value, operator))
        return found if operator == FilterOperator.IN else negated(found)
    if operator == FilterOperator.CONTAINS:
        return {key: {"$contains": value}}
    if operator == FilterOperator.ANY:
        return {key: {"$contains_any": _several(key, value, operator)}}
    if operator == FilterOperator.ALL:
        values = _several(key, value, operator)
        # Whatever is there has all of nothing.
        return {key: {"$contains_all": values}} if values else negated(equals(key, None))
    if not isinstance(value, str):
        raise FilterError(f"{key}: expected a str with `{operator.value}`, got {type(value).__name__}")
    if operator == FilterOperator.TEXT_MATCH:
        return {key: {"$regex": literally(value)}}
    return {key: {"$regex": {"pattern": literally(value), "flags": "i"}}}


def _several(key: str, value: typing.Any, operator: FilterOperator) -> list[typing.Any]:
    if isinstance(value, str) or not isinstance(value, abc.Sequence):
        raise FilterError(f"{key}: expected a list with `{operator.value}`, got {type(value).__name__}")
    return list(value)
