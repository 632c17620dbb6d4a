"""An embedded vector database: records with vectors, metadata and text in a directory, searched by nearness.

>>> import vecstore
>>> with vecstore.VecStore(":memory:") as store:
...     store.upsert("apple", [0.9, 0.1, 0.0], {"kind": "fruit"})
...     store.query([1.0, 0.0, 0.0], k=1)[0].id
'apple'
"""

from vecstore._errors import (
    AlreadyExistsError,
    ClosedError,
    CorruptionError,
    DimensionMismatchError,
    FilterError,
    InvalidInputError,
    NotFoundError,
    QuotaExceededError,
    StorageError,
    StoreLockedError,
    UnsupportedError,
    VecStoreError,
)
from vecstore._vecstore import (
    BaseCollection,
    Collection,
    F,
    FilterExpr,
    Neighbor,
    QueryBatch,
    Record,
    RecordIterator,
    VecDatabase,
    VecStore,
    parse_filter,
)

SearchResult = Neighbor

__version__ = "1.0.0"

# Imported at first use: dataclasses and typing alone take longer than the rest of the import.
_VALUES = (
    "AggregateStats",
    "BackupResult",
    "BatchError",
    "BatchOperation",
    "BatchResult",
    "CollectionConfig",
    "CompactionConfig",
    "CompactionResult",
    "Config",
    "Distance",
    "ExplainedNeighbor",
    "HNSWSearchParams",
    "HybridExplanation",
    "HybridQuery",
    "NamespaceQuotas",
    "NamespaceStats",
    "NamespaceStatus",
    "Loss",
    "Page",
    "Problem",
    "Query",
    "QueryEstimate",
    "QueryExplanation",
    "QueryPlan",
    "QueryStep",
    "RepairReport",
    "Snapshot",
    "StoreStats",
    "VerifyReport",
)

__all__ = [
    # The store
    "VecStore",
    "Config",
    "Distance",
    "StoreStats",
    "VerifyReport",
    "Problem",
    "RepairReport",
    "Loss",
    "CompactionResult",
    "CompactionConfig",
    "Snapshot",
    "BackupResult",
    # The database
    "VecDatabase",
    "Collection",
    "BaseCollection",
    "CollectionConfig",
    "NamespaceQuotas",
    "NamespaceStatus",
    "NamespaceStats",
    "AggregateStats",
    # Records
    "Record",
    "RecordIterator",
    "Page",
    "BatchOperation",
    "BatchResult",
    "BatchError",
    # Search
    "Query",
    "QueryBatch",
    "HNSWSearchParams",
    "HybridQuery",
    "Neighbor",
    "NeighborList",
    "SearchResult",
    # How a search was done
    "QueryPlan",
    "QueryStep",
    "QueryEstimate",
    "QueryExplanation",
    "HybridExplanation",
    "ExplainedNeighbor",
    # Filters
    "F",
    "FilterExpr",
    "parse_filter",
    # Errors
    "VecStoreError",
    "InvalidInputError",
    "DimensionMismatchError",
    "FilterError",
    "QuotaExceededError",
    "NotFoundError",
    "AlreadyExistsError",
    "StoreLockedError",
    "ClosedError",
    "CorruptionError",
    "StorageError",
    "UnsupportedError",
    "__version__",
]


def __getattr__(name):
    if name == "NeighborList":
        from vecstore import _neighbors as _values
    elif name in _VALUES:
        from vecstore import _values
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    value = globals()[name] = getattr(_values, name)
    return value


def __dir__():
    return sorted({*globals(), *_VALUES, "NeighborList"})
