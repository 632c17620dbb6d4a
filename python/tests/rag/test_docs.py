"""The examples of docstrings, docs/rag.md and python/examples run; all that is public has a docstring."""

from __future__ import annotations

import doctest
import inspect
import re
import runpy
import typing
from collections import abc
from pathlib import Path

import pytest

import vecstore
from vecstore import rag

ROOT = Path(__file__).resolve().parents[3]
GUIDE = ROOT / "docs" / "rag.md"


def public() -> abc.Iterator[tuple[str, typing.Any]]:
    yield "vecstore.rag", rag
    for name in rag.__all__:
        value = getattr(rag, name)
        yield name, value
        if inspect.isclass(value):
            for member, defined in vars(value).items():
                is_method = inspect.isfunction(defined) or isinstance(
                    defined, (property, staticmethod, classmethod)
                )
                if not member.startswith("_") and is_method:
                    yield f"{name}.{member}", getattr(value, member)


PUBLIC = dict(public())


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_examples_of_docstrings_run(name: str) -> None:
    docstring = inspect.getdoc(PUBLIC[name])
    assert docstring, f"{name} has no docstring"
    scope = {"vecstore": vecstore, **{name: getattr(rag, name) for name in rag.__all__}}
    test = doctest.DocTestParser().get_doctest(docstring, scope, name, None, 0)
    report: list[str] = []
    doctest.DocTestRunner().run(test, out=report.append)
    assert not report, "".join(report)


def test_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, typing.Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 5
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), scope)


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "python" / "examples" / "chat.py"), run_name="__main__")
    assert "[1]" in capsys.readouterr().out
