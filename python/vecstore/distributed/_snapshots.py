"""Snapshots of a collection on Ray by name.

``snapshots/<hash of the name>`` is JSON: the name, when it was made, how many records it has, and the map of
ids to shards. The files lie with the shards, kept by pins (`_pins`); segments that are in shared storage
already are not uploaded again.

A snapshot is of one moment: writes wait while each shard backs its store up on its node's disk, which copies
what is new since the last checkpoint. The upload comes after. Going back to one makes new shards of its
files, beside those that serve; they are what the collection has once one manifest is published."""

from __future__ import annotations

import datetime
import hashlib
import json
import time
import typing
import uuid

from vecstore._errors import AlreadyExistsError, CorruptionError, NotFoundError
from vecstore._values import Snapshot
from vecstore.distributed import _manifest, _pins
from vecstore.distributed._actors import Call
from vecstore.distributed._errors import DistributedError
from vecstore.distributed._handle import Handle
from vecstore.distributed._log import ShardLog
from vecstore.distributed._manifest import Manifest
from vecstore.distributed._reading import Reading
from vecstore.distributed._rebalance import remove_strays

__all__ = ["Snapshots"]

_PREFIX = "snapshots/"


class Snapshots(Reading):
    """Checkpoints, and snapshots by name."""

    def save(self) -> None:
        """Makes a checkpoint of every shard: shared storage then has all records, whatever ``replication``
        is.
        """
        self._check_open()
        self._reload()
        self.count()  # every shard is at this generation now, with all that was built for it
        self._actors.method(self._manifest.shards, "save")
        if built := self._manifest.builds:
            # Whoever restores the checkpoint before the last one no longer needs what was built, either.
            self._actors.method(self._manifest.shards, "save")
            if _manifest.publish(self._storage, self._manifest.next(builds=())):
                self._delete_builds(built)
            self._reload()

    def _delete_builds(self, builds: tuple[dict[str, typing.Any], ...]) -> None:
        parts = [files for build in builds for stores in build["segments"].values() for files in stores]
        self._storage.delete([name for files in parts for _, name, _, _ in files])

    def create_snapshot(self, name: str) -> Snapshot:
        """Keeps the records as they are now under a name. See `VecStore.create_snapshot`.

        Writes wait for a moment. It takes what it shares with no checkpoint of shared storage.
        """
        with self._scratch() as scratch:
            self._check_open()
            scratch.create_snapshot(name)  # raises for what is no name
        if self._storage.get(_object(name)) is not None:
            raise self._there_already(name)
        _pins.unpin_strays(self._storage, {kept["token"] for kept in self._snapshots()})
        self.save()  # most files are in shared storage before writes wait
        self.count()  # every shard is at this generation, with all that was built for it
        shards, token = self._manifest.shards, uuid.uuid4().hex
        try:
            kept = self._kept(shards, token)
            self._actors.method(shards, "upload_kept", token)
            made = {
                "name": name,
                "token": token,
                "created_at": time.time(),
                "records": kept,
                "owners": self._manifest.owners,
                "dim": self._manifest.dim,
            }
            if not self._storage.put_new(_object(name), json.dumps(made).encode()):
                raise self._there_already(name)
        except BaseException:
            self._unpin(shards, token)
            raise
        return _snapshot(made)

    def _there_already(self, name: str) -> AlreadyExistsError:
        return AlreadyExistsError(
            f"the collection at {self._storage.uri} has a snapshot named `{name}` already"
        )

    def _kept(self, shards: list[int], token: str) -> int:
        """Has all shards keep their records of one moment; returns how many they are."""
        generation = self._manifest.generation
        with _Held(self, shards):
            replies = self._actors.method(shards, "keep", token)
            held = self._actors.method(shards, "is_held").values()
            if _manifest.load(self._storage).generation != generation or not all(one.value for one in held):
                raise DistributedError(
                    "the collection changed while a snapshot was made (a rebalancing, a commit, or it took "
                    "too long): try again"
                )
        return sum(reply.value for reply in replies.values())

    def _unpin(self, shards: typing.Iterable[int], token: str) -> None:
        for shard in shards:
            _pins.unpin(self._storage, shard, token)

    def _snapshots(self) -> list[dict[str, typing.Any]]:
        """Returns what is noted of each snapshot, in the order they were made in."""
        found = [self._read_snapshot(name) for name in self._storage.names(_PREFIX)]
        return sorted(
            (one for one in found if one is not None), key=lambda one: (one["created_at"], one["name"])
        )

    def _read_snapshot(self, name: str) -> dict[str, typing.Any] | None:
        content = self._storage.get(name)
        if content is None:
            return None
        try:
            read = json.loads(content)
            fields = {field: read[field] for field in ("name", "token", "created_at", "records", "dim")}
            owners = tuple(int(shard) for shard in read["owners"])
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptionError(f"{self._storage.uri}/{name} is no snapshot: {error}") from error
        return {**fields, "owners": owners}

    def list_snapshots(self) -> list[Snapshot]:
        """Returns the snapshots that are kept, in the order they were made. See `VecStore.list_snapshots`."""
        self._check_open()
        return [_snapshot(one) for one in self._snapshots()]

    def delete_snapshot(self, name: str) -> bool:
        """Deletes a snapshot, and returns whether it was there. See `VecStore.delete_snapshot`."""
        self._empty.delete_snapshot(name)  # raises for what is no name
        kept = self._read_snapshot(_object(name))
        if kept is None:
            return False
        self._storage.delete([_object(name)])
        shards = sorted(set(kept["owners"]))
        self._unpin(shards, kept["token"])
        self._reload()
        gone = [shard for shard in shards if shard not in self._manifest.shards]
        for shard in gone:
            _pins.discard_shard(self._storage, shard)
        # Their checkpoints delete what was pinned.
        self._actors.method([shard for shard in shards if shard not in gone], "save")
        return True

    def restore_snapshot(self, name: str) -> None:
        """Makes the records what they were when the snapshot was made. See `VecStore.restore_snapshot`.

        The number of shards is that of the snapshot again.
        """
        with self._scratch() as scratch:
            self._check_open()
            scratch.delete_snapshot(name)  # raises for what is no name
        kept = self._read_snapshot(_object(name))
        if kept is None:
            raise NotFoundError(f"the collection at {self._storage.uri} has no snapshot named `{name}`")
        self._reload()
        now = self._manifest
        remove_strays(self, now)
        old = sorted(set(kept["owners"]))
        new = dict(zip(old, range(now.next_shard, now.next_shard + len(old))))
        after = now.next(
            owners=tuple(new[shard] for shard in kept["owners"]),
            next_shard=now.next_shard + len(old),
            builds=(),
            dim=now.dim if kept["dim"] is None else kept["dim"],
        )
        try:
            for shard, number in new.items():
                files = _pins.pinned_files(self._storage, shard, kept["token"])
                _begin(ShardLog(self._storage, number), files, now.generation)
            self._actors.ensure(new.values())
            self._actors.greet(new.values())
            self._index_alike(now, list(new.values()))
            # From now on they need no file of the snapshot.
            self._actors.method(new.values(), "save")
            self._actors.method(new.values(), "save")
            with _Held(self, now.shards, ends=False):
                if not _manifest.publish(self._storage, after):
                    raise DistributedError("the collection changed while a snapshot was restored: try again")
        except BaseException:
            self._actors.stop(new.values())
            for shard in new.values():
                _pins.discard_shard(self._storage, shard)
            raise
        self._reload()
        self.count()
        self._actors.stop(now.shards)
        for shard in now.shards:
            _pins.discard_shard(self._storage, shard)

    def _index_alike(self, now: Manifest, new: list[int]) -> None:
        """Gives new shards the field indexes that the collection has."""
        asked = self._actors.ask(now.generation, {now.shards[0]: Call("list_indexes")})
        wanted = {index.path: index.kind for index in asked[now.shards[0]] if not index.automatic}
        for shard, indexes in self._actors.ask(
            now.generation, dict.fromkeys(new, Call("list_indexes"))
        ).items():
            there = {index.path: index.kind for index in indexes if not index.automatic}
            for path in there.keys() - wanted.keys():
                self._actors.ask(now.generation, {shard: Call("drop_index", (path,))})
            for path, kind in wanted.items():
                if there.get(path) != kind:
                    self._actors.ask(now.generation, {shard: Call("create_index", (path, kind))})


class _Held:
    """Holds up writes to shards, until the end or, if it does not end well or is to end, for good."""

    def __init__(self, collection: Handle, shards: list[int], *, ends: bool = True) -> None:
        self._collection, self._shards, self._ends = collection, shards, ends

    def __enter__(self) -> None:
        try:
            self._collection._actors.method(self._shards, "hold")
        except BaseException:
            self._collection._actors.method(self._shards, "release")
            raise

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if self._ends or exc_type is not None:
            self._collection._actors.method(self._shards, "release")


def _begin(log: ShardLog, files: _pins.Files, generation: int) -> None:
    """Begins the log of a shard that is made of files; whoever starts it restores them."""
    log.seek_end()
    log.append("open", epoch=log.epoch + 1, copy=uuid.uuid4().hex)
    log.append("checkpoint", files=files, replay_from=log.number + 1, built=[], generation=generation)


def _object(name: str) -> str:
    # A name may have any characters, and more of them than that of a file.
    return _PREFIX + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _snapshot(made: dict[str, typing.Any]) -> Snapshot:
    # To the millisecond, as in one store.
    at = int(made["created_at"] * 1000) / 1000
    created_at = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    return Snapshot(made["name"], created_at, made["records"])
