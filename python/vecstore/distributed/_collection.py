"""`RayCollection`: a collection whose records are on many machines."""

from __future__ import annotations

import dataclasses
import os
import typing
from types import TracebackType

from vecstore._errors import AlreadyExistsError, InvalidInputError, NotFoundError
from vecstore._values import BackupResult, CompactionConfig, CompactionResult, StoreStats, VerifyReport
from vecstore.distributed import _manifest
from vecstore.distributed._arguments import check_flag, check_path
from vecstore.distributed._config import RayConfig, checked
from vecstore.distributed._duplicates import Duplicates
from vecstore.distributed._errors import ShardCountError
from vecstore.distributed._explaining import Explaining
from vecstore.distributed._log import ShardLog
from vecstore.distributed._manifest import Manifest
from vecstore.distributed._rebalance import rebalanced
from vecstore.distributed._snapshots import Snapshots
from vecstore.distributed._staging import Staging
from vecstore.distributed._storage import Storage, open_storage
from vecstore.distributed._values import RayStats, RebalanceResult, ShardStats

if typing.TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["RayCollection"]


class RayCollection(Duplicates, Staging, Explaining, Snapshots):
    """A collection in shards, each an ordinary store that one actor of Ray owns.

    The methods are those of `VecStore` and `Collection`, and answer as one store does: the neighbors of all
    shards in one order with one store's ties, words scored by the statistics of all records.
    `RayCollection.open` makes or opens one.

    Any number of processes of a Ray cluster may have a handle; the actors are shared and stay when handles
    are closed, until `stop`. Threads may share a handle.

    >>> with RayCollection.open(uri, shards=2, config=config) as docs:
    ...     docs.upsert("apple", [0.9, 0.1, 0.0], {"kind": "fruit"})
    ...     [neighbor.id for neighbor in docs.query([1.0, 0.0, 0.0], k=1)]
    ['apple']
    """

    @classmethod
    def open(
        cls,
        uri: str | os.PathLike[str],
        shards: int | None = None,
        replicas: int | None = None,
        config: RayConfig | None = None,
    ) -> RayCollection:
        """Opens the collection at a uri, or makes it.

        Parameters
        ----------
        uri : str or os.PathLike
            Its shared storage: a directory that all nodes see at this path, ``file://`` or
            ``s3://bucket/prefix`` and what else obstore knows. Shards upload segments and logs there, and are
            restored from there.
        shards : int, optional
            How many shards to make, 1 to 256. If the collection is there, it must have as many: `rebalance`
            changes that.
        replicas : int, optional
            How many more copies of each shard answer reads (0 if not given), each on a node of its own if
            there is one.
        config : RayConfig, optional
            Dimension, metric, durability, storage options and the like.

        Raises
        ------
        RayMissingError
            If Ray is not installed.
        NotFoundError
            If there is no collection and ``shards`` is not given.
        ShardCountError
            If it has another number of shards.
        InvalidInputError
            If the place has other files, or an option is not that of the collection.
        CorruptionError
            If its manifest was changed by hand.
        VersionSkewError, ClockSkewError
            If a node does not fit this process.
        StorageError
            If the shared storage is not there, or refuses.
        """
        _check_count("shards", shards, 1, _manifest.SHARDS_MAX)
        _check_count("replicas", replicas, 0, _manifest.REPLICAS_MAX)
        config = checked(config, replicas)
        storage = open_storage(uri, config.storage_options)
        manifest = _found_or_made(storage, shards, replicas, config)
        collection = cls(storage, manifest, config)
        collection._actors.greet(manifest.shards)
        return collection

    # ---- What it is

    @property
    def uri(self) -> str:
        """Its shared storage."""
        return self._storage.uri

    @property
    def shards(self) -> list[int]:
        """The numbers of the shards."""
        return self._manifest.shards

    @property
    def config(self) -> RayConfig:
        """The options that it was opened with."""
        return self._config

    def stats(self) -> RayStats:
        """Returns figures of all shards and of each. See `VecStore.stats`."""
        found = self._upkeep("stats", of_copies=False)
        hellos = {hello["shard"]: hello for hello in self._actors.greet(self._manifest.shards)}
        shards = [
            ShardStats(
                shard, len(self._manifest.owned(shard)), hellos[shard]["node"], hellos[shard]["pid"], store
            )
            for shard, store in zip(self._manifest.shards, found)
        ]
        total = {
            field.name: sum(getattr(store, field.name) for store in found)
            for field in dataclasses.fields(StoreStats)
            if field.name not in ("dim", "metric", "upkeep_error")
        }
        failed = [store.upkeep_error for store in found if store.upkeep_error is not None]
        manifest = self._manifest
        return RayStats(
            dim=manifest.dim,
            metric=manifest.settings["metric"],
            upkeep_error=failed[0] if failed else None,
            replicas=manifest.replicas,
            generation=manifest.generation,
            shards=shards,
            **total,
        )

    def __repr__(self) -> str:
        state = ", closed" if self._is_closed else ""
        metric = self._manifest.settings["metric"]
        figures = f"shards={len(self.shards)}, dim={self._manifest.dim}, metric={metric!r}"
        return f"RayCollection({self.uri!r}, {figures}{state})"

    def _repr_html_(self) -> str:
        from vecstore import _html

        return _html.of_store(self)

    # ---- Upkeep

    def flush(self) -> None:
        """Makes what was written durable on the nodes' disks. See `VecStore.flush`."""
        self._upkeep("flush", of_copies=False)

    def compact(self) -> int:
        """Finishes the background work of every shard now. See `VecStore.compact`."""
        return sum(self._upkeep("compact"))

    def optimize(self) -> int:
        """Does the same as `compact`. See `VecStore.optimize`."""
        return sum(self._upkeep("optimize"))

    def maybe_compact(self, config: CompactionConfig | None = None) -> CompactionResult:
        """Compacts shards that have enough to gain. See `VecStore.maybe_compact`."""
        results = self._upkeep("maybe_compact", config)
        return CompactionResult(
            any(result.compacted for result in results),
            sum(result.freed for result in results),
            max(result.duration_ms for result in results),
        )

    def verify(self) -> VerifyReport:
        """Checks every byte of every shard on its node. See `VecStore.verify`."""
        reports = self._upkeep("verify", of_copies=False)
        return VerifyReport(
            sum(report.files for report in reports),
            sum(report.bytes for report in reports),
            sum(report.records for report in reports),
            [problem for report in reports for problem in report.problems],
        )

    def backup(self, path: str | os.PathLike[str], incremental: bool = True) -> BackupResult:
        """Copies all shards to another place, which `open` opens; each is as of a moment after the call
        began. Snapshots are not part of it.

        Parameters
        ----------
        path : str or os.PathLike
            As the uri of `open`, with the same storage options: a new place, or that of an earlier backup,
            which this one replaces.
        incremental : bool
            Whether segments that are there from an earlier backup stay as they are.

        Returns
        -------
        BackupResult

        Raises
        ------
        AlreadyExistsError
            If there is another collection.
        """
        check_flag("incremental", incremental)
        check_path("path", path)
        self._check_open()
        self._reload()
        storage = open_storage(path, self._config.storage_options)
        manifest = self._manifest
        settings = {**manifest.settings, "backup_of": manifest.uuid}
        try:
            there = _manifest.load(storage)
        except NotFoundError:
            if storage.names(""):
                raise InvalidInputError(f"{storage.uri} has files already, and is no backup") from None
            there = _manifest.new(1, manifest.replicas, settings, manifest.dim)
        else:
            if there.settings.get("backup_of") != manifest.uuid:
                raise AlreadyExistsError(f"there is another collection at {storage.uri}")
        self.count()  # every shard has what was built for it
        replies = self._actors.method(
            manifest.shards, "copy_to", storage.uri, self._config.storage_options, incremental
        )
        copy = there.next(
            owners=manifest.owners,
            settings=settings,
            dim=manifest.dim,
            next_shard=manifest.next_shard,
        )
        if not _manifest.publish(storage, copy):
            raise AlreadyExistsError(f"another backup to {storage.uri} was made at the same time")
        copied, size, kept = (sum(figures) for figures in zip(*(reply.value for reply in replies.values())))
        return BackupResult(1, copied, size, kept)

    def rebalance(self, shards: int) -> RebalanceResult:
        """Changes the number of shards while reads and writes go on.

        A shard that gets ids is made anew beside those that serve, so that it takes part only when it is
        whole; one that only gives ids away keeps its files and deletes those records. At the end writes wait
        while the last changes are copied and the new manifest is published.

        Parameters
        ----------
        shards : int
            How many there are to be, 1 to 256.

        Returns
        -------
        RebalanceResult
        """
        _check_count("shards", shards, 1, _manifest.SHARDS_MAX)
        self._check_open()
        self._reload()
        return rebalanced(self, shards)

    # ---- End

    def close(self) -> None:
        """Closes the handle. The actors stay, for others and for the next `open`."""
        self._is_closed = True
        self._without_records.close()

    def stop(self) -> None:
        """Makes a checkpoint of every shard, ends the actors, and closes the handle; the records stay in
        shared storage.
        """
        self.save()
        self._actors.stop(self._manifest.shards)
        self.close()

    def __reduce__(self) -> tuple[typing.Any, ...]:
        self._check_open()
        return RayCollection.open, (self.uri, None, None, self._config)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.close()


def _check_count(name: str, count: int | None, least: int, most: int) -> None:
    if count is None:
        return
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"{name}: expected an int, got {type(count).__name__}")
    if not least <= count <= most:
        raise InvalidInputError(f"{name} must be between {least} and {most}, got {count}")


def _found_or_made(storage: Storage, shards: int | None, replicas: int | None, config: RayConfig) -> Manifest:
    try:
        manifest = _manifest.load(storage)
    except NotFoundError:
        if shards is None:
            raise
        if storage.names(""):
            raise InvalidInputError(
                f"{storage.uri} is not a collection, and has other files: expected an empty place"
            ) from None
        made = _manifest.new(shards, replicas or 0, _checked_settings(config), config.dim)
        _manifest.publish(storage, made)
        # Of two that make it at the same time one is first.
        made = _manifest.load(storage)
        for shard in made.shards:
            ShardLog(storage, shard).begin()
        _manifest.publish(storage, made.next(settings={**made.settings, _manifest.HAS_LOGS: True}))
        manifest = _manifest.load(storage)  # whoever else made it at the same time may have been faster
    if shards is not None and shards != len(manifest.shards):
        raise ShardCountError(
            f"the collection at {storage.uri} has {len(manifest.shards)} shards, got {shards}: "
            "RayCollection.rebalance changes how many there are"
        )
    if replicas is not None and replicas != manifest.replicas:
        raise InvalidInputError(
            f"the collection at {storage.uri} was made with {manifest.replicas} replicas, got {replicas}"
        )
    _check_agrees(storage, manifest, config)
    return manifest


def _checked_settings(config: RayConfig) -> dict[str, typing.Any]:
    """Returns the settings as one store names them, which raises for those it refuses."""
    from vecstore._vecstore import VecStore

    with VecStore(
        ":memory:",
        dim=config.dim,
        metric=config.metric,
        quantization=typing.cast(typing.Any, config.quantization),
        analyzer=config.analyzer,
        text_fields=config.text_fields,
        partition_by=config.partition_by,
        durability=config.durability,
        memory_budget=config.memory_budget,
        threads=config.threads,
    ) as store:
        return {**config.kept(), "metric": store.distance_metric}


def _check_agrees(storage: Storage, manifest: Manifest, config: RayConfig) -> None:
    """Raises if an option that is given is another than the collection's; defaults are not given."""
    default = RayConfig().kept()
    given = _checked_settings(config)
    for name, value in given.items():
        known = manifest.settings[name]
        is_given = config.kept()[name] != default[name] or (name == "metric" and config.metric is not None)
        if is_given and value != known:
            raise InvalidInputError(f"{name}: the collection at {storage.uri} has {known!r}, got {value!r}")
    if config.dim is not None and manifest.dim is not None and config.dim != manifest.dim:
        raise InvalidInputError(f"dim: the collection at {storage.uri} has {manifest.dim}, got {config.dim}")
