"""Several processes on one store: locks, readers beside the writer, kill -9, fork."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import vecstore
from vecstore import VecStore

WRITER = """
import sys, vecstore
store = vecstore.VecStore(sys.argv[1])
start = len(store)
print("open", flush=True)
for number in range(start, 10**9):
    if number % 3:
        store.upsert(f"{number:08}", [1.0, number], {"number": number})
        print(number, flush=True)
    else:
        ids = [f"{number:08}-{part}" for part in range(20)]
        store.upsert_many(ids, [[1.0, number]] * 20, [{"number": number}] * 20)
        print(number, flush=True)
"""


def start(script: str, *arguments: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_every_acknowledged_call_survives_kill_9(path: Path) -> None:
    acknowledged: set[int] = set()
    for wanted in (1, 30, 60, 7, 100):
        with start(WRITER, path) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "open\n"
            for _ in range(wanted):
                acknowledged.add(int(writer.stdout.readline()))
            writer.kill()
            acknowledged.update(int(line) for line in writer.stdout if line.endswith("\n"))
        with VecStore(path) as store:
            assert store.verify().ok
            present: dict[int, int] = {}
            for record in store:
                number = record.metadata["number"]
                present[number] = present.get(number, 0) + 1
                assert record.vector == [1.0, number]
            assert acknowledged <= present.keys()
            assert all(count == (1 if number % 3 else 20) for number, count in present.items())


def test_a_second_process_is_refused_with_the_pid_of_the_first(path: Path) -> None:
    with start(WRITER, path) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(vecstore.StoreLockedError, match=rf"process {writer.pid}\b"):
            VecStore(path)
        writer.kill()
    VecStore(path).close()


def test_waiting_gets_the_store_when_the_other_process_ends(path: Path) -> None:
    script = (
        "import sys, vecstore\nstore = vecstore.VecStore(sys.argv[1])\nprint('open', flush=True)\ninput()\n"
    )
    with start(script, path) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        holder.stdout.readline()
        holder.stdin.write("\n")
        holder.stdin.flush()
        with VecStore(path, wait=60) as store:
            assert store.is_empty()


def test_a_reader_sees_what_the_writer_has_acknowledged(path: Path) -> None:
    with start(WRITER, path) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with VecStore(path, read_only=True) as reader:
            seen = 0
            for line in writer.stdout:
                number = int(line)
                last = f"{number:08}" if number % 3 else f"{number:08}-19"
                record = reader.get(last)
                assert record is not None
                assert record.metadata == {"number": number}
                assert len(reader) >= seen
                seen = len(reader)
                assert reader.query([1.0, number], k=1)
                if number >= 100:
                    break
        writer.kill()


def test_a_fork_cannot_use_its_parents_store(path: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    with VecStore(path) as store:
        store.upsert("a", [1.0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: the process has threads
            child = os.fork()
        if child == 0:
            status = 1
            try:
                store.upsert("b", [1.0])
            except vecstore.ClosedError:
                try:
                    store.close()
                    with VecStore(path, read_only=True) as reader:
                        status = 0 if reader.query([1.0])[0].id == "a" else 2
                except vecstore.VecStoreError:
                    status = 3
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        store.upsert("c", [1.0])
        assert "b" not in store


def test_ctrl_c_ends_a_long_conversion() -> None:
    if os.name != "posix":
        pytest.skip("sends SIGINT")
    script = (
        "import os, signal, vecstore\n"
        # A process started in the background of a shell inherits that SIGINT is ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "store = vecstore.VecStore(':memory:')\n"
        "def rows():\n"
        "    for n in range(5000):\n"
        "        if n == 100: os.kill(os.getpid(), signal.SIGINT)\n"
        "        yield (str(n), [1.0, n])\n"
        "try:\n    store.batch_upsert(rows())\n"
        "except KeyboardInterrupt:\n    print('interrupted', len(store))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "interrupted 0\n", done.stderr


def test_a_full_disk_is_a_storage_error_that_loses_nothing(path: Path) -> None:
    if os.name != "posix":
        pytest.skip("limits the size of files with setrlimit")
    script = (
        "import resource, sys, vecstore\n"
        "store = vecstore.VecStore(sys.argv[1])\n"
        "store.upsert('first', [1.0] * 1000)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6 << 20, resource.RLIM_INFINITY))\n"
        "done = 0\n"
        "try:\n"
        "    for batch in range(100):\n"
        "        ids = [f'{batch:02}-{n:03}' for n in range(100)]\n"
        "        store.upsert_many(ids, [[1.0, *[float(n)] * 999] for n in range(100)])\n"
        "        done += 1\n"
        "except vecstore.StorageError as error:\n"
        "    assert error.errno, error\n"
        "assert len(store.query([1.0] * 1000, k=5)) == 5 if done else 1\n"
        "assert len(store) == 1 + 100 * done, (len(store), done)\n"
        "print(done)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    batches = int(done.stdout)
    assert batches < 100
    with VecStore(path) as store:
        assert len(store) == 1 + 100 * batches
        assert store.verify().ok
