"""Points of JSON, gathered into batches."""

from __future__ import annotations

import typing
from collections import abc

from vecstore._errors import InvalidInputError
from vecstore._exchange.rows import BATCH_BYTES, Rows


def text_of(metadata: typing.Any, field: str | None) -> str | None:
    """Returns the text that a field of the metadata has, if one is asked for."""
    text = metadata.get(field) if field is not None and isinstance(metadata, dict) else None
    return text if isinstance(text, str) else None


def gather(points: abc.Iterator[dict[str, typing.Any]], start: int, batch_size: int) -> abc.Iterator[Rows]:
    """Yields batches of points from the one with this number on."""
    batch: list[dict[str, typing.Any]] = []
    size = 0
    for number, point in enumerate(points):
        if number < start:
            continue
        _check(point)
        batch.append(point)
        size += 8 * _numbers(point) + len(point["text"] or "")
        if len(batch) == batch_size or size >= BATCH_BYTES:
            yield _rows(batch)
            batch, size = [], 0
    if batch:
        yield _rows(batch)


def _numbers(point: dict[str, typing.Any]) -> int:
    several = point.get("several")
    return len(point["vector"]) if several is None else sum(map(len, several))


def _check(point: dict[str, typing.Any]) -> None:
    where = f"at character {point['position']}: " if point.get("position") is not None else ""
    record_id, vector, metadata = point["id"], point["vector"], point["metadata"]
    if isinstance(record_id, int) and not isinstance(record_id, bool):
        point["id"] = str(record_id)
    elif not isinstance(record_id, str):
        raise InvalidInputError(
            f"{where}expected an id that is a string or an integer, got {type(record_id).__name__}"
        )
    several = point.get("several")
    if several is not None:
        if not all(map(_is_vector, several)) or len({len(one) for one in several}) != 1:
            raise InvalidInputError(
                f"{where}point `{point['id']}`: expected a list of vectors, each a list of as many numbers"
            )
    elif not _is_vector(vector):
        raise InvalidInputError(f"{where}point `{point['id']}`: expected a vector that is a list of numbers")
    if metadata is not None and not isinstance(metadata, dict):
        raise InvalidInputError(f"{where}point `{point['id']}`: expected metadata that is an object")


def _is_vector(vector: typing.Any) -> bool:
    return isinstance(vector, list) and all(type(one) in (int, float) for one in vector)


def _rows(batch: list[dict[str, typing.Any]]) -> Rows:
    def column(name: str) -> list[typing.Any] | None:
        values = [point.get(name) for point in batch]
        return None if all(value is None for value in values) else values

    return Rows(
        [point["id"] for point in batch],
        [point["vector"] for point in batch],
        column("metadata"),
        column("text"),
        column("sparse"),
        several=column("several"),
    )
