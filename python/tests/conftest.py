"""A small store for tests and docstrings alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import vecstore


def fill(store: vecstore.VecStore) -> None:
    """Adds the three records that the examples of the docstrings are about."""
    store.upsert("apple", [0.9, 0.1, 0.0], {"kind": "fruit", "price": 3})
    store.upsert("leek", [0.1, 0.9, 0.0], {"kind": "vegetable", "price": 2})
    store.upsert("pear", [0.8, 0.2, 0.1], {"kind": "fruit", "price": 4})


@pytest.fixture
def store() -> Iterator[vecstore.VecStore]:
    """A store in memory with the records of `fill`."""
    with vecstore.VecStore(":memory:") as store:
        fill(store)
        yield store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A directory that is not there yet."""
    return tmp_path / "store"
