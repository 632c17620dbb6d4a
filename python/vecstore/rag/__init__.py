"""Text for retrieval-augmented generation: splitters with exact offsets.

>>> from vecstore.rag import SentenceTextSplitter
>>> SentenceTextSplitter(30).split_text("Dr. Who came. Nobody saw him. He left.")
['Dr. Who came.', 'Nobody saw him. He left.']
"""

from vecstore.rag.splitters import (
    CODE_LANGUAGES,
    CodeTextSplitter,
    HTMLTextSplitter,
    JSONTextSplitter,
    MarkdownTextSplitter,
    RecursiveCharacterTextSplitter,
    SemanticTextSplitter,
    SentenceTextSplitter,
    TextChunk,
    TextSplitter,
    TokenTextSplitter,
    count_tokens,
)

__all__ = [
    # Splitters
    "CODE_LANGUAGES",
    "CodeTextSplitter",
    "HTMLTextSplitter",
    "JSONTextSplitter",
    "MarkdownTextSplitter",
    "RecursiveCharacterTextSplitter",
    "SemanticTextSplitter",
    "SentenceTextSplitter",
    "TextChunk",
    "TextSplitter",
    "TokenTextSplitter",
    "count_tokens",
]
