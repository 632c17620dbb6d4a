"""Filters that mean what ``==`` means in Python, as the filters of frameworks do.

In a filter of vecstore a list matches if one of its elements does, and a bool equals no number. Here ``"x"``
does not match ``["x"]``, and ``True`` matches 1.
"""

from __future__ import annotations

import typing
from collections import abc

__all__ = ["NOTHING", "all_of", "any_of", "equals", "is_one_of", "literally", "negated", "ordered"]

Predicate = dict[str, typing.Any]

#: Matches no record.
NOTHING: Predicate = {"$not": {}}


def all_of(filters: abc.Iterable[Predicate]) -> Predicate:
    """True if all are."""
    return {"$and": list(filters)}


def any_of(filters: abc.Iterable[Predicate]) -> Predicate:
    """True if one is."""
    return {"$or": list(filters)} if (filters := list(filters)) else NOTHING


def negated(filter: Predicate) -> Predicate:
    """True if the filter is false."""
    return {"$not": filter}


def _no_list(path: str) -> Predicate:
    # An empty list has no element that could match.
    return negated({path: {"$elem_match": {}}})


def _twins(value: typing.Any) -> list[typing.Any]:
    """The values that Python holds for equal and vecstore does not."""
    if isinstance(value, bool):
        return [value, int(value)]
    return [value, bool(value)] if isinstance(value, (int, float)) and value in (0, 1) else [value]


def equals(path: str, value: typing.Any) -> Predicate:
    """True if what is at the path equals the value; None equals what is missing."""
    return is_one_of(path, [value])


def is_one_of(path: str, values: abc.Iterable[typing.Any]) -> Predicate:
    """True if what is at the path equals one of the values."""
    plain: list[typing.Any] = []
    lists: list[Predicate] = []
    for value in values:
        if isinstance(value, (list, tuple)):
            lists.append(_equals_list(path, list(value)))
        else:
            plain.extend(_twins(value))
    if not plain:
        return any_of(lists)
    found = all_of([{path: {"$in": plain}}, _no_list(path)])
    return any_of([found, *lists]) if lists else found


def _equals_list(path: str, values: list[typing.Any]) -> Predicate:
    items = (equals(f"{path}.{at}", value) for at, value in enumerate(values))
    return all_of([{path: {"$size": len(values)}}, *items])


_ORDERS: dict[str, abc.Callable[[float, float], bool]] = {
    "$gt": lambda value, bound: value > bound,
    "$gte": lambda value, bound: value >= bound,
    "$lt": lambda value, bound: value < bound,
    "$lte": lambda value, bound: value <= bound,
}


def ordered(path: str, operator: str, bound: typing.Any) -> Predicate:
    """True if what is at the path is as far as ``$gt``, ``$gte``, ``$lt`` or ``$lte`` of the bound.

    Nothing is ordered against None. A bool counts as the number it is.
    """
    if bound is None:
        return NOTHING
    if not isinstance(bound, (int, float)):
        return {path: {operator: bound}}
    bools = [value for value in (False, True) if _ORDERS[operator](value, bound)]
    number = {path: {operator: int(bound) if isinstance(bound, bool) else bound}}
    return any_of([number, all_of([{path: {"$in": bools}}, _no_list(path)])]) if bools else number


def literally(text: str) -> str:
    """A pattern for ``$regex`` that finds the text."""
    return "".join(f"\\{letter}" if letter in "\\.+*?()|[]{}^$#&-~" else letter for letter in text)
