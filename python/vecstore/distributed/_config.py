"""What a collection on Ray is made with, and how its handle behaves."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections import abc

from vecstore._errors import InvalidInputError

__all__ = ["RayConfig", "checked"]


@dataclasses.dataclass(frozen=True)
class RayConfig:
    """The options of `RayCollection.open`.

    The first group is kept with the collection when it is made; later, what is given must agree with it. The
    second is of the handle and of the actors it starts.

    >>> RayConfig(dim=384).replication
    'sync'
    """

    #: As the options of `VecStore` of these names.
    dim: int | None = None
    metric: str | None = None
    quantization: str = "auto"
    analyzer: str | None = None
    text_fields: tuple[str, ...] = ()
    partition_by: str | None = None
    #: ``sync``: what is acknowledged is in shared storage too. ``none``: only on the disk of the shard's
    #: node, and what was written since the last checkpoint is lost with the node.
    replication: typing.Literal["sync", "none"] = "sync"

    #: As the option of `VecStore`: what is acknowledged is on the node's disk, at this level.
    durability: typing.Literal["commit", "interval", "none"] = "commit"
    memory_budget: int | None = None
    threads: int | None = None
    #: Where a node keeps its shards; `vecstore-ray` in its directory for temporary files if not given.
    directory: str | None = None
    #: Cores that Ray reserves for a shard.
    num_cpus: float = 1.0
    #: Options of the shared storage, such as ``endpoint``, ``region``, ``access_key_id``. They are not kept.
    storage_options: abc.Mapping[str, typing.Any] | None = None
    #: How long a call waits for a shard that restarts, and with ``partial=True``.
    timeout_seconds: float = 60.0
    partial_timeout_seconds: float = 2.0
    #: A shard makes a checkpoint when its log has so many bytes, and after so many seconds with writes.
    checkpoint_bytes: int = 64 << 20
    checkpoint_seconds: float = 60.0
    #: How old the knowledge of being the owner may be when a write is acknowledged without ``sync``.
    fence_seconds: float = 1.0
    #: Who answers reads: the owner, and a replica only where the owner does not; or either in turn.
    read_from: typing.Literal["owner", "any"] = "owner"
    #: How far clocks may be apart.
    max_clock_skew_seconds: float = 5.0

    def kept(self) -> dict[str, typing.Any]:
        """Returns the options that are kept with the collection."""
        return {
            "metric": self.metric or "cosine",
            "quantization": self.quantization,
            "analyzer": self.analyzer or "standard",
            "text_fields": list(self.text_fields),
            "partition_by": self.partition_by,
            "replication": self.replication,
        }


def checked(config: RayConfig | None, replicas: int | None) -> RayConfig:
    """Returns the config, or the default one; raises for what no collection can have."""
    if config is None:
        config = RayConfig()
    if not isinstance(config, RayConfig):
        raise TypeError(f"config: expected a RayConfig, got {type(config).__name__}")
    choices = {
        "replication": ("sync", "none"),
        "durability": ("commit", "interval", "none"),
        "read_from": ("owner", "any"),
    }
    for name, known in choices.items():
        if (got := getattr(config, name)) not in known:
            raise InvalidInputError(f"{name} must be one of {', '.join(known)}; got {got!r}")
    numbers = (
        "num_cpus",
        "timeout_seconds",
        "partial_timeout_seconds",
        "checkpoint_seconds",
        "fence_seconds",
    )
    for name in (*numbers, "max_clock_skew_seconds", "checkpoint_bytes"):
        got = getattr(config, name)
        if isinstance(got, bool) or not isinstance(got, (int, float)):
            raise TypeError(f"{name}: expected a number, got {type(got).__name__}")
        if not math.isfinite(got) or got < 0:
            raise InvalidInputError(f"{name} must be a finite number from 0 on, got {got}")
    if replicas and config.replication != "sync":
        raise InvalidInputError(
            'replicas follow the log in shared storage: they need replication="sync", got "none"'
        )
    return config
