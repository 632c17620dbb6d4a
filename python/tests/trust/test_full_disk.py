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
    subprocess.run(["umount", str(at)], check=True)


def test_a_full_disk_is_a_typed_error_and_space_lets_the_store_go_on(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    store = VecStore(small_disk / "store")
    calls, refused, full, errors = 0, 0, 0, set()
    for turn in range(count("VECSTORE_FULL_DISKS", 30)):
        # Leave a different rest each time, down to nothing.
        with ballast.open("wb") as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
                    filler.flush()
            except OSError:
                full += 1
            filler.truncate(max(0, filler.tell() // 4096 * 4096 - 4096 * (turn % 15)))
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
        if turn % 3 == 0:
            store.close()
            store = VecStore(small_disk / "store")
            assert plan.read(store) == plan.after(calls)
        ballast.unlink()
        plan.perform(store, calls)
        calls += 1
    store.close()
    with VecStore(small_disk / "store") as again:
        plan.check(again, calls)
    print(f"{full} times full, {refused} calls refused, {calls} calls done")
    assert refused > 10
    assert errors == {28}


def test_a_store_cannot_be_made_on_a_full_disk(small_disk: Path) -> None:
    with (small_disk / "ballast").open("wb") as filler:
        try:
            while True:
                filler.write(b"x" * 512)
                filler.flush()
        except OSError:
            pass
    with pytest.raises(vecstore.StorageError) as raised:
        VecStore(small_disk / "store")
    assert raised.value.errno == 28
    (small_disk / "ballast").unlink()
    with VecStore(small_disk / "store") as store:
        store.upsert("a", [1.0])
