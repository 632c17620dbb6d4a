"""Documents as chunks in a store, and chunks as documents again.

The functions take any object with the methods of a store: `VecStore`, a collection, a class of yours.
"""

from __future__ import annotations

import bisect
import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_callable, check_int, check_items, check_text
from vecstore._errors import InvalidInputError
from vecstore._types import Filter, Metadata
from vecstore._vecstore import Neighbor
from vecstore.rag._calls import Call, Work, arun, run
from vecstore.rag._models import Embedder, embedded
from vecstore.rag._results import Result, as_neighbors, check_searched, text_of

__all__ = [
    "aparent_documents",
    "asentence_window",
    "batch_upsert_texts",
    "join_pages",
    "merge_chunks",
    "parent_documents",
    "parents",
    "query_text",
    "sentence_window",
    "texts_upserted",
    "upsert_chunks",
    "windows",
]

#: Metadata of a chunk that are the document's, not the chunk's.
_OWN_KEYS = ("text", "chunk_index", "doc_id", "start", "end", "page", "page_breaks")


def upsert_chunks(
    store: typing.Any,
    doc_id: str,
    text: str,
    splitter: typing.Any,
    embedder: Embedder,
    *,
    metadata: Metadata | None = None,
    page_starts: abc.Sequence[int] | None = None,
    batch_size: int = 64,
) -> int:
    """See ``VecStore.upsert_chunks``."""
    work = chunks_upserted(
        store,
        doc_id,
        text,
        splitter,
        embedder,
        metadata=metadata,
        page_starts=page_starts,
        batch_size=batch_size,
    )
    return run(work)


def chunks_upserted(
    store: typing.Any,
    doc_id: str,
    text: str,
    splitter: typing.Any,
    embedder: Embedder,
    *,
    metadata: Metadata | None = None,
    page_starts: abc.Sequence[int] | None = None,
    batch_size: int = 64,
) -> Work[int]:
    """Splits, embeds, upserts; see ``VecStore.upsert_chunks``."""
    check_text("doc_id", doc_id)
    check_text("text", text)
    if metadata is not None and not isinstance(metadata, abc.Mapping):
        raise TypeError(f"metadata: expected a dict or None, got {type(metadata).__name__}")
    split = _split_of(splitter)
    starts = _checked_starts(page_starts, len(text))
    chunks = _checked_chunks((yield Call(split, text)))
    texts = [chunk.content for chunk in chunks]
    vectors = yield from embedded(embedder, texts, batch_size=batch_size)
    metadatas = []
    for index, chunk in enumerate(chunks):
        entries = {
            **(metadata or {}),
            **(getattr(chunk, "metadata", None) or {}),
            "text": chunk.content,
            "chunk_index": index,
            "doc_id": doc_id,
            "start": chunk.char_start,
            "end": chunk.char_end,
        }
        if starts:
            first = bisect.bisect_right(starts, chunk.char_start)
            last = bisect.bisect_left(starts, chunk.char_end, lo=first)
            entries["page"] = max(1, first)
            entries["page_breaks"] = [start - chunk.char_start for start in starts[first:last]]
        metadatas.append(entries)
    if chunks:
        ids = [f"{doc_id}_{index}" for index in range(len(chunks))]
        yield Call(store.upsert_many, ids, vectors, metadatas, texts=texts)
    # Not before the upsert: a crash between the two leaves chunks of the old version, and never a document
    # without its chunks.
    yield Call(store.delete_where, {"doc_id": doc_id, "chunk_index": {"$gte": len(chunks)}})
    return len(chunks)


class _Found(typing.NamedTuple):
    """A chunk of a splitter that does not say where its chunks are."""

    content: str
    char_start: int
    char_end: int


def _split_of(splitter: typing.Any) -> abc.Callable[[str], abc.Iterable[typing.Any]]:
    """What splits a text into chunks that know where they are."""
    split = getattr(splitter, "split_with_metadata", None)
    if callable(split):
        return typing.cast("abc.Callable[[str], abc.Iterable[typing.Any]]", split)
    plain: typing.Any = getattr(splitter, "split_text", splitter)
    if not callable(plain):
        raise TypeError(
            "splitter: expected an object with `split_with_metadata` or `split_text`, or a callable, got "
            f"{type(splitter).__name__}"
        )
    split_plainly = typing.cast("abc.Callable[[str], abc.Iterable[str]]", plain)
    return lambda text: _located(split_plainly(text), text)


def _checked_chunks(found: typing.Any) -> list[typing.Any]:
    """What a splitter returned, if it is chunks."""
    chunks = list(check_items("what the splitter returned", found, "a list of chunks"))
    for at, chunk in enumerate(chunks):
        places = (getattr(chunk, "char_start", None), getattr(chunk, "char_end", None))
        is_chunk = isinstance(getattr(chunk, "content", None), str) and all(
            isinstance(place, int) for place in places
        )
        if not is_chunk:
            raise TypeError(
                f"what the splitter returned[{at}]: expected a chunk with the str `content` and the ints "
                f"`char_start` and `char_end`, got {type(chunk).__name__}"
            )
    return chunks


def _located(contents: abc.Iterable[str], text: str) -> list[_Found]:
    """Looks for each chunk from the end of the one before on, or from its start where they overlap."""
    found: list[_Found] = []
    for at, content in enumerate(check_items("what the splitter returned", contents, "a list of str")):
        check_text(f"what the splitter returned[{at}]", content)
        last = found[-1] if found else _Found("", 0, 0)
        start = text.find(content, last.char_end)
        if start < 0:
            start = text.find(content, last.char_start + 1 if found else 0)
        if start < 0:
            start = last.char_end
        found.append(_Found(content, start, min(start + len(content), len(text))))
    return found


def _checked_starts(page_starts: abc.Sequence[int] | None, length: int) -> list[int]:
    starts = [] if page_starts is None else list(check_items("page_starts", page_starts, "a list of int"))
    for start in starts:
        check_int("page_starts: a place", start)
    if starts != sorted(starts) or (starts and not 0 <= starts[0] <= starts[-1] <= length):
        raise InvalidInputError(
            f"page_starts: expected places in a text of {length} characters, in order, got {starts[:5]!r}"
        )
    return starts


def join_pages(pages: abc.Iterable[str], separator: str = "\n\n") -> tuple[str, list[int]]:
    """Joins the texts of pages into one document; returns it and where its pages begin.

    >>> join_pages(["one", "two"])
    ('one\\n\\ntwo', [0, 5])
    """
    check_text("separator", separator)
    listed = enumerate(check_items("pages", pages, "a list of str"))
    texts = [check_text(f"pages[{at}]", page) for at, page in listed]
    starts, at = [], 0
    for text in texts:
        starts.append(at)
        at += len(text) + len(separator)
    return separator.join(texts), starts


def batch_upsert_texts(
    store: typing.Any, items: abc.Iterable[typing.Any], embedder: Embedder, *, batch_size: int = 64
) -> int:
    """See ``VecStore.batch_upsert_texts``."""
    return run(texts_upserted(store, items, embedder, batch_size=batch_size))


def texts_upserted(
    store: typing.Any,
    items: abc.Iterable[typing.Any],
    embedder: Embedder,
    *,
    batch_size: int = 64,
    name: str = "items",
) -> Work[int]:
    """Embeds and upserts; see ``VecStore.batch_upsert_texts``."""
    ids, texts, metadatas = [], [], []
    for at, item in enumerate(check_items(name, items, "a list of (id, text)")):
        identity, text, metadata = _item(item, f"{name}[{at}]")
        ids.append(identity)
        texts.append(text)
        metadatas.append({**metadata, "text": text})
    vectors = yield from embedded(embedder, texts, batch_size=batch_size)
    if not ids:
        return 0
    return typing.cast(int, (yield Call(store.upsert_many, ids, vectors, metadatas, texts=texts)))


def _item(item: typing.Any, name: str) -> tuple[str, str, Metadata]:
    identity: typing.Any
    if isinstance(item, abc.Mapping):
        unknown = item.keys() - {"id", "text", "metadata"}
        if unknown:
            raise InvalidInputError(f"{name}: expected id, text and metadata, got {sorted(unknown)} too")
        try:
            identity, text, metadata = item["id"], item["text"], item.get("metadata")
        except KeyError as missing:
            raise InvalidInputError(f"{name}: expected `id` and `text`, there is no {missing}") from None
    elif isinstance(item, (tuple, list)) and len(item) in (2, 3):
        identity, text, metadata = (*item, None)[:3]
    else:
        raise TypeError(
            f"{name}: expected (id, text), (id, text, metadata) or a dict, got {type(item).__name__}"
        )
    if not isinstance(text, str):
        raise TypeError(f"{name}: expected the text as a str, got {type(text).__name__}")
    if metadata is not None and not isinstance(metadata, abc.Mapping):
        raise TypeError(f"{name}: expected the metadata as a dict or None, got {type(metadata).__name__}")
    return identity, text, metadata or {}


def query_text(
    store: typing.Any,
    text: str,
    embedder: Embedder,
    k: int = 10,
    filter: Filter | None = None,
    *,
    params: Metadata | None = None,
) -> list[Neighbor]:
    """See ``VecStore.query_text``."""
    return run(text_queried(store, text, embedder, k, filter, params=params))


def text_queried(
    store: typing.Any,
    text: str,
    embedder: Embedder,
    k: int = 10,
    filter: Filter | None = None,
    *,
    params: Metadata | None = None,
) -> Work[list[Neighbor]]:
    """Embeds and queries; see ``VecStore.query_text``."""
    vectors = yield from embedded(embedder, [check_text("text", text)], query=True)
    keywords: dict[str, typing.Any] = {"include": ("metadata", "text")}
    if params is not None:
        keywords["params"] = params
    found = yield Call(store.query, vectors[0], k, filter, **keywords)
    return typing.cast("list[Neighbor]", found)


def merge_chunks(chunks: abc.Iterable[Result], gap: int = 0) -> list[Neighbor]:
    """Puts chunks of the same document together that overlap or touch, by where they are.

    Parameters
    ----------
    chunks : iterable of Neighbor or dict
        With ``doc_id`` and ``start`` in their metadata, as `upsert_chunks` notes them; others stay as they
        are.
    gap : int
        How many characters may be missing between two: the white space that a splitter dropped. They become
        spaces.

    Returns
    -------
    list of Neighbor
        In the order of their best, that is first given, chunk, whose id, score and metadata they have; with
        ``text``, ``start`` and ``end`` of their own, and ``chunk_ids``.

    Examples
    --------
    >>> chunk = lambda id, start, text: {"id": id, "text": text, "metadata": {"doc_id": "a", "start": start}}
    >>> merged = merge_chunks([chunk("a_1", 4, "two three"), chunk("a_0", 0, "one two")])
    >>> merged[0].text, merged[0].metadata["chunk_ids"]
    ('one two three', ['a_0', 'a_1'])
    """
    neighbors = as_neighbors(chunks, "chunks")
    gap = check_int("gap", gap, 0)
    positions: list[tuple[str, int, str]] = []
    for neighbor in neighbors:
        doc_id, start = neighbor.metadata.get("doc_id"), neighbor.metadata.get("start")
        if isinstance(doc_id, str) and isinstance(start, int) and start >= 0:
            positions.append((f"d{doc_id}", start, text_of(neighbor)))
        else:  # a document of its own
            positions.append((f"i{neighbor.id}", 0, ""))
    merged = []
    for name, start, end, text, places in _vecstore._rag_merge(positions, gap):
        best = neighbors[min(places)]
        if name.startswith("i"):
            merged.append(best)
            continue
        metadata = {**best.metadata, "text": text, "start": start, "end": end}
        metadata["chunk_ids"] = [neighbors[place].id for place in places]
        _merge_pages(metadata, [neighbors[place] for place in places], start)
        merged.append(Neighbor(best.id, best.score, best.distance, metadata, None, text))
    return merged


def _merge_pages(metadata: dict[str, typing.Any], chunks: list[Neighbor], start: int) -> None:
    if "page" not in metadata:
        return
    metadata["page"] = chunks[0].metadata.get("page", metadata["page"])
    places = {
        place + chunk.metadata["start"] - start
        for chunk in chunks
        for place in chunk.metadata.get("page_breaks") or []
    }
    # A chunk that begins a page has no break of its own for it.
    previous = metadata["page"]
    for chunk in chunks:
        page = chunk.metadata.get("page", previous)
        if page > previous and not any(
            0 < place <= chunk.metadata["start"] - start
            for place in sorted(places)[page - metadata["page"] - 1 :]
        ):
            places.add(chunk.metadata["start"] - start)
        previous = max(previous, page)
    metadata["page_breaks"] = sorted(place for place in places if place > 0)


def sentence_window(
    store: typing.Any, results: abc.Iterable[Result], before: int = 1, after: int = 1
) -> list[Neighbor]:
    """Widens results that are chunks by the chunks around them, merged where they meet.

    Parameters
    ----------
    store : VecStore or Collection
        Where `upsert_chunks` put the document.
    results : iterable of Neighbor
        Chunks that were found; results that are no chunks stay as they are.
    before, after : int
        How many chunks on each side.

    Examples
    --------
    >>> docs, embedder = vecstore.VecStore(":memory:"), HashingEmbedder(64)
    >>> docs.upsert_chunks("d", "One two. Three four. Five six.", SentenceTextSplitter(12), embedder)
    3
    >>> found = docs.query_text("Three", embedder, k=1)
    >>> sentence_window(docs, found)[0].text
    'One two. Three four. Five six.'
    """
    return run(windows(store, as_neighbors(results), *_around(before, after)))


async def asentence_window(
    store: typing.Any, results: abc.Iterable[Result], before: int = 1, after: int = 1
) -> list[Neighbor]:
    """Does what `sentence_window` does, on an event loop.

    >>> import asyncio
    >>> docs, embedder = vecstore.VecStore(":memory:"), HashingEmbedder(64)
    >>> docs.upsert_chunks("d", "One two. Three four.", SentenceTextSplitter(12), embedder)
    2
    >>> asyncio.run(asentence_window(docs, docs.query_text("Three", embedder, k=1)))[0].text
    'One two. Three four.'
    """
    return await arun(windows(store, as_neighbors(results), *_around(before, after)))


#: The most chunks on one side: each of them is asked for.
WINDOW_MAX = 10_000


def _around(before: int, after: int) -> tuple[int, int]:
    return check_int("before", before, 0, WINDOW_MAX), check_int("after", after, 0, WINDOW_MAX)


def windows(store: typing.Any, neighbors: list[Neighbor], before: int, after: int) -> Work[list[Neighbor]]:
    """Widens chunks; see `sentence_window`."""
    check_searched(store)
    known = {neighbor.id for neighbor in neighbors}
    owners: dict[str, Neighbor] = {}
    for neighbor in neighbors:
        doc_id, index = neighbor.metadata.get("doc_id"), neighbor.metadata.get("chunk_index")
        if isinstance(doc_id, str) and isinstance(index, int):
            for near in range(max(0, index - before), index + after + 1):
                if (identity := f"{doc_id}_{near}") not in known:
                    owners.setdefault(identity, neighbor)
    if not owners:
        return merge_chunks(neighbors)
    records = yield Call(store.get_many, list(owners))
    around = [
        Neighbor(
            record.id, owners[record.id].score, owners[record.id].distance, record.metadata, None, record.text
        )
        for record in records
        if record is not None
    ]
    return merge_chunks([*neighbors, *around], gap=_GAP)


#: Characters that a splitter may drop between two chunks that follow each other.
_GAP = 8


def parent_documents(
    store: typing.Any,
    results: abc.Iterable[Result],
    documents: abc.Mapping[str, str] | abc.Callable[[str], str | None] | None = None,
) -> list[Neighbor]:
    """The documents that results are chunks of, each once, best first.

    Parameters
    ----------
    store : VecStore or Collection
        Where `upsert_chunks` put the documents: they are put together from their chunks.
    results : iterable of Neighbor
        Chunks that were found; results that are no chunks stay as they are.
    documents : mapping or callable, optional
        Has the text of each ``doc_id``, instead of the chunks.

    Returns
    -------
    list of Neighbor
        With ``doc_id`` as id, the score of their best chunk and the metadata that are not the chunk's own.

    Examples
    --------
    >>> docs, embedder = vecstore.VecStore(":memory:"), HashingEmbedder(64)
    >>> docs.upsert_chunks("d", "One two. Three four.", SentenceTextSplitter(12), embedder)
    2
    >>> parent = parent_documents(docs, docs.query_text("Three", embedder, k=1))[0]
    >>> parent.id, parent.text
    ('d', 'One two. Three four.')
    """
    return run(parents(store, as_neighbors(results), documents))


async def aparent_documents(
    store: typing.Any,
    results: abc.Iterable[Result],
    documents: abc.Mapping[str, str] | abc.Callable[[str], str | None] | None = None,
) -> list[Neighbor]:
    """Does what `parent_documents` does, on an event loop.

    >>> import asyncio
    >>> docs, embedder = vecstore.VecStore(":memory:"), HashingEmbedder(64)
    >>> docs.upsert_chunks("d", "One two. Three four.", SentenceTextSplitter(12), embedder)
    2
    >>> asyncio.run(aparent_documents(docs, docs.query_text("Three", embedder, k=1)))[0].id
    'd'
    """
    return await arun(parents(store, as_neighbors(results), documents))


def parents(
    store: typing.Any,
    neighbors: list[Neighbor],
    documents: abc.Mapping[str, str] | abc.Callable[[str], str | None] | None = None,
) -> Work[list[Neighbor]]:
    """Finds documents; see `parent_documents`."""
    check_searched(store)
    if documents is not None and not isinstance(documents, abc.Mapping):
        check_callable("documents", documents)
    found: dict[str, Neighbor] = {}
    for neighbor in neighbors:
        doc_id = neighbor.metadata.get("doc_id")
        key = f"d{doc_id}" if isinstance(doc_id, str) else f"i{neighbor.id}"
        if key in found:
            continue
        if not isinstance(doc_id, str):
            found[key] = neighbor
            continue
        text = None
        if documents is not None:
            text = (
                documents.get(doc_id)
                if isinstance(documents, abc.Mapping)
                else (yield Call(documents, doc_id))
            )
        if text is None:
            text = yield from _whole_text(store, doc_id)
        metadata = {name: value for name, value in neighbor.metadata.items() if name not in _OWN_KEYS}
        metadata.update(doc_id=doc_id, text=text)
        found[key] = Neighbor(doc_id, neighbor.score, neighbor.distance, metadata, None, text)
    return list(found.values())


def _whole_text(store: typing.Any, doc_id: str) -> Work[str]:
    chunks, cursor = [], None
    while True:
        page = yield Call(store.scroll, {"doc_id": doc_id}, limit=1000, cursor=cursor)
        chunks += [
            (doc_id, record.metadata["start"], record.text or record.metadata.get("text") or "")
            for record in page.records
            if isinstance(record.metadata.get("start"), int)
        ]
        cursor = page.cursor
        if cursor is None:
            break
    merged = _vecstore._rag_merge(chunks, 2**62)
    return merged[0][3] if merged else ""
