from typing import Any

import pandas
import polars
import pyarrow
from typing_extensions import TypeVar

from vecstore._vecstore import Neighbor

__all__ = ["NeighborList"]

# What a neighbor has as its vector, as for `Neighbor`.
_VectorT = TypeVar("_VectorT", default=Any)

class NeighborList(list[Neighbor[_VectorT]]):
    __slots__ = ()
    def to_arrow(self) -> pyarrow.Table: ...
    def to_pandas(self) -> pandas.DataFrame: ...
    def to_polars(self) -> polars.DataFrame: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def _repr_html_(self) -> str: ...
