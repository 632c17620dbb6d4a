"""What a collection is: its shards, which ids belong to which, and its settings.

``manifest/<generation>`` is JSON. A change is the next generation, put where there is none: of two that
change it at once one fails and looks again. The newest counts; older ones are kept for nobody and deleted in
time."""

from __future__ import annotations

import dataclasses
import json
import typing
import uuid
import zlib

import vecstore
from vecstore._errors import CorruptionError, InvalidInputError, NotFoundError, UnsupportedError
from vecstore.distributed._storage import Storage

__all__ = ["SHARDS_MAX", "VIRTUAL_SHARDS", "Manifest", "load", "new", "publish", "spread", "virtual_shard"]

#: Ids hash to so many places, which are mapped onto shards: moving some moves that part of the ids and no
#: others.
VIRTUAL_SHARDS = 256
SHARDS_MAX = VIRTUAL_SHARDS
REPLICAS_MAX = 16

FORMAT = 1
#: Settings that are options of a store.
STORE_SETTINGS = ("metric", "quantization", "analyzer", "text_fields", "partition_by")
#: The setting that says that the log of each shard has an entry: one without was deleted by somebody.
HAS_LOGS = "has_logs"
#: Generations that are left when a new one is published.
KEPT = 8


@dataclasses.dataclass(frozen=True)
class Manifest:
    """One generation."""

    uuid: str
    generation: int
    #: The shard of each virtual shard.
    owners: tuple[int, ...]
    replicas: int
    settings: dict[str, typing.Any]
    dim: int | None = None
    #: The number that the next shard gets; none is used twice.
    next_shard: int = 0
    #: Bulk builds that were committed: for each, what it has for which shard.
    builds: tuple[dict[str, typing.Any], ...] = ()

    @property
    def shards(self) -> list[int]:
        """The numbers of the shards, in order."""
        return sorted(set(self.owners))

    def of(self, id: str) -> int:
        """Returns the shard that an id belongs to."""
        return self.owners[virtual_shard(id)]

    def owned(self, shard: int) -> frozenset[int]:
        """Returns the virtual shards of a shard."""
        return frozenset(at for at, owner in enumerate(self.owners) if owner == shard)

    def next(self, **changes: typing.Any) -> Manifest:
        """Returns the generation after this one, with changes."""
        return dataclasses.replace(self, generation=self.generation + 1, **changes)

    def store_options(self) -> dict[str, typing.Any]:
        """Returns the options that every store of the collection is made with."""
        return {"dim": self.dim, **{name: self.settings[name] for name in STORE_SETTINGS}}

    def encode(self) -> bytes:
        """Returns the bytes of the object."""
        fields = {"format": FORMAT, "vecstore": vecstore.__version__, **dataclasses.asdict(self)}
        fields["checksum"] = _checksum(fields)
        return json.dumps(fields, indent=1).encode()


def virtual_shard(id: str) -> int:
    """Returns the virtual shard of an id."""
    return zlib.crc32(id.encode("utf-8", "surrogatepass")) % VIRTUAL_SHARDS


def _checksum(fields: dict[str, typing.Any]) -> int:
    return zlib.crc32(json.dumps(fields, sort_keys=True).encode())


def _name(generation: int) -> str:
    return f"manifest/{generation:010}"


def new(shards: int, replicas: int, settings: dict[str, typing.Any], dim: int | None) -> Manifest:
    """Returns the first generation of a collection."""
    return Manifest(uuid.uuid4().hex, 1, spread(range(shards)), replicas, settings, dim, shards)


def spread(shards: typing.Iterable[int], now: typing.Sequence[int] = ()) -> tuple[int, ...]:
    """Maps the virtual shards evenly onto shards; of what there is ``now`` as little as possible moves."""
    order = sorted(shards)
    if not 1 <= len(order) <= SHARDS_MAX:
        raise InvalidInputError(f"shards must be between 1 and {SHARDS_MAX}, got {len(order)}")
    least, more = divmod(VIRTUAL_SHARDS, len(order))
    # Who has most already keeps one more, so that those need not move.
    by_count = sorted(order, key=lambda shard: (-list(now).count(shard), shard))
    room = {shard: least + (at < more) for at, shard in enumerate(by_count)}
    owners: list[int | None] = [None] * VIRTUAL_SHARDS
    for at, owner in enumerate(now):
        if room.get(owner, 0) > 0:
            owners[at] = owner
            room[owner] -= 1
    free = iter([shard for shard in order for _ in range(room[shard])])
    return tuple(next(free) if owner is None else owner for owner in owners)


def load(storage: Storage, generation: int | None = None) -> Manifest:
    """Returns the newest generation, or that one.

    Raises
    ------
    NotFoundError
        If there is no collection.
    """
    if generation is None:
        names = storage.names("manifest/")
        if not names:
            raise NotFoundError(f"there is no collection at {storage.uri}: to make one, say how many shards")
        name = names[-1]
    else:
        name = _name(generation)
    content = storage.get(name)
    if content is None:
        # The newest was there a moment ago: newer ones have come, and it was deleted.
        return load(storage)
    return _decode(content, f"{storage.uri}/{name}")


def publish(storage: Storage, manifest: Manifest) -> bool:
    """Publishes a generation; returns False if there is one of its number already."""
    if not storage.put_new(_name(manifest.generation), manifest.encode()):
        return False
    old = [
        _name(number) for number in range(max(1, manifest.generation - 2 * KEPT), manifest.generation - KEPT)
    ]
    storage.delete(old)
    return True


def _decode(content: bytes, name: str) -> Manifest:
    try:
        fields = json.loads(content)
        checksum = fields.pop("checksum")
        version, known = fields.pop("vecstore"), fields.pop("format")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise CorruptionError(f"{name} is no manifest of a collection: {error}") from error
    if known != FORMAT:
        raise UnsupportedError(
            f"{name} has format {known}, written by vecstore {version}; "
            f"vecstore {vecstore.__version__} reads {FORMAT}"
        )
    if _checksum({**fields, "vecstore": version, "format": known}) != checksum:
        raise CorruptionError(
            f"{name} is not what was written: it was changed by hand, or is damaged. "
            "The number of shards is changed by RayCollection.rebalance"
        )
    try:
        fields["owners"], fields["builds"] = tuple(fields["owners"]), tuple(fields["builds"])
        manifest = Manifest(**fields)
        _check(manifest)
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptionError(f"{name} is no manifest of a collection: {error}") from error
    return manifest


def _check(manifest: Manifest) -> None:
    """Raises for what no manifest says."""
    numbers: list[typing.Any] = [
        *manifest.owners,
        manifest.generation,
        manifest.replicas,
        manifest.next_shard,
    ]
    if any(isinstance(number, bool) or not isinstance(number, int) or number < 0 for number in numbers):
        raise ValueError("expected numbers from 0 on")
    if len(manifest.owners) != VIRTUAL_SHARDS:
        raise ValueError(f"expected {VIRTUAL_SHARDS} owners, got {len(manifest.owners)}")
    if manifest.replicas > REPLICAS_MAX or max(manifest.owners) >= manifest.next_shard:
        raise ValueError("it has more replicas, or other shards, than there can be")
    settings: typing.Any = manifest.settings
    if not isinstance(settings, dict) or not {*STORE_SETTINGS, "replication"} <= settings.keys():
        raise ValueError("settings are missing")
    builds: tuple[typing.Any, ...] = manifest.builds
    for build in builds:
        if not isinstance(build, dict) or not {"id", "segments"} <= build.keys():
            raise ValueError("a build is malformed")
