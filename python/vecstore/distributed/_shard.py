"""A shard: an ordinary store on a node's disk, its log and its checkpoints in shared storage.

A call comes with the generation of the manifest that its caller knows. A shard that is behind changes to that
generation first, alone; a caller that is behind is told so. All shards therefore answer one call by the same
map of ids.

**Order of a write.** The store applies it, then its frame is appended to the log (with ``sync``), then it is
acknowledged. Calls that wait for the log share an entry. A crash between the two leaves a record that was
never acknowledged, on this disk alone; the checkpoint at the next start makes it one of all copies. A write
that the log refuses stays queued and goes out before the next one.

**Start.** The copy on the disk is used if the last owner wrote to it; otherwise the newest checkpoint is. It
is marked complete, then the log is claimed, then everything since the checkpoint is applied again. A crash at
any point starts over."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import threading
import time
import typing
import uuid
from collections import abc
from pathlib import Path

from vecstore._errors import CorruptionError, InvalidInputError, StorageError, VecStoreError
from vecstore._vecstore import VecStore
from vecstore.distributed import _checkpoints, _manifest
from vecstore.distributed._config import RayConfig
from vecstore.distributed._errors import FencedError, ShardUnavailableError
from vecstore.distributed._gate import Gate
from vecstore.distributed._log import Entry, ShardLog
from vecstore.distributed._rows import Frame, rows_of_ids, rows_that_match
from vecstore.distributed._storage import open_storage
from vecstore.distributed._work import READS, WRITES, as_they_are

__all__ = ["Reply", "Shard"]

#: How often a shard looks whether a checkpoint is due.
TEND_SECONDS = 1.0

#: Bytes that wait for the log while shared storage does not take them; beyond that, writes are refused.
QUEUE_BYTES_MAX = 64 << 20

#: A turn that is not gone on with ends after this time.
TURN_SECONDS = 30.0

#: Writes that are held up go on by themselves after this time: see `Shard.hold`.
HOLD_SECONDS = 30.0


@dataclasses.dataclass
class Reply:
    """The answer of a shard."""

    value: typing.Any = None
    error: Exception | None = None
    #: The generation that the shard is at, where the caller's is older.
    moved_to: int | None = None
    #: Whether writes are held up for a moment, while records move.
    is_held: bool = False
    #: The last entry of the log that the answer is as of.
    number: int = 0


@dataclasses.dataclass
class _Queue:
    """Frames on their way to the log."""

    frames: list[bytes] = dataclasses.field(default_factory=list)
    bytes: int = 0
    #: How many frames were ever queued, and how many of them are logged.
    queued: int = 0
    logged: int = 0


_Method = typing.TypeVar("_Method", bound=abc.Callable[..., Reply])


def _error_in_reply(method: _Method) -> _Method:
    """Has a method put what it raises into its reply."""

    @functools.wraps(method)
    def replying(*args: typing.Any, **kwargs: typing.Any) -> Reply:
        try:
            return method(*args, **kwargs)
        except Exception as error:
            return Reply(error=_plain_error(error))

    return typing.cast(_Method, replying)


class Shard:
    """One shard on one node: its owner, or a replica that follows the log."""

    def __init__(
        self, uri: str, shard: int, directory: str, config: RayConfig, *, is_replica: bool = False
    ) -> None:
        self.shard = shard
        self._config = config
        self._is_replica = is_replica
        self._directory = Path(directory)
        self._storage = open_storage(uri, config.storage_options)
        self._log = ShardLog(self._storage, shard)
        #: The generation that the log says the owner has changed to.
        self._logged_generation = 0
        self._wake = threading.Event()
        self._opening = threading.Lock()
        self._gate = Gate()
        self._writing = threading.Lock()
        self._logging = threading.Lock()
        self._checkpointing = threading.Lock()
        self._queue = _Queue()
        self._store: VecStore | None = None
        self._manifest: _manifest.Manifest | None = None
        self._built: list[str] = []
        self._fenced: str | None = None
        self._is_closed = False
        self._checked = 0.0
        self._logged_bytes = 0
        self._dirty_since: float | None = None
        #: Ids that changed among virtual shards that are being copied, and which those are.
        self._watched: frozenset[int] = frozenset()
        self._touched: set[str] = set()
        self._held_until: float | None = None
        #: Turns of `upsert_unique`: whose it is, with its number and until when, if this shard gives them
        #: out; how many there were; and the largest number that was seen.
        self._at_turn: tuple[str, int, float] | None = None
        self._turns = 0
        self._turn = 0
        #: What came of calls, for metrics: set by who wants to know.
        self.observe: abc.Callable[[str, float, bool], None] | None = None

    # ---- Calls

    def call(
        self,
        generation: int,
        name: str,
        args: tuple[typing.Any, ...] = (),
        kwargs: typing.Any = None,
        at_least: int = 0,
    ) -> Reply:
        """Makes a call of `_work`; what it raises is in the reply."""
        began = time.perf_counter()
        try:
            reply = self._called(generation, name, args, kwargs or {}, at_least)
        except Exception as error:
            reply = Reply(error=_plain_error(error))
        if self.observe is not None:
            self.observe(name, time.perf_counter() - began, reply.error is not None)
        return reply

    def _called(
        self,
        generation: int,
        name: str,
        args: tuple[typing.Any, ...],
        kwargs: dict[str, typing.Any],
        at_least: int,
    ) -> Reply:
        self._open()
        if self._is_replica:
            self._follow(at_least)
        if generation > self._known.generation:
            self._change(generation)
        with self._gate.passed():
            if generation < self._known.generation:
                return Reply(moved_to=self._known.generation)
            if name == "nearest_on_turn":
                value = self._nearest_on_turn(*args, **kwargs)
            elif name in READS:
                value = READS[name](self._opened, *args, **kwargs)
            elif self._are_writes_held():
                return Reply(is_held=True)
            else:
                value = self._write(name, args, kwargs)
        return Reply(value, number=self._log.number)

    @property
    def _opened(self) -> VecStore:
        if self._store is None:
            raise ShardUnavailableError(f"shard {self.shard} was stopped", [self.shard])
        return self._store

    @property
    def _known(self) -> _manifest.Manifest:
        assert self._manifest is not None, "`_open` was called"
        return self._manifest

    def _write(self, name: str, args: abc.Sequence[typing.Any], kwargs: dict[str, typing.Any]) -> typing.Any:
        if self._is_replica:
            raise InvalidInputError(f"shard {self.shard}: a replica takes no writes")
        self._check_is_owner()
        with self._writing:
            if name == "put_on_turn":
                number, epoch, *args = args
                if number != self._turn or epoch != self._log.epoch:
                    return None
                name = "put"
            if self._queue.bytes > QUEUE_BYTES_MAX:
                self._flush_log(self._queue.queued)
            value, frame = WRITES[name](self._opened, *args, **kwargs)
            ticket = self._enqueue(frame)
        if self._known.settings["replication"] == "sync":
            self._flush_log(ticket)
        return value

    # ---- Turns: see `_duplicates`

    @_error_in_reply
    def take_turn(self, token: str) -> Reply:
        """Makes it the turn of who has this token, or goes on with it; returns the number of the turn, None
        if it is another's.
        """
        self._open()
        with self._writing:
            now = time.monotonic()
            if self._at_turn is not None and self._at_turn[0] != token and now < self._at_turn[2]:
                return Reply(None)
            if self._at_turn is None or self._at_turn[0] != token:
                self._turns += 1
            # Larger than those of whoever owned the shard before.
            number = (self._log.epoch << 32) + self._turns
            self._at_turn = (token, number, now + TURN_SECONDS)
            return Reply(number)

    def end_turn(self, token: str) -> Reply:
        """Ends the turn of who has this token."""
        with self._writing:
            if self._at_turn is not None and self._at_turn[0] == token:
                self._at_turn = None
        return Reply()

    def _nearest_on_turn(self, number: int, *args: typing.Any, **kwargs: typing.Any) -> typing.Any:
        """Returns the epoch and what is nearest, and takes nothing of earlier turns from now on; None if
        there was a later one.
        """
        if self._is_replica:
            raise InvalidInputError(f"shard {self.shard}: a replica has no turns")
        with self._writing:
            if number < self._turn:
                return None
            self._turn = number
        return self._log.epoch, READS["nearest"](self._opened, *args, **kwargs)

    def _enqueue(self, frame: Frame) -> int:
        """Queues a frame for the log, in the order of the store."""
        if not frame:
            return self._queue.queued
        if self._watched:
            ids = [*(frame.rows.ids if frame.rows is not None else []), *frame.gone]
            self._touched.update(one for one in ids if _manifest.virtual_shard(one) in self._watched)
        if self._dirty_since is None:
            self._dirty_since = time.monotonic()
        self._queue.queued += 1
        if self._known.settings["replication"] == "sync":
            encoded = frame.encode()
            self._queue.frames.append(encoded)
            self._queue.bytes += len(encoded)
        return self._queue.queued

    def _flush_log(self, ticket: int) -> None:
        """Waits until a frame is in the log: who comes first appends for all that wait."""
        with self._logging:
            queue = self._queue
            if queue.logged >= ticket or not queue.frames:
                return
            count = len(queue.frames)
            payload = b"".join(queue.frames[:count])
            try:
                self._log.append("rows", payload)
            except FencedError as error:
                self._fenced = str(error)
                raise
            del queue.frames[:count]
            queue.bytes -= len(payload)
            queue.logged += count
            self._logged_bytes += len(payload)
        if self._logged_bytes >= self._config.checkpoint_bytes:
            self._wake.set()

    def _are_writes_held(self) -> bool:
        until = self._held_until
        if until is None:
            return False
        if time.monotonic() >= until:
            # Whoever held them up must not publish any more: the generation that it would publish is taken.
            _manifest.publish(self._storage, self._known.next())
            self._held_until = None
        return True

    def _check_is_owner(self) -> None:
        """Raises if another owner is known of, or may be there for longer than the config allows."""
        if self._fenced is not None:
            raise FencedError(self._fenced)
        if self._known.settings["replication"] == "sync":
            return  # the log says so before anything is acknowledged
        now = time.monotonic()
        if now - self._checked > self._config.fence_seconds:
            with self._logging:
                if self._log.has_next():
                    self._fenced = f"shard {self.shard}: another owner has taken it over"
                    raise FencedError(self._fenced)
            self._checked = now

    # ---- Start

    def _open(self) -> None:
        if self._store is None:
            with self._opening:
                self._open_alone()

    def _open_alone(self) -> None:
        if self._is_closed:
            raise ShardUnavailableError(f"shard {self.shard} was stopped", [self.shard])
        if self._store is None:
            manifest = _manifest.load(self._storage)
            opened = self._opened_replica if self._is_replica else self._opened_owner
            _checkpoints.discard(self._directory / "kept")
            store = opened(manifest)
            self._manifest, self._store = manifest, store
            if not self._is_replica:
                self._checkpoint_after_start()
                threading.Thread(target=self._tend, name="vecstore-checkpoint", daemon=True).start()

    @property
    def _mark(self) -> Path:
        return self._directory / "copy.json"

    def _seek_end(self, manifest: _manifest.Manifest) -> None:
        self._log.seek_end()
        is_known = self.shard in manifest.shards and manifest.settings.get(_manifest.HAS_LOGS)
        if not self._log.number and is_known:
            raise CorruptionError(
                f"shard {self.shard} has no log at {self._storage.uri}: its records there were deleted or "
                "moved. The number of shards is changed by RayCollection.rebalance"
            )

    def _opened_owner(self, manifest: _manifest.Manifest) -> VecStore:
        self._seek_end(manifest)
        copy = self._copy_on_disk()
        if copy is None or copy["copy"] != self._log.copy:
            copy = self._restored()
        store = self._store_on_disk(manifest)
        try:
            # Read before the claim: what the last owner appends until then is before the entry of the claim.
            self._log.claim(copy["copy"])
            store, self._built = self._replay(store, manifest, self._log.number - 1)
            if copy["generation"] < manifest.generation:
                store = self._tidy(store, manifest)
            self._note(manifest.generation, copy["copy"])
        except BaseException:
            store.close()
            raise
        return store

    def _opened_replica(self, manifest: _manifest.Manifest) -> VecStore:
        self._seek_end(manifest)
        self._restored()
        store, self._built = self._replay(self._store_on_disk(manifest), manifest, self._log.number)
        return store

    def _copy_on_disk(self) -> dict[str, typing.Any] | None:
        try:
            copy = json.loads(self._mark.read_text())
        except (OSError, ValueError):
            return None
        return copy if isinstance(copy, dict) else None

    def _restored(self) -> dict[str, typing.Any]:
        """Makes a new copy of the newest checkpoint, or an empty one."""
        _checkpoints.discard(self._directory)
        self._directory.mkdir(parents=True, exist_ok=True)
        generation = 0
        if self._log.checkpoint:
            entry = self._newest_checkpoint()
            _checkpoints.download(self._storage, entry.header["files"], self._directory)
            generation = entry.header["generation"]
        return self._note(generation, uuid.uuid4().hex)

    def _newest_checkpoint(self) -> Entry:
        entry = self._log.read(self._log.checkpoint)
        if entry is None:
            raise StorageError(
                f"shard {self.shard}: its checkpoint was replaced while it was read: try again"
            )
        return entry

    def _note(self, generation: int, copy: str) -> dict[str, typing.Any]:
        fields = {"copy": copy, "generation": generation}
        draft = self._mark.with_suffix(".draft")
        draft.write_text(json.dumps(fields))
        draft.replace(self._mark)
        return fields

    def _store_on_disk(self, manifest: _manifest.Manifest) -> VecStore:
        config = self._config
        return VecStore(
            self._directory / "store",
            durability=config.durability,
            wait=10.0,
            memory_budget=config.memory_budget,
            threads=config.threads,
            **manifest.store_options(),
        )

    def _replay(self, store: VecStore, manifest: _manifest.Manifest, last: int) -> tuple[VecStore, list[str]]:
        """Applies the log from the checkpoint on; returns the store and the builds that are taken in."""
        first, built = 1, []
        if self._log.checkpoint:
            entry = self._newest_checkpoint()
            first, built = entry.header["replay_from"], list(entry.header["built"])
            self._logged_generation = entry.header["generation"]
        for entry in self._log.between(first, last):
            store = self._apply(store, manifest, entry, built)
        return store, built

    def _apply(
        self, store: VecStore, manifest: _manifest.Manifest, entry: Entry, built: list[str]
    ) -> VecStore:
        if entry.kind == "rows":
            for frame in entry.frames():
                frame.apply(store)
        elif entry.kind == "moved":
            self._logged_generation = entry.header["generation"]
        elif entry.kind == "adopt" and entry.header["build"] not in built:
            store = self._taken_in(store, manifest, entry.header["segments"])
            built.append(entry.header["build"])
        return store

    def _checkpoint_after_start(self) -> None:
        # What is on this disk alone becomes part of all copies.
        if len(self._opened) or self._opened.deleted_count():
            self.checkpoint()

    # ---- Replicas

    def _follow(self, at_least: int, *, is_alone: bool = False) -> None:
        if self._log.number >= at_least and time.monotonic() - self._checked < self._config.fence_seconds:
            return
        with self._writing:
            number = self._log.number
            while (entry := self._log.next()) is not None:
                exchanging = self._exchanging(is_alone) if entry.kind == "adopt" else contextlib.nullcontext()
                with exchanging:
                    self._store = self._apply(self._opened, self._known, entry, self._built)
                # Known from when it is here, not before: reads go by it, and what fails is tried again.
                self._log.learn(entry)
            if self._log.number == number and self._log.has_next():
                # What came next was deleted: there is a newer checkpoint.
                with self._exchanging(is_alone):
                    self._opened.close()
                    self._store = self._opened_replica(self._known)
            self._checked = time.monotonic()

    @contextlib.contextmanager
    def _exchanging(self, is_alone: bool) -> abc.Iterator[None]:
        """Lets the store be exchanged for another: no call is at it meanwhile. If that fails, the next call
        opens it again.
        """
        with contextlib.nullcontext() if is_alone else self._gate.closed():
            try:
                yield
            except BaseException:
                store, self._store = self._store, None
                if store is not None:
                    store.close()
                raise

    # ---- Checkpoints

    def _tend(self) -> None:
        """Makes checkpoints when they are due, until the shard is closed."""
        while not self._is_closed:
            since = self._dirty_since
            age = 0.0 if since is None else time.monotonic() - since
            is_due = (
                self._logged_bytes >= self._config.checkpoint_bytes or age >= self._config.checkpoint_seconds
            )
            if since is not None and is_due and self._fenced is None:
                try:
                    self.checkpoint()
                except (VecStoreError, OSError):
                    # The log keeps what the checkpoint would have had: another try after as long again.
                    self._dirty_since = time.monotonic()
            self._wake.wait(min(TEND_SECONDS, max(0.05, self._config.checkpoint_seconds)))
            self._wake.clear()

    def checkpoint(self) -> None:
        """Uploads what is new, and appends the entry that lists it."""
        with self._checkpointing:
            store, log = self._opened, self._log
            self._dirty_since, self._logged_bytes = None, 0
            # Everything logged so far was applied before: the backup has it.
            with self._logging:
                replay_from, built = log.number + 1, list(self._built)
            files = _checkpoints.upload(self._storage, self.shard, store, self._directory / "backup")
            before = log.read(log.checkpoint) if log.checkpoint else None
            with self._logging:
                try:
                    log.append(
                        "checkpoint",
                        files=files,
                        replay_from=replay_from,
                        built=built,
                        generation=self._known.generation,
                    )
                except FencedError as error:
                    self._fenced = str(error)
                    raise
            # Whoever restores the checkpoint before this one may go on.
            listed = [name for _, name, _, _ in files]
            listed += [name for _, name, _, _ in before.header["files"]] if before is not None else []
            _checkpoints.collect_garbage(self._storage, self.shard, listed)
            log.trim(min(replay_from, before.header["replay_from"] if before is not None else 1))

    @_error_in_reply
    def save(self) -> Reply:
        """Makes everything durable in shared storage."""
        self._open()
        if not self._is_replica:
            self.checkpoint()
        return Reply(number=self._log.number)

    @_error_in_reply
    def copy_to(self, uri: str, options: abc.Mapping[str, typing.Any] | None, incremental: bool) -> Reply:
        """Copies the shard to another collection's place, which is made of the copies of all; returns how
        many files and bytes it copied, and how many files were there.
        """
        self._open()
        with self._checkpointing:
            storage = open_storage(uri, options)
            log = ShardLog(storage, self.shard)
            log.seek_end()
            with self._logging:
                built = list(self._built)
            files, copied = _checkpoints.copy(
                storage, self.shard, self._opened, self._directory / "backup", incremental=incremental
            )
            log.append("open", epoch=log.epoch + 1, copy=uuid.uuid4().hex)
            number = log.number + 1
            log.append("checkpoint", files=files, replay_from=number, built=built, generation=0)
            _checkpoints.collect_garbage(storage, self.shard, [name for _, name, _, _ in files])
            log.trim(number)
        copied_bytes = sum(size for _, name, size, _ in files if name in copied)
        return Reply((len(copied), copied_bytes, len(files) - len(copied)))

    # ---- Snapshots: see `_snapshots`

    @_error_in_reply
    def keep(self, token: str) -> Reply:
        """Keeps the records as they are on this disk while writes are held up; returns how many there are."""
        self._open()
        with self._checkpointing:
            if self._held_until is None:
                raise ShardUnavailableError(f"shard {self.shard}: it was restarted: try again", [self.shard])
            _checkpoints.keep(self._opened, self._directory / "backup", self._directory / "kept" / token)
            return Reply(len(self._opened))

    def is_held(self) -> Reply:
        """Returns whether writes are held up still."""
        until = self._held_until
        return Reply(until is not None and time.monotonic() < until)

    @_error_in_reply
    def upload_kept(self, token: str) -> Reply:
        """Makes what was kept durable in shared storage."""
        self._open()
        kept = self._directory / "kept" / token
        with self._checkpointing:
            if not kept.is_dir():
                raise ShardUnavailableError(f"shard {self.shard}: it was restarted: try again", [self.shard])
            _checkpoints.upload_kept(self._storage, self.shard, token, kept)
            _checkpoints.discard(kept)
        return Reply()

    # ---- Changes of the map

    def _change(self, generation: int) -> None:
        """Becomes what a newer generation of the manifest says."""
        with self._gate.closed():
            if self._known.generation >= generation:
                return
            manifest = _manifest.load(self._storage)
            if self._is_replica:
                self._checked = 0.0
                self._follow(self._log.number + 1, is_alone=True)
                if self._logged_generation < manifest.generation:
                    raise ShardUnavailableError(
                        f"shard {self.shard}: the replica waits for its owner to change"
                    )
            if manifest.dim != self._known.dim:
                with self._exchanging(is_alone=True):
                    self._opened.close()
                    self._store = self._store_on_disk(manifest)
            self._manifest = manifest
            self._held_until, self._watched, self._touched = None, frozenset(), set()
            if not self._is_replica:
                self._store = self._tidy(self._opened, manifest)
                copy = self._copy_on_disk()
                self._note(manifest.generation, copy["copy"] if copy else uuid.uuid4().hex)

    def _tidy(self, store: VecStore, manifest: _manifest.Manifest) -> VecStore:
        """Deletes what belongs to other shards now, and takes in what was built for this one."""
        owned = manifest.owned(self.shard)
        everything = (one for rows in rows_that_match(store) for one in rows.ids)
        foreign = [one for one in everything if _manifest.virtual_shard(one) not in owned]
        if foreign:
            store.delete_many(foreign)
            self._append("rows", Frame(None, foreign).encode())
        for build in manifest.builds:
            segments = build["segments"].get(str(self.shard))
            if segments and build["id"] not in self._built:
                self._append("adopt", build=build["id"], segments=segments)
                store = self._taken_in(store, manifest, segments)
                self._built.append(build["id"])
        self._append("moved", generation=manifest.generation)
        return store

    def _append(self, kind: str, payload: bytes = b"", **header: typing.Any) -> None:
        with self._logging:
            self._log.append(kind, payload, **header)

    def _taken_in(
        self,
        store: VecStore,
        manifest: _manifest.Manifest,
        segments: abc.Sequence[abc.Sequence[abc.Sequence[typing.Any]]],
    ) -> VecStore:
        """Takes in stores that were built elsewhere; returns the store that has their records."""
        left = list(segments)
        if not len(store) and not store.deleted_count():
            store = self._exchanged(store, manifest, left.pop(0))
        directory = self._directory / "build"
        for files in left:
            _checkpoints.discard(directory)
            _checkpoints.download(self._storage, files, directory)
            with VecStore(directory / "store", read_only=True) as built:
                for rows in rows_that_match(built):
                    rows.put(store)
        _checkpoints.discard(directory)
        return store

    def _exchanged(
        self, store: VecStore, manifest: _manifest.Manifest, files: abc.Sequence[abc.Sequence[typing.Any]]
    ) -> VecStore:
        """Makes a store that was built elsewhere the shard's own, in the place of one without records."""
        indexes = [index for index in store.list_indexes() if not index.automatic]
        copy = self._copy_on_disk()
        # A crash from here on leaves a copy without its mark: the next start begins with the checkpoint.
        self._mark.unlink(missing_ok=True)
        store.close()
        for name in ("store", "backup"):
            _checkpoints.discard(self._directory / name)
        _checkpoints.download(self._storage, files, self._directory)
        store = self._store_on_disk(manifest)
        for index in indexes:
            store.create_index(index.path, index.kind)
        if copy is not None:
            self._note(copy["generation"], copy["copy"])
        return store

    # ---- Copying to other shards

    @_error_in_reply
    def watch(self, virtual: frozenset[int]) -> Reply:
        """Notes from now on which records of some virtual shards change."""
        self._open()
        with self._writing:
            self._watched, self._touched = virtual, set()
        return Reply()

    @_error_in_reply
    def page(self, virtual: frozenset[int], after: str | None, limit: int) -> Reply:
        """Returns records of some virtual shards in order of their ids, and the last id looked at."""
        self._open()
        ids = [*self._ids(after, limit)]
        wanted = [one for one in ids if _manifest.virtual_shard(one) in virtual]
        rows = rows_of_ids(self._opened, wanted) if wanted else None
        return Reply((rows, ids[-1] if ids else None))

    def _ids(self, after: str | None, limit: int) -> list[str]:
        active = self._opened.scroll(limit=limit, cursor=after)
        ids = [record.id for record in active.records]
        hidden = [record.id for record in self._opened.list_deleted() if after is None or record.id > after]
        if active.cursor is not None:
            hidden = [one for one in hidden if one < ids[-1]]
        return sorted([*ids, *hidden])

    def hold(self) -> Reply:
        """Holds up writes until the next generation, and returns the ids that changed since `watch`."""
        with self._gate.closed():
            self._held_until = time.monotonic() + HOLD_SECONDS
            return Reply(sorted(self._touched))

    def release(self) -> Reply:
        """Ends what `hold` and `watch` began."""
        with self._writing:
            self._held_until, self._watched, self._touched = None, frozenset(), set()
        return Reply()

    @_error_in_reply
    def whole(self, ids: list[str]) -> Reply:
        """Returns the records with these ids, and which of the ids are gone."""
        return Reply(as_they_are(self._opened, ids))

    # ---- End

    def close(self) -> Reply:
        """Closes the store; what it was asked to keep stays."""
        with self._opening:
            self._is_closed = True
            self._wake.set()
            if self._store is not None:
                with self._gate.closed():
                    self._store.close()
                    self._store = None
        return Reply()


def _plain_error(error: Exception) -> Exception:
    """Returns an error as it can be sent: without what caused it."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
