"""Checkpoints: the files of a shard in shared storage, so that its log need not be kept for ever, and a node
may be lost.

A checkpoint is a backup of the shard's store (`VecStore.backup`). Segments are write-once and their names are
never used again: they lie in ``shards/<shard>/segments/`` and are uploaded once. What else a backup has is
small and lies in a directory of the checkpoint's own. **Write order**: files first; then the log's entry that
lists them, which only the owner can append; then what nothing lists any more is deleted. A crash before the
entry leaves files that nobody lists, and the next checkpoint deletes them."""

from __future__ import annotations

import shutil
import typing
import uuid
import zlib
from collections import abc
from pathlib import Path

from vecstore._errors import CorruptionError
from vecstore._vecstore import VecStore
from vecstore.distributed._storage import Storage, shard_prefix

__all__ = ["collect_garbage", "discard", "download", "upload", "upload_all"]

CHUNK_BYTES = 8 << 20


def upload(storage: Storage, shard: int, store: VecStore, backup: Path) -> list[list[typing.Any]]:
    """Backs a store up to a directory and uploads what is not in shared storage yet.

    Returns
    -------
    list
        Of each file of the backup: its path there, its name in shared storage, its length and its CRC-32.
    """
    segments = f"{shard_prefix(shard)}segments/"
    own = f"{shard_prefix(shard)}checkpoints/{uuid.uuid4().hex}/"

    def name(path: Path, relative: str) -> str:
        return segments + path.name if path.suffix == ".seg" else own + relative

    return _uploaded(storage, store, backup, name, set(storage.names(segments)))


def upload_all(storage: Storage, prefix: str, store: VecStore, backup: Path) -> list[list[typing.Any]]:
    """Does the same to a prefix where there is nothing yet."""
    return _uploaded(storage, store, backup, lambda _, relative: prefix + relative, set())


def _uploaded(
    storage: Storage,
    store: VecStore,
    backup: Path,
    name_of: abc.Callable[[Path, str], str],
    there: abc.Set[str],
) -> list[list[typing.Any]]:
    store.backup(backup, incremental=True)
    listed = []
    for path in sorted(path for path in backup.rglob("*") if path.is_file()):
        if path.name == "LOCK":
            continue
        relative = path.relative_to(backup).as_posix()
        name = name_of(path, relative)
        if name not in there:
            storage.upload(name, path)
        listed.append([relative, name, path.stat().st_size, _checksum(path)])
    return listed


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
    """Deletes the files of a shard that no checkpoint lists which may still be read."""
    listed = set(kept)
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
