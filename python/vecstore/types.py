"""What arguments may be, for annotations of your own functions: vectors, filters, embedders, models.

>>> from vecstore.types import FilterOperators, Vector
>>> def cheaper(store: vecstore.VecStore, vector: Vector, price: float) -> list[str]:
...     below: FilterOperators = {"$lt": price}
...     return [neighbor.id for neighbor in store.query(vector, filter={"price": below})]
>>> cheaper(store, [1.0, 0.0, 0.0], 4)
['apple', 'leek']
"""

from vecstore._types import (
    LLM,
    Embedder,
    Filter,
    FilterOperators,
    Metadata,
    OrderBy,
    Sparse,
    Splitter,
    SupportsArray,
    SupportsBuffer,
    SupportsEmbed,
    SupportsEmbedBatch,
    SupportsEmbedDocuments,
    SupportsEmbedMany,
    SupportsEncode,
    SupportsGenerate,
    SupportsSparse,
    SupportsSplitText,
    SupportsSplitWithMetadata,
    Vector,
    Vectors,
)

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
    "SupportsBuffer",
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
