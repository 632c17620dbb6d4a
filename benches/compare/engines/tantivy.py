from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from benches.compare.engines.base import Engine, TextSearch


class Tantivy(Engine):
    """An inverted index on disk, without vectors; a commit is its durable write."""

    name = "tantivy"
    module = "tantivy"
    distribution = "tantivy"
    variants: ClassVar = {"commit": "on disk at the end"}

    def load_texts(self, path: Path, ids: Sequence[str], texts: Sequence[str]) -> None:
        path.mkdir()
        schema = self.library.SchemaBuilder()
        schema.add_text_field("id", stored=True, tokenizer_name="raw")
        schema.add_text_field("text", stored=False, tokenizer_name="default")
        self._index = self.library.Index(schema.build(), path=str(path))
        writer = self._index.writer(heap_size=256_000_000, num_threads=1)
        document = self.library.Document
        for row, text in zip(ids, texts):
            writer.add_document(document(id=row, text=text))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    def text_search(self, k: int) -> TextSearch:
        index, searcher = self._index, self._index.searcher()

        def search(words: str) -> list[Any]:
            hits = searcher.search(index.parse_query(words, ["text"]), k, count=False).hits
            return [(searcher.doc(address)["id"][0], score) for score, address in hits]

        return search

    def add_text(self, row: str, text: str) -> None:
        writer = self._index.writer(heap_size=15_000_000, num_threads=1)
        writer.add_document(self.library.Document(id=row, text=text))
        writer.commit()
        self._index.reload()

    def text_rows(self, result: Any) -> list[tuple[str, float]]:
        return [(row, float(score)) for row, score in result]

    def parameters(self) -> dict[str, object]:
        return {"tokenizer": "default", "writer": "256 MB, 1 thread", "search": "ids fetched"}
