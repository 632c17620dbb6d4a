"""What the options ``quantization`` and ``memory_budget`` do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import vecstore
from vecstore import VecStore

if TYPE_CHECKING:
    from pathlib import Path

np = pytest.importorskip("numpy")

ROWS, DIM = 4_500, 64


def _filled(path: Path, **options: Any) -> VecStore:
    store = VecStore(path, durability="none", **options)
    vectors = np.random.default_rng(1).standard_normal((ROWS, DIM)).astype("float32")
    store.upsert_many([str(n) for n in range(ROWS)], vectors)
    store.compact()
    return store


@pytest.mark.parametrize(
    ("quantization", "hot_row_bytes"),
    [("auto", 768), ("none", 388), ("int8", 200), ("int4", 168)],
)
def test_quantization_decides_what_searches_keep_in_memory(
    path: Path, quantization: Any, hot_row_bytes: int
) -> None:
    with _filled(path, quantization=quantization) as store:
        stats = store.stats()
        assert stats.graph_segments == 1
        assert stats.hot_bytes == ROWS * hot_row_bytes
        assert store.config.quantization == quantization
        vector = np.random.default_rng(2).standard_normal(DIM)
        exact = [neighbor.id for neighbor in store.query(vector, exact=True)]
        found = [neighbor.id for neighbor in store.query(vector, recall=0.99)]
        assert len(set(exact) & set(found)) >= 8


def test_a_memory_budget_too_small_for_a_graph_is_said_and_searches_go_on(path: Path) -> None:
    with VecStore(path, memory_budget=8 << 20, durability="none") as store:
        vectors = np.random.default_rng(1).standard_normal((ROWS, 2_048)).astype("float32")
        store.upsert_many([str(n) for n in range(ROWS)], vectors)
        store.compact()
        assert store.stats().graph_segments == 0
        assert "memory budget of 8388608 bytes is too small" in (store.stats().upkeep_error or "")
        record = store.get("17")
        assert record is not None
        assert record.vector is not None
        assert store.query(record.vector, k=1)[0].id == "17"
    with VecStore(path) as store:
        store.compact()
        assert store.stats().graph_segments == 1
        assert store.stats().upkeep_error is None


def test_an_unknown_quantization_is_refused(path: Path) -> None:
    with pytest.raises(vecstore.InvalidInputError, match="auto, none, int8, int4"):
        VecStore(path, quantization="int2")  # type: ignore[arg-type]
