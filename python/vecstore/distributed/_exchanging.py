"""The methods of a collection on Ray that write files of records and read them.

Exports ask the shards for pages in order of ids, and merge them: memory is bounded by a batch. Each page is
of one moment of its shard; the whole is not. Imports are upserts."""

from __future__ import annotations

import json
import os
import pickle
import tempfile
import typing
from collections import abc
from pathlib import Path

from vecstore._arguments import check_int
from vecstore._errors import DimensionMismatchError, InvalidInputError, VecStoreError
from vecstore._exchange.files import identity, new_file, reading
from vecstore._exchange.rows import BATCH_SIZE_MAX
from vecstore._progress import Progress
from vecstore._progress import start as start_watching
from vecstore._types import Filter, Metadata, Vectors
from vecstore._values import ExportResult, ImportResult
from vecstore._vecstore import VecStore
from vecstore.distributed._arguments import check_flag, check_path
from vecstore.distributed._reading import Reading
from vecstore.distributed._rows import BATCH_ROWS, Rows, joined
from vecstore.distributed._writing import Writing

__all__ = ["Exchanging"]

_NOTE_VERSION = 1


class Exchanging(Writing, Reading):
    """Exports and imports."""

    # ---- What `vecstore._exchange` asks of a collection that is elsewhere

    def _row_batches(
        self, filter: typing.Any, params: typing.Any, include_deleted: bool, batch_rows: int
    ) -> _Batches:
        return _Batches(self, filter, params, include_deleted, batch_rows)

    def _import_note(self, path: str | os.PathLike[str], source: str) -> _Note:
        self._reload()
        return _Note(
            check_path("checkpoint", path), source, f"{self._manifest.uuid}, {self._manifest.shards}"
        )

    def _mean_vector(self, vectors: Vectors) -> list[float]:
        return self._empty._mean_vector(vectors)

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
    ) -> int:
        def fill(scratch: VecStore) -> int:
            return scratch._put_rows(ids, vectors, metadata, texts, sparse, expires, deleted, several)

        count: int = self._put_scratch(fill, list(ids) if expires is not None else ())
        return count

    # ---- JSON Lines

    def export_jsonl(
        self,
        path: str | os.PathLike[str],
        *,
        filter: Filter | None = None,
        include_deleted: bool = False,
        progress: Progress = False,
        params: Metadata | None = None,
    ) -> ExportResult:
        """Writes records to a file of JSON Lines, in ascending order of id. See `VecStore.export_jsonl`."""
        target = check_path("path", path)
        batches = self._row_batches(filter, params, include_deleted, BATCH_ROWS)
        watcher = start_watching(progress, "export", "records")
        done = size = 0
        with new_file(target) as file, tempfile.TemporaryDirectory() as directory:
            part = Path(directory) / "part.jsonl"
            for rows in batches.rows():
                with self._scratch() as scratch:
                    rows.put(scratch)
                    # All of what the batch has: it was chosen by the shards.
                    size += scratch.export_jsonl(part, include_deleted=True).bytes
                file.write(part.read_bytes())
                done += len(rows)
                if watcher is not None:
                    watcher.advance(done, batches.total)
        if watcher is not None:
            watcher.close()
        return ExportResult(records=done, bytes=size)

    def import_jsonl(
        self,
        path: str | os.PathLike[str],
        *,
        batch_size: typing.SupportsIndex = 1000,
        checkpoint: str | os.PathLike[str] | None = None,
        progress: Progress = False,
    ) -> ImportResult:
        """Upserts the records of a file of JSON Lines. See `VecStore.import_jsonl`."""
        self._check_open()
        count = check_int("batch_size", batch_size, 1, BATCH_SIZE_MAX)
        source = check_path("path", path)
        if checkpoint is not None:
            check_path("checkpoint", checkpoint)
        note = _Note.unless_none(self, checkpoint, f"jsonl, {identity(source)}")
        lines, offset, records = note.position if note is not None else (0, 0, 0)
        resumed_at, batches = records, 0
        watcher = start_watching(progress, "import", "bytes")
        try:
            while True:
                with self._scratch() as scratch:
                    columns, last, offset, total = scratch._read_jsonl(source, lines, offset, count)
                if columns is not None:
                    rows = Rows(*columns)
                    self._put_lines(rows, lines + 1, last)
                    batches, records = batches + 1, records + len(rows)
                lines = last
                if note is not None and columns is not None:
                    note.note(lines, offset, records)
                if watcher is not None:
                    watcher.advance(offset, total)
                if columns is None or offset >= total:
                    break
        except VecStoreError as error:
            place = f"{error.args[-1]}; {records} records before it are imported"
            error.args = (*error.args[:-1], place)
            raise
        finally:
            if watcher is not None:
                watcher.close()
        if note is not None:
            note.finish()
        return ImportResult(records=records, resumed_at=resumed_at, batches=batches)

    def _put_lines(self, rows: Rows, first: int, last: int) -> None:
        try:
            self._put_scratch(rows.put, rows.ids)
        except (InvalidInputError, DimensionMismatchError) as error:
            error.args = (*error.args[:-1], f"lines {first} to {last}: {error.args[-1]}")
            raise

    # ---- Parquet and Arrow

    def export_parquet(
        self,
        path: str | os.PathLike[str],
        *,
        filter: Filter | None = None,
        params: Metadata | None = None,
        include_deleted: bool = False,
        batch_size: int = 10000,
        compression: str = "zstd",
        progress: Progress = False,
    ) -> ExportResult:
        """Writes records to a Parquet file, in ascending order of id. See `VecStore.export_parquet`."""
        from vecstore._exchange import arrow

        return arrow.export_parquet(
            self,
            path,
            filter=filter,
            params=params,
            include_deleted=include_deleted,
            batch_size=batch_size,
            compression=compression,
            progress=progress,
        )

    def import_parquet(
        self,
        path: str | os.PathLike[str],
        *,
        id: str = "id",
        vector: str = "vector",
        text: str = "text",
        metadata: str = "metadata",
        batch_size: int = 1000,
        checkpoint: str | os.PathLike[str] | None = None,
        progress: Progress = False,
    ) -> ImportResult:
        """Upserts the rows of a Parquet file. See `VecStore.import_parquet`."""
        from vecstore._exchange import arrow

        self._check_open()
        return arrow.import_parquet(
            self,
            path,
            id=id,
            vector=vector,
            text=text,
            metadata=metadata,
            batch_size=batch_size,
            checkpoint=checkpoint,
            progress=progress,
        )

    def import_arrow(
        self,
        data: typing.Any,
        *,
        id: str = "id",
        vector: str = "vector",
        text: str = "text",
        metadata: str = "metadata",
        batch_size: int = 1000,
        progress: Progress = False,
    ) -> ImportResult:
        """Upserts the rows of Arrow data. See `VecStore.import_arrow`."""
        from vecstore._exchange import arrow

        self._check_open()
        return arrow.import_arrow(
            self,
            data,
            id=id,
            vector=vector,
            text=text,
            metadata=metadata,
            batch_size=batch_size,
            progress=progress,
        )

    # ---- numpy

    def export_numpy(
        self,
        path: str | os.PathLike[str],
        *,
        filter: Filter | None = None,
        params: Metadata | None = None,
        include_deleted: bool = False,
        progress: Progress = False,
    ) -> ExportResult:
        """Writes records to a file of numpy, in ascending order of id. See `VecStore.export_numpy`."""
        from vecstore._exchange import numpy

        return numpy.export_numpy(
            _Counted(self),
            path,
            filter=filter,
            params=params,
            include_deleted=include_deleted,
            progress=progress,
        )

    def import_numpy(
        self,
        path: str | os.PathLike[str],
        *,
        ids: abc.Sequence[str] | None = None,
        metadatas: abc.Sequence[Metadata | None] | None = None,
        batch_size: int = 1000,
        checkpoint: str | os.PathLike[str] | None = None,
        progress: Progress = False,
    ) -> ImportResult:
        """Upserts the vectors of a file of numpy. See `VecStore.import_numpy`."""
        from vecstore._exchange import numpy

        self._check_open()
        return numpy.import_numpy(
            self,
            path,
            ids=ids,
            metadatas=metadatas,
            batch_size=batch_size,
            checkpoint=checkpoint,
            progress=progress,
        )

    def _pages(
        self, filter: typing.Any, params: typing.Any, include_deleted: bool, batch_rows: int
    ) -> abc.Iterator[tuple[int, Rows]]:
        """Yields records in ascending order of id, with how many there were from these on.

        Each shard is asked for its part of a batch after the last id. What comes before the last id of each
        page is all there is up to there; the rest of a page is asked for again.
        """
        after: str | None = None
        while True:
            limit = -(-batch_rows // len(self._manifest.shards))
            pages = self._all("page", filter, params, include_deleted, after, limit)
            total, found = sum(page[0] for page in pages), [page[1] for page in pages if page[1] is not None]
            together = joined(found)
            if together is None:
                return
            horizon = min(rows.ids[-1] for rows in found)
            order = sorted(range(len(together)), key=together.ids.__getitem__)
            order = [at for at in order if together.ids[at] <= horizon][:batch_rows]
            rows = together.take(order)
            yield total, rows
            after = rows.ids[-1]


class _Batches:
    """Records in ascending order of id, as `_RowBatches` hands out those of one store."""

    def __init__(
        self,
        collection: Exchanging,
        filter: typing.Any,
        params: typing.Any,
        include_deleted: bool,
        batch_rows: int,
    ) -> None:
        batch_rows = check_int("batch_size", batch_rows, 1, BATCH_SIZE_MAX)
        check_flag("include_deleted", include_deleted)
        collection._empty.count(filter, params=params)  # raises for what is no filter
        self._pages = collection._pages(filter, params, include_deleted, batch_rows)
        self._first = next(self._pages, None)
        #: How many there were when the first were asked for.
        self.total = 0 if self._first is None else self._first[0]

    def rows(self) -> abc.Iterator[Rows]:
        """Yields the batches."""
        if self._first is not None:
            yield self._first[1]
            yield from (rows for _, rows in self._pages)

    def __iter__(self) -> abc.Iterator[tuple[typing.Any, ...]]:
        return (rows.columns() for rows in self.rows())


class _Counted:
    """A collection for an export that must say how many records there are before the first: they wait in a
    file.
    """

    def __init__(self, collection: Exchanging) -> None:
        self._collection = collection
        self.dimension = collection.dimension
        self.distance_metric = collection.distance_metric
        self._import_note, self._mean_vector = collection._import_note, collection._mean_vector
        self._put_rows = collection._put_rows

    def _row_batches(
        self, filter: typing.Any, params: typing.Any, include_deleted: bool, batch_rows: int
    ) -> _Spool:
        return _Spool(self._collection._row_batches(filter, params, include_deleted, batch_rows))


class _Spool:
    """Batches that were read to the end."""

    def __init__(self, batches: _Batches) -> None:
        self.total = self._batches = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it was read)
        for columns in batches:
            pickle.dump(columns, self._file)
            self.total, self._batches = self.total + len(columns[0]), self._batches + 1

    def __iter__(self) -> abc.Iterator[typing.Any]:
        with self._file as file:
            file.seek(0)
            for _ in range(self._batches):
                yield pickle.load(file)


class _Note:
    """How far an import is, in a small file: passed over if it is of another source or collection, or if the
    shards are others since, as after a snapshot was restored.
    """

    def __init__(self, path: Path, source: str, collection: str) -> None:
        self._path, self._known = path, {"source": source, "collection": collection}
        self.items = self.records = self._offset = 0
        if not path.exists():
            return
        try:
            with reading(path):
                read = json.loads(path.read_bytes()[: 1 << 16])
            if read["vecstore_import"] != _NOTE_VERSION:
                raise ValueError
            if all(read.get(name) == value for name, value in self._known.items()):
                self.items, self._offset, self.records = read["items"], read["offset"], read["records"]
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInputError(
                f"`{path}` is not a checkpoint of an import: give another path, or remove it"
            ) from error

    @classmethod
    def unless_none(
        cls, collection: Exchanging, path: str | os.PathLike[str] | None, source: str
    ) -> _Note | None:
        """Returns the note at a path, if there is a path."""
        return None if path is None else collection._import_note(path, source)

    @property
    def position(self) -> tuple[int, int, int]:
        """Lines that are done, where the next one begins, and records."""
        return self.items, self._offset, self.records

    def note(self, items: int, offset: int, records: int) -> None:
        """Notes that so much is done."""
        content = {"vecstore_import": _NOTE_VERSION, **self._known}
        content.update(items=items, offset=offset, records=records)
        with new_file(self._path) as file:
            file.write(json.dumps(content).encode() + b"\n")

    def advance(self, items: int, records: int) -> None:
        """Notes that so many rows are done."""
        self.note(items, 0, records)

    def finish(self) -> None:
        """Removes the note: the import is done."""
        self._path.unlink(missing_ok=True)
