"""Runs the tests of one store here: where they make a store in memory, they get one in shards."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vecstore
from tests.conftest import fill
from tests.distributed.in_process import Collections, in_shards

TESTS = Path(__file__).resolve().parents[2]

__all__ = ["run_here"]


class _Stands:
    """Stands for `VecStore` in the tests that run here: makes the collections of the test that is running."""

    def __init__(self) -> None:
        self.collections: Collections | None = None

    def __call__(self, *args: Any, **options: Any) -> Any:
        if self.collections is None:
            return vecstore.VecStore(*args, **options)
        return self.collections(*args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(vecstore.VecStore, name)

    @staticmethod
    def open(*args: Any, **options: Any) -> Any:
        return STANDS(*args, **options)


STANDS = _Stands()


def run_here(scope: dict[str, Any], left_out: dict[str, str]) -> None:
    """Puts the tests of the module of this name into a scope.

    ``left_out`` says of some why they are not run on shards."""
    path = TESTS / Path(scope["__file__"]).name
    own, scope["__file__"] = scope["__file__"], str(path)  # where guides are found from
    exec(compile(path.read_text(), str(path), "exec"), scope)
    scope["__file__"] = own
    names = {name for name in scope if name.startswith("test_")}
    assert left_out.keys() <= names, f"no such tests: {left_out.keys() - names}"
    for name in left_out:
        del scope[name]
    proxy = types.ModuleType("vecstore")
    proxy.__dict__.update(vars(vecstore))
    proxy.__dict__["__getattr__"] = lambda name: getattr(vecstore, name)
    proxy.__dict__["VecStore"] = STANDS
    scope["vecstore"] = proxy
    if inspect.isclass(scope.get("VecStore")):
        scope["VecStore"] = STANDS

    @pytest.fixture(autouse=True)
    def standing(in_shards: Collections) -> Iterator[None]:
        STANDS.collections = in_shards
        yield
        STANDS.collections = None

    @pytest.fixture
    def store(standing: None) -> Iterator[Any]:
        assert standing is None
        with STANDS(":memory:") as store:
            fill(store)
            yield store

    scope.update(in_shards=in_shards, standing=standing, store=store)
