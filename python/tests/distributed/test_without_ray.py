"""The tests of a collection on Ray once more, with its shards in this process: without Ray, where Ray is not
for this version of Python or does not start, and counted line by line.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vecstore
from vecstore.distributed import FencedError, RayCollection, RayConfig
from vecstore.distributed._actors import ShardActor
from vecstore.distributed._shard import Reply

from . import conftest, test_failures, test_one_answer, test_open
from .conftest import Make
from .stand_in import Threads, instead_of_ray

#: What is about processes and packages, and needs more than one process to fail.
LEFT_OUT = {
    "test_the_embedded_package_imports_nothing_of_it",
    "test_without_ray_it_says_what_to_install",
    "test_nodes_that_do_not_fit",
}

for _module in (test_open, test_one_answer):
    for _name, _value in vars(_module).items():
        is_test = _name.startswith("test_") and inspect.isfunction(_value)
        if (is_test or _name == "both") and _name not in LEFT_OUT:
            assert _name not in globals()
            globals()[_name] = _value

test_replicas_answer_and_read_what_was_written = test_failures.test_replicas_answer_and_read_what_was_written
test_what_threads_wrote_they_read_of_replicas = test_failures.test_what_threads_wrote_they_read_of_replicas


@pytest.fixture(scope="module")
def nodes() -> Iterator[Threads]:
    with instead_of_ray() as threads, pytest.MonkeyPatch.context() as patch:

        def restart(collection: RayCollection, shard: int) -> None:
            threads.restart(collection._actors._name(shard, 0))

        patch.setattr(conftest, "kill", restart)
        patch.setattr(test_failures, "kill", restart)
        yield threads


@pytest.fixture(scope="module")
def make(nodes: Threads, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Makes collections, and ends their actors."""
    assert not nodes.actors
    made: list[RayCollection] = []
    numbers = itertools.count()
    disk = tmp_path_factory.mktemp("disk")

    def make(
        shards: int | None = 2, replicas: int | None = None, uri: Any = None, **options: Any
    ) -> RayCollection:
        where: Path = uri or tmp_path_factory.mktemp(f"collection-{next(numbers)}")
        options = {"directory": str(disk), "timeout_seconds": 120.0, **options}
        made.append(RayCollection.open(where, shards, replicas, RayConfig(**options)))
        return made[-1]

    yield make
    for collection in made:
        collection._actors.stop(collection._manifest.shards)
    assert not nodes.actors


@pytest.fixture(scope="module")
def small(make: Make) -> RayCollection:
    return make(2, dim=3)


def test_nobody_starts_a_shard_again_that_is_no_longer_one(make: Make, nodes: Threads) -> None:
    collection = make(2, dim=2)
    collection.upsert_many([f"r{n}" for n in range(20)], [[1.0, float(n)] for n in range(20)])
    stale = make(None, uri=collection.uri)
    before = collection._manifest
    collection.rebalance(1)
    # As a thread sees it whose handle another thread has rebalanced in the middle of its call.
    stale._actors._owners.clear()
    stale.upsert("late", [1.0, 1.0])
    assert "late" in collection
    gone = [stale._actors._name(shard, 0) for shard in set(before.shards) - set(collection.shards)]
    assert gone
    assert not set(gone) & set(nodes.actors)


@pytest.mark.parametrize("error", [vecstore.CorruptionError, vecstore.StorageError, FencedError])
def test_what_a_shard_meets_while_it_is_taken_away_is_nobodys_error(
    make: Make, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    collection = make(2, dim=2)
    stale = make(None, uri=collection.uri)
    gone = set(collection.shards)
    collection.rebalance(1)
    gone -= set(collection.shards)
    call = ShardActor.call

    def failing(self: ShardActor, *args: Any) -> Reply:
        return Reply(error=error("its log is gone")) if self.shard in gone else call(self, *args)

    monkeypatch.setattr(ShardActor, "call", failing)
    for shard in gone:
        stale._actors._owners[shard] = stale._actors._started(shard)
    names = [f"r{n}" for n in range(20)]
    assert stale.upsert_many(names, [[1.0, 2.0]] * 20) == 20
    assert collection.count() == 20
    # Where the shard is one still, it is an error.
    gone = set(collection.shards)
    with pytest.raises(error, match="its log is gone"):
        collection.upsert("more", [1.0, 1.0])
    monkeypatch.undo()
    collection._actors.stop(range(4))
