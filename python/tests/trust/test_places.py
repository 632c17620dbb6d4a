"""Stores in hostile places: links, files of others, a lock file that is removed, a system that refuses."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import vecstore
from vecstore import VecStore

from . import plan

posix = pytest.mark.skipif(os.name != "posix", reason="needs links and limits of a POSIX system")


def contents(directory: Path) -> dict[str, bytes]:
    """Return all files below a directory."""
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def collection_of(store: Path) -> Path:
    (collection,) = (store / "collections").iterdir()
    return collection


def made(path: Path, calls: int = 20) -> Path:
    with VecStore(path) as store:
        for call in range(calls):
            plan.perform(store, call)
    return path


#: What may be a link, and to what its link leads: a file or a directory of somebody else, or another store's.
PARTS = ["LOCK", "tmp", "collections", "collection", "log"]


@posix
@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_written_or_removed_through_a_link_in_a_store(
    part: str, path: Path, tmp_path: Path
) -> None:
    made(path)
    other = made(tmp_path / "other")
    (other / "tmp" / "manifest-0000000007").write_bytes(b"not ours")
    (collection_of(other) / "notes.txt").write_text("keep this")
    at = {
        "LOCK": path / "LOCK",
        "tmp": path / "tmp",
        "collections": path / "collections",
        "collection": collection_of(path),
        "log": max(collection_of(path).glob("wal-*.log")),
    }[part]
    to = {
        "LOCK": collection_of(other) / "notes.txt",
        "tmp": other / "tmp",
        "collections": other / "collections",
        "collection": collection_of(other),
        "log": other / "zeros",
    }[part]
    if part == "log":
        to.write_bytes(bytes(1 << 16))
    shutil.rmtree(at) if at.is_dir() else at.unlink()
    at.symlink_to(to)
    before = contents(other)
    for act in (lambda: VecStore(path), lambda: VecStore.repair(path)):
        # Any other error fails the test.
        with contextlib.suppress(vecstore.StorageError, vecstore.InvalidInputError, vecstore.CorruptionError):
            outcome = act()
            if isinstance(outcome, VecStore):
                outcome.upsert("new", [1.0] * plan.DIM)
                outcome.compact()
                outcome.close()
        assert contents(other) == before


@posix
def test_a_backup_goes_through_no_link_either(path: Path, tmp_path: Path) -> None:
    made(path)
    other, backup = made(tmp_path / "other"), tmp_path / "backup"
    with VecStore(path) as store:
        store.backup(backup)
        at = collection_of(backup)
        shutil.rmtree(at)
        at.symlink_to(collection_of(other))
        before = contents(other)
        with pytest.raises(vecstore.InvalidInputError, match="symbolic link"):
            store.backup(backup)
        assert contents(other) == before


@posix
def test_a_store_may_itself_be_behind_a_link(path: Path, tmp_path: Path) -> None:
    made(tmp_path / "real", 3)
    path.symlink_to(tmp_path / "real")
    with VecStore(path) as store:
        plan.check(store, 3)
        with pytest.raises(vecstore.StoreLockedError):
            VecStore(tmp_path / "real")


def test_files_of_others_in_a_store_are_left_alone(path: Path, tmp_path: Path) -> None:
    made(path)
    kept = [
        path / "notes.txt",
        collection_of(path) / "notes.txt",
        path / "tmp" / "draft",
        path / "collections" / "mine",
    ]
    for file in kept:
        file.write_text("keep this")
    with VecStore(path) as store:
        store.upsert("new", [1.0] * plan.DIM)
        store.compact()
        store.backup(tmp_path / "backup")
        (collection_of(tmp_path / "backup") / "notes.txt").write_text("keep this")
        store.delete("new")
        store.backup(tmp_path / "backup")
    assert VecStore.repair(path).lost == []
    assert all(file.read_text() == "keep this" for file in kept)
    assert (collection_of(tmp_path / "backup") / "notes.txt").read_text() == "keep this"


@posix
def test_a_lock_file_that_is_somebody_elses_as_well_keeps_what_it_says(path: Path, tmp_path: Path) -> None:
    made(path, 3)
    precious = tmp_path / "precious"
    precious.write_text("keep this")
    (path / "LOCK").unlink()
    os.link(precious, path / "LOCK")
    with VecStore(path) as store:
        plan.check(store, 3)
    assert precious.read_text() == "keep this"


@posix
def test_without_its_lock_file_a_store_still_has_one_writer(path: Path) -> None:
    with VecStore(path) as store:
        store.upsert("a", [1.0])
        for _ in range(2):
            (path / "LOCK").unlink()
            with pytest.raises(vecstore.StoreLockedError):
                VecStore(path)
            with pytest.raises(vecstore.StoreLockedError):
                VecStore.repair(path)
        store.upsert("b", [2.0])
        store.compact()
    with VecStore(path) as again:
        assert len(again) == 2


@posix
@pytest.mark.timeout(60)
@pytest.mark.parametrize("part", ["LOCK", "manifest", "log", "segment"])
def test_a_pipe_in_a_store_is_refused_and_not_waited_for(part: str, path: Path) -> None:
    made(path)
    at = {
        "LOCK": path / "LOCK",
        "manifest": path / "manifest-0000009999",
        "log": max(collection_of(path).glob("wal-*.log")),
        "segment": next(collection_of(path).glob("*.seg")),
    }[part]
    at.unlink(missing_ok=True)
    os.mkfifo(at)
    for read_only in (False, True):
        with contextlib.suppress(vecstore.VecStoreError):
            VecStore(path, read_only=read_only).close()
    with pytest.raises(vecstore.VecStoreError):
        VecStore.repair(path)


@posix
@pytest.mark.timeout(60)
def test_a_pipe_is_no_file_to_export_to_or_import_from(path: Path, tmp_path: Path) -> None:
    made(path, 3)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with VecStore(path) as store:
        for act in (store.export_jsonl, store.import_jsonl, store.export_parquet, store.import_parquet):
            with pytest.raises(vecstore.InvalidInputError, match="path of a file"):
                act(pipe)
        # Of a link, what it leads to is left as it is.
        precious = tmp_path / "precious"
        precious.write_text("keep this")
        (tmp_path / f".out.jsonl.{os.getpid()}.partial").symlink_to(precious)
        store.export_jsonl(tmp_path / "out.jsonl")
        assert precious.read_text() == "keep this"
    assert pipe.is_fifo()


#: Opens a store, limits what the process may have, and makes calls; says what became of each.
LIMITED = """
import json, os, resource, sys
sys.path.insert(0, sys.argv[2])
import numpy as np
import vecstore, plan
kind, store = sys.argv[3], vecstore.VecStore(sys.argv[1])
big = np.ones((20_000, 1_024), dtype=np.float32)
wide = vecstore.VecStore(sys.argv[1] + "-wide")
store.query([1.0] * plan.DIM)  # Python imports what a query returns at the first.
said = {}
def say(name, call):
    try:
        said[name] = repr(call())[:60]
    except (vecstore.VecStoreError, MemoryError) as error:
        said[name] = type(error).__name__
if kind == "memory":
    taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + (24 << 20),) * 2)
    ids = [str(n) for n in range(20_000)]
    say("upsert_many", lambda: wide.upsert_many(ids, big))
    say("text", lambda: wide.upsert("text", big[0], text="word " * 3_000_000))
    say("metadata", lambda: wide.upsert("metadata", big[0], {"m": "x" * 900_000}))
elif kind == "file size":
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000,) * 2)
    say("upsert_many", lambda: wide.upsert_many([str(n) for n in range(100)], big[:100]))
else:
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free,) * 2)
    say("open", lambda: vecstore.VecStore(sys.argv[1] + "-other"))
    say("compact", store.compact)
say("len", lambda: len(store))
say("query", lambda: len(store.query([1.0] * plan.DIM, k=3)))
say("upsert", lambda: store.upsert("small", [1.0] * plan.DIM, {"call": -1}))
say("wide", lambda: len(wide))
say("close", store.close)
say("close wide", wide.close)
print(json.dumps(said))
"""


@posix
@pytest.mark.skipif(sys.platform != "linux", reason="reads how much memory is taken from /proc")
@pytest.mark.parametrize("kind", ["memory", "file size", "files"])
def test_what_the_system_refuses_is_a_typed_error_and_the_store_goes_on(kind: str, path: Path) -> None:
    made(path)
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", LIMITED, str(path), here, kind]
    # One arena: of glibc, a thread that first allocates maps 64 MiB more, whenever that is.
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    outcome = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env=environment
    )
    assert outcome.returncode == 0, outcome.stderr[-2000:]
    said = json.loads(outcome.stdout)
    refused = {"memory": "upsert_many", "file size": "upsert_many", "files": "open"}[kind]
    assert said[refused] in ("StorageError", "MemoryError"), said
    assert said["query"] == "3"
    assert said["wide"].isdigit()
    if kind == "memory":
        assert said["text"] in ("StorageError", "MemoryError"), said
        assert said["upsert"] == "None", said
    for store in (path, Path(f"{path}-wide")):
        with VecStore(store) as again:
            assert again.verify().ok
    with VecStore(path) as again:
        assert str(len(again) - ("small" in again)) == said["len"]
