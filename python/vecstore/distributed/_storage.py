"""Shared storage: a directory that all nodes see, or a bucket.

Everything rests on one operation: `put_new`, which puts an object where there is none, or does nothing and
says so. Of any number of owners that try the same name one succeeds. Names come back in the order of their
characters."""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
import shutil
import tempfile
import typing
import urllib.parse
import urllib.request
from collections import abc
from pathlib import Path

from vecstore._errors import InvalidInputError, StorageError
from vecstore._exchange.files import sync_directory
from vecstore.distributed._packages import obstore

__all__ = ["Storage", "open_storage", "shard_prefix"]

#: What names of files begin with that are not put yet.
_DRAFT = ".draft-"


def shard_prefix(shard: int) -> str:
    """Returns what the names of all objects of a shard begin with."""
    return f"shards/{shard:05}/"


class Storage(typing.Protocol):
    """Objects by name; every method raises `StorageError` where the storage does not do what it is asked."""

    uri: str

    def put_new(self, name: str, content: bytes) -> bool:
        """Puts an object durably if there is none of this name; returns whether it did."""
        ...

    def get(self, name: str) -> bytes | None:
        """Returns the bytes of an object, None if there is none."""
        ...

    def names(self, prefix: str, after: str | None = None) -> list[str]:
        """Returns the names that begin with a prefix (which ends with `/`), in order, those after one if that
        is given.
        """
        ...

    def upload(self, name: str, path: Path) -> None:
        """Puts the content of a file, replacing what was there."""
        ...

    def download(self, name: str, path: Path) -> None:
        """Writes an object to a file."""
        ...

    def delete(self, names: abc.Sequence[str]) -> None:
        """Deletes objects; those that are not there are passed over."""
        ...


def open_storage(uri: typing.Any, options: abc.Mapping[str, typing.Any] | None = None) -> Storage:
    """Returns the storage at a uri: a path, ``file://`` or what obstore knows, such as
    ``s3://bucket/prefix``.
    """
    if isinstance(uri, os.PathLike):
        uri = os.fspath(uri)
    if not isinstance(uri, str):
        raise TypeError(f"uri: expected a str or a path, got {type(uri).__name__}")
    if not uri:
        raise InvalidInputError(
            "uri: expected a path or a url such as s3://bucket/prefix, got an empty string"
        )
    parts = urllib.parse.urlsplit(uri)
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise InvalidInputError(f"uri: expected file:///path, got {uri!r}")
        return _Directory(Path(urllib.request.url2pathname(parts.path)))
    if "://" not in uri:
        return _Directory(Path(uri).absolute())
    return _Bucket(uri, options)


class _Directory:
    """A directory. What is put is synced, with its name: a file system that many nodes mount must keep that
    promise.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uri = root.as_uri()
        #: Whether a manifest was seen.
        self._was_there = False

    def _path(self, name: str) -> Path:
        return self.root / name

    def _failed(self, what: str, error: OSError) -> StorageError:
        message = f"shared storage {self.uri}: cannot {what}: {error.strerror or error}"
        return StorageError(error.errno or errno.EIO, message)

    def _check_is_there(self) -> None:
        """Raises if there was a collection and is none any more, as where a file system is not mounted: what
        is put would be there alone.
        """
        if self._was_there and not self._path("manifest").is_dir():
            raise FileNotFoundError(errno.ENOENT, "the collection is not there any more")

    def put_new(self, name: str, content: bytes) -> bool:
        path = self._path(name)
        try:
            self._check_is_there()
            with _draft(path, lambda file: file.write(content)) as draft:
                try:
                    os.link(draft, path)  # fails if the name is taken, whoever took it
                except FileExistsError:
                    return False
            sync_directory(path.parent)
        except OSError as error:
            raise self._failed(f"put {name}", error) from error
        return True

    def get(self, name: str) -> bytes | None:
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed(f"read {name}", error) from error

    def names(self, prefix: str, after: str | None = None) -> list[str]:
        found = []
        try:
            for directory, _, files in os.walk(self._path(prefix), onerror=_unless_missing):
                base = Path(directory).relative_to(self.root).as_posix()
                found += [f"{base}/{file}" for file in files if not file.startswith(_DRAFT)]
        except OSError as error:
            raise self._failed(f"list {prefix}", error) from error
        self._was_there |= prefix == "manifest/" and bool(found)
        return sorted(name for name in found if after is None or name > after)

    def upload(self, name: str, path: Path) -> None:
        to = self._path(name)
        try:
            self._check_is_there()
            with path.open("rb") as source:

                def copy(file: typing.BinaryIO) -> None:
                    shutil.copyfileobj(source, file, 8 << 20)

                with _draft(to, copy) as draft:
                    draft.replace(to)
            sync_directory(to.parent)
        except OSError as error:
            raise self._failed(f"put {name}", error) from error

    def download(self, name: str, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._path(name), path)
        except OSError as error:
            raise self._failed(f"read {name}", error) from error

    def delete(self, names: abc.Sequence[str]) -> None:
        try:
            for name in names:
                self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise self._failed("delete", error) from error


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


@contextlib.contextmanager
def _draft(to: Path, write: abc.Callable[[typing.BinaryIO], object]) -> abc.Iterator[Path]:
    """Writes a durable file beside a place and yields its path; it is gone afterwards, unless renamed."""
    to.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=_DRAFT, dir=to.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


class _Bucket:
    """Object storage, by obstore."""

    #: The library's own patience, three minutes, is longer than a caller's.
    PATIENCE: typing.ClassVar = {"max_retries": 3, "retry_timeout": datetime.timedelta(seconds=15)}

    def __init__(self, uri: str, options: abc.Mapping[str, typing.Any] | None) -> None:
        self._library = obstore()
        self.uri = uri.rstrip("/")
        options = {"retry_config": self.PATIENCE, **(options or {})}
        try:
            self._store = self._library.store.from_url(self.uri, **options)
        except Exception as error:
            raise InvalidInputError(f"uri: {self.uri!r} is no storage: {_first_line(error)}") from error

    def _failed(self, what: str, error: Exception) -> StorageError:
        exceptions = self._library.exceptions
        # Of a listing that is refused the library has only the words.
        is_refused = isinstance(
            error, (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
        ) or any(status in str(error) for status in ("401 Unauthorized", "403 Forbidden"))
        why = "access was refused: are the credentials right? " if is_refused else ""
        code = errno.EACCES if is_refused else errno.EIO
        return StorageError(code, f"shared storage {self.uri}: cannot {what}: {why}{_first_line(error)}")

    def put_new(self, name: str, content: bytes) -> bool:
        try:
            self._library.put(self._store, name, content, mode="create", use_multipart=False)
        except self._library.exceptions.AlreadyExistsError:
            return False
        except Exception as error:
            raise self._failed(f"put {name}", error) from error
        return True

    def get(self, name: str) -> bytes | None:
        try:
            return bytes(self._library.get(self._store, name).bytes())
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._failed(f"read {name}", error) from error

    def names(self, prefix: str, after: str | None = None) -> list[str]:
        try:
            listing = self._library.list(self._store, prefix.rstrip("/"), offset=after)
            return sorted(entry["path"] for page in listing for entry in page)
        except Exception as error:
            raise self._failed(f"list {prefix}", error) from error

    def upload(self, name: str, path: Path) -> None:
        try:
            self._library.put(self._store, name, path)
        except Exception as error:
            raise self._failed(f"put {name}", error) from error

    def download(self, name: str, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for chunk in self._library.get(self._store, name).stream(min_chunk_size=8 << 20):
                    file.write(chunk)
        except Exception as error:
            raise self._failed(f"read {name}", error) from error

    def delete(self, names: abc.Sequence[str]) -> None:
        if not names:
            return
        try:
            self._library.delete(self._store, list(names))
        except FileNotFoundError:
            pass
        except Exception as error:
            raise self._failed("delete", error) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
