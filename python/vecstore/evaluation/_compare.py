"""Comparing two systems on the same samples or queries."""

from __future__ import annotations

import dataclasses
import importlib
import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_int, check_items
from vecstore._errors import InvalidInputError
from vecstore.evaluation._report import Report
from vecstore.evaluation._retrieval import RetrievalReport

__all__ = ["Comparison", "MetricComparison", "compare"]

#: Anything whose scores can be compared.
Compared = typing.Union[Report, RetrievalReport]

#: A smaller difference is a tie: sums of the same numbers in another order differ by as much.
TIE = 1e-12


@dataclasses.dataclass(frozen=True)
class MetricComparison:
    """One metric of two systems.

    ``difference`` is the mean of ``b - a`` over the pairs both have a score for, with its 95 % interval by
    bootstrap. ``p_value`` is of the randomisation test, ``p_holm`` the same corrected for the number of
    metrics, and ``p_t`` and ``p_wilcoxon`` are of the other tests. ``effect`` is Cohen's d of the
    differences. ``wins`` are samples where b is better by number; where lower is better, read them as losses.

    >>> a = evaluate_run({"q": {"a": 1}}, {"q": {"a": 1.0}}, ["P_1"])
    >>> compare(a, a).rows[0].ties
    1
    """

    metric: str
    n: int
    skipped: int
    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    p_t: float | None
    p_wilcoxon: float
    effect: float | None
    wins: int
    ties: int
    losses: int


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What `compare` found: one row for each metric.

    >>> qrels = {str(n): {"a": 1} for n in range(6)}
    >>> good = evaluate_run(qrels, {q: {"a": 1.0} for q in qrels}, ["recip_rank"])
    >>> bad = evaluate_run(qrels, {q: {"b": 2.0, "a": 1.0} for q in qrels}, ["recip_rank"])
    >>> row = compare(bad, good).rows[0]
    >>> row.metric, row.difference, row.wins
    ('recip_rank', 0.5, 6)
    """

    rows: list[MetricComparison]

    def __getitem__(self, metric: str) -> MetricComparison:
        for row in self.rows:
            if row.metric == metric:
                return row
        raise KeyError(metric)

    def to_markdown(self) -> str:
        """A table of the metrics.

        >>> a = evaluate_run({"q": {"a": 1}}, {"q": {"a": 1.0}}, ["P_1"])
        >>> "P_1" in compare(a, a).to_markdown()
        True
        """
        from vecstore.evaluation._markdown import table

        return table(_HEAD, [_cells(row) for row in self.rows], "l" + "r" * (len(_HEAD) - 1)) + "\n"

    def to_pandas(self) -> typing.Any:
        """A data frame with a row for each metric; needs pandas."""
        pd = importlib.import_module("pandas")
        return pd.DataFrame([dataclasses.asdict(row) for row in self.rows])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in _HEAD)
        rows = "".join(
            "<tr>" + "".join(f"<td>{value}</td>" for value in _cells(row)) + "</tr>" for row in self.rows
        )
        return f"<table><tr>{head}</tr>{rows}</table>"

    def __repr__(self) -> str:
        return "Comparison of a and b\n" + "\n".join(
            f"  {row.metric}: {row.mean_a:.4f} -> {row.mean_b:.4f} ({row.difference:+.4f} "
            f"[{row.low:+.4f}, {row.high:+.4f}], p={row.p_value:.4g}, Holm {row.p_holm:.4g}, "
            f"{row.wins} wins, {row.ties} ties, {row.losses} losses)"
            for row in self.rows
        )


_HEAD = ["metric", "a", "b", "b - a", "95 % interval", "p", "p (Holm)", "d", "wins/ties/losses", "n"]


def _cells(row: MetricComparison) -> list[str]:
    return [
        row.metric,
        f"{row.mean_a:.4f}",
        f"{row.mean_b:.4f}",
        f"{row.difference:+.4f}",
        f"{row.low:+.4f} to {row.high:+.4f}",
        f"{row.p_value:.4g}",
        f"{row.p_holm:.4g}",
        "-" if row.effect is None else f"{row.effect:+.2f}",
        f"{row.wins}/{row.ties}/{row.losses}",
        str(row.n),
    ]


def compare(
    a: Compared,
    b: Compared,
    metrics: abc.Iterable[str] | None = None,
    *,
    permutations: int = 100_000,
    seed: int = 0,
) -> Comparison:
    """Compares two reports on the samples (by id) or queries that both have.

    Parameters
    ----------
    a, b : Report or RetrievalReport
        The system to compare with, and the one compared.
    metrics : iterable of str, optional
        Which metrics; without it, all that both have. The correction for several tests counts these.
    permutations, seed
        Of the randomisation test.

    Examples
    --------
    >>> from vecstore.evaluation import compare, evaluate_run
    >>> qrels = {q: {"x": 1} for q in "abcdef"}
    >>> worse = evaluate_run(qrels, {q: {"x": 1.0, "y": 2.0} for q in "abcdef"}, ["recip_rank"])
    >>> better = evaluate_run(qrels, {q: {"x": 3.0, "y": 2.0} for q in "abcdef"}, ["recip_rank"])
    >>> row = compare(worse, better)["recip_rank"]
    >>> row.difference, row.wins, row.p_value
    (0.5, 6, 0.03125)
    """
    scores_a, scores_b = _scores(a, "a"), _scores(b, "b")
    check_int("permutations", permutations, 1, 10**9)
    check_int("seed", seed, 0)
    wanted = [name for name in scores_a if name in scores_b]
    if metrics is not None:
        wanted = list(check_items("metrics", metrics, "a list of names"))
    for name in wanted:
        if name not in scores_a or name not in scores_b:
            known = ", ".join(name for name in scores_a if name in scores_b) or "none"
            raise InvalidInputError(f"metric `{name}` is not in both reports: they have {known}")
    if not wanted:
        raise InvalidInputError("the reports have no metric in common")
    rows = [_row(name, scores_a[name], scores_b[name], permutations, seed) for name in wanted]
    corrected = _vecstore._eval_holm([row.p_value for row in rows])
    return Comparison([dataclasses.replace(row, p_holm=p) for row, p in zip(rows, corrected)])


def _scores(report: Compared, name: str) -> dict[str, dict[str, float | None]]:
    if isinstance(report, RetrievalReport):
        queries = list(report.per_query)
        return {metric: dict(zip(queries, values)) for metric, values in report.scores.items()}
    if isinstance(report, Report):
        ids = [sample.id or str(at) for at, sample in enumerate(report.samples)]
        return {metric: dict(zip(ids, values)) for metric, values in report.scores.items()}
    raise TypeError(f"{name}: expected a Report or a RetrievalReport, got {type(report).__name__}")


def _row(
    name: str, a: dict[str, float | None], b: dict[str, float | None], permutations: int, seed: int
) -> MetricComparison:
    shared = [sample for sample in a if sample in b]
    pairs = [
        (x, y) for x, y in ((a[sample], b[sample]) for sample in shared) if x is not None and y is not None
    ]
    if not pairs:
        raise InvalidInputError(f"metric `{name}`: no sample has a score in both reports")
    differences = [y - x for x, y in pairs]
    # What is a tie must not count as a difference to the tests either.
    differences = [0.0 if abs(difference) <= TIE else difference for difference in differences]
    _, p_value, _, _ = _vecstore._eval_randomization(differences, permutations, seed)
    mean, low, high, _ = _vecstore._eval_bootstrap_mean(differences, 0.95, 10_000, seed, "bca")
    wins = sum(difference > 0 for difference in differences)
    losses = sum(difference < 0 for difference in differences)
    return MetricComparison(
        metric=name,
        n=len(pairs),
        skipped=len({*a, *b}) - len(pairs),
        mean_a=sum(x for x, _ in pairs) / len(pairs),
        mean_b=sum(y for _, y in pairs) / len(pairs),
        difference=mean,
        low=low,
        high=high,
        p_value=p_value,
        p_holm=p_value,
        p_t=_vecstore._eval_paired_t(differences, 0.95)[2] if len(differences) > 1 else None,
        p_wilcoxon=_vecstore._eval_wilcoxon(differences, "auto")[1],
        effect=_vecstore._eval_cohen_d(differences),
        wins=wins,
        ties=len(differences) - wins - losses,
        losses=losses,
    )
