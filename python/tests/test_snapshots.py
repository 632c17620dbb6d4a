"""Snapshots by name, backups, and coming back from either."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

import vecstore
from vecstore import CompactionConfig, VecDatabase, VecStore


def ids(collection: vecstore.BaseCollection) -> list[str]:
    return [record.id for record in collection]


def test_a_snapshot_is_gone_back_to_also_after_reopening(path: Path) -> None:
    begun = datetime.datetime.now(datetime.timezone.utc)
    with VecStore(path) as store:
        store.upsert("a", [1.0, 0.0], {"v": 1})
        made = store.create_snapshot("first")
        store.upsert("a", [0.0, 1.0], {"v": 2})
        store.upsert("b", [1.0, 1.0])
        store.create_snapshot("second")
        store.delete("a")
        assert store.list_snapshots()[0] == made
    assert made.name == "first"
    assert made.record_count == 1
    assert abs((made.created_at - begun).total_seconds()) < 60
    with VecStore(path) as store:
        assert [(one.name, one.record_count) for one in store.list_snapshots()] == [
            ("first", 1),
            ("second", 2),
        ]
        store.restore_snapshot("first")
        record = store.get("a")
        assert record is not None
        assert record.metadata == {"v": 1}
        assert ids(store) == ["a"]
        store.restore_snapshot("second")
        assert ids(store) == ["a", "b"]
        assert store.delete_snapshot("first")
        assert not store.delete_snapshot("first")
        assert [one.name for one in store.list_snapshots()] == ["second"]


def test_names_of_snapshots(store: VecStore) -> None:
    store.create_snapshot("../s")
    with pytest.raises(vecstore.AlreadyExistsError, match=r"has a snapshot named `\.\./s` already"):
        store.create_snapshot("../s")
    with pytest.raises(vecstore.NotFoundError, match="has no snapshot named `x`"):
        store.restore_snapshot("x")
    for bad in ("", "a\0", "n" * 1025):
        with pytest.raises(vecstore.InvalidInputError):
            store.create_snapshot(bad)


def test_a_backup_is_restored_as_a_store_of_its_own(tmp_path: Path) -> None:
    with VecStore(tmp_path / "live") as store:
        store.upsert_many([str(n) for n in range(100)], [[1.0, n] for n in range(100)])
        first = store.backup(tmp_path / "backup")
        assert (first.collections, first.copied_files, first.kept_files) == (1, 1, 0)
        assert store.backup(tmp_path / "backup").copied_files == 0
        assert store.backup(tmp_path / "backup", incremental=False).copied_files == 1
        store.delete("3")
        store.backup(tmp_path / "backup")
        store.upsert("late", [1.0, 1.0])
    VecStore.restore_backup(tmp_path / "backup", tmp_path / "restored")
    with VecStore(tmp_path / "restored") as restored:
        assert len(restored) == 99
        assert "late" not in restored
        assert "3" not in restored
    with pytest.raises(vecstore.AlreadyExistsError, match="is there already"):
        VecStore.restore_backup(tmp_path / "backup", tmp_path / "restored")
    with pytest.raises(vecstore.InvalidInputError):
        VecStore.restore_backup(tmp_path / "backup", ":memory:")


def test_a_store_in_memory_is_backed_up_to_disk(store: VecStore, tmp_path: Path) -> None:
    store.backup(tmp_path / "backup")
    VecStore.restore_backup(tmp_path / "backup", tmp_path / "restored")
    with VecStore(tmp_path / "restored") as restored:
        assert ids(restored) == ids(store)
        assert restored.get("apple") == store.get("apple")


def test_a_damaged_backup_is_not_restored(tmp_path: Path) -> None:
    with VecStore(tmp_path / "live") as store:
        store.upsert_many([str(n) for n in range(100)], [[1.0, n] for n in range(100)])
        store.backup(tmp_path / "backup")
    (segment,) = (tmp_path / "backup").rglob("*.seg")
    content = bytearray(segment.read_bytes())
    content[100] ^= 1
    segment.write_bytes(content)
    with pytest.raises(vecstore.CorruptionError):
        VecStore.restore_backup(tmp_path / "backup", tmp_path / "restored")


def test_a_collection_comes_back_from_a_backup(tmp_path: Path) -> None:
    with VecDatabase(tmp_path / "live") as database:
        a = database.create_collection("a", vecstore.CollectionConfig(metric="dot"))
        b = database.create_collection("b")
        a.upsert("x", [1.0])
        b.upsert("y", [1.0])
        assert database.backup(tmp_path / "all").collections == 2
        assert database.backup_collection("a", tmp_path / "one").collections == 1
        a.upsert("late", [1.0])
        assert ids(database.restore_collection("a", tmp_path / "all")) == ids(a) == ["x"]
        database.delete_collection("a")
        back = database.restore_collection("a", tmp_path / "one")
        assert ids(back) == ["x"]
        assert back.config.metric == "dot"
        with pytest.raises(vecstore.NotFoundError):
            database.backup_collection("none", tmp_path / "one")
        with pytest.raises(vecstore.NotFoundError):
            database.restore_collection("none", tmp_path / "all")
    VecDatabase.restore_backup(tmp_path / "all", tmp_path / "restored")
    with VecDatabase(tmp_path / "restored") as restored:
        assert restored.list_collections() == ["a", "b"]


def test_expired_records_and_removed_ones_are_what_is_compacted(store: VecStore) -> None:
    assert not store.maybe_compact().compacted
    store.upsert("brief", [1.0, 0.0, 0.0], ttl_seconds=0)
    assert not store.maybe_compact(CompactionConfig(min_dead_share=0.5)).compacted
    assert not store.maybe_compact(CompactionConfig(min_dead_rows=2)).compacted
    result = store.maybe_compact()
    assert result.compacted
    assert result.duration_ms > 0
    assert store.stats().dead_rows == 0
    assert store.stats().segments == 1
    for bad in (CompactionConfig(min_dead_share=1.5), CompactionConfig(min_dead_rows=0)):
        with pytest.raises(vecstore.InvalidInputError):
            store.maybe_compact(bad)
