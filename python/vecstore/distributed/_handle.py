"""What all methods of a collection on Ray rest on: the manifest as it is known here, the actors, and calls
that go again when the manifest has moved.
"""

from __future__ import annotations

import contextlib
import errno
import threading
import typing
from collections import abc

from vecstore._errors import ClosedError, DimensionMismatchError, NotFoundError, StorageError
from vecstore._vecstore import VecStore
from vecstore.distributed import _manifest
from vecstore.distributed._actors import Actors, Call, MovedError
from vecstore.distributed._config import RayConfig
from vecstore.distributed._manifest import Manifest
from vecstore.distributed._storage import Storage

__all__ = ["Handle"]

_Answer = typing.TypeVar("_Answer")


class Handle:
    """A handle of a collection."""

    def __init__(self, storage: Storage, manifest: Manifest, config: RayConfig) -> None:
        self._storage = storage
        self._config = config
        self._manifest = manifest
        self._actors = Actors(storage, manifest, config)
        self._is_closed = False
        self._reloading = threading.Lock()
        #: An empty store like the shards': what it refuses, they would, and it says so in the words of one
        #: store.
        self._without_records = self._scratch()

    # ---- What it is

    def dimension(self) -> int | None:
        """Returns the number of components of every vector; None before the first upsert."""
        self._check_open()
        if self._manifest.dim is None:
            self._reload()
        return self._manifest.dim

    @property
    def distance_metric(self) -> str:
        """The metric, such as `cosine`."""
        return str(self._manifest.settings["metric"])

    # ---- How methods reach the shards

    @property
    def _empty(self) -> VecStore:
        self._check_open()
        return self._without_records

    def _scratch(self) -> VecStore:
        settings = self._manifest.settings
        return VecStore(
            ":memory:",
            dim=self._manifest.dim,
            metric=settings["metric"],
            analyzer=settings["analyzer"],
            text_fields=settings["text_fields"],
        )

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClosedError(f"the collection at {self._storage.uri} was closed")

    def _reload(self) -> None:
        """Goes by the newest manifest from now on."""
        with self._reloading:
            try:
                manifest = _manifest.load(self._storage)
            except NotFoundError as error:
                message = f"shared storage {self._storage.uri}: the collection is not there any more"
                raise StorageError(errno.ENOENT, message) from error
            if manifest.generation <= self._manifest.generation:
                return
            had_dim = self._manifest.dim
            self._manifest = manifest
            if manifest.dim != had_dim:
                self._without_records = self._scratch()

    def _settled(self, ask: abc.Callable[[Manifest], _Answer]) -> _Answer:
        """Returns what is asked by the manifest, or again by a newer one as long as there is one."""
        self._check_open()
        while True:
            try:
                return ask(self._manifest)
            except MovedError:
                self._reload()

    def _all(
        self, name: str, *args: typing.Any, missing: list[int] | None = None, **kwargs: typing.Any
    ) -> list[typing.Any]:
        """Returns what a read returns on each shard, all as of one generation of the manifest."""
        call = Call(name, args, kwargs)
        config = self._config
        timeout = config.timeout_seconds if missing is None else config.partial_timeout_seconds

        def ask(manifest: Manifest) -> list[typing.Any]:
            lost: list[int] | None = None if missing is None else []
            values = self._actors.ask(
                manifest.generation, dict.fromkeys(manifest.shards, call), timeout=timeout, missing=lost
            )
            if missing is not None:
                missing.extend(lost or [])
            return list(values.values())

        return self._settled(ask)

    def _upkeep(self, name: str, *args: typing.Any, of_copies: bool = True) -> list[typing.Any]:
        """Returns what upkeep returns on the owner of each shard. Copies do it too, as far as they answer:
        where they read for the owner, they are to be as quick.
        """
        call = Call(name, args)

        def ask(manifest: Manifest) -> list[typing.Any]:
            told = self._actors.tell_copies(manifest.generation, manifest.shards, call) if of_copies else []
            values = self._actors.ask(
                manifest.generation, dict.fromkeys(manifest.shards, call), is_read=False
            )
            self._actors.wait_for(told)
            return list(values.values())

        return self._settled(ask)

    def _each(self, name: str, *args: typing.Any) -> list[typing.Any]:
        """Returns what a write returns on each shard; each does it once."""
        return self._spread({shard: Call(name, args) for shard in self._manifest.shards}, None)

    def _of(self, id: str, name: str, *args: typing.Any, is_read: bool = False) -> typing.Any:
        """Returns what a call returns on the shard of an id."""
        self._check_open()
        self._empty.get(id)  # raises for what is no id

        def ask(manifest: Manifest) -> typing.Any:
            shard = manifest.of(id)
            return self._actors.ask(manifest.generation, {shard: Call(name, args)}, is_read=is_read)[shard]

        return self._settled(ask)

    def _spread(
        self,
        calls: dict[int, Call],
        again: abc.Callable[[list[Call]], dict[int, Call]] | None,
    ) -> list[typing.Any]:
        """Makes calls that write. ``again`` makes calls anew of those that were refused, for a newer
        manifest.
        """
        self._check_open()
        results: list[typing.Any] = []
        while calls:
            try:
                results += self._actors.ask(self._manifest.generation, calls, is_read=False).values()
                break
            except MovedError as moved:
                results += moved.done.values()
                left = [call for shard, call in calls.items() if shard not in moved.done]
                self._reload()
                every = dict.fromkeys(self._manifest.shards, left[0])
                calls = every if again is None else again(left)
        return results

    def _fix_dim(self, dim: int) -> None:
        """Makes this the number of components of every vector, unless somebody was faster with another."""
        while self._manifest.dim is None:
            _manifest.publish(self._storage, self._manifest.next(dim=dim))
            self._reload()
        if self._manifest.dim != dim:
            raise DimensionMismatchError(
                f"dimension mismatch: the collection has {self._manifest.dim}, got {dim}"
            )

    @contextlib.contextmanager
    def _checking(self) -> abc.Iterator[VecStore]:
        """A store in memory to write to first: it refuses what one store would, in its words, before a shard
        is asked.
        """
        self._check_open()
        with self._scratch() as scratch:
            yield scratch
            dim = scratch.dimension()
            if self._manifest.dim is None and dim is not None:
                self._fix_dim(dim)
