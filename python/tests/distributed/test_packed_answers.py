"""What shards found, in bytes, and the merge of it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

import vecstore
from vecstore import Decay, VecStore
from vecstore._vecstore import _merge_answers
from vecstore.distributed import _merge

QUERIES = np.array([[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0]], np.float32)
ALL: list[Literal["metadata", "text", "vector"]] = ["metadata", "text", "vector"]


@pytest.fixture
def halves() -> list[VecStore]:
    """Two shards of one collection; rows come in pairs of the same vector."""
    random = np.random.default_rng(3)
    stores = [VecStore(":memory:"), VecStore(":memory:")]
    for at in range(60):
        if at % 2 == 0:
            vector = random.standard_normal(3)
        text = None if at % 3 == 0 else f"täxt {at}"
        stores[at // 2 % 2].upsert(f"ü{at:02}", vector, {"n": at, "deep": {"list": [at, None]}}, text=text)
    return stores


@pytest.mark.parametrize("offset", [0, 3, 200])
@pytest.mark.parametrize("boost", [None, Decay("n", 30, 10)])
def test_parts_are_merged_as_one_store_answers(
    halves: list[VecStore], offset: int, boost: Decay | None
) -> None:
    whole = VecStore(":memory:")
    for store in halves:
        for record in store:
            assert record.vector is not None
            whole.upsert(record.id, record.vector, record.metadata, text=record.text)
    how: dict[str, Any] = {"exact": True, "include": ALL, "boost": boost}
    expected = whole.query_batch(QUERIES, 20, offset=offset, **how)
    packed = [store.query_batch(QUERIES, 20 + offset, **how)._packed(boost is not None) for store in halves]
    merged = _merge.nearest([*packed, None], len(QUERIES), 20 + offset, offset)
    assert len(merged) == len(QUERIES)
    for row, neighbors in enumerate(expected):
        assert merged.neighbors(row) == neighbors
        assert merged.keys(row) == sorted(merged.keys(row))
        assert len(merged.keys(row)) == len(neighbors)
    with pytest.raises(IndexError, match="query 3 of 3"):
        merged.neighbors(3)


def test_answers_are_made_when_they_are_looked_at(halves: list[VecStore]) -> None:
    packed = [store.query_batch(QUERIES, 4)._packed(False) for store in halves]
    merged = _merge.nearest(packed, len(QUERIES), 4)
    answers = _merge.Answers(_merge.Lazy([(merged, []), (merged, [7])]))
    assert len(answers) == 6
    assert answers[2] == answers[-1] == merged.neighbors(2)
    assert answers.ids.shape == answers.scores.shape == (6, 4)
    assert [found.missing for found in answers] == [()] * 3 + [(7,)] * 3
    assert [found.missing for found in answers[1:4]] == [(), (), (7,)]
    assert answers.missing == (7,)
    with pytest.raises(IndexError):
        answers[6]


def test_what_is_not_included_is_not_there(halves: list[VecStore]) -> None:
    packed = halves[0].query_batch(QUERIES, 5, include=())._packed(False)
    found = _merge_answers([packed], 3, 5, 0).neighbors(0)[0]
    assert (found.metadata, found.text, found.vector) == ({}, None, None)


def test_shards_without_records_find_nothing() -> None:
    merged = _merge.nearest([None, None], 2, 10)
    assert [merged.neighbors(row) for row in range(len(merged))] == [[], []]


def test_bytes_that_say_something_else_are_refused(halves: list[VecStore]) -> None:
    packed = halves[0].query_batch(QUERIES, 2, include=ALL)._packed(False)
    for length in range(len(packed)):
        with pytest.raises(vecstore.CorruptionError, match="the answer of a shard is malformed"):
            _merge_answers([packed[:length]], 3, 9, 0)
    with pytest.raises(vecstore.CorruptionError):
        _merge_answers([packed + b"\0"], 3, 9, 0)
    with pytest.raises(vecstore.CorruptionError):
        _merge_answers([packed, halves[1].query_batch(QUERIES[:1], 2)._packed(False)], 3, 9, 0)
    for at in range(len(packed)):
        changed = bytearray(packed)
        changed[at] ^= 0xFF
        try:
            merged = _merge_answers([bytes(changed)], 3, 9, 0)
            for row in range(3):
                for neighbor in merged.neighbors(row):
                    assert isinstance(neighbor.metadata, dict)  # decoded as it is read
        except vecstore.CorruptionError:
            continue
