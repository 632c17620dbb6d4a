"""Arguments of other types or sizes than expected: errors that say which one, what was expected and given."""

from __future__ import annotations

import operator
import os
import typing
from collections import abc

from vecstore._errors import InvalidInputError

__all__ = [
    "check_bool",
    "check_callable",
    "check_int",
    "check_items",
    "check_mapping",
    "check_number",
    "check_path",
    "check_share",
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


def check_int(name: str, value: typing.Any, least: int = -(2**63), most: int = 2**63 - 1) -> int:
    """``value`` if it is an int from ``least`` to ``most``; those of numpy are."""
    if isinstance(value, (bool, type)) or not hasattr(value, "__index__"):
        raise _wrong(name, "an int", value)
    number = operator.index(value)
    if least <= number <= most:
        return number
    if abs(number) >= 2**63:
        raise InvalidInputError(f"{name}: expected an int of 64 bits, got a larger one")
    expected = f"of at least {least}" if most == 2**63 - 1 else f"from {least} to {most}"
    raise InvalidInputError(f"{name}: expected an int {expected}, got {number}")


def check_mapping(name: str, value: typing.Any) -> abc.Mapping[typing.Any, typing.Any]:
    """``value`` if it is a dict or like one."""
    if not isinstance(value, abc.Mapping):
        raise _wrong(name, "a dict", value)
    return value


def check_number(name: str, value: typing.Any) -> float:
    """``value`` if it is a number; those of numpy are."""
    if isinstance(value, (bool, type)) or not hasattr(value, "__float__"):
        raise _wrong(name, "a number", value)
    try:
        return float(value)
    except OverflowError:
        raise InvalidInputError(f"{name}: expected a number, got one beyond those of 64 bits") from None


def check_share(name: str, value: typing.Any) -> float:
    """``value`` if it is a number from 0 to 1."""
    number = check_number(name, value)
    if not 0 <= number <= 1:
        raise InvalidInputError(f"{name}: expected a number from 0 to 1, got {value!r}")
    return number


def check_callable(name: str, value: typing.Any) -> None:
    """Fails if ``value`` cannot be called."""
    if not callable(value):
        raise _wrong(name, "a callable", value)


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
