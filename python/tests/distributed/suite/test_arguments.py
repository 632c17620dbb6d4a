"""The tests of one store of this name, on shards."""

from __future__ import annotations

import pytest

from .here import run_here

run_here(globals(), {})

# RayCollection.open has other arguments, which test_open.py is about.
globals()["test_a_flag_is_a_bool"].pytestmark = [
    pytest.mark.parametrize(
        mark.args[0], [case for case in mark.args[1] if case.id != "VecStore.open.read_only"]
    )
    for mark in globals()["test_a_flag_is_a_bool"].pytestmark
]
