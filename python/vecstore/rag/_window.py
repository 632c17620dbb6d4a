"""Packing results into a budget of tokens."""

from __future__ import annotations

import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_bool, check_callable, check_int, check_items, check_number, check_text
from vecstore._errors import InvalidInputError
from vecstore._vecstore import Neighbor
from vecstore.rag._models import TokenCounter
from vecstore.rag._results import as_neighbors, text_of, with_text

__all__ = ["ContextWindowManager", "check_packing", "pack"]

T = typing.TypeVar("T")
if typing.TYPE_CHECKING:
    _Order = typing.Literal["relevance", "lost_in_the_middle"]


class ContextWindowManager:
    """Chooses which results go into a prompt of limited size.

    Parameters
    ----------
    max_tokens : int
        The size of the prompt.

    Examples
    --------
    >>> window = ContextWindowManager(9)
    >>> texts = ["Segments are sealed.", "A long text on manifests and on logs.", "Logs are synced."]
    >>> window.fit_documents(texts)
    ['Segments are sealed.', 'Logs are synced.']
    """

    def __init__(self, max_tokens: int) -> None:
        self._max_tokens = check_int("max_tokens", max_tokens, 0)

    @property
    def max_tokens(self) -> int:
        """The size of the prompt."""
        return self._max_tokens

    @staticmethod
    def simple_token_estimator(text: str) -> int:
        """Estimates the number of tokens of a text for a vocabulary of about 100,000, without one.

        >>> ContextWindowManager.simple_token_estimator("The engine keeps vectors in segments.")
        7
        """
        return _vecstore._rag_estimate_tokens(check_text("text", text))

    def fit_documents(
        self,
        documents: abc.Iterable[T],
        token_estimator: TokenCounter | None = None,
        reserved_tokens: int = 0,
        *,
        max_document_tokens: int | None = None,
        truncate: bool = False,
        order: _Order = "relevance",
        duplicate_threshold: float | None = None,
    ) -> list[T]:
        """The best documents that fit, as they were given.

        Documents are ranked, best first. One that does not fit is passed over: a shorter one after it may.

        Parameters
        ----------
        documents : iterable of Neighbor, str or dict
            Texts, or what has a ``text``, itself or in its metadata.
        token_estimator : callable, optional
            Returns the number of tokens of a text.
        reserved_tokens : int
            How many tokens stay free for the rest of the prompt and the answer.
        max_document_tokens : int, optional
            Each document is cut to so many tokens, at a paragraph, sentence or word.
        truncate : bool
            Whether the first document that does not fit is cut to the room that is left, unless that is less
            than 32 tokens and less than a third of it.
        order : str
            ``relevance``, or ``lost_in_the_middle``: the best at both ends, the worst in the middle, where
            models read least well.
        duplicate_threshold : float, optional
            Leaves out documents that share this part of their runs of three words with a better one, such
            as 0.8.

        Examples
        --------
        >>> window = ContextWindowManager(100)
        >>> window.fit_documents(["best", "good", "fair", "poor"], order="lost_in_the_middle")
        ['best', 'fair', 'poor', 'good']
        >>> twins = ["The log is synced.", "the log is synced", "Snakes"]
        >>> window.fit_documents(twins, duplicate_threshold=0.8)
        ['The log is synced.', 'Snakes']
        """
        given = list(check_items("documents", documents, "a list of documents"))
        packed = pack(
            as_neighbors(given, "documents"),
            self._max_tokens,
            token_estimator,
            reserved_tokens,
            max_document_tokens,
            truncate,
            order,
            duplicate_threshold,
        )
        return [typing.cast(T, _cut(given[at], neighbor)) for at, neighbor in packed]

    def __repr__(self) -> str:
        return f"ContextWindowManager(max_tokens={self._max_tokens})"


def check_packing(
    token_estimator: typing.Any,
    reserved_tokens: typing.Any,
    max_document_tokens: typing.Any,
    truncate: typing.Any,
    order: typing.Any,
    duplicate_threshold: typing.Any,
) -> None:
    """Fails for what `pack` does not take, before there is anything to pack."""
    if token_estimator is not None:
        check_callable("token_estimator", token_estimator)
    check_int("reserved_tokens", reserved_tokens, 0)
    if max_document_tokens is not None:
        check_int("max_document_tokens", max_document_tokens, 1)
    check_bool("truncate", truncate)
    if check_text("order", order) not in ("relevance", "lost_in_the_middle"):
        raise InvalidInputError(f"order: expected relevance or lost_in_the_middle, got {order!r}")
    if (
        duplicate_threshold is not None
        and not 0 < check_number("duplicate_threshold", duplicate_threshold) <= 1
    ):
        raise InvalidInputError(
            f"duplicate_threshold: expected a number above 0 and at most 1, got {duplicate_threshold!r}"
        )


def pack(
    neighbors: list[Neighbor],
    max_tokens: int,
    token_estimator: TokenCounter | None,
    reserved_tokens: int,
    max_document_tokens: int | None,
    truncate: bool,
    order: str,
    duplicate_threshold: float | None,
    *,
    numbered: bool = False,
) -> list[tuple[int, Neighbor]]:
    """The places of the neighbors that fit, and the neighbors with what is left of their texts.

    ``numbered``: whether they must fit as ``[n] text`` with a blank line between two.
    """
    check_packing(token_estimator, reserved_tokens, max_document_tokens, truncate, order, duplicate_threshold)
    packed = _vecstore._rag_pack(
        [text_of(neighbor) for neighbor in neighbors],
        max_tokens,
        reserved_tokens,
        max_document_tokens,
        truncate,
        duplicate_threshold,
        order == "lost_in_the_middle",
        numbered,
        token_estimator,
    )
    return [
        (at, neighbors[at] if text_of(neighbors[at]) == text else with_text(neighbors[at], text))
        for at, text, _ in packed
    ]


def _cut(given: typing.Any, neighbor: Neighbor) -> typing.Any:
    """What was given, with the text of the neighbor it became."""
    if isinstance(given, str):
        return neighbor.text
    if isinstance(given, Neighbor):
        return neighbor
    if isinstance(given, abc.Mapping):
        name = "content" if "content" in given and "text" not in given else "text"
        if given.get(name) == neighbor.text or name not in given:
            return given
        changed = {"metadata": neighbor.metadata} if isinstance(given.get("metadata"), abc.Mapping) else {}
        return {**given, **changed, name: neighbor.text}
    return given if getattr(given, "text", None) == neighbor.text else neighbor
