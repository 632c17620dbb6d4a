"""Objects of JSON files, one after the other: lines or the items of an array. Never the whole in memory."""

from __future__ import annotations

import json
import pathlib
import typing
from collections import abc

from vecstore._errors import InvalidInputError
from vecstore._exchange.files import reading

#: The longest object. A record at every limit of vecstore is shorter.
OBJECT_CHARS = 128 << 20

_CHUNK_CHARS = 1 << 20


def _refuse(name: str) -> typing.NoReturn:
    raise ValueError(f"expected a finite number, got {name}")


_decoder = json.JSONDecoder(parse_constant=_refuse)


def objects(
    path: pathlib.Path, arrays: abc.Collection[str]
) -> abc.Iterator[tuple[int, dict[str, typing.Any]]]:
    """Yields objects with their positions, in characters.

    They are the items of an array at the top, or of the first array under one of these keys of an object
    at the top, or else the objects at the top themselves.
    """
    with reading(path), path.open(encoding="utf-8-sig", errors="strict") as file:
        try:
            yield from _Scanner(file, arrays).objects()
        except UnicodeDecodeError as error:
            raise InvalidInputError(f"expected UTF-8: {error}") from error


class _Scanner:
    """Text that is read as it is needed."""

    def __init__(self, file: typing.TextIO, arrays: abc.Collection[str]) -> None:
        self._file = file
        self._arrays = arrays
        self._text = ""
        self._at = 0
        #: Where the text begins in the file.
        self._base = 0
        self._ended = False

    @property
    def position(self) -> int:
        return self._base + self._at

    def _more(self) -> bool:
        """Reads on; returns whether there was anything."""
        if len(self._text) - self._at > OBJECT_CHARS:
            self._fail(f"an object may have {OBJECT_CHARS} characters, got more")
        # Twice as much each time, so that a long object is not scanned over and over.
        chunk = self._file.read(max(_CHUNK_CHARS, len(self._text) - self._at))
        self._text = self._text[self._at :] + chunk
        self._base += self._at
        self._at = 0
        self._ended = not chunk
        return not self._ended

    def _fail(self, why: str) -> typing.NoReturn:
        raise InvalidInputError(f"at character {self.position}: {why}")

    def _peek(self) -> str:
        """Returns the next character that is no space, or nothing at the end."""
        while True:
            while self._at < len(self._text):
                if not self._text[self._at].isspace():
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def _value(self) -> typing.Any:
        while True:
            try:
                value, end = _decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                # It may only be cut where the text that is read ends.
                if not self._ended and self._more():
                    continue
                self._fail(f"{error.msg} (column {error.colno} from there)")
            except (ValueError, RecursionError) as error:
                self._fail(str(error) or "nested too deeply")
            if end == len(self._text) and not self._ended and self._more():
                continue  # A number may go on.
            self._at = end
            return value

    def _object(self) -> tuple[int, dict[str, typing.Any]]:
        position = self.position
        value = self._value()
        if not isinstance(value, dict):
            raise InvalidInputError(
                f"at character {position}: expected an object, got {type(value).__name__}"
            )
        return position, value

    def objects(self) -> abc.Iterator[tuple[int, dict[str, typing.Any]]]:
        first = self._peek()
        if first == "[":
            self._at += 1
            yield from self._items()
            if self._peek():
                self._fail("expected the end of the file after the array")
        elif first == "{" and self._enters_array():
            yield from self._items()
            self._ends_object()
        else:
            while self._peek():
                yield self._object()

    def _items(self) -> abc.Iterator[tuple[int, dict[str, typing.Any]]]:
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield self._object()
            after = self._peek()
            if after not in (",", "]"):
                self._fail("the array ends early" if not after else f"expected `,` or `]`, got {after!r}")
            self._at += 1
            if after == "]":
                return
            self._peek()

    def _ends_object(self) -> None:
        """Passes over what is behind the array, up to the brace that ends a whole file."""
        last = ""
        while True:
            rest = self._text[self._at :].rstrip()
            last = rest[-1:] or last
            self._at = len(self._text)
            if not self._more():
                break
        if last != "}":
            self._fail("the object around the array ends early")

    def _enters_array(self) -> bool:
        """Goes into the array of an object at the top, past what stands before it; stays if there is none."""
        # What is before the array is short, or there is none of it: the array is looked for at the start of
        # the file only.
        while len(self._text) < _CHUNK_CHARS and self._more():
            pass
        start, at = self._at, self._at + 1
        while True:
            at = _skip_spaces(self._text, at)
            try:
                key, at = _decoder.raw_decode(self._text, at)
                at = _skip_spaces(self._text, at)
                if not isinstance(key, str) or self._text[at : at + 1] != ":":
                    return False
                at = _skip_spaces(self._text, at + 1)
                if key in self._arrays and self._text[at : at + 1] == "[":
                    self._at = at + 1
                    return True
                if key in self._arrays and self._text[at : at + 1] == "{":
                    at += 1
                    continue
                _, at = _decoder.raw_decode(self._text, at)
            except (ValueError, RecursionError):
                self._at = start
                return False
            at = _skip_spaces(self._text, at)
            if self._text[at : at + 1] != ",":
                self._at = start
                return False
            at += 1


def _skip_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
