"""What calls of a collection on Ray return."""

from __future__ import annotations

import dataclasses

from vecstore._values import StoreStats

__all__ = ["MigrationResult", "RayStats", "RebalanceResult", "ShardStats"]


@dataclasses.dataclass(frozen=True)
class ShardStats:
    """One shard: `RayStats.shards`."""

    #: Its number.
    shard: int
    #: Virtual shards, of 256, that are its.
    virtual_shards: int
    #: The node that it is on, as Ray names it, and its process.
    node: str
    pid: int
    #: What its store says.
    store: StoreStats


@dataclasses.dataclass(frozen=True)
class RayStats:
    """A collection on Ray: `RayCollection.stats`. The figures are sums over the shards, and mean what they do
    in `StoreStats`.
    """

    active: int
    deleted: int
    dead_rows: int
    dim: int | None
    metric: str
    segments: int
    graph_segments: int
    hot_bytes: int
    resident_bytes: int
    unsealed_rows: int
    memory_bytes: int
    disk_bytes: int
    lsn: int
    queries: int
    upserts: int
    deletes: int
    #: Why background upkeep of a shard does not get on, if it does not.
    upkeep_error: str | None
    replicas: int
    #: The generation of the manifest; each change of the shards makes another.
    generation: int
    shards: list[ShardStats]


@dataclasses.dataclass(frozen=True)
class MigrationResult:
    """What `migrate` did."""

    #: Records that were copied by this call.
    records: int
    #: Records that an earlier call had copied, where this one went on after it.
    resumed_at: int


@dataclasses.dataclass(frozen=True)
class RebalanceResult:
    """What `RayCollection.rebalance` did."""

    #: The shards now.
    shards: list[int]
    #: Records that went to another shard.
    moved: int
    #: How long writes were held up.
    held_seconds: float
