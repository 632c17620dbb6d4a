"""What goes wrong beyond one machine."""

from __future__ import annotations

from collections import abc

from vecstore._errors import InvalidInputError, UnsupportedError, VecStoreError

__all__ = [
    "ClockSkewError",
    "DistributedError",
    "FencedError",
    "RayMissingError",
    "ShardCountError",
    "ShardUnavailableError",
    "VersionSkewError",
]


class DistributedError(VecStoreError):
    """The base of errors that only a collection on several machines has."""


class ShardUnavailableError(DistributedError):
    """Shards did not answer in time, `missing`. A write may have been applied, or in part."""

    def __init__(self, message: str, missing: abc.Iterable[int] = ()) -> None:
        super().__init__(message)
        #: The numbers of the shards.
        self.missing: tuple[int, ...] = tuple(missing)

    def __reduce__(self) -> tuple[type[ShardUnavailableError], tuple[str, tuple[int, ...]]]:
        return type(self), (str(self), self.missing)


class FencedError(DistributedError):
    """Another owner has taken the shard over: this one writes no more."""


class RayMissingError(UnsupportedError, ImportError):
    """A package that ``vecstore[ray]`` brings is not installed."""


class ShardCountError(InvalidInputError):
    """The collection has another number of shards than was asked for."""


class VersionSkewError(UnsupportedError):
    """A node runs another version of vecstore than the caller."""


class ClockSkewError(UnsupportedError):
    """The clock of a node is too far from the caller's: times to live would mean different moments."""


for _name in __all__:
    globals()[_name].__module__ = "vecstore.distributed"
del _name
