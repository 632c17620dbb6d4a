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
    ExplainedNeighbor,
    HNSWSearchParams,
    Loss,
    Page,
    Problem,
    Query,
    QueryEstimate,
    QueryExplanation,
    QueryPlan,
    QueryStep,
    RepairReport,
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
    "RepairReport",
    "Loss",
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
    # How a search was done
    "QueryPlan",
    "QueryStep",
    "QueryEstimate",
    "QueryExplanation",
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
    "NotFoundError",
    "AlreadyExistsError",
    "StoreLockedError",
    "ClosedError",
    "CorruptionError",
    "StorageError",
    "UnsupportedError",
    "__version__",
]
