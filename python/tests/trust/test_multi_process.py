"""More of several processes on one store; the first cases are in ``test_processes``."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import vecstore
from vecstore import VecStore

from . import plan
from .soak import count

HERE = Path(__file__).parent


def writer(store: Path, first: int = 0, options: str = "{}") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", plan.WRITER, str(store), str(first), options, str(HERE)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def kill(process: subprocess.Popen[str]) -> int:
    """Kill a writer and return how many calls it had acknowledged since the last look."""
    process.kill()
    assert process.stdout is not None
    acknowledged = sum(line.endswith("\n") for line in process.stdout)
    process.wait()
    process.stdout.close()
    return acknowledged


def acknowledge(process: subprocess.Popen[str], calls: int) -> int:
    assert process.stdout is not None
    for _ in range(calls):
        assert process.stdout.readline().strip().isdigit()
    return calls


def in_fork(run: Callable[[], bool]) -> bool:
    """Run something in a fork and return whether it said yes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: the process has threads
        child = os.fork()
    if child == 0:
        said = False
        try:
            said = run()
        finally:
            os._exit(0 if said else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.timeout(7200)
def test_a_killed_holder_leaves_no_lock(path: Path) -> None:
    calls, chosen = 0, random.Random(5)
    kills = count("VECSTORE_PROCESS_KILLS", 8)
    for _ in range(kills):
        process = writer(path, calls)
        with pytest.raises(vecstore.StoreLockedError, match=rf"process {process.pid}\b"):
            VecStore(path)
        acknowledged = acknowledge(process, chosen.randrange(1, 12))
        acknowledged += kill(process)
        with VecStore(path) as store:
            calls = plan.check(store, calls + acknowledged)
    print(f"{kills} holders killed, {calls} calls")


def test_a_reader_answers_rightly_while_the_writer_compacts(path: Path) -> None:
    process = writer(path)
    with VecStore(path, read_only=True) as reader:
        for _ in range(4):
            # Every seventeenth call compacts, and removes files that the reader has open.
            acknowledge(process, 17)
            found = plan.read(reader)
            assert found
            # The writer writes on: each call of the reader is of a moment of its own.
            assert len(reader.query([1.0] * plan.DIM, k=3)) == 3
            assert reader.count() > 0
        kill(process)


def test_a_reader_outlives_its_writer_and_follows_the_next(path: Path) -> None:
    process = writer(path)
    acknowledged = acknowledge(process, 10)
    with VecStore(path, read_only=True) as reader:
        acknowledged += kill(process)
        assert plan.read(reader) in (plan.after(acknowledged), plan.after(acknowledged + 1))
        with VecStore(path) as store:
            calls = plan.check(store, acknowledged)
            plan.perform(store, calls)
            assert plan.read(reader) == plan.after(calls + 1)
        assert plan.read(reader) == plan.after(calls + 1)


def test_of_many_processes_that_open_at_once_one_wins(path: Path) -> None:
    script = (
        "import sys, vecstore\n"
        "try:\n    store = vecstore.VecStore(sys.argv[1])\n"
        "except vecstore.StoreLockedError:\n    print('refused', flush=True)\n"
        "else:\n    print('open', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(path)]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(5)]
    said = []
    for process in processes:
        assert process.stdout is not None
        said.append(process.stdout.readline().strip())
    for process in processes:
        process.communicate()
    assert sorted(said) == ["open", *["refused"] * 4]


def test_waiting_ends_when_its_time_is_up(path: Path) -> None:
    with VecStore(path):
        script = (
            "import sys, vecstore\n"
            "try:\n    vecstore.VecStore(sys.argv[1], wait=0.2)\n"
            "except vecstore.StoreLockedError:\n    print('refused')\n"
        )
        command = [sys.executable, "-c", script, str(path)]
        outcome = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert outcome.stdout == "refused\n"


def test_a_stopped_holder_still_holds(path: Path) -> None:
    process = writer(path)
    acknowledged = acknowledge(process, 3)
    process.send_signal(signal.SIGSTOP)
    with pytest.raises(vecstore.StoreLockedError):
        VecStore(path)
    with VecStore(path, read_only=True) as reader:
        assert len(plan.read(reader)) >= 0
    process.send_signal(signal.SIGCONT)
    acknowledged += kill(process)
    with VecStore(path) as store:
        plan.check(store, acknowledged)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@needs_fork
def test_a_fork_may_read_by_opening_again_and_may_not_write(path: Path) -> None:
    with VecStore(path) as store:
        store.upsert("a", [1.0])

        def child() -> bool:
            with VecStore(path, read_only=True) as reader:
                if reader.get("a") is None:
                    return False
            try:
                VecStore(path)
            except vecstore.StoreLockedError:
                return True
            return False

        assert in_fork(child)
        store.upsert("b", [2.0])
        assert len(store) == 2


@needs_fork
def test_the_end_of_a_fork_neither_closes_nor_unlocks(path: Path) -> None:
    with VecStore(path) as store:
        store.upsert("a", [1.0])

        def child() -> bool:
            try:
                store.upsert("of the child", [1.0])
            except vecstore.ClosedError:
                store.close()
                return True
            return False

        assert in_fork(child)
        with pytest.raises(vecstore.StoreLockedError):
            VecStore(path)
        store.upsert("b", [2.0])
    with VecStore(path) as again:
        assert sorted(record.id for record in again) == ["a", "b"]


@needs_fork
def test_a_fork_that_outlives_its_parent_does_not_keep_the_lock(path: Path) -> None:
    script = (
        "import os, sys, vecstore\n"
        "store = vecstore.VecStore(sys.argv[1])\n"
        "store.upsert('a', [1.0])\n"
        "if os.fork() == 0:\n    os.close(1)\n    sys.stdin.read()\n    os._exit(0)\n"
        "store.close()\n"
        "print('closed', flush=True)\n"
        "os._exit(0)\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", script, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "closed\n"
        with VecStore(path) as store:
            assert store.get("a") is not None
        assert process.stdin is not None
        process.stdin.close()
