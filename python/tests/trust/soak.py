"""How much of a test is run: little in ``make test``, more in ``make soak``, which sets the environment."""

from __future__ import annotations

import os


def count(name: str, default: int) -> int:
    """Return the number in the environment variable, or the default."""
    return int(os.environ.get(name, default))
