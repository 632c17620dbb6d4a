"""No call keeps memory that it should give back."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vecstore
from vecstore import VecStore

STATM = Path("/proc/self/statm")
METADATA = {"title": "a title of some length", "n": 3, "list": [1, 2, {"x": None}], "bytes": b"x" * 500}


def resident_pages() -> int:
    gc.collect()
    return int(STATM.read_text().split()[1])


def failing(call: Callable[[], object]) -> None:
    with pytest.raises(vecstore.VecStoreError):
        call()


@pytest.mark.parametrize("name", ["query", "batch", "upsert", "get", "iterate", "filter", "fail", "open"])
def test_memory_stays_bounded(name: str) -> None:
    if not STATM.exists():
        pytest.skip("reads the resident size from Linux's /proc")
    store = VecStore(":memory:")
    ids = [str(n) for n in range(50)]
    vectors = np.eye(50, 64, dtype=np.float32) + 1
    store.upsert_many(ids, vectors, [METADATA] * 50, texts=["text" * 50] * 50)
    calls: dict[str, Callable[[], object]] = {
        "query": lambda: store.query(vectors[0], 50, include=("metadata", "vector", "text"))[0].vector,
        "batch": lambda: (store.query_batch(vectors, 5).ids, store.query_batch(vectors, 5).scores),
        "upsert": lambda: store.upsert_many(ids, vectors, [METADATA] * 50),
        "get": lambda: store.get_many(ids),
        "iterate": lambda: list(store),
        "filter": lambda: store.count((vecstore.F("n") < 5) & vecstore.F("title").regex("^a")),
        "fail": lambda: failing(lambda: store.upsert_many(ids, vectors, [{"deep": {"n": 2**64}}] * 50)),
        "open": lambda: VecStore(":memory:", dim=64).upsert("a", vectors[0]),
    }
    call = calls[name]
    for _ in range(150):
        call()
    before = resident_pages()
    for _ in range(300):
        call()
    grown = (resident_pages() - before) * 4096
    # One leaked result of each call would be over 15 KB: 4.5 MB in all.
    assert grown < 3 << 20


def test_references_are_given_back() -> None:
    store = VecStore(":memory:")
    vector, metadata, key = [1.0, 2.0], {"key": "value"}, "key"
    before = [sys.getrefcount(value) for value in (vector, metadata, key)]
    for n in range(100):
        store.upsert(str(n), vector, metadata)
        store.upsert_many(["a"], [vector], [metadata])
        store.query(vector)
    gc.collect()
    after = [sys.getrefcount(value) for value in (vector, metadata, key)]
    assert after == before
