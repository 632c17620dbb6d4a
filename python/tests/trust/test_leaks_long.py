"""Long loops of opening, closing, upserting and deleting: memory stays where it was."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from vecstore import VecStore

from .soak import count

#: The issue allows this much over 100,000 rounds.
GROWTH_BYTES_MAX = 1 << 20


def resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.timeout(7200)
@pytest.mark.skipif(sys.platform != "linux", reason="reads the resident size from /proc")
@pytest.mark.parametrize("kind", ["open and close", "upsert and delete"])
def test_memory_does_not_grow(kind: str, path: Path) -> None:
    rounds = count("VECSTORE_LEAK_ROUNDS", 200)
    if kind == "open and close":
        VecStore(path).close()

        def call(n: int) -> None:
            with VecStore(path, read_only=n % 2 == 0) as store:
                assert len(store) == 0
    else:
        store = VecStore(path, durability="none")

        def call(n: int) -> None:
            store.upsert(f"id-{n % 50}", [float(n), 1.0], {"n": n})
            store.delete(f"id-{(n + 25) % 50}")
            if n % 5_000 == 4_999:
                store.compact()

    # The allocator and the interpreter settle first.
    for n in range(rounds // 3):
        call(n)
    before = resident_bytes()
    for n in range(rounds):
        call(n)
    grown = resident_bytes() - before
    print(f"{rounds} rounds of {kind}: {grown} bytes more")
    assert grown < GROWTH_BYTES_MAX
