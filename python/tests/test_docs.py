"""The examples in docstrings run, and everything public has a docstring."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import vecstore
from vecstore import Collection, VecDatabase, VecStore

from .conftest import fill


def public() -> Iterator[tuple[str, Any]]:
    """Yields what the package exports, and the public methods of its classes."""
    yield "vecstore", vecstore
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
#: The classes whose methods all have an example.
CLASSES = ("BaseCollection.", "VecStore.", "Collection.", "VecDatabase.")


@pytest.mark.parametrize("name", sorted(PUBLIC.keys() - FIELDS))
def test_examples_of_docstrings_run(name: str) -> None:
    docstring = inspect.getdoc(PUBLIC[name])
    assert docstring, f"{name} has no docstring"
    with VecStore(":memory:") as store:
        fill(store)
        test = doctest.DocTestParser().get_doctest(
            docstring, {"vecstore": vecstore, "store": store}, name, None, 0
        )
        report: list[str] = []
        doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL).run(test, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("name", sorted(name for name in PUBLIC if name.startswith(CLASSES)))
def test_every_method_of_a_store_has_an_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(PUBLIC[name]) or "")


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
        "analyzer=None, text_fields=None, partition_by=None)"
    )
    assert str(inspect.signature(VecDatabase)) == (
        "(path, *, durability='commit', read_only=False, wait=0.0, memory_budget=None, threads=None)"
    )
    assert str(inspect.signature(VecDatabase.create_collection)) == "(self, /, name, config=None)"
    assert str(inspect.signature(Collection.query_text)) == (
        "(self, /, text, embedder, k=10, filter=None, *, params=None)"
    )
