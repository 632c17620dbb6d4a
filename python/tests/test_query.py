"""Searching: against numpy, and every argument."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecstore
from vecstore import VecStore

Array = npt.NDArray[np.float64]

DISTANCES: dict[str, Callable[[Array, Array], Array]] = {
    "cosine": lambda rows, q: 1 - rows @ q / (np.linalg.norm(rows, axis=1) * np.linalg.norm(q)),
    "dot": lambda rows, q: -(rows @ q),
    "euclidean": lambda rows, q: np.linalg.norm(rows - q, axis=1),
    "manhattan": lambda rows, q: np.abs(rows - q).sum(axis=1),
    "chebyshev": lambda rows, q: np.abs(rows - q).max(axis=1),
    "hamming": lambda rows, q: (rows != q).sum(axis=1).astype(float),
    "canberra": lambda rows, q: (np.abs(rows - q) / (np.abs(rows) + np.abs(q))).sum(axis=1),
    "braycurtis": lambda rows, q: np.abs(rows - q).sum(axis=1) / np.abs(rows + q).sum(axis=1),
}


@pytest.mark.parametrize("metric", sorted(DISTANCES))
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 600), dim=st.integers(1, 70), k=st.integers(1, 40))
def test_search_agrees_with_numpy(metric: str, seed: int, rows: int, dim: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = (rng.standard_normal((rows, dim)) + 0.01).astype(np.float32)
    query = rng.standard_normal(dim).astype(np.float32)
    if metric == "hamming":
        vectors, query = np.sign(vectors), np.sign(query)
    with VecStore(":memory:", metric=metric) as store:
        store.upsert_many([f"{row:04}" for row in range(rows)], vectors)
        found = store.query(query, k, exact=True)
    distances = DISTANCES[metric](vectors.astype(np.float64), query.astype(np.float64))
    got = np.array([neighbor.distance for neighbor in found])
    scale = max(1.0, float(np.abs(distances).max()))
    assert len(found) == min(k, rows)
    np.testing.assert_allclose(got, np.sort(distances)[:k], rtol=1e-4, atol=1e-5 * scale)
    np.testing.assert_allclose(
        got, [distances[int(neighbor.id)] for neighbor in found], rtol=1e-4, atol=1e-5 * scale
    )
    scores = [neighbor.score for neighbor in found]
    assert scores == sorted(scores, reverse=True)


def test_scores_are_larger_for_the_nearer() -> None:
    expected = {"cosine": 1.0, "dot": 25.0, "euclidean": 1.0, "manhattan": 1.0}
    for metric, score in expected.items():
        with VecStore(":memory:", metric=metric) as store:
            store.upsert("near", [3.0, 4.0])
            store.upsert("far", [-3.0, 1.0])
            near, far = store.query([3.0, 4.0])
            assert near.id == "near"
            assert near.score == pytest.approx(score)
            assert near.score > far.score
            assert near.distance < far.distance


def test_ties_are_broken_by_id() -> None:
    with VecStore(":memory:") as store:
        store.upsert_many(["c", "a", "b"], [[1.0, 0.0]] * 3)
        assert [neighbor.id for neighbor in store.query([1, 0], k=2)] == ["a", "b"]


def test_the_defaults_are_ten_neighbors_with_metadata() -> None:
    with VecStore(":memory:") as store:
        store.upsert_many([f"{n:02}" for n in range(30)], np.ones((30, 2)), [{"n": n} for n in range(30)])
        found = store.query([1, 1])
        assert [neighbor.metadata["n"] for neighbor in found] == list(range(10))
        assert found[0].vector is None
        assert found[0].text is None


def test_include_says_what_neighbors_carry(store: VecStore) -> None:
    store.upsert("apple", [0.5, 0.25, 0.0], {"n": 1}, text="an apple")
    [bare] = store.query([1, 0, 0], k=1, include=(), filter={"n": 1})
    assert (bare.metadata, bare.vector, bare.text) == ({}, None, None)
    [full] = store.query([1, 0, 0], k=1, include=["metadata", "vector", "text"], filter={"n": 1})
    assert (full.metadata, full.vector, full.text) == ({"n": 1}, [0.5, 0.25, 0.0], "an apple")
    assert full.vector is full.vector
    with pytest.raises(vecstore.InvalidInputError, match=r"include: expected names .* got `vectors`"):
        store.query([1, 0, 0], include=["vectors"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="include: expected a list of str, got str"):
        store.query([1, 0, 0], include="metadata")  # type: ignore[arg-type]


def test_offset_pages_through_the_neighbors(store: VecStore) -> None:
    everything = [neighbor.id for neighbor in store.query([1, 0, 0])]
    pages = [neighbor.id for offset in range(4) for neighbor in store.query([1, 0, 0], 1, offset=offset)]
    assert pages == everything


def test_min_score_leaves_out_the_far(store: VecStore) -> None:
    assert [neighbor.id for neighbor in store.query([1, 0, 0], min_score=0.9)] == ["apple", "pear"]
    assert store.query([1, 0, 0], min_score=1.5) == []
    assert store.query([1, 0, 0], min_score=10**400) == []
    assert len(store.query([1, 0, 0], min_score=-(10**400))) == len(store)


def test_exact_and_recall_return_the_same(store: VecStore) -> None:
    answers = [
        store.query([1, 0, 0], recall=recall, exact=exact) for recall in (0.1, 1) for exact in (True, False)
    ]
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"k": 0}, vecstore.InvalidInputError, "k must be between 1 and 16777216, got 0"),
        ({"k": -1}, vecstore.InvalidInputError, "k must be .* got -1"),
        ({"k": 2**31}, vecstore.InvalidInputError, "k must be .* got 2147483648"),
        ({"k": 2**63}, vecstore.InvalidInputError, "k must be .* beyond 64 bits"),
        ({"k": 1.5}, TypeError, "k: expected an int, got float"),
        ({"k": "3"}, TypeError, "k: expected an int, got str"),
        ({"k": None}, TypeError, "k: expected an int, got NoneType"),
        ({"offset": -1}, vecstore.InvalidInputError, "offset must be"),
        ({"offset": 2**31}, vecstore.InvalidInputError, "offset must be"),
        ({"recall": 0}, vecstore.InvalidInputError, "recall must be above 0 and at most 1, got 0"),
        ({"recall": 1.000000001}, vecstore.InvalidInputError, "recall must be .* got 1.000000001"),
        ({"recall": -0.5}, vecstore.InvalidInputError, "recall must be"),
        ({"recall": 1.01}, vecstore.InvalidInputError, "recall must be"),
        ({"recall": float("nan")}, vecstore.InvalidInputError, "recall must be"),
        ({"recall": "high"}, TypeError, "recall: expected a number, got str"),
        ({"recall": None}, TypeError, "recall: expected a number, got NoneType"),
        ({"exact": "yes"}, TypeError, "exact"),
        ({"min_score": float("nan")}, vecstore.InvalidInputError, "min_score"),
        ({"min_score": "high"}, TypeError, "min_score: expected a number, got str"),
        ({"filter": 3}, TypeError, "filter: expected a filter .* got int"),
        ({"include": None}, TypeError, "include"),
        ({"params": {"x": 1}}, vecstore.FilterError, "params were given without a filter"),
    ],
)
def test_a_bad_argument_is_refused(
    store: VecStore, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        store.query([1, 0, 0], **arguments)
    with pytest.raises(error, match=message):
        store.query_batch([[1, 0, 0]], **arguments)


def test_k_may_exceed_the_records(store: VecStore) -> None:
    assert len(store.query([1, 0, 0], k=16_777_216)) == 3


def test_an_empty_store_answers_with_nothing() -> None:
    with VecStore(":memory:") as store:
        assert store.query([1, 2, 3]) == []
        assert [list(row) for row in store.query_batch([[1, 2, 3], [4, 5, 6]])] == [[], []]


def test_a_numpy_int_is_an_int(store: VecStore) -> None:
    assert len(store.query([1, 0, 0], k=np.int64(2))) == 2  # type: ignore[call-overload]


def test_a_filter_restricts_and_never_starves() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((2000, 8))
    with VecStore(":memory:") as store:
        store.upsert_many([str(n) for n in range(2000)], vectors, [{"n": n} for n in range(2000)])
        query = rng.standard_normal(8)
        wanted = [7, 500, 1999]
        found = store.query(query, k=10, filter={"n": {"$in": wanted}})
        assert sorted(neighbor.metadata["n"] for neighbor in found) == wanted


def test_query_with_filter_and_with_params(store: VecStore) -> None:
    plain = store.query([1, 0, 0], 2, {"kind": "fruit"})
    assert store.query_with_filter([1, 0, 0], 2, {"kind": "fruit"}) == plain
    assert store.query_with_filter([1, 0, 0], 2, "kind = :kind", params={"kind": "fruit"}) == plain
    query = vecstore.Query([1, 0, 0], 2, {"kind": "fruit"})
    for preset in ("fast", "balanced", "high_recall", "max_recall"):
        assert store.query_with_params(query, getattr(vecstore.HNSWSearchParams, preset)()) == plain
    with pytest.raises(vecstore.InvalidInputError, match="recall"):
        store.query_with_params(query, vecstore.HNSWSearchParams(2.0))
    with pytest.raises(TypeError, match="query: expected a Query, got list"):
        store.query_with_params([1, 0, 0], vecstore.HNSWSearchParams())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="params: expected a HNSWSearchParams, got dict"):
        store.query_with_params(query, {})  # type: ignore[arg-type]


def test_query_batch_answers_as_query_does() -> None:
    rng = np.random.default_rng(2)
    with VecStore(":memory:") as store:
        store.upsert_many(
            [str(n) for n in range(500)], rng.standard_normal((500, 16)), [{"n": n} for n in range(500)]
        )
        queries = rng.standard_normal((37, 16)).astype(np.float32)
        batch = store.query_batch(queries, 5, {"n": {"$lt": 400}}, include=["metadata", "vector"])
        assert len(batch) == 37
        for row, query in zip(batch, queries):
            single = store.query(query, 5, {"n": {"$lt": 400}}, include=["metadata", "vector"])
            assert [neighbor.id for neighbor in row] == [neighbor.id for neighbor in single]
            assert [neighbor.metadata for neighbor in row] == [neighbor.metadata for neighbor in single]
            np.testing.assert_allclose(
                [neighbor.score for neighbor in row], [neighbor.score for neighbor in single], rtol=1e-5
            )
        assert batch.ids.shape == batch.scores.shape == (37, 5)
        assert batch.ids.dtype == object
        assert batch.scores.dtype == np.float32
        assert batch.ids.tolist() == [[neighbor.id for neighbor in row] for row in batch]
        assert batch.scores.tolist() == [[neighbor.score for neighbor in row] for row in batch]


def test_query_batch_is_a_sequence(store: VecStore) -> None:
    batch = store.query_batch([[1, 0, 0], [0, 1, 0], [0, 0, 1]], k=1)
    assert [neighbor.id for neighbor in batch[0]] == ["apple"]
    assert batch[-1] == batch[2]
    assert batch[0:2] == [batch[0], batch[1]]
    assert batch[::-1] == [batch[2], batch[1], batch[0]]
    assert list(batch) == [batch[0], batch[1], batch[2]]
    assert repr(batch) == "QueryBatch(queries=3, neighbors=1)"
    for index in (3, -4):
        with pytest.raises(IndexError, match="out of range"):
            batch[index]
    with pytest.raises(TypeError):
        batch["a"]  # type: ignore[call-overload]


def test_query_batch_pads_its_arrays(store: VecStore) -> None:
    batch = store.query_batch([[1, 0, 0], [0, 1, 0]], min_score=0.9)
    assert batch.ids.tolist() == [["apple", "pear"], ["leek", None]]
    assert np.isnan(batch.scores).tolist() == [[False, False], [False, True]]


def test_query_batch_keeps_its_moment(store: VecStore) -> None:
    batch = store.query_batch([[1, 0, 0]])
    store.delete("apple")
    store.upsert("pear", [0, 0, 1], {"new": True})
    store.compact()
    store.close()
    assert [neighbor.id for neighbor in batch[0]] == ["apple", "pear", "leek"]
    assert batch[0][1].metadata == {"kind": "fruit", "price": 4}


@pytest.mark.parametrize(
    ("vectors", "error"),
    [
        ([[1, 0, 0], [1, 0]], vecstore.InvalidInputError),
        ([[1, 0]], vecstore.DimensionMismatchError),
        (np.ones((3, 2)), vecstore.DimensionMismatchError),
        (np.ones((2, 6)), vecstore.DimensionMismatchError),
        (np.ones(3), vecstore.InvalidInputError),
        ([1, 0, 0], TypeError),
        ([[1, 0, 0], [0, 0, 0]], vecstore.InvalidInputError),
        ([[]], vecstore.DimensionMismatchError),
        ("abc", TypeError),
    ],
)
def test_bad_vectors_of_a_batch_are_refused(store: VecStore, vectors: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        store.query_batch(vectors)


def test_no_queries_have_no_answers(store: VecStore) -> None:
    nothing: list[Any] = [[], np.empty((0, 3))]
    for vectors in nothing:
        batch = store.query_batch(vectors)
        assert len(batch) == 0
        assert batch.ids.shape == (0, 0)


def test_a_call_means_the_same_however_its_arguments_are_given(store: VecStore) -> None:
    vector = np.array([1, 0, 0], np.float32)
    plain = store.query(vector, k=2)
    assert [neighbor.id for neighbor in plain] == ["apple", "pear"]
    uninterned = "".join(["inc", "lude"])
    answers = [
        store.query(vector, 2),
        store.query(vector, 2, None),
        store.query(vector, k=2, filter=None),
        store.query(vector=vector, k=2),
        store.query(vector, k=True + 1, recall=1, exact=True),
        store.query(vector, k=2, recall=1.0, exact=False, offset=0, min_score=None, params=None),
        store.query(vector, k=2, include=["metadata"]),
        store.query(vector, **{"k": 2, uninterned: ("metadata",)}),  # type: ignore[call-overload]
        store.query(vector.astype(np.float64), k=2),
        store.query(vector[::-1][::-1], k=2),
        store.query([1, 0, 0], k=2),
        VecStore.query(store, vector, k=2),
    ]
    for answer in answers:
        assert answer == plain


@pytest.mark.parametrize(
    ("positional", "keywords", "message"),
    [
        ((), {}, "missing 1 required positional argument: 'vector'"),
        (([1, 0, 0], 2), {"k": 2}, "multiple values for argument 'k'"),
        (([1, 0, 0],), {"vector": [1, 0, 0]}, "multiple values for argument 'vector'"),
        (([1, 0, 0],), {"ef": 10}, "unexpected keyword argument 'ef'"),
        (([1, 0, 0], 1, None, 0.9), {}, "takes from 1 to 3 positional arguments but 4 were given"),
    ],
)
def test_a_wrong_call_is_refused(
    store: VecStore, positional: tuple[Any, ...], keywords: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        store.query(*positional, **keywords)


def test_query_needs_a_store() -> None:
    for slf in (object(), None, 3):
        with pytest.raises(TypeError, match="BaseCollection"):
            VecStore.query(slf, [1, 0, 0])  # type: ignore[call-overload]


def test_neighbors_outlive_the_store_and_what_becomes_of_it(store: VecStore) -> None:
    read, unread = (store.query(np.array([1, 0, 0], np.float32), k=1)[0] for _ in range(2))
    metadata = read.metadata
    store.update_metadata("apple", {"new": True})
    store.delete("pear")
    store.compact()
    store.close()
    assert unread.metadata == metadata == {"kind": "fruit", "price": 3}
    assert unread.metadata is unread.metadata
    unread.metadata["mine"] = 1
    assert pickle.loads(pickle.dumps(unread)) == unread
    assert pickle.loads(pickle.dumps(read)).metadata == metadata
    assert "mine" not in read.metadata
