"""Collections of Chroma, from its directory.

Metadata and documents are in SQLite, vectors in a log in SQLite until they are moved to an index of hnswlib
beside it, with a pickle of their ids. The log is replayed over the index, as Chroma does at start. Nothing is
executed: the pickle is read by an unpickler that knows no class but the one of plain values that Chroma
wrote, and makes a dict of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import pickle
import sqlite3
import typing
import urllib.parse
from collections import abc

from vecstore._errors import InvalidInputError
from vecstore._exchange.files import check_numpy, identity, path_of, reading
from vecstore._exchange.rows import Rows
from vecstore.importers._hnsw_file import Elements, read_lengths, read_segment

_DOCUMENT = "chroma:document"
_METRICS = {"cosine": "cosine", "l2": "euclidean", "ip": "dot"}
_ADD, _UPDATE, _UPSERT, _DELETE = range(4)


class ChromaSource:
    """The records of a collection."""

    def __init__(self, path: str | os.PathLike[str], *, collection: str | None = None) -> None:
        check_numpy("reading the files of Chroma")
        place = path_of(path)
        self._file = place / "chroma.sqlite3" if place.is_dir() else place
        self._directory = self._file.parent
        with self._connected() as database:
            self._uuid, name, self.metric = _collection(database, collection)
            segments = dict(
                database.execute(
                    "SELECT scope, id FROM segments WHERE collection = ?", (self._uuid,)
                ).fetchall()
            )
            if "METADATA" not in segments:
                raise InvalidInputError(f"collection `{name}` has no segment of metadata")
            self._metadata_segment = segments["METADATA"]
            self._vector_segment = segments.get("VECTOR", "")
            counted = database.execute(
                "SELECT count(*) FROM embeddings WHERE segment_id = ?", (self._metadata_segment,)
            )
            self.total: int | None = counted.fetchone()[0]
        self.name = f"collection `{name}` of `{place}`"
        self.identity = f"chroma, {identity(self._file)}, {self._uuid}"

    @contextlib.contextmanager
    def _connected(self) -> abc.Iterator[sqlite3.Connection]:
        with reading(self._file):
            with self._file.open("rb") as file:
                head = file.read(16)
            if head != b"SQLite format 3\0":
                raise InvalidInputError(f"`{self._file}` is not a database of SQLite")
        address = "file:" + urllib.parse.quote(str(self._file.resolve())) + "?mode=ro"
        try:
            with contextlib.closing(sqlite3.connect(address, uri=True)) as database:
                yield database
        except sqlite3.Error as error:
            raise InvalidInputError(f"`{self._file}`: {error}") from error
        except UnicodeDecodeError as error:  # SQLite's message has bytes of the file in it
            raise InvalidInputError(f"`{self._file}`: the schema is malformed: {error}") from error

    def rows(self, start: int, batch_size: int) -> abc.Iterator[Rows]:
        """Yields the records from the one with this number on, in the order of their numbers in SQLite."""
        with self._connected() as database, reading(self._directory):
            segments = (self._vector_segment, self._metadata_segment)
            vectors = _Vectors(database, self._directory, self._uuid, segments, self.metric)
            records = database.execute(
                "SELECT id, embedding_id FROM embeddings WHERE segment_id = ? ORDER BY id LIMIT -1 OFFSET ?",
                (self._metadata_segment, start),
            )
            has_lists = _has_table(database, "embedding_metadata_array")
            while batch := records.fetchmany(batch_size):
                numbers = [number for number, _ in batch]
                metadatas = _metadatas(database, numbers, has_lists)
                texts = [_text(metadata) for metadata in metadatas]
                yield Rows(
                    [record_id for _, record_id in batch],
                    vectors.of([record_id for _, record_id in batch]),
                    metadatas,
                    texts,
                )


def _has_table(database: sqlite3.Connection, name: str) -> bool:
    found = database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
    return found.fetchone() is not None


def _collection(database: sqlite3.Connection, name: str | None) -> tuple[str, str, str | None]:
    """Returns the id, the name and the metric of the collection that is asked for."""
    if not _has_table(database, "embeddings_queue"):
        raise InvalidInputError("not a database of Chroma 0.4 or newer: it has no table `embeddings_queue`")
    found = database.execute("SELECT id, name FROM collections ORDER BY name").fetchall()
    chosen = [one for one in found if name is None or one[1] == name]
    if len(chosen) != 1:
        names = ", ".join(f"`{one}`" for _, one in found[:20]) or "none"
        wanted = "say which one with `collection`" if name is None else f"expected one collection `{name}`"
        raise InvalidInputError(f"{wanted}; there are: {names}")
    uuid, name = chosen[0]
    space = database.execute(
        "SELECT str_value FROM collection_metadata WHERE collection_id = ? AND key = 'hnsw:space'", (uuid,)
    ).fetchone()
    columns = [column[1] for column in database.execute("PRAGMA table_info(collections)")]
    metric = space[0] if space else None
    for column in ("config_json_str", "schema_str"):
        if metric is None and column in columns:
            (text,) = database.execute(f"SELECT {column} FROM collections WHERE id = ?", (uuid,)).fetchone()
            with contextlib.suppress(ValueError, RecursionError):
                metric = _space(json.loads(text or "{}"))
    return str(uuid), str(name), _METRICS.get(metric or "l2")


def _space(config: typing.Any) -> str | None:
    """Returns the space of the index in a configuration of any version."""
    if not isinstance(config, dict):
        return None
    hnsw = config.get("hnsw") or config.get("hnsw_configuration") or {}
    keys = config.get("keys")
    if isinstance(keys, dict):
        found: typing.Any = keys.get("#embedding", {})
        for key in ("float_list", "vector_index", "config"):
            found = found.get(key, {}) if isinstance(found, dict) else {}
        hnsw = found or hnsw
    space = hnsw.get("space") if isinstance(hnsw, dict) else None
    return space if isinstance(space, str) else None


def _metadatas(
    database: sqlite3.Connection, numbers: list[int], has_lists: bool
) -> list[dict[str, typing.Any]]:
    metadata: dict[int, dict[str, typing.Any]] = {number: {} for number in numbers}
    # Numbers of a batch ascend, and few of others lie between them.
    between = (numbers[0], numbers[-1])
    columns = "id, key, string_value, int_value, float_value, bool_value"
    values = database.execute(f"SELECT {columns} FROM embedding_metadata WHERE id BETWEEN ? AND ?", between)
    for number, key, *value in values:
        if number in metadata:
            metadata[number][_key(key)] = _value(value)
    if has_lists:
        values = database.execute(
            f"SELECT {columns} FROM embedding_metadata_array WHERE id BETWEEN ? AND ? ORDER BY rowid", between
        )
        for number, key, *value in values:
            if number in metadata:
                values_of = metadata[number].setdefault(_key(key), [])
                if not isinstance(values_of, list):
                    raise InvalidInputError(f"the field `{key}` has a value and a list")
                values_of.append(_value(value))
    return [metadata[number] for number in numbers]


def _key(key: typing.Any) -> str:
    if not isinstance(key, str):
        raise InvalidInputError(f"expected a field that is a string, got {type(key).__name__}")
    return key


def _value(columns: list[typing.Any]) -> typing.Any:
    string, integer, real, truth = columns
    if string is not None:
        return string
    if truth is not None:
        return bool(truth)
    return integer if integer is not None else real


def _text(metadata: dict[str, typing.Any]) -> str | None:
    text = metadata.pop(_DOCUMENT, None)
    return text if isinstance(text, str) else None


class _Vectors:
    """The vectors of a collection by id."""

    def __init__(
        self,
        database: sqlite3.Connection,
        directory: pathlib.Path,
        uuid: str,
        segments: tuple[str, str],
        metric: str | None,
    ) -> None:
        segment, metadata_segment = segments
        self._database = database
        self._index: Elements | None = None
        self._lengths: typing.Any = None
        #: By id: the number of the element of the index.
        self._elements: dict[str, int] = {}
        # The name of the directory comes from the database, and is a plain name or nothing.
        if segment and pathlib.PurePath(segment).name == segment:
            self._index = read_segment(directory / segment)
        seen = 0
        if self._index is not None and self._index.count:
            labels, seen = _labels(directory / segment / "index_metadata.pickle")
            if metric == "cosine":
                self._lengths = read_lengths(directory / segment, self._index)
            places = {int(label): place for place, label in enumerate(self._index.labels().tolist())}
            deleted = self._index.deleted()
            for record_id, label in labels.items():
                place = places.get(label)
                if place is not None and not deleted[place]:
                    self._elements[record_id] = place
        noted = self._noted(segment)
        self._replay(uuid, max(seen, noted), self._noted(metadata_segment))

    def _noted(self, segment: str) -> int:
        """Returns up to which number of the log a segment has it."""
        row = self._database.execute(
            "SELECT seq_id FROM max_seq_id WHERE segment_id = ?", (segment,)
        ).fetchone()
        return _number(row[0]) if row else 0

    def _replay(self, uuid: str, after: int, until: int) -> None:
        #: By id: the number of the entry of the log that has its vector.
        self._logged: dict[str, int] = {}
        entries = self._database.execute(
            "SELECT seq_id, operation, id, vector IS NOT NULL FROM embeddings_queue"
            " WHERE topic LIKE ? ORDER BY seq_id",
            (f"%/{uuid}",),
        )
        for seq, operation, record_id, has_vector in entries:
            number = _number(seq)
            if number <= after:
                continue
            if number > until:
                raise InvalidInputError(
                    f"the log goes on to {number}, metadata to {until}: open the directory with Chroma once"
                )
            exists = record_id in self._logged or record_id in self._elements
            if operation == _DELETE:
                self._logged.pop(record_id, None)
                self._elements.pop(record_id, None)
            elif has_vector and (operation == _UPSERT or exists == (operation == _UPDATE)):
                self._logged[record_id] = number

    def of(self, ids: list[str]) -> list[typing.Any]:
        """Returns the vectors of records."""
        import numpy as np

        missing = next(
            (
                record_id
                for record_id in ids
                if record_id not in self._logged and record_id not in self._elements
            ),
            None,
        )
        if missing is not None:
            raise InvalidInputError(f"record `{missing}` has no vector in the directory")
        in_index = [record_id for record_id in ids if record_id not in self._logged]
        vectors: dict[str, typing.Any] = {}
        if in_index and self._index is not None:
            places = [self._elements[record_id] for record_id in in_index]
            found = self._index.vectors(places)
            if self._lengths is not None:
                found *= self._lengths[places][:, None]
            vectors = dict(zip(in_index, found))
        for record_id in ids:
            if record_id in vectors:
                continue
            entry = self._database.execute(
                "SELECT vector, encoding FROM embeddings_queue WHERE seq_id = ?", (self._logged[record_id],)
            ).fetchone()
            kind = {"FLOAT32": "<f4", "INT32": "<i4"}.get(entry[1])
            if kind is None or not isinstance(entry[0], bytes) or len(entry[0]) % 4:
                raise InvalidInputError(
                    f"record `{record_id}`: its vector has the encoding {entry[1]!r}, which is unknown"
                )
            vectors[record_id] = np.frombuffer(entry[0], kind).astype(np.float32)
        return [vectors[record_id] for record_id in ids]


def _number(seq: typing.Any) -> int:
    """Numbers of the log were bytes once."""
    if isinstance(seq, bytes):
        return int.from_bytes(seq, "big")
    if not isinstance(seq, int):
        raise InvalidInputError(f"expected the number of an operation, got {type(seq).__name__}")
    return seq


class _PlainUnpickler(pickle._Unpickler):
    """Makes dicts, strings and numbers, and a dict of the one class that Chroma 0.4 and 0.5 wrote.

    It is the one in Python, which is slower (a second for 200,000 ids): that in C makes room for as many
    objects as five bytes of a file say there are.
    """

    class Values(dict[str, typing.Any]):
        """Stands for an object: its state."""

        def __setstate__(self, state: dict[str, typing.Any]) -> None:
            self.update(state)

    def find_class(self, module: str, name: str) -> typing.Any:
        if name == "PersistentData" and module.startswith("chromadb."):
            return self.Values
        if (module, name) in (("copyreg", "_reconstructor"), ("copy_reg", "_reconstructor")):
            return lambda cls, *_: cls()
        if (module, name) in (("builtins", "object"), ("__builtin__", "object")):
            return self.Values
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _labels(path: pathlib.Path) -> tuple[dict[str, int], int]:
    """Returns labels of the index by id, and up to which number of the log it goes, if the pickle says so."""
    try:
        with path.open("rb") as file:
            read = _PlainUnpickler(file).load()
    except OSError:
        raise
    except Exception as error:
        raise InvalidInputError(f"`{path}` is not what Chroma writes: {error}") from error
    labels = read.get("id_to_label") if isinstance(read, dict) else None
    if not isinstance(labels, dict):
        raise InvalidInputError(f"`{path}` is not what Chroma writes: it has no labels by id")
    seen = read.get("max_seq_id")
    return labels, _number(seen) if isinstance(seen, (int, bytes)) else 0
