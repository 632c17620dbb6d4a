"""Moving virtual shards while the collection serves.

1. Shards that get ids are made anew, with numbers that were never used: nobody asks them yet.
2. Those that have the ids now note which records change (`Shard.watch`), and their records are copied page by
   page.
3. Writes are held up (`Shard.hold`); what has changed since is copied; the new shards make checkpoints.
4. The manifest that names the new shards is published: put where there is none, it wins or loses as a whole.
5. Each shard changes to it before it answers another call: it deletes what it gave away (`Shard._change`).
   Shards that are no more are stopped.

A crash before 4 leaves shards that no manifest names, which the next rebalancing deletes; writes go on by
themselves, and the shard that lets them go on takes the generation that 4 would have published. A crash after
4 leaves actors that nobody asks."""

from __future__ import annotations

import time
import typing

from vecstore.distributed import _manifest, _pins
from vecstore.distributed._actors import Call
from vecstore.distributed._errors import DistributedError
from vecstore.distributed._handle import Handle
from vecstore.distributed._manifest import Manifest
from vecstore.distributed._rows import BATCH_ROWS, Frame, Rows, grouped
from vecstore.distributed._values import RebalanceResult

if typing.TYPE_CHECKING:
    from vecstore.distributed._collection import RayCollection

__all__ = ["rebalanced", "remove_strays"]


def rebalanced(collection: RayCollection, count: int) -> RebalanceResult:
    """See `RayCollection.rebalance`."""
    now = collection._manifest
    if count == len(now.shards):
        return RebalanceResult(now.shards, 0, 0.0)
    after = _planned(now, count)
    new = [shard for shard in after.shards if shard not in now.shards]
    sources = {
        source: {at: after.owners[at] for at in now.owned(source) if after.owners[at] in new}
        for source in now.shards
    }
    sources = {source: moves for source, moves in sources.items() if moves}
    actors = collection._actors
    remove_strays(collection, now)
    try:
        actors.ensure(new)
        actors.greet(new)
        for source, moves in sources.items():
            actors.method([source], "watch", frozenset(moves))
        _index_alike(collection, now, new)
        moved = sum(_copy(collection, now, source, moves) for source, moves in sources.items())
        began = time.monotonic()
        for source, moves in sources.items():
            touched = actors.method([source], "hold")[source].value
            if touched:
                frame = actors.method([source], "whole", touched)[source].value
                _send(collection, now, frame, moves)
        actors.method(new, "save")
        if not _manifest.publish(collection._storage, after):
            raise DistributedError(
                "the collection changed while it was rebalanced (another rebalancing, or a commit): try again"
            )
        held = time.monotonic() - began
    except BaseException:
        for source in sources:
            actors.method([source], "release")
        actors.stop(new)
        raise
    collection._reload()
    # Each shard changes with its next call; this one has them do it now.
    collection.count()
    gone = [shard for shard in now.shards if shard not in after.shards]
    actors.stop(gone)
    _delete(collection, gone)
    return RebalanceResult(after.shards, moved, held)


def _planned(now: Manifest, count: int) -> Manifest:
    """Returns the manifest with another number of shards; who gets ids is a new shard."""
    order = now.shards
    kept = order[: min(count, len(order))]
    wanted = [*kept, *range(now.next_shard, now.next_shard + count - len(kept))]
    owners = list(_manifest.spread(wanted, now.owners))
    next_shard = max([now.next_shard, *(shard + 1 for shard in wanted)])
    for shard in wanted:
        gets = any(owner == shard and now.owners[at] != shard for at, owner in enumerate(owners))
        if gets and shard in order:
            owners = [next_shard if owner == shard else owner for owner in owners]
            next_shard += 1
    return now.next(owners=tuple(owners), next_shard=next_shard)


def _copy(collection: RayCollection, now: Manifest, source: int, moves: dict[int, int]) -> int:
    after: str | None = None
    copied = 0
    while True:
        reply = collection._actors.method([source], "page", frozenset(moves), after, BATCH_ROWS)[source]
        rows: Rows | None = reply.value[0]
        after = reply.value[1]
        if after is None:
            return copied
        if rows is not None:
            _send(collection, now, Frame(rows), moves)
            copied += len(rows)


def _send(collection: RayCollection, now: Manifest, frame: Frame, moves: dict[int, int]) -> None:
    """Has new shards do what a frame says."""

    def target(id: str) -> int:
        return moves[_manifest.virtual_shard(id)]

    if frame.rows is not None:
        calls = {shard: Call("put", (rows,)) for shard, rows in frame.rows.split(target).items()}
        collection._actors.ask(now.generation, calls, is_read=False)
    if frame.gone:
        gone = grouped(frame.gone, target)
        deletes = {shard: Call("delete_many", (ids,)) for shard, ids in gone.items()}
        collection._actors.ask(now.generation, deletes, is_read=False)


def _index_alike(collection: RayCollection, now: Manifest, new: list[int]) -> None:
    """Gives new shards the field indexes that were made on the old ones."""
    like = now.shards[0]
    known = collection._actors.ask(now.generation, {like: Call("list_indexes")})[like]
    for index in known:
        if not index.automatic:
            call = Call("create_index", (index.path, index.kind))
            collection._actors.ask(now.generation, dict.fromkeys(new, call))


def remove_strays(collection: Handle, now: Manifest) -> None:
    """Ends and deletes shards that a rebalancing left which was not finished."""
    names = collection._storage.names("shards/")
    strays = {int(name.split("/")[1]) for name in names} - set(now.shards)
    collection._actors.stop(strays)
    _delete(collection, strays)


def _delete(collection: Handle, shards: typing.Iterable[int]) -> None:
    for shard in shards:
        _pins.discard_shard(collection._storage, shard)
