"""``vecstore export`` and ``import`` as the Python package installs them, and what a killed import leaves."""

from __future__ import annotations

import json
import pathlib
import signal
import subprocess
import sys

import pytest

import vecstore
from tests.exchange.records import unpacked


def command(*arguments: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
    full = [sys.executable, "-m", "vecstore", *map(str, arguments)]
    return subprocess.run(full, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def store_path(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "store"
    with vecstore.VecStore(path, metric="dot") as store:
        store.upsert_many([f"id-{n}" for n in range(50)], [[1.0, n] for n in range(50)])
    return path


@pytest.mark.parametrize("name", ["out.jsonl", "out.npz", "out.parquet"])
def test_records_go_through_each_format(name: str, store_path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    file, copy = tmp_path / name, tmp_path / "copy"
    exported = command("export", store_path, file)
    assert exported.returncode == 0, exported.stderr
    assert exported.stdout.startswith("exported 50 records")
    imported = command("import", file, copy, "--metric", "dot", "--json")
    assert imported.returncode == 0, imported.stderr
    assert json.loads(imported.stdout)["records"] == 50
    with (
        vecstore.VecStore(copy, read_only=True) as there,
        vecstore.VecStore(store_path, read_only=True) as here,
    ):
        assert list(there) == list(here)
        assert there.distance_metric == "dot"
    assert not (tmp_path / "copy.importing").exists()


def test_a_directory_of_chroma(tmp_path: pathlib.Path) -> None:
    place = unpacked("chroma-index", tmp_path)
    options = ("--source-collection", "docs", "--collection", "mine")
    imported = command("import", "--from", "chroma", place, tmp_path / "store", *options)
    assert imported.returncode == 0, imported.stderr
    assert imported.stdout.startswith("imported 40 records")
    shown = json.loads(command("inspect", "--json", tmp_path / "store").stdout)
    (mine,) = shown["collections"]
    assert (mine["name"], mine["active"], mine["metric"]) == ("mine", 40, "cosine")


def test_what_cannot_be_done_says_why(store_path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for arguments, why in (
        (("import", "--from", "mongo", "x", tmp_path / "new"), "expected one of chroma"),
        (("import", "--from", "chroma", tmp_path / "nothing", tmp_path / "new"), "cannot read"),
        (
            ("import", "--from", "hnswlib", "--table", "x", tmp_path / "nothing", tmp_path / "new"),
            "only for lancedb",
        ),
        (("import", tmp_path / "nothing.npz", tmp_path / "new"), "is not a file"),
        (("export", store_path, tmp_path / "no" / "such.npz"), "cannot write"),
    ):
        failed = command(*arguments)
        assert failed.returncode == 2
        assert failed.stdout == ""
        assert why in failed.stderr
        assert "Traceback" not in failed.stderr
    assert not (tmp_path / "new").exists()
    assert "--from" in command("import", "--help").stdout


def test_a_reader_that_has_seen_enough_is_no_error(store_path: pathlib.Path) -> None:
    full = [sys.executable, "-m", "vecstore", "export", str(store_path), "-"]
    with subprocess.Popen(full, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (0, b"")


SLOW = """
import sys, vecstore
from vecstore._exchange import rows
store = vecstore.VecStore(sys.argv[1])
store.import_jsonl(sys.argv[2], batch_size=10, checkpoint=sys.argv[3],
    progress=lambda done, total: (print(len(store), flush=True), sys.stdin.readline()))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no such signal")
def test_a_killed_import_goes_on_without_doubling(tmp_path: pathlib.Path) -> None:
    file, note = tmp_path / "in.jsonl", tmp_path / "note"
    file.write_text("".join(f'{{"id": "{n:03}", "vector": [1, {n}]}}\n' for n in range(100)))
    reached = 0
    for kills in (2, 3, 1):
        arguments = [sys.executable, "-c", SLOW, str(tmp_path / "store"), str(file), str(note)]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for _ in range(kills):
                reached = int(process.stdout.readline())
                process.stdin.write("\n")
                process.stdin.flush()
            process.kill()
    with vecstore.VecStore(tmp_path / "store") as store:
        # The kill may have come a batch later than the last line that was read.
        assert reached <= len(store) <= reached + 20
        result = store.import_jsonl(file, batch_size=10, checkpoint=note)
        assert result.resumed_at >= reached
        assert result.records == 100
        assert [record.id for record in store] == [f"{n:03}" for n in range(100)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "store"]
