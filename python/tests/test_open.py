"""Opening, options, closing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import vecstore
from vecstore import VecStore


def test_records_are_there_after_reopening(path: Path) -> None:
    with VecStore(path) as store:
        store.upsert("a", [1.0, 0.5], {"page": 3}, text="first")
    with VecStore.open(path) as store:
        record = store.get("a")
    assert record is not None
    assert record == vecstore.Record("a", [1.0, 0.5], {"page": 3}, text="first")


def test_a_store_dropped_without_close_is_durable_and_unlocked(path: Path) -> None:
    store = VecStore(path, durability="none")
    store.upsert("a", [1.0])
    del store
    with VecStore(path) as store:
        assert "a" in store


@pytest.mark.parametrize("kind", [str, Path, os.fspath])
def test_a_path_is_a_string_or_a_path(path: Path, kind: Any) -> None:
    with VecStore(kind(path)) as store:
        assert store.config.path == str(path)


def test_an_existing_empty_directory_becomes_a_store(tmp_path: Path) -> None:
    with VecStore(tmp_path) as store:
        store.upsert("a", [1.0])
    with VecStore(tmp_path) as store:
        assert len(store) == 1


def test_a_store_in_memory_touches_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with VecStore(":memory:") as store:
        store.upsert("a", [1.0])
        assert store.config.path == ":memory:"
        assert not store.verify().problems
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("cosine", "cosine"),
        ("dot", "dot"),
        ("dotproduct", "dot"),
        ("euclidean", "euclidean"),
        ("l2", "euclidean"),
        ("L2", "euclidean"),
        ("manhattan", "manhattan"),
        ("l1", "manhattan"),
        ("hamming", "hamming"),
        ("jaccard", "jaccard"),
        ("chebyshev", "chebyshev"),
        ("linf", "chebyshev"),
        ("canberra", "canberra"),
        ("braycurtis", "braycurtis"),
        (vecstore.Distance.l2, "euclidean"),
    ],
)
def test_every_metric_and_alias_opens(given: str, name: str) -> None:
    with VecStore(":memory:", metric=given) as store:
        assert store.distance_metric == store.config.metric == name


@pytest.mark.parametrize("durability", ["commit", "interval", "none"])
def test_every_durability_keeps_records_over_close(path: Path, durability: Any) -> None:
    with VecStore(path, durability=durability) as store:
        assert store.config.durability == durability
        store.upsert("a", [1.0])
    with VecStore(path) as store:
        assert "a" in store


def test_config_says_how_the_store_was_opened() -> None:
    with VecStore(":memory:", dim=4, metric="dot", memory_budget=16 << 20, threads=2) as store:
        assert store.config == vecstore.Config(":memory:", 4, "dot", "commit", False, "auto", 16 << 20, 2)
        assert store.dimension() == 4


def test_the_dimension_is_unknown_until_the_first_upsert() -> None:
    with VecStore(":memory:") as store:
        assert store.dimension() is None
        store.upsert("a", [1.0, 2.0, 3.0])
        assert store.dimension() == 3


def test_dim_binds_the_first_upsert() -> None:
    with VecStore(":memory:", dim=3) as store, pytest.raises(vecstore.DimensionMismatchError, match=r"3.*2"):
        store.upsert("a", [1.0, 2.0])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"dim": 0}, vecstore.InvalidInputError, "dim must be between 1 and 65536, got 0"),
        ({"dim": -1}, vecstore.InvalidInputError, "dim must be .* got -1"),
        ({"dim": 65_537}, vecstore.InvalidInputError, "dim must be .* got 65537"),
        ({"dim": 2**70}, vecstore.InvalidInputError, "dim must be .* beyond 64 bits"),
        ({"dim": 2.0}, TypeError, "dim: expected an int, got float"),
        ({"dim": True}, TypeError, "dim: expected an int, got bool"),
        ({"metric": "cosin"}, vecstore.InvalidInputError, "metric.*cosin"),
        ({"metric": 3}, TypeError, "metric: expected a str, got int"),
        ({"durability": "always"}, vecstore.InvalidInputError, "durability must be one of .* got `always`"),
        ({"durability": 1}, TypeError, "durability: expected a str"),
        ({"wait": -1}, vecstore.InvalidInputError, "wait must be"),
        ({"wait": float("nan")}, vecstore.InvalidInputError, "wait must be"),
        ({"wait": "long"}, TypeError, "wait: expected a number, got str"),
        ({"memory_budget": 1}, vecstore.InvalidInputError, "memory_budget must be at least 8388608"),
        ({"memory_budget": -1}, vecstore.InvalidInputError, "memory_budget must be"),
        ({"threads": 0}, vecstore.InvalidInputError, "threads must be between 1 and"),
        ({"read_only": True}, vecstore.InvalidInputError, "cannot be read-only"),
        ({"quantization": "int2"}, vecstore.InvalidInputError, "quantization must be one of .* got `int2`"),
        ({"quantization": 8}, TypeError, "quantization: expected a str, got int"),
    ],
)
def test_a_bad_option_is_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        VecStore(":memory:", **options)


@pytest.mark.parametrize("bad", ["", "with\0nul"])
def test_a_path_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(vecstore.InvalidInputError, match="path"):
        VecStore(bad)


def test_a_path_of_another_type_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        VecStore(3)  # type: ignore[arg-type]


def test_another_metric_than_the_stores_is_refused(path: Path) -> None:
    VecStore(path, metric="dot").close()
    with pytest.raises(vecstore.InvalidInputError, match="dot, got euclidean"):
        VecStore(path, metric="l2")


def test_another_dimension_than_the_stores_is_refused(path: Path) -> None:
    with VecStore(path) as store:
        store.upsert("a", [1.0, 2.0])
    with pytest.raises(vecstore.DimensionMismatchError, match="2, got dim=3"):
        VecStore(path, dim=3)


def test_a_directory_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(vecstore.InvalidInputError, match=r"not a vecstore store.*letter\.txt"):
        VecStore(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["letter.txt"]


def test_a_file_where_the_directory_should_be_is_refused(path: Path) -> None:
    path.write_text("a file")
    with pytest.raises(vecstore.InvalidInputError, match="is a file, expected a directory"):
        VecStore(path)


def test_a_missing_store_cannot_be_opened_for_reading(path: Path) -> None:
    with pytest.raises(vecstore.StorageError) as caught:
        VecStore(path, read_only=True)
    assert caught.value.errno == 2
    assert not path.exists()


def test_a_directory_that_cannot_be_written_is_a_storage_error() -> None:
    if sys.platform != "linux" or not Path("/proc/self").exists():
        pytest.skip("needs a file system that refuses to make directories even to root: Linux's /proc")
    with pytest.raises(vecstore.StorageError) as caught:
        VecStore("/proc/self/store")
    assert caught.value.errno is not None


def test_a_read_only_directory_is_a_storage_error_for_a_user(path: Path) -> None:
    if os.name != "posix" or os.getuid() == 0:
        pytest.skip("permissions do not bind root; the test above covers a refusal that does")
    path.mkdir()
    path.chmod(0o500)
    with pytest.raises(vecstore.StorageError) as caught:
        VecStore(path)
    assert caught.value.errno == 13


def test_a_store_of_a_newer_format_is_unsupported(path: Path) -> None:
    VecStore(path).close()
    for manifest in path.glob("manifest-*"):
        content = bytearray(manifest.read_bytes())
        content[8:10] = b"\x02\x00"  # the major version, see the head of storage/manifest.rs
        manifest.write_bytes(bytes(content))
    before = {manifest: manifest.read_bytes() for manifest in path.glob("manifest-*")}
    for read_only in (False, True):
        with pytest.raises(vecstore.UnsupportedError, match=r"format 2 .* newer vecstore"):
            VecStore(path, read_only=read_only)
    assert {manifest: manifest.read_bytes() for manifest in path.glob("manifest-*")} == before


def test_read_only_reads_and_does_not_write(path: Path) -> None:
    with VecStore(path) as store:
        store.upsert("a", [1.0, 0.0])
    with VecStore(path, read_only=True) as reader:
        assert reader.query([1, 0])[0].id == "a"
        with pytest.raises(vecstore.UnsupportedError, match="read-only"):
            reader.upsert("b", [1.0, 0.0])


def test_a_second_handle_in_the_process_is_refused(path: Path) -> None:
    with VecStore(path), pytest.raises(vecstore.StoreLockedError, match=str(os.getpid())):
        VecStore(path)
    VecStore(path).close()


def test_wait_ends_with_the_same_refusal(path: Path) -> None:
    with VecStore(path), pytest.raises(vecstore.StoreLockedError, match=str(os.getpid())):
        VecStore(path, wait=0.12)


def test_ctrl_c_ends_the_wait_for_a_store(path: Path) -> None:
    if os.name != "posix":
        pytest.skip("sends SIGINT")
    script = (
        "import os, signal, sys, threading, vecstore\n"
        # A process started in the background of a shell inherits that SIGINT is ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "try:\n    vecstore.VecStore(sys.argv[1], wait=float('inf'))\n"
        "except KeyboardInterrupt:\n    print('interrupted')\n"
    )
    with VecStore(path):
        done = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=60, check=False
        )
    assert done.stdout == "interrupted\n", done.stderr


def test_closing_twice_does_nothing(path: Path) -> None:
    store = VecStore(path)
    store.close()
    store.close()


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.upsert("b", [1, 0, 0]),
        lambda store: store.upsert_many(["b"], [[1, 0, 0]]),
        lambda store: store.upsert_many([], []),
        lambda store: store.batch_upsert([]),
        lambda store: store.batch_execute([]),
        lambda store: store.query([1, 0, 0]),
        lambda store: store.query_batch([[1, 0, 0]]),
        lambda store: store.query_batch([]),
        lambda store: store.get("a"),
        lambda store: store.get_many(["a"]),
        lambda store: "a" in store,
        lambda store: len(store),
        lambda store: store.count(),
        lambda store: store.scroll(),
        lambda store: list(store),
        lambda store: store.list_all(),
        lambda store: store.delete("a"),
        lambda store: store.delete_where({}),
        lambda store: store.stats(),
        lambda store: store.verify(),
        lambda store: store.save(),
        lambda store: store.compact(),
        lambda store: store.dimension(),
        lambda store: store.config,
        lambda store: store.__enter__(),
        lambda store: store.is_empty(),
    ],
)
def test_use_after_close_is_a_closed_error(store: VecStore, call: Any) -> None:
    store.close()
    with pytest.raises(vecstore.ClosedError):
        call(store)


def test_with_closes_also_after_an_exception(path: Path) -> None:
    store = VecStore(path)
    with pytest.raises(ZeroDivisionError), store:
        _ = 1 / 0
    with pytest.raises(vecstore.ClosedError):
        len(store)


def test_an_empty_store_is_true() -> None:
    assert VecStore(":memory:")


def test_a_subclass_opens_as_itself() -> None:
    class Shelf(VecStore):
        """A store of another name."""

    with Shelf(":memory:") as shelf:
        assert type(shelf) is Shelf
