"""A plan of calls that two processes agree on by number alone, and what is in a store after each."""

from __future__ import annotations

import random
from typing import ClassVar

import vecstore

DIM = 8

#: Runs the plan from call ``first`` on and says what was acknowledged.
#: Arguments: path, first, options, this directory.
WRITER = """
import os, sys
sys.path.insert(0, sys.argv[4])
import vecstore
import plan
store = vecstore.VecStore(sys.argv[1], **eval(sys.argv[3]))
os.write(1, b"open\\n")
try:
    for call in range(int(sys.argv[2]), 10**9):
        plan.perform(store, call)
        os.write(1, b"%d\\n" % call)
except vecstore.VecStoreError as error:
    os.write(1, b"error %s\\n" % type(error).__name__.encode())
    os._exit(3)
"""


def ids(call: int) -> list[str]:
    """Return the ids that a call writes or deletes."""
    chosen = random.Random(call)
    slot, size = chosen.randrange(12), 1 if chosen.randrange(3) == 0 else chosen.randrange(1, 60)
    return [f"{slot}-{n}" for n in range(size)]


def deletes(call: int) -> bool:
    """Return whether a call deletes."""
    return random.Random(-call - 1).randrange(5) == 0


def perform(store: vecstore.VecStore, call: int) -> None:
    """Make a call, and now and then finish the background work, which changes no record."""
    keys = ids(call)
    if deletes(call):
        store.delete_many(keys)
    else:
        store.upsert_many(keys, [[call + 1.0] * DIM] * len(keys), [{"call": call}] * len(keys))
    if call % 17 == 16:
        store.compact()


class _Known:
    """What is there after some number of calls."""

    calls: int = 0
    found: ClassVar[dict[str, int]] = {}


def after(calls: int) -> dict[str, int]:
    """Return what is there after so many calls: the call that each record is from."""
    # Most ask for a little more than was asked for before.
    if calls < _Known.calls:
        _Known.calls, _Known.found = 0, {}
    for call in range(_Known.calls, calls):
        keys = ids(call)
        if deletes(call):
            for key in keys:
                _Known.found.pop(key, None)
        else:
            _Known.found.update(dict.fromkeys(keys, call))
    _Known.calls = calls
    return dict(_Known.found)


def read(store: vecstore.VecStore) -> dict[str, int]:
    """Return what is there: the call that each record is from."""
    found = {}
    for record in store:
        call = record.metadata["call"]
        assert record.vector == [call + 1.0] * DIM, record
        found[record.id] = call
    return found


def check(store: vecstore.VecStore, acknowledged: int, at_most: int | None = None) -> int:
    """Check that a store holds what is there after the acknowledged calls, or one more; return how many.

    ``at_most`` is said where more calls than one more may be there.
    """
    found = read(store)
    assert store.verify().ok, store.verify().problems
    for calls in range(acknowledged, max(acknowledged + 1, at_most or 0) + 1):
        if found == after(calls):
            return calls
    expected = after(acknowledged)
    missing = sorted(expected.keys() - found.keys())[:5]
    raise AssertionError(
        f"{len(found)} records, expected the {len(expected)} of {acknowledged} calls; missing: {missing}"
    )
