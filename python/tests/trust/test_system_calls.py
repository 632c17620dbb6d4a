"""The wheel itself, with its system calls made to fail or end the process by ``strace``."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vecstore import VecStore

from . import plan
from .soak import count

#: What the engine asks of the system to write.
KINDS = ("fdatasync", "fsync", "pwrite64", "pwritev", "ftruncate", "fallocate")

#: Makes a store and thirty calls on it, and says what was acknowledged.
SCRIPT = """
import os, sys
sys.path.insert(0, sys.argv[2])
import vecstore
import plan
store = None
try:
    store = vecstore.VecStore(sys.argv[1])
    os.write(1, b"open\\n")
    for call in range(30):
        plan.perform(store, call)
        os.write(1, b"%d\\n" % call)
except vecstore.VecStoreError as error:
    os.write(1, b"error %s\\n" % type(error).__name__.encode())
if store is not None:
    os.write(1, b"readable %d\\n" % len(plan.read(store)))
    try:
        store.close()
    except vecstore.VecStoreError as error:
        os.write(1, b"error %s\\n" % type(error).__name__.encode())
os.write(1, b"closed\\n")
"""

HERE = Path(__file__).parent


def traced(store: Path, options: list[str], log: Path) -> list[str]:
    command = ["strace", "-f", "-o", str(log), *options, sys.executable, "-c", SCRIPT, str(store), str(HERE)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return outcome.stdout.split("\n")


@pytest.fixture
def tracer(tmp_path: Path) -> str:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    probe = ["strace", "-o", str(tmp_path / "probe"), "true"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        pytest.skip("this system lets no process be traced")
    return "strace"


@pytest.mark.timeout(7200)
@pytest.mark.usefixtures("tracer")
def test_whatever_system_call_fails_or_kills_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    log = tmp_path / "log"
    chosen = random.Random(count("VECSTORE_STRACE_SEED", 3))
    runs, wanted, failed, killed = 0, count("VECSTORE_STRACE_RUNS", 12), 0, 0
    while runs < wanted:
        store = tmp_path / f"run-{runs}" / "store"
        store.parent.mkdir()
        kind = KINDS[runs % len(KINDS)]
        nth = chosen.randrange(1, 40)
        how = chosen.choice(["error=EIO", "error=ENOSPC", "signal=SIGKILL", "error=EIO+"])
        when = f"{nth}+" if how.endswith("+") else str(nth)
        inject = f"inject={kind}:{how.rstrip('+')}:when={when}"
        lines = traced(store, ["-e", f"trace={kind}", "-e", inject], log)
        acknowledged = sum(line.isdigit() for line in lines)
        failed += any(line.startswith("error") for line in lines)
        killed += "closed" not in lines
        for line in lines:
            if line.startswith("error"):
                assert line == "error StorageError", line
        if "closed" in lines and "open" in lines:
            assert any(line.startswith("readable") for line in lines), lines
        with VecStore(store) as again:
            plan.check(again, acknowledged)
        shutil.rmtree(store.parent)
        runs += 1
    print(f"{runs} runs under strace, {failed} ended by an error, {killed} killed")
    assert failed + killed > runs // 4
