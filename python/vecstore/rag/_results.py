"""Search results as rerankers, packing and citations take them."""

from __future__ import annotations

import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_items, check_mapping, check_number, check_text
from vecstore._errors import InvalidInputError
from vecstore._vecstore import Neighbor

__all__ = ["Result", "as_neighbors", "check_searched", "ranked", "text_of", "with_text"]

#: A `Neighbor`, a text, or a dict with ``text`` and perhaps ``id``, ``score`` and ``metadata``.
Result = typing.Union[Neighbor, str, abc.Mapping[str, typing.Any]]


def check_searched(store: typing.Any) -> None:
    """Fails for what cannot be searched, before anything is done."""
    if not callable(getattr(store, "query", None)):
        raise TypeError(f"store: expected a store or collection, got {type(store).__name__}")


def as_neighbors(results: abc.Iterable[typing.Any], what: str = "results") -> list[Neighbor]:
    """Results as neighbors. Texts get their place as id, and scores that fall with it."""
    listed = enumerate(check_items(what, results, "a list of results"))
    return [_as_neighbor(result, at, what) for at, result in listed]


def _as_neighbor(result: typing.Any, at: int, what: str) -> Neighbor:
    if isinstance(result, Neighbor):
        return result
    if isinstance(result, str):
        return Neighbor(str(at), 1.0 / (1 + at), 0.0, {}, text=result)
    if isinstance(result, abc.Mapping):
        text = result.get("text", result.get("content"))
        metadata = result.get("metadata")
        identity, score, vector = result.get("id", str(at)), result.get("score"), result.get("vector")
    else:
        text = getattr(result, "text", None) or getattr(result, "page_content", None)
        metadata = getattr(result, "metadata", None)
        identity, score = getattr(result, "id", None) or str(at), getattr(result, "score", None)
        vector = getattr(result, "vector", None)
    if text is None and metadata is None:
        raise TypeError(f"{what}[{at}]: expected a Neighbor, a str or a dict, got {type(result).__name__}")
    number = 1.0 / (1 + at) if score is None else check_number(f"{what}[{at}]: score", score)
    if metadata is not None:
        check_mapping(f"{what}[{at}]: metadata", metadata)
    if text is not None:
        check_text(f"{what}[{at}]: text", text)
    return Neighbor(str(identity), number, 0.0, dict(metadata or {}), vector, text)


def text_of(neighbor: Neighbor) -> str:
    """The text of a neighbor: its own, or the entry ``text`` of its metadata."""
    if neighbor.text is not None:
        return neighbor.text
    text = neighbor.metadata.get("text")
    return text if isinstance(text, str) else ""


def with_text(neighbor: Neighbor, text: str) -> Neighbor:
    """The same neighbor with the beginning of its text.

    ``text``, ``end`` and ``page_breaks`` of the metadata follow, so that they say where that is.
    """
    metadata = dict(neighbor.metadata)
    if isinstance(metadata.get("text"), str):
        metadata["text"] = text
    if _is_place(metadata.get("start")) and _is_place(metadata.get("end")):
        metadata["end"] = metadata["start"] + len(text)
    if isinstance(metadata.get("page_breaks"), list):
        breaks = metadata["page_breaks"]
        metadata["page_breaks"] = [place for place in breaks if _is_place(place) and place < len(text)]
    return Neighbor(neighbor.id, neighbor.score, neighbor.distance, metadata, neighbor.vector, text)


def _is_place(value: typing.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def ranked(neighbors: list[Neighbor], ranking: list[tuple[int, float]]) -> list[Neighbor]:
    """Neighbors in the order and with the scores of a ranking."""
    return _vecstore._rag_rescored(neighbors, ranking)


def distinct_places(neighbors: list[Neighbor], what: str) -> dict[str, int]:
    """The place of each id."""
    places = {neighbor.id: at for at, neighbor in enumerate(neighbors)}
    if len(places) != len(neighbors):
        raise InvalidInputError(f"{what}: expected distinct ids")
    return places
