"""The tests of one store of this name, on shards."""

from __future__ import annotations

from .here import run_here

run_here(
    globals(),
    {
        "test_expired_records_and_removed_ones_are_what_is_compacted": "counts the segments of one store",
        "test_a_store_in_memory_is_backed_up_to_disk": "a backup of shards is opened by RayCollection.open",
    },
)
