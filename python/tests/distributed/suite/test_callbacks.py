"""The tests of one store of this name, on shards."""

from __future__ import annotations

from .here import run_here

run_here(
    globals(),
    {
        "test_ctrl_c_ends_a_long_call_and_does_no_harm": "runs a process of its own",
        "test_ctrl_c_ends_a_repair_and_leaves_the_store_as_it_was": "runs a process of its own",
        "test_ctrl_c_ends_the_wait_for_a_graph": "runs a process of its own",
    },
)
