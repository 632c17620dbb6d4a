"""Parquet and Arrow, through pyarrow."""

from __future__ import annotations

import datetime
import itertools
import os
import typing
from collections import abc

from vecstore._arguments import check_text
from vecstore._errors import InvalidInputError, UnsupportedError
from vecstore._exchange.files import identity, new_file, path_of, reading
from vecstore._exchange.rows import BATCH_BYTES, BATCH_SIZE, Elsewhere, Rows, batches_of, pour
from vecstore._progress import Progress
from vecstore._progress import start as start_watching
from vecstore._values import ExportResult, ImportResult
from vecstore._vecstore import BaseCollection

if typing.TYPE_CHECKING:
    from vecstore._types import Filter

#: Columns of a file of this package that are not metadata; nor is `vectors`, if it has several of each row.
OWN = ("sparse_indices", "sparse_values", "expires_at_unix_ms", "deleted")


def _pyarrow() -> typing.Any:
    try:
        import pyarrow
    except ImportError as error:
        raise UnsupportedError(
            "Arrow and Parquet need the package pyarrow: pip install 'vecstore[arrow]'"
        ) from error
    return pyarrow


def export_parquet(
    collection: BaseCollection | Elsewhere,
    path: str | os.PathLike[str],
    *,
    filter: Filter | None = None,
    params: abc.Mapping[str, typing.Any] | None = None,
    include_deleted: bool = False,
    batch_size: int = 10_000,
    compression: str = "zstd",
    progress: Progress = False,
) -> ExportResult:
    """Writes records to a Parquet file: `BaseCollection.export_parquet`."""
    pa = _pyarrow()
    import pyarrow.parquet as pq

    target = path_of(path)
    check_text("compression", compression)
    batches = batches_of(collection, filter, params, include_deleted, batch_size)
    dim = collection.dimension() or 0
    schema = pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("vector", pa.list_(pa.float32(), dim)),
            ("vectors", pa.list_(pa.list_(pa.float32(), dim))),
            ("metadata", pa.string()),
            ("text", pa.large_string()),
            ("sparse_indices", pa.list_(pa.uint32())),
            ("sparse_values", pa.list_(pa.float32())),
            ("expires_at_unix_ms", pa.uint64()),
            ("deleted", pa.bool_()),
        ],
        metadata={"vecstore": "1", "vecstore.metric": collection.distance_metric},
    )
    watcher = start_watching(progress, "export", "records")
    done = 0
    with new_file(target) as file:
        try:
            writer = pq.ParquetWriter(file, schema, compression=compression)
        except (pa.ArrowException, ValueError) as error:
            raise InvalidInputError(f"compression: {error}") from error
        with writer:
            for ids, vectors, metadatas, texts, sparse, expires, deleted, several in batches:
                columns = [
                    pa.array(ids, pa.string()),
                    _fixed(vectors, dim),
                    _several(several, dim),
                    pa.array(metadatas, pa.string()),
                    pa.array(texts, pa.large_string()),
                    pa.array(
                        [None if one is None else list(one) for one in sparse],
                        schema.field("sparse_indices").type,
                    ),
                    pa.array(
                        [None if one is None else list(one.values()) for one in sparse],
                        schema.field("sparse_values").type,
                    ),
                    pa.array(expires, pa.uint64()),
                    pa.array(deleted, pa.bool_()),
                ]
                writer.write_batch(pa.record_batch(columns, schema=schema))
                done += len(ids)
                if watcher is not None:
                    watcher.advance(done, batches.total)
        size = file.tell()
    if watcher is not None:
        watcher.close()
    return ExportResult(records=done, bytes=size)


def _fixed(floats: bytes, dim: int) -> typing.Any:
    """Returns vectors, given as the bytes of float32, as a column."""
    pa = _pyarrow()
    flat = pa.Array.from_buffers(pa.float32(), len(floats) // 4, [None, pa.py_buffer(floats)])
    return pa.FixedSizeListArray.from_arrays(flat, dim)


def _several(vectors: list[bytes | None], dim: int) -> typing.Any:
    """Returns the several vectors of each row as a column."""
    pa = _pyarrow()
    ends = itertools.accumulate((len(one or b"") // (4 * dim) for one in vectors), initial=0)
    # An offset that is null makes its row null.
    offsets = [None if one is None else end for one, end in zip([*vectors, b""], ends)]
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), _fixed(b"".join(one or b"" for one in vectors), dim)
    )


def import_parquet(
    collection: BaseCollection | Elsewhere,
    path: str | os.PathLike[str],
    *,
    id: str = "id",
    vector: str = "vector",
    text: str = "text",
    metadata: str = "metadata",
    batch_size: int = BATCH_SIZE,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress = False,
) -> ImportResult:
    """Upserts the rows of a Parquet file: `BaseCollection.import_parquet`."""
    source = ParquetSource(path, Columns.named(id, vector, text, metadata))
    return pour(collection, source, batch_size=batch_size, checkpoint=checkpoint, progress=progress)


def import_arrow(
    collection: BaseCollection | Elsewhere,
    data: typing.Any,
    *,
    id: str = "id",
    vector: str = "vector",
    text: str = "text",
    metadata: str = "metadata",
    batch_size: int = BATCH_SIZE,
    progress: Progress = False,
) -> ImportResult:
    """Upserts the rows of Arrow data: `BaseCollection.import_arrow`."""
    source = ArrowSource(data, Columns.named(id, vector, text, metadata))
    return pour(collection, source, batch_size=batch_size, progress=progress)


class Columns(typing.NamedTuple):
    """The names of columns."""

    id: str = "id"
    vector: str = "vector"
    text: str = "text"
    metadata: str = "metadata"

    @classmethod
    def named(cls, id: str, vector: str, text: str, metadata: str) -> Columns:
        """The columns that the arguments of these names say."""
        given = {"id": id, "vector": vector, "text": text, "metadata": metadata}
        return cls(*(check_text(name, column) for name, column in given.items()))

    def check(self, names: abc.Sequence[str]) -> None:
        """Raises unless there are ids and vectors."""
        for what in (self.id, self.vector):
            if names.count(what) != 1:
                raise InvalidInputError(
                    f"expected one column `{what}`, got the columns {', '.join(names[:20])}"
                )


class ParquetSource:
    """The rows of a Parquet file."""

    def __init__(self, path: str | os.PathLike[str], columns: Columns) -> None:
        self._path = path_of(path)
        self.name = f"`{self._path}`"
        self.identity = f"parquet, {identity(self._path)}, {tuple(columns)}"
        self.total: int | None = None
        self._columns = columns

    def rows(self, start: int, batch_size: int) -> abc.Iterator[Rows]:
        """Yields the rows from the one with this number on."""
        pa = _pyarrow()
        import pyarrow.parquet as pq

        with reading(self._path):
            try:
                with pq.ParquetFile(self._path) as file:
                    self.total = file.metadata.num_rows
                    self._columns.check(file.schema_arrow.names)
                    before, groups = 0, []
                    for group in range(file.num_row_groups):
                        count = file.metadata.row_group(group).num_rows
                        if before + count > start:
                            groups.append(group)
                        elif not groups:
                            before += count
                            continue
                    skip = start - before
                    for batch in file.iter_batches(batch_size, row_groups=groups):
                        rest = batch.slice(min(skip, batch.num_rows))
                        skip -= batch.num_rows - rest.num_rows
                        yield from _rows(rest, self._columns, batch_size)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowSerializationError) as error:
                raise InvalidInputError(f"not a whole file of Parquet: {error}") from error
            except OSError as error:
                # pyarrow reports damage as an error of input and output, without a number.
                if error.errno is None:
                    raise InvalidInputError(f"not a whole file of Parquet: {error}") from error
                raise


class ArrowSource:
    """The rows of Arrow data."""

    name = "Arrow data"
    identity = "arrow"

    def __init__(self, data: typing.Any, columns: Columns) -> None:
        pa = _pyarrow()
        self._columns = columns
        self.total: int | None = None
        if isinstance(data, pa.RecordBatch):
            data = pa.Table.from_batches([data])
        if isinstance(data, pa.Table):
            self.total = data.num_rows
            data = data.to_reader()
        elif not isinstance(data, pa.RecordBatchReader):
            if hasattr(data, "__arrow_c_stream__"):
                data = pa.RecordBatchReader.from_stream(data)
            elif hasattr(data, "__arrow_c_array__"):
                data = pa.Table.from_batches([pa.record_batch(data)]).to_reader()
            elif isinstance(data, abc.Iterable) and not isinstance(data, (str, bytes, abc.Mapping)):
                batches = iter(data)
                first = next(batches, None)
                if first is None or not isinstance(first, pa.RecordBatch):
                    raise TypeError(f"data: expected Arrow data, got {type(data).__name__}")
                data = pa.RecordBatchReader.from_batches(first.schema, _chain(first, batches))
            else:
                raise TypeError(f"data: expected Arrow data, got {type(data).__name__}")
        self._reader = data

    def rows(self, start: int, batch_size: int) -> abc.Iterator[Rows]:
        """Yields the rows; a stream has no other beginning than its first."""
        if start:
            raise UnsupportedError("a stream of Arrow data cannot go on in the middle")
        pa = _pyarrow()
        self._columns.check(self._reader.schema.names)
        try:
            for batch in self._reader:
                yield from _rows(batch, self._columns, batch_size)
        except pa.ArrowException as error:
            raise InvalidInputError(f"the data cannot be read: {error}") from error


def _chain(first: typing.Any, rest: abc.Iterator[typing.Any]) -> abc.Iterator[typing.Any]:
    yield first
    yield from rest


def _rows(batch: typing.Any, columns: Columns, batch_size: int) -> abc.Iterator[Rows]:
    """Yields the rows of a batch, at most so many at once."""
    try:
        size = batch.nbytes
    except _pyarrow().ArrowException:
        # Some releases do not know what views of strings take; their buffers may hold more rows than these.
        size = batch.get_total_buffer_size()
    per_row = max(1, size // max(1, batch.num_rows))
    step = max(1, min(batch_size, BATCH_BYTES // per_row))
    for start in range(0, batch.num_rows, step):
        yield rows_of(batch.slice(start, step), columns)


def rows_of(batch: typing.Any, columns: Columns) -> Rows:
    """Returns a batch as rows of a collection."""
    pa = _pyarrow()
    names = batch.schema.names

    def listed(name: str) -> list[typing.Any] | None:
        return _values(batch.column(name), name) if name in names else None

    ids = batch.column(columns.id)
    if ids.null_count:
        raise InvalidInputError(f"column `{columns.id}`: expected an id in each row, got null")
    if pa.types.is_dictionary(ids.type):
        ids = ids.dictionary_decode()
    if pa.types.is_integer(ids.type):
        id_list = [str(one) for one in ids.to_pylist()]
    elif _is_string(ids.type):
        id_list = ids.to_pylist()
    else:
        raise InvalidInputError(f"column `{columns.id}`: expected strings or integers, got {ids.type}")
    metadata = _metadata(batch, columns)
    indices, values = listed("sparse_indices"), listed("sparse_values")
    sparse = None
    if "sparse_values" in names and pa.types.is_struct(batch.column("sparse_values").type):
        # As Pinecone has them: both in one column.
        sparse = [one and (one.get("indices") or [], one.get("values") or []) for one in values or []]
    elif indices is not None and values is not None:
        sparse = [None if one is None else (one, other or []) for one, other in zip(indices, values)]
    texts = listed(columns.text)
    if texts is not None and not all(one is None or isinstance(one, str) for one in texts):
        raise InvalidInputError(
            f"column `{columns.text}`: expected strings, got {batch.column(columns.text).type}"
        )
    return Rows(
        id_list,
        vectors_of(batch.column(columns.vector), columns.vector),
        metadata,
        texts,
        sparse,
        listed("expires_at_unix_ms"),
        listed("deleted"),
        several_of(batch.column("vectors"), "vectors") if _has_several(batch) else None,
    )


def _values(column: typing.Any, name: str) -> list[typing.Any]:
    """Returns the values of a column; of times to the nanosecond, the microseconds."""
    pa = _pyarrow()
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    try:
        return typing.cast("list[typing.Any]", column.to_pylist())
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(f"column `{name}`: {error}") from error


def _is_string(kind: typing.Any) -> bool:
    pa = _pyarrow()
    # polars hands out views.
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or bool(kind == pa.string_view())


def _has_several(batch: typing.Any) -> bool:
    """Returns whether the column `vectors` has lists of lists of numbers: any other is one of metadata."""
    pa = _pyarrow()
    if "vectors" not in batch.schema.names:
        return False
    kind = batch.schema.field("vectors").type
    return (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and _is_vector(kind.value_type)


def _is_vector(kind: typing.Any) -> bool:
    pa = _pyarrow()
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return is_list and bool(pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type))


def several_of(column: typing.Any, name: str) -> list[typing.Any]:
    """Returns a column of lists of vectors as an array of the shape (n, dim) for each row, or None."""
    flat = column.flatten()
    if not len(flat):
        return [None] * len(column)
    vectors = vectors_of(flat, name)
    ends = list(
        itertools.accumulate((length or 0 for length in column.value_lengths().to_pylist()), initial=0)
    )
    return [vectors[start:end] if end > start else None for start, end in zip(ends, ends[1:])]


def vectors_of(column: typing.Any, name: str) -> typing.Any:
    """Returns a column of lists of numbers as an array of the shape (n, dim)."""
    import numpy as np

    pa = _pyarrow()
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column, kind = column.storage, kind.storage_type
    if not _is_vector(kind):
        raise InvalidInputError(f"column `{name}`: expected lists of numbers, got {kind}")
    if column.null_count:
        raise InvalidInputError(f"column `{name}`: expected a vector in each row, got null")
    flat = column.flatten()
    if flat.null_count:
        raise InvalidInputError(f"column `{name}`: expected numbers, got null")
    dim, odd = divmod(len(flat), max(1, len(column)))
    if odd == 0 and not pa.types.is_fixed_size_list(kind):
        lengths = column.value_lengths()
        odd = sum(1 for length in lengths.unique().to_pylist() if length != dim)
    if odd:
        raise InvalidInputError(f"column `{name}`: expected vectors of one length")
    return flat.to_numpy(zero_copy_only=False).astype(np.float32, copy=False).reshape(len(column), dim)


def _metadata(batch: typing.Any, columns: Columns) -> list[typing.Any] | None:
    pa = _pyarrow()
    names = batch.schema.names
    if columns.metadata in names:
        column = batch.column(columns.metadata)
        if _is_string(column.type):
            return typing.cast("list[typing.Any]", column.to_pylist())
        if pa.types.is_map(column.type):
            return [None if one is None else plain(dict(one)) for one in column.to_pylist()]
        if pa.types.is_struct(column.type):
            return [None if one is None else plain(one) for one in column.to_pylist()]
        if pa.types.is_null(column.type):
            return None
        raise InvalidInputError(
            f"column `{columns.metadata}`: expected JSON, a struct or a map, got {column.type}"
        )
    own = (*OWN, "vectors") if _has_several(batch) else OWN
    fields = [name for name in names if name not in (columns.id, columns.vector, columns.text, *own)]
    if not fields:
        return None
    lists = [_values(batch.column(name), name) for name in fields]
    return [{name: plain(one) for name, one in zip(fields, row)} for row in zip(*lists)]


def plain(value: typing.Any) -> typing.Any:
    """Returns a value as metadata has it: times are aware, and what has no type of its own is its text."""
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=datetime.timezone.utc) if value.tzinfo is None else value
    if isinstance(value, abc.Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return str(value)
