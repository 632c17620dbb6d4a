"""Opening, and all that may be wrong with it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecstore
from vecstore import VecStore
from vecstore.distributed import (
    AsyncRayCollection,
    ClockSkewError,
    RayCollection,
    RayConfig,
    RayMissingError,
    ShardCountError,
    VersionSkewError,
    build_segments,
    commit_segments,
    discard_segments,
    migrate,
    migrate_back,
)

from .conftest import Make, as_one, bucket_options, bucket_server, clear


def test_the_embedded_package_imports_nothing_of_it() -> None:
    code = "import sys, vecstore; print([n for n in sys.modules if n.endswith('distributed') or n == 'ray'])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_without_ray_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RayMissingError, match=r"pip install 'vecstore\[ray\]'"):
        RayCollection.open(tmp_path, shards=1)
    with pytest.raises(vecstore.UnsupportedError):
        RayCollection.open(tmp_path, shards=1)


def test_a_place_without_a_collection(tmp_path: Path, nodes: Any) -> None:
    assert nodes
    with pytest.raises(vecstore.NotFoundError, match="there is no collection"):
        RayCollection.open(tmp_path / "absent")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(vecstore.InvalidInputError, match="is not a collection, and has other files"):
        RayCollection.open(tmp_path, shards=2)
    assert (tmp_path / "file").read_text() == "mine"
    for uri, error in (
        ("", vecstore.InvalidInputError),
        (3, TypeError),
        ("nothing://a/b", vecstore.InvalidInputError),
    ):
        with pytest.raises(error, match="uri"):
            RayCollection.open(uri, shards=1)  # type: ignore[arg-type]
    read_only = tmp_path / "file" / "below"
    with pytest.raises(vecstore.StorageError, match="shared storage"):
        RayCollection.open(read_only, shards=1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shards": 0}, vecstore.InvalidInputError, "shards must be between 1 and 256, got 0"),
        ({"shards": 257}, vecstore.InvalidInputError, "shards must be between"),
        ({"shards": "2"}, TypeError, "shards: expected an int, got str"),
        ({"shards": True}, TypeError, "shards: expected an int, got bool"),
        ({"shards": 1, "replicas": -1}, vecstore.InvalidInputError, "replicas must be between"),
        ({"shards": 1, "config": {}}, TypeError, "config: expected a RayConfig, got dict"),
        ({"shards": 1, "config": RayConfig(metric="far")}, vecstore.InvalidInputError, "metric"),
        ({"shards": 1, "config": RayConfig(dim=0)}, vecstore.InvalidInputError, "dim"),
        ({"shards": 1, "config": RayConfig(replication="often")}, vecstore.InvalidInputError, "replication"),  # type: ignore[arg-type]
        ({"shards": 1, "config": RayConfig(num_cpus=-1)}, vecstore.InvalidInputError, "num_cpus"),
    ],
)
def test_bad_options_make_nothing(
    tmp_path: Path, nodes: Any, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    assert nodes
    with pytest.raises(error, match=message):
        RayCollection.open(tmp_path, **arguments)
    assert not list(tmp_path.iterdir())


def test_what_does_not_agree_with_the_collection(small: RayCollection, make: Make) -> None:
    with pytest.raises(ShardCountError, match="has 2 shards, got 3"):
        make(3, uri=small.uri)
    for options, message in (
        ({"dim": 4}, "dim: the collection at .* has 3, got 4"),
        ({"metric": "dot"}, "metric: the collection at .* has 'cosine', got 'dot'"),
        ({"analyzer": "english"}, "analyzer: .* got 'english'"),
    ):
        with pytest.raises(vecstore.InvalidInputError, match=message):
            make(2, uri=small.uri, **options)
    with pytest.raises(vecstore.InvalidInputError, match="replicas"):
        make(2, replicas=1, uri=small.uri)


def test_a_manifest_that_was_changed_by_hand(small: RayCollection, tmp_path: Path) -> None:
    from vecstore.distributed import _manifest

    copy = tmp_path / "copy" / "manifest"
    copy.mkdir(parents=True)
    fields = json.loads(small._manifest.encode())
    fields["owners"] = [0] * 256
    (copy / "0000000001").write_text(json.dumps(fields))
    with pytest.raises(vecstore.CorruptionError, match=r"changed by hand.*rebalance"):
        RayCollection.open(tmp_path / "copy")
    fields["format"] = 99
    (copy / "0000000001").write_text(json.dumps(fields))
    with pytest.raises(vecstore.UnsupportedError, match="format 99"):
        RayCollection.open(tmp_path / "copy")
    (copy / "0000000001").write_text("{")
    with pytest.raises(vecstore.CorruptionError, match="is no manifest"):
        RayCollection.open(tmp_path / "copy")
    assert _manifest.virtual_shard("a") == _manifest.virtual_shard("a")


def test_nodes_that_do_not_fit(small: RayCollection, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(vecstore, "__version__", "9.9.9")
        with pytest.raises(VersionSkewError, match=r"runs vecstore .* and this process 9\.9\.9"):
            make(2, uri=small.uri)
    import time

    now = time.time
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: now() + 60)
        with pytest.raises(ClockSkewError, match="off: expected at most 5"):
            make(2, uri=small.uri)


def test_a_closed_handle_and_a_new_one(small: RayCollection, make: Make) -> None:
    clear(small)
    other = make(None, uri=small.uri)
    other.upsert("a", [1.0, 0.0, 0.0])
    assert small.count() == 1
    other.close()
    with pytest.raises(vecstore.ClosedError):
        other.count()
    assert repr(other).endswith("closed)")
    assert small.stats().active == 1
    assert len(small.stats().shards) == 2


def test_spread_moves_as_little_as_it_can() -> None:
    from vecstore.distributed._manifest import spread

    now = spread(range(4))
    assert sorted({now.count(shard) for shard in range(4)}) == [64]
    for count in (1, 2, 3, 5, 8, 100, 256):
        after = spread(range(count), now)
        assert max(map(after.count, range(count))) - min(map(after.count, range(count))) <= 1
        moved = sum(a != b for a, b in zip(now, after))
        assert moved == sum(max(0, 64 - after.count(shard)) for shard in range(4))


def test_rebalancing_while_it_is_written_to(make: Make) -> None:
    collection = make(2, dim=2)
    names = [f"r{n}" for n in range(300)]
    collection.upsert_many(names, [[1.0, float(n)] for n in range(300)], texts=["solar"] * 300)
    collection.soft_delete("r7")
    from .test_failures import Writer

    with VecStore(":memory:") as one:
        for count in (3, 1):
            writer = Writer(collection)
            writer.start()
            result = collection.rebalance(count)
            writer.stopped.set()
            writer.join(60)
            assert not writer.errors
            assert len(result.shards) == count == len(collection.shards)
            there = {record.id: record.metadata.get("step") for record in collection}
            assert {name: there[name] for name in writer.acknowledged} == writer.acknowledged
            collection.delete_many(list(writer.acknowledged))
            assert collection.count() == 299
            assert collection.deleted_count() == 1
        one.upsert_many(names, [[1.0, float(n)] for n in range(300)], texts=["solar"] * 300)
        one.soft_delete("r7")
        assert list(collection.query([1.0, 3.0], 300, exact=True)) == list(
            one.query([1.0, 3.0], 300, exact=True)
        )
    stale = make(None, uri=collection.uri)
    collection.rebalance(2)
    assert stale.count() == 299
    stale.upsert("after", [1.0, 1.0])
    assert "after" in collection


def test_segments_built_elsewhere_are_there_all_at_once(make: Make) -> None:
    collection = make(2)
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((400, 8)).astype(np.float32)

    def batch(numbers: range) -> dict[str, Any]:
        return {
            "id": np.array([f"b{n}" for n in numbers]),
            "vector": vectors[numbers.start : numbers.stop],
            "metadata": [{"n": n} for n in numbers],
            "text": [f"solar {n}" for n in numbers],
        }

    first = build_segments([batch(range(0, 150)), batch(range(150, 200))], collection.uri)
    second = build_segments([batch(range(200, 400))], collection.uri)
    build_segments([batch(range(0, 10))], collection.uri)  # never committed
    assert (first.records, second.records, collection.count()) == (200, 200, 0)
    assert commit_segments(collection, [first, second]) == 400
    assert collection.count() == 400
    with VecStore(":memory:") as one:
        for numbers in (range(0, 200), range(200, 400)):
            columns = batch(numbers)
            one.upsert_many(
                list(columns["id"]), columns["vector"], columns["metadata"], texts=columns["text"]
            )
        assert list(collection.query(vectors[3], 20, exact=True)) == list(
            one.query(vectors[3], 20, exact=True)
        )
        assert list(collection.text_query("solar 7")) == list(one.text_query("solar 7"))
    collection.upsert("b1", vectors[0], {"n": -1})
    more = build_segments([batch(range(0, 3))], collection.uri)
    commit_segments(collection, [more])
    record = collection.get("b1")
    assert record is not None
    assert record.metadata == {"n": 1}
    collection.save()
    assert discard_segments(collection.uri) > 0
    assert collection.count() == 400
    collection.rebalance(1)
    with pytest.raises(vecstore.InvalidInputError, match="rebalanced"):
        commit_segments(collection, [more])
    with pytest.raises(vecstore.InvalidInputError, match="columns"):
        build_segments([{"id": ["a"]}], collection.uri)


def test_migrations_there_and_back_go_on_after_an_interruption(
    make: Make, tmp_path: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = RayConfig(num_cpus=0.05, directory=str(disk))
    with VecStore(tmp_path / "one", metric="dot") as one:
        numbers = range(230)
        one.upsert_many(
            [f"m{n:03}" for n in numbers],
            [[1.0, float(n)] for n in numbers],
            [{"n": n, "b": b"1"} for n in numbers],
            texts=[f"solar {n}" for n in numbers],
            sparse=[{n: 1.0} for n in numbers],
        )
        one.upsert_multi("several", [[1.0, 2.0], [3.0, 4.0]])
        one.soft_delete("m005")
        one.set_ttl("m006", 3600)
        one.create_index("n", "number")
        puts = []
        put = RayCollection._put

        def interrupted(self: RayCollection, rows: Any) -> int:
            puts.append(len(rows))
            if len(puts) == 4:
                raise KeyboardInterrupt
            return put(self, rows)

        with monkeypatch.context() as patched:
            patched.setattr(RayCollection, "_put", interrupted)
            with pytest.raises(KeyboardInterrupt):
                migrate(one, tmp_path / "many", shards=2, config=config, batch_size=50)
        result = migrate(one, tmp_path / "many", config=config, batch_size=50)
        assert (result.records, result.resumed_at) == (81, 150)
        collection = make(None, uri=tmp_path / "many")
        assert as_one(iter(collection.list_all())) == as_one(iter(one.list_all()))
        assert collection.distance_metric == "dot"
        assert "n" in [index.path for index in collection.list_indexes() if not index.automatic]
        record = collection.get("m006")
        assert record is not None
        assert record.expires_at is not None
        result = migrate_back(collection, tmp_path / "back", batch_size=60)
        assert (result.records, result.resumed_at) == (231, 0)
        with VecStore(tmp_path / "back") as back:
            assert as_one(iter(back.list_all())) == as_one(iter(one.list_all()))
            assert back.distance_metric == "dot"


def test_backups_open_as_collections(make: Make, tmp_path: Path) -> None:
    collection = make(2, dim=2)
    collection.upsert_many([f"r{n}" for n in range(50)], [[1.0, float(n)] for n in range(50)])
    assert collection.backup(tmp_path / "backup").copied_files > 0
    collection.upsert("later", [1.0, 1.0])
    assert collection.backup(tmp_path / "backup").copied_files > 0
    collection.delete("later")
    copy = make(None, uri=tmp_path / "backup")
    assert copy.count() == 51
    assert copy.verify().ok
    copy.upsert("own", [1.0, 1.0])
    assert (copy.count(), collection.count()) == (52, 50)
    other = make(1, dim=2)
    with pytest.raises(vecstore.AlreadyExistsError):
        other.backup(tmp_path / "backup")


def test_what_was_stopped_is_there_again(make: Make, tmp_path: Path) -> None:
    collection = make(2, uri=tmp_path / "place", replication="none", dim=2)
    collection.upsert_many(["a", "b", "c"], [[1.0, 0.0]] * 3)
    collection.stop()
    again = make(None, uri=tmp_path / "place", directory=str(tmp_path / "other-disk"))
    assert sorted(record.id for record in again) == ["a", "b", "c"]


def test_awaited_methods(small: RayCollection) -> None:
    clear(small)
    tool = Path(__file__).resolve().parents[2] / "tools" / "generate_ray_async.py"
    assert subprocess.run([sys.executable, str(tool), "--check"]).returncode == 0

    async def use() -> None:
        config = small.config
        async with await AsyncRayCollection.open(small.uri, config=config) as docs:
            await asyncio.gather(*(docs.upsert(f"r{n}", [1.0, float(n), 0.0]) for n in range(20)))
            assert await docs.count() == 20
            assert [neighbor.id for neighbor in await docs.query([1.0, 0.0, 0.0], k=1)] == ["r0"]
            assert len([record.id async for record in docs]) == 20
            assert docs.distance_metric == "cosine"
        with pytest.raises(vecstore.ClosedError):
            await docs.count()

    asyncio.run(use())


def test_buckets(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with bucket_server(monkeypatch, "bucket") as port:
        options = bucket_options(port)
        collection = make(2, uri="s3://bucket/docs", dim=2, storage_options=options)
        collection.upsert_many([f"r{n}" for n in range(30)], [[1.0, float(n)] for n in range(30)])
        collection.delete("r3")
        collection.save()
        collection.upsert("late", [1.0, 1.0])
        assert "secret" not in str(collection._manifest)
        from .conftest import kill

        kill(collection, collection.shards[0])
        assert collection.count() == 30
        # Elsewhere, from the bucket alone.
        from vecstore.distributed._shard import Shard

        shard = collection._manifest.of("late")
        collection._actors.stop([shard])
        import tempfile

        with tempfile.TemporaryDirectory() as directory:
            elsewhere = Shard("s3://bucket/docs", shard, directory, collection.config)
            assert elsewhere.call(collection._manifest.generation, "get", ("late",)).value.id == "late"
            elsewhere.close()
        with pytest.raises(vecstore.StorageError, match="shared storage s3://absent"):
            make(1, uri="s3://absent/docs", storage_options=options)
    with pytest.raises(vecstore.StorageError, match="shared storage"):
        make(1, uri="s3://bucket/other", storage_options={**options, "retry_config": {"max_retries": 0}})
