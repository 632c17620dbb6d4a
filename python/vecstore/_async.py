"""The classes of ``vecstore`` with awaited methods, written by python/tools/generate_async.py."""

# ruff: noqa: E501 (examples are as long as in the docstrings they come from)
# The types are in the stub.
# pyright: reportArgumentType=false, reportPossiblyUnboundVariable=false

from vecstore import _vecstore
from vecstore._async_calls import Opened, Threads, Twin, on_a_thread

__all__ = ["AsyncBaseCollection", "AsyncVecStore", "AsyncCollection", "AsyncVecDatabase"]


class AsyncBaseCollection(Twin):
    """What `AsyncVecStore` and `AsyncCollection` have in common.

    Every method does what its twin in `BaseCollection` does, on a thread of the store's own, so that the loop
    runs on. Who stops waiting does no harm: a call that has not begun is dropped, one that has begun is waited
    for, and only then does ``CancelledError`` go on. A write is therefore wholly there or not at all, and never
    comes later.

    Examples
    --------
    >>> isinstance(store, vecstore.AsyncBaseCollection)
    True
    """

    __slots__ = ()

    async def dimension(self):
        """Returns the number of components of every vector; None before the first upsert if `dim` was not
        given.

        See `BaseCollection.dimension`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.dimension()
        3
        """
        return await self._call("dimension")

    @property
    def distance_metric(self):
        """The metric, such as `cosine`.

        See `BaseCollection.distance_metric`, whose parameters, results and errors these are.
        """
        return self._opened.get().distance_metric

    async def upsert(self, id, vector, metadata=None, *, text=None, sparse=None, ttl_seconds=None):
        """Adds a record, or replaces the one with its id, soft-deleted or not.

        See `BaseCollection.upsert`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.upsert("plum", [0.7, 0.3, 0.1], {"kind": "fruit"}, text="a plum", ttl_seconds=3600)
        >>> (await store.get("plum")).text
        'a plum'
        """
        return await self._call(
            "upsert", id, vector, metadata, text=text, sparse=sparse, ttl_seconds=ttl_seconds
        )

    async def upsert_many(self, ids, vectors, metadatas=None, *, texts=None, sparse=None, progress=False):
        """Adds or replaces records, all or none of them, and returns how many distinct ids there were.

        See `BaseCollection.upsert_many`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.upsert_many(["fig", "nut"], [[0.8, 0.1, 0.2], [0.2, 0.2, 0.9]], [{"kind": "fruit"}, None])
        2
        """
        return await self._call(
            "upsert_many", ids, vectors, metadatas, texts=texts, sparse=sparse, progress=progress
        )

    async def upsert_unique(
        self,
        ids,
        vectors,
        metadatas=None,
        *,
        threshold=0.98,
        texts=None,
        sparse=None,
        recall=0.99,
        exact=False,
    ):
        """Adds or replaces the records that are not like another one, all or none of those, and says which
        were left out.

        See `BaseCollection.upsert_unique`, whose parameters, results and errors these are.

        Examples
        --------
        >>> result = await store.upsert_unique(["fig", "nut"], [[0.9, 0.1, 0.0], [0.0, 0.0, 1.0]])
        >>> result.written, [(found.id, found.of) for found in result.duplicates]
        (1, [('fig', 'apple')])
        """
        return await self._call(
            "upsert_unique",
            ids,
            vectors,
            metadatas,
            threshold=threshold,
            texts=texts,
            sparse=sparse,
            recall=recall,
            exact=exact,
        )

    async def upsert_multi(self, id, vectors, metadata=None, *, text=None, sparse=None, ttl_seconds=None):
        """Adds a record of several vectors, such as one for each token of a text, or replaces the one with its
        id.

        See `BaseCollection.upsert_multi`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.upsert_multi("fig", [[1, 0, 0], [0, 0, 1]], {"kind": "fruit"})
        >>> (await store.get("fig")).vectors, (await store.get("fig")).vector
        ([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [0.5, 0.0, 0.5])
        """
        return await self._call(
            "upsert_multi", id, vectors, metadata, text=text, sparse=sparse, ttl_seconds=ttl_seconds
        )

    async def upsert_multi_many(self, ids, vectors, metadatas=None, *, texts=None):
        """Adds or replaces records of several vectors, all or none of them, and returns how many distinct ids
        there were.

        See `BaseCollection.upsert_multi_many`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.upsert_multi_many(["fig", "nut"], [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0]]])
        2
        """
        return await self._call("upsert_multi_many", ids, vectors, metadatas, texts=texts)

    async def batch_upsert(self, records):
        """Adds or replaces records, all or none of them, and returns how many distinct ids there were.

        See `BaseCollection.batch_upsert`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.batch_upsert([("fig", [1, 2, 3]), {"id": "nut", "vector": [3, 2, 1], "text": "a nut"}])
        2
        """
        return await self._call("batch_upsert", records)

    async def batch_execute(self, operations):
        """Applies operations in order, as one atomic write. One that is not possible is reported; the others
        apply.

        See `BaseCollection.batch_execute`, whose parameters, results and errors these are.

        Examples
        --------
        >>> Op = vecstore.BatchOperation
        >>> result = await store.batch_execute([Op.upsert("fig", [1, 0, 0]), Op.delete("no such")])
        >>> result.succeeded, result.failed, result.errors[0].error
        (1, 1, 'no record has the id `no such`')
        """
        return await self._call("batch_execute", operations)

    async def upsert_with_ttl(self, id, vector, metadata, ttl_seconds):
        """Adds or replaces a record that lives for `ttl_seconds`.

        See `BaseCollection.upsert_with_ttl`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.upsert_with_ttl("session", [0.1, 0.2, 0.3], {"user": 7}, 60)
        >>> (await store.get("session")).expires_at is not None
        True
        """
        return await self._call("upsert_with_ttl", id, vector, metadata, ttl_seconds)

    async def set_ttl(self, id, ttl_seconds):
        """Lets a record expire `ttl_seconds` from now; None lets it live for ever.

        See `BaseCollection.set_ttl`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.set_ttl("apple", 3600)
        >>> await store.set_ttl("apple", None)
        >>> (await store.get("apple")).expires_at is None
        True
        """
        return await self._call("set_ttl", id, ttl_seconds)

    async def expire_ttl_records(self):
        """Removes the records that have expired and returns how many there were. Reads never return expired
        records, removed or not.

        See `BaseCollection.expire_ttl_records`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.upsert_with_ttl("brief", [1, 0, 0], None, 0)
        >>> await store.get("brief") is not None, await store.expire_ttl_records()
        (False, 1)
        """
        return await self._call("expire_ttl_records")

    async def update_metadata(self, id, metadata):
        """Replaces the metadata of a record.

        See `BaseCollection.update_metadata`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.update_metadata("apple", {"price": 5})
        >>> (await store.get("apple")).metadata
        {'price': 5}
        """
        return await self._call("update_metadata", id, metadata)

    async def patch_metadata(self, id, changes):
        """Sets entries of the metadata of a record; the others stay. An entry set to None is stored as None.

        See `BaseCollection.patch_metadata`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.patch_metadata("apple", {"price": 5})
        >>> (await store.get("apple")).metadata
        {'kind': 'fruit', 'price': 5}
        """
        return await self._call("patch_metadata", id, changes)

    async def update_vector(self, id, vector):
        """Replaces the vector of a record.

        See `BaseCollection.update_vector`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.update_vector("apple", [0.0, 0.0, 1.0])
        >>> (await store.query([0, 0, 1], k=1))[0].id
        'apple'
        """
        return await self._call("update_vector", id, vector)

    async def delete(self, id):
        """Removes a record, soft-deleted or not, and returns whether it was there.

        See `BaseCollection.delete`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.delete("apple"), await store.delete("apple")
        (True, False)
        """
        return await self._call("delete", id)

    async def delete_many(self, ids):
        """Removes records, all or none of them, and returns how many were there.

        See `BaseCollection.delete_many`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.delete_many(["apple", "pear", "no such"])
        2
        """
        return await self._call("delete_many", ids)

    async def delete_where(self, filter, *, params=None):
        """Removes every record that matches, atomically, and returns how many there were. Soft-deleted records
        stay.

        See `BaseCollection.delete_where`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.delete_where({"kind": "fruit"})
        2
        """
        return await self._call("delete_where", filter, params=params)

    async def remove(self, id):
        """Removes a record.

        See `BaseCollection.remove`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.remove("no such")
        Traceback (most recent call last):
        vecstore.NotFoundError: no record has the id `no such`
        """
        return await self._call("remove", id)

    async def soft_delete(self, id):
        """Hides a record from every read until `restore`, and returns whether it was there.

        See `BaseCollection.soft_delete`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.soft_delete("apple"), await store.get("apple") is not None
        (True, False)
        """
        return await self._call("soft_delete", id)

    async def restore(self, id):
        """Shows a soft-deleted record again, and returns whether there was one.

        See `BaseCollection.restore`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.soft_delete("apple"), await store.restore("apple"), await store.get("apple") is not None
        (True, True, True)
        """
        return await self._call("restore", id)

    async def save(self):
        """Waits until everything acknowledged so far is on disk, whatever the durability.

        See `BaseCollection.save`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.save()
        """
        return await self._call("save")

    async def flush(self):
        """The same as `save`.

        See `BaseCollection.flush`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.flush()
        """
        return await self._call("flush")

    async def index_text(self, id, text):
        """Sets the text of a record, and makes it findable by its words. The rest of the record stays.

        See `BaseCollection.index_text`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.index_text("apple", "a crisp red apple")
        >>> (await store.text_query("crisp"))[0].id
        'apple'
        """
        return await self._call("index_text", id, text)

    async def upsert_chunks(
        self, doc_id, text, splitter, embedder, *, metadata=None, page_starts=None, batch_size=64
    ):
        """Splits a document, embeds its chunks and upserts them as one atomic write, with the ids
        `{doc_id}_{i}`.

        See `BaseCollection.upsert_chunks`, whose parameters, results and errors these are.

        Examples
        --------
        >>> from collections import namedtuple
        >>> from vecstore.rag import HashingEmbedder
        >>> Chunk = namedtuple("Chunk", "content char_start char_end")
        >>> class Halves:
        ...     def split_with_metadata(self, text):
        ...         middle = len(text) // 2
        ...         return [Chunk(text[:middle], 0, middle), Chunk(text[middle:], middle, len(text))]
        >>> chunks = vecstore.AsyncVecStore(":memory:")
        >>> await chunks.upsert_chunks("greeting", "Hello, all of you", Halves(), HashingEmbedder(64))
        2
        >>> (await chunks.get("greeting_1")).metadata["start"]
        8
        """
        from vecstore.rag import _calls, _chunks

        return await _calls.arun(
            _chunks.chunks_upserted(
                self,
                doc_id,
                text,
                splitter,
                embedder,
                metadata=metadata,
                page_starts=page_starts,
                batch_size=batch_size,
            )
        )

    async def batch_upsert_texts(self, items, embedder, *, batch_size=64):
        """Embeds texts and upserts them as one atomic write, with the text as `text` in the metadata and as
        the record's text.

        See `BaseCollection.batch_upsert_texts`, whose parameters, results and errors these are.

        Examples
        --------
        >>> from vecstore.rag import HashingEmbedder
        >>> texts = vecstore.AsyncVecStore(":memory:")
        >>> await texts.batch_upsert_texts([("a", "The log is synced."), ("b", "Snakes eat mice.")], HashingEmbedder(64))
        2
        """
        from vecstore.rag import _calls, _chunks

        return await _calls.arun(_chunks.texts_upserted(self, items, embedder, batch_size=batch_size))

    async def query_text(self, text, embedder, k=10, filter=None, *, params=None):
        """Embeds a text and returns the records nearest to it, with metadata and text.

        See `BaseCollection.query_text`, whose parameters, results and errors these are.

        Examples
        --------
        >>> from vecstore.rag import HashingEmbedder
        >>> texts, embedder = vecstore.AsyncVecStore(":memory:"), HashingEmbedder(64)
        >>> await texts.batch_upsert_texts([("a", "The log is synced."), ("b", "Snakes eat mice.")], embedder)
        2
        >>> (await texts.query_text("what do snakes eat", embedder, k=1))[0].text
        'Snakes eat mice.'
        """
        from vecstore.rag import _calls, _chunks

        return await _calls.arun(_chunks.text_queried(self, text, embedder, k, filter, params=params))

    async def get(self, id):
        """Returns the record with this id; None if there is none, or it is soft-deleted or expired.

        See `BaseCollection.get`, whose parameters, results and errors these are.

        Examples
        --------
        >>> (await store.get("apple")).metadata
        {'kind': 'fruit', 'price': 3}
        >>> await store.get("no such") is None
        True
        """
        return await self._call("get", id)

    async def get_many(self, ids):
        """Returns the records with these ids in the order asked for, None where there is none; all of one
        moment.

        See `BaseCollection.get_many`, whose parameters, results and errors these are.

        Examples
        --------
        >>> [record and record.id for record in await store.get_many(["pear", "no such", "apple"])]
        ['pear', None, 'apple']
        """
        return await self._call("get_many", ids)

    async def len(self):
        """Returns the number of records, without soft-deleted and expired ones; `len(store)` is the same.

        See `BaseCollection.len`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.len()
        3
        """
        return await self._call("len")

    async def count(self, filter=None, *, params=None):
        """Returns the number of records that match, or of all of them: of segments from their field indexes,
        mostly without a look at single records.

        See `BaseCollection.count`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.count(), await store.count({"price": {"$lt": 4}}), await store.count("price < :most", params={"most": 3})
        (3, 2, 1)
        """
        return await self._call("count", filter, params=params)

    async def is_empty(self):
        """Returns whether there are no records.

        See `BaseCollection.is_empty`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.is_empty()
        False
        """
        return await self._call("is_empty")

    async def active_count(self):
        """Returns the number of records that reads return: the same as `len(store)`.

        See `BaseCollection.active_count`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.active_count()
        3
        """
        return await self._call("active_count")

    async def deleted_count(self):
        """Returns the number of soft-deleted records.

        See `BaseCollection.deleted_count`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.soft_delete("leek"), await store.deleted_count()
        (True, 1)
        """
        return await self._call("deleted_count")

    async def get_text(self, id):
        """Returns the text of a record, None if it has none.

        See `BaseCollection.get_text`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.upsert("fig", [1, 0, 0], text="a fig")
        >>> await store.get_text("fig")
        'a fig'
        """
        return await self._call("get_text", id)

    async def has_text(self, id):
        """Returns whether there is a record with this id that has a text.

        See `BaseCollection.has_text`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.has_text("apple")
        False
        """
        return await self._call("has_text", id)

    async def scroll(
        self, filter=None, *, limit=100, cursor=None, with_vectors=False, order_by=None, params=None
    ):
        """Returns a page of records, in ascending order of id (by code point) if nothing else is asked for.

        See `BaseCollection.scroll`, whose parameters, results and errors these are.

        Examples
        --------
        >>> records, cursor = await store.scroll(limit=2)
        >>> [record.id for record in records], cursor
        (['apple', 'leek'], 'leek')
        >>> records, cursor = await store.scroll(limit=2, cursor=cursor)
        >>> [record.id for record in records], cursor
        (['pear'], None)
        >>> [record.id for record in (await store.scroll(order_by="-price")).records]
        ['pear', 'apple', 'leek']
        """
        return await self._call(
            "scroll",
            filter,
            limit=limit,
            cursor=cursor,
            with_vectors=with_vectors,
            order_by=order_by,
            params=params,
        )

    def __aiter__(self):
        """Yields what iterating over the `BaseCollection` does, fetched in steps."""
        return self._each("__iter__")

    async def list_all(self):
        """Returns all records, soft-deleted ones too, in ascending order of id.

        See `BaseCollection.list_all`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.soft_delete("leek")
        True
        >>> [(record.id, record.deleted) for record in await store.list_all()]
        [('apple', False), ('leek', True), ('pear', False)]
        """
        return await self._call("list_all")

    async def list_active(self):
        """Returns the records that reads return, in ascending order of id.

        See `BaseCollection.list_active`, whose parameters, results and errors these are.

        Examples
        --------
        >>> [record.id for record in await store.list_active()]
        ['apple', 'leek', 'pear']
        """
        return await self._call("list_active")

    async def list_deleted(self):
        """Returns the soft-deleted records in ascending order of id.

        See `BaseCollection.list_deleted`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.soft_delete("leek")
        True
        >>> [record.id for record in await store.list_deleted()]
        ['leek']
        """
        return await self._call("list_deleted")

    async def create_index(self, path, kind=None):
        """Has the values at a path of the metadata held by an index, durably.

        See `BaseCollection.create_index`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.create_index("price", "number")
        >>> [(index.path, index.kind) for index in await store.list_indexes()]
        [('price', 'number')]
        """
        return await self._call("create_index", path, kind)

    async def drop_index(self, path):
        """Has no values at a path held by an index, durably, and returns whether there was one. `create_index`
        brings it back.

        See `BaseCollection.drop_index`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.drop_index("no such")
        False
        """
        return await self._call("drop_index", path)

    async def list_indexes(self):
        """Returns the field indexes, by path: those that were asked for, and those that were made by
        themselves.

        See `BaseCollection.list_indexes`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.list_indexes()
        []
        """
        return await self._call("list_indexes")

    async def distinct(self, path, filter=None, *, params=None):
        """Returns the distinct values that records have at a path, of those that match.

        See `BaseCollection.distinct`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.distinct("kind"), await store.distinct("price", "kind = 'fruit'")
        (['fruit', 'vegetable'], [3, 4])
        """
        return await self._call("distinct", path, filter, params=params)

    async def facets(self, path, filter=None, *, limit=None, buckets=None, params=None):
        """Returns how many records have each value at a path, of those that match; or how many have one in
        each range.

        See `BaseCollection.facets`, whose parameters, results and errors these are.

        Examples
        --------
        >>> dict(await store.facets("kind"))
        {'fruit': 2, 'vegetable': 1}
        >>> [(bucket.start, bucket.count) for bucket in await store.facets("price", buckets=[0, 4, None])]
        [(0, 2), (4, 1)]
        """
        return await self._call("facets", path, filter, limit=limit, buckets=buckets, params=params)

    async def to_arrow(self, filter=None, *, params=None, with_vectors=True):
        """Returns the records as a table of Arrow, in order of id. Needs `vecstore[arrow]`.

        See `BaseCollection.to_arrow`, whose parameters, results and errors these are.

        Examples
        --------
        >>> (await store.to_arrow({"kind": "fruit"})).column("id").to_pylist()
        ['apple', 'pear']
        """
        return await self._call("to_arrow", filter, params=params, with_vectors=with_vectors)

    async def to_pandas(self, filter=None, *, params=None, with_vectors=True):
        """Returns the records as a frame of pandas, in order of id, with the columns id, vector (arrays),
        metadata (dicts) and text. Needs `vecstore[pandas]`.

        See `BaseCollection.to_pandas`, whose parameters, results and errors these are.

        Examples
        --------
        >>> (await store.to_pandas("price > 2")).metadata.str["price"].tolist()
        [3, 4]
        """
        return await self._call("to_pandas", filter, params=params, with_vectors=with_vectors)

    async def to_polars(self, filter=None, *, params=None, with_vectors=True):
        """Returns the records as a frame of polars, in order of id, with the columns id, vector (an Array of
        Float32), metadata (JSON, as in `to_arrow`) and text. Needs `vecstore[polars]`.

        See `BaseCollection.to_polars`, whose parameters, results and errors these are.

        Examples
        --------
        >>> (await store.to_polars())["id"].to_list()
        ['apple', 'leek', 'pear']
        """
        return await self._call("to_polars", filter, params=params, with_vectors=with_vectors)

    async def query(
        self,
        vector,
        k=10,
        filter=None,
        *,
        recall=0.95,
        exact=False,
        offset=0,
        min_score=None,
        boost=None,
        include=("metadata",),
        params=None,
        prefix_dim=None,
    ):
        """Returns the records nearest to a vector, best first, ties broken by id.

        See `BaseCollection.query`, whose parameters, results and errors these are.

        Examples
        --------
        >>> for neighbor in await store.query([1.0, 0.0, 0.0], k=2, filter={"kind": "fruit"}):
        ...     print(neighbor.id, round(neighbor.score, 3), neighbor.metadata["price"])
        apple 0.994 3
        pear 0.963 4
        """
        return await self._call(
            "query",
            vector,
            k,
            filter,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
            prefix_dim=prefix_dim,
        )

    async def query_batch(
        self,
        vectors,
        k=10,
        filter=None,
        *,
        recall=0.95,
        exact=False,
        offset=0,
        min_score=None,
        boost=None,
        include=("metadata",),
        params=None,
    ):
        """Searches for several vectors at once, which reads each record once for several of them.

        See `BaseCollection.query_batch`, whose parameters, results and errors these are.

        Examples
        --------
        >>> found = await store.query_batch([[1, 0, 0], [0, 1, 0]], k=1)
        >>> [row[0].id for row in found]
        ['apple', 'leek']
        """
        return await self._call(
            "query_batch",
            vectors,
            k,
            filter,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )

    async def text_query(
        self,
        keywords,
        k=10,
        filter=None,
        *,
        offset=0,
        min_score=None,
        boost=None,
        boosts=None,
        include=("metadata",),
        params=None,
    ):
        """Returns the records whose texts match words best, by BM25, best first, ties broken by id.

        See `BaseCollection.text_query`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.index_text("apple", "a crisp red apple")
        >>> await store.index_text("leek", "a crisp green leek")
        >>> [neighbor.id for neighbor in await store.text_query("crisp -green")]
        ['apple']
        """
        return await self._call(
            "text_query",
            keywords,
            k,
            filter,
            offset=offset,
            min_score=min_score,
            boost=boost,
            boosts=boosts,
            include=include,
            params=params,
        )

    async def sparse_query(
        self,
        indices_values,
        k=10,
        filter=None,
        *,
        offset=0,
        min_score=None,
        boost=None,
        include=("metadata",),
        params=None,
    ):
        """Returns the records whose sparse vectors have the largest dot product with one, best first, ties
        broken by id.

        See `BaseCollection.sparse_query`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.upsert("fig", [1, 0, 0], sparse={7: 0.5, 90: 1.0})
        >>> (await store.sparse_query(([90, 7], [2.0, 1.0])))[0].score
        2.5
        """
        return await self._call(
            "sparse_query",
            indices_values,
            k,
            filter,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )

    async def hybrid_query(
        self,
        vector,
        keywords,
        k=10,
        alpha=0.7,
        filter=None,
        *,
        fusion="rrf",
        rrf_k=60.0,
        candidates=None,
        autocut=None,
        boosts=None,
        recall=0.95,
        exact=False,
        offset=0,
        min_score=None,
        boost=None,
        include=("metadata",),
        params=None,
    ):
        """Returns the records that match a vector and words best, best first, ties broken by id.

        See `BaseCollection.hybrid_query`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.index_text("leek", "a crisp green leek")
        >>> [neighbor.id for neighbor in await store.hybrid_query([1, 0, 0], "crisp", k=2, alpha=0.4)]
        ['leek', 'apple']
        """
        return await self._call(
            "hybrid_query",
            vector,
            keywords,
            k,
            alpha,
            filter,
            fusion=fusion,
            rrf_k=rrf_k,
            candidates=candidates,
            autocut=autocut,
            boosts=boosts,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )

    async def recommend(
        self,
        positive,
        negative=(),
        k=10,
        filter=None,
        *,
        strategy="average_vector",
        recall=0.95,
        exact=False,
        offset=0,
        min_score=None,
        boost=None,
        include=("metadata",),
        params=None,
    ):
        """Returns records like some examples and unlike others, best first, ties broken by id. Records that
        are examples are not among them.

        See `BaseCollection.recommend`, whose parameters, results and errors these are.

        Examples
        --------
        >>> [neighbor.id for neighbor in await store.recommend(["apple"], ["leek"])]
        ['pear']
        """
        return await self._call(
            "recommend",
            positive,
            negative,
            k,
            filter,
            strategy=strategy,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )

    async def query_by_id(
        self,
        id,
        k=10,
        filter=None,
        *,
        include_self=False,
        recall=0.95,
        exact=False,
        offset=0,
        min_score=None,
        boost=None,
        include=("metadata",),
        params=None,
    ):
        """Returns the records nearest to one that is there already, best first, ties broken by id.

        See `BaseCollection.query_by_id`, whose parameters, results and errors these are.

        Examples
        --------
        >>> [neighbor.id for neighbor in await store.query_by_id("apple")]
        ['pear', 'leek']
        """
        return await self._call(
            "query_by_id",
            id,
            k,
            filter,
            include_self=include_self,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )

    async def mmr_query(
        self,
        vector,
        k=10,
        fetch_k=50,
        lambda_=0.5,
        filter=None,
        *,
        recall=0.95,
        exact=False,
        offset=0,
        min_score=None,
        boost=None,
        include=("metadata",),
        params=None,
    ):
        """Returns records that are near a vector and unlike each other, in the order in which they are chosen.

        See `BaseCollection.mmr_query`, whose parameters, results and errors these are.

        Examples
        --------
        >>> [neighbor.id for neighbor in await store.mmr_query([1, 0, 0], k=2, lambda_=0.3)]
        ['apple', 'leek']
        """
        return await self._call(
            "mmr_query",
            vector,
            k,
            fetch_k,
            lambda_,
            filter,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )

    async def group_query(
        self,
        vector,
        by,
        groups=10,
        group_size=3,
        filter=None,
        *,
        recall=0.95,
        exact=False,
        min_score=None,
        boost=None,
        include=("metadata",),
        params=None,
    ):
        """Returns the best records of the best groups: of those with the same value at a path of the metadata.

        See `BaseCollection.group_query`, whose parameters, results and errors these are.

        Examples
        --------
        >>> for group in await store.group_query([1, 0, 0], by="kind", group_size=1):
        ...     print(group.value, [neighbor.id for neighbor in group.neighbors])
        fruit ['apple']
        vegetable ['leek']
        """
        return await self._call(
            "group_query",
            vector,
            by,
            groups,
            group_size,
            filter,
            recall=recall,
            exact=exact,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )

    async def multi_query(
        self,
        vectors,
        k=10,
        filter=None,
        *,
        candidates=None,
        recall=0.95,
        exact=False,
        offset=0,
        min_score=None,
        boost=None,
        include=("metadata",),
        params=None,
    ):
        """Returns the records that score best by late interaction, best first, ties broken by id: by the sum,
        over the given vectors, of the best score of one of the record's vectors with that (MaxSim, as in
        ColBERT).

        See `BaseCollection.multi_query`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.upsert_multi("fig", [[1, 0, 0], [0, 0, 1]])
        >>> best = (await store.multi_query([[1, 0, 0], [0, 0, 1]], k=1))[0]
        >>> best.id, best.score
        ('fig', 2.0)
        """
        return await self._call(
            "multi_query",
            vectors,
            k,
            filter,
            candidates=candidates,
            recall=recall,
            exact=exact,
            offset=offset,
            min_score=min_score,
            boost=boost,
            include=include,
            params=params,
        )

    async def find_duplicates(self, threshold=0.98, filter=None, *, recall=0.99, exact=False, params=None):
        """Returns the records that are too like another one, in order of id. Without them no two records are
        so like each other.

        See `BaseCollection.find_duplicates`, whose parameters, results and errors these are.

        Examples
        --------
        >>> [(found.id, found.of) for found in await store.find_duplicates(0.98)]
        [('pear', 'apple')]
        """
        return await self._call(
            "find_duplicates", threshold, filter, recall=recall, exact=exact, params=params
        )

    async def prefetch_query(self, query):
        """Searches in stages, all of one moment: the first stage searches, the others filter, rescore, reorder
        or cut.

        See `BaseCollection.prefetch_query`, whose parameters, results and errors these are.

        Examples
        --------
        >>> stages = [
        ...     vecstore.QueryStage.vector_search([1, 0, 0], k=100),
        ...     vecstore.QueryStage.filter({"kind": "fruit"}),
        ...     vecstore.QueryStage.rerank([0, 0, 1], k=1),
        ... ]
        >>> [neighbor.id for neighbor in await store.prefetch_query(vecstore.PrefetchQuery(stages))]
        ['pear']
        """
        return await self._call("prefetch_query", query)

    async def highlight(self, keywords, text, *, before="<b>", after="</b>", length=160, passages=3):
        """Returns passages of a text that show what of the keywords is in it, as the store's analyzer sees it.

        See `BaseCollection.highlight`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.highlight("crisp", "a crisp red apple")
        ['a <b>crisp</b> red apple']
        """
        return await self._call(
            "highlight", keywords, text, before=before, after=after, length=length, passages=passages
        )

    async def query_with_filter(self, vector, k, filter, *, params=None):
        """Returns the k records nearest to a vector among those that match: `query(vector, k, filter)`.

        See `BaseCollection.query_with_filter`, whose parameters, results and errors these are.

        Examples
        --------
        >>> (await store.query_with_filter([1, 0, 0], 1, "kind = 'vegetable'"))[0].id
        'leek'
        """
        return await self._call("query_with_filter", vector, k, filter, params=params)

    async def query_with_params(self, query, params):
        """Runs a `Query` with the recall of a preset, instead of its own.

        See `BaseCollection.query_with_params`, whose parameters, results and errors these are.

        Examples
        --------
        >>> query = vecstore.Query([1, 0, 0], k=1)
        >>> (await store.query_with_params(query, vecstore.HNSWSearchParams.high_recall()))[0].id
        'apple'
        """
        return await self._call("query_with_params", query, params)

    async def explain_query(self, query):
        """Runs a query and returns how it was done: what was searched in which way, why, and what that took.

        See `BaseCollection.explain_query`, whose parameters, results and errors these are.

        Examples
        --------
        >>> plan = await store.explain_query(vecstore.Query([1, 0, 0], k=2, filter="price < 4"))
        >>> plan.results, plan.steps[0].method, plan.steps[0].rows
        (2, 'scan of vectors', 1)
        """
        return await self._call("explain_query", query)

    async def query_explain(self, query):
        """Runs a query and returns its neighbors, each with how it was found.

        See `BaseCollection.query_explain`, whose parameters, results and errors these are.

        Examples
        --------
        >>> best = (await store.query_explain([1, 0, 0]))[0]
        >>> best.id, best.explanation.rank, best.explanation.step.method
        ('apple', 1, 'scan of vectors')
        """
        return await self._call("query_explain", query)

    async def estimate_query(self, query):
        """Runs a query five times and returns what it takes: measured, not guessed.

        See `BaseCollection.estimate_query`, whose parameters, results and errors these are.

        Examples
        --------
        >>> estimate = await store.estimate_query(vecstore.Query([1, 0, 0], filter={"kind": "fruit"}))
        >>> estimate.records, estimate.matches, estimate.time_us > 0
        (3, 2, True)
        """
        return await self._call("estimate_query", query)

    async def compact(self):
        """Finishes the background work now: seals, merges, frees space. Returns how many removed records it
        freed.

        See `BaseCollection.compact`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.delete("apple"), await store.compact() >= 0
        (True, True)
        """
        return await self._call("compact")

    async def optimize(self):
        """The same as `compact`.

        See `BaseCollection.optimize`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.optimize() >= 0
        True
        """
        return await self._call("optimize")

    async def maybe_compact(self, config=None):
        """Compacts if there is enough to free: by default, if more than a fifth of the rows are of removed,
        replaced or expired records.

        See `BaseCollection.maybe_compact`, whose parameters, results and errors these are.

        Examples
        --------
        >>> (await store.maybe_compact()).compacted
        False
        >>> await store.delete("apple"), (await store.maybe_compact(vecstore.CompactionConfig(min_dead_share=0.1))).compacted
        (True, True)
        """
        return await self._call("maybe_compact", config)

    async def verify(self):
        """Reads every byte of the store's files and checks it; changes nothing.

        See `BaseCollection.verify`, whose parameters, results and errors these are.

        Examples
        --------
        >>> (await store.verify()).ok
        True
        """
        return await self._call("verify")

    async def create_snapshot(self, name):
        """Keeps the records as they are now under a name, and returns the snapshot.

        See `BaseCollection.create_snapshot`, whose parameters, results and errors these are.

        Examples
        --------
        >>> (await store.create_snapshot("before")).record_count
        3
        """
        return await self._call("create_snapshot", name)

    async def list_snapshots(self):
        """Returns the snapshots that are kept, in the order they were made in.

        See `BaseCollection.list_snapshots`, whose parameters, results and errors these are.

        Examples
        --------
        >>> _ = await store.create_snapshot("before")
        >>> [(snapshot.name, snapshot.record_count) for snapshot in await store.list_snapshots()]
        [('before', 3)]
        """
        return await self._call("list_snapshots")

    async def restore_snapshot(self, name):
        """Makes the records what they were when the snapshot was made. The snapshot stays; what was written
        since is gone.

        See `BaseCollection.restore_snapshot`, whose parameters, results and errors these are.

        Examples
        --------
        >>> _ = await store.create_snapshot("before")
        >>> await store.delete("apple")
        True
        >>> await store.restore_snapshot("before")
        >>> await store.get("apple") is not None
        True
        """
        return await self._call("restore_snapshot", name)

    async def delete_snapshot(self, name):
        """Deletes a snapshot, and returns whether it was there.

        See `BaseCollection.delete_snapshot`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await store.delete_snapshot("no such")
        False
        """
        return await self._call("delete_snapshot", name)

    async def backup(self, path, incremental=True):
        """Copies the records to a directory of its own, as of a moment after the call began. Reads and writes
        go on.

        See `BaseCollection.backup`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     first, second = await store.backup(directory), await store.backup(directory)
        ...     first.copied_files, second.copied_files, second.kept_files
        (1, 0, 1)
        """
        return await self._call("backup", path, incremental)

    async def export_jsonl(self, path, *, filter=None, include_deleted=False, progress=False, params=None):
        """Writes the records of this moment to a file of JSON Lines, one record a line, in ascending order of
        id.

        See `BaseCollection.export_jsonl`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     file = pathlib.Path(directory) / "fruits.jsonl"
        ...     (await store.export_jsonl(file)).records
        ...     (await vecstore.AsyncVecStore(":memory:").import_jsonl(file)).records
        3
        3
        """
        return await self._call(
            "export_jsonl",
            path,
            filter=filter,
            include_deleted=include_deleted,
            progress=progress,
            params=params,
        )

    async def import_jsonl(self, path, *, batch_size=1000, checkpoint=None, progress=False):
        """Upserts the records of a file of JSON Lines, as `export_jsonl` writes it.

        See `BaseCollection.import_jsonl`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     file = pathlib.Path(directory) / "nuts.jsonl"
        ...     _ = file.write_text('{"id": "nut", "vector": [0.2, 0.2, 0.9]}')
        ...     (await store.import_jsonl(file)).records
        1
        """
        return await self._call(
            "import_jsonl", path, batch_size=batch_size, checkpoint=checkpoint, progress=progress
        )

    async def export_parquet(
        self,
        path,
        *,
        filter=None,
        params=None,
        include_deleted=False,
        batch_size=10000,
        compression="zstd",
        progress=False,
    ):
        """Writes the records of this moment to a Parquet file, in ascending order of id. Needs
        `vecstore[arrow]`.

        See `BaseCollection.export_parquet`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> directory = pathlib.Path(tempfile.mkdtemp())
        >>> (await store.export_parquet(directory / "fruits.parquet")).records
        3
        """
        return await self._call(
            "export_parquet",
            path,
            filter=filter,
            params=params,
            include_deleted=include_deleted,
            batch_size=batch_size,
            compression=compression,
            progress=progress,
        )

    async def import_parquet(
        self,
        path,
        *,
        id="id",
        vector="vector",
        text="text",
        metadata="metadata",
        batch_size=1000,
        checkpoint=None,
        progress=False,
    ):
        """Upserts the rows of a Parquet file, of `export_parquet` or any other. Needs `vecstore[arrow]`.

        See `BaseCollection.import_parquet`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> directory = pathlib.Path(tempfile.mkdtemp())
        >>> file = directory / "fruits.parquet"
        >>> _ = await store.export_parquet(file)
        >>> (await vecstore.AsyncVecStore(":memory:").import_parquet(file)).records
        3
        """
        return await self._call(
            "import_parquet",
            path,
            id=id,
            vector=vector,
            text=text,
            metadata=metadata,
            batch_size=batch_size,
            checkpoint=checkpoint,
            progress=progress,
        )

    async def import_arrow(
        self,
        data,
        *,
        id="id",
        vector="vector",
        text="text",
        metadata="metadata",
        batch_size=1000,
        progress=False,
    ):
        """Upserts the rows of Arrow data: a table, a batch, a reader, or anything with the Arrow stream of the
        PyCapsule protocol (`__arrow_c_stream__`), such as frames of polars and pandas. Needs
        `vecstore[arrow]`.

        See `BaseCollection.import_arrow`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import pyarrow
        >>> table = pyarrow.table({"id": ["fig"], "vector": [[0.8, 0.1, 0.2]], "kind": ["fruit"]})
        >>> (await store.import_arrow(table)).records
        1
        >>> (await store.get("fig")).metadata
        {'kind': 'fruit'}
        """
        return await self._call(
            "import_arrow",
            data,
            id=id,
            vector=vector,
            text=text,
            metadata=metadata,
            batch_size=batch_size,
            progress=progress,
        )

    async def export_numpy(self, path, *, filter=None, params=None, include_deleted=False, progress=False):
        """Writes the records of this moment to a file of numpy (`.npz`), in ascending order of id.

        See `BaseCollection.export_numpy`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> directory = pathlib.Path(tempfile.mkdtemp())
        >>> file = directory / "fruits.npz"
        >>> _ = await store.export_numpy(file)
        >>> import numpy
        >>> with numpy.load(file) as arrays:
        ...     arrays["vectors"].shape
        (3, 3)
        """
        return await self._call(
            "export_numpy",
            path,
            filter=filter,
            params=params,
            include_deleted=include_deleted,
            progress=progress,
        )

    async def import_numpy(
        self, path, *, ids=None, metadatas=None, batch_size=1000, checkpoint=None, progress=False
    ):
        """Upserts the vectors of a file of numpy: an `.npz` of `export_numpy`, one with the arrays `vectors`
        and perhaps `ids`, or an `.npy`. Nothing in it is unpickled.

        See `BaseCollection.import_numpy`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> directory = pathlib.Path(tempfile.mkdtemp())
        >>> import numpy
        >>> file = directory / "nuts.npy"
        >>> numpy.save(file, [[0.2, 0.2, 0.9]])
        >>> (await store.import_numpy(file, ids=["nut"])).records
        1
        """
        return await self._call(
            "import_numpy",
            path,
            ids=ids,
            metadatas=metadatas,
            batch_size=batch_size,
            checkpoint=checkpoint,
            progress=progress,
        )


class AsyncVecStore(AsyncBaseCollection):
    """A store whose methods are awaited: see `VecStore`, whose options it takes.

    It is opened when it is awaited, entered with ``async with``, or first called. Properties do not wait: the
    first call opens. It belongs to no event loop, and holds at most 16 threads, which end when it is closed.

    Examples
    --------
    >>> async with vecstore.AsyncVecStore(":memory:") as shelf:
    ...     await shelf.upsert("apple", [0.9, 0.1, 0.0], {"kind": "fruit"})
    ...     print([neighbor.id for neighbor in await shelf.query([1.0, 0.0, 0.0], k=1)])
    ...     print([record.id async for record in shelf])
    ['apple']
    ['apple']
    """

    __slots__ = ()

    def __init__(
        self,
        path,
        *,
        dim=None,
        metric=None,
        durability="commit",
        read_only=False,
        wait=0.0,
        quantization="auto",
        memory_budget=None,
        threads=None,
        analyzer=None,
        text_fields=None,
        partition_by=None,
        schema=None,
    ):
        self._opened = Opened(
            lambda: _vecstore.VecStore(
                path,
                dim=dim,
                metric=metric,
                durability=durability,
                read_only=read_only,
                wait=wait,
                quantization=quantization,
                memory_budget=memory_budget,
                threads=threads,
                analyzer=analyzer,
                text_fields=text_fields,
                partition_by=partition_by,
                schema=schema,
            )
        )
        self._threads = Threads()

    @classmethod
    def wrapping(cls, opened):
        """Wraps a VecStore that is open already; the two share it.

        Examples
        --------
        >>> opened = vecstore.VecStore(":memory:")
        >>> vecstore.AsyncVecStore.wrapping(opened).wrapped is opened
        True
        """
        twin = cls.__new__(cls)
        twin._opened = Opened(lambda: opened, opened)
        twin._threads = Threads()
        return twin

    def __await__(self):
        """Opens it."""
        return self.__aenter__().__await__()

    async def __aenter__(self):
        """Opens it."""
        await self._threads.run(self._opened.get)
        return self

    async def __aexit__(self, exc_type, exc_value, traceback):
        """Closes it."""
        await self.close()

    def __reduce__(self):
        return type(self).wrapping, (self._opened.get(),)

    def __repr__(self):
        opened = self._opened._opened
        return "AsyncVecStore(not open)" if opened is None else f"Async{opened!r}"

    @staticmethod
    def open(
        path,
        *,
        dim=None,
        metric=None,
        durability="commit",
        read_only=False,
        wait=0.0,
        quantization="auto",
        memory_budget=None,
        threads=None,
        analyzer=None,
        text_fields=None,
        partition_by=None,
        schema=None,
    ):
        """Opens a store: the same as `VecStore(path, ...)`, with the same parameters.

        See `VecStore.open`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await vecstore.AsyncVecStore.open(":memory:", dim=3).dimension()
        3
        """
        return AsyncVecStore(
            path,
            dim=dim,
            metric=metric,
            durability=durability,
            read_only=read_only,
            wait=wait,
            quantization=quantization,
            memory_budget=memory_budget,
            threads=threads,
            analyzer=analyzer,
            text_fields=text_fields,
            partition_by=partition_by,
            schema=schema,
        )

    async def close(self):
        """Makes everything durable and closes the store; closing again does nothing.

        See `VecStore.close`, whose parameters, results and errors these are.

        Examples
        --------
        >>> shelf = vecstore.AsyncVecStore(":memory:")
        >>> await shelf.close()
        >>> await shelf.len()
        Traceback (most recent call last):
        vecstore.ClosedError: the store was closed
        """
        await self._close()

    @staticmethod
    async def repair(path, *, metric=None, analyzer=None, text_fields=None, partition_by=None):
        """Repairs the store at `path`, which must not be open: keeps all records that can be read, makes
        indexes anew, and says what is lost.

        See `VecStore.repair`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import tempfile
        >>> path = tempfile.mkdtemp()
        >>> async with vecstore.AsyncVecStore(path) as damaged:
        ...     await damaged.upsert("a", [1.0, 0.0])
        >>> (await vecstore.AsyncVecStore.repair(path)).ok
        True
        """
        return await on_a_thread(
            _vecstore.VecStore.repair,
            path,
            metric=metric,
            analyzer=analyzer,
            text_fields=text_fields,
            partition_by=partition_by,
        )

    @staticmethod
    async def restore_backup(path, to):
        """Makes a store of a backup, in a directory that is empty or not there yet. Every byte is checked.

        See `VecStore.restore_backup`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     copied = (await store.backup(directory + "/backup")).copied_files
        ...     await vecstore.AsyncVecStore.restore_backup(directory + "/backup", directory + "/store")
        ...     async with vecstore.AsyncVecStore(directory + "/store") as restored:
        ...         await restored.len()
        3
        """
        return await on_a_thread(_vecstore.VecStore.restore_backup, path, to)

    @property
    def config(self):
        """How the store was opened, as a `Config`: path, dim, metric, durability, read_only, quantization,
        memory_budget, threads, analyzer, text_fields, partition_by.

        See `VecStore.config`, whose parameters, results and errors these are.
        """
        return self._opened.get().config

    async def stats(self):
        """Returns figures about the store at this moment, as a `StoreStats`.

        See `VecStore.stats`, whose parameters, results and errors these are.

        Examples
        --------
        >>> stats = await store.stats()
        >>> stats.active, stats.dim, stats.metric
        (3, 3, 'cosine')
        """
        return await self._call("stats")


class AsyncCollection(AsyncBaseCollection):
    """A collection whose methods are awaited: see `Collection`. `AsyncVecDatabase` gives
        them out.

    Examples
    --------
    >>> async with vecstore.AsyncVecDatabase(":memory:") as database:
    ...     docs = await database.create_collection("docs")
    ...     await docs.upsert("a", [1.0, 0.0])
    ...     await docs.len()
    1
    """

    __slots__ = ()

    def __init__(self, collection):
        """Wraps a collection, with threads of its own."""
        self._opened = Opened(lambda: collection, collection)
        self._threads = Threads()

    @classmethod
    def _of(cls, collection, threads):
        twin = cls.__new__(cls)
        twin._opened = Opened(lambda: collection, collection)
        twin._threads = threads
        return twin

    def __repr__(self):
        return f"Async{self._opened.get()!r}"

    async def name(self):
        """Returns the name.

        See `Collection.name`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await (await vecstore.AsyncVecDatabase(":memory:").create_collection("docs")).name()
        'docs'
        """
        return await self._call("name")

    @property
    def namespace(self):
        """The name: `stats().namespace_id` is the same.

        See `Collection.namespace`, whose parameters, results and errors these are.
        """
        return self._opened.get().namespace

    @property
    def config(self):
        """What the collection is set to, as a `CollectionConfig`: dim, metric, quantization, quotas.

        See `Collection.config`, whose parameters, results and errors these are.
        """
        return self._opened.get().config

    async def stats(self):
        """Returns figures about the collection at this moment, as a `NamespaceStats`.

        See `Collection.stats`, whose parameters, results and errors these are.

        Examples
        --------
        >>> docs = await vecstore.AsyncVecDatabase(":memory:").create_collection("docs")
        >>> await docs.upsert("a", [1.0, 0.0])
        >>> stats = await docs.stats()
        >>> stats.vector_count, stats["dimension"], stats.status.name
        (1, 2, 'Active')
        """
        return await self._call("stats")


class AsyncVecDatabase(Twin):
    """A database whose methods are awaited: see `VecDatabase`, whose options it takes.

    It is opened when it is awaited, entered with ``async with``, or first called. Its collections share its
    threads, at most 16, which end when it is closed.

    Examples
    --------
    >>> async with vecstore.AsyncVecDatabase(":memory:") as database:
    ...     docs = await database.get_or_create_collection("docs")
    ...     await docs.upsert("a", [1.0, 0.0])
    ...     print([name async for name in database])
    ['docs']
    """

    __slots__ = ()

    def __init__(
        self, path, *, durability="commit", read_only=False, wait=0.0, memory_budget=None, threads=None
    ):
        self._opened = Opened(
            lambda: _vecstore.VecDatabase(
                path,
                durability=durability,
                read_only=read_only,
                wait=wait,
                memory_budget=memory_budget,
                threads=threads,
            )
        )
        self._threads = Threads()

    @classmethod
    def wrapping(cls, opened):
        """Wraps a VecDatabase that is open already; the two share it.

        Examples
        --------
        >>> opened = vecstore.VecDatabase(":memory:")
        >>> vecstore.AsyncVecDatabase.wrapping(opened).wrapped is opened
        True
        """
        twin = cls.__new__(cls)
        twin._opened = Opened(lambda: opened, opened)
        twin._threads = Threads()
        return twin

    def __await__(self):
        """Opens it."""
        return self.__aenter__().__await__()

    async def __aenter__(self):
        """Opens it."""
        await self._threads.run(self._opened.get)
        return self

    async def __aexit__(self, exc_type, exc_value, traceback):
        """Closes it."""
        await self.close()

    def __reduce__(self):
        return type(self).wrapping, (self._opened.get(),)

    def __repr__(self):
        opened = self._opened._opened
        return "AsyncVecDatabase(not open)" if opened is None else f"Async{opened!r}"

    @staticmethod
    def open(path, *, durability="commit", read_only=False, wait=0.0, memory_budget=None, threads=None):
        """Opens a database: the same as `VecDatabase(path, ...)`, with the same parameters.

        See `VecDatabase.open`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await vecstore.AsyncVecDatabase.open(":memory:").list_collections()
        []
        """
        return AsyncVecDatabase(
            path,
            durability=durability,
            read_only=read_only,
            wait=wait,
            memory_budget=memory_budget,
            threads=threads,
        )

    @staticmethod
    async def restore_backup(path, to):
        """Makes a database of a backup, in a directory that is empty or not there yet. Every byte is checked.

        See `VecDatabase.restore_backup`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     async with vecstore.AsyncVecDatabase(directory + "/database") as database:
        ...         _ = await database.create_collection("docs")
        ...         _ = await database.backup(directory + "/backup")
        ...     await vecstore.AsyncVecDatabase.restore_backup(directory + "/backup", directory + "/restored")
        ...     async with vecstore.AsyncVecDatabase(directory + "/restored") as restored:
        ...         await restored.list_collections()
        ['docs']
        """
        return await on_a_thread(_vecstore.VecDatabase.restore_backup, path, to)

    async def close(self):
        """Makes everything durable and closes the database with all its collections; closing again does
        nothing.

        See `VecDatabase.close`, whose parameters, results and errors these are.

        Examples
        --------
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> await database.close()
        >>> await database.list_collections()
        Traceback (most recent call last):
        vecstore.ClosedError: the database was closed
        """
        await self._close()

    async def create_collection(self, name, config=None):
        """Makes a collection, durably.

        See `VecDatabase.create_collection`, whose parameters, results and errors these are.

        Examples
        --------
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> (await database.create_collection("docs", vecstore.CollectionConfig(dim=3, metric="l2"))).config.metric
        'euclidean'
        """
        found = await self._call("create_collection", name, config)
        return AsyncCollection._of(found, self._threads)

    async def get_collection(self, name):
        """Returns the collection of this name; None if there is none.

        See `VecDatabase.get_collection`, whose parameters, results and errors these are.

        Examples
        --------
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> await database.get_collection("docs") is None
        True
        """
        found = await self._call("get_collection", name)
        return None if found is None else AsyncCollection._of(found, self._threads)

    async def get_or_create_collection(self, name, config=None):
        """Returns the collection of this name; makes it with `config` if there is none. One that is there
        keeps its own config.

        See `VecDatabase.get_or_create_collection`, whose parameters, results and errors these are.

        Examples
        --------
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> await (await database.get_or_create_collection("docs")).name()
        'docs'
        """
        found = await self._call("get_or_create_collection", name, config)
        return AsyncCollection._of(found, self._threads)

    async def list_collections(self):
        """Returns the names of the collections, sorted.

        See `VecDatabase.list_collections`, whose parameters, results and errors these are.

        Examples
        --------
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> _ = await database.create_collection("b"), await database.create_collection("a")
        >>> await database.list_collections()
        ['a', 'b']
        """
        return await self._call("list_collections")

    async def collection_names(self):
        """The same as `list_collections`.

        See `VecDatabase.collection_names`, whose parameters, results and errors these are.

        Examples
        --------
        >>> await vecstore.AsyncVecDatabase(":memory:").collection_names()
        []
        """
        return await self._call("collection_names")

    def __aiter__(self):
        """Yields what iterating over the `VecDatabase` does, fetched in steps."""
        return self._each("__iter__")

    async def delete_collection(self, name):
        """Deletes a collection with all its records, snapshots and files, durably, and returns whether it was
        there.

        See `VecDatabase.delete_collection`, whose parameters, results and errors these are.

        Examples
        --------
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> _ = await database.create_collection("docs")
        >>> await database.delete_collection("docs"), await database.delete_collection("docs")
        (True, False)
        """
        return await self._call("delete_collection", name)

    async def rename_collection(self, name, new_name):
        """Gives a collection another name, durably. Objects of it go on under the new name.

        See `VecDatabase.rename_collection`, whose parameters, results and errors these are.

        Examples
        --------
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> docs = await database.create_collection("docs")
        >>> await database.rename_collection("docs", "papers")
        >>> await docs.name()
        'papers'
        """
        return await self._call("rename_collection", name, new_name)

    async def aggregate_stats(self):
        """Returns sums over all collections, as an `AggregateStats`. Opens each of them, one after the other.

        See `VecDatabase.aggregate_stats`, whose parameters, results and errors these are.

        Examples
        --------
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> await (await database.create_collection("docs")).upsert("a", [1, 0])
        >>> sums = await database.aggregate_stats()
        >>> sums.total_namespaces, sums["total_vectors"]
        (1, 1)
        """
        return await self._call("aggregate_stats")

    async def stats(self, name):
        """Returns figures about a collection, as `Collection.stats`.

        See `VecDatabase.stats`, whose parameters, results and errors these are.

        Examples
        --------
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> _ = await database.create_collection("docs")
        >>> (await database.stats("docs")).vector_count
        0
        """
        return await self._call("stats", name)

    async def update_quotas(self, name, quotas):
        """Sets what a collection may grow to. What it has grown to already stays.

        See `VecDatabase.update_quotas`, whose parameters, results and errors these are.

        Examples
        --------
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> docs = await database.create_collection("docs")
        >>> await database.update_quotas("docs", vecstore.NamespaceQuotas(max_vectors=1))
        >>> await docs.upsert("a", [1, 0])
        >>> await docs.upsert("b", [0, 1])
        Traceback (most recent call last):
        vecstore.QuotaExceededError: collection `docs` is over its quota max_vectors
        """
        return await self._call("update_quotas", name, quotas)

    async def update_status(self, name, status):
        """Sets what may be done with a collection.

        See `VecDatabase.update_status`, whose parameters, results and errors these are.

        Examples
        --------
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> docs = await database.create_collection("docs")
        >>> await database.update_status("docs", vecstore.NamespaceStatus.ReadOnly)
        >>> await docs.upsert("a", [1, 0])
        Traceback (most recent call last):
        vecstore.UnsupportedError: collection `docs` has the status ReadOnly and takes no writes
        """
        return await self._call("update_status", name, status)

    async def backup(self, path, incremental=True):
        """Copies all collections to a directory of their own, each as of a moment after the call began. The
        parameters and the result are those of `Collection.backup`.

        See `VecDatabase.backup`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import tempfile
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> _ = await database.create_collection("docs")
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     (await database.backup(directory)).collections
        1
        """
        return await self._call("backup", path, incremental)

    async def backup_collection(self, name, path, incremental=True):
        """Backs up one collection, as `Collection.backup`.

        See `VecDatabase.backup_collection`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import tempfile
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> _ = await database.create_collection("docs")
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     (await database.backup_collection("docs", directory)).collections
        1
        """
        return await self._call("backup_collection", name, path, incremental)

    async def restore_collection(self, name, path):
        """Brings a collection back from a backup of it, under its name: if it is here, its records become
        those of the backup; otherwise it is made, with the config it had.

        See `VecDatabase.restore_collection`, whose parameters, results and errors these are.

        Examples
        --------
        >>> import tempfile
        >>> database = vecstore.AsyncVecDatabase(":memory:")
        >>> docs = await database.create_collection("docs")
        >>> await docs.upsert("a", [1, 0])
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     _ = await docs.backup(directory)
        ...     _ = await database.delete_collection("docs")
        ...     await (await database.restore_collection("docs", directory)).len()
        1
        """
        found = await self._call("restore_collection", name, path)
        return AsyncCollection._of(found, self._threads)


for _name in __all__:
    globals()[_name].__module__ = "vecstore"
del _name
