"""Files of vector indexes, which know vectors and numbers; what else there is stands in a file beside."""

from __future__ import annotations

import importlib
import json
import os
import typing
from collections import abc

from vecstore._errors import InvalidInputError, UnsupportedError
from vecstore._exchange.files import check_numpy, identity, path_of, reading
from vecstore._exchange.rows import Rows
from vecstore.importers._hnsw_file import read_index
from vecstore.importers._json import objects

_Path = typing.Union[str, "os.PathLike[str]"]


class _Beside:
    """What a file says of records by key. It is kept in memory."""

    def __init__(self, path: _Path | None) -> None:
        self._known: dict[int, dict[str, typing.Any]] | None = None
        self.identity = ""
        if path is None:
            return
        place = path_of(path, "records")
        self.identity = identity(place)
        self._known = {}
        for number, (position, one) in enumerate(objects(place, ())):
            key, record_id = one.get("key", number), one.get("id")
            where = f"`{place}`: at character {position}"
            if isinstance(key, bool) or not isinstance(key, int):
                raise InvalidInputError(
                    f"{where}: expected a key that is an integer, got {json.dumps(key)[:40]}"
                )
            if not isinstance(record_id, str):
                raise InvalidInputError(f"{where}: expected an id that is a string")
            self._known[key] = one

    def rows(self, keys: list[int], vectors: typing.Any) -> Rows:
        if self._known is None:
            return Rows([str(key) for key in keys], vectors)
        missing = next((key for key in keys if key not in self._known), None)
        if missing is not None:
            raise InvalidInputError(f"the file of records has none with the key {missing}")
        found = [self._known[key] for key in keys]
        return Rows(
            [one["id"] for one in found],
            vectors,
            [one.get("metadata") for one in found],
            [one.get("text") for one in found],
        )


class HnswlibSource:
    """The elements of an index of hnswlib that are not deleted."""

    metric: str | None = None

    def __init__(self, path: _Path, *, records: _Path | None = None) -> None:
        check_numpy("reading a file of hnswlib")
        self._path = path_of(path)
        self.name = f"`{self._path}`"
        self._beside = _Beside(records)
        self.identity = f"hnswlib, {identity(self._path)}, {self._beside.identity}"
        with reading(self._path):
            self._elements = read_index(self._path)
        self._live: typing.Any = (~self._elements.deleted()).nonzero()[0]
        self.total: int | None = len(self._live)

    def rows(self, start: int, batch_size: int) -> abc.Iterator[Rows]:
        """Yields the elements from the one with this number on, in the order of the file."""
        labels = self._elements.labels()
        for first in range(start, len(self._live), batch_size):
            which = self._live[first : first + batch_size]
            yield self._beside.rows(labels[which].tolist(), self._elements.vectors(which))


class FaissSource:
    """The vectors of an index of FAISS."""

    def __init__(self, path: _Path, *, records: _Path | None = None) -> None:
        try:
            faiss: typing.Any = importlib.import_module(
                "faiss"
            )  # some versions of it have types, some do not
        except ImportError as error:
            raise UnsupportedError("FAISS needs its package: pip install 'vecstore[faiss]'") from error
        self._path = path_of(path)
        self.name = f"`{self._path}`"
        self._beside = _Beside(records)
        self.identity = f"faiss, {identity(self._path)}, {self._beside.identity}"
        try:
            # The inner index of a map belongs to the map, which must live as long.
            self._whole = self._index = faiss.read_index(str(self._path))
            self._ids: typing.Any = None
            if hasattr(self._whole, "id_map"):
                self._ids = faiss.vector_to_array(self._whole.id_map)
                self._index = faiss.downcast_index(self._whole.index)
            if hasattr(self._index, "make_direct_map"):
                self._index.make_direct_map()
        except Exception as error:
            raise InvalidInputError(
                f"{self.name} is not an index that FAISS reads: {_first_line(error)}"
            ) from error
        self.total: int | None = self._index.ntotal
        inner_product, l2 = faiss.METRIC_INNER_PRODUCT, faiss.METRIC_L2
        self.metric = {inner_product: "dot", l2: "euclidean"}.get(self._index.metric_type)
        if self._ids is not None and len(self._ids) != self.total:
            raise InvalidInputError(f"{self.name}: it has {self.total} vectors and {len(self._ids)} ids")

    def rows(self, start: int, batch_size: int) -> abc.Iterator[Rows]:
        """Yields the vectors from the one with this number on."""
        total = self.total or 0
        for first in range(start, total, batch_size):
            size = min(batch_size, total - first)
            try:
                vectors = self._index.reconstruct_n(first, size)
            except Exception as error:
                raise InvalidInputError(
                    f"the kind {type(self._index).__name__} gives no vectors: {_first_line(error)}"
                ) from error
            keys = (
                range(first, first + size) if self._ids is None else self._ids[first : first + size].tolist()
            )
            yield self._beside.rows(list(keys), vectors)


class UsearchSource:
    """The vectors of an index of USearch."""

    def __init__(self, path: _Path, *, records: _Path | None = None) -> None:
        try:
            from usearch.index import Index
        except ImportError as error:
            raise UnsupportedError("USearch needs its package: pip install 'vecstore[usearch]'") from error
        self._path = path_of(path)
        self.name = f"`{self._path}`"
        self._beside = _Beside(records)
        self.identity = f"usearch, {identity(self._path)}, {self._beside.identity}"
        try:
            index = Index.restore(str(self._path), view=True)
        except Exception as error:
            raise InvalidInputError(
                f"{self.name} is not an index that USearch reads: {_first_line(error)}"
            ) from error
        if index is None:
            raise InvalidInputError(f"{self.name} is not an index that USearch reads")
        self._index: typing.Any = index
        self.total: int | None = len(index)
        kind = str(getattr(index.metric_kind, "name", "")).lower()
        self.metric = {"cos": "cosine", "ip": "dot", "l2sq": "euclidean"}.get(kind)

    def rows(self, start: int, batch_size: int) -> abc.Iterator[Rows]:
        """Yields the vectors from the one with this number on."""
        import numpy as np

        keys = np.asarray(self._index.keys)
        for first in range(start, len(keys), batch_size):
            some = keys[first : first + batch_size]
            vectors = np.asarray(self._index.get(some), np.float32).reshape(len(some), -1)
            yield self._beside.rows(some.tolist(), vectors)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
