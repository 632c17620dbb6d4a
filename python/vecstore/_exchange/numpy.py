"""Files of numpy. Read and written piece by piece: neither needs all vectors in memory."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import shutil
import tempfile
import typing
import zipfile
import zlib
from collections import abc

from vecstore._errors import InvalidInputError
from vecstore._exchange.files import check_numpy, identity, new_file, path_of, reading
from vecstore._exchange.rows import BATCH_BYTES, BATCH_SIZE, Elsewhere, Rows, batches_of, pour
from vecstore._progress import Progress
from vecstore._progress import start as start_watching
from vecstore._values import ExportResult, ImportResult
from vecstore._vecstore import BaseCollection

if typing.TYPE_CHECKING:
    from vecstore._types import Filter

#: The longest line of `records`: as in JSON Lines.
LINE_BYTES = 128 << 20

#: The most components that a vector has, and several vectors of a record together.
COMPONENTS = 65_536
SEVERAL_COMPONENTS = 4 << 20

#: The most bytes of the head of an array.
HEAD_BYTES = 10_000

#: The most bytes of an array of ids or of its header that are read into memory.
IDS_BYTES = 1 << 30


def _header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """Returns the head of an array file of version 1.0: magic, length, and a dict, padded to 64 bytes."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape!r}, }}"
    space = -(len(text) + 11) % 64
    head = (text + " " * space + "\n").encode("ascii")
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head


def export_numpy(
    collection: BaseCollection | Elsewhere,
    path: str | os.PathLike[str],
    *,
    filter: Filter | None = None,
    params: abc.Mapping[str, typing.Any] | None = None,
    include_deleted: bool = False,
    progress: Progress = False,
) -> ExportResult:
    """Writes records to a file of numpy: `BaseCollection.export_numpy`."""
    target = path_of(path)
    batches = batches_of(collection, filter, params, include_deleted, 1000)
    watcher = start_watching(progress, "export", "records")
    done, dim = 0, collection.dimension() or 0
    # Of the parts of an archive one is written after the other: the others wait in files of their own.
    with new_file(target) as file, tempfile.TemporaryFile() as lines, tempfile.TemporaryFile() as tokens:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            with archive.open("vectors.npy", "w", force_zip64=True) as array:
                array.write(_header("<f4", (batches.total, dim)))
                for ids, vectors, metadatas, texts, sparse, expires, deleted, several in batches:
                    array.write(vectors)
                    for row in zip(ids, metadatas, texts, sparse, expires, deleted, several):
                        lines.write(_line(*row, dim=dim))
                    tokens.writelines(one for one in several if one is not None)
                    done += len(ids)
                    if watcher is not None:
                        watcher.advance(done, batches.total)
            size = lines.tell()
            lines.seek(0)
            with archive.open("records.npy", "w", force_zip64=True) as array:
                array.write(_header("|u1", (size,)))
                shutil.copyfileobj(lines, array, 1 << 20)
            if size := tokens.tell():
                tokens.seek(0)
                with archive.open("several.npy", "w", force_zip64=True) as array:
                    array.write(_header("<f4", (size // (4 * dim), dim)))
                    shutil.copyfileobj(tokens, array, 1 << 20)
        size = file.tell()
    if watcher is not None:
        watcher.close()
    return ExportResult(records=done, bytes=size)


def _line(
    id: str,
    metadata: str | None,
    text: str | None,
    sparse: dict[int, float] | None,
    expires: int | None,
    deleted: bool,
    several: bytes | None,
    *,
    dim: int,
) -> bytes:
    parts = [f'"id":{json.dumps(id)}']
    if metadata is not None:
        parts.append(f'"metadata":{metadata}')
    rest: dict[str, typing.Any] = {"text": text, "expires_at_unix_ms": expires, "deleted": deleted or None}
    if several is not None:
        rest["several"] = len(several) // (4 * dim)
    if sparse is not None:
        rest["sparse"] = {"indices": list(sparse), "values": list(sparse.values())}
    parts += [f'"{name}":{json.dumps(value)}' for name, value in rest.items() if value is not None]
    return ("{" + ",".join(parts) + "}\n").encode()


def import_numpy(
    collection: BaseCollection | Elsewhere,
    path: str | os.PathLike[str],
    *,
    ids: abc.Sequence[str] | None = None,
    metadatas: abc.Sequence[abc.Mapping[str, typing.Any] | None] | None = None,
    batch_size: int = BATCH_SIZE,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress = False,
) -> ImportResult:
    """Upserts the vectors of a file of numpy: `BaseCollection.import_numpy`."""
    source = NumpySource(path_of(path), ids, metadatas)
    return pour(collection, source, batch_size=batch_size, checkpoint=checkpoint, progress=progress)


class NumpySource:
    """The rows of a file of numpy."""

    def __init__(
        self,
        path: pathlib.Path,
        ids: abc.Sequence[str] | None = None,
        metadatas: abc.Sequence[abc.Mapping[str, typing.Any] | None] | None = None,
    ) -> None:
        check_numpy("importing arrays")
        self.name = f"`{path}`"
        self.identity = f"numpy, {identity(path)}"
        self.total: int | None = None
        self._path, self._ids, self._metadatas = path, ids, metadatas

    def rows(self, start: int, batch_size: int) -> abc.Iterator[Rows]:
        """Yields the rows from the one with this number on."""
        with reading(self._path), contextlib.ExitStack() as opened:
            lines = several = None
            ids = self._ids
            try:
                if zipfile.is_zipfile(self._path):
                    archive = opened.enter_context(zipfile.ZipFile(self._path))
                    names = set(archive.namelist())
                    if "vectors.npy" not in names:
                        shown = ", ".join(sorted(names)[:10])
                        raise InvalidInputError(
                            f"expected an array `vectors` in the file, got {shown or 'none'}"
                        )
                    file: typing.IO[bytes] = opened.enter_context(archive.open("vectors.npy"))
                    if "records.npy" in names:
                        lines = opened.enter_context(archive.open("records.npy"))
                        _array(lines, "records", 1)
                        if "several.npy" in names:
                            several = _Several(opened.enter_context(archive.open("several.npy")))
                    elif ids is None and "ids.npy" in names:
                        ids = _read_ids(opened.enter_context(archive.open("ids.npy")))
                else:
                    file = opened.enter_context(self._path.open("rb"))
                yield from self._read(file, lines, several, ids, start, batch_size)
            except (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error) as error:
                raise InvalidInputError(f"not a whole file of numpy: {error}") from error

    def _read(
        self,
        file: typing.IO[bytes],
        lines: typing.IO[bytes] | None,
        several: _Several | None,
        ids: abc.Sequence[str] | None,
        start: int,
        batch_size: int,
    ) -> abc.Iterator[Rows]:
        import numpy as np

        dtype, (count, dim) = _array(file, "vectors", 2)
        self.total = count
        for what, column in (("ids", ids), ("metadatas", self._metadatas)):
            if column is not None and len(column) != count:
                raise InvalidInputError(
                    f"{what}: expected one for each of the {count} rows, got {len(column)}"
                )
        row_bytes = dtype.itemsize * dim
        batch_size = max(1, min(batch_size, BATCH_BYTES // max(1, row_bytes)))
        _skip(file, start * row_bytes)
        for n in range(start if lines is not None else 0):
            line = _next_line(lines)
            if several is not None:
                several.skip(_count(_parsed(line, n)))
        for first in range(start, count, batch_size):
            size = min(batch_size, count - first)
            data = _read_all(file, size * row_bytes)
            if len(data) != size * row_bytes:
                whole = first + len(data) // max(1, row_bytes)
                raise InvalidInputError(f"the file ends after row {whole}, expected {count}")
            vectors = np.frombuffer(data, dtype).reshape(size, dim).astype(np.float32, copy=False)
            if lines is not None:
                yield from _batches(lines, several, vectors, first)
                continue
            last = first + size
            names = [str(n) for n in range(first, last)] if ids is None else list(ids[first:last])
            metadatas = None if self._metadatas is None else list(self._metadatas[first:last])
            yield Rows(names, vectors, metadatas)


class _Several:
    """The several vectors of some of the rows, one after the other."""

    def __init__(self, file: typing.IO[bytes]) -> None:
        self._file = file
        self._dtype, (self._left, self._dim) = _array(file, "several", 2)
        self._vector_bytes = self._dtype.itemsize * self._dim

    def skip(self, count: int) -> None:
        """Goes past so many."""
        self._left -= count
        _skip(self._file, count * self._vector_bytes)

    def take(self, count: int) -> typing.Any:
        """Returns the next ones, None if that is none."""
        import numpy as np

        if not count:
            return None
        if count > self._left or count * self._dim > SEVERAL_COMPONENTS:
            raise InvalidInputError(f"several: expected at most {self._left} vectors, got {count}")
        data = _read_all(self._file, count * self._vector_bytes)
        if len(data) != count * self._vector_bytes:
            raise InvalidInputError("several: the array ends early")
        self._left -= count
        return np.frombuffer(data, self._dtype).reshape(count, self._dim).astype(np.float32, copy=False)


def _batches(
    lines: typing.IO[bytes], several: _Several | None, vectors: typing.Any, first: int
) -> abc.Iterator[Rows]:
    """Yields the rows of some vectors, in one batch unless lines are long or several vectors are many."""
    parsed: list[dict[str, typing.Any]] = []
    tokens: list[typing.Any] = []
    start = size = 0
    for at in range(len(vectors)):
        line = _next_line(lines)
        one = _parsed(line, first + at)
        mine = None if several is None else several.take(_count(one))
        parsed.append(one)
        tokens.append(mine)
        size += len(line) + (0 if mine is None else mine.nbytes)
        if size >= BATCH_BYTES:
            yield _rows_of_lines(parsed, vectors[start : at + 1], tokens)
            parsed, tokens, start, size = [], [], at + 1, 0
    if parsed:
        yield _rows_of_lines(parsed, vectors[start:], tokens)


def _parsed(line: bytes, row: int) -> dict[str, typing.Any]:
    try:
        one = json.loads(line)
        if not isinstance(one, dict) or not isinstance(one.get("id"), str):
            raise ValueError("expected an object with an id")
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"records: row {row}: {error}") from error
    return one


def _count(one: dict[str, object]) -> int:
    """Returns how many vectors a record has besides its own."""
    count = one.get("several", 0)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise InvalidInputError(f"several: expected the number of vectors, got {count!r}")
    return count


def _rows_of_lines(
    parsed: list[dict[str, typing.Any]], vectors: typing.Any, several: list[typing.Any]
) -> Rows:
    sparse = [one.get("sparse") for one in parsed]
    if not all(one is None or isinstance(one, dict) for one in sparse):
        raise InvalidInputError("sparse: expected an object with indices and values")
    return Rows(
        [one["id"] for one in parsed],
        vectors,
        [json.dumps(one["metadata"]) if one.get("metadata") else None for one in parsed],
        [one.get("text") for one in parsed],
        [None if one is None else (one.get("indices", []), one.get("values", [])) for one in sparse],
        [one.get("expires_at_unix_ms") for one in parsed],
        [bool(one.get("deleted")) for one in parsed],
        several,
    )


def _array(file: typing.IO[bytes], what: str, ndim: int) -> tuple[typing.Any, tuple[int, ...]]:
    """Reads the head of an array; numbers only, so that nothing is unpickled."""
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(file)
        read, width = (npy.read_array_header_1_0, 2) if version == (1, 0) else (npy.read_array_header_2_0, 4)
        length = file.read(width)
        if int.from_bytes(length, "little") > HEAD_BYTES:
            raise ValueError("its head is too long")
        shape, fortran, dtype = read(io.BytesIO(length + file.read(int.from_bytes(length, "little"))))
    except (ValueError, EOFError, UnicodeDecodeError, SyntaxError, KeyError, TypeError) as error:
        raise InvalidInputError(f"{what}: not an array of numpy: {error}") from error
    expected = "fc" if ndim == 2 else "uUS"
    if dtype.kind not in "fiu" + expected or dtype.kind == "c":
        raise InvalidInputError(f"{what}: expected an array of numbers, got one of {dtype}")
    if len(shape) != ndim or (fortran and ndim > 1) or any(size < 0 for size in shape):
        order = "Fortran order" if fortran else f"the shape {shape}"
        raise InvalidInputError(f"{what}: expected {ndim} dimensions in C order, got {order}")
    if ndim > 1 and shape[1] > COMPONENTS:
        raise InvalidInputError(f"{what}: expected at most {COMPONENTS} components, got {shape[1]}")
    return dtype, tuple(shape)


def _read_ids(file: typing.IO[bytes]) -> list[str]:
    import numpy as np

    dtype, (count,) = _array(file, "ids", 1)
    size = count * dtype.itemsize
    if size > IDS_BYTES:
        raise InvalidInputError(f"ids: the array may have {IDS_BYTES} bytes, got {size}")
    data = _read_all(file, size)
    if len(data) != size:
        raise InvalidInputError(f"ids: the array ends early, expected {count}")
    array = np.frombuffer(data, dtype)
    if dtype.kind == "S":
        return [one.decode("utf-8", "replace") for one in array.tolist()]
    return [str(one) for one in array.tolist()]


def _next_line(lines: typing.IO[bytes] | None) -> bytes:
    line = b"" if lines is None else lines.readline(LINE_BYTES)
    if not line.endswith(b"\n"):
        raise InvalidInputError("records: expected a line for each vector, the array ends early")
    return line


def _read_all(file: typing.IO[bytes], size: int) -> bytes:
    """Reads so many bytes, or all there are; never makes room for what is not there."""
    parts = io.BytesIO()
    while size > 0:
        part = file.read(min(size, 1 << 20))
        if not part:
            break
        parts.write(part)
        size -= len(part)
    return parts.getvalue()


def _skip(file: typing.IO[bytes], size: int) -> None:
    while size > 0:
        part = file.read(min(size, 1 << 20))
        if not part:
            return
        size -= len(part)
