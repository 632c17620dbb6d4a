"""The splitters of vecstore behind LangChain's interface."""

from __future__ import annotations

import copy
import typing

from vecstore._vecstore import TextChunk
from vecstore.integrations._opening import missing
from vecstore.rag import SemanticTextSplitter
from vecstore.rag import TextSplitter as OwnSplitter

try:
    from langchain_core.documents import Document
    from langchain_text_splitters import TextSplitter
except ImportError as error:
    raise missing("langchain.text_splitter", "langchain-text-splitters", "langchain") from error

__all__ = ["VecStoreTextSplitter"]


class VecStoreTextSplitter(TextSplitter):
    """A splitter of vecstore as LangChain's; make it with `vecstore.integrations.langchain.text_splitter`."""

    def __init__(
        self, splitter: OwnSplitter | SemanticTextSplitter, *, add_start_index: bool = False
    ) -> None:
        if not isinstance(splitter, (OwnSplitter, SemanticTextSplitter)):
            raise TypeError(f"splitter: expected one of vecstore.rag, got {type(splitter).__name__}")
        # Sizes are the business of the splitter; these are never read.
        super().__init__(add_start_index=add_start_index)
        self._splitter = splitter

    def split_text(self, text: str) -> list[str]:
        """The chunks of a text."""
        return self._splitter.split_text(text)

    def create_documents(
        self, texts: list[str], metadatas: list[dict[typing.Any, typing.Any]] | None = None
    ) -> list[Document]:
        """The chunks of several texts as documents, each with the metadata of its text."""
        if metadatas and len(metadatas) != len(texts):
            raise ValueError(
                f"metadatas: expected one for each of the {len(texts)} texts, got {len(metadatas)}"
            )
        return [
            Document(page_content=chunk.content, metadata=self._metadata(chunk, metadata))
            for text, metadata in zip(texts, metadatas or [{}] * len(texts))
            for chunk in self._splitter.split_with_metadata(text)
        ]

    def _metadata(
        self, chunk: TextChunk, metadata: dict[typing.Any, typing.Any]
    ) -> dict[typing.Any, typing.Any]:
        merged = {**copy.deepcopy(metadata), **chunk.metadata}
        if self._add_start_index:
            merged["start_index"] = chunk.char_start
        return merged

    def __repr__(self) -> str:
        return f"VecStoreTextSplitter({self._splitter!r})"
