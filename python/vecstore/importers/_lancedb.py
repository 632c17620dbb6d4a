"""Tables of LanceDB, through its package."""

from __future__ import annotations

import contextlib
import os
from collections import abc

from vecstore._errors import InvalidInputError, UnsupportedError, VecStoreError
from vecstore._exchange.arrow import Columns, rows_of
from vecstore._exchange.files import path_of
from vecstore._exchange.rows import Rows, rebatched


@contextlib.contextmanager
def _reading(name: str) -> abc.Iterator[None]:
    """Makes what LanceDB raises of a damaged table an error that says so."""
    try:
        yield
    except (VecStoreError, MemoryError):
        raise
    except Exception as error:
        raise InvalidInputError(f"{name} cannot be read: {error}") from error
    except BaseException as error:
        # Of what panics in its code, some is no `Exception`.
        if type(error).__name__ != "PanicException":
            raise
        raise InvalidInputError(f"{name} cannot be read: {error}") from error


class LanceSource:
    """The rows of a table."""

    metric: str | None = None

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        table: str | None = None,
        id: str = "id",
        vector: str = "vector",
        text: str = "text",
    ) -> None:
        try:
            import lancedb
        except ImportError as error:
            raise UnsupportedError("LanceDB needs its package: pip install 'vecstore[lancedb]'") from error
        place = path_of(path)
        if place.suffix == ".lance" and table is None:
            place, table = place.parent, place.stem
        if not place.is_dir():
            raise InvalidInputError(f"expected a directory of LanceDB, got `{path}`")
        tables = sorted(found.stem for found in place.glob("*.lance"))
        if table is None and len(tables) != 1:
            raise InvalidInputError(f"say which one with `table`: {', '.join(tables) or 'there is none'}")
        self.name = f"table `{table or tables[0]}` of `{path}`"
        with _reading(self.name):
            self._table = lancedb.connect(place).open_table(table or tables[0])
            self.total: int | None = self._table.count_rows()
            version = self._table.version
        self._columns = Columns(id, vector, text, "metadata")
        # An older version of a table stays as it is.
        self.identity = f"lancedb, {place.resolve()}, {self.name}, version {version}, {self._columns}"

    def rows(self, start: int, batch_size: int) -> abc.Iterator[Rows]:
        """Yields the rows from the one with this number on."""
        import pyarrow as pa

        with _reading(self.name):
            seen = 0
            for batch in self._table.search().to_batches(batch_size):
                seen += batch.num_rows
                rest = batch.slice(max(0, batch.num_rows - max(0, seen - start)))
                if rest.num_rows == 0:
                    continue
                if self._columns.id not in rest.schema.names and self._columns.id == "id":
                    numbers = pa.array(str(n) for n in range(seen - rest.num_rows, seen))
                    rest = rest.append_column("id", numbers)
                self._columns.check(rest.schema.names)
                yield from rebatched([rows_of(rest, self._columns)], batch_size)

    def __repr__(self) -> str:
        return f"LanceSource({self.name})"
