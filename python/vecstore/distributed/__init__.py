"""The same collection on many machines, on Ray. Needs ``vecstore[ray]``; nothing here is imported by ``import
vecstore``.

`RayCollection.open(uri, shards=N)` makes or opens a collection whose records are in shards: ids hash to 256
virtual shards, which are mapped onto N actors, each of which owns an ordinary store on its node's disk. Ray
places the actors, restarts and scales them; shared storage at the uri has what a lost node takes with it.
``docs/scale.md`` says when that pays."""

from __future__ import annotations

from vecstore.distributed._aio import AsyncRayCollection
from vecstore.distributed._build import BuiltSegments, build_segments, commit_segments, discard_segments
from vecstore.distributed._collection import RayCollection
from vecstore.distributed._config import RayConfig
from vecstore.distributed._errors import (
    ClockSkewError,
    DistributedError,
    FencedError,
    RayMissingError,
    ShardCountError,
    ShardUnavailableError,
    VersionSkewError,
)
from vecstore.distributed._merge import Answers, Found
from vecstore.distributed._migrate import migrate, migrate_back
from vecstore.distributed._values import MigrationResult, RayStats, RebalanceResult, ShardStats

__all__ = [
    # The collection
    "AsyncRayCollection",
    "RayCollection",
    "RayConfig",
    # Getting records in and out
    "BuiltSegments",
    "build_segments",
    "commit_segments",
    "discard_segments",
    "migrate",
    "migrate_back",
    # What calls return
    "Answers",
    "Found",
    "MigrationResult",
    "RayStats",
    "RebalanceResult",
    "ShardStats",
    # Errors
    "ClockSkewError",
    "DistributedError",
    "FencedError",
    "RayMissingError",
    "ShardCountError",
    "ShardUnavailableError",
    "VersionSkewError",
]

for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
