"""One answer of many: what the shards found, in the order that one store would have it.

Neighbors are ordered by their keys, ties by id, where searches are by vectors; by scores, ties by id, where
they are by words or boosted. What needs more than an order (groups, diversity, values of all types) is done
by the engine itself, on a store in memory that holds what the shards found."""

from __future__ import annotations

import heapq
import typing
from collections import abc

from vecstore._neighbors import NeighborList
from vecstore._values import Facet, FieldIndex, RangeFacet
from vecstore._vecstore import Neighbor, VecStore, _merge_answers, _MergedAnswers, _metadata_to_json

if typing.TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

__all__ = [
    "Answers",
    "Found",
    "Lazy",
    "by_key",
    "by_score",
    "distinct",
    "facets",
    "indexes",
    "nearest",
    "statistics",
]


#: The types that a field may have, in the order of `FieldIndex.types`.
KINDS = ("null", "bool", "number", "string", "bytes", "datetime", "list", "map")


class Found(NeighborList):
    """What a search on several shards found: a list of `Neighbor`, and the shards that are ``missing`` from
    it.
    """

    __slots__ = ("missing",)

    def __init__(self, neighbors: abc.Iterable[Neighbor] = (), missing: abc.Iterable[int] = ()) -> None:
        super().__init__(neighbors)
        #: Shards that did not answer in time; empty but with ``partial=True``.
        self.missing: tuple[int, ...] = tuple(missing)


class Answers:
    """The answers to a batch of queries: a list of `Neighbor` each, and all of them as arrays and tables."""

    def __init__(self, answers: abc.Sequence[Found]) -> None:
        self._answers = answers

    @typing.overload
    def __getitem__(self, index: int) -> Found: ...
    @typing.overload
    def __getitem__(self, index: slice) -> abc.Sequence[Found]: ...
    def __getitem__(self, index: int | slice) -> Found | abc.Sequence[Found]:
        return self._answers[index]

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> abc.Iterator[Found]:
        return iter(self._answers)

    def to_arrow(self) -> pyarrow.Table:
        """Returns all answers as a table of Arrow. See `QueryBatch.to_arrow`."""
        from vecstore import _frames

        return _frames.batch_to_arrow(self._answers)

    def to_pandas(self) -> pandas.DataFrame:
        """Returns all answers as a frame of pandas. See `QueryBatch.to_pandas`."""
        from vecstore import _frames

        return _frames.batch_to_pandas(self._answers)

    def to_polars(self) -> polars.DataFrame:
        """Returns all answers as a frame of polars. See `QueryBatch.to_polars`."""
        from vecstore import _frames

        return _frames.batch_to_polars(self._answers)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def _repr_html_(self) -> str:
        from vecstore import _html

        return _html.of_batch(self._answers)

    def __repr__(self) -> str:
        return f"Answers(queries={len(self)}, neighbors={sum(map(len, self._answers))})"

    @property
    def missing(self) -> tuple[int, ...]:
        """Shards that did not answer in time."""
        return tuple(sorted({shard for found in self._answers for shard in found.missing}))

    @property
    def ids(self) -> typing.Any:
        """The ids as an object array of numpy, of the shape (queries, most neighbors); None where there are
        fewer.
        """
        import numpy

        ids = numpy.full((len(self), self._width()), None, dtype=object)
        for row, found in enumerate(self._answers):
            ids[row, : len(found)] = [neighbor.id for neighbor in found]
        return ids

    @property
    def scores(self) -> typing.Any:
        """The scores as a float32 array of numpy, of the shape of `ids`; NaN where there are fewer."""
        import numpy

        scores = numpy.full((len(self), self._width()), numpy.nan, dtype=numpy.float32)
        for row, found in enumerate(self._answers):
            scores[row, : len(found)] = [neighbor.score for neighbor in found]
        return scores

    def _width(self) -> int:
        return max(map(len, self._answers), default=0)


class Lazy(abc.Sequence[Found]):
    """Answers of which each is made when it is looked at."""

    def __init__(self, batches: abc.Iterable[tuple[_MergedAnswers, abc.Sequence[int]]]) -> None:
        self._places = [(merged, row, missing) for merged, missing in batches for row in range(len(merged))]

    @typing.overload
    def __getitem__(self, index: int) -> Found: ...
    @typing.overload
    def __getitem__(self, index: slice) -> list[Found]: ...
    def __getitem__(self, index: int | slice) -> Found | list[Found]:
        places = self._places[index]
        return [self._made(*place) for place in places] if isinstance(places, list) else self._made(*places)

    def __len__(self) -> int:
        return len(self._places)

    @staticmethod
    def _made(merged: _MergedAnswers, row: int, missing: abc.Sequence[int]) -> Found:
        return Found(merged.neighbors(row), missing)


def nearest(of_shards: abc.Iterable[bytes | None], queries: int, k: int, offset: int = 0) -> _MergedAnswers:
    """Merges what shards found for the same queries; None is of one that never had a record."""
    return _merge_answers([part for part in of_shards if part is not None], queries, k, offset)


#: What a shard found for a query, and the keys that it is ordered by; None where that is by scores.
Keyed = tuple[typing.Sequence[Neighbor], typing.Optional[typing.Sequence[float]]]


def by_key(answers: abc.Iterable[Keyed], k: int) -> list[Neighbor]:
    """Merges lists with the keys that each is ordered by; without keys, by scores."""
    answers = list(answers)
    if any(keys is None for _, keys in answers):
        return by_score((neighbors for neighbors, _ in answers), k)
    # 0.0 and -0.0 are the same distance.
    ordered = [
        [(key + 0.0, neighbor.id, neighbor) for key, neighbor in zip(keys or [], neighbors)]
        for neighbors, keys in answers
    ]
    merged = heapq.merge(*ordered, key=lambda entry: entry[:2])
    return [neighbor for _, (_, _, neighbor) in zip(range(k), merged)]


def by_score(answers: abc.Iterable[abc.Iterable[Neighbor]], k: int) -> list[Neighbor]:
    """Merges lists that are ordered by score, ties by id."""
    merged = heapq.merge(*answers, key=lambda neighbor: (-neighbor.score + 0.0, neighbor.id))
    return [neighbor for _, neighbor in zip(range(k), merged)]


def statistics(counts: abc.Iterable[typing.Any]) -> typing.Any:
    """Adds up what shards counted for a text query."""
    fields: list[tuple[int, int]] = []
    terms: dict[bytes, int] = {}
    prefixes: list[dict[bytes, int]] = []
    for of_fields, of_terms, of_prefixes in counts:
        fields += [(0, 0)] * (len(of_fields) - len(fields))
        fields = [(rows + more[0], length + more[1]) for (rows, length), more in zip(fields, of_fields)]
        _add(terms, of_terms)
        prefixes += [{} for _ in range(len(of_prefixes) - len(prefixes))]
        for found, more_found in zip(prefixes, of_prefixes):
            _add(found, more_found)
    return fields, terms, prefixes


def _add(counts: dict[bytes, int], more: abc.Mapping[bytes, int]) -> None:
    for key, count in more.items():
        counts[key] = counts.get(key, 0) + count


def indexes(of_shards: abc.Iterable[abc.Iterable[FieldIndex]]) -> list[FieldIndex]:
    """Returns the indexes of all shards, each once, in order of their paths; figures are sums."""
    by_path: dict[str, list[FieldIndex]] = {}
    for index in (index for indexes in of_shards for index in indexes):
        by_path.setdefault(index.path, []).append(index)
    return [
        FieldIndex(
            path,
            next((index.kind for index in same if not index.automatic), same[0].kind),
            all(index.automatic for index in same),
            tuple(kind for kind in KINDS if any(kind in index.types for index in same)),
            sum(index.records for index in same),
            sum(index.unindexed for index in same),
            sum(index.distinct for index in same),
            sum(index.bytes for index in same),
        )
        for path, same in sorted(by_path.items())
    ]


def distinct(values: abc.Iterable[abc.Iterable[typing.Any]]) -> list[typing.Any]:
    """Returns the values of all shards, each once, in the engine's order."""
    together = [value for found in values for value in found]
    if not together:
        return []
    with VecStore(":memory:", dim=1, metric="dot") as store:
        ids = [str(at) for at in range(len(together))]
        store.upsert_many(
            ids, [[1.0]] * len(ids), [{"value": [value]} for value in together]
        )  # a list in a list is a value
        return store.distinct("value")


def facets(found: abc.Iterable[list[typing.Any]], limit: int | None) -> list[typing.Any]:
    """Adds up the counts of values, most frequent first, ties in the engine's order; or those of buckets."""
    lists = list(found)
    together = [facet for facets in lists for facet in facets]
    if together and isinstance(together[0], RangeFacet):
        return [
            RangeFacet(same[0].start, same[0].end, sum(facet.count for facet in same)) for same in zip(*lists)
        ]
    order = distinct([[facet.value for facet in together]])
    counts = [0] * len(order)
    places = {_key(value): at for at, value in enumerate(order)}
    for facet in together:
        counts[places[_key(facet.value)]] += facet.count
    merged = sorted(zip(order, counts), key=lambda pair: -pair[1])  # stable: ties as they are
    return [Facet(value, count) for value, count in merged[:limit]]


def _key(value: typing.Any) -> tuple[str, typing.Any]:
    """Returns what tells values apart as the engine does: a bool equals no number, an int equals the same
    float.
    """
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, (list, dict)):
        return "json", _metadata_to_json({"value": value})
    return ("number", value) if isinstance(value, (int, float)) else (type(value).__name__, value)
