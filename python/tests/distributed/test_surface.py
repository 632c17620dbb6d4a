"""What a collection can do, one in shards can: every public method, with the same arguments."""

from __future__ import annotations

import inspect
from typing import Any

from vecstore import Collection
from vecstore.distributed import AsyncRayCollection, RayCollection

#: What one in shards does not have, and why.
LEFT_OUT = {
    "name": "a collection in shards has no name in a database: it is known by its uri",
    "namespace": "the same",
}

#: What only one in shards has.
OWN = {"close", "open", "rebalance", "shards", "stop", "uri"}

#: Arguments that only one in shards takes; each by name, and not needed.
MORE = {"partial"}


def public(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")}


def parameters(cls: type, name: str) -> dict[str, tuple[Any, ...]] | None:
    """Returns the arguments of a method: for those by position their place; None for a property."""
    member = getattr(cls, name)
    if not callable(member):
        return None
    found = list(inspect.signature(member).parameters.values())[1:]
    by_name = inspect.Parameter.KEYWORD_ONLY
    return {one.name: (one.kind == by_name or place, default(one.default)) for place, one in enumerate(found)}


def default(value: Any) -> Any:
    # `include` is `...` in signatures of the extension module.
    return ("metadata",) if value is ... else value


def test_every_public_method_is_there_or_is_left_out_for_a_reason() -> None:
    assert public(Collection) - public(RayCollection) == set(LEFT_OUT)
    assert public(RayCollection) - public(Collection) == OWN
    assert public(AsyncRayCollection) - {"wrapped"} == public(RayCollection)


def test_their_arguments_are_the_same() -> None:
    for name in sorted(public(Collection) - set(LEFT_OUT)):
        one, many = parameters(Collection, name), parameters(RayCollection, name)
        if many is not None:
            many = {key: value for key, value in many.items() if key not in MORE}
        assert many == one, name
    for name in sorted(public(RayCollection) - {"open"}):
        assert parameters(AsyncRayCollection, name) == parameters(RayCollection, name), name
    for name in MORE:
        for method in public(RayCollection):
            found = (parameters(RayCollection, method) or {}).get(name)
            assert found in (None, (True, False)), method
