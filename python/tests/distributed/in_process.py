"""Shards in this process: what handles and shards do, without Ray between them. What is asked and answered is
pickled on its way, as by Ray."""

from __future__ import annotations

import contextlib
import pickle
import shutil
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

import vecstore
from vecstore.distributed import RayCollection, RayConfig, _actors, _handle
from vecstore.distributed._shard import Shard

#: Shards of a collection that stands for a store.
SHARDS = 3

#: Their files need no disk: what is tried here is what they answer.
MEMORY = "/dev/shm"


class Actor:
    """A shard, called as a handle of Ray calls it."""

    def __init__(self, shard: Shard) -> None:
        self.shard = shard

    def __getattr__(self, name: str) -> Any:
        def remote(*args: Any) -> Any:
            if name == "hello":
                import time

                return {"version": vecstore.__version__, "time": time.time(), "node": "here", "pid": 1}
            return pickle.loads(pickle.dumps(getattr(self.shard, name)(*pickle.loads(pickle.dumps(args)))))

        return types.SimpleNamespace(remote=remote)


class Actors(_actors.Actors):
    """The actors of a collection, in this process."""

    #: By their names, as Ray knows them.
    known: ClassVar[dict[str, Actor]] = {}

    def _started(self, shard: int, copy: int = 0, node: str | None = None) -> Any:
        assert node in (None, "here")
        name = self._name(shard, copy)
        if name not in self.known:
            directory = Path(self._config.directory or "") / name
            self.known[name] = Actor(
                Shard(self._uri, shard, str(directory), self._config, is_replica=copy > 0)
            )
        return self.known[name]

    def _fetched(self, reference: Any, deadline: float) -> Any:
        del deadline  # an answer is there at once
        return reference

    def _found_again(self, shard: int) -> Any:
        self._owners[shard] = self._started(shard)
        return self._owners[shard]

    def stop(self, shards: Any) -> None:
        for shard in shards:
            self._owners.pop(shard, None)
            self._copies.pop(shard, None)
            for copy in range(self._replicas + 1):
                actor = self.known.pop(self._name(shard, copy), None)
                if actor is not None:
                    actor.shard.close()


class Collections:
    """Makes collections in shards where a test makes a store in memory."""

    def __init__(self) -> None:
        self.made: list[RayCollection] = []
        self._directories: list[str] = []

    def __call__(self, path: Any = ":memory:", **options: Any) -> Any:
        if path != ":memory:" or options.get("read_only") or "schema" in options:
            return vecstore.VecStore(path, **options)
        # Raises for options that no store has.
        with vecstore.VecStore(path, **options):
            pass
        known = {name: options[name] for name in options if hasattr(RayConfig, name)}
        known["text_fields"] = tuple(known.get("text_fields") or ())
        directory = tempfile.mkdtemp(prefix="vecstore-shards-", dir=MEMORY if Path(MEMORY).is_dir() else None)
        self._directories.append(directory)
        known.update(durability="none", replication="none", directory=f"{directory}/nodes")
        self.made.append(RayCollection.open(f"{directory}/shared", SHARDS, config=RayConfig(**known)))
        return self.made[-1]

    def close(self) -> None:
        """Ends them."""
        for collection in self.made:
            with contextlib.suppress(vecstore.VecStoreError):
                collection._actors.stop(collection._manifest.shards)
            collection.close()
        for directory in self._directories:
            shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def in_shards(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collections]:
    """Makes collections in shards of this process."""
    pytest.importorskip("ray", reason="Ray is not installed")
    monkeypatch.setattr(_handle, "Actors", Actors)
    collections = Collections()
    yield collections
    collections.close()
