"""What the pages of docs/ need beyond Markdown, for mkdocs.

- `{{ reference MODULE: GROUP, GROUP }}` stands for the reference of the names that `MODULE.__all__` lists
  under the comments GROUP; `{{ reference MODULE }}` for those of all groups that no other page names. So a
  new name is on a page by itself.
- `{{ decisions }}` stands for the list of the decisions, by their titles.
- Links to directories, and to files outside docs/, lead to the repository.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "vecstore"
MARK = re.compile(r"^\{\{ reference ([\w.]+)(?:: (.*))? \}\}$", re.MULTILINE)


def groups(module: str) -> dict[str, list[str]]:
    """The names that a module exports, by the comments in its `__all__`."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    text = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")
    listed = text.split("__all__ = [", 1)[1].split("]", 1)[0]
    found: dict[str, list[str]] = {}
    group = ""
    for line in listed.splitlines():
        if line.strip().startswith("#"):
            group = line.strip("# \t")
        elif name := re.search(r'"(\w+)"', line):
            found.setdefault(group, []).append(name[1])
    return found


def named_elsewhere(module: str) -> set[str]:
    """The groups of a module that pages name."""
    return {
        group.strip()
        for page in (ROOT / "docs").rglob("*.md")
        for mark in MARK.finditer(page.read_text(encoding="utf-8"))
        if mark[1] == module and mark[2]
        for group in mark[2].split(",")
    }


def reference(mark: re.Match[str]) -> str:
    """The Markdown that a mark stands for."""
    module, wanted = mark[1], mark[2]
    found = groups(module)
    chosen = (
        [group.strip() for group in wanted.split(",")]
        if wanted
        else [group for group in found if group not in named_elsewhere(module)]
    )
    parts = []
    for group in chosen:
        if group not in found:
            raise KeyError(f"{module}.__all__ has no group `{group}`: it has {', '.join(found)}")
        shown = [name for name in found[group] if name not in ("SearchResult", "__version__")]
        parts += [f"## {group}" if group else "", *(f"::: {module}.{name}" for name in shown)]
    return "\n\n".join(part for part in parts if part)


def decisions() -> str:
    """A list of the decisions."""
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    titles = [page.read_text(encoding="utf-8").split("\n", 1)[0].lstrip("# ") for page in pages]
    return "\n".join(f"- [{title}]({page.name})" for page, title in zip(pages, titles))


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Called by mkdocs for each page."""
    source = Path(page.file.abs_src_path)

    def link(match: re.Match[str]) -> str:
        target = (source.parent / match[1]).resolve()
        if target.is_relative_to(ROOT / "docs") and not target.is_dir():
            return match[0]
        kind = "tree" if target.is_dir() else "blob"
        return f"]({config.repo_url}/{kind}/main/{target.relative_to(ROOT).as_posix()}{match[2] or ''})"

    written = MARK.sub(reference, markdown).replace("{{ decisions }}", decisions())
    return re.sub(r"\]\(((?![\w+]+:)[^)#\s]+)(#[^)\s]*)?\)", link, written)
