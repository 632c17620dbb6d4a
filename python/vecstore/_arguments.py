"""Arguments of other types than expected: errors that say which one, what was expected, and what came."""

from __future__ import annotations

import os
import typing
from collections import abc

__all__ = [
    "check_bool",
    "check_int",
    "check_items",
    "check_mapping",
    "check_number",
    "check_path",
    "check_text",
]


def _wrong(name: str, expected: str, value: object) -> TypeError:
    return TypeError(f"{name}: expected {expected}, got {type(value).__name__}")


def check_text(name: str, value: typing.Any) -> str:
    """``value`` if it is a str."""
    if not isinstance(value, str):
        raise _wrong(name, "a str", value)
    return value


def check_bool(name: str, value: typing.Any) -> bool:
    """``value`` if it is a bool."""
    if not isinstance(value, bool):
        raise _wrong(name, "a bool", value)
    return value


def check_int(name: str, value: typing.Any) -> int:
    """``value`` if it is an int; those of numpy are."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise _wrong(name, "an int", value)
    return int(value)


def check_mapping(name: str, value: typing.Any) -> abc.Mapping[typing.Any, typing.Any]:
    """``value`` if it is a dict or like one."""
    if not isinstance(value, abc.Mapping):
        raise _wrong(name, "a dict", value)
    return value


def check_number(name: str, value: typing.Any) -> float:
    """``value`` if it is a number; those of numpy are."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise _wrong(name, "a number", value)
    return float(value)


def check_items(name: str, value: typing.Any, of: str) -> abc.Iterable[typing.Any]:
    """``value`` if it can be iterated over, and is no str."""
    if isinstance(value, (str, bytes)) or not isinstance(value, abc.Iterable):
        raise _wrong(name, of, value)
    return typing.cast("abc.Iterable[typing.Any]", value)


def check_path(name: str, value: typing.Any) -> str:
    """``value`` as a str if it is a path."""
    if not isinstance(value, (str, os.PathLike)):
        raise _wrong(name, "a path", value)
    return os.fspath(value)
