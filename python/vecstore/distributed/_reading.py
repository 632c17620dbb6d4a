"""The methods of a collection on Ray that read records, and count them."""

from __future__ import annotations

import typing
from collections import abc

from vecstore._types import Filter, Metadata, OrderBy
from vecstore._values import FieldIndex, Page
from vecstore._vecstore import Record, VecStore
from vecstore.distributed import _merge
from vecstore.distributed._actors import Call, MovedError
from vecstore.distributed._arguments import listed
from vecstore.distributed._handle import Handle
from vecstore.distributed._rows import Rows, grouped

if typing.TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

__all__ = ["Reading"]


class Reading(Handle):
    """Reads."""

    def get(self, id: str) -> Record | None:
        """Returns a record, None if there is none. See `VecStore.get`."""
        record: Record | None = self._of(id, "get", id, is_read=True)
        return record

    def get_many(self, ids: abc.Iterable[str]) -> list[Record | None]:
        """Returns records by id, None for those that are not there. See `VecStore.get_many`."""
        self._check_open()
        wanted = listed(ids)
        self._empty.get_many(wanted)  # raises for what is no id
        records: dict[str, Record | None] = {}
        for part, found in self._of_ids_by_part("get_many", wanted):
            records.update(zip(part, found))
        return [records[one] for one in wanted]

    def _of_ids_by_part(self, name: str, ids: abc.Iterable[str]) -> list[tuple[list[str], typing.Any]]:
        """Returns what a read of ids returns on each shard that has some, with those ids."""
        while True:
            manifest = self._manifest
            parts = grouped(dict.fromkeys(ids), manifest.of)
            try:
                calls = {shard: Call(name, (part,)) for shard, part in parts.items()}
                found = self._actors.ask(manifest.generation, calls)
            except MovedError:
                self._reload()
                continue
            return [(part, found[shard]) for shard, part in parts.items()]

    def __contains__(self, id: str, /) -> bool:
        return self.get(id) is not None

    def __len__(self) -> int:
        return self.count()

    def __bool__(self) -> typing.Literal[True]:
        return True

    def len(self) -> int:
        """Returns the number of records that can be found."""
        return self.count()

    def count(self, filter: Filter | None = None, *, params: Metadata | None = None) -> int:
        """Returns how many records match. See `VecStore.count`."""
        self._empty.count(filter, params=params)
        return sum(self._all("count", filter, params=params))

    def is_empty(self) -> bool:
        """Returns whether there is no record that can be found."""
        return self.count() == 0

    def active_count(self) -> int:
        """Returns the number of records that can be found."""
        return sum(self._all("active_count"))

    def deleted_count(self) -> int:
        """Returns the number of soft-deleted records."""
        return sum(self._all("deleted_count"))

    def get_text(self, id: str) -> str | None:
        """Returns the text of a record. See `VecStore.get_text`."""
        record = self.get(id)
        return self._empty.get_text(id) if record is None else record.text

    def has_text(self, id: str) -> bool:
        """Returns whether there is a record with this id that has a text."""
        record = self.get(id)
        return record is not None and record.text is not None

    def scroll(
        self,
        filter: Filter | None = None,
        *,
        limit: int = 100,
        cursor: str | None = None,
        with_vectors: bool = False,
        order_by: OrderBy | None = None,
        params: Metadata | None = None,
    ) -> Page:
        """Returns a page of records in order of their ids, or of a value. See `VecStore.scroll`."""
        how: dict[str, typing.Any] = {"with_vectors": with_vectors, "order_by": order_by, "params": params}
        self._empty.scroll(filter, limit=limit, cursor=cursor, **how)
        pages = self._all("scroll", filter, limit=limit, cursor=cursor, **how)
        records = [record for page in pages for record in page.records]
        if order_by is None:
            records.sort(key=lambda record: record.id)
        else:
            records = _in_order(records, order_by)
        is_last = len(records) <= limit and all(page.cursor is None for page in pages)
        records = records[:limit]
        if is_last or not records:
            return Page(records, None)
        return Page(records, _cursor_after(records[-1], order_by))

    def __iter__(self) -> abc.Iterator[Record]:
        cursor: str | None = None
        while True:
            page = self.scroll(limit=1000, cursor=cursor, with_vectors=True)
            yield from page.records
            if (cursor := page.cursor) is None:
                return

    def list_all(self) -> list[Record]:
        """Returns all records, soft-deleted ones too, in order of their ids."""
        return sorted([*self.list_active(), *self.list_deleted()], key=lambda record: record.id)

    def list_active(self) -> list[Record]:
        """Returns the records that can be found, in order of their ids."""
        return list(iter(self))  # which asks for no length

    def list_deleted(self) -> list[Record]:
        """Returns the soft-deleted records, in order of their ids."""
        found = [record for records in self._all("list_deleted") for record in records]
        return sorted(found, key=lambda record: record.id)

    # ---- Field indexes, and what is counted from them

    def create_index(self, path: str, kind: str | None = None) -> None:
        """Indexes a field of the metadata, on every shard. See `VecStore.create_index`."""
        self._empty.create_index(path, kind)
        self._upkeep("create_index", path, kind)
        self._actors.method(self._manifest.shards, "save")

    def drop_index(self, path: str) -> bool:
        """Drops an index, on every shard. See `VecStore.drop_index`."""
        self._empty.drop_index(path)
        dropped = any(self._upkeep("drop_index", path))
        self._actors.method(self._manifest.shards, "save")
        return dropped

    def list_indexes(self) -> list[FieldIndex]:
        """Returns the indexes, in order of their paths. See `VecStore.list_indexes`.

        ``distinct`` is the sum of the shards': a value that several have counts for each.
        """
        return _merge.indexes(self._all("list_indexes"))

    def distinct(
        self, path: str, filter: Filter | None = None, *, params: Metadata | None = None
    ) -> list[typing.Any]:
        """Returns the values at a path, in order. See `VecStore.distinct`."""
        self._empty.distinct(path, filter, params=params)
        return _merge.distinct(self._all("distinct", path, filter, params=params))

    def facets(
        self,
        path: str,
        filter: Filter | None = None,
        *,
        limit: int | None = None,
        buckets: abc.Iterable[typing.Any] | None = None,
        params: Metadata | None = None,
    ) -> list[typing.Any]:
        """Returns how many records have each value, or one in each bucket. See `VecStore.facets`."""
        how: dict[str, typing.Any] = {"params": params}
        if buckets is not None:
            bounds: typing.Any = buckets
            is_given = isinstance(bounds, abc.Iterable) and not isinstance(bounds, (str, bytes))
            how["buckets"] = list(bounds) if is_given else bounds
        checked: typing.Any = self._empty.facets
        checked(path, filter, **how, **({} if limit is None else {"limit": limit}))
        return _merge.facets(self._all("facets", path, filter, **how), limit)

    # ---- For other libraries

    def _gathered(self, filter: Filter | None, params: Metadata | None, include_deleted: bool) -> VecStore:
        """Returns a store in memory with all records that match."""
        self._empty.count(filter, params=params)
        store = self._scratch()
        for batches in self._all("rows", filter, params, include_deleted):
            for rows in typing.cast("list[Rows]", batches):
                rows.put(store)
        return store

    def to_arrow(
        self, filter: Filter | None = None, *, params: Metadata | None = None, with_vectors: bool = True
    ) -> pyarrow.Table:
        """Returns the records that match as a table of Arrow. See `VecStore.to_arrow`."""
        with self._gathered(filter, params, False) as store:
            return store.to_arrow(with_vectors=with_vectors)

    def to_pandas(
        self, filter: Filter | None = None, *, params: Metadata | None = None, with_vectors: bool = True
    ) -> pandas.DataFrame:
        """Returns the records that match as a frame of pandas. See `VecStore.to_pandas`."""
        with self._gathered(filter, params, False) as store:
            return store.to_pandas(with_vectors=with_vectors)

    def to_polars(
        self, filter: Filter | None = None, *, params: Metadata | None = None, with_vectors: bool = True
    ) -> polars.DataFrame:
        """Returns the records that match as a frame of polars. See `VecStore.to_polars`."""
        with self._gathered(filter, params, False) as store:
            return store.to_polars(with_vectors=with_vectors)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)


def _in_order(records: list[Record], order_by: OrderBy) -> list[Record]:
    """Returns records in the order of one store."""
    by_id = {record.id: record for record in records}
    with VecStore(":memory:", dim=1, metric="dot") as store:
        metadatas = [record.metadata for record in records]
        store.upsert_many(list(by_id), [[1.0]] * len(by_id), metadatas)
        ordered = store.scroll(limit=max(1, len(by_id)), order_by=order_by).records
    return [by_id[record.id] for record in ordered]


#: The most bytes of an id.
ID_BYTES_MAX = 1024


def _cursor_after(record: Record, order_by: OrderBy | None) -> str | None:
    """Returns the cursor that one store returns after a record: it says where that is, whatever else is
    there.
    """
    if order_by is None:
        return record.id
    with VecStore(":memory:", dim=1, metric="dot") as store:
        # Another like it, but last: after the first there is a page. No id comes after this one.
        last = "\U0010ffff" * (ID_BYTES_MAX // 4)
        store.upsert_many([record.id, last], [[1.0]] * 2, [record.metadata] * 2)
        return store.scroll(limit=1, order_by=order_by).cursor
