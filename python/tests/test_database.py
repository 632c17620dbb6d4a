"""Databases: what collections are in them, what they may grow to, and what closing does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import vecstore
from vecstore import CollectionConfig, NamespaceQuotas, NamespaceStatus, VecDatabase, VecStore


def test_collections_are_listed_after_reopening(path: Path) -> None:
    with VecDatabase(path) as database:
        for name in ("b", "a", "c"):
            database.create_collection(name).upsert(f"in {name}", [1.0])
        database.rename_collection("c", "d")
        assert database.delete_collection("b")
        assert not database.delete_collection("b")
    with VecDatabase.open(path) as database:
        assert database.list_collections() == database.collection_names() == list(database) == ["a", "d"]
        assert len(database) == 2
        assert "a" in database
        assert "b" not in database
        found = database.get_collection("d")
        assert found is not None
        assert [record.id for record in found] == ["in c"]
        assert database.get_collection("b") is None
        with pytest.raises(vecstore.AlreadyExistsError, match="there is a collection named `a` already"):
            database.create_collection("a")
        with pytest.raises(vecstore.NotFoundError, match="no collection is named `x`"):
            database.rename_collection("x", "y")
        assert (
            database.get_or_create_collection("a", CollectionConfig(metric="dot")).distance_metric == "cosine"
        )
        assert database.get_or_create_collection("x", CollectionConfig(metric="dot")).distance_metric == "dot"


def test_a_store_is_a_database_with_the_collection_default(path: Path) -> None:
    with VecStore(path, metric="dot") as store:
        store.upsert("a", [1.0, 2.0])
    with VecDatabase(path) as database:
        assert database.list_collections() == ["default"]
        default = database.get_collection("default")
        assert default is not None
        assert default.config == CollectionConfig(2, "dot", "auto", NamespaceQuotas())
        default.upsert("b", [2.0, 1.0])
    with VecStore(path) as store:
        assert len(store) == 2


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "..", "a/b", "CON", "n" * 300, "\U0001f600", " ", "*", "C:\\x", "\u00e9"]
)
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    root = tmp_path / "database"
    with VecDatabase(root) as database:
        database.create_collection(name).upsert("a", [1.0])
    with VecDatabase(root) as database:
        assert database.list_collections() == [name]
    assert [entry.name for entry in tmp_path.iterdir()] == ["database"]


@pytest.mark.parametrize("name", ["", "n" * 1025, "a\0", "a\n", "\x7f", "\udc80"])
def test_a_bad_name_is_refused(name: str) -> None:
    with VecDatabase(":memory:") as database:
        with pytest.raises(vecstore.InvalidInputError):
            database.create_collection(name)
        with pytest.raises(TypeError, match="name: expected a str, got int"):
            database.create_collection(3)  # type: ignore[arg-type]
        assert len(database) == 0
        assert bool(database)


def test_quotas_are_looked_at_for_new_records_only() -> None:
    with VecDatabase(":memory:") as database:
        docs = database.create_collection("docs", CollectionConfig(quotas=NamespaceQuotas(max_vectors=2)))
        docs.upsert_many(["a", "b"], [[1.0, 0.0], [0.0, 1.0]])
        with pytest.raises(vecstore.QuotaExceededError, match="max_vectors: the limit is 2, got 1 new"):
            docs.upsert("c", [1.0, 1.0])
        docs.upsert("a", [1.0, 1.0])
        docs.update_metadata("a", {"n": 1})
        assert len(docs.query([1.0, 1.0])) == 2
        assert docs.stats().quota_utilization == 1.0
        database.update_quotas("docs", NamespaceQuotas())
        docs.upsert("c", [1.0, 1.0])
        assert docs.config.quotas == NamespaceQuotas.unlimited()
        with pytest.raises(TypeError, match="quotas: expected a NamespaceQuotas"):
            database.update_quotas("docs", {})  # type: ignore[arg-type]
        with pytest.raises(vecstore.NotFoundError):
            database.update_quotas("x", NamespaceQuotas())
    assert issubclass(vecstore.QuotaExceededError, vecstore.InvalidInputError)
    free, pro = NamespaceQuotas.free_tier(), NamespaceQuotas.pro_tier()
    assert free == NamespaceQuotas(10_000, 100 << 20, 1536, 1000)
    assert pro == NamespaceQuotas(1_000_000, 10 << 30, 4096, 10_000)


def test_status_says_what_is_served(path: Path) -> None:
    with VecDatabase(path) as database:
        database.create_collection("docs").upsert("a", [1.0])
        database.update_status("docs", NamespaceStatus.ReadOnly)
    with VecDatabase(path) as database:
        docs = database.get_or_create_collection("docs")
        assert docs.stats().status is NamespaceStatus.ReadOnly
        assert len(docs) == 1
        with pytest.raises(vecstore.UnsupportedError, match="`docs` has the status ReadOnly"):
            docs.delete("a")
        for status in ("Suspended", NamespaceStatus.PendingDeletion):
            database.update_status("docs", status)
            with pytest.raises(vecstore.UnsupportedError, match="serves no calls"):
                docs.query([1.0])
            assert database.stats("docs").vector_count == 1
        with pytest.raises(vecstore.InvalidInputError, match="status must be one of Active"):
            database.update_status("docs", "Asleep")
        database.update_status("docs", NamespaceStatus.Active)
        assert docs.delete("a")


def test_sums_over_collections() -> None:
    with VecDatabase(":memory:") as database:
        for n in range(4):
            made = database.create_collection(str(n))
            made.upsert_many([str(m) for m in range(n)], [[1.0, 2.0]] * n)
        database.update_status("0", "Suspended")
        sums = database.aggregate_stats()
        assert (sums.total_namespaces, sums.active_namespaces, sums.total_vectors) == (4, 3, 6)
        assert sums["total_upserts"] == sums.total_upserts == 6
        assert set(dict(sums)) >= {"total_requests", "total_queries", "storage_bytes"}


def test_closing_closes_collections_too(path: Path) -> None:
    with VecDatabase(path) as database:
        docs = database.create_collection("docs")
        assert repr(database) == f"VecDatabase({str(path)!r}, collections=1)"
    assert repr(database) == f"VecDatabase({str(path)!r}, closed)"
    for call in (docs.len, database.list_collections, lambda: database.create_collection("x")):
        with pytest.raises(vecstore.ClosedError):
            call()
    with pytest.raises(vecstore.ClosedError), database:
        pass
    database.close()


def test_a_collection_keeps_its_database_open_until_it_is_gone(path: Path) -> None:
    docs = VecDatabase(path).create_collection("docs")
    docs.upsert("a", [1.0])
    with pytest.raises(vecstore.StoreLockedError):
        VecDatabase(path)
    del docs
    with VecDatabase(path) as database:
        assert database.stats("docs").vector_count == 1


def test_a_reader_beside_the_writer(path: Path) -> None:
    with VecDatabase(path) as database, VecDatabase(path, read_only=True) as reader:
        database.create_collection("docs").upsert("a", [1.0])
        docs = reader.get_collection("docs")
        assert docs is not None
        assert len(docs) == 1
        with pytest.raises(vecstore.UnsupportedError):
            docs.upsert("b", [1.0])
        with pytest.raises(vecstore.UnsupportedError):
            reader.create_collection("more")
        assert repr(reader).endswith("collections=1, read_only=True)")


def test_acknowledged_collections_and_records_survive_a_kill(path: Path) -> None:
    script = (
        "import os, sys, vecstore\n"
        "database = vecstore.VecDatabase(sys.argv[1])\n"
        "for n in range(20):\n"
        "    made = database.create_collection(str(n))\n"
        "    made.upsert('a', [1.0, n])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], timeout=60, check=False)
    with VecDatabase(path) as database:
        assert len(database) == 20
        assert database.aggregate_stats().total_vectors == 20


def test_options_are_checked(path: Path) -> None:
    bad: list[dict[str, Any]] = [{"durability": "maybe"}, {"threads": 0}, {"memory_budget": 1}, {"wait": -1}]
    for options in bad:
        with pytest.raises(vecstore.InvalidInputError):
            VecDatabase(path, **options)
    with pytest.raises(TypeError):
        VecDatabase(path, dim=3)  # type: ignore[call-arg]
    with pytest.raises(vecstore.StorageError):
        VecDatabase(path, read_only=True)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads as Linux shows them")
def test_many_collections_share_threads(path: Path) -> None:
    with VecDatabase(path, durability="none") as database:
        threads = Path("/proc/self/task")
        before = len(list(threads.iterdir()))
        for n in range(200):
            database.create_collection(str(n)).upsert("a", [1.0])
        assert len(list(threads.iterdir())) == before
        assert database.aggregate_stats().total_vectors == 200
