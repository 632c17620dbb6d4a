"""What keeps files of a shard from being deleted that no checkpoint lists: pins, each of a snapshot.

A pin is an object ``shards/<shard>/pins/<token>``, JSON: the files as a checkpoint lists them, and when it
was made. **Write order**: the owner puts the pin first, then looks which of its files are there and uploads
the others; the collection's object ``snapshots/<...>`` comes last and makes the snapshot one. Only the owner
deletes files of a shard, and it reads the pins before. A crash leaves pins of no snapshot; those that are old
are deleted when the next snapshot is made."""

from __future__ import annotations

import json
import time
import typing

from vecstore._errors import CorruptionError
from vecstore.distributed._storage import Storage, shard_prefix

__all__ = ["Files", "discard_shard", "pin", "pinned", "pinned_files", "unpin", "unpin_strays"]

Files = list[list[typing.Any]]

#: Pins that no snapshot has are deleted when they are so old: whoever makes a snapshot has given up by then.
STRAY_SECONDS = 24 * 3600.0


def _name(shard: int, token: str) -> str:
    return f"{shard_prefix(shard)}pins/{token}"


def pin(storage: Storage, shard: int, token: str, files: Files) -> None:
    """Keeps files from being deleted."""
    storage.put_new(_name(shard, token), json.dumps({"files": files, "at": time.time()}).encode())


def unpin(storage: Storage, shard: int, token: str) -> None:
    """Lets them be deleted."""
    storage.delete([_name(shard, token)])


def pinned_files(storage: Storage, shard: int, token: str) -> Files:
    """Returns the files of a pin."""
    return typing.cast(Files, _read(storage, _name(shard, token))["files"])


def pinned(storage: Storage, shard: int) -> list[str]:
    """Returns the names of all objects that pins of a shard keep."""
    names = storage.names(f"{shard_prefix(shard)}pins/")
    return [name for one in names for _, name, _, _ in _read(storage, one, missing={"files": []})["files"]]


def unpin_strays(storage: Storage, tokens: set[str]) -> None:
    """Deletes old pins of snapshots that are not there."""
    for name in storage.names("shards/"):
        folder, _, token = name.rpartition("/")
        is_stray = folder.endswith("/pins") and token not in tokens
        if is_stray and time.time() - _read(storage, name, missing={"at": 0.0})["at"] > STRAY_SECONDS:
            storage.delete([name])


def discard_shard(storage: Storage, shard: int) -> None:
    """Deletes what there is of a shard that is none any more, but for what pins keep."""
    names = storage.names(shard_prefix(shard))
    if names:
        pins = f"{shard_prefix(shard)}pins/"
        kept = set(pinned(storage, shard))
        storage.delete([name for name in names if name not in kept and not name.startswith(pins)])


def _read(storage: Storage, name: str, missing: dict[str, typing.Any] | None = None) -> dict[str, typing.Any]:
    content = storage.get(name)
    if content is None:
        if missing is not None:
            return missing
        raise CorruptionError(f"{storage.uri}/{name} is missing: a snapshot has lost its files")
    try:
        read = json.loads(content)
        return {"files": list(read["files"]), "at": float(read["at"])}
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptionError(f"{storage.uri}/{name} is malformed: {error}") from error
