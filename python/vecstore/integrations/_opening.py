"""What the integrations share: finding a framework, opening a store, waiting for it."""

from __future__ import annotations

import os
import typing

from vecstore._errors import InvalidInputError
from vecstore._vecstore import BaseCollection, VecStore

__all__ = ["missing", "no_more", "opened"]


def missing(module: str, package: str, extra: str) -> ImportError:
    """The error of an integration whose framework is not there."""
    return ImportError(
        f"vecstore.integrations.{module} needs {package}, which cannot be imported; "
        f"install it with: pip install 'vecstore[{extra}]'"
    )


def opened(
    store: BaseCollection | None, path: str | os.PathLike[str], options: dict[str, typing.Any]
) -> BaseCollection:
    """The store that was given, or the one at the path."""
    if store is None:
        return VecStore(path, **options)
    if not isinstance(store, BaseCollection):
        raise TypeError(f"store: expected a VecStore or a Collection, got {type(store).__name__}")
    if options or os.fspath(path) != ":memory:":
        given = ", ".join(sorted(options) or ["path"])
        raise InvalidInputError(f"expected a store, or how to open one, got both: store and {given}")
    return store


def no_more(options: dict[str, typing.Any]) -> None:
    """Refuses keyword arguments that a framework lets through and nobody reads."""
    if options:
        raise TypeError(f"unexpected keyword arguments: {', '.join(options)}")
