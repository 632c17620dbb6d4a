"""What was changed by hand in shared storage is told by a typed error, on shards of this process."""

from __future__ import annotations

import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import pytest

import vecstore
from vecstore.distributed import RayCollection, RayConfig

from .in_process import Collections, in_shards

__all__ = ["in_shards"]


@pytest.fixture
def made(in_shards: Collections, tmp_path: Path) -> Path:
    """The shared storage of a collection whose actors were stopped."""
    config = RayConfig(dim=2, directory=str(tmp_path / "nodes"), timeout_seconds=5.0)
    collection = RayCollection.open(tmp_path / "shared", 2, config=config)
    in_shards.made.append(collection)
    collection.upsert_many(["a", "b", "c"], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    collection.create_snapshot("kept")
    collection.upsert("d", [1.0, 2.0])
    collection._actors.stop(collection.shards)
    return tmp_path / "shared"


def reopened(made: Path, in_shards: Collections) -> RayCollection:
    config = RayConfig(directory=str(made.parent / "other-nodes"), timeout_seconds=5.0)
    in_shards.made.append(RayCollection.open(made, config=config))
    return in_shards.made[-1]


def newest(made: Path) -> Path:
    return max((made / "manifest").iterdir())


CHANGES: dict[str, Any] = {
    "owners": [[0] * 3, "ab", None, [-1] * 256, [0.5] * 256, [9] * 256],
    "generation": ["x", None, -1],
    "settings": [None, {}, {"metric": "cosine"}],
    "replicas": [10**6, None],
    "builds": [[1], 1],
    "more": [1],
}


@pytest.mark.parametrize(("name", "value"), [(name, one) for name, some in CHANGES.items() for one in some])
def test_a_manifest_that_says_what_none_does(
    made: Path, in_shards: Collections, name: str, value: Any
) -> None:
    fields = json.loads(newest(made).read_text())
    fields.pop("checksum")
    fields[name] = value
    fields["checksum"] = zlib.crc32(json.dumps(fields, sort_keys=True).encode())
    newest(made).write_text(json.dumps(fields))
    with pytest.raises(vecstore.CorruptionError, match="is no manifest"):
        reopened(made, in_shards)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"[" * 100_000, b"{}", b"null"])
def test_a_manifest_of_noise(made: Path, in_shards: Collections, content: bytes) -> None:
    newest(made).write_bytes(content)
    with pytest.raises(vecstore.CorruptionError, match="is no manifest"):
        reopened(made, in_shards)


def test_a_shard_that_was_deleted_by_hand(made: Path, in_shards: Collections) -> None:
    shutil.rmtree(made / "shards" / "00001")
    with pytest.raises(vecstore.CorruptionError, match=r"shard 1 has no log .* deleted or moved.*rebalance"):
        reopened(made, in_shards).count()


def test_entries_of_logs_that_are_none(made: Path, in_shards: Collections) -> None:
    log = made / "shards" / "00001" / "log"
    last = max(log.iterdir())
    content = last.read_bytes()
    last.write_bytes(content[:-5])
    with pytest.raises(vecstore.CorruptionError, match="checksum"):
        reopened(made, in_shards).count()
    last.write_bytes(content)
    (log / "mine").write_text("x")
    with pytest.raises(vecstore.CorruptionError, match="is no entry of a log"):
        reopened(made, in_shards).count()


def test_snapshots_that_are_damaged_leave_all_as_it_is(made: Path, in_shards: Collections) -> None:
    collection = reopened(made, in_shards)
    assert collection.count() == 4
    pin = next((made / "shards" / "00000" / "pins").iterdir())
    content = pin.read_bytes()
    pin.unlink()
    with pytest.raises(vecstore.CorruptionError, match="has lost its files"):
        collection.restore_snapshot("kept")
    pin.write_bytes(content)
    segment = next((made / "shards" / "00000" / "segments").iterdir())
    kept = segment.read_bytes()
    segment.write_bytes(b"x")
    with pytest.raises(vecstore.CorruptionError, match="checksum"):
        collection.restore_snapshot("kept")
    assert collection.count() == 4
    segment.write_bytes(kept)
    collection.restore_snapshot("kept")
    assert collection.count() == 3
    next((made / "snapshots").iterdir()).write_text("{")
    with pytest.raises(vecstore.CorruptionError, match="is no snapshot"):
        collection.list_snapshots()


def test_a_place_that_is_gone(made: Path, in_shards: Collections) -> None:
    collection = reopened(made, in_shards)
    assert collection.count() == 4
    made.rename(made.with_name("away"))
    calls = (lambda: collection.upsert("e", [1.0, 1.0]), collection.save, lambda: collection.rebalance(3))
    for call in calls:
        with pytest.raises(vecstore.StorageError, match="not there any more"):
            call()
    assert len(collection.query([1.0, 0.0])) >= 4
    assert not made.exists()
    made.with_name("away").rename(made)
    collection.upsert("f", [1.0, 1.0])
    assert "f" in collection
