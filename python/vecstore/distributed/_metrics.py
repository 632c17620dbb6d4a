"""What shards count, for Ray's own metrics: its Prometheus endpoint has them as ``ray_vecstore_...``."""

from __future__ import annotations

from collections import abc

from vecstore.distributed._packages import ray

__all__ = ["observer"]

#: Bounds of the histogram of seconds, from a search in memory to a merge.
SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]


def observer(collection: str, shard: int) -> abc.Callable[[str, float, bool], None]:
    """Returns what a shard calls after each call: with its name, its seconds, and whether it failed."""
    ray()
    from ray.util import metrics

    tags = ("collection", "shard", "call")
    seconds = metrics.Histogram(
        "vecstore_call_seconds", "What calls of a shard take.", boundaries=SECONDS, tag_keys=tags
    )
    failed = metrics.Counter("vecstore_failed_calls", "Calls of a shard that raised.", tag_keys=tags)

    def observe(name: str, took: float, has_failed: bool) -> None:
        labels = {"collection": collection, "shard": str(shard), "call": name}
        seconds.observe(took, tags=labels)
        if has_failed:
            failed.inc(tags=labels)

    return observe
