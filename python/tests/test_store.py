"""A store from its first record to its backup, as a user goes through it; the parts are tested elsewhere."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecstore
from vecstore import F, VecStore


def test_a_shop_keeps_its_catalogue(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    names = [f"item-{n:03}" for n in range(300)]
    vectors = rng.standard_normal((300, 32)).astype(np.float32)
    details: list[Any] = [
        {"kind": ("shoe", "hat", "coat")[n % 3], "price": n / 2, "tags": ["new"] if n > 250 else []}
        for n in range(300)
    ]
    texts = [f"a {detail['kind']} number {n}" for n, detail in enumerate(details)]
    path = tmp_path / "shop"

    with VecStore(path, metric="cosine") as store:
        assert store.upsert_many(names, vectors, details, texts=texts) == 300
        # The nearest hats below 50, as plain Python finds them.
        asked = vectors[7] + 0.1
        cosines = vectors @ asked / np.linalg.norm(vectors, axis=1) / np.linalg.norm(asked)
        expected = [
            names[n] for n in np.argsort(-cosines) if details[n]["kind"] == "hat" and details[n]["price"] < 50
        ]
        found = store.query(asked, 5, (F("kind") == "hat") & (F("price") < 50), exact=True)
        assert [neighbor.id for neighbor in found] == expected[:5]
        assert found[0].score == pytest.approx(float(cosines[names.index(found[0].id)]), abs=1e-6)
        assert [one.id for one in store.text_query("coat 299", k=1)] == ["item-299"]
        assert store.hybrid_query(asked, "number 7", k=3)

        store.create_snapshot("before the sale")
        assert store.delete_where("price > 100") == 99
        store.patch_metadata("item-000", {"price": 0.5})
        store.set_ttl("item-001", 3600)
        store.backup(tmp_path / "backup")

    with VecStore(path) as store:
        assert len(store) == 201
        assert store.distance_metric == "cosine"
        record = store.get("item-000")
        assert record is not None
        assert record.metadata == {"kind": "shoe", "price": 0.5, "tags": []}
        assert np.array_equal(np.array(record.vector, np.float32), vectors[0])
        store.restore_snapshot("before the sale")
        assert len(store) == 300
        assert store.verify().ok

    VecStore.restore_backup(tmp_path / "backup", tmp_path / "again")
    with VecStore(tmp_path / "again", read_only=True) as again:
        assert len(again) == 201
        assert again.query(vectors[0], k=1, exact=True)[0].id == "item-000"
        with pytest.raises(vecstore.UnsupportedError):
            again.delete("item-000")


METADATA = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.one_of(
        st.none(), st.booleans(), st.integers(-5, 5), st.floats(-5, 5), st.sampled_from(["x", "y", "xy"])
    ),
)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text(min_size=1, max_size=8).filter(str.isprintable), METADATA, max_size=30),
    st.integers(0, 2**32),
)
def test_what_goes_in_comes_out_and_queries_agree_with_brute_force(
    records: dict[str, Any], seed: int
) -> None:
    rng = random.Random(seed)
    vectors = {record_id: [rng.uniform(-1, 1) for _ in range(4)] for record_id in records}
    with VecStore(":memory:", metric="euclidean") as store:
        store.upsert_many(
            list(records), [vectors[record_id] for record_id in records], list(records.values())
        )
        for record_id, metadata in records.items():
            record = store.get(record_id)
            assert record is not None
            assert record.metadata == metadata
            assert {name: type(value) for name, value in record.metadata.items()} == {
                name: type(value) for name, value in metadata.items()
            }
        asked = np.array([rng.uniform(-1, 1) for _ in range(4)], np.float32)
        kept = [
            record_id
            for record_id, metadata in records.items()
            if metadata.get("a") == "x" or metadata.get("b") is None
        ]
        distances = {
            record_id: float(np.linalg.norm(np.array(vectors[record_id], np.float32) - asked))
            for record_id in kept
        }
        if records:
            found = store.query(asked, 5, {"$or": [{"a": "x"}, {"b": None}]}, exact=True)
            assert len(found) == min(5, len(kept))
            assert [one.distance for one in found] == pytest.approx(sorted(distances.values())[:5], abs=1e-5)
