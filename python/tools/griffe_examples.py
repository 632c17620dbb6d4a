"""Lets griffe, which mkdocstrings reads docstrings with, show examples that stand in no section as
examples."""

from __future__ import annotations

import re
from typing import Any

import griffe


class Examples(griffe.Extension):
    """Puts the heading of a section before the first example of a docstring that has none."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called for each object once its docstring is known."""
        docstring = obj.docstring
        if docstring is None or ">>>" not in docstring.value or "Examples\n---" in docstring.value:
            return
        docstring.value = re.sub(
            r"^>>>", "Examples\n--------\n>>>", docstring.value, count=1, flags=re.MULTILINE
        )
