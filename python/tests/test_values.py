"""Reprs, equality and pickling of everything that Python sees."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecstore
from vecstore import BatchOperation, Neighbor, Record, VecStore

NOON = datetime(2030, 5, 1, 12, tzinfo=timezone.utc)
ERRORS = [
    vecstore.VecStoreError,
    vecstore.InvalidInputError,
    vecstore.DimensionMismatchError,
    vecstore.FilterError,
    vecstore.NotFoundError,
    vecstore.AlreadyExistsError,
    vecstore.StoreLockedError,
    vecstore.ClosedError,
    vecstore.CorruptionError,
    vecstore.StorageError,
    vecstore.UnsupportedError,
]
STEP = vecstore.QueryStep(
    part="segment-0123abcd",
    kind="segment",
    rows=9,
    live=8,
    matches_at_most=None,
    method="graph walk",
    layout="fast",
    reason="the segment has a graph",
    outcome="done",
    slack=0.05,
    visits=3,
    estimates=96,
    code_distances=3,
    full_distances=2,
    reranked=2,
    results=1,
    time_us=1.5,
)
VALUES: list[Any] = [
    Record("a", [1.0, 0.5]),
    Record("a", None, {"n": [1, {"x": NOON}]}, text="t", expires_at=NOON, deleted=True),
    Neighbor("a", 0.5, 0.25),
    Neighbor("a", 0.5, 0.25, {"n": 1}, [1.0, 2.0], "t"),
    vecstore.Query([1.0, 2.0], 3, {"a": 1}),
    vecstore.Query([1.0], filter=vecstore.F("a") > 3),
    vecstore.Query([1.0], recall=0.9, exact=True, offset=2, min_score=0.5, include=("text",)),
    STEP,
    vecstore.QueryPlan("cosine", 3, 9, 1, 0, 0.95, vecstore.F("a") > 3, (STEP,), 1, 1, 0.5, 2.5),
    vecstore.QueryExplanation(1, "cosine", STEP),
    vecstore.ExplainedNeighbor(Neighbor("a", 0.5, 0.25), vecstore.QueryExplanation(1, "cosine", STEP)),
    vecstore.QueryEstimate(5, 9, 4, 1, 3, 101, 2, 2.5, 2.0, 9.5),
    vecstore.HNSWSearchParams.fast(),
    vecstore.Config("p", 3, "dot", "none", True, "auto", None, 2, "english", ("title",)),
    BatchOperation.upsert("a", [1.0], {"n": 1}, text="t", ttl_seconds=3),
    BatchOperation.delete("a"),
    vecstore.BatchResult(1, 1, [vecstore.BatchError(0, "delete", "why")], 0.5),
    vecstore.Page([Record("a", [1.0])], "a"),
    vecstore.CompactionResult(True, 3, 0.5),
    vecstore.VerifyReport(1, 2, 3, [vecstore.Problem("p", "m")]),
    vecstore.RepairReport(9, [vecstore.Problem("p", "m")], [vecstore.Loss("p", "m", 1)], ["a"], 0, ["q"]),
    vecstore.FilterExpr({"a": {"$in": [1, "x", None, NOON]}}),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_values_survive_pickling(value: Any, protocol: int) -> None:
    again = pickle.loads(pickle.dumps(value, protocol))
    assert again == value
    assert type(again) is type(value)
    assert repr(again) == repr(value)
    assert copy.deepcopy(value) == value


@pytest.mark.parametrize("one", range(len(VALUES)))
def test_different_values_differ(one: int) -> None:
    assert [VALUES[one] == other for other in VALUES].count(True) == 1
    assert VALUES[one] != object()


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_name_their_package(value: Any) -> None:
    assert type(value).__module__ == "vecstore"
    assert type(value).__name__ in repr(value)
    assert getattr(vecstore, type(value).__name__) is type(value)


def test_a_record_shows_its_parts() -> None:
    assert repr(VALUES[0]) == "Record(id='a', vector=[1.0, 0.5], metadata={})"
    assert (
        repr(Record("a", [1, 2, 3, 4, 5]))
        == "Record(id='a', vector=[1.0, 2.0, 3.0, 4.0, ... 5 in all], metadata={})"
    )
    assert "text='t', expires_at=2030-05-01 12:00:00+00:00, deleted=True" in repr(VALUES[1])
    assert repr(VALUES[2]) == "Neighbor(id='a', score=0.500000, distance=0.250000, metadata={})"


def test_records_and_neighbors_cannot_be_changed() -> None:
    for value in (VALUES[0], VALUES[3], VALUES[4], VALUES[7]):
        with pytest.raises(AttributeError):
            value.id = "b"
        with pytest.raises(AttributeError):
            value.vector = []


def test_records_check_their_parts() -> None:
    with pytest.raises(TypeError, match="id"):
        Record(3, [1])  # type: ignore[arg-type]
    with pytest.raises(vecstore.InvalidInputError, match="expires_at: expected an aware datetime"):
        Record("a", [1], expires_at=datetime(2024, 5, 1))
    with pytest.raises(vecstore.InvalidInputError, match="after 1970"):
        Record("a", [1], expires_at=datetime(1960, 5, 1, tzinfo=timezone.utc))
    with pytest.raises(TypeError, match="unhashable"):
        hash(Record("a", [1]))


def test_a_search_result_is_a_neighbor(store: VecStore) -> None:
    assert vecstore.SearchResult is Neighbor
    [found] = store.query([1, 0, 0], 1)
    assert isinstance(found, vecstore.SearchResult)
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_store_shows_what_it_is(path: Path) -> None:
    with VecStore(path, metric="dot") as store:
        assert repr(store) == f"VecStore({str(path)!r}, vectors=0, dim=None, metric='dot')"
        store.upsert_many(["a", "b"], np.eye(2))
        assert repr(store) == f"VecStore({str(path)!r}, vectors=2, dim=2, metric='dot')"
        with VecStore(path, read_only=True) as reader:
            assert repr(reader).endswith("read_only=True)")
    assert repr(store) == f"VecStore({str(path)!r}, metric='dot', closed)"
    assert "vectors=0" in repr(VecStore(":memory:"))


def test_a_store_pickles_as_a_reader_of_itself(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    with VecStore(path.name) as store:
        store.upsert("a", [1.0, 0.0], {"n": 1})
        pickled = pickle.dumps(store)
        monkeypatch.chdir("/")
        with pickle.loads(pickled) as reader:
            assert reader.query([1, 0]) == store.query([1, 0])
            assert reader.config.read_only
    with pytest.raises(vecstore.ClosedError):
        pickle.dumps(store)


def test_a_store_in_memory_cannot_be_pickled(store: VecStore) -> None:
    with pytest.raises(TypeError, match="in memory cannot be pickled"):
        pickle.dumps(store)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_errors_pickle_and_show_their_message(error: type[vecstore.VecStoreError]) -> None:
    again = pickle.loads(pickle.dumps(error("what `went` wrong")))
    assert type(again) is error
    assert str(again) == "what `went` wrong"
    assert error.__module__ == "vecstore"
    assert getattr(vecstore, error.__name__) is error
    assert issubclass(error, vecstore.VecStoreError)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (vecstore.InvalidInputError, ValueError),
        (vecstore.DimensionMismatchError, vecstore.InvalidInputError),
        (vecstore.FilterError, vecstore.InvalidInputError),
        (vecstore.NotFoundError, KeyError),
        (vecstore.AlreadyExistsError, ValueError),
        (vecstore.StorageError, OSError),
    ],
)
def test_errors_are_builtins_where_natural(error: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(error, builtin)


def test_a_storage_error_keeps_its_number(path: Path) -> None:
    with pytest.raises(vecstore.StorageError) as caught:
        VecStore(path, read_only=True)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.errno, str(again)) == (2, str(caught.value))
    assert str(again).startswith("cannot open")


@pytest.mark.parametrize(
    "make",
    [lambda: VecStore(":memory:"), lambda: Record("a", [1]), lambda: vecstore.F("a"), lambda: VALUES[-1]],
)
def test_weak_references_work(make: Any) -> None:
    value = make()
    reference = weakref.ref(value)
    assert reference() is value
    kept = any(value is other for other in VALUES)
    del value
    gc.collect()
    assert (reference() is None) != kept
