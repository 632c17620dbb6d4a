"""Filters of Haystack as filters of vecstore, which match the same documents.

Two things differ from Haystack's own reference, which reads one document after the other: a date without a
time zone is in UTC, and an ordering of a stored value of another type is false, where Haystack may raise.
"""

from __future__ import annotations

import dataclasses
import typing
from collections import abc
from datetime import datetime, timezone

from haystack import Document
from haystack.errors import FilterError

from vecstore.integrations._predicates import (
    NOTHING,
    Predicate,
    all_of,
    any_of,
    is_one_of,
    negated,
    ordered,
)
from vecstore.integrations.haystack._records import EMBEDDED, META, WORDLESS

__all__ = ["NeedsDocumentsError", "predicate"]

_ORDERS = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
_COMPARISONS = ("==", "!=", *_ORDERS, "in", "not in")
_ATTRIBUTES = frozenset(field.name for field in dataclasses.fields(Document))
#: A filter of vecstore may be 64 deep; one level of these is up to two of those, and a comparison up to ten.
_MOST_DEPTH = 26
#: Fields that are not metadata of the record, and what tells whether they are None.
_PRESENCE: dict[str, Predicate] = {"embedding": {EMBEDDED: False}, "content": {WORDLESS: True}}
#: A field that no record has.
_ABSENT = "absent"


class NeedsDocumentsError(Exception):
    """The filter asks for what only whole documents tell, such as their content."""


def predicate(filters: typing.Any, depth: int = 1) -> Predicate:
    """The filter; a `FilterError` if it is not well-formed, `NeedsDocumentsError` if it cannot be put so."""
    if not isinstance(filters, abc.Mapping):
        raise FilterError(f"filters: expected a dict, got {type(filters).__name__}")
    if depth > _MOST_DEPTH:
        raise FilterError(f"filters: expected at most {_MOST_DEPTH} conditions in each other, got more")
    return _comparison(filters) if "field" in filters else _logic(filters, depth)


def _logic(filters: abc.Mapping[str, typing.Any], depth: int) -> Predicate:
    operator, conditions = _item(filters, "operator"), _item(filters, "conditions")
    if not isinstance(conditions, (list, tuple)):
        raise FilterError(f"conditions: expected a list, got {type(conditions).__name__}")
    # All of them are read before one can tell that it needs documents: a fault anywhere is a fault.
    parts: list[Predicate] = []
    needy: NeedsDocumentsError | None = None
    for condition in conditions:
        try:
            parts.append(predicate(condition, depth + 1))
        except NeedsDocumentsError as error:
            needy = error
    if operator not in ("AND", "OR", "NOT"):
        raise FilterError(f"operator: expected AND, OR or NOT beside conditions, got {operator!r}")
    if needy is not None:
        raise needy
    if operator == "OR":
        return any_of(parts)
    return negated(all_of(parts)) if operator == "NOT" else all_of(parts)


def _comparison(condition: abc.Mapping[str, typing.Any]) -> Predicate:
    field, operator, value = (
        _item(condition, "field"),
        _item(condition, "operator"),
        _item(condition, "value"),
    )
    if not isinstance(field, str):
        raise FilterError(f"field: expected a str, got {type(field).__name__}")
    if operator not in _COMPARISONS:
        raise FilterError(f"operator: expected one of {', '.join(_COMPARISONS)}, got {operator!r}")
    if operator in ("in", "not in") and not isinstance(value, list):
        raise FilterError(f"value: expected a list with `{operator}`, got {type(value).__name__}")
    if operator in _ORDERS:
        value = _bound(operator, value)
    path = _path(field)
    if path is None:
        return _whole(field, operator, value)
    if operator in _ORDERS:
        return ordered(path, _ORDERS[operator], value)
    wanted = value if operator in ("in", "not in") else [value]
    found = is_one_of(path, (twin for value in wanted for twin in _dates(value)))
    return negated(found) if operator in ("!=", "not in") else found


def _item(filters: abc.Mapping[str, typing.Any], key: str) -> typing.Any:
    if key not in filters:
        raise FilterError(f"expected the key `{key}` in {dict(filters)!r}")
    return filters[key]


def _path(field: str) -> str | None:
    """Where a field is in the metadata of the record; None for a field that is not there."""
    root, _, rest = field.partition(".")
    if rest:
        return field if root == META else _ABSENT
    if field in ("id", "score"):
        return field
    return None if field in _ATTRIBUTES else f"{META}.{field}"


def _whole(field: str, operator: str, value: typing.Any) -> Predicate:
    """A comparison of a field that only whole documents have, if it asks no more than whether it is None."""
    if field not in _PRESENCE or value is not None or operator in ("in", "not in"):
        raise NeedsDocumentsError(field)
    if operator in _ORDERS:
        return NOTHING
    return _PRESENCE[field] if operator == "==" else negated(_PRESENCE[field])


def _date(value: typing.Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo is not None else value.replace(tzinfo=timezone.utc)


def _dates(value: typing.Any) -> list[typing.Any]:
    """What equals a value: itself, and the time it stands for."""
    # Ten characters are the shortest full date.
    date = _date(value) if not isinstance(value, str) or (len(value) >= 10 and value[4:5] == "-") else None
    if date is None:
        return [value]
    return [value, date] if isinstance(value, str) else [date]


def _bound(operator: str, value: typing.Any) -> typing.Any:
    """What a field is ordered against: a number, a time, or None."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    date = _date(value)
    if date is None:
        shown = f"the str {value!r}" if isinstance(value, str) else type(value).__name__
        raise FilterError(f"value: expected a number or an ISO date with `{operator}`, got {shown}")
    return date
