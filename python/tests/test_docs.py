"""The examples in docstrings run, and everything public has a docstring."""

from __future__ import annotations

import ast
import asyncio
import doctest
import inspect
import unittest.mock
from collections.abc import Iterator
from typing import Any

import pytest

import vecstore
import vecstore.evaluation
import vecstore.rag
import vecstore.types
from vecstore import Collection, VecDatabase, VecStore

from .conftest import fill


def public() -> Iterator[tuple[str, Any]]:
    """Yields what the package exports, and the public methods of its classes."""
    yield "vecstore", vecstore
    yield "vecstore.types", vecstore.types
    for name in vecstore.__all__:
        value = getattr(vecstore, name)
        if name.startswith("_") or name == "SearchResult":
            continue
        yield name, value
        if inspect.isclass(value):
            for member, defined in vars(value).items():
                if not member.startswith("_") and (
                    callable(getattr(value, member)) or inspect.isdatadescriptor(defined)
                ):
                    yield f"{name}.{member}", getattr(value, member)


PUBLIC = dict(public())
#: A named tuple's fields are described in their class.
FIELDS = {
    *("Page.records", "Page.cursor"),
    *("Facet.value", "Facet.count"),
    *("RangeFacet.start", "RangeFacet.end", "RangeFacet.count"),
    *("Snapshot.name", "Snapshot.created_at", "Snapshot.record_count"),
}


def run_examples(name: str, docstring: str, scope: dict[str, Any]) -> str:
    """Runs the examples of a docstring, with awaits as in ``python -m asyncio``; returns what failed."""
    test = doctest.DocTestParser().get_doctest(docstring, scope, name, None, 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    loop = asyncio.new_event_loop()

    def execute(code: Any, scope: dict[str, Any]) -> None:
        if code.co_flags & inspect.CO_COROUTINE:
            loop.run_until_complete(eval(code, scope))
        else:
            exec(code, scope)

    with unittest.mock.patch.object(doctest, "exec", execute, create=True):
        runner.run(test, out=report.append, compileflags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    loop.close()
    return "".join(report)


@pytest.mark.parametrize("name", sorted(PUBLIC.keys() - FIELDS))
def test_examples_of_docstrings_run(name: str) -> None:
    docstring = inspect.getdoc(PUBLIC[name])
    assert docstring, f"{name} has no docstring"
    with VecStore(":memory:") as store:
        fill(store)
        shown: Any = vecstore.AsyncVecStore.wrapping(store) if name.startswith("Async") else store
        assert not run_examples(name, docstring, {"vecstore": vecstore, "store": shown})


def examples_missing(module: Any) -> Iterator[str]:
    """Yields the public classes, functions and methods of a module that show no example.

    An override counts as shown where its base shows one. Errors say what they are, and classes of models that
    need files or a server are shown in the guides.
    """
    for name in module.__all__:
        value: Any = getattr(module, name)
        if not callable(value) or name in NO_EXAMPLE or name.startswith("_"):
            continue
        if inspect.isclass(value) and issubclass(value, BaseException):
            continue
        if ">>>" not in (inspect.getdoc(value) or ""):
            yield f"{module.__name__}.{name}"
        for member, defined in vars(value).items() if inspect.isclass(value) else ():
            is_method = inspect.isroutine(defined) or isinstance(defined, (classmethod, staticmethod))
            shown = [
                inspect.getdoc(getattr(base, member))
                for base in inspect.getmro(value)  # pyright: ignore[reportArgumentType]
                if member in vars(base)
            ]
            if (
                is_method
                and not member.startswith("_")
                and member not in NO_EXAMPLE
                and not any(">>>" in (text or "") for text in shown)
            ):
                yield f"{module.__name__}.{name}.{member}"


#: They need the files of a model, a server, or pandas.
NO_EXAMPLE = {"OnnxEmbedder", "StaticEmbedder", "OpenAICompatible", "CrossEncoderReranker", "to_pandas"}


@pytest.mark.parametrize("module", [vecstore, vecstore.rag, vecstore.evaluation])
def test_everything_public_has_an_example(module: Any) -> None:
    assert list(examples_missing(module)) == []


def test_signatures_are_there_to_read() -> None:
    assert (
        str(inspect.signature(VecStore.upsert))
        == "(self, /, id, vector, metadata=None, *, text=None, sparse=None, ttl_seconds=None)"
    )
    assert str(inspect.signature(VecStore.upsert_many)) == (
        "(self, /, ids, vectors, metadatas=None, *, texts=None, sparse=None, progress=False)"
    )
    assert str(inspect.signature(VecStore.query)).startswith(
        "(self, /, vector, k=10, filter=None, *, recall=0.95, exact=False, offset=0, min_score=None, include="
    )
    assert str(inspect.signature(VecStore)) == (
        "(path, *, dim=None, metric=None, durability='commit', read_only=False, wait=0.0, "
        "quantization='auto', memory_budget=None, threads=None, "
        "analyzer=None, text_fields=None, partition_by=None, schema=None)"
    )
    assert str(inspect.signature(VecDatabase)) == (
        "(path, *, durability='commit', read_only=False, wait=0.0, memory_budget=None, threads=None)"
    )
    assert str(inspect.signature(VecDatabase.create_collection)) == "(self, /, name, config=None)"
    assert str(inspect.signature(Collection.query_text)) == (
        "(self, /, text, embedder, k=10, filter=None, *, params=None)"
    )
