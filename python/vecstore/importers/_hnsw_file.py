"""The file of hnswlib: a head of fixed fields, then elements of one size.

Head (96 bytes, little-endian): u64 offset of level 0, u64 capacity, u64 elements, u64 bytes of an element,
u64 offset of the label in one, u64 offset of the vector, i32 highest level, u32 entry point, u64 maxM, u64
maxM0, u64 M, f64 mult, u64 ef_construction.

An element: u16 number of links, u8 whose lowest bit says deleted, u8, links, vector, u64 label.
"""

from __future__ import annotations

import mmap
import os
import pathlib
import struct
import typing

from vecstore._errors import InvalidInputError

_HEAD = struct.Struct("<6QiIQQQdQ")
_DIM_MAX = 65_536
#: Of an element; hnswlib takes no more neighbors than it can count in 16 bits.
_LINKS_MAX = 65_535


class Elements:
    """The elements of level 0, where they lie in a file."""

    def __init__(self, head: bytes, path: pathlib.Path, offset: int) -> None:
        import numpy as np

        if len(head) < _HEAD.size:
            raise InvalidInputError(
                f"not an index of hnswlib: expected {_HEAD.size} bytes of head, got {len(head)}"
            )
        fields = _HEAD.unpack_from(head)
        _, capacity, count, size, label_at, vector_at = fields[:6]
        dim, odd = divmod(label_at - vector_at, 4)
        # The links are a count and as many as maxM0; the label ends the element.
        sane = count <= capacity and 0 < dim <= _DIM_MAX and odd == 0 and size == label_at + 8
        if not sane or fields[9] > _LINKS_MAX or vector_at != 4 + 4 * fields[9]:
            raise InvalidInputError(
                "not an index of hnswlib with float vectors: the fields of its head do not fit"
            )
        length = path.stat().st_size - offset
        if length < count * size:
            whole = max(0, length) // size
            raise InvalidInputError(f"the file ends after element {whole}, expected {count}")
        self.count, self.dim = count, dim
        kind = np.dtype(
            {
                "names": ["marks", "vector", "label"],
                "formats": ["u1", ("<f4", (dim,)), "<u8"],
                "offsets": [2, vector_at, label_at],
                "itemsize": size,
            }
        )
        self._rows: typing.Any = np.zeros(0, kind)
        if count:
            with path.open("rb") as file:
                # Not np.memmap, which would open the file for the life of the array under a name of its own.
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._rows = np.frombuffer(mapped, kind, count, offset)

    def labels(self) -> typing.Any:
        """Returns the labels of all elements."""
        return self._rows["label"]

    def deleted(self) -> typing.Any:
        """Returns which elements are deleted."""
        return (self._rows["marks"] & 1).astype(bool)

    def vectors(self, which: typing.Any) -> typing.Any:
        """Returns a copy of the vectors of some elements."""
        import numpy as np

        return np.array(self._rows["vector"][which], np.float32)


def read_index(path: pathlib.Path) -> Elements:
    """Opens a file that `save_index` wrote."""
    with path.open("rb") as file:
        return Elements(file.read(_HEAD.size), path, _HEAD.size)


def read_lengths(directory: pathlib.Path, elements: Elements) -> typing.Any:
    """Returns the lengths that the vectors of a segment of Chroma had; under cosine it keeps them with 1."""
    import numpy as np

    path = directory / "length.bin"
    data = path.read_bytes()[: 4 * elements.count]
    lengths = np.frombuffer(data[: len(data) // 4 * 4], "<f4")
    if len(lengths) < elements.count or not np.isfinite(lengths).all() or (lengths <= 0).any():
        raise InvalidInputError(f"`{path}`: expected the lengths of {elements.count} vectors")
    return lengths


def read_segment(directory: pathlib.Path) -> Elements | None:
    """Opens a segment of Chroma: the same in two files, with a version in front. None if there is none."""
    head, elements = directory / "header.bin", directory / "data_level0.bin"
    if not head.is_file():
        return None
    with head.open("rb") as file:
        data = file.read(4 + _HEAD.size)
    if data[:4] != b"\x01\0\0\0":
        raise InvalidInputError(f"`{head}`: expected version 1, got {data[:4].hex() or 'nothing'}")
    if not os.access(elements, os.R_OK):
        raise InvalidInputError(f"`{elements}` is missing")
    return Elements(data[4:], elements, 0)
