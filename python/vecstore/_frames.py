"""Records and neighbors as tables of Arrow, pandas and polars. Imported when the first is asked for."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import json
import math
import typing
from collections import abc

from vecstore._types import Filter, Metadata
from vecstore._vecstore import BaseCollection, Neighbor, QueryBatch, Record

if typing.TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

__all__ = [
    "batch_to_arrow",
    "batch_to_pandas",
    "batch_to_polars",
    "metadata_json",
    "neighbors_to_arrow",
    "neighbors_to_pandas",
    "neighbors_to_polars",
    "store_to_arrow",
    "store_to_pandas",
    "store_to_polars",
]

#: Records read at once.
_PAGE = 1_000


@dataclasses.dataclass
class Column:
    """A column: its values, and what they are to Arrow and polars."""

    values: list[typing.Any]
    #: ``str``, ``float``, ``int``, ``metadata``, ``vector``; ``vectors`` of several of a record; of sparse
    #: vectors ``int_list``, ``float_list``.
    kind: str
    #: Of vectors.
    dim: int = 0


Columns = dict[str, Column]

#: Answers to several queries.
_Batch = typing.Union[QueryBatch, abc.Sequence[abc.Sequence[Neighbor]]]


def _need(module: str) -> typing.Any:
    import importlib

    extra = {"pyarrow": "arrow"}.get(module, module)
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"this needs {module}, which cannot be imported; install it with: pip install 'vecstore[{extra}]'"
        ) from error


# From columns to tables


def _arrow(columns: Columns) -> pyarrow.Table:
    pa = _need("pyarrow")
    types = {
        "str": pa.large_string(),
        "metadata": pa.string(),
        "float": pa.float64(),
        "int": pa.int64(),
        "int_list": pa.list_(pa.uint32()),
        "float_list": pa.list_(pa.float32()),
    }
    arrays = {}
    for name, column in columns.items():
        if column.kind == "vector":
            arrays[name] = _vectors(pa, column)
        elif column.kind == "vectors":
            arrays[name] = pa.array(column.values, pa.list_(pa.list_(pa.float32(), column.dim)))
        elif column.kind == "metadata":
            arrays[name] = pa.array(map(metadata_json, column.values), pa.string())
        else:
            arrays[name] = pa.array(column.values, pa.string() if name == "id" else types[column.kind])
    return pa.table(arrays)


def _vectors(pa: typing.Any, column: Column) -> typing.Any:
    """Vectors as a fixed-size list of float32; a list that says no length, if that is not known."""
    if not column.dim:
        return pa.array(column.values, pa.list_(pa.float32()))
    return pa.array(column.values, pa.list_(pa.float32(), column.dim))


def _pandas(columns: Columns) -> pandas.DataFrame:
    pd = _need("pandas")
    np = _need("numpy")
    series = {}
    for name, column in columns.items():
        values: typing.Any = column.values
        if column.kind == "vector":
            values = [None if vector is None else np.asarray(vector, np.float32) for vector in values]
        if column.kind == "vectors":
            values = [None if vectors is None else np.asarray(vectors, np.float32) for vectors in values]
        if column.kind in ("float", "int") and None not in values:
            series[name] = pd.Series(values, dtype="float64" if column.kind == "float" else "int64")
        else:
            # What is not there stays None, and is not made NaN.
            series[name] = pd.Series(values, dtype=object)
    return pd.DataFrame(series)


def _polars(columns: Columns) -> polars.DataFrame:
    pl = _need("polars")
    types = {
        "str": pl.String,
        "metadata": pl.String,
        "float": pl.Float64,
        "int": pl.Int64,
        "int_list": pl.List(pl.UInt32),
        "float_list": pl.List(pl.Float32),
    }
    series = []
    for name, column in columns.items():
        values: typing.Any = column.values
        if column.kind == "vector":
            kind = pl.Array(pl.Float32, column.dim) if column.dim else pl.List(pl.Float32)
        elif column.kind == "vectors":
            kind = pl.List(pl.Array(pl.Float32, column.dim))
        else:
            kind = types[column.kind]
        if column.kind == "metadata":
            values = [metadata_json(metadata) for metadata in values]
        series.append(pl.Series(name, values, dtype=kind))
    frame: polars.DataFrame = pl.DataFrame(series)
    return frame


def metadata_json(metadata: Metadata) -> str:
    """Metadata as JSON. What JSON has not is an object with the key ``$bytes``, ``$datetime``, ``$float``."""
    return json.dumps(_plain(metadata), ensure_ascii=False)


def _plain(value: typing.Any) -> typing.Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime.datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, abc.Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


# Neighbors


def _of_neighbors(neighbors: abc.Sequence[Neighbor]) -> Columns:
    columns = {
        "id": Column([neighbor.id for neighbor in neighbors], "str"),
        "score": Column([neighbor.score for neighbor in neighbors], "float"),
        "distance": Column([neighbor.distance for neighbor in neighbors], "float"),
        "metadata": Column([neighbor.metadata for neighbor in neighbors], "metadata"),
    }
    texts = [neighbor.text for neighbor in neighbors]
    if any(text is not None for text in texts):
        columns["text"] = Column(texts, "str")
    vectors = [neighbor.vector for neighbor in neighbors]
    dim = next((len(vector) for vector in vectors if vector is not None), 0)
    if dim:
        columns["vector"] = Column(vectors, "vector", dim)
    return columns


def neighbors_to_arrow(neighbors: abc.Sequence[Neighbor]) -> pyarrow.Table:
    """``NeighborList.to_arrow``."""
    return _arrow(_of_neighbors(neighbors))


def neighbors_to_pandas(neighbors: abc.Sequence[Neighbor]) -> pandas.DataFrame:
    """``NeighborList.to_pandas``."""
    return _pandas(_of_neighbors(neighbors))


def neighbors_to_polars(neighbors: abc.Sequence[Neighbor]) -> polars.DataFrame:
    """``NeighborList.to_polars``."""
    return _polars(_of_neighbors(neighbors))


def _of_batch(batch: _Batch) -> Columns:
    rows = list(batch)
    queries = [query for query, row in enumerate(rows) for _ in row]
    return {"query": Column(queries, "int"), **_of_neighbors([one for row in rows for one in row])}


def batch_to_arrow(batch: _Batch) -> pyarrow.Table:
    """``QueryBatch.to_arrow``."""
    return _arrow(_of_batch(batch))


def batch_to_pandas(batch: _Batch) -> pandas.DataFrame:
    """``QueryBatch.to_pandas``."""
    return _pandas(_of_batch(batch))


def batch_to_polars(batch: _Batch) -> polars.DataFrame:
    """``QueryBatch.to_polars``."""
    return _polars(_of_batch(batch))


# Records


def _records(
    store: BaseCollection, filter: Filter | None, params: Metadata | None, with_vectors: bool
) -> list[Record]:
    records: list[Record] = []
    cursor = None
    while True:
        page, cursor = store.scroll(
            filter, limit=_PAGE, cursor=cursor, with_vectors=with_vectors, params=params
        )
        records.extend(page)
        if cursor is None:
            return records


def _of_records(
    store: BaseCollection, filter: Filter | None, params: Metadata | None, with_vectors: bool
) -> Columns:
    records = _records(store, filter, params, with_vectors)
    columns = {"id": Column([record.id for record in records], "str")}
    if with_vectors:
        vectors = [record.vector for record in records]
        columns["vector"] = Column(vectors, "vector", store.dimension() or 0)
    columns["metadata"] = Column([record.metadata for record in records], "metadata")
    columns["text"] = Column([record.text for record in records], "str")
    return columns | _rest(records, with_vectors)


def _rest(records: list[Record], with_vectors: bool) -> Columns:
    """What only few records have: as columns, if any has it."""
    columns: Columns = {}
    several = [record.vectors for record in records] if with_vectors else []
    dim = next((len(vectors[0]) for vectors in several if vectors), 0)
    if dim:
        columns["vectors"] = Column(several, "vectors", dim)
    sparse = [record.sparse for record in records]
    if any(one is not None for one in sparse):
        columns["sparse_indices"] = Column([None if one is None else list(one) for one in sparse], "int_list")
        columns["sparse_values"] = Column(
            [None if one is None else list(one.values()) for one in sparse], "float_list"
        )
    expires = [record.expires_at for record in records]
    if any(time is not None for time in expires):
        milliseconds = [None if time is None else round(time.timestamp() * 1000) for time in expires]
        columns["expires_at_unix_ms"] = Column(milliseconds, "int")
    return columns


def store_to_arrow(
    store: BaseCollection, filter: Filter | None, params: Metadata | None, with_vectors: bool
) -> pyarrow.Table:
    """``BaseCollection.to_arrow``."""
    _need("pyarrow")
    return _arrow(_of_records(store, filter, params, with_vectors))


def store_to_pandas(
    store: BaseCollection, filter: Filter | None, params: Metadata | None, with_vectors: bool
) -> pandas.DataFrame:
    """``BaseCollection.to_pandas``."""
    _need("pandas")
    return _pandas(_of_records(store, filter, params, with_vectors))


def store_to_polars(
    store: BaseCollection, filter: Filter | None, params: Metadata | None, with_vectors: bool
) -> polars.DataFrame:
    """``BaseCollection.to_polars``."""
    _need("polars")
    return _polars(_of_records(store, filter, params, with_vectors))
