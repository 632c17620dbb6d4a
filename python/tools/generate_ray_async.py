"""Writes ``vecstore/distributed/_aio.py``, the awaited twin of `RayCollection`, from the methods of that
class.

``python python/tools/generate_ray_async.py`` writes it; with ``--check`` it only says whether it is up to
date. A method of the class, or of one that it is made of, gets its twin without a change here."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from generated import formatted, write_or_check

PACKAGE = Path(__file__).resolve().parents[1] / "vecstore" / "distributed"
MODULE = PACKAGE / "_aio.py"

#: The classes that `RayCollection` is made of, in the order in which their methods are written.
SOURCES = (
    "_collection.py",
    "_handle.py",
    "_writing.py",
    "_exchanging.py",
    "_reading.py",
    "_searching.py",
    "_duplicates.py",
    "_staging.py",
    "_explaining.py",
    "_snapshots.py",
)

#: Written by hand below.
OWN = {"open", "close", "stop"}

HEAD = '''"""`RayCollection` with awaited methods, written by python/tools/generate_ray_async.py."""

# ruff: noqa: E501 (first lines of docstrings, with where the rest is)

from __future__ import annotations

import os
import typing
from collections import abc
from types import TracebackType

from vecstore._async_calls import Opened, Threads, Twin
from vecstore._plans import ExplainedNeighbor, QueryEstimate, QueryPlan
from vecstore._progress import Progress
from vecstore._searches import Duplicate, Group, HybridQuery, PrefetchQuery, Query, UniqueResult
from vecstore._types import Embedder, Filter, Metadata, OrderBy, Sparse, Splitter, Vector, Vectors
from vecstore._values import (
    BackupResult,
    BatchOperation,
    BatchResult,
    CompactionConfig,
    CompactionResult,
    ExportResult,
    FieldIndex,
    HNSWSearchParams,
    ImportResult,
    Page,
    Snapshot,
    VerifyReport,
)
from vecstore._vecstore import Record
from vecstore.distributed._collection import RayCollection
from vecstore.distributed._config import RayConfig
from vecstore.distributed._merge import Answers, Found
from vecstore.distributed._searching import _Fusion, _Include, _Strategy
from vecstore.distributed._values import RayStats, RebalanceResult

if typing.TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow
    from typing_extensions import Self

__all__ = ["AsyncRayCollection"]


class AsyncRayCollection(Twin[RayCollection]):
    """A `RayCollection` whose methods are awaited, on threads of its own.

    >>> async with await AsyncRayCollection.open(uri, shards=2, config=config) as docs:
    ...     await docs.upsert("apple", [0.9, 0.1, 0.0])
    ...     await docs.count()
    1
    """

    __slots__ = ()

    def __init__(self, collection: RayCollection) -> None:
        self._opened = Opened(lambda: collection, collection)
        self._threads = Threads()

    @classmethod
    async def open(
        cls,
        uri: str | os.PathLike[str],
        shards: int | None = None,
        replicas: int | None = None,
        config: RayConfig | None = None,
    ) -> AsyncRayCollection:
        """Opens the collection at a uri, or makes it. See `RayCollection.open`."""
        from vecstore._async_calls import on_a_thread

        return cls(await on_a_thread(RayCollection.open, uri, shards, replicas, config))

    async def close(self) -> None:
        """Closes the handle. See `RayCollection.close`."""
        await self._close()

    async def stop(self) -> None:
        """Ends the actors and closes the handle. See `RayCollection.stop`."""
        await self._call("stop")
        self._threads.end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        await self.close()

    def __aiter__(self) -> abc.AsyncIterator[Record]:
        return self._each("__iter__")
'''


def methods() -> list[ast.FunctionDef]:
    """Returns the public methods."""
    found = []
    for source in SOURCES:
        for node in ast.parse((PACKAGE / source).read_text()).body:
            if isinstance(node, ast.ClassDef):
                if node.name.startswith("_"):
                    continue
                defs = [one for one in node.body if isinstance(one, ast.FunctionDef)]
                found += [one for one in defs if not one.name.startswith("_") and one.name not in OWN]
    return found


def twin(method: ast.FunctionDef) -> str:
    """Returns the source of the twin of a method."""
    name, arguments, returns = (
        method.name,
        ast.unparse(method.args),
        ast.unparse(method.returns or ast.Constant(None)),
    )
    first = (ast.get_docstring(method) or "").split("\n", 1)[0]
    if any(isinstance(one, ast.Name) and one.id == "property" for one in method.decorator_list):
        see = f" See `RayCollection.{name}`."
        return (
            f"\n    @property\n    def {name}({arguments}) -> {returns}:\n"
            f'        """{first.partition(" See")[0]}{see}"""\n        return self._opened.get().{name}\n'
        )
    passed = [one.arg for one in [*method.args.posonlyargs, *method.args.args][1:]]
    passed += [f"{one.arg}={one.arg}" for one in method.args.kwonlyargs]
    call = ", ".join([repr(name), *passed])
    body = f"await self._call({call})"
    if returns != "None":
        body = f"result: {returns} = {body}\n        return result"
    doc = f'"""{first.partition(" See")[0]} See `RayCollection.{name}`."""'
    return f"\n    async def {name}({arguments}) -> {returns}:\n        {doc}\n        {body}\n"


def generated() -> dict[Path, str]:
    """Returns the module and what should be in it."""
    return {MODULE: formatted(HEAD + "".join(twin(method) for method in methods()), MODULE)}


if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, generated))
