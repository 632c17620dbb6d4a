"""Columns and frames of Arrow, pandas and polars as arguments. Imported when the first is given."""

from __future__ import annotations

import typing

__all__ = ["items", "matrix"]


def items(column: typing.Any, what: str) -> list[typing.Any]:
    """The values of a column, None where there is none; the rows of a frame as dicts."""
    origin = type(column).__module__.partition(".")[0]
    if origin == "pandas":
        # pandas has NaN where nothing is.
        plain = column.astype(object).where(column.notna(), None)
        return list(plain.to_dict("records") if plain.ndim == 2 else plain.tolist())
    if origin == "polars":
        return list(column.to_dicts() if hasattr(column, "to_dicts") else column.to_list())
    if hasattr(column, "__arrow_c_stream__") or hasattr(column, "__arrow_c_array__"):
        return list(_arrow(column, what).to_pylist())
    return list(column)


def matrix(column: typing.Any, what: str) -> typing.Any:
    """The vectors of a column as an array of the shape (n, dim) where they lie, or as a list."""
    origin = type(column).__module__.partition(".")[0]
    if origin in ("pandas", "polars"):
        if hasattr(column, "columns"):
            # A frame of numbers is a matrix; one of a single column is that column.
            if column.shape[1] != 1:
                return column.to_numpy()
            column = column[column.columns[0]]
        if origin == "polars" and str(column.dtype).startswith("Array") and not column.null_count():
            return column.to_numpy()
        return list(column) if origin == "pandas" else column.to_list()
    if hasattr(column, "__arrow_c_stream__") or hasattr(column, "__arrow_c_array__"):
        return _lists(_arrow(column, what))
    if hasattr(column, "__array__"):
        import numpy as np

        return np.asarray(column)
    return list(column)


def _arrow(column: typing.Any, what: str) -> typing.Any:
    """What has the PyCapsule protocol, as a chunked array of pyarrow."""
    try:
        import pyarrow as pa
    except ImportError as error:
        raise ImportError(
            f"{what}: a column of {type(column).__module__} needs pyarrow, which cannot be imported; "
            "install it with: pip install 'vecstore[arrow]'"
        ) from error
    if isinstance(column, (pa.Table, pa.RecordBatch)):
        return _only(pa.table(column), what) if what != "metadatas" else column
    if isinstance(column, (pa.Array, pa.ChunkedArray)):
        return column
    if hasattr(column, "__arrow_c_stream__"):
        found = pa.chunked_array(column)
        if not pa.types.is_struct(found.type) or what == "metadatas":
            return found
        return _only(pa.Table.from_struct_array(found), what)
    return pa.array(column)


def _only(table: typing.Any, what: str) -> typing.Any:
    """The column of a table that has one."""
    if table.num_columns != 1:
        from vecstore._errors import InvalidInputError

        names = ", ".join(table.column_names[:20])
        raise InvalidInputError(
            f"{what}: expected one column, got the columns {names}; import_arrow takes tables"
        )
    return table.column(0)


def _lists(column: typing.Any) -> typing.Any:
    """A column of lists of numbers as an array; as a list if they differ in length, or one is missing."""
    import pyarrow as pa

    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        return column.to_pylist()
    kind = whole.type
    if not pa.types.is_fixed_size_list(kind) or whole.null_count or not kind.list_size:
        return whole.to_pylist()
    flat = whole.flatten()
    number = pa.types.is_floating(flat.type) or pa.types.is_integer(flat.type)
    if flat.null_count or not number:
        return whole.to_pylist()
    return flat.to_numpy(zero_copy_only=False).reshape(len(whole), kind.list_size)
