"""Records of every kind, at random."""

from __future__ import annotations

import datetime
import math
import pathlib
import tarfile
import typing

from hypothesis import strategies as st

import vecstore

DIM = 3

floats32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
texts = st.text(max_size=8)
offsets = st.integers(-86_399, 86_399).map(lambda s: datetime.timezone(datetime.timedelta(seconds=s)))
datetimes = st.datetimes(datetime.datetime(2, 1, 1), datetime.datetime(9998, 1, 1), timezones=offsets)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | texts
    | st.binary(max_size=8)
    | datetimes
)
keys = texts | st.sampled_from(["$bytes", "$datetime", "$float", "$$bytes", "id", "vector", "metadata"])
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
)
vectors = st.lists(floats32, min_size=DIM, max_size=DIM).filter(any)

records: st.SearchStrategy[dict[str, typing.Any]] = st.builds(
    dict,
    id=st.text(min_size=1, max_size=8),
    vector=vectors,
    metadata=st.dictionaries(keys, values, max_size=4),
    text=st.none() | texts,
    sparse=st.none() | st.dictionaries(st.integers(0, 2**32 - 1), floats32, max_size=3),
    ttl_seconds=st.none() | st.integers(1000, 10**6),
    vectors=st.none() | st.lists(vectors, min_size=1, max_size=3),
)
collections = st.lists(records, max_size=12, unique_by=lambda record: record["id"])


def upsert(store: vecstore.VecStore, records: list[dict[str, typing.Any]]) -> None:
    """Upserts records, those of several vectors too."""
    store.batch_upsert([{key: record[key] for key in record if key != "vectors"} for record in records])
    for record in records:
        if vectors := record.get("vectors"):
            one = store.get(record["id"])
            assert one is not None
            several = vecstore.Record(
                one.id,
                one.vector,
                one.metadata,
                text=one.text,
                sparse=one.sparse,
                expires_at=one.expires_at,
                vectors=vectors,
            )
            store.batch_upsert([several])


def shown(value: typing.Any) -> typing.Any:
    """Returns what differs wherever two values do: in type, in sign of zero, in offset."""
    if isinstance(value, vecstore.Record):
        parts = (
            value.id,
            value.vector,
            value.metadata,
            value.text,
            value.sparse,
            value.expires_at,
            value.deleted,
            value.vectors,
        )
        return shown(parts)
    if isinstance(value, dict):
        return sorted((key, shown(one)) for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return [shown(one) for one in value]
    if isinstance(value, float):
        return ("float", value, math.copysign(1, value))
    if isinstance(value, datetime.datetime):
        return ("datetime", value.isoformat())
    return (type(value).__name__, value)


FIXTURES = pathlib.Path(__file__).parent / "fixtures"


def unpacked(name: str, directory: pathlib.Path) -> pathlib.Path:
    """Unpacks a directory that `make_fixtures` keeps."""
    # Where there are filters, calls without one warn.
    safely: dict[str, typing.Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(FIXTURES / f"{name}.tar.xz") as tar:
        tar.extractall(directory / name, **safely)
    return directory / name
