"""Awaited methods hand on what they are given, each argument under its name, and give back what comes."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest

import vecstore
from vecstore import distributed

TWINS: list[tuple[Any, Any, Callable[[Any], Any]]] = [
    (vecstore.VecStore, vecstore.AsyncVecStore, vecstore.AsyncVecStore.wrapping),
    (vecstore.Collection, vecstore.AsyncCollection, vecstore.AsyncCollection),
    (vecstore.VecDatabase, vecstore.AsyncVecDatabase, vecstore.AsyncVecDatabase.wrapping),
    (distributed.RayCollection, distributed.AsyncRayCollection, distributed.AsyncRayCollection),
]
#: Those that do more than to hand on: `test_async.py` and the examples of the docstrings have them.
OTHERS = {
    "vecstore": {
        "upsert_chunks",
        "batch_upsert_texts",
        "query_text",
        "create_collection",
        "get_collection",
        "get_or_create_collection",
        "restore_collection",
    },
    "vecstore.distributed": set(),
}
NOT_OF_AN_OBJECT = {"open", "repair", "restore_backup"}


class Recorder:
    """Something that has every method, and keeps with what it was called."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> list[str]:
            self.calls.append((name, args, kwargs))
            return ["what came back of", name]

        return call


def methods(awaited: Any) -> list[str]:
    left_out = OTHERS[awaited.__module__] | NOT_OF_AN_OBJECT
    return [
        name
        for name, method in inspect.getmembers(awaited, inspect.iscoroutinefunction)
        if not name.startswith("_") and name not in left_out
    ]


@pytest.mark.parametrize(
    ("blocking", "awaited", "wrapping", "name"),
    [
        pytest.param(*twin, name, id=f"{twin[1].__name__}.{name}")
        for twin in TWINS
        for name in methods(twin[1])
    ],
)
def test_a_method_hands_on_its_arguments_and_its_result(
    blocking: Any, awaited: Any, wrapping: Callable[[Any], Any], name: str
) -> None:
    method = getattr(blocking, name)
    parameters = list(inspect.signature(getattr(awaited, name)).parameters.values())[1:]
    given = {one.name: object() for one in parameters}
    recorder = Recorder()
    twin = wrapping(recorder)
    by_place = [given[one.name] for one in parameters if one.kind is not one.KEYWORD_ONLY]
    by_name = {one.name: given[one.name] for one in parameters if one.kind is one.KEYWORD_ONLY}

    result = asyncio.run(getattr(twin, name)(*by_place, **by_name))
    ((called, args, kwargs),) = recorder.calls
    assert called == name
    bound = inspect.signature(method).bind(None, *args, **kwargs)
    assert list(bound.arguments.values())[1:] == [given[key] for key in list(bound.arguments)[1:]]
    assert len(bound.arguments) == len(given) + 1
    assert result in (None, ["what came back of", name])


@pytest.mark.parametrize(("blocking", "awaited", "wrapping"), TWINS)
def test_an_argument_that_is_not_given_has_the_default_of_the_blocking_method(
    blocking: Any, awaited: Any, wrapping: Callable[[Any], Any]
) -> None:
    for name in methods(awaited):
        recorder = Recorder()
        twin = wrapping(recorder)
        parameters = list(inspect.signature(getattr(awaited, name)).parameters.values())[1:]
        needed = [object() for one in parameters if one.default is one.empty]
        asyncio.run(getattr(twin, name)(*needed))
        ((called, args, kwargs),) = recorder.calls
        bound = inspect.signature(getattr(blocking, called)).bind(None, *args, **kwargs)
        defaults = inspect.signature(getattr(blocking, called)).parameters
        for key, value in list(bound.arguments.items())[1 + len(needed) :]:
            assert defaults[key].default in (value, ...), (name, key)
