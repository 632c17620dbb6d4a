"""From one store to shards, and back.

Records go in order of their ids, a batch at a time, and the last id of each batch is noted once the batch is
written: to shards, in their shared storage; back, in a file beside the store. A migration that was
interrupted goes on there, if it is of the same source to the same place."""

from __future__ import annotations

import json
import os
import typing
from pathlib import Path

from vecstore._errors import CorruptionError, InvalidInputError
from vecstore._vecstore import BaseCollection, Collection, VecStore
from vecstore.distributed import _manifest
from vecstore.distributed._collection import RayCollection
from vecstore.distributed._config import RayConfig
from vecstore.distributed._rows import BATCH_ROWS, Rows, rows_that_match
from vecstore.distributed._storage import Storage
from vecstore.distributed._values import MigrationResult

__all__ = ["migrate", "migrate_back"]

_NOTES = "migration/"


def migrate(
    source: BaseCollection,
    to: str | os.PathLike[str] | RayCollection,
    *,
    shards: int | None = None,
    replicas: int | None = None,
    config: RayConfig | None = None,
    batch_size: int = BATCH_ROWS,
) -> MigrationResult:
    """Copies all records of a store or collection to shards: soft-deleted ones, texts, sparse vectors and
    times to live too.

    Called again after it was interrupted, it goes on after the last batch that was written. The source may be
    written to meanwhile, but what changes behind the place where the copying is, is not copied: stop writing
    for the last call.

    Parameters
    ----------
    source : VecStore or Collection
        What is copied.
    to : str, os.PathLike or RayCollection
        A uri, with ``shards``, ``replicas`` and ``config`` as of `RayCollection.open`, or an open collection.
        Metric, analyzer and the like are the source's where the collection is made.
    batch_size : int
        Records of a batch.

    Returns
    -------
    MigrationResult
    """
    if not isinstance(source, BaseCollection):
        raise TypeError(f"source: expected a VecStore or Collection, got {type(source).__name__}")
    _check_batch_size(batch_size)
    if isinstance(to, RayCollection):
        return _copied(source, to, batch_size)
    with RayCollection.open(to, shards, replicas, _config_like(source, config)) as collection:
        return _copied(source, collection, batch_size)


def _copied(source: BaseCollection, collection: RayCollection, batch_size: int) -> MigrationResult:
    storage, identity = collection._storage, _identity(source)
    note, number = _last_note(storage)
    if note is not None and note["source"] != identity:
        raise InvalidInputError(
            f"a migration of {note['source']} to {storage.uri} was begun and is not finished, got {identity}"
        )
    after = None if note is None else note["last"]
    resumed_at = 0 if note is None else note["records"]
    records = resumed_at
    if source.dimension() is not None:
        collection._fix_dim(typing.cast(int, source.dimension()))
    for rows in rows_that_match(source, batch_rows=batch_size):
        if after is not None:
            rows = rows.take([at for at, one in enumerate(rows.ids) if one > after])
        if not len(rows):
            continue
        collection._put(rows)
        number, records = number + 1, records + len(rows)
        content = {"source": identity, "last": rows.ids[-1], "records": records}
        storage.put_new(f"{_NOTES}{number:010}", json.dumps(content).encode())
    for index in source.list_indexes():
        if not index.automatic:
            collection.create_index(index.path, index.kind)
    collection.save()
    storage.delete(storage.names(_NOTES))
    return MigrationResult(records - resumed_at, resumed_at)


def _last_note(storage: Storage) -> tuple[dict[str, typing.Any] | None, int]:
    names = storage.names(_NOTES)
    if not names:
        return None, 0
    content = storage.get(names[-1])
    try:
        return json.loads(content or b""), int(names[-1].rpartition("/")[2])
    except ValueError as error:
        raise CorruptionError(f"{storage.uri}/{names[-1]} is no note of a migration: {error}") from error


def migrate_back(
    source: RayCollection, to: str | os.PathLike[str] | BaseCollection, *, batch_size: int = BATCH_ROWS
) -> MigrationResult:
    """Copies all records of shards to one store.

    Called again after it was interrupted, it goes on after the last batch that was written, if ``to`` is a
    path.

    Parameters
    ----------
    source : RayCollection
        What is copied.
    to : str, os.PathLike, VecStore or Collection
        A path, where a store with the collection's metric, analyzer and the like is made, or what is open
        already.
    batch_size : int
        Records of a batch.

    Returns
    -------
    MigrationResult
    """
    if not isinstance(source, RayCollection):
        raise TypeError(f"source: expected a RayCollection, got {type(source).__name__}")
    _check_batch_size(batch_size)
    source._check_open()
    source._reload()
    if isinstance(to, BaseCollection):
        return _fetched(source, to, None, batch_size)
    path, options = Path(to), {**source._manifest.store_options(), "dim": source.dimension()}
    with VecStore(path, **options) as store:
        return _fetched(source, store, path.with_name(path.name + ".migration"), batch_size)


def _fetched(
    source: RayCollection, store: BaseCollection, note: Path | None, batch_size: int
) -> MigrationResult:
    everything = frozenset(range(_manifest.VIRTUAL_SHARDS))
    identity = {"source": source._manifest.uuid, "shards": source._manifest.shards}
    done: dict[str, typing.Any] = {**identity, "last": {}, "finished": [], "records": 0}
    if note is not None and note.exists():
        done = json.loads(note.read_text())
        if {name: done[name] for name in identity} != identity:
            raise InvalidInputError(
                f"{note} is of a migration of another collection, or of other shards of this one"
            )
    resumed_at = done["records"]
    for shard in source._manifest.shards:
        after = done["last"].get(str(shard))
        while shard not in done["finished"]:
            reply = source._actors.method([shard], "page", everything, after, batch_size)[shard]
            rows: Rows | None = reply.value[0]
            after = reply.value[1]
            if rows is not None:
                rows.put(store)
                done["records"] += len(rows)
            if after is None:
                done["finished"].append(shard)
            done["last"][str(shard)] = after
            if note is not None:
                draft = note.with_name(note.name + ".draft")
                draft.write_text(json.dumps(done))
                draft.replace(note)
    for index in source.list_indexes():
        if not index.automatic:
            store.create_index(index.path, index.kind)
    store.flush()
    if note is not None:
        note.unlink(missing_ok=True)
    return MigrationResult(done["records"] - resumed_at, resumed_at)


def _check_batch_size(batch_size: int) -> None:
    if isinstance(batch_size, bool) or not isinstance(batch_size, int):
        raise TypeError(f"batch_size: expected an int, got {type(batch_size).__name__}")
    if batch_size < 1:
        raise InvalidInputError(f"batch_size must be 1 or more, got {batch_size}")


def _identity(source: BaseCollection) -> str:
    if isinstance(source, VecStore):
        return f"the store {source.config.path}"
    return f"the collection {typing.cast(Collection, source).name()}"


def _config_like(source: BaseCollection, config: RayConfig | None) -> RayConfig:
    """Returns a config with the source's options where none are given."""
    import dataclasses

    config = config or RayConfig()
    known = typing.cast("VecStore | Collection", source).config
    return dataclasses.replace(
        config,
        dim=config.dim if config.dim is not None else source.dimension(),
        metric=config.metric or source.distance_metric,
        quantization=known.quantization,
        analyzer=config.analyzer or known.analyzer,
        text_fields=config.text_fields or tuple(known.text_fields),
        partition_by=config.partition_by or known.partition_by,
    )
