"""Tries an installed package for a second: writes, reopens, searches by vectors and words; needs nothing."""

from __future__ import annotations

import sys
import tempfile

import vecstore


def main() -> int:
    """Raises if anything is not as it should be."""
    with tempfile.TemporaryDirectory() as directory:
        with vecstore.VecStore(directory) as store:
            store.upsert_many(
                ["apple", "leek"],
                [[0.9, 0.1], [0.1, 0.9]],
                [{"price": 3}, {"price": 2}],
                texts=["red", "green"],
            )
        with vecstore.VecStore(directory) as store:
            assert [neighbor.id for neighbor in store.query([1.0, 0.0], k=1)] == ["apple"]
            assert [neighbor.id for neighbor in store.text_query("green")] == ["leek"]
            assert store.count("price < 3") == 1
            assert store.verify().ok
    print(f"vecstore {vecstore.__version__} works on Python {sys.version.split()[0]}, {sys.platform}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
