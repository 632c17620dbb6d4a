"""Writing many records in one call."""

from __future__ import annotations

import array
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

import vecstore
from vecstore import BatchOperation, VecStore


@pytest.fixture
def empty() -> Iterator[VecStore]:
    with VecStore(":memory:") as store:
        yield store


@pytest.mark.parametrize(
    "vectors",
    [
        [[1, 2], [3, 4]],
        ((1.0, 2.0), (3.0, 4.0)),
        [np.array([1, 2]), np.array([3, 4], np.float16)],
        [array.array("f", [1, 2]), [3.0, 4.0]],
        np.array([[1, 2], [3, 4]], np.float32),
        np.array([[1, 2], [3, 4]], np.float64),
        np.array([[1, 2], [3, 4]], np.float16),
        np.array([[1, 2], [3, 4]], np.int64),
        np.array([[1, 3], [2, 4]], np.float32).T,
        np.array([[3, 4], [1, 2]], np.float32)[::-1],
        np.array([[1, 0, 2, 0], [3, 0, 4, 0]], np.float64)[:, ::2],
        np.array([[1, 2], [3, 4]], ">f4"),
        np.array([[1, 2], [3, 4]], object),
        array.array("f", [1, 2, 3, 4]),
        array.array("d", [1, 2, 3, 4]),
        memoryview(array.array("f", [1, 2, 3, 4])).cast("B").cast("f", [2, 2]),
        iter([[1, 2], [3, 4]]),
    ],
    ids=lambda vectors: f"{type(vectors).__name__}-{getattr(vectors, 'dtype', '')}",
)
def test_upsert_many_takes_vectors_of_any_kind(empty: VecStore, vectors: Any) -> None:
    assert empty.upsert_many(["a", "b"], vectors) == 2
    assert [record.vector for record in empty] == [[1.0, 2.0], [3.0, 4.0]]


def test_upsert_many_keeps_metadata_and_texts(empty: VecStore) -> None:
    metadatas = [{"n": 1}, None, {"n": 3, "deep": {"x": [1, "a"]}}]
    assert empty.upsert_many(["a", "b", "c"], [[1], [2], [3]], metadatas, texts=[None, "two", None]) == 3
    assert [record.metadata for record in empty] == [{"n": 1}, {}, {"n": 3, "deep": {"x": [1, "a"]}}]
    assert [record.text for record in empty] == [None, "two", None]


def test_of_equal_ids_the_last_counts(empty: VecStore) -> None:
    assert empty.upsert_many(["a", "b", "a"], [[1], [2], [3]], [{"n": 1}, None, {"n": 3}]) == 2
    assert list(empty) == [vecstore.Record("a", [3.0], {"n": 3}), vecstore.Record("b", [2.0])]


def test_ids_may_come_from_any_iterable(empty: VecStore) -> None:
    assert empty.upsert_many((f"{n}" for n in range(3)), np.eye(3)) == 3
    assert empty.upsert_many(np.array(["x", "y", "z"]), np.eye(3)) == 3
    assert len(empty) == 6


def test_nothing_is_a_batch_too(empty: VecStore) -> None:
    assert empty.upsert_many([], []) == 0
    assert empty.upsert_many([], np.empty((0, 3), np.float32)) == 0
    assert empty.batch_upsert([]) == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (["a"], [[1], [2]]),
            vecstore.InvalidInputError,
            "vectors: expected one for each of the 1 ids, got 2",
        ),
        ((["a"], [[1]], [{}, {}]), vecstore.InvalidInputError, "metadatas: expected one for each"),
        ((["a", "b"], [[1], [1, 2]]), vecstore.DimensionMismatchError, "record 1: .* 1 components, got 2"),
        ((["a", ""], [[1], [2]]), vecstore.InvalidInputError, "record 1: an id must not be empty"),
        ((["a", "b"], [[1], [float("inf")]]), vecstore.InvalidInputError, "record `b`: component 0 is inf"),
        ((["a", "b"], [[1], [0]]), vecstore.InvalidInputError, "record `b`.*cosine"),
        ((["a", "b"], [[1], ["2"]]), TypeError, r"component 0 of vectors\[1\]: expected a number, got str"),
        ((["a", "b"], [[1], None]), TypeError, r"vectors\[1\]: expected a vector .* got NoneType"),
        ((["a"], "text"), TypeError, "vectors: expected vectors .* got str"),
        ((["a"], 3), TypeError, "vectors: expected vectors .* got int"),
        ((["a"], {"a": [1]}), TypeError, "vectors: expected vectors .* got dict"),
        ((["a"], np.ones(3)), vecstore.InvalidInputError, r"the shape \(n, dim\), got \(3,\)"),
        ((["a"], np.ones((1, 1, 3))), vecstore.InvalidInputError, r"got \(1, 1, 3\)"),
        ((["a"], np.array([[True]])), TypeError, "expected an array of numbers, got one of bool"),
        ((["a"], np.array([[1j]])), TypeError, "expected an array of numbers, got one of complex"),
        ((["a"], np.array([["1"]])), TypeError, "expected an array of numbers"),
        ((["a", "b"], array.array("f", [1, 2, 3])), vecstore.InvalidInputError, "multiple of 2 numbers"),
        ((["a", "b"], [[1], [2]], [{}, {"x": 2**63}]), vecstore.InvalidInputError, r'metadatas\[1\]\["x"\]'),
        ((["a", "b"], [[1], [2]], [{}, {"x": {1}}]), TypeError, r'metadatas\[1\]\["x"\]: .* got set'),
        ((["a", "b"], [[1], [2]], [{}, 3]), TypeError, r"metadatas\[1\]: expected a dict or None, got int"),
        ((["a"], [[1]], {"x": 1}), TypeError, "metadatas: expected a list, got dict"),
    ],
)
def test_a_bad_batch_is_refused_whole(
    empty: VecStore, arguments: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        empty.upsert_many(*arguments)
    assert empty.is_empty()


def test_bad_texts_are_refused(empty: VecStore) -> None:
    with pytest.raises(TypeError, match=r"texts\[1\]: expected a str, got int"):
        empty.upsert_many(["a", "b"], [[1], [2]], texts=["x", 2])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="texts: expected a list, got str"):
        empty.upsert_many(["a", "b"], [[1], [2]], texts="xy")
    assert empty.is_empty()


def test_progress_is_shown_with_tqdm(empty: VecStore, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm", reason="tqdm is not installed; the test below shows what is shown then")
    empty.upsert_many([str(n) for n in range(3000)], np.ones((3000, 2)), progress=True)
    shown = capsys.readouterr().err
    assert "3000/3000" in shown
    assert "100%" in shown


def test_progress_is_a_line_without_tqdm(
    empty: VecStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    empty.upsert_many([str(n) for n in range(2049)], np.ones((2049, 2)), progress=True)
    lines = capsys.readouterr().err.strip("\r\n").split("\r")
    assert lines == [f"upsert_many: {n} of 2,049 records read" for n in ("1,024", "2,048", "2,049")]


def test_progress_ends_its_line_on_an_error(
    empty: VecStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(vecstore.DimensionMismatchError):
        empty.upsert_many(["a", "b"], [[1], [1, 2]], progress=True)
    assert capsys.readouterr().err.endswith("\n")


def test_no_progress_is_silent(empty: VecStore, capsys: pytest.CaptureFixture[str]) -> None:
    empty.upsert_many(["a"], [[1]])
    assert capsys.readouterr().err == ""


def test_batch_upsert_takes_dicts_records_and_tuples(empty: VecStore) -> None:
    soon = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=1)
    records = [
        {"id": "a", "vector": [1, 2], "metadata": {"n": 1}, "text": "first", "ttl_seconds": 60},
        vecstore.Record("b", [3, 4], {"n": 2}, text="second", expires_at=soon),
        ("c", [5, 6]),
        ("d", np.array([7, 8]), {"n": 4}),
        ("e", (9, 10), None, "fifth"),
    ]
    assert empty.batch_upsert(records) == 5  # type: ignore[arg-type]
    found = {record.id: record for record in empty}
    assert [record.vector for record in found.values()] == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    assert [record.metadata for record in found.values()] == [{"n": 1}, {"n": 2}, {}, {"n": 4}, {}]
    assert [record.text for record in found.values()] == ["first", "second", None, None, "fifth"]
    assert found["a"].expires_at is not None
    assert found["b"].expires_at == soon


def test_a_store_can_be_copied_by_batch_upsert(store: VecStore, empty: VecStore) -> None:
    assert empty.batch_upsert(store) == 3
    assert list(empty) == list(store)


@pytest.mark.parametrize(
    ("record", "error", "message"),
    [
        ({"vector": [1]}, vecstore.InvalidInputError, r"records\[1\]: expected the key `id`"),
        ({"id": "b"}, vecstore.InvalidInputError, "expected the key `vector`"),
        ({"id": "b", "vector": [1], "meta": {}}, vecstore.InvalidInputError, "got 'meta'"),
        ({"id": 3, "vector": [1]}, TypeError, r"records\[1\]\.id: expected a str, got int"),
        ({"id": "b", "vector": [1], "ttl_seconds": -1}, vecstore.InvalidInputError, "ttl_seconds must be"),
        ({"id": "b", "vector": [1, 2]}, vecstore.DimensionMismatchError, "record 1"),
        (("b",), vecstore.InvalidInputError, "got 1 items"),
        (("b", [1], {}, "t", 5), vecstore.InvalidInputError, "got 5 items"),
        ("b", TypeError, r"records\[1\]: expected a dict, a Record or a tuple"),
        (vecstore.Record("b", None), vecstore.InvalidInputError, "without its vector"),
        (vecstore.Record("b", [1], deleted=True), vecstore.InvalidInputError, "soft-deleted"),
    ],
)
def test_a_bad_record_is_refused_with_its_batch(
    empty: VecStore, record: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        empty.batch_upsert([("a", [1]), record])
    assert empty.is_empty()
    with pytest.raises(TypeError, match="records: expected a list of records"):
        empty.batch_upsert("ab")  # type: ignore[arg-type]


def test_batch_execute_applies_what_is_possible(store: VecStore) -> None:
    result = store.batch_execute(
        [
            BatchOperation.upsert("fig", [0, 0, 1], {"kind": "fruit"}, text="a fig", ttl_seconds=60),
            BatchOperation.delete("no such"),
            BatchOperation.upsert("bad", [0, float("nan"), 1]),
            BatchOperation.upsert("bad", [0, 0, 1], {"n": 2**64}),
            BatchOperation.upsert("", [0, 0, 1]),
            BatchOperation.update_metadata("fig", {"kind": "dried"}),
            BatchOperation.soft_delete("apple"),
            BatchOperation.soft_delete("pear"),
            BatchOperation.restore("pear"),
            BatchOperation.delete("leek"),
            BatchOperation.restore("leek"),
        ]
    )
    assert (result.succeeded, result.failed) == (6, 5)
    assert [(error.index, error.operation) for error in result.errors] == [
        (1, "delete"),
        (2, "upsert"),
        (3, "upsert"),
        (4, "upsert"),
        (10, "restore"),
    ]
    assert "no record has the id `no such`" in result.errors[0].error
    assert "component 1 is NaN" in result.errors[1].error
    assert '["n"]' in result.errors[2].error
    assert result.duration_ms >= 0
    assert [(record.id, record.deleted) for record in store.list_all()] == [
        ("apple", True),
        ("fig", False),
        ("pear", False),
    ]
    fig = store.get("fig")
    assert fig is not None
    assert (fig.metadata, fig.text) == ({"kind": "dried"}, "a fig")


def test_batch_execute_of_nothing_succeeds(store: VecStore) -> None:
    result = store.batch_execute([])
    assert (result.succeeded, result.failed, result.errors) == (0, 0, [])


def test_batch_execute_refuses_other_things(store: VecStore) -> None:
    with pytest.raises(TypeError, match=r"operations\[1\]: expected a BatchOperation, got tuple"):
        store.batch_execute([BatchOperation.delete("apple"), ("delete", "pear")])  # type: ignore[list-item]
    result = store.batch_execute([BatchOperation("explode", "apple")])
    assert result.errors[0].error == "operations[0].operation: there is no operation `explode`"
    assert len(store) == 3
