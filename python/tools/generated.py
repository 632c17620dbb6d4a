"""What the tools that write source have in common."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import abc
from pathlib import Path

CONFIG = Path(__file__).resolve().parents[1] / "pyproject.toml"


def formatted(text: str, path: Path) -> str:
    """Returns the source of a file as ruff would have it."""
    config = ["--config", str(CONFIG), "--stdin-filename", str(path)]
    for command in (["check", "--fix-only", "--quiet", "--select", "I,UP", "-"], ["format", "-"]):
        arguments = [sys.executable, "-m", "ruff", *command[:-1], *config, "-"]
        done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=True)
        text = done.stdout
    return text


def write_or_check(description: str | None, generated: abc.Callable[[], dict[Path, str]]) -> int:
    """Writes files and what should be in them; with ``--check`` it only says which are out of date."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check = parser.parse_args().check
    stale = {
        path: text
        for path, text in generated().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    for path, text in stale.items():
        print(f"{path.name} is out of date" if check else f"writing {path.name}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0
