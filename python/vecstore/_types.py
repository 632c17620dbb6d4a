"""What arguments may be, for annotations."""

from __future__ import annotations

import typing
from collections import abc

from vecstore._vecstore import FilterExpr

__all__ = [
    "Embedder",
    "Filter",
    "FilterOperators",
    "LLM",
    "Metadata",
    "OrderBy",
    "Sparse",
    "Splitter",
    "SupportsArray",
    "SupportsArrow",
    "SupportsBuffer",
    "SupportsDLPack",
    "SupportsEmbed",
    "SupportsEmbedBatch",
    "SupportsEmbedDocuments",
    "SupportsEmbedMany",
    "SupportsEncode",
    "SupportsGenerate",
    "SupportsSparse",
    "SupportsSplitText",
    "SupportsSplitWithMetadata",
    "Vector",
    "Vectors",
]


class SupportsArray(typing.Protocol):
    """What numpy can make an array of: arrays, tensors on the CPU, series."""

    def __array__(self) -> typing.Any: ...


class SupportsBuffer(typing.Protocol):
    """What has the buffer protocol; `collections.abc.Buffer` from Python 3.12 on."""

    def __buffer__(self, flags: int, /) -> memoryview: ...


class SupportsDLPack(typing.Protocol):
    """What has the DLPack protocol: tensors on the CPU."""

    def __dlpack__(self) -> typing.Any: ...
    def __dlpack_device__(self) -> typing.Any: ...


class SupportsArrow(typing.Protocol):
    """What has the Arrow PyCapsule protocol: columns and frames."""

    def __arrow_c_stream__(self, requested_schema: typing.Any = None) -> typing.Any: ...


#: One vector of the shape (dim,).
Vector = typing.Union[abc.Sequence[typing.SupportsFloat], SupportsArray, SupportsBuffer, SupportsDLPack]

#: Vectors, as an array of the shape (n, dim), one by one, or as a column of lists.
Vectors = typing.Union[abc.Sequence[Vector], SupportsArray, SupportsBuffer, SupportsDLPack, SupportsArrow]


class SupportsSparse(typing.Protocol):
    """What has indices and values, as the sparse vectors of other clients."""

    @property
    def indices(self) -> typing.Any:
        """Numbers of the components."""
        ...

    @property
    def values(self) -> typing.Any:
        """Their weights."""
        ...


#: A sparse vector: a dict of index to weight, a pair (indices, values), or a list of tuples (index, weight).
Sparse = typing.Union[
    abc.Mapping[typing.Any, typing.Any],
    tuple[typing.Any, typing.Any],
    list[typing.Any],
    SupportsSparse,
]

#: None, bool, int, float, str, bytes, aware datetime, list, tuple, and dicts of them.
Metadata = abc.Mapping[str, typing.Any]

#: A path, `-` before it for descending; or a path and a direction.
OrderBy = typing.Union[str, tuple[str, typing.Literal["asc", "desc"]]]

#: A filter in any of its three spellings.
Filter = typing.Union[abc.Mapping[str, typing.Any], str, FilterExpr]

#: The operators on one field in a filter that is a dict, for annotations and completion: every call takes a
#: plain dict as well.
FilterOperators = typing.TypedDict(
    "FilterOperators",
    {
        "$eq": typing.Any,
        "$ne": typing.Any,
        "$gt": typing.Any,
        "$gte": typing.Any,
        "$lt": typing.Any,
        "$lte": typing.Any,
        "$in": abc.Sequence[typing.Any],
        "$nin": abc.Sequence[typing.Any],
        "$exists": bool,
        "$contains": typing.Any,
        "$contains_any": abc.Sequence[typing.Any],
        "$contains_all": abc.Sequence[typing.Any],
        "$size": int,
        "$starts_with": str,
        "$ends_with": str,
        "$like": str,
        "$regex": str,
        "$text": str,
        "$between": abc.Sequence[typing.Any],
        "$elem_match": abc.Mapping[str, typing.Any],
        "$geo_radius": abc.Mapping[str, typing.Any],
        "$geo_box": abc.Mapping[str, typing.Any],
        "$not": abc.Mapping[str, typing.Any],
    },
    total=False,
)


class SupportsEmbed(typing.Protocol):
    """What turns one text into a vector; it may be a coroutine that does."""

    def embed(self, text: str, /) -> typing.Any:
        """The vector of a text."""
        ...


class SupportsEmbedBatch(typing.Protocol):
    """What turns texts into vectors."""

    def embed_batch(self, texts: list[str], /) -> typing.Any:
        """The vectors of texts."""
        ...


class SupportsEmbedMany(typing.Protocol):
    """What turns texts into vectors, by another name."""

    def embed_many(self, texts: list[str], /) -> typing.Any:
        """The vectors of texts."""
        ...


class SupportsEmbedDocuments(typing.Protocol):
    """What turns texts into vectors, as LangChain names it."""

    def embed_documents(self, texts: list[str], /) -> typing.Any:
        """The vectors of texts."""
        ...


class SupportsEncode(typing.Protocol):
    """What turns texts into vectors, as sentence-transformers names it."""

    def encode(self, texts: list[str], /) -> typing.Any:
        """The vectors of texts."""
        ...


#: What turns texts into vectors, wherever a call takes an embedder; ``vecstore.rag.TextEmbedder`` says how
#: they are called.
Embedder = typing.Union[
    SupportsEmbed,
    SupportsEmbedBatch,
    SupportsEmbedMany,
    SupportsEmbedDocuments,
    SupportsEncode,
    abc.Callable[[typing.Any], typing.Any],
]


class SupportsGenerate(typing.Protocol):
    """What answers prompts; it may be a coroutine that does."""

    def generate(self, prompt: str, /) -> typing.Any:
        """The answer to a prompt."""
        ...


#: What answers prompts, wherever a call takes an ``llm``; ``vecstore.rag.LanguageModel`` says how it is
#: called.
LLM = typing.Union[SupportsGenerate, abc.Callable[[str], typing.Any]]


class SupportsSplitWithMetadata(typing.Protocol):
    """What splits a text into chunks with ``content``, ``char_start`` and ``char_end``."""

    def split_with_metadata(self, text: str, /) -> abc.Iterable[typing.Any]:
        """The chunks of a text."""
        ...


class SupportsSplitText(typing.Protocol):
    """What splits a text into strings."""

    def split_text(self, text: str, /) -> abc.Iterable[str]:
        """The chunks of a text."""
        ...


#: What cuts a text into chunks, wherever a call takes a splitter.
Splitter = typing.Union[
    SupportsSplitWithMetadata, SupportsSplitText, abc.Callable[[str], abc.Iterable[typing.Any]]
]
