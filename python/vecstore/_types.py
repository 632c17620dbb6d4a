"""What arguments may be, for annotations."""

from __future__ import annotations

import typing
from collections import abc

from vecstore._vecstore import FilterExpr

__all__ = [
    "Filter",
    "Metadata",
    "Sparse",
    "SupportsArray",
    "SupportsArrow",
    "SupportsBuffer",
    "SupportsDLPack",
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


class SupportsDLPack(typing.Protocol):
    """What has the DLPack protocol: tensors on the CPU."""

    def __dlpack__(self) -> typing.Any: ...
    def __dlpack_device__(self) -> typing.Any: ...


class SupportsArrow(typing.Protocol):
    """What has the Arrow PyCapsule protocol: columns and frames."""

    def __arrow_c_stream__(self, requested_schema: typing.Any = None) -> typing.Any: ...


#: One vector of the shape (dim,).
Vector = typing.Union[abc.Sequence[typing.SupportsFloat], SupportsArray, SupportsBuffer, SupportsDLPack]

#: Vectors, as an array of the shape (n, dim), one by one, or as a column of lists.
Vectors = typing.Union[abc.Sequence[Vector], SupportsArray, SupportsBuffer, SupportsDLPack, SupportsArrow]


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

#: A filter in any of its three spellings.
Filter = typing.Union[abc.Mapping[str, typing.Any], str, FilterExpr]
