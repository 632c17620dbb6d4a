"""The tests of one store of this name, on shards."""

from __future__ import annotations

from .here import run_here

run_here(globals(), {})
