from vecstore._errors import (
    AlreadyExistsError,
    ClosedError,
    CorruptionError,
    DimensionMismatchError,
    FilterError,
    InvalidInputError,
    NotFoundError,
    StorageError,
    StoreLockedError,
    UnsupportedError,
    VecStoreError,
)
from vecstore._values import (
    BatchError,
    BatchOperation,
    BatchResult,
    CompactionResult,
    Config,
    Distance,
    HNSWSearchParams,
    Page,
    Problem,
    Query,
    StoreStats,
    VerifyReport,
)
from vecstore._vecstore import (
    F,
    FilterExpr,
    Neighbor,
    QueryBatch,
    Record,
    RecordIterator,
    VecStore,
    parse_filter,
)

SearchResult = Neighbor

__version__: str

__all__ = [
    # The store
    "VecStore",
    "Config",
    "Distance",
    "StoreStats",
    "VerifyReport",
    "Problem",
    "CompactionResult",
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
    "Neighbor",
    "SearchResult",
    # Filters
    "F",
    "FilterExpr",
    "parse_filter",
    # Errors
    "VecStoreError",
    "InvalidInputError",
    "DimensionMismatchError",
    "FilterError",
    "NotFoundError",
    "AlreadyExistsError",
    "StoreLockedError",
    "ClosedError",
    "CorruptionError",
    "StorageError",
    "UnsupportedError",
    "__version__",
]
