"""Databases, collections and what they are set to; ``vecstore`` has all of them as well."""

from vecstore import (
    AggregateStats,
    BackupResult,
    BaseCollection,
    Collection,
    CollectionConfig,
    NamespaceQuotas,
    NamespaceStats,
    NamespaceStatus,
    Snapshot,
    VecDatabase,
)

__all__ = [
    "AggregateStats",
    "BackupResult",
    "BaseCollection",
    "Collection",
    "CollectionConfig",
    "NamespaceQuotas",
    "NamespaceStats",
    "NamespaceStatus",
    "Snapshot",
    "VecDatabase",
]
