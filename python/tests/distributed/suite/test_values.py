"""The tests of one store of this name, on shards."""

from __future__ import annotations

from .here import run_here

run_here(
    globals(),
    {
        "test_a_store_shows_what_it_is": "the repr is that of RayCollection",
        "test_a_store_in_memory_cannot_be_pickled": "one in shards can",
        "test_weak_references_work": "shards of this process are kept for the end of the test",
    },
)
