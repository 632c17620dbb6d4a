"""The examples in docstrings and in docs/splitters.md run; everything public has a docstring."""

from __future__ import annotations

import doctest
import inspect
import re
import typing
from pathlib import Path

import pytest

from vecstore import rag
from vecstore.rag import splitters

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "splitters.md"
CLASSES = [name for name in splitters.__all__ if inspect.isclass(getattr(rag, name))]


@pytest.mark.parametrize("name", [*CLASSES, "count_tokens"])
def test_examples_of_docstrings_run(name: str) -> None:
    value: typing.Any = getattr(rag, name)
    members = [
        defined
        for member, defined in vars(value).items()
        if not member.startswith("_") and (inspect.isfunction(defined) or inspect.ismethoddescriptor(defined))
    ]
    for documented in [value, *(members if inspect.isclass(value) else [])]:
        docstring = inspect.getdoc(documented)
        assert docstring, f"{name} {documented}"
        test = doctest.DocTestParser().get_doctest(docstring, dict(vars(rag)), name, None, 0)
        report: list[str] = []
        doctest.DocTestRunner().run(test, out=report.append)
        assert not report, "".join(report)


def test_names_are_those_of_the_package() -> None:
    assert set(splitters.__all__) <= set(rag.__all__)
    for name in CLASSES:
        assert getattr(rag, name).__module__ == "vecstore.rag"


def test_the_guide_runs() -> None:
    scope: dict[str, typing.Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 3
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), scope)
