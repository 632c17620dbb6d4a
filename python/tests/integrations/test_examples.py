"""The examples of the integrations run, and what is missing is said so."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("haystack", reason="the frameworks need Python 3.11")

import vecstore

MODULES = ["langchain", "haystack", "llama_index", "mem0", "dspy"]
GUIDE = Path(__file__).parents[3] / "docs" / "integrations.md"


@pytest.mark.parametrize("name", [f"integrations.{name}" for name in MODULES])
def test_examples_of_docstrings_run(name: str, store: vecstore.VecStore) -> None:
    module = importlib.import_module(f"vecstore.{name}")
    result = doctest.testmod(module, extraglobs={"vecstore": vecstore, "store": store})
    assert result.attempted > 0
    assert result.failed == 0


BLOCKS = re.findall(r"^## ([^\n]*)\n.*?^```python\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(("title", "block"), BLOCKS, ids=[title.split()[0] for title, _ in BLOCKS])
def test_the_guide_runs(title: str, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block, title, "exec"), {})


def test_each_section_of_the_guide_has_a_block() -> None:
    assert len(BLOCKS) == 6


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("langchain", "langchain_core", "langchain"),
        ("haystack", "haystack", "haystack"),
        ("llama_index", "llama_index.core", "llama-index"),
        ("mem0", "mem0", "mem0"),
        ("dspy", "dspy", "dspy"),
    ],
)
def test_without_the_framework_the_error_names_the_extra(name: str, package: str, extra: str) -> None:
    script = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"try: import vecstore.integrations.{name}\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert f"pip install 'vecstore[{extra}]'" in done.stdout


def test_importing_the_package_imports_no_framework() -> None:
    script = (
        "import sys, vecstore, vecstore.integrations, vecstore.rag\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    for name in ("langchain_core", "haystack", "llama_index", "mem0", "dspy", "pandas", "polars", "pyarrow"):
        assert f"'{name}'" not in done.stdout
