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
from vecstore._vecstore import BaseCollection, _Checkpoint, _RowBatches

__all__ = ["BATCH_SIZE", "Elsewhere", "Rows", "Source", "batches_of", "note_of", "pour", "rebatched"]

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


class Batches(typing.Protocol):
    """Records in ascending order of id; iterating yields tuples of columns, as `_RowBatches` has them."""

    @property
    def total(self) -> int:
        """The number of records in all."""
        ...

    def __iter__(self) -> abc.Iterator[typing.Any]: ...


class Note(typing.Protocol):
    """How far an import is, as `_Checkpoint` notes it."""

    @property
    def items(self) -> int:
        """Rows of the source that were done when the note was read."""
        ...

    @property
    def records(self) -> int:
        """Records that were written then."""
        ...

    def advance(self, items: int, records: int) -> None:
        """Notes that so much is done."""
        ...

    def finish(self) -> None:
        """Removes the note."""
        ...


class Elsewhere(typing.Protocol):
    """A collection whose records are not in this process."""

    def dimension(self) -> int | None:
        """As that of `BaseCollection`."""
        ...

    @property
    def distance_metric(self) -> str:
        """As that of `BaseCollection`."""
        ...

    def _row_batches(
        self, filter: typing.Any, params: typing.Any, include_deleted: bool, batch_rows: int
    ) -> Batches: ...

    def _import_note(self, path: str | os.PathLike[str], source: str) -> Note: ...

    def _mean_vector(self, vectors: typing.Any) -> list[float]: ...

    def _put_rows(
        self,
        ids: typing.Any,
        vectors: typing.Any,
        metadata: typing.Any,
        texts: typing.Any,
        sparse: typing.Any,
        expires: typing.Any,
        deleted: typing.Any,
        several: typing.Any,
    ) -> int: ...


def batches_of(
    collection: BaseCollection | Elsewhere,
    filter: typing.Any,
    params: typing.Any,
    include_deleted: bool,
    batch_rows: int,
) -> Batches:
    """Returns the records that match, batch by batch."""
    if isinstance(collection, BaseCollection):
        return _RowBatches(collection, filter, params, include_deleted, batch_rows)
    return collection._row_batches(filter, params, include_deleted, batch_rows)


def note_of(
    collection: BaseCollection | Elsewhere, path: str | os.PathLike[str] | None, source: str
) -> Note | None:
    """Reads the note at a path, or begins one; None without a path."""
    if path is None:
        return None
    if isinstance(collection, BaseCollection):
        return _Checkpoint(collection, path, source)
    return collection._import_note(path, source)


def rebatched(batches: abc.Iterable[Rows], batch_size: int) -> abc.Iterator[Rows]:
    """Cuts batches so that none has more rows than this."""
    for rows in batches:
        if len(rows) <= batch_size:
            yield rows
            continue
        for start in range(0, len(rows), batch_size):
            yield rows.slice(start, start + batch_size)


def _with_means(collection: BaseCollection | Elsewhere, rows: Rows) -> typing.Any:
    """Returns the vectors of rows, with the mean of several where there is no other."""
    if rows.several is None or not isinstance(rows.vectors, list):
        return rows.vectors
    pairs = zip(rows.vectors, rows.several)
    return [collection._mean_vector(several) if one is None else one for one, several in pairs]


def pour(
    collection: BaseCollection | Elsewhere,
    source: Source,
    *,
    batch_size: int = BATCH_SIZE,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress = False,
) -> ImportResult:
    """Upserts the rows of a source, each batch atomically."""
    batch_size = check_int("batch_size", batch_size, 1, BATCH_SIZE_MAX)
    note = note_of(collection, checkpoint, source.identity)
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
