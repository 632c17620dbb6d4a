"""Tokenizers from a ``tokenizer.json``."""

from __future__ import annotations

import os
import typing

from vecstore._errors import InvalidInputError, UnsupportedError

__all__ = ["load_tokenizer", "need"]


def need(module: str) -> typing.Any:
    """Imports an optional package, or says how to get it."""
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UnsupportedError(f"this needs the package {module}: pip install vecstore[models]") from error


def load_tokenizer(tokenizer: typing.Any) -> typing.Any:
    """A copy of a tokenizer: of an object of the package ``tokenizers``, or from the path of a file."""
    tokenizers = need("tokenizers")
    if isinstance(tokenizer, tokenizers.Tokenizer):
        return tokenizers.Tokenizer.from_str(tokenizer.to_str())
    if not isinstance(tokenizer, (str, os.PathLike)):
        raise TypeError(
            f"tokenizer: expected a path or a tokenizers.Tokenizer, got {type(tokenizer).__name__}"
        )
    with open(tokenizer, encoding="utf-8") as file:  # noqa: PTH123 - any path will do
        content = file.read()
    try:
        return tokenizers.Tokenizer.from_str(content)
    except Exception as error:  # the package raises plain exceptions
        raise InvalidInputError(f"tokenizer: {os.fspath(tokenizer)} is no tokenizer: {error}") from error
