"""Texts of every kind: what is installed, and what hypothesis makes."""

from __future__ import annotations

import functools
import importlib.metadata
import sysconfig
from pathlib import Path

from hypothesis import strategies as st

#: Text in pieces that mean something to one splitter or another.
TEXTS = st.lists(
    st.one_of(
        st.text("abcdefgh ", min_size=1, max_size=12),
        st.sampled_from(
            [
                "\n",
                "\n\n",
                "\n\n\n",
                "\r\n",
                "\t",
                "  ",
                ". ",
                "! ",
                "\u3002",
                "\u4e2d\u6587",
                "\u00e9",
                "e\u0301",
            ]
        ),
        st.sampled_from(
            ["\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u3000", "\u00a0", "\x1c"]
        ),
        st.sampled_from(
            ["# A\n", "## B\n", "- item\n", "```\n", "|a|b|\n|-|-|\n", "<p>", "</p>", "def f():\n    "]
        ),
        st.text(max_size=4),
    ),
    max_size=30,
).map("".join)


@functools.cache
def reference() -> list[str]:
    """Topics of CPython's language reference."""
    import pydoc_data.topics

    return [topic for _, topic in sorted(pydoc_data.topics.topics.items())]


@functools.cache
def markdown() -> list[str]:
    """Descriptions of the packages that are installed."""
    found = []
    for distribution in importlib.metadata.distributions():
        metadata = distribution.metadata
        if "markdown" in str(metadata.get("Description-Content-Type")):  # type: ignore[attr-defined]
            found.append(str(metadata.get_payload())[:60_000])  # type: ignore[attr-defined]
    return sorted(found)[:12]


@functools.cache
def python_sources() -> list[str]:
    """Modules of the standard library."""
    library = Path(sysconfig.get_paths()["stdlib"])
    names = [
        "argparse",
        "ast",
        "asyncio/tasks",
        "calendar",
        "dataclasses",
        "json/decoder",
        "shutil",
        "typing",
    ]
    return [(library / f"{name}.py").read_text("utf-8") for name in names]
