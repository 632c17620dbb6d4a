"""Docstrings for griffe, which mkdocstrings reads with: those of the extension module, and examples."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import griffe

import vecstore._vecstore


class Docstrings(griffe.Extension):
    """Completes what griffe has read of the sources."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Called once all modules are read."""
        if pkg.name != "vecstore":
            return
        # The stub has the types; the docstrings are compiled in.
        for name, member in pkg.members["_vecstore"].members.items():
            for read, value in _with_members(member, getattr(vecstore._vecstore, name, None)):
                text = inspect.getdoc(value)
                if read.docstring is None and text:
                    # mkdocs.yml names a style only for what griffe reads itself.
                    read.docstring = griffe.Docstring(text, parent=read, parser="numpy")
        for read in _all(pkg):
            _name_examples(read)


def _with_members(read: Any, value: Any) -> Iterator[tuple[Any, Any]]:
    if value is None or not (read.is_alias or read.is_class or read.is_function):
        return
    try:
        members = dict(read.members)
    except griffe.AliasResolutionError:
        return
    yield read, value
    for name, member in members.items():
        yield from _with_members(member, getattr(value, name, None))


def _all(read: Any) -> Iterator[Any]:
    yield read
    for member in read.members.values():
        if not member.is_alias:
            yield from _all(member)


def _name_examples(read: Any) -> None:
    """Examples that stand in no section would be read as quotations."""
    docstring = read.docstring
    if docstring is None or ">>>" not in docstring.value or "Examples\n---" in docstring.value:
        return
    docstring.value = re.sub(r"^>>>", "Examples\n--------\n>>>", docstring.value, count=1, flags=re.MULTILINE)
