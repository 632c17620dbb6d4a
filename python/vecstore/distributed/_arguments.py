"""Arguments of methods on Ray: checked as one store checks them, and made what can be sent to shards."""

from __future__ import annotations

import operator
import os
import typing
from collections import abc
from pathlib import Path

__all__ = [
    "K_MAX",
    "check_flag",
    "check_path",
    "is_of_numpy",
    "listed",
    "looked_at_twice",
    "reach",
    "sent_vector",
]


#: The most neighbors that a search returns.
K_MAX = 16_777_216


def check_flag(name: str, value: typing.Any) -> None:
    """Raises for what is no bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected a bool, got {type(value).__name__}")


def check_path(name: str, value: typing.Any) -> Path:
    """Returns a path; raises for what is none."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name}: expected a str or os.PathLike, got {type(value).__name__}")
    return Path(value)


def listed(column: typing.Any) -> typing.Any:
    """Returns a column that can be looked at twice, its items those of Python; what is none stays as it is,
    to be refused.
    """
    for convert in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, convert):
            return getattr(column, convert)()
    is_column = isinstance(column, abc.Iterable) and not isinstance(column, (str, bytes, abc.Mapping))
    return list(column) if is_column else column


def looked_at_twice(items: typing.Any) -> typing.Any:
    """Returns what can be iterated over only once as a list."""
    return list(items) if isinstance(items, abc.Iterator) else items


def reach(*counts: int) -> int:
    """Returns how many neighbors each shard is asked for, for so many in all: no more than there can be in an
    answer. Narrow ints of numpy add up as others do.
    """
    return min(sum(map(operator.index, counts)), K_MAX)


def is_of_numpy(value: typing.Any) -> bool:
    """Returns whether it is an array or a scalar of numpy, or of `numpy.ma`."""
    return type(value).__module__.partition(".")[0] == "numpy"


def sent_vector(vector: typing.Any) -> typing.Any:
    """Returns a vector as it can be sent to shards, which buffers and tensors cannot; what is none stays as
    it is, to be refused.
    """
    if isinstance(vector, (list, tuple, str, bytes, bytearray)) or is_of_numpy(vector):
        return vector
    import numpy

    if hasattr(vector, "__dlpack__"):
        return numpy.from_dlpack(vector)
    try:
        return numpy.array(memoryview(vector))
    except TypeError:
        return numpy.asarray(vector) if hasattr(vector, "__array__") else vector
