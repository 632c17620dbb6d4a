"""What there is in the metadata of the documents: fields, values, ranges."""

from __future__ import annotations

import abc as _abc
import asyncio
import typing
from collections import abc

__all__ = ["MetadataFields"]

Filters = typing.Optional[dict[str, typing.Any]]


class MetadataFields(_abc.ABC):
    """The methods of a document store that tell about metadata. They read that of all documents asked for.

    Fields may be named with ``meta.`` before them or without. Values of another type are other values:
    1, 1.0, ``"1"`` and True are four.
    """

    @_abc.abstractmethod
    def _metas(self, filters: Filters) -> abc.Iterator[dict[str, typing.Any]]:
        """The metadata of the documents that match, in the order they were written."""

    def _values(self, field: str, filters: Filters) -> dict[typing.Any, typing.Any]:
        key = field.removeprefix("meta.")
        found: dict[typing.Any, typing.Any] = {}
        for meta in self._metas(filters):
            if (value := meta.get(key)) is not None:
                found.setdefault(_identity(value), value)
        return found

    def count_unique_metadata_by_filter(
        self, filters: dict[str, typing.Any], metadata_fields: list[str]
    ) -> dict[str, int]:
        """How many different values each field has in the documents that match."""
        keys = [field.removeprefix("meta.") for field in metadata_fields]
        seen: dict[str, set[typing.Any]] = {key: set() for key in keys}
        for meta in self._metas(filters):
            for key in keys:
                if meta.get(key) is not None:
                    seen[key].add(_identity(meta[key]))
        return {key: len(values) for key, values in seen.items()}

    def get_metadata_fields_info(self) -> dict[str, dict[str, str]]:
        """The fields there are, each with its ``type``: ``keyword``, ``int``, ``float`` or ``boolean``."""
        types: dict[str, str] = {}
        for meta in self._metas(None):
            types.update((key, _type(value)) for key, value in meta.items() if value is not None)
        return {key: {"type": type_} for key, type_ in types.items()}

    def get_metadata_field_min_max(self, metadata_field: str) -> dict[str, typing.Any]:
        """The smallest and the largest value of a field, as ``min`` and ``max``.

        Both are None if there is no value, or numbers and strings that have no order among them.
        """
        values = [
            value
            for value in self._values(metadata_field, None).values()
            if isinstance(value, (int, float, str))
        ]
        if not values or len({isinstance(value, str) for value in values}) > 1:
            return {"min": None, "max": None}
        return {"min": min(values), "max": max(values)}

    def get_metadata_field_unique_values(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: Filters = None,
    ) -> tuple[list[typing.Any], int]:
        """A page of the different values of a field, in order as they are written, and how many there are.

        ``search_term`` keeps those that it is part of, whatever the case.
        """
        values = list(self._values(metadata_field, filters).values())
        if search_term:
            values = [value for value in values if search_term.lower() in str(value).lower()]
        values.sort(key=lambda value: (str(value), type(value).__name__))
        return values[from_ : from_ + size], len(values)

    async def count_unique_metadata_by_filter_async(
        self, filters: dict[str, typing.Any], metadata_fields: list[str]
    ) -> dict[str, int]:
        """As `count_unique_metadata_by_filter`."""
        return await asyncio.to_thread(self.count_unique_metadata_by_filter, filters, metadata_fields)

    async def get_metadata_fields_info_async(self) -> dict[str, dict[str, str]]:
        """As `get_metadata_fields_info`."""
        return await asyncio.to_thread(self.get_metadata_fields_info)

    async def get_metadata_field_min_max_async(self, metadata_field: str) -> dict[str, typing.Any]:
        """As `get_metadata_field_min_max`."""
        return await asyncio.to_thread(self.get_metadata_field_min_max, metadata_field)

    async def get_metadata_field_unique_values_async(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: Filters = None,
    ) -> tuple[list[typing.Any], int]:
        """As `get_metadata_field_unique_values`."""
        return await asyncio.to_thread(
            self.get_metadata_field_unique_values, metadata_field, search_term, from_, size, filters
        )


def _identity(value: typing.Any) -> typing.Any:
    """What tells a value from others; can be hashed."""
    if isinstance(value, list):
        return list, tuple(map(_identity, value))
    if isinstance(value, dict):
        return dict, frozenset((key, _identity(item)) for key, item in value.items())
    return type(value), value


def _type(value: typing.Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int"
    return "float" if isinstance(value, float) else "keyword"
