"""One vector, in every form that it may have."""

from __future__ import annotations

import array
import ctypes
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import vecstore
from vecstore import VecStore


@pytest.fixture
def plane() -> Iterator[VecStore]:
    with VecStore(":memory:", dim=3, metric="euclidean") as store:
        yield store


def ordered(kind: Any) -> Any:
    """A type of ctypes, which has others with an order of bytes that typeshed does not know of."""
    return kind


class Tensor:
    """What a tensor on the CPU looks like to numpy."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.array([1, 2, 3], dtype or np.float32)


@pytest.mark.parametrize(
    "vector",
    [
        [1.0, 2.0, 3.0],
        [1, 2, 3],
        (1, 2.0, 3),
        [np.float32(1), np.float64(2), np.int8(3)],
        [Fraction(1), Decimal(2), 3],
        deque([1, 2, 3]),
        range(1, 4),
        array.array("f", [1, 2, 3]),
        array.array("d", [1, 2, 3]),
        array.array("i", [1, 2, 3]),
        array.array("B", [1, 2, 3]),
        memoryview(array.array("f", [1, 2, 3])),
        memoryview(array.array("f", [1, 9, 2, 9, 3]))[::2],
        memoryview(array.array("d", [1, 9, 2, 9, 3]))[::2],
        (ctypes.c_float * 3)(1, 2, 3),
        (ctypes.c_double * 3)(1, 2, 3),
        (ordered(ctypes.c_float).__ctype_be__ * 3)(1, 2, 3),
        (ordered(ctypes.c_float).__ctype_le__ * 3)(1, 2, 3),
        (ordered(ctypes.c_int16).__ctype_be__ * 3)(1, 2, 3),
        np.array([1, 2, 3], np.float32),
        np.array([1, 2, 3], np.float64),
        np.array([1, 2, 3], np.float16),
        np.array([1, 2, 3], np.longdouble),
        np.array([1, 2, 3], np.uint8),
        np.array([1, 2, 3], ">f4"),
        np.array([1, 2, 3], object),
        np.array([3, 2, 1], np.float32)[::-1],
        np.array([[1, 9], [2, 9], [3, 9]], np.float32)[:, 0],
        np.array([[1, 9], [2, 9], [3, 9]], np.float64)[:, 0],
        np.frombuffer(b"\0" + np.array([1, 2, 3], np.float32).tobytes(), np.uint8)[1:].view(np.float32),
        Tensor(),
    ],
    ids=lambda vector: f"{type(vector).__name__}-{getattr(vector, 'dtype', '')}",
)
def test_a_vector_may_be(plane: VecStore, vector: Any) -> None:
    plane.upsert("a", vector)
    record = plane.get("a")
    assert record is not None
    assert record.vector == [1.0, 2.0, 3.0]
    assert plane.query(vector)[0].distance == 0
    plane.update_vector("a", vector)


def test_what_a_number_raises_comes_through(plane: VecStore) -> None:
    class Broken:
        def __float__(self) -> float:
            raise ZeroDivisionError("from within")

        def __index__(self) -> int:
            raise KeyboardInterrupt

    with pytest.raises(ZeroDivisionError, match="from within"):
        plane.upsert("a", [1.0, Broken(), 3.0])
    with pytest.raises(ZeroDivisionError, match="from within"):
        plane.query([1.0, 2.0, 3.0], recall=Broken())  # type: ignore[call-overload]
    with pytest.raises(KeyboardInterrupt):
        plane.query([1.0, 2.0, 3.0], k=Broken())  # type: ignore[call-overload]
    assert "a" not in plane


def test_components_are_rounded_to_32_bits(plane: VecStore) -> None:
    plane.upsert("a", [0.1, 1 / 3, 1e-10])
    record = plane.get("a")
    assert record is not None
    assert record.vector == np.array([0.1, 1 / 3, 1e-10], np.float32).tolist()


@pytest.mark.parametrize(
    ("vector", "error", "message"),
    [
        ([1, float("nan"), 3], vecstore.InvalidInputError, "component 1 is NaN"),
        ([1, 2, float("inf")], vecstore.InvalidInputError, "component 2 is inf"),
        ([1, 2, -float("inf")], vecstore.InvalidInputError, "component 2 is -inf"),
        ([1, 2, 1e300], vecstore.InvalidInputError, "component 2 is inf"),
        (
            [1, 2, 10**400],
            vecstore.InvalidInputError,
            "component 2 of vector: expected a number that a float",
        ),
        (np.array([1, np.nan, 3]), vecstore.InvalidInputError, "component 1 is NaN"),
        ([1, 2], vecstore.DimensionMismatchError, "expected a vector of 3 components, got 2"),
        ([1, 2, 3, 4], vecstore.DimensionMismatchError, "expected a vector of 3 components, got 4"),
        ([1, 2, 3, 4, 5, 6], vecstore.DimensionMismatchError, "expected a vector of 3 components, got 6"),
        ([], vecstore.InvalidInputError, "got 0"),
        (np.empty(0), vecstore.InvalidInputError, "got 0"),
        ([1, 2, None], TypeError, "component 2 of vector: expected a number, got NoneType"),
        ([1, 2, "3"], TypeError, "component 2 of vector: expected a number, got str"),
        ([1, 2, True], TypeError, "component 2 of vector: expected a number, got bool"),
        ([1, 2, 3j], TypeError, "component 2 of vector: expected a number, got complex"),
        ([[1, 2, 3]], TypeError, "component 0 of vector: expected a number, got list"),
        (np.ones((1, 3)), vecstore.InvalidInputError, r"expected one dimension, got the shape \(1, 3\)"),
        (np.float32(3), vecstore.InvalidInputError, r"expected one dimension, got the shape \(\)"),
        (np.array(3.0), vecstore.InvalidInputError, r"expected one dimension, got the shape \(\)"),
        (np.array([True, False, True]), TypeError, "expected an array of numbers"),
        (np.array(["1", "2", "3"]), TypeError, "expected an array of numbers"),
        ("abc", TypeError, "vector: expected a vector .* got str"),
        (b"abc", TypeError, "vector: expected a vector .* got bytes"),
        (None, TypeError, "vector: expected a vector .* got NoneType"),
        (3, TypeError, "vector: expected a vector .* got int"),
        ({1: 2}, TypeError, "vector: expected a vector .* got dict"),
        ({1, 2, 3}, TypeError, "vector: expected a vector .* got set"),
        ((n for n in range(3)), TypeError, "vector: expected a vector .* got generator"),
    ],
)
def test_a_vector_may_not_be(plane: VecStore, vector: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plane.upsert("a", vector)
    assert plane.is_empty()
    plane.upsert("a", [1, 2, 3])
    with pytest.raises(error):
        plane.update_vector("a", vector)
    with pytest.raises(error):
        plane.query(vector)


def test_what_lies_under_a_mask_is_not_stored(plane: VecStore) -> None:
    for dtype in (np.float32, np.float64, np.int16, object):
        whole = np.ma.masked_array(np.array([1, 2, 3], dtype), mask=[False, False, False])
        plane.upsert("a", whole)
        assert plane.get("a").vector == [1, 2, 3]  # type: ignore[union-attr]
        assert plane.query(whole, k=1)[0].id == "a"
        masked = np.ma.masked_array(np.array([1, 2, 3], dtype), mask=[False, True, False])
        for call in (plane.query, lambda vector: plane.upsert("b", vector)):
            with pytest.raises((vecstore.InvalidInputError, TypeError), match=r"of vector|vector: .* masked"):
                call(masked)
        with pytest.raises(
            (vecstore.InvalidInputError, TypeError), match=r"of vectors\[0\]|vectors: .* masked"
        ):
            plane.upsert_many(["b"], masked.reshape(1, 3))
    assert len(plane) == 1


def test_a_zero_vector_has_no_direction_under_cosine() -> None:
    with VecStore(":memory:", metric="cosine") as store:
        store.upsert("a", [1.0, 0.0])
        with pytest.raises(vecstore.InvalidInputError, match="cosine"):
            store.upsert("zero", [0.0, 0.0])
        with pytest.raises(vecstore.InvalidInputError, match="cosine"):
            store.query([0.0, 0.0])
        assert len(store) == 1


def test_a_zero_vector_is_a_point_under_other_metrics(plane: VecStore) -> None:
    plane.upsert("zero", [0, 0, 0])
    assert plane.query([0, 0, 0])[0].score == 1.0


def test_the_caller_may_change_an_array_after_the_call(plane: VecStore) -> None:
    vector = np.array([1, 2, 3], np.float32)
    plane.upsert("a", vector)
    vector[:] = 9
    record = plane.get("a")
    assert record is not None
    assert record.vector == [1.0, 2.0, 3.0]


def test_the_largest_dimension_is_65536() -> None:
    with VecStore(":memory:") as store:
        store.upsert("a", np.ones(65_536))
        assert store.query(np.ones(65_536))[0].id == "a"
    with VecStore(":memory:") as store, pytest.raises(vecstore.InvalidInputError, match=r"65536.*got 65537"):
        store.upsert("a", np.ones(65_537))
