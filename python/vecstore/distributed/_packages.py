"""The packages of ``vecstore[ray]``, imported when they are needed."""

from __future__ import annotations

import importlib
import typing

from vecstore.distributed._errors import RayMissingError

__all__ = ["obstore", "ray"]


def ray() -> typing.Any:
    """Returns the module ``ray``."""
    return _package("ray", "vecstore.distributed needs Ray")


def obstore() -> typing.Any:
    """Returns the module ``obstore``."""
    return _package("obstore", "shared storage that is no directory needs obstore")


def _package(name: str, need: str) -> typing.Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise RayMissingError(
            f"{need}, which cannot be imported here ({error}): pip install 'vecstore[ray]'", name=name
        ) from error
