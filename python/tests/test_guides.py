"""The Python in the documentation and the READMEs runs, page by page, as pasted."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import numpy as np
import pytest

import vecstore

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGES = {
    str(page.relative_to(ROOT)): BLOCK.findall(page.read_text(encoding="utf-8"))
    for page in [ROOT / "README.md", ROOT / "python" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
}


class Chroma:
    """What the migration calls of a Chroma collection."""

    rows: typing.ClassVar[list[str]] = [f"c{n}" for n in range(1500)]

    def get(self, limit: int, offset: int, include: list[str]) -> dict[str, typing.Any]:
        assert include == ["embeddings", "metadatas", "documents"]
        ids = self.rows[offset : offset + limit]
        return {
            "ids": ids,
            "embeddings": np.ones((len(ids), 4), np.float32),
            "metadatas": [{"n": 1}] * len(ids),
            "documents": ["a text"] * len(ids),
        }


class Batch(typing.NamedTuple):
    rows: list[dict[str, typing.Any]]

    def to_pylist(self) -> list[dict[str, typing.Any]]:
        return [dict(row) for row in self.rows]


class Lance:
    """What the migration calls of a LanceDB table, and of the Arrow table it gives out."""

    def to_arrow(self) -> Lance:
        return self

    def to_batches(self, max_chunksize: int) -> list[Batch]:
        rows = [{"id": n, "vector": [1.0, n], "text": "a text", "price": n} for n in range(max_chunksize)]
        return [Batch(rows[:600]), Batch(rows[600:])]


class Faiss:
    """What the migration calls of a FAISS index of inner products."""

    vectors = np.random.default_rng(5).standard_normal((50, 8)).astype(np.float32)
    ntotal = 50

    def reconstruct_n(self, start: int, count: int) -> typing.Any:
        return self.vectors[start : start + count]

    def search(self, queries: typing.Any, k: int) -> typing.Any:
        products = queries @ self.vectors.T
        ranked = np.argsort(-products, axis=1)[:, :k]
        return np.take_along_axis(products, ranked, axis=1), ranked


class Point(typing.NamedTuple):
    id: int
    vector: list[float]
    payload: dict[str, typing.Any] | None


class Qdrant:
    """What the migration calls of a Qdrant client."""

    def scroll(self, name: str, limit: int, offset: int | None, **options: bool) -> typing.Any:
        assert name == "docs"
        assert options == {"with_payload": True, "with_vectors": True}
        start = offset or 0
        points = [
            Point(n, [1.0, n], {"n": n} if n % 2 else None) for n in range(start, min(start + limit, 1200))
        ]
        return points, start + limit if start + limit < 1200 else None


def stand_ins() -> dict[str, typing.Any]:
    """What docs/migration.md supposes to be there."""
    return {
        "chroma_collection": Chroma(),
        "lancedb_table": Lance(),
        "faiss_index": Faiss(),
        "faiss_queries": Faiss.vectors[:5] + 0.1,
        "qdrant_client": Qdrant(),
    }


FRAMEWORKS = {"langchain_core", "langchain_text_splitters", "haystack", "llama_index", "mem0", "dspy"}


@pytest.mark.parametrize("page", sorted(page for page, blocks in PAGES.items() if blocks))
def test_the_python_of_a_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, typing.Any] = stand_ins() if page.endswith("migration.md") else {}
    for block in PAGES[page]:
        try:
            exec(compile(block, page, "exec"), scope)
        except ModuleNotFoundError as error:
            # Not every framework is there for every Python that the tests run on.
            if (error.name or "").partition(".")[0] not in FRAMEWORKS:
                raise
            pytest.skip(f"{error.name} is not installed")


def test_every_page_that_should_show_code_does() -> None:
    expected = {"README.md", "python/README.md"} | {
        f"docs/{name}.md"
        for name in ("index", "installation", "quickstart", "rag-tutorial", "concepts", "migration", "async")
    }
    assert expected <= {page for page, blocks in PAGES.items() if blocks}


def test_the_reference_has_a_place_for_every_group_of_names() -> None:
    marks = " ".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "reference").glob("*.md"))
    for module in ("vecstore", "vecstore.rag", "vecstore.evaluation", "vecstore.types"):
        assert f"{{{{ reference {module} }}}}" in marks
    assert vecstore.__all__
