"""What arguments may be, for annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, SupportsFloat, Union

from vecstore._vecstore import FilterExpr

if TYPE_CHECKING:
    from typing_extensions import Buffer
else:
    Buffer = Any  # `collections.abc` has it from Python 3.12 on

__all__ = ["Filter", "Metadata", "SupportsArray", "Vector", "Vectors"]


class SupportsArray(Protocol):
    """What numpy can make an array of: arrays, tensors on the CPU, series."""

    def __array__(self) -> Any: ...


#: One vector of the shape (dim,).
Vector = Union[Sequence[SupportsFloat], SupportsArray, Buffer]

#: Vectors, as an array of the shape (n, dim) or one by one.
Vectors = Union[Sequence[Vector], SupportsArray, Buffer]

#: None, bool, int, float, str, bytes, aware datetime, list, tuple, and dicts of them.
Metadata = Mapping[str, Any]

#: A filter in any of its three spellings.
Filter = Union[Mapping[str, Any], str, FilterExpr]
