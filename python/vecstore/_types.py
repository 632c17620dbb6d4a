"""What arguments may be, for annotations."""

from __future__ import annotations

import typing
from collections import abc

from vecstore._vecstore import FilterExpr

__all__ = [
    "Filter",
    "Metadata",
    "OrderBy",
    "Sparse",
    "SupportsArray",
    "SupportsBuffer",
    "SupportsSparse",
    "Vector",
    "Vectors",
]


class SupportsArray(typing.Protocol):
    """What numpy can make an array of: arrays, tensors on the CPU, series."""

    def __array__(self) -> typing.Any: ...


class SupportsBuffer(typing.Protocol):
    """What has the buffer protocol; `collections.abc.Buffer` from Python 3.12 on."""

    def __buffer__(self, flags: int, /) -> memoryview: ...


#: One vector of the shape (dim,).
Vector = typing.Union[abc.Sequence[typing.SupportsFloat], SupportsArray, SupportsBuffer]

#: Vectors, as an array of the shape (n, dim) or one by one.
Vectors = typing.Union[abc.Sequence[Vector], SupportsArray, SupportsBuffer]


class SupportsSparse(typing.Protocol):
    """What has indices and values, as the sparse vectors of other clients."""

    @property
    def indices(self) -> typing.Any: ...
    @property
    def values(self) -> typing.Any: ...


#: A sparse vector: a dict of index to weight, a pair (indices, values), or a list of tuples (index, weight).
Sparse = typing.Union[
    abc.Mapping[typing.Any, typing.Any],
    tuple[typing.Any, typing.Any],
    list[typing.Any],
    SupportsSparse,
]

#: None, bool, int, float, str, bytes, aware datetime, list, tuple, and dicts of them.
Metadata = abc.Mapping[str, typing.Any]

#: A path, `-` before it for descending; or a path and a direction.
OrderBy = typing.Union[str, tuple[str, typing.Literal["asc", "desc"]]]

#: A filter in any of its three spellings.
Filter = typing.Union[abc.Mapping[str, typing.Any], str, FilterExpr]
