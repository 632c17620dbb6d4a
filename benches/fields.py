"""Times of counts by filter, facets and deletes through the Python package.

Run with a number of records, a million if none is given. Vectors have two components
and a metric without a graph: what is measured is the metadata. Deletes are durable (``durability="commit"``).
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import vecstore

DELETED_ROWS = 62_000
#: How long is waited for the disk to come down.
GIVEN_UP_SECONDS = 60.0


def records(rows: int) -> list[dict[str, Any]]:
    """Return the metadata of so many products, the same each time."""
    random = np.random.default_rng(7)
    category, brand = random.integers(0, 20, rows), random.integers(0, 2_000, rows)
    price, stock = random.random(rows) * 1_000, random.integers(0, 1_000, rows)
    return [
        {
            "category": f"category {category[n]}",
            "brand": f"brand {brand[n]}",
            "price": round(float(price[n]), 2),
            "stock": int(stock[n]),
            "active": bool(stock[n] % 10),
        }
        for n in range(rows)
    ]


def median(call: Callable[[], Any]) -> float:
    """Return the median time of a call in milliseconds."""
    times = []
    for _ in range(101):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def fill(path: str, rows: int) -> vecstore.VecStore:
    """Make a store of so many records in one segment."""
    store = vecstore.VecStore(path, metric="manhattan")
    metadatas = records(rows)
    for start in range(0, rows, 50_000):
        part = metadatas[start : start + 50_000]
        ids = [f"id-{start + n}" for n in range(len(part))]
        store.upsert_many(ids, np.ones((len(part), 2), dtype=np.float32), part)
    store.compact()
    return store


def main() -> None:
    """Print the times."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    filters: dict[str, dict[str, Any]] = {
        "equality": {"category": "category 7"},
        "range": {"price": {"$gte": 100, "$lt": 300}},
        "and of three": {"category": "category 7", "price": {"$lt": 500}, "active": True},
        "in": {"brand": {"$in": [f"brand {n}" for n in range(50)]}},
    }
    with tempfile.TemporaryDirectory() as path, fill(path, rows) as store:
        for deleted in (False, True):
            print(f"{rows:,} records" + (", one deleted" if deleted else ""))
            for name, condition in filters.items():
                found = store.count(condition)
                took = median(lambda condition=condition: store.count(condition))  # type: ignore[misc]
                print(f"  count, {name:14} {took:9.3f} ms  {found:,}")
            print(f"  facets(category)      {median(lambda: store.facets('category')):9.3f} ms")
            page = median(lambda: store.scroll(order_by="-price", limit=100))
            print(f"  scroll(-price)        {page:9.3f} ms")
            store.delete("id-1")
    with tempfile.TemporaryDirectory() as path, fill(path, DELETED_ROWS) as store:
        before = store.stats().disk_bytes
        start = time.perf_counter()
        deleted_rows = store.delete_where({"stock": {"$lt": 500}})
        took = time.perf_counter() - start
        print(f"delete_where of {deleted_rows:,} of {DELETED_ROWS:,}: {took:.3f} s, durable")
        while store.stats().disk_bytes >= before and time.perf_counter() - start < GIVEN_UP_SECONDS:
            time.sleep(0.01)
        took = time.perf_counter() - start
        print(f"  its space is free after {took:.2f} s: {before:,} -> {store.stats().disk_bytes:,} bytes")


if __name__ == "__main__":
    main()
