"""The exceptions of vecstore: one tree, whose members are the built-in exceptions they resemble."""

from __future__ import annotations

__all__ = [
    "VecStoreError",
    "InvalidInputError",
    "DimensionMismatchError",
    "FilterError",
    "QuotaExceededError",
    "NotFoundError",
    "AlreadyExistsError",
    "StoreLockedError",
    "ClosedError",
    "CorruptionError",
    "StorageError",
    "UnsupportedError",
]


class VecStoreError(Exception):
    """The base of every error that vecstore raises, but for arguments of a wrong type (``TypeError``)."""

    def __str__(self) -> str:
        # `KeyError` would show the repr of its argument, `OSError` the number of the error in brackets.
        return str(self.args[-1]) if self.args else ""


class InvalidInputError(VecStoreError, ValueError):
    """An argument is outside what the call accepts; nothing was changed."""


class DimensionMismatchError(InvalidInputError):
    """A vector has another number of components than the store."""


class FilterError(InvalidInputError):
    """A filter is malformed or over a limit; the message says where."""


class QuotaExceededError(InvalidInputError):
    """A write would take a collection beyond a quota; the message says which. Nothing was changed."""


class NotFoundError(VecStoreError, KeyError):
    """There is no record of that id, or no collection or snapshot of that name."""


class AlreadyExistsError(VecStoreError, ValueError):
    """Something of that name exists already."""


class StoreLockedError(VecStoreError):
    """Another process, or another handle in this one, writes to the store; the message names it."""


class ClosedError(VecStoreError):
    """The store was closed, the collection deleted, or they belong to the parent of a forked process."""


class CorruptionError(VecStoreError):
    """Bytes on disk are not what was written."""


class StorageError(VecStoreError, OSError):
    """The operating system refused a read or write; nothing was changed. ``errno`` has its code, if any."""


class UnsupportedError(VecStoreError):
    """The operation, or the version of the files, is not supported here."""


for _name in __all__:
    globals()[_name].__module__ = "vecstore"
del _name
