"""A disk that really is full: a small tmpfs, filled to the last byte."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import vecstore
from vecstore import VecStore

from . import plan
from .soak import count


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root and Linux")
    at = tmp_path / "disk"
    at.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(at)]
    outcome = subprocess.run(mount, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {outcome.stderr.strip()}")
    yield at
    # Lazily: a test that failed may hold files of it.
    subprocess.run(["umount", "--lazy", str(at)], check=True)


def fill(ballast: Path) -> None:
    """Fill the disk to the last byte."""
    with ballast.open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            pass


@pytest.mark.timeout(7200)
def test_a_full_disk_is_a_typed_error_and_space_lets_the_store_go_on(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    store = VecStore(small_disk / "store")
    calls, refused, full, errors = 0, 0, 0, set()
    for turn in range(count("VECSTORE_FULL_DISKS", 12)):
        # Leave a different rest each time, down to nothing.
        fill(ballast)
        full += 1
        os.truncate(ballast, max(0, ballast.stat().st_size // 4096 * 4096 - 4096 * (turn % 15)))
        for _ in range(12):
            try:
                plan.perform(store, calls)
            except vecstore.StorageError as error:
                refused += 1
                errors.add(error.errno)
                # No effect: what was there is there, and can be read and searched.
                found = plan.read(store)
                assert found in (plan.after(calls), plan.after(calls + 1))
                calls += found != plan.after(calls)
                assert store.is_empty() or store.query([1.0] * plan.DIM, k=3)
            else:
                calls += 1
        reopened = turn % 3 == 0
        if reopened:
            try:
                store.close()
            except vecstore.StorageError as error:
                # All is in the log; what could not be written is the note that it is.
                errors.add(error.errno)
            with VecStore(small_disk / "store", read_only=True) as reader:
                assert plan.read(reader) == plan.after(calls)
        ballast.unlink()
        if reopened:
            store = VecStore(small_disk / "store")
            assert plan.read(store) == plan.after(calls)
        # Seals that failed have left logs behind; with space again, they go.
        store.compact()
        plan.perform(store, calls)
        calls += 1
    store.close()
    with VecStore(small_disk / "store") as again:
        plan.check(again, calls)
    print(f"{full} times full, {refused} calls refused, {calls} calls done")
    assert refused > 5
    assert errors == {28}


def test_a_store_cannot_be_made_on_a_full_disk(small_disk: Path) -> None:
    fill(small_disk / "ballast")
    with pytest.raises(vecstore.StorageError) as raised:
        VecStore(small_disk / "store")
    assert raised.value.errno == 28
    (small_disk / "ballast").unlink()
    with VecStore(small_disk / "store") as store:
        store.upsert("a", [1.0])
