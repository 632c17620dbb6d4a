"""The methods of a collection on Ray that write."""

from __future__ import annotations

import time
import typing
from collections import abc

from vecstore._types import Embedder, Filter, Metadata, Sparse, Splitter, Vector, Vectors
from vecstore._values import BatchError, BatchOperation, BatchResult
from vecstore._vecstore import Record, VecStore
from vecstore.distributed._actors import Call
from vecstore.distributed._arguments import listed
from vecstore.distributed._handle import Handle
from vecstore.distributed._rows import Rows, grouped, joined, rows_that_match

__all__ = ["Writing"]


class Writing(Handle):
    """Writes: each goes to the shards of its ids. What a shard takes is atomic there; a call on several is
    not.

    A write that raises `ShardUnavailableError` may have been applied, or in part; made again, it comes to the
    same. Where the process of a shard ends during a call, it is made again by itself: `delete` and the like
    then return what the last attempt found."""

    def _put(self, rows: Rows) -> int:
        """Upserts records."""
        if not len(rows):
            return 0

        def calls(left: list[Call]) -> dict[int, Call]:
            together = joined([call.args[0] for call in left])
            assert together is not None, "there are rows in each call"
            parts = together.split(self._manifest.of)
            return {shard: Call("put", (part,)) for shard, part in parts.items()}

        self._spread(calls([Call("put", (rows,))]), calls)
        return len(rows)

    def _put_scratch(
        self, fill: abc.Callable[[typing.Any], typing.Any], may_expire: abc.Iterable[str] = ()
    ) -> typing.Any:
        """Upserts what a function writes to a store, records with some ids perhaps to expire at once."""
        with self._checking() as scratch:
            result = fill(scratch)
            rows = joined(list(rows_that_match(scratch)))
        if rows is not None:
            self._put(rows)
        there = set(rows.ids) if rows is not None else set()
        expired = [one for one in may_expire if one not in there]
        if expired:
            # They have replaced what was there, and are gone.
            self.delete_many(expired)
        return result

    def _put_with_ttl(self, fill: abc.Callable[[VecStore, float | None], None], ttl: typing.Any) -> None:
        """Upserts the record that a function writes to a store, with a time to live that may have ended."""
        with self._checking() as scratch:
            fill(scratch, ttl)
            rows = joined(list(rows_that_match(scratch)))
        if rows is None:
            # It has expired: it is written all the same, to be counted until it is removed.
            with self._scratch() as scratch:
                fill(scratch, None)
                rows = joined(list(rows_that_match(scratch)))
            if rows is not None:
                rows.expires = [time.time_ns() // 1_000_000 - 1]
        if rows is not None:
            self._put(rows)

    def upsert(
        self,
        id: str,
        vector: Vector,
        metadata: Metadata | None = None,
        *,
        text: str | None = None,
        sparse: Sparse | None = None,
        ttl_seconds: float | None = None,
    ) -> None:
        """Adds a record, or replaces the one with its id. See `VecStore.upsert`."""
        self._put_with_ttl(
            lambda store, ttl: store.upsert(id, vector, metadata, text=text, sparse=sparse, ttl_seconds=ttl),
            ttl_seconds,
        )

    def upsert_many(
        self,
        ids: abc.Iterable[str],
        vectors: Vectors,
        metadatas: abc.Iterable[Metadata | None] | None = None,
        *,
        texts: abc.Iterable[str | None] | None = None,
        sparse: abc.Iterable[Sparse | None] | None = None,
        progress: bool = False,
    ) -> int:
        """Adds or replaces records; what is refused changes no shard. See `VecStore.upsert_many`."""
        count: int = self._put_scratch(
            lambda store: store.upsert_many(
                ids, vectors, metadatas, texts=texts, sparse=sparse, progress=progress
            )
        )
        return count

    def upsert_multi(
        self,
        id: str,
        vectors: Vectors,
        metadata: Metadata | None = None,
        *,
        text: str | None = None,
        sparse: Sparse | None = None,
        ttl_seconds: float | None = None,
    ) -> None:
        """Adds a record of several vectors. See `VecStore.upsert_multi`."""
        self._put_with_ttl(
            lambda store, ttl: store.upsert_multi(
                id, vectors, metadata, text=text, sparse=sparse, ttl_seconds=ttl
            ),
            ttl_seconds,
        )

    def upsert_multi_many(
        self,
        ids: abc.Iterable[str],
        vectors: abc.Iterable[Vectors],
        metadatas: abc.Iterable[Metadata | None] | None = None,
        *,
        texts: abc.Iterable[str | None] | None = None,
    ) -> int:
        """Adds records of several vectors each. See `VecStore.upsert_multi_many`."""
        count: int = self._put_scratch(
            lambda store: store.upsert_multi_many(ids, vectors, metadatas, texts=texts)
        )
        return count

    def batch_upsert(self, records: abc.Iterable[Metadata | Record | tuple[typing.Any, ...]]) -> int:
        """Adds or replaces records given as dicts, tuples or `Record`. See `VecStore.batch_upsert`."""
        wanted: typing.Any = records
        if isinstance(wanted, abc.Iterable) and not isinstance(wanted, (str, bytes)):
            wanted = list(wanted)
        count: int = self._put_scratch(lambda store: store.batch_upsert(wanted), _ids_of(wanted))
        return count

    def upsert_with_ttl(self, id: str, vector: Vector, metadata: Metadata | None, ttl_seconds: float) -> None:
        """Adds a record that expires. See `VecStore.upsert_with_ttl`."""
        self._put_with_ttl(
            # None stands for what has ended, where that is not what was given.
            lambda store, ttl: (
                store.upsert_with_ttl(id, vector, metadata, ttl_seconds)
                if ttl is ttl_seconds
                else store.upsert(id, vector, metadata)
            ),
            ttl_seconds,
        )

    def batch_execute(self, operations: abc.Iterable[BatchOperation]) -> BatchResult:
        """Makes many changes; those that fail are in the result. See `VecStore.batch_execute`."""
        began = time.perf_counter()
        wanted: typing.Any = operations
        if isinstance(wanted, abc.Iterable):
            wanted = list(wanted)
        with self._checking() as scratch:
            scratch.batch_execute(wanted)  # raises for what is no operation
        indexes: dict[int, list[int]] = {}
        succeeded, errors = 0, []
        left = dict(enumerate(wanted))

        def calls(again: list[Call]) -> dict[int, Call]:
            indexes.clear()
            for call in again:
                for at in (call.kwargs or {})["at"]:
                    indexes.setdefault(self._manifest.of(left[at].id), []).append(at)
            return {
                shard: Call("batch_execute", ([left[at] for at in order],), {"at": order})
                for shard, order in indexes.items()
            }

        first = Call("batch_execute", (), {"at": [at for at in left if isinstance(left[at].id, str)]})
        for at, operation in left.items():
            if not isinstance(operation.id, str):
                kind = type(operation.id).__name__
                errors.append(BatchError(at, operation.operation, f"id: expected a str, got {kind}"))
        for order, result in self._spread(calls([first]), calls):
            succeeded += result.succeeded
            errors += [
                BatchError(order[error.index], error.operation, error.error) for error in result.errors
            ]
        errors.sort(key=lambda error: error.index)
        return BatchResult(succeeded, len(errors), errors, (time.perf_counter() - began) * 1000)

    def set_ttl(self, id: str, ttl_seconds: float | None) -> None:
        """Makes a record expire, or not any more. See `VecStore.set_ttl`."""
        self._of(id, "set_ttl", id, ttl_seconds)

    def expire_ttl_records(self) -> int:
        """Removes what has expired for good. See `VecStore.expire_ttl_records`."""
        return sum(self._upkeep("expire_ttl_records"))

    def update_metadata(self, id: str, metadata: Metadata | None) -> None:
        """Replaces the metadata of a record. See `VecStore.update_metadata`."""
        self._of(id, "update_metadata", id, metadata)

    def patch_metadata(self, id: str, changes: Metadata) -> None:
        """Sets some of the metadata of a record. See `VecStore.patch_metadata`."""
        self._of(id, "patch_metadata", id, changes)

    def update_vector(self, id: str, vector: Vector) -> None:
        """Replaces the vector of a record. See `VecStore.update_vector`."""
        with self._scratch() as scratch:
            scratch.upsert(id, vector)  # raises for what one store refuses
            record = scratch.get(id)
        self._of(id, "update_vector", id, record and record.vector)

    def index_text(self, id: str, text: str) -> None:
        """Sets the text of a record. See `VecStore.index_text`."""
        self._of(id, "index_text", id, text)

    def delete(self, id: str) -> bool:
        """Deletes a record; returns whether it was there. See `VecStore.delete`."""
        return bool(self._of(id, "delete", id))

    def remove(self, id: str) -> None:
        """Deletes a record that must be there. See `VecStore.remove`."""
        self._of(id, "remove", id)

    def soft_delete(self, id: str) -> bool:
        """Hides a record until it is restored. See `VecStore.soft_delete`."""
        return bool(self._of(id, "soft_delete", id))

    def restore(self, id: str) -> bool:
        """Shows a soft-deleted record again. See `VecStore.restore`."""
        return bool(self._of(id, "restore", id))

    def delete_many(self, ids: abc.Iterable[str]) -> int:
        """Deletes records by id; returns how many were there. See `VecStore.delete_many`."""
        wanted = listed(ids)
        self._empty.delete_many(wanted)  # raises for what is no id

        def calls(left: list[Call]) -> dict[int, Call]:
            names = dict.fromkeys(name for call in left for name in call.args[0])
            parts = grouped(names, self._manifest.of)
            return {shard: Call("delete_many", (part,)) for shard, part in parts.items()}

        return sum(self._spread(calls([Call("delete_many", (wanted,))]), calls))

    def delete_where(self, filter: Filter, *, params: Metadata | None = None) -> int:
        """Deletes the records that match; returns how many. See `VecStore.delete_where`."""
        self._empty.delete_where(filter, params=params)  # raises for what is no filter
        return sum(self._each("delete_where", filter, params))

    # ---- Texts, by an embedder

    def upsert_chunks(
        self,
        doc_id: str,
        text: str,
        splitter: Splitter,
        embedder: Embedder,
        *,
        metadata: Metadata | None = None,
        page_starts: abc.Sequence[int] | None = None,
        batch_size: int = 64,
    ) -> int:
        """Splits a document, embeds its chunks and upserts them. See `VecStore.upsert_chunks`."""
        from vecstore.rag import _chunks

        return _chunks.upsert_chunks(
            self,
            doc_id,
            text,
            splitter,
            embedder,
            metadata=metadata,
            page_starts=page_starts,
            batch_size=batch_size,
        )

    def batch_upsert_texts(
        self, items: abc.Iterable[typing.Any], embedder: Embedder, *, batch_size: int = 64
    ) -> int:
        """Embeds texts and upserts them. See `VecStore.batch_upsert_texts`."""
        from vecstore.rag import _chunks

        return _chunks.batch_upsert_texts(self, items, embedder, batch_size=batch_size)


def _ids_of(records: abc.Iterable[typing.Any]) -> abc.Iterator[str]:
    """Yields the ids of records that an upsert has taken."""
    for record in records:
        if isinstance(record, abc.Mapping):
            yield record["id"]
        else:
            yield record[0] if isinstance(record, (tuple, list)) else record.id
