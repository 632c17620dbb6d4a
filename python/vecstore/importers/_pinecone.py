"""Vectors of Pinecone: what its API returns, or what its bulk import reads."""

from __future__ import annotations

import os
import typing
from collections import abc

from vecstore._errors import InvalidInputError
from vecstore._exchange.arrow import Columns, ParquetSource
from vecstore._exchange.files import identity, path_of, reading
from vecstore._exchange.rows import Rows
from vecstore.importers._json import objects
from vecstore.importers._points import gather, text_of


class PineconeSource:
    """The vectors of a file of Pinecone."""

    metric: str | None = None

    def __init__(self, path: str | os.PathLike[str], *, text: str | None = None) -> None:
        self._path = path_of(path)
        self.name = f"`{self._path}`"
        self.identity = f"pinecone, {identity(self._path)}, {text}"
        self.total: int | None = None
        self._text = text

    def rows(self, start: int, batch_size: int) -> abc.Iterator[Rows]:
        """Yields the vectors from the one with this number on."""
        with reading(self._path), self._path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        if is_parquet:
            source = ParquetSource(self._path, Columns(vector="values"))
            for rows in source.rows(start, batch_size):
                self.total = source.total
                if self._text is not None and rows.metadatas is not None:
                    rows.texts = [text_of(_parsed(one), self._text) for one in rows.metadatas]
                yield rows
            self.total = source.total
            return
        found = objects(self._path, ("vectors", "matches"))
        points = (_point(position, one, self._text) for position, one in found)
        yield from gather(points, start, batch_size)


def _parsed(metadata: typing.Any) -> typing.Any:
    import json

    return json.loads(metadata) if isinstance(metadata, str) else metadata


def _point(position: int, one: dict[str, typing.Any], text: str | None) -> dict[str, typing.Any]:
    if "values" not in one or "id" not in one:
        raise InvalidInputError(
            f"at character {position}: expected `id` and `values`, got {', '.join(one) or 'nothing'}"
        )
    sparse = one.get("sparse_values") or one.get("sparseValues")
    if sparse is not None:
        if not isinstance(sparse, dict):
            raise InvalidInputError(
                f"at character {position}: expected sparse_values with indices and values"
            )
        sparse = (sparse.get("indices", []), sparse.get("values", []))
    metadata = one.get("metadata")
    return {
        "id": one["id"],
        "vector": one["values"],
        "metadata": metadata,
        "text": text_of(metadata, text),
        "sparse": sparse,
        "position": position,
    }
