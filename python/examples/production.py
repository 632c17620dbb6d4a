"""What a service does beside searching: quotas, many threads, figures to watch, backups, and coming back.

Run it with ``python python/examples/production.py``. Each part ends with a check of what it claims.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pydoc_data.topics import topics

import vecstore
from example_models import load_embedder
from vecstore.rag import RecursiveCharacterTextSplitter

TOPICS = ("assert", "break", "continue", "del", "pass", "return")
THREADS = 4


def fill(database: vecstore.VecDatabase) -> list[list[float]]:
    """Two tenants, one of them with a quota; returns vectors to search with."""
    embedder = load_embedder()
    splitter = RecursiveCharacterTextSplitter(600, 80)
    docs = database.create_collection("docs")
    for name in TOPICS:
        docs.upsert_chunks(name, topics[name], splitter, embedder)
    small = vecstore.CollectionConfig(quotas=vecstore.NamespaceQuotas(max_vectors=3))
    trial = database.create_collection("trial", small)
    embedded = [list(record.vector or ()) for record in docs]
    trial.upsert_many(["a", "b", "c"], embedded[:3])
    try:
        trial.upsert("d", embedded[3])
    except vecstore.QuotaExceededError as error:
        print(f"quotas: {error}")
    assert len(trial) == 3
    return embedded


def work_at_once(docs: vecstore.Collection, vectors: list[list[float]]) -> None:
    """Threads that read and write: writes that wait for the disk together share a sync."""

    def work(thread: int) -> int:
        for n in range(25):
            docs.upsert(f"note-{thread}-{n}", vectors[n % len(vectors)], {"thread": thread})
            assert docs.query(vectors[n % len(vectors)], k=3)
        return docs.count({"thread": thread})

    start = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        written = sum(pool.map(work, range(THREADS)))
    took = time.perf_counter() - start
    print(f"concurrency: {written} durable writes and as many queries of {THREADS} threads in {took:.2f} s")
    assert written == THREADS * 25


def watch(database: vecstore.VecDatabase) -> None:
    """Figures as lines that Prometheus reads."""
    for name in database.list_collections():
        stats = database.stats(name)
        for figure in ("active_count", "total_queries", "storage_bytes", "disk_bytes", "quota_utilization"):
            print(f'vecstore_{figure}{{collection="{name}"}} {stats[figure]:g}')


def back_up_and_restore(database: vecstore.VecDatabase, directory: Path) -> None:
    """A first backup copies everything, the next one what is new; a restore checks every byte."""
    first = database.backup(directory / "backup")
    docs = database.get_collection("docs")
    assert docs is not None
    docs.delete_where("thread = 0")
    second = database.backup(directory / "backup")
    print(f"backup: {first.copied_bytes:,} bytes, then {second.copied_bytes:,}")
    vecstore.VecDatabase.restore_backup(directory / "backup", directory / "restored")
    with vecstore.VecDatabase(directory / "restored") as restored:
        again = restored.get_collection("docs")
        assert again is not None
        assert len(again) == len(docs)
        print(f"restored: {len(again)} records in `docs`")


WRITER = """
import sys, vecstore
with vecstore.VecDatabase(sys.argv[1]) as database:
    docs = database.get_or_create_collection("crash")
    for n in range(10**9):
        docs.upsert(str(n), [1.0, n])
        print(n, flush=True)
"""


def survive_a_kill(path: Path) -> None:
    """Kills a writing process; what it had acknowledged is there, and opening needs no repair."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(200)]
        writer.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    with vecstore.VecDatabase(path) as database:
        crash = database.get_collection("crash")
        assert crash is not None
        assert all(str(n) in crash for n in acknowledged)
        report = crash.verify()
        print(f"recovery: {len(crash)} records after kill -9, {len(report.problems)} problems")
        assert report.ok


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        with vecstore.VecDatabase(directory / "database") as database:
            vectors = fill(database)
            docs = database.get_collection("docs")
            assert docs is not None
            work_at_once(docs, vectors)
            watch(database)
            back_up_and_restore(database, directory)
        survive_a_kill(directory / "database")


if __name__ == "__main__":
    main()
