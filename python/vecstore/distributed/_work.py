"""What a shard does for a call: reads by name, and writes, each of which returns beside its result what it
logs.
"""

from __future__ import annotations

import typing
from collections import abc

from vecstore._values import BatchOperation
from vecstore._vecstore import VecStore
from vecstore.distributed._rows import Frame, Rows, page_of, rows_of_ids, rows_that_match

__all__ = ["READS", "WRITES", "as_they_are"]

#: Methods of a store that answer from it alone, or that look after it.
_PLAIN = (
    "active_count",
    "compact",
    "count",
    "create_index",
    "deleted_count",
    "distinct",
    "drop_index",
    "expire_ttl_records",
    "explain_query",
    "facets",
    "flush",
    "get",
    "get_many",
    "list_deleted",
    "list_indexes",
    "maybe_compact",
    "multi_query",
    "optimize",
    "query",
    "scroll",
    "sparse_query",
    "stats",
    "verify",
)


def _plain(name: str) -> abc.Callable[..., typing.Any]:
    def call(store: VecStore, *args: typing.Any, **kwargs: typing.Any) -> typing.Any:
        return getattr(store, name)(*args, **kwargs)

    return call


def _nearest(
    store: VecStore, vectors: typing.Any, k: int, filter: typing.Any, **kwargs: typing.Any
) -> bytes | None:
    """Answers queries, for `_merge.nearest`; None if there never was a record."""
    if store.dimension() is None:
        return None
    return store.query_batch(vectors, k, filter, **kwargs)._packed(bool(kwargs.get("boost")))


def _text(store: VecStore, *args: typing.Any, **kwargs: typing.Any) -> list[typing.Any]:
    return list(store._text_query(*args, **kwargs))


def _rows(store: VecStore, filter: typing.Any, params: typing.Any, include_deleted: bool) -> list[Rows]:
    return list(rows_that_match(store, filter, params, include_deleted=include_deleted))


READS: dict[str, abc.Callable[..., typing.Any]] = {
    **{name: _plain(name) for name in _PLAIN},
    "explained": lambda store, query: store._explained(query),
    "nearest": _nearest,
    "page": page_of,
    "recommended": lambda store, *args, **kwargs: store._recommended(*args, **kwargs),
    "rows": _rows,
    "rows_of_ids": rows_of_ids,
    "text": _text,
    "text_statistics": lambda store, keywords, boosts: store._text_statistics(keywords, boosts),
}


def _put(store: VecStore, rows: Rows) -> tuple[int, Frame]:
    return rows.put(store), Frame(rows)


def _of_one(name: str) -> abc.Callable[..., tuple[typing.Any, Frame]]:
    """Returns the work of a method that changes the record whose id is its first argument."""

    def call(store: VecStore, id: str, *args: typing.Any) -> tuple[typing.Any, Frame]:
        result = getattr(store, name)(id, *args)
        return result, as_they_are(store, [id])

    return call


def as_they_are(store: VecStore, ids: abc.Sequence[str]) -> Frame:
    """Returns the frame that says how the records with these ids are now."""
    rows = rows_of_ids(store, ids)
    there = set(rows.ids) if rows is not None else set()
    return Frame(rows, [one for one in ids if one not in there])


def _delete_many(store: VecStore, ids: list[str]) -> tuple[int, Frame]:
    return store.delete_many(ids), Frame(None, ids)


def _delete_where(store: VecStore, filter: typing.Any, params: typing.Any) -> tuple[int, Frame]:
    # By their ids, as they are logged: a filter would select other records when it is replayed.
    batches = rows_that_match(store, filter, params, include_deleted=False)
    return _delete_many(store, [one for rows in batches for one in rows.ids])


def _batch_execute(
    store: VecStore, operations: list[BatchOperation], at: list[int]
) -> tuple[typing.Any, Frame]:
    result = store.batch_execute(operations)
    failed = {error.index for error in result.errors}
    done = [operation.id for n, operation in enumerate(operations) if n not in failed]
    return (at, result), as_they_are(store, list(dict.fromkeys(done)))


WRITES: dict[str, abc.Callable[..., tuple[typing.Any, Frame]]] = {
    "put": _put,
    "delete_many": _delete_many,
    "delete_where": _delete_where,
    "batch_execute": _batch_execute,
    **{
        name: _of_one(name)
        for name in (
            "delete",
            "index_text",
            "patch_metadata",
            "remove",
            "restore",
            "set_ttl",
            "soft_delete",
            "update_metadata",
            "update_vector",
        )
    },
}
