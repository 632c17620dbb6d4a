"""What notebooks show: tables, with all that comes from records escaped."""

from __future__ import annotations

import dataclasses
import html
import typing
from collections import abc

from vecstore._vecstore import Neighbor, QueryBatch, VecDatabase

__all__ = ["of_batch", "of_database", "of_neighbors", "of_store"]

#: The most rows and letters that are shown; the rest is counted.
_MOST_ROWS, _MOST_LETTERS = 50, 200


def _table(caption: str, headings: abc.Sequence[str], rows: abc.Sequence[abc.Sequence[typing.Any]]) -> str:
    shown = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows[:_MOST_ROWS])
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in headings)
    more = len(rows) - _MOST_ROWS
    rest = f"<p>and {more:,} more</p>" if more > 0 else ""
    return (
        f"<p>{html.escape(caption)}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{shown}</tbody></table>{rest}"
    )


def _cell(value: typing.Any) -> str:
    if isinstance(value, float):
        return f"<td style='text-align:right'>{value:.6g}</td>"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"<td style='text-align:right'>{value:,}</td>"
    text = value if isinstance(value, str) else "" if value is None else repr(value)
    if len(text) > _MOST_LETTERS:
        text = text[:_MOST_LETTERS] + "..."
    return f"<td style='text-align:left'>{html.escape(text)}</td>"


def of_neighbors(neighbors: abc.Sequence[Neighbor]) -> str:
    """``NeighborList._repr_html_``."""
    return _of_found(f"{len(neighbors):,} neighbors", neighbors, None)


def of_batch(batch: QueryBatch | abc.Sequence[abc.Sequence[Neighbor]]) -> str:
    """``QueryBatch._repr_html_``."""
    # No more are made than are shown, beside the count of the rest.
    found: list[Neighbor] = []
    queries: list[int] = []
    for query, row in enumerate(batch):
        found.extend(row)
        queries.extend([query] * len(row))
        if len(found) > _MOST_ROWS:
            break
    more = "" if len(found) <= _MOST_ROWS else f", the first {_MOST_ROWS} neighbors"
    return _of_found(f"{len(batch):,} queries{more}", found[:_MOST_ROWS], queries[:_MOST_ROWS])


def _of_found(caption: str, neighbors: abc.Sequence[Neighbor], queries: list[int] | None) -> str:
    with_text = any(neighbor.text is not None for neighbor in neighbors)
    headings = [
        *(["query"] if queries is not None else []),
        "id",
        "score",
        "distance",
        "metadata",
        *(["text"] if with_text else []),
    ]
    rows = [
        [
            *([queries[at]] if queries is not None else []),
            neighbor.id,
            neighbor.score,
            neighbor.distance,
            neighbor.metadata or None,
            *([neighbor.text] if with_text else []),
        ]
        for at, neighbor in enumerate(neighbors)
    ]
    return _table(caption, headings, rows)


def of_store(store: typing.Any) -> str:
    """``VecStore._repr_html_`` and ``Collection._repr_html_``: what it is, and its figures."""
    from vecstore._errors import ClosedError

    try:
        stats = store.stats()
    except ClosedError:
        return f"<p>{html.escape(repr(store))}</p>"
    figures = [(field.name, getattr(stats, field.name)) for field in dataclasses.fields(stats)]
    return _table(repr(store), ("figure", "value"), [row for row in figures if row[1] is not None])


def of_database(database: VecDatabase) -> str:
    """``VecDatabase._repr_html_``: its collections."""
    from vecstore._errors import ClosedError

    rows: list[tuple[typing.Any, ...]] = []
    try:
        names = database.list_collections()
        for name in names[:_MOST_ROWS]:
            stats = database.stats(name)
            rows.append((name, stats.active_count, stats.dimension, str(stats.status)))
    except ClosedError:
        return f"<p>{html.escape(repr(database))}</p>"
    rows += [("", None, None, "")] * (len(names) - len(rows))
    return _table(repr(database), ("collection", "records", "dimension", "status"), rows)
