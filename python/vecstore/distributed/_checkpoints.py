"""Checkpoints: the files of a shard in shared storage, so that its log need not be kept for ever, and a node
may be lost.

A checkpoint is a backup of the shard's store (`VecStore.backup`). Segments are write-once and their names are
never used again: they lie in ``shards/<shard>/segments/`` and are uploaded once. What else a backup has is
small and lies in a directory of the checkpoint's own. **Write order**: files first; then the log's entry that
lists them, which only the owner can append; then what nothing lists any more is deleted. A crash before the
entry leaves files that nobody lists, and the next checkpoint deletes them."""

from __future__ import annotations

import os
import shutil
import typing
import uuid
import zlib
from collections import abc
from pathlib import Path

from vecstore._errors import CorruptionError
from vecstore._vecstore import VecStore
from vecstore.distributed import _pins
from vecstore.distributed._storage import Storage, shard_prefix

__all__ = ["collect_garbage", "copy", "discard", "download", "keep", "upload", "upload_all", "upload_kept"]

CHUNK_BYTES = 8 << 20


def upload(storage: Storage, shard: int, store: VecStore, backup: Path) -> list[list[typing.Any]]:
    """Backs a store up to a directory and uploads what is not in shared storage yet.

    Returns
    -------
    list
        Of each file of the backup: its path there, its name in shared storage, its length and its CRC-32.
    """
    store.backup(backup, incremental=True)
    files, sources = _listed(backup, _name_of(shard, uuid.uuid4().hex))
    _upload_missing(storage, sources, set(storage.names(_segments(shard))))
    return files


def upload_all(storage: Storage, prefix: str, store: VecStore, backup: Path) -> list[list[typing.Any]]:
    """Does the same to a prefix where there is nothing yet."""
    store.backup(backup, incremental=True)
    files, sources = _listed(backup, lambda _, relative: prefix + relative)
    _upload_missing(storage, sources, set())
    return files


def copy(
    storage: Storage, shard: int, store: VecStore, backup: Path, *, incremental: bool
) -> tuple[list[list[typing.Any]], set[str]]:
    """Does what `upload` does, or uploads all there is; returns with the files the names of those that were
    copied.
    """
    store.backup(backup, incremental=True)
    files, sources = _listed(backup, _name_of(shard, uuid.uuid4().hex))
    there = set(storage.names(_segments(shard))) if incremental else set()
    _upload_missing(storage, sources, there)
    return files, sources.keys() - there


def keep(store: VecStore, backup: Path, kept: Path) -> None:
    """Backs a store up to a directory, and keeps that as it is in another one, which shares its files."""
    store.backup(backup, incremental=True)
    discard(kept)
    shutil.copytree(backup, kept, copy_function=_link, ignore=shutil.ignore_patterns("LOCK"))


def upload_kept(storage: Storage, shard: int, token: str, kept: Path) -> None:
    """Pins and uploads what `keep` kept."""
    files, sources = _listed(kept, _name_of(shard, token))
    _pins.pin(storage, shard, token, files)
    _upload_missing(storage, sources, set(storage.names(_segments(shard))))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)


def _segments(shard: int) -> str:
    return f"{shard_prefix(shard)}segments/"


def _name_of(shard: int, token: str) -> abc.Callable[[Path, str], str]:
    own = f"{shard_prefix(shard)}checkpoints/{token}/"
    return lambda path, relative: _segments(shard) + path.name if path.suffix == ".seg" else own + relative


def _listed(
    backup: Path, name_of: abc.Callable[[Path, str], str]
) -> tuple[list[list[typing.Any]], dict[str, Path]]:
    """Returns the files of a backup as a checkpoint lists them, and where each lies by its name."""
    files, sources = [], {}
    for path in sorted(path for path in backup.rglob("*") if path.is_file() and path.name != "LOCK"):
        relative = path.relative_to(backup).as_posix()
        name = name_of(path, relative)
        files.append([relative, name, path.stat().st_size, _checksum(path)])
        sources[name] = path
    return files, sources


def _upload_missing(storage: Storage, sources: abc.Mapping[str, Path], there: abc.Set[str]) -> None:
    for name, path in sources.items():
        if name not in there:
            storage.upload(name, path)


def download(storage: Storage, files: abc.Sequence[abc.Sequence[typing.Any]], directory: Path) -> None:
    """Makes a store in ``directory/store`` of the files of a checkpoint; the backup stays for the next
    checkpoint.

    Raises
    ------
    CorruptionError
        If a file is not what was uploaded.
    """
    backup = directory / "backup"
    for relative, name, length, checksum in files:
        path = backup / relative
        if backup not in path.resolve().parents:
            raise CorruptionError(f"{storage.uri}: a checkpoint lists {relative!r}, which is outside it")
        storage.download(name, path)
        if path.stat().st_size != length or _checksum(path) != checksum:
            raise CorruptionError(f"{storage.uri}/{name} is damaged: its checksum does not match")
    VecStore.restore_backup(backup, directory / "store")


def collect_garbage(storage: Storage, shard: int, kept: abc.Iterable[str]) -> None:
    """Deletes the files of a shard that neither a checkpoint lists which may still be read nor a snapshot."""
    listed = {*kept, *_pins.pinned(storage, shard)}
    for folder in ("segments/", "checkpoints/"):
        names = storage.names(shard_prefix(shard) + folder)
        storage.delete([name for name in names if name not in listed])


def discard(directory: Path) -> None:
    """Removes a copy that is not the newest."""
    shutil.rmtree(directory, ignore_errors=True)


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            checksum = zlib.crc32(chunk, checksum)
    return checksum
