"""Bulk loading: workers of any kind write sealed segments to shared storage, and one manifest publishes them
all.

A worker needs neither Ray nor the shards: only the uri, to know which ids are whose. What it builds for each
shard is a whole store, with its graphs, under ``builds/<build>/<shard>/``; nobody reads it until
`commit_segments` publishes a manifest that names it. An interrupted build therefore leaves nothing visible,
only files that `discard_segments` deletes. A shard that has no records yet takes the first store it gets as
its own; what comes to records that are there is upserted."""

from __future__ import annotations

import dataclasses
import os
import tempfile
import typing
import uuid
import zlib
from collections import abc
from pathlib import Path

from vecstore._errors import DimensionMismatchError, InvalidInputError
from vecstore._vecstore import VecStore
from vecstore.distributed import _checkpoints, _manifest
from vecstore.distributed._collection import RayCollection
from vecstore.distributed._errors import DistributedError
from vecstore.distributed._manifest import Manifest
from vecstore.distributed._rows import rows_that_match
from vecstore.distributed._storage import open_storage

__all__ = ["BuiltSegments", "build_segments", "commit_segments", "discard_segments"]

_COLUMNS = {"id", "vector", "metadata", "text"}


@dataclasses.dataclass(frozen=True)
class BuiltSegments:
    """What a worker has built, not yet committed. It pickles, and may be sent on by whatever runs the
    workers.
    """

    collection: str
    #: Of the map of ids that it was built for.
    owners: int
    dim: int | None
    records: int
    #: For each shard the files of a store: path, name in shared storage, length, checksum.
    segments: dict[int, list[list[typing.Any]]]


def build_segments(
    batches: abc.Iterable[abc.Mapping[str, typing.Any]],
    uri: str | os.PathLike[str],
    *,
    storage_options: abc.Mapping[str, typing.Any] | None = None,
    threads: int | None = None,
) -> BuiltSegments:
    """Builds segments of records and uploads them, uncommitted.

    Parameters
    ----------
    batches : iterable of dict
        Columns, as batches of Ray Data are: ``id``, ``vector``, and perhaps ``metadata`` (dicts or None) and
        ``text``.
    uri : str or os.PathLike
        The collection's, which must be there.
    storage_options : mapping, optional
        As of `RayConfig`.
    threads : int, optional
        Most threads that build; one for each core if not given.

    Returns
    -------
    BuiltSegments
        For `commit_segments`.
    """
    storage = open_storage(uri, storage_options)
    manifest = _manifest.load(storage)
    token = uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="vecstore-build-") as directory:
        stores = _Stores(Path(directory), manifest, threads)
        try:
            for batch in batches:
                stores.add(batch)
            records, segments = 0, {}
            for shard, store in stores.finished():
                records += len(store)
                prefix = f"builds/{token}/{shard:05}/"
                backup = Path(directory) / f"backup-{shard}"
                segments[shard] = _checkpoints.upload_all(storage, prefix, store, backup)
        finally:
            stores.close()
    return BuiltSegments(manifest.uuid, _map_of(manifest), stores.dim, records, segments)


class _Stores:
    """A store for each shard that gets a record."""

    def __init__(self, directory: Path, manifest: Manifest, threads: int | None) -> None:
        self._directory, self._manifest, self._threads = directory, manifest, threads
        self._stores: dict[int, VecStore] = {}
        self.dim = manifest.dim

    def add(self, batch: abc.Mapping[str, typing.Any]) -> None:
        """Adds the records of a batch."""
        if not isinstance(batch, abc.Mapping):
            raise TypeError(f"batches: expected dicts of columns, got {type(batch).__name__}")
        if not {"id", "vector"} <= set(batch) <= _COLUMNS:
            raise InvalidInputError(
                "batches: expected the columns id and vector, perhaps metadata and text; "
                f"got {', '.join(sorted(map(str, batch)))}"
            )
        ids = [str(one) for one in batch["id"]]
        columns: dict[str, typing.Any] = {
            "metadatas": _listed(batch.get("metadata")),
            "texts": _listed(batch.get("text")),
        }
        settings = self._manifest.settings
        with VecStore(":memory:", dim=self.dim, metric=settings["metric"]) as scratch:
            scratch.upsert_many(ids, _matrix(batch["vector"]), **columns)
            self.dim = scratch.dimension()
            for rows in rows_that_match(scratch):
                for shard, part in rows.split(self._manifest.of).items():
                    part.put(self._of(shard))

    def _of(self, shard: int) -> VecStore:
        if shard not in self._stores:
            options = {**self._manifest.store_options(), "dim": self.dim}
            self._stores[shard] = VecStore(
                self._directory / str(shard), durability="none", threads=self._threads, **options
            )
        return self._stores[shard]

    def finished(self) -> abc.Iterator[tuple[int, VecStore]]:
        """Yields the stores, their graphs built."""
        for shard, store in sorted(self._stores.items()):
            store.compact()
            yield shard, store

    def close(self) -> None:
        """Closes the stores."""
        for store in self._stores.values():
            store.close()


def commit_segments(collection: RayCollection, built: abc.Iterable[BuiltSegments]) -> int:
    """Publishes what workers have built, all of it or nothing: from then on every query sees it.

    Returns
    -------
    int
        How many records it has.

    Raises
    ------
    InvalidInputError
        If something was built for another collection, or for another map of ids: then the shards were
        rebalanced since.
    """
    parts = list(built)
    collection._check_open()
    collection._reload()
    manifest = collection._manifest
    segments: dict[str, list[typing.Any]] = {}
    for part in parts:
        if not isinstance(part, BuiltSegments):
            raise TypeError(f"built: expected BuiltSegments, got {type(part).__name__}")
        if part.collection != manifest.uuid:
            raise InvalidInputError(f"built for another collection than the one at {collection.uri}")
        if part.owners != _map_of(manifest):
            raise InvalidInputError(
                "built for other shards: the collection was rebalanced since; build again"
            )
        for shard, files in part.segments.items():
            segments.setdefault(str(shard), []).append(files)
    dims = {part.dim for part in parts if part.dim is not None} | ({manifest.dim} - {None})
    if len(dims) > 1:
        raise DimensionMismatchError(f"dimension mismatch: expected one, got {sorted(map(str, dims))}")
    if not segments:
        return 0
    build = {"id": uuid.uuid4().hex, "segments": segments}
    after = manifest.next(builds=(*manifest.builds, build), dim=next(iter(dims), None))
    if not _manifest.publish(collection._storage, after):
        raise DistributedError("the collection changed while segments were committed: try again")
    collection._reload()
    collection.count()  # the shards take it in with their next call; this one has them do it now
    return sum(part.records for part in parts)


def discard_segments(
    uri: str | os.PathLike[str], *, storage_options: abc.Mapping[str, typing.Any] | None = None
) -> int:
    """Deletes the files of all builds that no manifest names, also of those that are still going on; returns
    how many.
    """
    storage = open_storage(uri, storage_options)
    manifest = _manifest.load(storage)
    named = {
        file[1]
        for build in manifest.builds
        for parts in build["segments"].values()
        for files in parts
        for file in files
    }
    strays = [name for name in storage.names("builds/") if name not in named]
    storage.delete(strays)
    return len(strays)


def _map_of(manifest: Manifest) -> int:
    return zlib.crc32(repr(manifest.owners).encode())


def _listed(column: typing.Any) -> list[typing.Any] | None:
    return None if column is None else list(column)


def _matrix(vectors: typing.Any) -> typing.Any:
    """Returns vectors as an upsert takes them: Ray Data has an array of arrays."""
    return [*vectors] if getattr(getattr(vectors, "dtype", None), "kind", "") == "O" else vectors
