"""Whole records in columns: what goes to a shard, into its log, and from one shard to another.

A frame of rows is a header (JSON, its length in 4 bytes before it) and behind it the vectors, f32 in
little-endian order. Only whole records are ever logged, never a change of one: to apply a frame twice, or one
that the store has seen already, leads to the same records as once, if all that came after it is applied too.
"""

from __future__ import annotations

import dataclasses
import json
import typing
from collections import abc

from vecstore._errors import CorruptionError
from vecstore._vecstore import BaseCollection, _RowBatches

__all__ = ["BATCH_ROWS", "Frame", "Rows", "grouped", "joined", "page_of", "rows_of_ids", "rows_that_match"]

_Item = typing.TypeVar("_Item")

#: Records that move at a time.
BATCH_ROWS = 2000


@dataclasses.dataclass
class Rows:
    """Records, in the columns of ``_put_rows``; metadata are JSON, vectors bytes."""

    ids: list[str]
    vectors: bytes
    metadatas: list[str | None]
    texts: list[str | None]
    sparse: list[dict[int, float] | None]
    expires: list[int | None]
    deleted: list[bool]
    several: list[bytes | None]

    def __len__(self) -> int:
        return len(self.ids)

    def columns(self) -> tuple[typing.Any, ...]:
        """Returns the columns as `_RowBatches` hands them out."""
        return tuple(getattr(self, field.name) for field in dataclasses.fields(self))

    def put(self, store: BaseCollection) -> int:
        """Upserts the records into a store, all or none."""
        if not self.ids:
            return 0
        import numpy

        vectors = numpy.frombuffer(self.vectors, "<f4").reshape(len(self.ids), -1)
        several: list[typing.Any] | None = None
        if any(one is not None for one in self.several):
            dim = vectors.shape[1]
            several = [
                None if one is None else numpy.frombuffer(one, "<f4").reshape(-1, dim) for one in self.several
            ]
        return store._put_rows(
            self.ids,
            vectors,
            list(self.metadatas),
            self.texts,
            list(self.sparse),
            self.expires,
            self.deleted,
            several,
        )

    def split(self, key: abc.Callable[[str], int]) -> dict[int, Rows]:
        """Returns the records of each value of a key of their ids."""
        places = grouped(range(len(self)), lambda at: key(self.ids[at]))
        if len(places) == 1:
            return dict.fromkeys(places, self)
        return {value: self.take(rows) for value, rows in places.items()}

    def take(self, rows: abc.Sequence[int]) -> Rows:
        """Returns some of the records."""
        width = len(self.vectors) // max(1, len(self.ids))
        columns: list[list[typing.Any]] = [self.metadatas, self.texts, self.sparse]
        columns += [self.expires, self.deleted, self.several]
        cut: list[typing.Any] = [[column[at] for at in rows] for column in columns]
        vectors = b"".join(self.vectors[at * width : (at + 1) * width] for at in rows)
        return Rows([self.ids[at] for at in rows], vectors, *cut)

    def encode(self) -> tuple[dict[str, typing.Any], bytes]:
        """Returns what goes into a header, and the bytes behind it."""
        columns = {
            "ids": self.ids,
            "metadatas": self.metadatas,
            "texts": self.texts,
            "sparse": [None if one is None else [list(one), list(one.values())] for one in self.sparse],
            "expires": self.expires,
            "deleted": self.deleted,
            "several": [None if one is None else len(one) for one in self.several],
            "bytes": len(self.vectors),
        }
        behind = [self.vectors, *(one for one in self.several if one is not None)]
        return columns, b"".join(behind)

    @classmethod
    def decode(cls, columns: dict[str, typing.Any], behind: memoryview) -> Rows:
        """Makes the rows of a header again."""
        at = columns["bytes"]
        several: list[bytes | None] = []
        for length in columns["several"]:
            several.append(None if length is None else bytes(behind[at : at + length]))
            at += length or 0
        sparse = [None if one is None else dict(zip(*one)) for one in columns["sparse"]]
        return cls(
            columns["ids"],
            bytes(behind[: columns["bytes"]]),
            columns["metadatas"],
            columns["texts"],
            sparse,
            columns["expires"],
            columns["deleted"],
            several,
        )


@dataclasses.dataclass
class Frame:
    """What a call did: records that are so from now on, and ids that are gone."""

    rows: Rows | None = None
    gone: list[str] = dataclasses.field(default_factory=list)

    def apply(self, store: BaseCollection) -> None:
        """Does it again."""
        if self.gone:
            store.delete_many(self.gone)
        if self.rows is not None:
            self.rows.put(store)

    def __bool__(self) -> bool:
        return bool(self.gone or self.rows)

    def encode(self) -> bytes:
        """Returns the bytes of the frame."""
        columns, behind = (None, b"") if self.rows is None else self.rows.encode()
        header = json.dumps({"rows": columns, "gone": self.gone}).encode()
        return b"".join(
            [len(header).to_bytes(4, "little"), len(behind).to_bytes(8, "little"), header, behind]
        )

    @classmethod
    def decode(cls, content: memoryview) -> tuple[Frame, memoryview]:
        """Reads the first frame of some bytes; returns it and what is behind it."""
        try:
            length, behind = int.from_bytes(content[:4], "little"), int.from_bytes(content[4:12], "little")
            header = json.loads(bytes(content[12 : 12 + length]))
            end = 12 + length + behind
            rows = header["rows"]
            made = None if rows is None else Rows.decode(rows, content[12 + length : end])
            return cls(made, header["gone"]), content[end:]
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise CorruptionError(f"a frame of the log is malformed: {error}") from error


def grouped(items: abc.Iterable[_Item], key: abc.Callable[[_Item], int]) -> dict[int, list[_Item]]:
    """Returns the items of each value of a key, in their order."""
    groups: dict[int, list[_Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def rows_of_ids(store: BaseCollection, ids: abc.Sequence[str]) -> Rows | None:
    """Returns the records with these ids, soft-deleted ones included; None if none is there."""
    found = [Rows(*batch) for batch in store._rows_of(ids, max(1, len(ids)))]
    return joined(found)


def rows_that_match(
    store: BaseCollection,
    filter: typing.Any = None,
    params: typing.Any = None,
    *,
    include_deleted: bool = True,
    batch_rows: int = BATCH_ROWS,
) -> abc.Iterator[Rows]:
    """Yields the records of one moment in order of their ids."""
    for batch in _RowBatches(store, filter, params, include_deleted, batch_rows):
        yield Rows(*batch)


def page_of(
    store: BaseCollection,
    filter: typing.Any,
    params: typing.Any,
    include_deleted: bool,
    after: str | None,
    batch_rows: int,
) -> tuple[int, Rows | None]:
    """Returns how many records match whose ids come after one, and the first of them."""
    batches = _RowBatches(store, filter, params, include_deleted, batch_rows, after)
    batch = next(batches, None)
    return batches.total, None if batch is None else Rows(*batch)


def joined(batches: abc.Sequence[Rows]) -> Rows | None:
    """Returns several batches as one."""
    if len(batches) <= 1:
        return batches[0] if batches else None
    first = batches[0]
    columns = [field.name for field in dataclasses.fields(Rows) if field.name != "vectors"]
    together = {name: [item for batch in batches for item in getattr(batch, name)] for name in columns}
    return dataclasses.replace(first, vectors=b"".join(batch.vectors for batch in batches), **together)
