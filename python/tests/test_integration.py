"""Everything together: tenants, threads, an event loop, a second process, a crash, a backup."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import vecstore
from vecstore import AsyncVecDatabase, CollectionConfig, NamespaceQuotas, VecDatabase
from vecstore.rag import HashingEmbedder, SentenceTextSplitter

READER = """
import sys, vecstore
with vecstore.VecDatabase(sys.argv[1], read_only=True) as database:
    for name in database:
        collection = database.get_collection(name)
        print(name, len(collection), collection.query([1.0] * collection.dimension(), k=1)[0].id)
"""
CRASH = """
import os, sys, vecstore
database = vecstore.VecDatabase(sys.argv[1])
collection = database.get_collection("tenant 1")
collection.upsert_many([f"late-{n}" for n in range(100)], [[1.0] * 8] * 100)
os._exit(1)
"""


def test_a_service_with_tenants_survives_its_day(tmp_path: Path) -> None:
    path = tmp_path / "database"
    rng = np.random.default_rng(1)

    with VecDatabase(path) as database:
        for tenant in range(4):
            quotas = NamespaceQuotas(max_vectors=120)
            database.create_collection(f"tenant {tenant}", CollectionConfig(dim=8, quotas=quotas))

        def work(tenant: int) -> None:
            collection = database.get_collection(f"tenant {tenant}")
            assert collection is not None
            for n in range(20):
                collection.upsert(f"{n:02}", rng.standard_normal(8), {"n": n})
                assert len(collection.query(np.ones(8), k=3, filter={"n": {"$lte": n}})) == min(3, n + 1)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        assert database.aggregate_stats().total_vectors == 80
        # Another process reads beside the writer.
        done = subprocess.run(
            [sys.executable, "-c", READER, str(path)], capture_output=True, text=True, timeout=60, check=True
        )
        assert [line.rsplit(" ", 1)[0] for line in done.stdout.splitlines()] == [
            f"tenant {tenant} 20" for tenant in range(4)
        ]

    # A process that ends in the middle of its work has written what it was told it had.
    crashed = subprocess.run([sys.executable, "-c", CRASH, str(path)], timeout=60, check=False)
    assert crashed.returncode == 1

    async def evening() -> None:
        async with AsyncVecDatabase(path) as database:
            first = await database.get_collection("tenant 1")
            assert first is not None
            assert await first.len() == 120
            with pytest.raises(vecstore.QuotaExceededError):
                await first.upsert("one too many", [1.0] * 8)
            texts = await database.create_collection("texts")
            embedder = HashingEmbedder(64)
            splitter = SentenceTextSplitter(40)
            await asyncio.gather(
                *(
                    texts.upsert_chunks(f"doc {n}", "Logs are synced. Snakes eat mice.", splitter, embedder)
                    for n in range(5)
                )
            )
            found = await texts.query_text("what do snakes eat", embedder, k=5)
            assert all("Snakes" in (neighbor.text or "") for neighbor in found)
            await database.backup(tmp_path / "backup")

    asyncio.run(evening())
    VecDatabase.restore_backup(tmp_path / "backup", tmp_path / "restored")
    with VecDatabase(tmp_path / "restored") as restored:
        assert restored.list_collections() == [*(f"tenant {tenant}" for tenant in range(4)), "texts"]
        for name in restored:
            collection = restored.get_collection(name)
            assert collection is not None
            assert collection.verify().ok
