"""Citations: the markers ``[n]`` of an answer, checked against the sources they point to."""

from __future__ import annotations

import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_int, check_share, check_text
from vecstore._vecstore import Neighbor
from vecstore.rag._results import Result, as_neighbors, text_of

__all__ = ["Citation", "CitationReport", "citations", "page_of"]


class Citation(typing.NamedTuple):
    """One number of a marker of an answer; places are in characters.

    ``marker`` and ``claim`` are (start, end) in the answer: where the marker is, and the sentence it vouches
    for. ``evidence`` is (start, end) in the source: the sentences with the most of the claim's words;
    ``support`` is the share of those words they have. ``supported`` is True if that is enough and no number
    is missing, False if not or if there is no such source, None if the claim has no words to check. ``id`` is
    the source's, ``page`` the page of the evidence, where known.

    >>> found = citations("Logs are synced [1].", ["Logs are synced."]).citations[0]
    >>> found.number, found.supported, found.support
    (1, True, 1.0)
    """

    number: int
    marker: tuple[int, int]
    claim: tuple[int, int]
    id: str | None
    evidence: tuple[int, int] | None
    page: int | None
    support: float | None
    supported: bool | None
    missing_numbers: list[str]


class CitationReport(typing.NamedTuple):
    """What the markers of an answer are worth; see `citations`.

    >>> report = citations("Logs are synced [1]. Pigs fly.", ["Logs are synced."])
    >>> report.is_supported, len(report.uncited)
    (True, 1)
    """

    citations: list[Citation]
    #: (start, end) of the sentences that say something and have no marker.
    uncited: list[tuple[int, int]]

    @property
    def unsupported(self) -> list[Citation]:
        """The citations whose source does not speak of the claim, or is not there."""
        return [citation for citation in self.citations if citation.supported is False]

    @property
    def is_supported(self) -> bool:
        """Whether there are citations, and none of them is unsupported."""
        return bool(self.citations) and not self.unsupported


def citations(answer: str, sources: abc.Iterable[Result], threshold: float = 0.5) -> CitationReport:
    """Finds the markers ``[1]``, ``[1, 3]``, ``[1-3]`` of an answer and what stands behind them.

    Words are compared without case, plural "s" and stop words. That finds a source that does not speak of the
    matter, not one that denies it. Markers in code and links are none.

    Parameters
    ----------
    answer : str
        What a model wrote.
    sources : iterable of Neighbor, str or dict
        The sources in the order of their numbers, from 1, such as `RetrievedContext.sources`.
    threshold : float
        The share of a claim's words that a source must have.

    Examples
    --------
    >>> sources = ["Segments are immutable. The log is synced before a write returns."]
    >>> report = citations("A write returns after the log is synced [1]. Pigs fly [2].", sources)
    >>> [(citation.number, citation.supported) for citation in report.citations]
    [(1, True), (2, False)]
    >>> start, end = report.citations[0].evidence
    >>> sources[0][start:end]
    'The log is synced before a write returns.'
    """
    check_text("answer", answer)
    threshold = check_share("threshold", threshold)
    neighbors = as_neighbors(sources, "sources")
    found, uncited = _vecstore._rag_citations(answer, [text_of(one) for one in neighbors], threshold)
    cited = []
    for number, marker, claim, evidence, support, supported, missing in found:
        source = neighbors[number - 1] if 1 <= number <= len(neighbors) else None
        page = page_of(source, evidence[0]) if source is not None and evidence is not None else None
        identity = source.id if source is not None else None
        cited.append(Citation(number, marker, claim, identity, evidence, page, support, supported, missing))
    return CitationReport(cited, uncited)


def page_of(source: Neighbor, at: int = 0) -> int | None:
    """The page that a place in a source is on, by what `upsert_chunks` noted with ``page_starts``.

    >>> page_of(vecstore.Neighbor("a", 1.0, 0.0, {"page": 3, "page_breaks": [100]}), 120)
    4
    """
    if not isinstance(source, Neighbor):
        raise TypeError(f"source: expected a Neighbor, got {type(source).__name__}")
    at = check_int("at", at)
    page = source.metadata.get("page")
    if isinstance(page, bool) or not isinstance(page, int):
        return None
    breaks = source.metadata.get("page_breaks") or []
    return page + sum(1 for place in breaks if isinstance(place, int) and place <= at)
