"""The tests of one store of this name, on shards."""

from __future__ import annotations

from .here import run_here

run_here(
    globals(),
    {
        "test_each_part_has_its_step": "the parts are those of three shards",
    },
)
