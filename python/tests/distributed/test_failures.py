"""What is acknowledged survives its actor and its node; two owners never write one shard."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vecstore
from vecstore.distributed import FencedError, RayCollection, RayConfig, ShardUnavailableError
from vecstore.distributed._shard import Shard

from .conftest import Make, Nodes, clear, kill


@pytest.fixture(scope="module")
def collection(make: Make) -> RayCollection:
    return make(2, dim=2)


#: How often an actor is killed, and a node; `make soak` does it more often.
KILLS = int(os.environ.get("VECSTORE_RAY_KILLS", "3"))
NODE_KILLS = int(os.environ.get("VECSTORE_RAY_KILLS", "1"))

#: How soon after a kill a query must answer with all shards: what is promised, and what is asserted where
#: the other tests of the machine may run beside this one.
RECOVERY_SECONDS = 10.0 if "VECSTORE_RAY_KILLS" in os.environ else 40.0


class Writer(threading.Thread):
    """Upserts without a pause, and remembers what was acknowledged."""

    def __init__(self, collection: RayCollection) -> None:
        super().__init__(daemon=True)
        self.collection = collection
        self.acknowledged: dict[str, int] = {}
        self.steps = 0
        self.errors: list[Exception] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            step = self.steps
            names = [f"w{(step + n) % 97}" for n in range(3)]
            try:
                self.collection.upsert_many(names, [[1.0, float(step)]] * 3, [{"step": step}] * 3)
            except vecstore.VecStoreError as error:
                self.errors.append(error)
                return
            self.acknowledged.update(dict.fromkeys(names, step))
            self.steps += 1

    def wait_for(self, steps: int) -> None:
        """Waits until so many more calls were acknowledged."""
        until = self.steps + steps
        while self.steps < until and not self.errors:
            time.sleep(0.01)
        assert not self.errors

    def check(self) -> None:
        """Ends, and compares what is there with what was acknowledged."""
        self.stopped.set()
        self.join(120)
        assert not self.errors
        there = list(self.collection)
        assert len({record.id for record in there}) == len(there) == self.collection.count()
        steps = {record.id: record.metadata["step"] for record in there}
        assert steps == self.acknowledged


class Clock(threading.Thread):
    """Seconds in which this process ran: if the machine, or this process and Ray's, stands still for a while,
    as when it is suspended, at most one second of that counts.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.now = 0.0
        self.stopped = threading.Event()
        self.start()

    def run(self) -> None:
        before = time.monotonic()
        while not self.stopped.wait(0.02):
            now = time.monotonic()
            self.now += min(1.0, now - before)
            before = now


class Asker(threading.Thread):
    """Asks all shards without a pause, and notes when there was an answer."""

    def __init__(self, collection: RayCollection) -> None:
        super().__init__(daemon=True)
        self.collection = collection
        self.clock = Clock()
        self.answered = [self.clock.now]
        self.errors: list[Exception] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            try:
                self.collection.query([1.0, 0.0], k=5)
            except vecstore.VecStoreError as error:
                self.errors.append(error)
                return
            self.answered.append(self.clock.now)

    def check(self, what: str, kills: list[float]) -> None:
        """Ends; raises if after some kill there was no answer for too long, and prints how long it was."""
        self.stopped.set()
        self.join(120)
        self.clock.stopped.set()
        assert not self.errors
        gaps = [(after, after - before) for before, after in zip(self.answered, self.answered[1:])]
        bounds = zip(kills, [*kills[1:], float("inf")])
        longest = [max(gap for at, gap in gaps if kill < at <= until) for kill, until in bounds]
        median, most = sorted(longest)[len(longest) // 2], max(longest)
        print(f"\n{what} killed: {len(kills)}; no answer for {median:.1f} s (median), {most:.1f} s (most)")
        assert most <= RECOVERY_SECONDS


def test_acknowledged_writes_survive_kills_of_actors(collection: RayCollection) -> None:
    clear(collection)
    writer, asker, kills = Writer(collection), Asker(collection), []
    writer.start()
    asker.start()
    for turn in range(KILLS):
        writer.wait_for(3)
        kills.append(asker.clock.now)
        shard = collection.shards[turn % 2]
        pid = kill(collection, shard)
        while collection._actors.greet([shard])[0]["pid"] == pid:
            time.sleep(0.01)
    writer.wait_for(3)
    writer.check()
    asker.check("actors", kills)


def test_shards_of_a_lost_node_are_restored_elsewhere(nodes: Nodes, make: Make) -> None:
    collection = make(4, dim=2)
    writer, asker, kills = Writer(collection), Asker(collection), []
    writer.start()
    asker.start()
    for turn in range(NODE_KILLS):
        writer.wait_for(10)
        hellos = collection._actors.greet(collection.shards)
        lost = hellos[-1]["node"]
        node = next(node for node in nodes.nodes if node.node_id == lost)
        nodes.nodes.remove(node)
        kills.append(asker.clock.now)
        nodes.cluster.remove_node(node, allow_graceful=False)
        if turn % 2 == 0:
            # Otherwise the old owners live on for a moment, and are fenced.
            for hello in hellos:
                if hello["node"] == lost:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(hello["pid"], signal.SIGKILL)
        deadline = time.monotonic() + 120
        # Ray takes a moment to see that the node is gone; until then its actors may answer.
        while any(hello["node"] == lost for hello in collection._actors.greet(collection.shards)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        nodes.nodes.append(nodes.add())
    writer.wait_for(10)
    writer.check()
    asker.check("nodes", kills)


def test_a_query_without_a_shard_is_an_error_or_says_so(collection: RayCollection, make: Make) -> None:
    clear(collection)
    collection.upsert_many(
        [f"r{n}" for n in range(40)], [[1.0, float(n)] for n in range(40)], texts=["red"] * 40
    )
    impatient = make(None, uri=collection.uri, timeout_seconds=0.5, partial_timeout_seconds=0.5)
    missing = collection.shards[1]
    impatient._actors._name = lambda *_: "nobody"  # type: ignore[method-assign]
    impatient._actors._started = lambda *_: gone  # type: ignore[method-assign]
    gone = _Gone()
    impatient._actors._owners[missing] = gone
    searches: list[Callable[..., Any]] = [
        lambda **how: impatient.query([1.0, 0.0], 40, **how),
        lambda **how: impatient.text_query("red", 40, **how),
        lambda **how: impatient.hybrid_query([1.0, 0.0], "red", 40, **how),
        lambda **how: impatient.query_batch([[1.0, 0.0]], 40, **how)[0],
    ]
    for search in searches:
        with pytest.raises(ShardUnavailableError, match=f"shards {missing}") as error:
            search()
        assert error.value.missing == (missing,)
        found = search(partial=True)
        assert found.missing == (missing,)
        assert {n.id for n in found} == {
            record.id for record in collection if collection._manifest.of(record.id) != missing
        }


class _Gone:
    """An actor that is not there, nor comes back."""

    class call:  # noqa: N801 (as a handle of Ray has it)
        @staticmethod
        def remote(*_: Any) -> Any:
            import ray

            @ray.remote(num_cpus=0)
            def never() -> None:
                time.sleep(30)

            return never.remote()


# ---- One owner, without Ray: two processes cannot tell each other apart from what they find in shared
# storage


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, RayConfig, Path]:
    from vecstore.distributed import _manifest
    from vecstore.distributed._storage import open_storage

    config = RayConfig(dim=2)
    storage = open_storage(tmp_path / "shared")
    assert _manifest.publish(storage, _manifest.new(1, 0, config.kept(), 2))
    return str(tmp_path / "shared"), config, tmp_path


def rows(*names: str, step: int = 0) -> Any:
    from vecstore.distributed._rows import joined, rows_that_match

    with vecstore.VecStore(":memory:", dim=2) as store:
        store.upsert_many(list(names), [[1.0, 2.0]] * len(names), [{"step": step}] * len(names))
        return joined(list(rows_that_match(store)))


def called(shard: Shard, name: str, *args: Any) -> Any:
    reply = shard.call(1, name, args)
    if reply.error is not None:
        raise reply.error
    return reply.value


@pytest.mark.parametrize("replication", ["sync", "none"])
def test_an_old_owner_is_fenced(place: tuple[str, RayConfig, Path], replication: Any) -> None:
    import dataclasses

    uri, config, tmp_path = place
    config = dataclasses.replace(config, fence_seconds=0.0)
    if replication == "none":
        from vecstore.distributed import _manifest
        from vecstore.distributed._storage import open_storage

        storage = open_storage(uri)
        now = _manifest.load(storage)
        assert _manifest.publish(storage, now.next(settings={**now.settings, "replication": "none"}))
    generation = 1 if replication == "sync" else 2
    old = Shard(uri, 0, str(tmp_path / "a"), config)
    assert old.call(generation, "put", (rows("a", "b"),)).error is None
    assert old.save().error is None
    new = Shard(uri, 0, str(tmp_path / "b"), config)
    assert new.call(generation, "count").value == 2
    refused = old.call(generation, "put", (rows("late"),)).error
    assert isinstance(refused, FencedError)
    assert isinstance(old.save().error, FencedError)
    assert new.call(generation, "put", (rows("c"),)).error is None
    assert new.call(generation, "count").value == 3
    # The one that comes back to its own disk finds that it is not the newest, and starts from the checkpoint.
    old.close()
    again = Shard(uri, 0, str(tmp_path / "a"), config)
    assert again.call(generation, "count").value == (3 if replication == "sync" else 2)
    for shard in (new, again):
        shard.close()


def test_a_restart_has_what_the_log_has(place: tuple[str, RayConfig, Path]) -> None:
    uri, config, tmp_path = place
    first = Shard(uri, 0, str(tmp_path / "a"), config)
    called(first, "put", rows("a", "b", "c"))
    first.save()
    called(first, "put", rows("b", "d", step=1))
    called(first, "delete", "a")
    called(first, "patch_metadata", "c", {"patched": True})
    called(first, "soft_delete", "d")
    called(first, "delete_where", {"step": 1, "none": {"$exists": True}}, None)
    elsewhere = Shard(uri, 0, str(tmp_path / "b"), config)
    assert {record.id for record in called(elsewhere, "scroll").records} == {"b", "c"}
    assert called(elsewhere, "get", "c").metadata == {"step": 0, "patched": True}
    assert [record.id for record in called(elsewhere, "list_deleted")] == ["d"]
    for shard in (first, elsewhere):
        shard.close()


def test_shared_storage_that_is_gone_refuses_writes_and_comes_back(
    place: tuple[str, RayConfig, Path],
) -> None:
    uri, config, tmp_path = place
    shard = Shard(uri, 0, str(tmp_path / "a"), config)
    called(shard, "put", rows("a"))
    broken = shard._storage.put_new
    failed: list[str] = []

    def fail(name: str, content: bytes) -> bool:
        # What was put is not always known to be: once it was, once it was not.
        failed.append(name)
        if len(failed) == 1:
            broken(name, content)
        raise vecstore.StorageError(5, "shared storage is gone")

    shard._storage.put_new = fail  # type: ignore[method-assign]
    for name in ("b", "c"):
        with pytest.raises(vecstore.StorageError, match="gone"):
            called(shard, "put", rows(name))
    shard._storage.put_new = broken  # type: ignore[method-assign]
    called(shard, "put", rows("d"))
    elsewhere = Shard(uri, 0, str(tmp_path / "b"), config)
    there = {record.id for record in called(elsewhere, "scroll").records}
    assert {"a", "d"} <= there <= {"a", "b", "c", "d"}
    for one in (shard, elsewhere):
        one.close()


def test_shared_storage_that_is_not_mounted_is_not_made_again(place: tuple[str, RayConfig, Path]) -> None:
    uri, config, tmp_path = place
    shard = Shard(uri, 0, str(tmp_path / "a"), config)
    called(shard, "put", rows("a"))
    for left in (None, "an empty directory"):
        (tmp_path / "shared").rename(tmp_path / "away")
        if left:
            (tmp_path / "shared").mkdir()
        with pytest.raises(vecstore.StorageError, match="is not there any more"):
            called(shard, "put", rows("b"))
        assert shard.save().error is not None
        assert called(shard, "count") == 2  # on this disk, and not acknowledged
        if left:
            (tmp_path / "shared").rmdir()
        assert not (tmp_path / "shared").exists()
        (tmp_path / "away").rename(tmp_path / "shared")
    called(shard, "put", rows("c"))
    elsewhere = Shard(uri, 0, str(tmp_path / "b"), config)
    assert {"a", "c"} <= {record.id for record in called(elsewhere, "scroll").records}
    for one in (shard, elsewhere):
        one.close()


def test_the_log_and_old_files_are_trimmed(place: tuple[str, RayConfig, Path]) -> None:
    uri, config, tmp_path = place
    shard = Shard(uri, 0, str(tmp_path / "a"), config)
    for step in range(6):
        called(shard, "put", rows(*(f"{step}-{n}" for n in range(20)), step=step))
        assert shard.save().error is None
    entries = shard._storage.names("shards/00000/log/")
    assert len(entries) <= 6
    restored = Shard(uri, 0, str(tmp_path / "b"), config)
    assert called(restored, "count") == 120
    for one in (shard, restored):
        one.close()


def test_damage_in_shared_storage_is_told(place: tuple[str, RayConfig, Path]) -> None:
    uri, config, tmp_path = place
    shard = Shard(uri, 0, str(tmp_path / "a"), config)
    called(shard, "put", rows("a"))
    shard.save()
    shard.close()
    segment = next((tmp_path / "shared").rglob("*.seg"))
    segment.write_bytes(segment.read_bytes()[:-1] + b"\0")
    elsewhere = Shard(uri, 0, str(tmp_path / "b"), config)
    with pytest.raises(vecstore.CorruptionError, match="checksum"):
        called(elsewhere, "count")
    elsewhere.close()


def test_replicas_answer_and_read_what_was_written(make: Make) -> None:
    collection = make(2, replicas=1, dim=2, read_from="any")
    for step in range(12):
        collection.upsert(f"r{step}", [1.0, float(step)], {"step": step})
        assert collection.count() == step + 1
        assert len(collection.query([1.0, 0.0], 50)) == step + 1
    assert collection.delete_where({"step": {"$lt": 6}}) == 6
    assert [collection.count() for _ in range(4)] == [6] * 4
    kill(collection, collection.shards[0])
    assert collection.count() == 6
    # Upkeep is of the owner, whoever else may read, and of its copies: they are to be as quick.
    for _ in range(3):
        collection.create_index("step", "number")
        collection.compact()
        assert collection.expire_ttl_records() == 0
    actors, generation = collection._actors, collection._manifest.generation
    for shard in collection.shards:
        for actor in (actors._owner(shard), *actors._copies[shard]):
            reply = actors._fetched(actor.call.remote(generation, "list_indexes"), time.monotonic() + 60)
            assert [index.path for index in reply.value if not index.automatic] == ["step"]
    assert collection.drop_index("step")
    with pytest.raises(vecstore.InvalidInputError, match="replication"):
        make(2, replicas=1, replication="none")


def test_what_threads_wrote_they_read_of_replicas(make: Make) -> None:
    collection = make(1, replicas=1, dim=2, read_from="any")
    unread: list[str] = []

    def work(thread: int) -> None:
        for step in range(30):
            name = f"t{thread}-{step}"
            collection.upsert(name, [1.0, 1.0])
            unread.extend(name for _ in range(2) if collection.get(name) is None)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not unread
    assert collection.count() == 180


def test_only_shards_that_are_silent_are_missing(make: Make) -> None:
    collection = make(3, dim=2)
    collection.upsert_many([f"r{n}" for n in range(9)], [[1.0, float(n)] for n in range(9)])
    hasty = make(None, uri=collection.uri, timeout_seconds=3.0)
    pid = collection._actors.greet([collection.shards[0]])[0]["pid"]
    if pid == os.getpid():
        pytest.skip("the shards are in this process")
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ShardUnavailableError) as raised:
            hasty.query([1.0, 0.0])
    finally:
        os.kill(pid, signal.SIGCONT)
    assert raised.value.missing == (collection.shards[0],)
    assert collection.count() == 9


def test_replicas_are_on_other_nodes(nodes: Nodes, make: Make) -> None:
    assert len(nodes.nodes) > 1
    collection = make(3, replicas=1, dim=2)

    def placed(handle: RayCollection) -> list[bool]:
        actors = handle._actors
        where = actors._nodes_of(
            {(shard, copy): actors._actor(shard, copy) for shard in handle.shards for copy in (0, 1)}
        )
        return [where[shard, 0] != where[shard, 1] for shard in handle.shards]

    assert placed(collection) == [True] * 3
    # As after a node was lost: a replica is where its shard is. Who opens the collection next moves it.
    actors, shard = collection._actors, collection.shards[0]
    actors._end(shard, 1)
    with_shard = actors._nodes_of({0: actors._owners[shard]})[0]
    actors._started(shard, 1, with_shard)
    assert placed(collection)[0] is False
    assert placed(make(None, uri=collection.uri)) == [True] * 3
    collection.upsert("a", [1.0, 0.0])
    other = make(None, uri=collection.uri, read_from="any")
    asked: list[Any] = []
    reader = other._actors._reader
    other._actors._reader = lambda *args: asked.append(reader(*args)) or asked[-1]  # type: ignore[method-assign, func-returns-value]
    assert [other.count() for _ in range(4)] == [1] * 4
    assert len(set(asked)) == 6
    # A large batch is shared by the copies.
    del asked[:]
    queries = [[1.0, float(n)] for n in range(1000)]
    assert [row[0].id for row in other.query_batch(queries, 1)] == ["a"] * 1000
    assert len(set(asked)) == 6
