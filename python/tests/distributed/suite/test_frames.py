"""The tests of one store of this name, on shards."""

from __future__ import annotations

from .here import run_here

run_here(
    globals(),
    {
        "test_searches_return_a_list_that_is_more": "the list is Found, which is a NeighborList",
        "test_a_result_pickles": "the same",
    },
)
