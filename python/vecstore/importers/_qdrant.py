"""Points of Qdrant: scrolled, or in a snapshot of a shard."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import tempfile
import typing
from collections import abc

from vecstore._errors import InvalidInputError, UnsupportedError
from vecstore._exchange.files import identity, path_of, reading
from vecstore._exchange.rows import Rows
from vecstore.importers._json import objects
from vecstore.importers._points import gather, text_of


class QdrantSource:
    """The points of a file or directory of Qdrant."""

    metric: str | None = None

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        vector: str | None = None,
        sparse: str | None = None,
        text: str | None = None,
    ) -> None:
        self._path = path_of(path)
        self.name = f"`{self._path}`"
        self.identity = f"qdrant, {identity(self._path)}, {vector}, {sparse}, {text}"
        self.total: int | None = None
        self._vector, self._sparse, self._text = vector, sparse, text

    def rows(self, start: int, batch_size: int) -> abc.Iterator[Rows]:
        """Yields the points from the one with this number on."""
        with contextlib.ExitStack() as opened:
            points = self._scrolled() if self._is_json() else self._shard(opened)
            yield from gather(points, start, batch_size)

    def _is_json(self) -> bool:
        if self._path.is_dir():
            return False
        with reading(self._path), self._path.open("rb") as file:
            return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[", b"")

    def _scrolled(self) -> abc.Iterator[dict[str, typing.Any]]:
        for position, one in objects(self._path, ("points",)):
            # A line of a point, or a line of a page.
            page = one.get("result", one)
            points = page.get("points") if isinstance(page, dict) else page
            if points is None:
                points = [one]
            if not isinstance(points, list):
                raise InvalidInputError(f"at character {position}: expected a list of points")
            for point in points:
                if not isinstance(point, dict) or "id" not in point:
                    raise InvalidInputError(f"at character {position}: expected a point with `id`")
                yield self._point(position, point.get("id"), point.get("vector"), point.get("payload"))

    def _point(
        self, position: int | None, id: typing.Any, vectors: typing.Any, payload: typing.Any
    ) -> dict[str, typing.Any]:
        where = f"point `{id}`" if position is None else f"at character {position}: point `{id}`"
        vector, sparse = self._choose(where, vectors)
        # A multivector is a list of vectors.
        several = vector if isinstance(vector, list) and vector and isinstance(vector[0], list) else None
        return {
            "id": id,
            "vector": vector if several is None else None,
            "several": several,
            "metadata": payload,
            "text": text_of(payload, self._text),
            "sparse": sparse,
            "position": position,
        }

    def _choose(self, where: str, vectors: typing.Any) -> tuple[typing.Any, typing.Any]:
        """Returns the dense and the sparse vector of a point that are asked for, or the only ones."""
        if isinstance(vectors, list):
            return vectors, None
        if not vectors:
            raise InvalidInputError(f"{where}: it has no vector: scroll with `with_vector`")
        if not isinstance(vectors, dict):
            raise InvalidInputError(f"{where}: expected a vector that is a list or an object")
        dense = {name: one for name, one in vectors.items() if isinstance(one, list)}
        sparse = {name: one for name, one in vectors.items() if not isinstance(one, list)}
        chosen = _only(where, "vector", dense, self._vector)
        if chosen is None:
            raise InvalidInputError(f"{where}: it has no dense vector")
        found = _only(where, "sparse", sparse, self._sparse)
        if found is None:
            return chosen, None
        if isinstance(found, dict):
            return chosen, (found.get("indices", []), found.get("values", []))
        return chosen, (list(found.indices), list(found.values))

    def _shard(self, opened: contextlib.ExitStack) -> abc.Iterator[dict[str, typing.Any]]:
        try:
            import qdrant_edge
        except ImportError as error:
            raise UnsupportedError(
                "a snapshot of Qdrant needs the package qdrant-edge-py: pip install 'vecstore[qdrant]'"
            ) from error
        # Opening a shard writes to it: a copy is opened.
        copy = pathlib.Path(opened.enter_context(tempfile.TemporaryDirectory())) / "shard"
        try:
            with reading(self._path):
                if self._path.is_dir():
                    shutil.copytree(self._path, copy)
                else:
                    copy.mkdir()
                    qdrant_edge.EdgeShard.unpack_snapshot(str(self._path), str(copy))
            shard = qdrant_edge.EdgeShard.load(str(_shard_of(copy)))
        except (InvalidInputError, UnsupportedError):
            raise
        except Exception as error:
            raise InvalidInputError(f"not a shard that qdrant-edge-py reads: {error}") from error
        opened.callback(shard.close)
        self.total = shard.info().points_count
        offset = None
        while True:
            request = qdrant_edge.ScrollRequest(
                limit=1000, offset=offset, with_vector=True, with_payload=True
            )
            records, offset = shard.scroll(request)
            for record in records:
                yield self._point(None, _plain_id(record.id), record.vector, record.payload)
            if offset is None:
                return


def _shard_of(path: pathlib.Path) -> pathlib.Path:
    """Returns the directory of the only shard in what was unpacked."""
    if (path / "segments").is_dir():
        return path
    shards = sorted(found.parent for found in path.glob("*/segments"))
    if len(shards) != 1:
        raise InvalidInputError(
            f"expected a snapshot of one shard, got {len(shards)}: import each shard's own snapshot"
        )
    return shards[0]


def _only(where: str, what: str, vectors: dict[str, typing.Any], name: str | None) -> typing.Any:
    if name is not None:
        if name not in vectors:
            raise InvalidInputError(f"{where}: it has no vector `{name}`, but {', '.join(vectors) or 'none'}")
        return vectors[name]
    if len(vectors) > 1:
        raise InvalidInputError(f"{where}: say which one with `{what}`: {', '.join(map(repr, vectors))}")
    return next(iter(vectors.values()), None)


def _plain_id(id: typing.Any) -> typing.Any:
    return id if isinstance(id, int) else str(id)
