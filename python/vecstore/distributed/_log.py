"""The log of a shard in shared storage. It is what makes one owner of many: `ShardLog.append` puts the next
entry where there must be none.

Entries are ``shards/<shard>/log/<number>``, numbered from 1 without a gap. An entry is

    magic "vsSHLOG1", u32 length of the header, the header (JSON), the payload, u32 CRC-32 of all before it

and its header says what it is: ``begin`` (the first), ``open`` (a new owner begins its epoch), ``rows``
(frames, see `_rows`), ``checkpoint`` (files in shared storage hold everything up to an entry), ``adopt`` (a
bulk build was taken in). Who wants to own the shard reads to the end and appends ``open``. From then on the
owner before it cannot append: the number it would use is taken. So nothing that it does is acknowledged any
more, whatever it believes, and no clock is asked."""

from __future__ import annotations

import dataclasses
import json
import typing
import uuid
import zlib
from collections import abc

from vecstore._errors import CorruptionError
from vecstore.distributed._errors import FencedError
from vecstore.distributed._rows import Frame
from vecstore.distributed._storage import Storage, shard_prefix

__all__ = ["Entry", "ShardLog"]

MAGIC = b"vsSHLOG1"


@dataclasses.dataclass
class Entry:
    """One entry."""

    number: int
    kind: str
    header: dict[str, typing.Any]
    payload: bytes

    def frames(self) -> abc.Iterator[Frame]:
        """Yields the frames of ``rows``."""
        left = memoryview(self.payload)
        while len(left):
            frame, left = Frame.decode(left)
            yield frame


class ShardLog:
    """The log of one shard, as far as this process knows it."""

    def __init__(self, storage: Storage, shard: int) -> None:
        self._storage = storage
        self._prefix = f"{shard_prefix(shard)}log/"
        self._shard = shard
        #: The last entry that was read or appended.
        self.number = 0
        self.epoch = 0
        #: The last checkpoint; 0 if there is none.
        self.checkpoint = 0
        #: The copy on a node's disk that the last owner wrote to.
        self.copy: str | None = None
        #: An entry of which the storage did not say whether it is there.
        self._unsure: Entry | None = None

    def name(self, number: int) -> str:
        """Returns the name of an entry."""
        return f"{self._prefix}{number:020}"

    def seek_end(self) -> None:
        """Learns what the last entry says."""
        names = self._storage.names(self._prefix, self.name(self.number) if self.number else None)
        if names:
            number = names[-1].rpartition("/")[2]
            if not number.isdecimal():
                raise CorruptionError(f"{self._storage.uri}/{names[-1]} is no entry of a log")
            self.learn(self._present(int(number)))

    def read(self, number: int) -> Entry | None:
        """Returns an entry; None if there is none of this number."""
        content = self._storage.get(self.name(number))
        return None if content is None else self._decode(number, content)

    def next(self) -> Entry | None:
        """Returns the entry after the last one that is known, if there is one; `learn` makes it known."""
        return self.read(self.number + 1)

    def has_next(self) -> bool:
        """Returns whether somebody else has appended an entry."""
        return bool(self._storage.names(self._prefix, self.name(self.number)))

    def between(self, first: int, last: int) -> abc.Iterator[Entry]:
        """Yields the entries from one number to another, both included."""
        for number in range(first, last + 1):
            yield self._present(number)

    def append(self, kind: str, payload: bytes = b"", **header: typing.Any) -> None:
        """Appends an entry.

        Raises
        ------
        FencedError
            If somebody else has appended since.
        StorageError
            If that is not known. The next call makes sure of this entry first: whoever logs its frames again
            does no harm.
        """
        if self._unsure is not None:
            self._append(self._unsure)
        number = self.number + 1
        known = {"checkpoint": self.checkpoint, "copy": self.copy, "epoch": self.epoch}
        entry = Entry(number, kind, {"kind": kind, "token": uuid.uuid4().hex, **known, **header}, payload)
        if kind == "checkpoint":
            entry.header["checkpoint"] = number
        self._append(entry)

    def _append(self, entry: Entry) -> None:
        self._unsure = entry
        if not self._storage.put_new(self.name(entry.number), _encode(entry)):
            there = self._present(entry.number)
            # An attempt that seemed to fail, by the storage's own repetition, may be what is there.
            if there.header["token"] != entry.header["token"]:
                raise FencedError(
                    f"shard {self._shard}: another owner has taken it over (epoch {there.header['epoch']}, "
                    f"this one has {self.epoch}); what was not acknowledged is not written"
                )
        self._unsure = None
        self.learn(entry)

    def begin(self) -> None:
        """Puts the first entry, if there is none."""
        header = {"kind": "begin", "token": uuid.uuid4().hex, "checkpoint": 0, "copy": None, "epoch": 0}
        self._storage.put_new(self.name(1), _encode(Entry(1, "begin", header, b"")))

    def claim(self, copy: str) -> None:
        """Becomes the owner, who keeps the records in this copy on its disk.

        Raises
        ------
        FencedError
            If somebody else was faster.
        """
        self.append("open", epoch=self.epoch + 1, copy=copy)

    def trim(self, first: int) -> None:
        """Deletes the entries before a number."""
        names = self._storage.names(self._prefix)
        self._storage.delete([name for name in names if name < self.name(first)])

    def learn(self, entry: Entry) -> None:
        """Makes an entry the last one that is known."""
        self.number = entry.number
        self.epoch, self.checkpoint = entry.header["epoch"], entry.header["checkpoint"]
        self.copy = entry.header["copy"]

    def _present(self, number: int) -> Entry:
        entry = self.read(number)
        if entry is None:
            raise CorruptionError(f"{self._storage.uri}: {self.name(number)} is missing from the log")
        return entry

    def _decode(self, number: int, content: bytes) -> Entry:
        name = f"{self._storage.uri}/{self.name(number)}"
        body, checksum = content[:-4], int.from_bytes(content[-4:], "little")
        if not content.startswith(MAGIC) or zlib.crc32(body) != checksum:
            raise CorruptionError(f"{name} is damaged: its checksum does not match")
        length = int.from_bytes(content[8:12], "little")
        try:
            header = json.loads(body[12 : 12 + length])
            return Entry(number, header["kind"], header, body[12 + length :])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CorruptionError(f"{name} is malformed: {error}") from error


def _encode(entry: Entry) -> bytes:
    header = json.dumps(entry.header).encode()
    body = b"".join([MAGIC, len(header).to_bytes(4, "little"), header, entry.payload])
    return body + zlib.crc32(body).to_bytes(4, "little")
