"""The shards as actors of Ray: found by name or started, asked, and asked again while they restart.

Ray restarts an actor whose process ended (`max_restarts`), on another node if its node is lost. What it finds
there, `_shard` says. Everything here is the caller's side of it."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
import typing
from collections import abc
from pathlib import Path

import vecstore
from vecstore._errors import CorruptionError, StorageError, VecStoreError
from vecstore.distributed._config import RayConfig
from vecstore.distributed._errors import (
    ClockSkewError,
    DistributedError,
    FencedError,
    ShardUnavailableError,
    VersionSkewError,
)
from vecstore.distributed._manifest import Manifest, load
from vecstore.distributed._metrics import observer
from vecstore.distributed._packages import ray
from vecstore.distributed._shard import Reply, Shard
from vecstore.distributed._storage import Storage

__all__ = ["Actors", "Call", "MovedError"]

NAMESPACE = "vecstore"

#: Calls that one shard works on at the same time: writes that wait for the log share an entry of it.
CONCURRENT_CALLS = 32

#: How long a caller waits before it asks again.
PAUSE_SECONDS = 0.05

#: Errors of an actor that was asked, or started, while its shard was taken away with all it has in storage.
_OF_A_SHARD_TAKEN_AWAY = (ShardUnavailableError, FencedError, StorageError, CorruptionError)


class ShardActor(Shard):
    """A shard in a process of Ray."""

    def __init__(
        self, uri: str, collection: str, shard: int, config: RayConfig, is_replica: bool, copy: int
    ) -> None:
        node = ray().get_runtime_context().get_node_id()
        root = Path(config.directory or Path(tempfile.gettempdir()) / "vecstore-ray")
        name = f"{shard:05}-{copy}" if is_replica else f"{shard:05}"
        super().__init__(uri, shard, str(root / collection / node / name), config, is_replica=is_replica)
        self.observe = observer(collection, shard)

    def hello(self) -> dict[str, typing.Any]:
        """Says who this is."""
        node = ray().get_runtime_context().get_node_id()
        return {"version": vecstore.__version__, "time": time.time(), "node": node, "pid": os.getpid()}


class Call(typing.NamedTuple):
    """A call of a shard, as `_work` names it."""

    name: str
    args: tuple[typing.Any, ...] = ()
    kwargs: abc.Mapping[str, typing.Any] | None = None


class MovedError(Exception):
    """The manifest has a newer generation than the caller went by; `done` are the answers of those that
    answered.
    """

    def __init__(self, done: dict[int, typing.Any]) -> None:
        super().__init__()
        self.done = done


class Actors:
    """The actors of a collection."""

    def __init__(self, storage: Storage, manifest: Manifest, config: RayConfig) -> None:
        self._ray = ray()
        self._storage = storage
        self._uri = storage.uri
        self._collection = manifest.uuid
        self._config = config
        self._replicas = manifest.replicas
        self._owners: dict[int, typing.Any] = {}
        self._copies: dict[int, list[typing.Any]] = {}
        self._class = self._ray.remote(ShardActor)
        #: Whose turn it is to read, of the copies of each shard.
        self._turns: dict[int, int] = {}
        #: The last entry of each shard's log that an answer was as of: what this handle wrote, it reads.
        self._seen: dict[int, int] = {}

    def ensure(self, shards: abc.Iterable[int]) -> None:
        """Finds or starts the actors of shards."""
        new = [shard for shard in shards if shard not in self._owners]
        for shard in new:
            self._owners[shard] = self._started(shard)
        if self._replicas and new:
            self._place_replicas(new)

    def _place_replicas(self, shards: list[int]) -> None:
        """Finds or starts the replicas of shards, each on another node than its shard if there is one."""
        nodes = {node["NodeID"]: node for node in self._ray.nodes() if node["Alive"]}
        fit = [
            name
            for name, node in sorted(nodes.items())
            if node["Resources"].get("CPU", 0) >= self._config.num_cpus
        ]
        copies = range(1, self._replicas + 1)
        there = {(shard, copy): self._actor(shard, copy) for shard in shards for copy in copies}
        asked: dict[tuple[int, int], typing.Any] = {(shard, 0): self._owners[shard] for shard in shards}
        asked.update((place, actor) for place, actor in there.items() if actor is not None)
        nodes_of = self._nodes_of(asked)
        for shard in shards:
            taken = {nodes_of.get((shard, 0))}
            self._copies[shard] = []
            for copy in copies:
                actor, node = there[shard, copy], nodes_of.get((shard, copy))
                free = [name for name in fit if name not in taken]
                if actor is not None and node in taken and free:
                    # Its node is its shard's too, since one was lost: it has nothing that is not elsewhere.
                    self._end(shard, copy)
                    actor = None
                if actor is None:
                    node = free[(shard + copy) % len(free)] if free else None
                    actor = self._started(shard, copy, node)
                self._copies[shard].append(actor)
                taken.add(node)

    def _nodes_of(self, actors: abc.Mapping[typing.Any, typing.Any]) -> dict[typing.Any, str]:
        """Returns the nodes of actors, as far as they answer."""
        deadline = time.monotonic() + self._config.timeout_seconds
        pending = {place: actor.hello.remote() for place, actor in actors.items()}
        hellos = {place: self._fetched(reference, deadline) for place, reference in pending.items()}
        return {place: hello["node"] for place, hello in hellos.items() if hello is not None}

    def _actor(self, shard: int, copy: int) -> typing.Any:
        """Returns an actor, None if there is none."""
        try:
            return self._ray.get_actor(self._name(shard, copy), namespace=NAMESPACE)
        except ValueError:
            return None

    def _end(self, shard: int, copy: int) -> None:
        """Ends an actor, and waits until its name is free."""
        deadline = time.monotonic() + self._config.timeout_seconds
        while (actor := self._actor(shard, copy)) is not None and time.monotonic() < deadline:
            self._ray.kill(actor, no_restart=True)
            time.sleep(PAUSE_SECONDS)

    def _name(self, shard: int, copy: int) -> str:
        return f"{self._collection}/{shard:05}" + (f"/replica-{copy}" if copy else "")

    def _started(self, shard: int, copy: int = 0, node: str | None = None) -> typing.Any:
        strategy: typing.Any = "SPREAD"
        if node is not None:
            from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

            # Once the node is lost, any other will do.
            strategy = NodeAffinitySchedulingStrategy(node, soft=True)
        options = self._class.options(
            name=self._name(shard, copy),
            namespace=NAMESPACE,
            get_if_exists=True,
            lifetime="detached",
            max_restarts=-1,
            max_concurrency=CONCURRENT_CALLS,
            num_cpus=self._config.num_cpus,
            scheduling_strategy=strategy,
        )
        return options.remote(self._uri, self._collection, shard, self._config, copy > 0, copy)

    def greet(self, shards: abc.Iterable[int]) -> list[dict[str, typing.Any]]:
        """Asks shards who they are, and checks that they and this process fit each other."""
        shards = list(shards)
        self.ensure(shards)
        answers = []
        before = time.time()
        found = self._each(shards, lambda actor: actor.hello.remote(), self._config.timeout_seconds)
        after = time.time()
        for shard, hello in found.items():
            if hello["version"] != vecstore.__version__:
                raise VersionSkewError(
                    f"node {hello['node']}, which has shard {shard}, runs vecstore {hello['version']}, "
                    f"and this process {vecstore.__version__}: install one version on all nodes"
                )
            skew = max(before - hello["time"], hello["time"] - after)
            if skew > self._config.max_clock_skew_seconds:
                raise ClockSkewError(
                    f"the clock of node {hello['node']}, which has shard {shard}, is {skew:.1f} s off: "
                    f"expected at most {self._config.max_clock_skew_seconds} s (max_clock_skew_seconds)"
                )
            answers.append({"shard": shard, **hello})
        return answers

    def method(self, shards: abc.Iterable[int], name: str, *args: typing.Any) -> dict[int, Reply]:
        """Calls a method of `Shard` on the owners of shards; raises the first error of a reply."""
        replies = self._each(
            list(shards), lambda actor: getattr(actor, name).remote(*args), self._config.timeout_seconds
        )
        for reply in replies.values():
            if reply.error is not None:
                raise reply.error
        return replies

    def _each(
        self, shards: abc.Sequence[int], submit: abc.Callable[[typing.Any], typing.Any], timeout: float
    ) -> dict[int, typing.Any]:
        deadline = time.monotonic() + timeout
        pending = {shard: submit(self._owner(shard)) for shard in shards}
        answers: dict[int, typing.Any] = {}
        while pending:
            for shard, reference in list(pending.items()):
                answer = self._fetched(reference, deadline)
                if answer is not None:
                    answers[shard] = answer
                    del pending[shard]
                elif time.monotonic() >= deadline:
                    raise self._unavailable(self._silent(pending), timeout)
                else:
                    time.sleep(PAUSE_SECONDS)
                    pending[shard] = submit(self._found_again(shard))
        return answers

    def _fetched(self, reference: typing.Any, deadline: float) -> typing.Any:
        """Returns an answer; None if there is none yet, or its actor is not there."""
        exceptions = self._ray.exceptions
        try:
            return self._ray.get(reference, timeout=max(0.001, deadline - time.monotonic()))
        except exceptions.RayTaskError as error:
            no_room = (exceptions.ObjectStoreFullError, exceptions.OutOfDiskError)
            if isinstance(error, no_room) or isinstance(error.cause, no_room):
                raise DistributedError(
                    "Ray has no room for the answer of a shard: ask for fewer queries, neighbors or parts of "
                    "records (include) at once, or give Ray's object store more memory or disk"
                ) from error
            raise
        except exceptions.RayError:
            return None

    def _silent(self, pending: abc.Mapping[int, typing.Any]) -> list[int]:
        """Returns the shards that have not answered by now."""
        return [shard for shard, reference in pending.items() if self._fetched(reference, 0.0) is None]

    def _found_again(self, shard: int) -> typing.Any:
        """Returns the actor of a shard, which may have been started anew by somebody."""
        found = self._actor(shard, 0)
        if found is None:
            found = self._started(shard)
        self._owners[shard] = found
        return found

    def _unavailable(self, shards: abc.Iterable[int], timeout: float) -> ShardUnavailableError:
        missing = sorted(shards)
        numbers = ", ".join(map(str, missing))
        return ShardUnavailableError(f"no answer within {timeout:g} s from shards {numbers}", missing)

    def ask(
        self,
        generation: int,
        calls: abc.Mapping[int, Call],
        *,
        is_read: bool = True,
        timeout: float | None = None,
        missing: list[int] | None = None,
    ) -> dict[int, typing.Any]:
        """Makes a call of each of some shards, side by side, and returns their values.

        Raises
        ------
        MovedError
            If a shard is at a newer generation.
        ShardUnavailableError
            If one does not answer in time, unless there is a list for those that are ``missing``.
        """
        if not self._owners.keys() >= calls.keys() and self._is_past(generation):
            # Who stopped them did so after it had published that they are no longer shards.
            raise MovedError({})
        self.ensure(calls)
        timeout = self._config.timeout_seconds if timeout is None else timeout
        deadline = time.monotonic() + timeout
        tries = dict.fromkeys(calls, 0)

        def submit(shard: int) -> typing.Any:
            actor = self._reader(shard, tries[shard]) if is_read else self._owner(shard)
            at_least = self._seen.get(shard, 0) if is_read and self._replicas else 0
            return actor.call.remote(generation, *calls[shard], at_least)

        pending = {shard: submit(shard) for shard in calls}
        values: dict[int, typing.Any] = {}
        error: Exception | None = None
        has_moved = False
        while pending:
            for shard, reference in list(pending.items()):
                reply: Reply | None = self._fetched(reference, deadline)
                is_late = time.monotonic() >= deadline
                is_gone = reply is None or isinstance(reply.error, ShardUnavailableError)
                waits = is_gone or (reply is not None and reply.is_held)
                has_failed = is_gone or (
                    reply is not None and isinstance(reply.error, _OF_A_SHARD_TAKEN_AWAY)
                )
                if has_failed and self._is_past(generation):
                    # It is not there because it is no longer a shard: nobody starts it again.
                    has_moved = True
                    del pending[shard]
                    continue
                if waits and not is_late:
                    time.sleep(PAUSE_SECONDS)
                    if is_gone:
                        self._found_again(shard)
                    tries[shard] += 1
                    pending[shard] = submit(shard)
                    continue
                del pending[shard]
                if reply is None or waits:
                    if missing is None:
                        raise self._unavailable([shard, *self._silent(pending)], timeout)
                    missing.append(shard)
                elif reply.error is not None:
                    error = error or reply.error
                elif reply.moved_to is not None:
                    has_moved = True
                else:
                    values[shard] = reply.value
                    self._seen[shard] = max(self._seen.get(shard, 0), reply.number)
        if error is not None:
            raise error
        if has_moved:
            raise MovedError(values)
        return values

    def tell_copies(self, generation: int, shards: abc.Iterable[int], call: Call) -> list[typing.Any]:
        """Has the replicas of shards make a call; returns what `wait_for` waits for."""
        shards = list(shards)
        self.ensure(shards)
        return [
            copy.call.remote(generation, *call) for shard in shards for copy in self._copies.get(shard, [])
        ]

    def wait_for(self, told: abc.Iterable[typing.Any]) -> None:
        """Waits until replicas have done what they were told, or are not there."""
        deadline = time.monotonic() + self._config.timeout_seconds
        for reference in told:
            self._fetched(reference, deadline)

    def _is_past(self, generation: int) -> bool:
        """Returns whether there is a newer generation of the manifest, as far as can be seen."""
        try:
            return load(self._storage).generation > generation
        except VecStoreError:
            return False

    def _owner(self, shard: int) -> typing.Any:
        owner = self._owners.get(shard)
        return self._found_again(shard) if owner is None else owner

    def _reader(self, shard: int, tries: int) -> typing.Any:
        """Returns who is asked to read: the owner, or a replica in its turn or after the owner did not
        answer.
        """
        readers = [self._owner(shard), *self._copies.get(shard, [])]
        if len(readers) == 1:
            return readers[0]
        if self._config.read_from == "any":
            turn = self._turns[shard] = self._turns.get(shard, -1) + 1
            return readers[(turn + tries) % len(readers)]
        return readers[tries % len(readers)]

    def stop(self, shards: abc.Iterable[int]) -> None:
        """Ends the actors of shards, once their stores are closed."""
        for shard in shards:
            self._owners.pop(shard, None)
            self._copies.pop(shard, None)
            for copy in range(self._replicas + 1):
                actor = self._actor(shard, copy)
                if actor is None:
                    continue
                # If it is not there, or does not answer, its process is ended all the same.
                with contextlib.suppress(self._ray.exceptions.RayError):
                    self._ray.get(actor.close.remote(), timeout=self._config.timeout_seconds)
                self._ray.kill(actor, no_restart=True)
