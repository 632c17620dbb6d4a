"""What `vecstore.distributed` asks of Ray, with actors that are threads of this process.

Nothing here knows of shards. What goes to an actor and what comes back is pickled, as on its way to another
process; a call that does not come back in time is an error of Ray's, as there.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager
from typing import Any

import pytest


class RayError(Exception):
    """As `ray.exceptions.RayError`: there is no answer, or none yet."""


class RayTaskError(RayError):
    """As `ray.exceptions.RayTaskError`: the actor raised."""


class _Exceptions:
    RayError = RayError
    RayTaskError = RayTaskError


class Actor:
    """A handle of an actor, and the actor: made by its first call, on the first of its threads."""

    def __init__(self, what: type, name: str, threads: int, args: bytes) -> None:
        self._what, self._name, self._args = what, name, args
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._making = threading.Lock()
        self._made: Any = None
        self.is_gone = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _Method(self, name)

    def _called(self, name: str, arguments: bytes) -> bytes:
        with self._making:
            if self._made is None:
                self._made = self._what(*pickle.loads(self._args))
        return pickle.dumps(getattr(self._made, name)(*pickle.loads(arguments)))


class _Method:
    def __init__(self, actor: Actor, name: str) -> None:
        self._actor, self._name = actor, name

    def remote(self, *args: Any) -> Future[bytes]:
        gone: Future[bytes] = Future()
        if self._actor.is_gone:
            gone.set_exception(RayError(f"{self._name}: the actor is gone"))
            return gone
        return self._actor._pool.submit(self._actor._called, self._name, pickle.dumps(args))


class _Options:
    def __init__(self, ray: Threads, what: type, options: dict[str, Any]) -> None:
        self._ray, self._what, self._options = ray, what, options

    def options(self, **options: Any) -> _Options:
        return _Options(self._ray, self._what, options)

    def remote(self, *args: Any) -> Actor:
        name = self._options["name"]
        with self._ray.lock:
            if name not in self._ray.actors:
                threads = self._options["max_concurrency"]
                self._ray.actors[name] = Actor(self._what, name, threads, pickle.dumps(args))
            return self._ray.actors[name]


class Threads:
    """Stands for the module `ray`."""

    exceptions = _Exceptions

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.actors: dict[str, Actor] = {}

    def get_runtime_context(self) -> Threads:
        return self

    def get_node_id(self) -> str:
        return "this-process"

    def nodes(self) -> list[dict[str, Any]]:
        return [{"NodeID": self.get_node_id(), "Alive": True, "Resources": {"CPU": 4.0}}]

    def remote(self, what: type) -> _Options:
        return _Options(self, what, {})

    def get(self, answer: Future[bytes], timeout: float) -> Any:
        try:
            return pickle.loads(answer.result(timeout))
        except Late:
            raise RayError("no answer yet") from None
        except RayError:
            raise
        except Exception as error:
            raise RayTaskError(str(error)) from error

    def get_actor(self, name: str, namespace: str) -> Actor:
        assert namespace == "vecstore"
        if (actor := self.actors.get(name)) is None:
            raise ValueError(name)
        return actor

    def restart(self, name: str) -> None:
        """Has an actor begin anew with its next call, as one does whose process ended."""
        actor = self.actors[name]
        with actor._making:
            made, actor._made = actor._made, None
            if made is not None:
                made.close()

    def kill(self, actor: Actor, no_restart: bool) -> None:
        assert no_restart
        actor.is_gone = True
        with self.lock:
            self.actors = {name: one for name, one in self.actors.items() if one is not actor}
        actor._pool.shutdown(wait=False)


@contextmanager
def instead_of_ray() -> Iterator[Threads]:
    """Has `vecstore.distributed` take this for Ray."""
    from vecstore.distributed import _actors

    threads = Threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_actors, "ray", lambda: threads)
        patch.setattr(_actors, "observer", lambda *_: None)  # metrics are Ray's
        yield threads
