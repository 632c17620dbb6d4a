"""The tests of one store, run on a collection in shards: what they promise of a store holds of it."""

from __future__ import annotations

import importlib.util
import inspect
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vecstore.distributed import RayCollection

from .conftest import Make

TESTS = Path(__file__).resolve().parents[1]
MODULES = ["write", "read", "query", "batch"]

#: What a collection in shards does not do, or says in other words. More of the tests, on shards of this
#: process, are in `suite`.
LEFT_OUT: dict[str, str] = {
    "test_a_call_means_the_same_however_its_arguments_are_given": "calls VecStore.query",
    "test_a_wrong_call_is_refused": "the words are those of a method of Python",
    "test_figures_are_attributes_and_items": "figures are RayStats",
    "test_query_batch_is_a_sequence": "the sequence is Answers, which its repr says",
    "test_a_store_can_be_copied_by_batch_upsert": "needs a store of one more kind",
}


def _loaded(name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(f"tests_of_one_store.{name}", TESTS / f"test_{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _tests(module: types.ModuleType) -> list[tuple[str, Callable[..., Any]]]:
    functions = inspect.getmembers(module, inspect.isfunction)
    return [(name, test) for name, test in functions if name.startswith("test_")]


for _module in map(_loaded, MODULES):
    for _name, _test in _tests(_module):
        if "store" in inspect.signature(_test).parameters and _name not in LEFT_OUT:
            assert _name not in globals()
            globals()[_name] = _test

_collection = _loaded("collection")
for _name, _test in _tests(_collection):
    if list(inspect.signature(_test).parameters)[:1] == ["docs"] and _name not in LEFT_OUT:
        globals()[_name] = _test


@pytest.fixture
def docs(make: Make) -> RayCollection:
    """A collection whose dimension the first record says."""
    return make(2)
