"""Texts in, vectors by an embedder: what ``Collection`` does with texts."""

from __future__ import annotations

import typing

if typing.TYPE_CHECKING:
    from collections import abc

    from vecstore import _types, _vecstore

__all__ = ["batch_upsert_texts", "query_text", "upsert_chunks"]


class Chunk(typing.NamedTuple):
    """A part of a text, and where it is in it, in characters."""

    text: str
    start: int
    end: int


def upsert_chunks(
    collection: _vecstore.Collection, doc_id: str, text: str, splitter: typing.Any, embedder: typing.Any
) -> int:
    """Does ``Collection.upsert_chunks``."""
    chunks = split(splitter, text)
    if chunks:
        texts = [chunk.text for chunk in chunks]
        metadatas = [
            {"text": chunk.text, "chunk_index": n, "doc_id": doc_id, "start": chunk.start, "end": chunk.end}
            for n, chunk in enumerate(chunks)
        ]
        ids = [f"{doc_id}_{n}" for n in range(len(chunks))]
        collection.upsert_many(ids, embed_all(embedder, texts), metadatas, texts=texts)
    collection.delete_where({"doc_id": {"$eq": doc_id}, "chunk_index": {"$gte": len(chunks)}})
    return len(chunks)


def batch_upsert_texts(
    collection: _vecstore.Collection, items: abc.Iterable[typing.Any], embedder: typing.Any
) -> int:
    """Does ``Collection.batch_upsert_texts``."""
    read = [item(given, n) for n, given in enumerate(items)]
    if not read:
        return 0
    ids, texts, metadatas = (list(column) for column in zip(*read))
    return collection.upsert_many(ids, embed_all(embedder, texts), metadatas, texts=texts)


def query_text(
    collection: _vecstore.Collection, text: str, embedder: typing.Any, k: int, filter: _types.Filter | None
) -> list[_vecstore.Neighbor]:
    """Does ``Collection.query_text``."""
    return collection.query(embed(embedder)(text), k, filter)


def item(given: typing.Any, n: int) -> tuple[str, str, _types.Metadata | None]:
    """Reads an item of ``batch_upsert_texts``."""
    if isinstance(given, dict):
        unknown = given.keys() - {"id", "text", "metadata"}
        if unknown or not {"id", "text"} <= given.keys():
            raise TypeError(
                f"items[{n}]: expected the keys id, text and perhaps metadata, got {sorted(given)}"
            )
        return given["id"], given["text"], given.get("metadata")
    if isinstance(given, (tuple, list)) and len(given) in (2, 3):
        return given[0], given[1], given[2] if len(given) == 3 else None
    raise TypeError(f"items[{n}]: expected (id, text), (id, text, metadata) or a dict, got {given!r:.80}")


def split(splitter: typing.Any, text: str) -> list[Chunk]:
    """Splits a text with whatever can: by offsets if the splitter knows them."""
    if hasattr(splitter, "split_with_metadata"):
        found = splitter.split_with_metadata(text)
        return [Chunk(chunk.content, chunk.char_start, chunk.char_end) for chunk in found]
    by = getattr(splitter, "split_text", splitter)
    if not callable(by):
        raise TypeError(
            f"splitter: expected one with split_text, or a callable, got {type(splitter).__name__}"
        )
    chunks: list[Chunk] = []
    for content in by(text):
        last = chunks[-1] if chunks else Chunk("", 0, 0)
        start = text.find(content, last.end)
        if start < 0:
            # They overlap.
            start = text.find(content, last.start + 1 if chunks else 0)
        if start < 0:
            start = last.end
        chunks.append(Chunk(content, start, min(start + len(content), len(text))))
    return chunks


def embed(embedder: typing.Any) -> abc.Callable[[str], typing.Any]:
    """Returns what makes a vector of one text."""
    if hasattr(embedder, "embed"):
        return typing.cast("abc.Callable[[str], typing.Any]", embedder.embed)
    if hasattr(embedder, "embed_batch"):
        return lambda text: embedder.embed_batch([text])[0]
    if callable(embedder):
        return typing.cast("abc.Callable[[str], typing.Any]", embedder)
    raise TypeError(f"embedder: expected one with embed, or a callable, got {type(embedder).__name__}")


def embed_all(embedder: typing.Any, texts: list[str]) -> _types.Vectors:
    """Makes a vector of each text, all at once if the embedder can."""
    if hasattr(embedder, "embed_batch"):
        return typing.cast("_types.Vectors", embedder.embed_batch(texts))
    one = embed(embedder)
    return [one(text) for text in texts]
