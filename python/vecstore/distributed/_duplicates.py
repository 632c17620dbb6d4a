"""The methods of a collection on Ray that find records which are like others, and keep them out.

They do what one store does, with a search of all shards in the place of one: records are looked at in order,
and one is kept unless it is like one that was kept before."""

from __future__ import annotations

import dataclasses
import time
import typing
import uuid
from collections import abc

from vecstore._searches import Duplicate, UniqueResult
from vecstore._types import Filter, Metadata, Sparse, Vectors
from vecstore.distributed import _merge
from vecstore.distributed._actors import Call, MovedError
from vecstore.distributed._arguments import listed
from vecstore.distributed._errors import DistributedError, ShardUnavailableError
from vecstore.distributed._exchanging import Exchanging
from vecstore.distributed._manifest import Manifest
from vecstore.distributed._rows import Rows, joined, rows_that_match
from vecstore.distributed._searching import Searching

__all__ = ["Duplicates"]

#: As in the engine: records that are compared at once, neighbors that are looked at first, and how many times
#: as many where those are not enough.
BATCH, NEIGHBORS, GROWTH = 256, 8, 4

#: How long a call waits before it asks again whether it is its turn.
PAUSE_SECONDS = 0.02

#: A neighbor by its id, with the key that neighbors are ordered by, and its score.
_Near = tuple[str, float, float]


class Duplicates(Exchanging, Searching):
    """Finding duplicates."""

    def find_duplicates(
        self,
        threshold: float = 0.98,
        filter: Filter | None = None,
        *,
        recall: float = 0.99,
        exact: bool = False,
        params: Metadata | None = None,
    ) -> list[Duplicate]:
        """Returns the records that are too like another one, in order of id. See `VecStore.find_duplicates`.

        Not of one moment: what is written meanwhile is seen or not.
        """
        self._empty.find_duplicates(threshold, filter, recall=recall, exact=exact, params=params)
        like = _Like(self, threshold, filter, params, recall, exact)
        kept: set[str] = set()
        duplicates = []
        for _, rows in self._pages(filter, params, False, BATCH):
            vectors = _vectors(rows)
            for at, near in enumerate(like.nearest(vectors, NEIGHBORS)):
                best = like.best(vectors[at], near, kept.__contains__)
                if best is None:
                    kept.add(rows.ids[at])
                else:
                    duplicates.append(Duplicate(rows.ids[at], best[0], best[2]))
        return duplicates

    def upsert_unique(
        self,
        ids: abc.Iterable[str],
        vectors: Vectors,
        metadatas: abc.Iterable[Metadata | None] | None = None,
        *,
        threshold: float = 0.98,
        texts: abc.Iterable[str | None] | None = None,
        sparse: abc.Iterable[Sparse | None] | None = None,
        recall: float = 0.99,
        exact: bool = False,
    ) -> UniqueResult:
        """Adds or replaces the records that are not like another one. See `VecStore.upsert_unique`.

        One such call works on the collection at a time. What a shard takes is atomic there; the call is not.
        """
        columns = [listed(ids), metadatas, texts, sparse]
        columns[1:] = [None if column is None else listed(column) for column in columns[1:]]
        names, *rest = columns
        how: dict[str, typing.Any] = {"texts": rest[1], "sparse": rest[2]}
        with self._checking() as scratch:  # raises for what one store refuses
            scratch.upsert_unique(
                names, vectors, rest[0], threshold=threshold, recall=recall, exact=exact, **how
            )
        # By their places, to keep their order.
        with self._scratch() as scratch:
            scratch.upsert_many([f"{at:012}" for at in range(len(names))], vectors, rest[0], **how)
            rows = joined(list(rows_that_match(scratch)))
        if rows is None:
            return UniqueResult(0, [])
        # Of several with one id the last counts, where it is.
        last = {name: at for at, name in enumerate(names)}
        rows = dataclasses.replace(rows, ids=names).take(sorted(last.values()))
        deadline = time.monotonic() + self._config.timeout_seconds
        while True:
            turn = self._turn(deadline)
            try:
                return _Unique(self, rows, turn, (threshold, recall, exact)).run()
            except _LostTurnError as error:
                if time.monotonic() >= deadline:
                    raise DistributedError(
                        "upsert_unique: the shards changed while it was at work: try again"
                    ) from error
            finally:
                self._actors.method([turn.shard], "end_turn", turn.token)

    def _turn(self, deadline: float) -> _Turn:
        """Waits until no other call of `upsert_unique` is at work."""
        token = uuid.uuid4().hex
        while True:
            self._reload()
            shard = self._manifest.shards[0]
            number = self._actors.method([shard], "take_turn", token)[shard].value
            if number is not None:
                return _Turn(shard, token, number, self._manifest)
            if time.monotonic() >= deadline:
                raise ShardUnavailableError("upsert_unique: others are at work, for too long", [shard])
            time.sleep(PAUSE_SECONDS)


class _LostTurnError(Exception):
    """Shards moved or restarted, or the turn took too long: what is not written yet is looked at again."""


class _Turn(typing.NamedTuple):
    """The right to be the only call that is at work."""

    shard: int
    token: str
    #: Each turn has a larger one; a shard that has seen it takes nothing of an earlier turn.
    number: int
    manifest: Manifest


class _Like:
    """A search of all shards for records that are like one."""

    def __init__(
        self,
        collection: Duplicates,
        threshold: float,
        filter: typing.Any,
        params: typing.Any,
        recall: float,
        exact: bool,
    ) -> None:
        self._collection, self._filter = collection, filter
        self._how: dict[str, typing.Any] = {"recall": recall, "exact": exact, "params": params}
        self._how.update(min_score=threshold, include=())

    def nearest(self, vectors: typing.Any, limit: int) -> list[list[_Near]]:
        """Returns the best neighbors of each vector, as far as they are like it."""
        merged = _merge.nearest(self._asked(vectors, limit), len(vectors), limit)
        return [
            [(found.id, key, found.score) for found, key in zip(merged.neighbors(at), merged.keys(at))]
            for at in range(len(merged))
        ]

    def _asked(self, vectors: typing.Any, limit: int) -> list[typing.Any]:
        return self._collection._all("nearest", vectors, limit, self._filter, **self._how)

    def best(
        self, vector: typing.Any, near: list[_Near], is_wanted: abc.Callable[[str], bool]
    ) -> _Near | None:
        """Returns the best neighbor that is wanted: of its first few or, where all those are like it and
        unwanted, of more.
        """
        limit = NEIGHBORS
        while True:
            for one in near:
                if is_wanted(one[0]):
                    return one
            if len(near) < limit:
                return None
            limit *= GROWTH
            near = self.nearest(vector.reshape(1, -1), limit)[0]


class _LikeOnTurn(_Like):
    """The same of owners, who take nothing of earlier turns from then on."""

    def __init__(self, collection: Duplicates, turn: _Turn, how: tuple[float, float, bool]) -> None:
        super().__init__(collection, how[0], None, None, how[1], how[2])
        self._turn = turn
        #: The epoch of each shard: another one has forgotten which turn it is.
        self.epochs: dict[int, int] = {}

    def _asked(self, vectors: typing.Any, limit: int) -> list[typing.Any]:
        call = Call("nearest_on_turn", (self._turn.number, vectors, limit, None), self._how)
        answers = _on_turn(self._collection, self._turn, dict.fromkeys(self._turn.manifest.shards, call))
        for shard, (epoch, _) in answers.items():
            if self.epochs.setdefault(shard, epoch) != epoch:
                raise _LostTurnError
        return [found for _, found in answers.values()]


def _on_turn(collection: Duplicates, turn: _Turn, calls: dict[int, Call]) -> dict[int, typing.Any]:
    try:
        answers = collection._actors.ask(turn.manifest.generation, calls, is_read=False)
    except MovedError as moved:
        collection._reload()
        raise _LostTurnError from moved
    if any(answer is None for answer in answers.values()):
        raise _LostTurnError
    return answers


class _Unique:
    """One call of `upsert_unique` on its turn."""

    def __init__(
        self, collection: Duplicates, rows: Rows, turn: _Turn, how: tuple[float, float, bool]
    ) -> None:
        self._collection, self._rows, self._turn = collection, rows, turn
        self._threshold = how[0]
        self._like = _LikeOnTurn(collection, turn, how)
        #: Records of earlier batches that are kept: they replace what the shards have.
        self._kept = collection._scratch()
        self._kept_ids: set[str] = set()
        self._places: list[int] = []

    def run(self) -> UniqueResult:
        """Looks at the records in order, and writes those that are kept."""
        vectors, duplicates = _vectors(self._rows), list[Duplicate]()
        with self._kept:
            for start in range(0, len(self._rows), BATCH):
                if start:
                    self._go_on()
                places = range(start, min(start + BATCH, len(self._rows)))
                duplicates += self._looked_at(places, vectors[start : places.stop])
        if self._places:
            self._write()
        return UniqueResult(len(self._places), duplicates)

    def _go_on(self) -> None:
        """Makes the turn last."""
        turn = self._turn
        if (
            self._collection._actors.method([turn.shard], "take_turn", turn.token)[turn.shard].value
            != turn.number
        ):
            raise _LostTurnError

    def _looked_at(self, places: range, vectors: typing.Any) -> list[Duplicate]:
        found = self._like.nearest(vectors, NEIGHBORS)
        peers = self._peers(vectors)
        ids = self._rows.ids
        here: list[int] = []
        duplicates = []
        for at, place in enumerate(places):
            mine = ids[place]
            replaced = {mine, *(ids[places[other]] for other in here)}
            best = self._best(vectors[at], found[at], replaced)
            score = None if best is None else best[2]
            of = None if best is None else best[0]
            for other in here:
                peer = peers[at].get(other)
                if peer is not None and ids[places[other]] != mine and (score is None or peer > score):
                    score, of = peer, ids[places[other]]
            if of is None or score is None:
                here.append(at)
            else:
                duplicates.append(Duplicate(mine, of, score))
        kept = self._rows.take([places[at] for at in here])
        kept.put(self._kept)
        self._kept_ids.update(kept.ids)
        self._places += [places[at] for at in here]
        return duplicates

    def _best(self, vector: typing.Any, near: list[_Near], replaced: set[str]) -> _Near | None:
        gone = replaced | self._kept_ids
        best = self._like.best(vector, near, lambda one: one not in gone)
        if self._kept_ids:
            limit = len(replaced) + 1
            row = self._kept.query_batch(vector.reshape(1, -1), limit, exact=True, min_score=self._threshold)
            for key, neighbor in zip(row._keys(0), row[0]):
                if neighbor.id not in replaced:
                    mine = (neighbor.id, key, neighbor.score)
                    if best is None or (key + 0.0, neighbor.id) < (best[1] + 0.0, best[0]):
                        best = mine
                    break
        return best

    def _peers(self, vectors: typing.Any) -> list[dict[int, float]]:
        """Returns which of some vectors are like which, with their scores."""
        with self._collection._scratch() as scratch:
            scratch.upsert_many([str(at) for at in range(len(vectors))], vectors)
            found = scratch.query_batch(vectors, len(vectors), exact=True, min_score=self._threshold)
            return [{int(neighbor.id): neighbor.score for neighbor in row} for row in found]

    def _write(self) -> None:
        rows = self._rows.take(self._places)
        calls = {
            shard: Call("put_on_turn", (self._turn.number, self._like.epochs[shard], part))
            for shard, part in rows.split(self._turn.manifest.of).items()
        }
        _on_turn(self._collection, self._turn, calls)


def _vectors(rows: Rows) -> typing.Any:
    import numpy

    return numpy.frombuffer(rows.vectors, "<f4").reshape(len(rows), -1)
