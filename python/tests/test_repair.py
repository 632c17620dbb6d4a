"""Damaged stores: what is named, what is saved, and the command for both."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import vecstore


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    path = tmp_path / "my store"
    with vecstore.VecStore(path) as store:
        store.upsert_many([f"id-{n}" for n in range(100)], [[1.0, float(n)] for n in range(100)])
        store.compact()
    return path


def segment(path: Path) -> Path:
    (found,) = path.glob("collections/*/*.seg")
    return found


def damage(file: Path, at: int, new: bytes) -> None:
    content = bytearray(file.read_bytes())
    content[at : at + len(new)] = new
    file.write_bytes(content)


def test_a_sound_store_is_left_as_it_is(store_path: Path) -> None:
    before = {file: file.read_bytes() for file in store_path.rglob("*") if file.is_file()}
    report = vecstore.VecStore.repair(store_path)
    assert report.ok
    assert report.lossless
    assert report.records == 100
    assert {file: file.read_bytes() for file in store_path.rglob("*") if file.is_file()} == before


def test_verify_names_the_block_and_repair_saves_the_rest(store_path: Path) -> None:
    damaged = segment(store_path)
    damage(damaged, 8, b"\xff" * 8)
    with vecstore.VecStore(store_path) as store:
        report = store.verify()
        assert not report.ok
        assert report.problems[0].path == str(damaged)
        assert "block 0 (bytes 0.." in report.problems[0].message
        with pytest.raises(vecstore.CorruptionError, match="block 0"):
            store.get("id-1")
    repaired = vecstore.VecStore.repair(str(store_path))
    assert not repaired.ok
    assert not repaired.lossless
    assert repaired.records == 99
    assert repaired.lost_ids == ["id-1"]
    assert repaired.lost == [vecstore.Loss(str(damaged), "1 records whose bytes are damaged", 1)]
    (kept,) = repaired.set_aside
    assert Path(kept) == store_path / "damaged" / damaged.name
    with vecstore.VecStore(store_path) as store:
        assert len(store) == 99
        assert "id-1" not in store
        assert store.query([1.0, 2.0], k=1)[0].id == "id-2"
        assert store.verify().ok


def test_a_flipped_bit_is_put_back(store_path: Path) -> None:
    damaged = segment(store_path)
    damage(damaged, 11, bytes([damaged.read_bytes()[11] ^ 4]))
    report = vecstore.VecStore.repair(store_path)
    assert report.lossless
    assert report.bits_restored == 1
    with vecstore.VecStore(store_path) as store:
        assert len(store) == 100
        assert store.verify().ok


def test_a_store_without_manifests_needs_its_metric_only_if_nothing_tells(tmp_path: Path) -> None:
    for metric in ("cosine", "dot"):
        path = tmp_path / metric
        with vecstore.VecStore(path, metric=metric) as store:
            store.upsert_many(["a", "b"], [[1.0, 2.0], [3.0, 4.0]])
            store.compact()
        for manifest in path.glob("manifest-*"):
            manifest.unlink()
        with pytest.raises(vecstore.CorruptionError):
            vecstore.VecStore(path)
        if metric == "dot":
            with pytest.raises(vecstore.InvalidInputError, match="metric"):
                vecstore.VecStore.repair(path)
            assert vecstore.VecStore.repair(path, metric="dot").records == 2
        else:
            assert vecstore.VecStore.repair(path).records == 2
        with vecstore.VecStore(path) as store:
            assert store.distance_metric == metric
            assert sorted(record.id for record in store) == ["a", "b"]


def test_a_store_without_manifests_is_told_how_its_texts_were_indexed(tmp_path: Path) -> None:
    for told in (True, False):
        path = tmp_path / str(told)
        with vecstore.VecStore(path, analyzer="english", text_fields=["title"]) as store:
            store.upsert("a", [1.0, 2.0], {"title": "sleeping cats"}, text="running dogs")
            store.compact()
        for manifest in path.glob("manifest-*"):
            manifest.unlink()
        if told:
            vecstore.VecStore.repair(path, analyzer="english", text_fields=["title"])
        else:
            outcome = command("repair", "--analyzer", "english", "--text-field", "title", path)
            assert outcome.returncode == 1, outcome.stderr
            assert "analyzer english" in outcome.stdout
        with vecstore.VecStore(path, analyzer="english", text_fields=["title"]) as store:
            assert len(store.text_query("run")) == len(store.text_query("sleep")) == 1
    with pytest.raises(vecstore.InvalidInputError, match="analyzer"):
        vecstore.VecStore.repair(path, analyzer="klingon")


def test_what_cannot_be_repaired(store_path: Path, tmp_path: Path) -> None:
    with vecstore.VecStore(store_path), pytest.raises(vecstore.StoreLockedError):
        vecstore.VecStore.repair(store_path)
    with pytest.raises(vecstore.NotFoundError):
        vecstore.VecStore.repair(tmp_path / "nothing")
    with pytest.raises(vecstore.InvalidInputError):
        vecstore.VecStore.repair(tmp_path)
    with pytest.raises(vecstore.InvalidInputError):
        vecstore.VecStore.repair(":memory:")
    with pytest.raises(vecstore.InvalidInputError, match="metric"):
        vecstore.VecStore.repair(store_path, metric="cosin")
    assert list(tmp_path.iterdir()) == [store_path]


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    full = [sys.executable, "-m", "vecstore", *map(str, arguments)]
    return subprocess.run(full, capture_output=True, text=True, check=False, timeout=60)


def test_the_command_verifies_repairs_and_inspects(store_path: Path) -> None:
    assert command("verify", store_path).returncode == 0
    shown = command("inspect", "--json", store_path)
    assert json.loads(shown.stdout)["active"] == 100
    damage(segment(store_path), 8, b"\xff" * 8)
    verified = command("verify", store_path)
    assert verified.returncode == 1
    assert "block 0" in verified.stdout
    repaired = command("repair", "--json", store_path)
    assert repaired.returncode == 1
    assert json.loads(repaired.stdout)["lost_ids"] == ["id-1"]
    assert command("verify", store_path).returncode == 0


def test_the_command_says_what_is_wrong_with_its_arguments(tmp_path: Path) -> None:
    for arguments in (
        ["verify"],
        ["verify", "--colour", tmp_path],
        ["destroy", tmp_path],
        ["verify", tmp_path],
    ):
        outcome = command(*arguments)
        assert outcome.returncode == 2
        assert outcome.stderr.startswith("vecstore: ")
    assert command("--help").returncode == 0
