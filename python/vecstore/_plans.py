"""How a query was done: what ``VecStore.explain_query`` and its likes return."""

from __future__ import annotations

import typing
from dataclasses import dataclass

from vecstore._vecstore import FilterExpr, Neighbor

__all__ = [
    "ExplainedNeighbor",
    "HybridExplanation",
    "QueryEstimate",
    "QueryExplanation",
    "QueryPlan",
    "QueryStep",
]


@dataclass(frozen=True)
class QueryStep:
    """What a query did to one part of the store: its rows in memory, or a segment on disk.

    A part has two steps if the first was not enough.

    >>> step = store.explain_query([1.0, 0.0, 0.0]).steps[0]
    >>> step.kind, step.live, step.outcome
    ('memory', 1, 'done')
    """

    #: Its name: ``memory-`` and a number, or ``segment-`` and the first digits of the file's name.
    part: str
    #: ``memory`` or ``segment``.
    kind: str
    #: Rows, removed ones included.
    rows: int
    #: Rows that can be found: neither removed nor soft-deleted.
    live: int
    #: The most rows that match the filter, as its columns tell; None without a filter or if they cannot.
    matches_at_most: int | None
    #: ``graph walk``, ``scan of signs``, ``scan of codes``, ``scan of vectors``, ``matches by codes`` or
    #: ``matches by vectors``.
    method: str
    #: How the graph that was walked is laid out: ``fast``.
    layout: str | None
    #: Why it was searched in this way.
    reason: str
    #: ``done``, or why the next step searches the part again: ``gave up``, ``found too few``, ``damaged``.
    outcome: str
    #: How much further than the k-th result the walk went, as a share of its squared distance.
    slack: float | None
    #: Points of the graph that were visited.
    visits: int
    #: Distances estimated from one bit a component.
    estimates: int
    #: Distances computed from 8-bit codes.
    code_distances: int
    #: Distances computed from full vectors.
    full_distances: int
    #: Rows scored on full vectors after an estimate.
    reranked: int
    #: How many of the neighbors it found.
    results: int
    #: What it took, added up over threads.
    time_us: float

    @property
    def distances(self) -> int:
        """Distances that were estimated or computed."""
        return self.estimates + self.code_distances + self.full_distances


#: The columns of a plan as it is shown: heading, value, whether to the right.
_COLUMNS: tuple[tuple[str, typing.Callable[[QueryStep], str], bool], ...] = (
    ("part", lambda step: step.part, False),
    ("live", lambda step: f"{step.live:,}", True),
    ("matches <=", lambda step: "" if step.matches_at_most is None else f"{step.matches_at_most:,}", True),
    ("method", lambda step: f"{step.method} ({step.layout})" if step.layout else step.method, False),
    ("visits", lambda step: f"{step.visits:,}", True),
    ("1 bit", lambda step: f"{step.estimates:,}", True),
    ("8 bit", lambda step: f"{step.code_distances:,}", True),
    ("full", lambda step: f"{step.full_distances:,}", True),
    ("results", lambda step: f"{step.results:,}", True),
    ("us", lambda step: f"{step.time_us:,.1f}", True),
    (
        "why",
        lambda step: step.reason if step.outcome == "done" else f"{step.reason}; {step.outcome}",
        False,
    ),
)


@dataclass(frozen=True, repr=False)
class QueryPlan:
    """How one query was done, in figures counted and timed while it ran: ``VecStore.explain_query``.

    Its repr is a table of the steps, with the distances by what they were computed from: one bit a component,
    8-bit codes, full vectors.

    >>> plan = store.explain_query([1.0, 0.0, 0.0])
    >>> plan.k, plan.results, plan.distances
    (10, 3, 3)
    """

    #: The name of the metric.
    metric: str
    #: The number of the last change that the query saw.
    lsn: int
    #: Records that were there, soft-deleted and expired ones included.
    records: int
    k: int
    offset: int
    #: The recall that was asked for; 1.0 is exact.
    recall: float
    filter: FilterExpr | None
    #: What was done, in order.
    steps: tuple[QueryStep, ...]
    #: Neighbors that were found.
    results: int
    #: Threads that shared the steps: with more than one, the steps' times may come to more than the whole.
    threads: int
    #: What it took to ask the columns of all parts about the filter.
    filter_time_us: float
    #: What the whole search took, without making Python objects of it.
    time_us: float

    @property
    def visits(self) -> int:
        """Points of graphs that were visited."""
        return sum(step.visits for step in self.steps)

    @property
    def distances(self) -> int:
        """Distances that were estimated or computed."""
        return sum(step.distances for step in self.steps)

    @property
    def reranked(self) -> int:
        """Rows scored on full vectors after an estimate."""
        return sum(step.reranked for step in self.steps)

    def _summary(self) -> str:
        asked = f"k={self.k}" + (f", offset={self.offset}" if self.offset else "")
        wanted = "exact" if self.recall >= 1 else f"recall={self.recall:g}"
        filtered = "" if self.filter is None else f", filter={self.filter.to_dict()!r}"
        shared = f" on {self.threads} threads" if self.threads > 1 else ""
        return (
            f"QueryPlan({asked}, {wanted}, metric={self.metric}{filtered}): {self.results:,} of "
            f"{self.records:,} records in {self.time_us:,.1f} us{shared} "
            f"({self.filter_time_us:,.1f} us for the filter), lsn {self.lsn}"
        )

    def _cells(self) -> list[list[str]]:
        return [[shown(step) for _, shown, _ in _COLUMNS] for step in self.steps]

    def __repr__(self) -> str:
        rows = [[heading for heading, _, _ in _COLUMNS], *self._cells()]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, (_, _, right) in zip(row, widths, _COLUMNS)
            ).rstrip()
            for row in rows
        ]
        return "\n".join([self._summary(), *lines])

    def _repr_html_(self) -> str:
        import html

        def row(cells: typing.Iterable[str], tag: str) -> str:
            styled = zip(cells, _COLUMNS)
            return "".join(
                f"<{tag} style='text-align:{'right' if right else 'left'}'>{html.escape(cell)}</{tag}>"
                for cell, (_, _, right) in styled
            )

        head = row((heading for heading, _, _ in _COLUMNS), "th")
        body = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in self._cells())
        return (
            f"<p>{html.escape(self._summary())}</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


@dataclass(frozen=True)
class QueryExplanation:
    """How one neighbor was found.

    >>> explanation = store.query_explain([1.0, 0.0, 0.0])[0].explanation
    >>> explanation.rank, explanation.metric
    (1, 'cosine')
    """

    #: 1 is the nearest.
    rank: int
    #: The name of the metric.
    metric: str
    #: What found it.
    step: QueryStep


@dataclass(frozen=True)
class HybridExplanation:
    """Where the two arms of a hybrid query had one neighbor.

    >>> store.index_text("pear", "a green pear")
    >>> query = vecstore.HybridQuery([1.0, 0.0, 0.0], "green", k=1, alpha=0.1)
    >>> explanation = store.query_explain(query)[0].explanation
    >>> explanation.fusion, explanation.vector_rank, explanation.text_rank
    ('rrf', None, 1)
    """

    #: 1 is the best.
    rank: int
    #: The name of the fusion.
    fusion: str
    #: How much the vector counted.
    alpha: float
    #: Its rank by the vector, from 1; None if it was not among what that arm found.
    vector_rank: int | None
    #: Its score by the vector.
    vector_score: float | None
    #: Its rank by the words, from 1; None if it was not among what that arm found.
    text_rank: int | None
    #: Its BM25 score.
    text_score: float | None


@dataclass(frozen=True)
class ExplainedNeighbor:
    """A neighbor and how it was found: ``VecStore.query_explain``.

    >>> found = store.query_explain([1.0, 0.0, 0.0])[0]
    >>> found.id, round(found.score, 3), found.explanation.rank
    ('apple', 0.994, 1)
    """

    neighbor: Neighbor
    explanation: QueryExplanation | HybridExplanation

    @property
    def id(self) -> str:
        """The record's id."""
        return self.neighbor.id

    @property
    def score(self) -> float:
        """Larger is better."""
        return self.neighbor.score

    @property
    def distance(self) -> float:
        """Smaller is nearer, in the metric's own unit."""
        return self.neighbor.distance

    @property
    def metadata(self) -> dict[str, typing.Any]:
        """The record's metadata."""
        return self.neighbor.metadata

    @property
    def vector(self) -> list[float] | None:
        """The record's vector, if it was included."""
        vector: list[float] | None = self.neighbor.vector
        return vector

    @property
    def text(self) -> str | None:
        """The record's text, if it was included and there is one."""
        return self.neighbor.text


@dataclass(frozen=True)
class QueryEstimate:
    """What a query takes, of several runs of it: ``VecStore.estimate_query``.

    Each run finds more in the processor's caches than the first did: a query out of the blue takes longer.

    >>> estimate = store.estimate_query(vecstore.Query([1.0, 0.0, 0.0], filter="price < 4"))
    >>> estimate.matches, round(estimate.selectivity, 2)
    (2, 0.67)
    """

    #: How often it was run.
    runs: int
    #: Records that can be found.
    records: int
    #: Records that match the filter, counted; all without one.
    matches: int
    #: Neighbors that a run found.
    results: int
    #: Points of graphs that a run visited.
    visits: int
    #: Distances that a run estimated or computed.
    distances: int
    #: Rows that a run scored on full vectors after an estimate.
    reranked: int
    #: The median run.
    time_us: float
    #: The shortest run.
    time_us_min: float
    #: The longest run.
    time_us_max: float

    @property
    def selectivity(self) -> float:
        """The share of the records that match the filter; 1.0 if there are none."""
        return self.matches / self.records if self.records else 1.0
