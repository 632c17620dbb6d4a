"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
import os
import pathlib
import stat
import typing
from collections import abc

from vecstore._errors import InvalidInputError, StorageError, UnsupportedError

#: Of files in the making, in this process.
_numbers = itertools.count()


def path_of(path: str | os.PathLike[str], what: str = "path") -> pathlib.Path:
    """Returns a path, or says what else it is."""
    try:
        return pathlib.Path(path)
    except TypeError:
        raise TypeError(f"{what}: expected a path, got {type(path).__name__}") from None


def check_numpy(what: str) -> None:
    """Fails, before anything is made, where numpy is needed and cannot be imported."""
    try:
        import numpy as np  # noqa: F401
    except ImportError as error:
        raise UnsupportedError(f"{what} needs numpy: pip install 'vecstore[numpy]'") from error


def storage_error(error: OSError, act: str, path: object) -> StorageError:
    """Makes the error of the operating system one of this package's."""
    return StorageError(error.errno or 0, f"cannot {act} `{path}`: {error.strerror or error}")


@contextlib.contextmanager
def reading(path: object) -> abc.Iterator[None]:
    """Raises errors of the operating system as `StorageError`."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        raise storage_error(error, "read", path) from error


@contextlib.contextmanager
def new_file(path: pathlib.Path) -> abc.Iterator[typing.BinaryIO]:
    """Yields a file beside its place, which is synced and renamed afterwards, or removed if that failed."""
    if not path.name or (path.exists() and not path.is_file()):
        raise InvalidInputError(f"expected the path of a file, got `{path}`")
    partial = None
    try:
        partial, file = _create_partial(path)
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_directory(path.parent)
    except StorageError:
        raise
    except OSError as error:
        raise storage_error(error, "write", path) from error
    finally:
        if partial is not None:
            with contextlib.suppress(OSError):
                partial.unlink()


def _create_partial(path: pathlib.Path) -> tuple[pathlib.Path, typing.BinaryIO]:
    """Creates a file that nobody has: not that of another thread, nor what another user put in its place."""
    while True:
        partial = path.with_name(f".{path.name}.{os.getpid()}-{next(_numbers)}.partial")
        with contextlib.suppress(FileExistsError):
            return partial, partial.open("xb")


def sync_directory(path: pathlib.Path) -> None:
    """Makes the names in a directory durable, where a system can."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def identity(path: pathlib.Path) -> str:
    """Tells a file from another, and from itself once it changed: for checkpoints.

    What is neither a file nor a directory is refused: opening a pipe would wait for whoever writes to it.
    """
    with reading(path):
        found = path.stat()
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise InvalidInputError(f"expected the path of a file, got `{path}`")
    return f"{path.name}, {found.st_size} bytes, {found.st_mtime_ns}"
