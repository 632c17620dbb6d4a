"""The list that searches return. Imported with the first of them: nothing here may take long to import."""

from __future__ import annotations

from vecstore._vecstore import Neighbor

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing

    import pandas
    import polars
    import pyarrow

__all__ = ["NeighborList"]


class NeighborList(list[Neighbor]):
    """A list of `Neighbor` that can become a table, and that notebooks show as one.

    It is a list in all else; what is made of it, such as a slice, is a plain one.

    >>> found = store.query([1.0, 0.0, 0.0], k=2)
    >>> isinstance(found, list), [neighbor.id for neighbor in found]
    (True, ['apple', 'pear'])
    >>> found.to_pandas()["id"].tolist()
    ['apple', 'pear']
    """

    __slots__ = ()

    def to_arrow(self) -> pyarrow.Table:
        """Returns a table of Arrow: id, score, distance, metadata (JSON), and text and vector if included.

        Needs ``vecstore[arrow]``.

        >>> store.query([1.0, 0.0, 0.0], k=1).to_arrow().column_names
        ['id', 'score', 'distance', 'metadata']
        """
        from vecstore import _frames

        return _frames.neighbors_to_arrow(self)

    def to_pandas(self) -> pandas.DataFrame:
        """Returns a frame of pandas with the same columns, metadata as dicts. Needs ``vecstore[pandas]``.

        >>> store.query([1.0, 0.0, 0.0], k=1).to_pandas().metadata[0]
        {'kind': 'fruit', 'price': 3}
        """
        from vecstore import _frames

        return _frames.neighbors_to_pandas(self)

    def to_polars(self) -> polars.DataFrame:
        """Returns a frame of polars with the same columns. Needs ``vecstore[polars]``.

        >>> store.query([1.0, 0.0, 0.0], k=1).to_polars()["metadata"][0]
        '{"kind": "fruit", "price": 3}'
        """
        from vecstore import _frames

        return _frames.neighbors_to_polars(self)

    def __arrow_c_stream__(self, requested_schema: typing.Any = None) -> object:
        stream: object = self.to_arrow().__arrow_c_stream__(requested_schema)
        return stream

    def _repr_html_(self) -> str:
        from vecstore import _html

        return _html.of_neighbors(self)


NeighborList.__module__ = Neighbor.__module__
