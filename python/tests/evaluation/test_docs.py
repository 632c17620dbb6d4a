"""The examples in docstrings and in docs/evaluation.md run; everything public has a docstring."""

from __future__ import annotations

import doctest
import inspect
import re
import typing
from pathlib import Path

import pytest

import vecstore
from vecstore import evaluation

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "evaluation.md"


@pytest.mark.parametrize("name", ["", *evaluation.__all__])
def test_examples_of_docstrings_run(name: str, store: vecstore.VecStore) -> None:
    value: typing.Any = getattr(evaluation, name) if name else evaluation
    docstring = inspect.getdoc(value)
    assert docstring, f"{name} has no docstring"
    members = vars(value) if inspect.isclass(value) else {}
    documented = [
        value,
        *(
            getattr(value, member)
            for member, defined in members.items()
            if not member.startswith("_")
            and (inspect.isfunction(defined) or isinstance(defined, (property, classmethod, staticmethod)))
        ),
    ]
    for part in documented:
        text = inspect.getdoc(part)
        assert text, f"{name} {part}"
        scope: dict[str, typing.Any] = {"vecstore": vecstore, "store": store}
        scope.update({name: getattr(evaluation, name) for name in evaluation.__all__})
        test = doctest.DocTestParser().get_doctest(text, scope, name, None, 0)
        report: list[str] = []
        doctest.DocTestRunner().run(test, out=report.append)
        assert not report, "".join(report)


def test_every_name_is_there() -> None:
    assert set(evaluation.__all__) <= set(dir(evaluation))
    assert not hasattr(evaluation, "no_such_name")


def test_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, typing.Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 5
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), scope)
