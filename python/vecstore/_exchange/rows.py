"""Rows on their way from a source into a collection."""

from __future__ import annotations

import dataclasses
import os
import typing
from collections import abc

from vecstore._arguments import check_int
from vecstore._errors import InvalidInputError, VecStoreError
from vecstore._progress import Progress
from vecstore._progress import start as start_watching
from vecstore._values import ImportResult
from vecstore._vecstore import BaseCollection, _Checkpoint

__all__ = ["BATCH_SIZE", "Rows", "Source", "pour", "rebatched"]

#: Records of one atomic write, where the caller does not say otherwise.
BATCH_SIZE = 1000
#: As in the extension module: what one batch of an import or export may have.
BATCH_SIZE_MAX = 1 << 24

#: A batch of vectors is written before it is full: this bounds memory.
BATCH_BYTES = 64 << 20


@dataclasses.dataclass
class Rows:
    """Some records, in columns; a column that is None is of records that have nothing there."""

    ids: list[str]
    #: One of each record; None where it has several and no other.
    vectors: typing.Any
    metadatas: list[typing.Any] | None = None
    texts: list[str | None] | None = None
    sparse: list[typing.Any] | None = None
    expires: list[int | None] | None = None
    deleted: list[bool] | None = None
    #: Several vectors of a record, as an array of the shape (n, dim).
    several: list[typing.Any] | None = None
    #: Rows of the source that these are made of, where that is not one each.
    items: int | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def slice(self, start: int, stop: int) -> Rows:
        """Returns some of the rows."""

        def cut(column: typing.Any) -> typing.Any:
            return None if column is None else column[start:stop]

        return Rows(
            cut(self.ids),
            cut(self.vectors),
            cut(self.metadatas),
            cut(self.texts),
            cut(self.sparse),
            cut(self.expires),
            cut(self.deleted),
            cut(self.several),
        )


class Source(typing.Protocol):
    """Where rows come from, in the same order each time."""

    #: What it is, for errors.
    name: str
    #: What tells it from any other source, and from itself once it changed.
    identity: str
    #: How many rows it has, where that is known before they are read.
    total: int | None

    def rows(self, start: int, batch_size: int) -> abc.Iterator[Rows]:
        """Yields the rows from the one with this number on."""
        ...


def rebatched(batches: abc.Iterable[Rows], batch_size: int) -> abc.Iterator[Rows]:
    """Cuts batches so that none has more rows than this."""
    for rows in batches:
        if len(rows) <= batch_size:
            yield rows
            continue
        for start in range(0, len(rows), batch_size):
            yield rows.slice(start, start + batch_size)


def _with_means(collection: BaseCollection, rows: Rows) -> typing.Any:
    """Returns the vectors of rows, with the mean of several where there is no other."""
    if rows.several is None or not isinstance(rows.vectors, list):
        return rows.vectors
    pairs = zip(rows.vectors, rows.several)
    return [collection._mean_vector(several) if one is None else one for one, several in pairs]


def pour(
    collection: BaseCollection,
    source: Source,
    *,
    batch_size: int = BATCH_SIZE,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress = False,
) -> ImportResult:
    """Upserts the rows of a source, each batch atomically."""
    batch_size = check_int("batch_size", batch_size, 1, BATCH_SIZE_MAX)
    note = None if checkpoint is None else _Checkpoint(collection, checkpoint, source.identity)
    items, records = (0, 0) if note is None else (note.items, note.records)
    resumed_at, batches = records, 0
    watcher = start_watching(progress, "import", "rows")
    try:
        for rows in source.rows(items, batch_size):
            if len(rows):
                collection._put_rows(
                    rows.ids,
                    _with_means(collection, rows),
                    rows.metadatas,
                    rows.texts,
                    rows.sparse,
                    rows.expires,
                    rows.deleted,
                    rows.several,
                )
                batches += 1
            items += len(rows) if rows.items is None else rows.items
            records += len(rows)
            if note is not None:
                note.advance(items, records)
            if watcher is not None:
                watcher.advance(items, source.total)
        if source.total is not None and items != source.total:
            raise InvalidInputError(f"expected {source.total} rows, as it says itself, got {items}")
    except VecStoreError as error:
        _tell(error, source, items, records)
        raise
    finally:
        if watcher is not None:
            watcher.close()
    if note is not None:
        note.finish()
    return ImportResult(records=records, resumed_at=resumed_at, batches=batches)


def _tell(error: VecStoreError, source: Source, items: int, records: int) -> None:
    """Says in an error where it came from, and what is done."""
    place = f"{source.name}: after row {items}: {error.args[-1]}; {records} records before it are imported"
    error.args = (*error.args[:-1], place)
