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
    _is_own_interpreter,
    parse_filter,
)

if not _is_own_interpreter():
    raise ImportError("vecstore does not work in subinterpreters: import it in the main one, and use threads")

SearchResult = Neighbor

__version__ = "1.0.0"

_ASYNC = ("AsyncBaseCollection", "AsyncCollection", "AsyncVecDatabase", "AsyncVecStore")

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
    "Decay",
    "Distance",
    "Duplicate",
    "ExplainedNeighbor",
    "ExportResult",
    "Facet",
    "FieldIndex",
    "FieldBoost",
    "FilterBoost",
    "Group",
    "HNSWSearchParams",
    "HybridExplanation",
    "HybridQuery",
    "ImportResult",
    "Loss",
    "NamespaceQuotas",
    "NamespaceStats",
    "NamespaceStatus",
    "Page",
    "PrefetchQuery",
    "Problem",
    "Query",
    "QueryEstimate",
    "QueryExplanation",
    "QueryPlan",
    "QueryStage",
    "QueryStep",
    "RangeFacet",
    "RepairReport",
    "Snapshot",
    "StoreStats",
    "UniqueResult",
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
    "ExportResult",
    "ImportResult",
    # The database
    "VecDatabase",
    "Collection",
    "BaseCollection",
    "CollectionConfig",
    "NamespaceQuotas",
    "NamespaceStatus",
    "NamespaceStats",
    "AggregateStats",
    # The same awaited
    "AsyncVecStore",
    "AsyncVecDatabase",
    "AsyncCollection",
    "AsyncBaseCollection",
    # Records
    "Record",
    "RecordIterator",
    "Page",
    "FieldIndex",
    "Facet",
    "RangeFacet",
    "BatchOperation",
    "BatchResult",
    "BatchError",
    # Search
    "Query",
    "QueryBatch",
    "HNSWSearchParams",
    "HybridQuery",
    "PrefetchQuery",
    "QueryStage",
    "Decay",
    "FieldBoost",
    "FilterBoost",
    "Group",
    "Duplicate",
    "UniqueResult",
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
        from vecstore import _neighbors as home
    elif name in _VALUES:
        from vecstore import _values as home
    elif name in _ASYNC:
        from vecstore import _async as home
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(home, name)
    return value


def __dir__():
    return sorted({*globals(), *_VALUES, *_ASYNC, "NeighborList"})
