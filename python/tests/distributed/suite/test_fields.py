"""The tests of one store of this name, on shards."""

from __future__ import annotations

from .here import run_here

run_here(
    globals(),
    {
        "test_there_are_so_many_indexes_and_no_more": "each index is a checkpoint: 64 of them take long",
    },
)
