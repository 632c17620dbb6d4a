"""Reports as Markdown."""

from __future__ import annotations

from vecstore.evaluation._report import Report

__all__ = ["cell", "markdown", "table"]


def markdown(report: Report, worst: int) -> str:
    """A report's table of metrics and its worst samples."""
    rows = [
        [
            summary.name,
            _number(summary.mean),
            "-" if summary.low is None else f"{summary.low:.4f} to {summary.high:.4f}",
            str(summary.scored),
            ", ".join(f"{count} {kind}" for kind, count in sorted(summary.failures.items())) or "-",
            f"{summary.coverage:.0%}",
        ]
        for summary in report.summaries
    ]
    parts = [
        f"# Evaluation of {len(report.rows)} samples",
        table(["metric", "mean", "95 % interval", "scored", "without score", "coverage"], rows, "lrrrlr"),
    ]
    account = report.account
    if account.calls or account.cached:
        about = "about " if account.estimated else ""
        parts.append(
            f"Judges: {account.calls} calls, {account.cached} answers from the cache, {account.retries} "
            f"retries, {about}{account.prompt_tokens} + {account.completion_tokens} tokens, "
            f"cost {account.cost:.4f}."
        )
    if worst:
        parts.append("## Worst samples")
        names = report.metric_names
        body = [
            [cell(report.samples[at].id or str(at)), cell(report.samples[at].query)]
            + [_number(report.rows[at].metric_scores[name]) for name in names]
            for at in report.worst(worst)
        ]
        parts.append(table(["sample", "query", *names], body, "ll" + "r" * len(names)))
    return "\n\n".join(parts) + "\n"


def table(head: list[str], rows: list[list[str]], align: str) -> str:
    """A table of Markdown; ``align`` has l or r for each column."""
    rule = ["---" if side == "l" else "---:" for side in align]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def cell(text: str, most: int = 80) -> str:
    """A text in one cell: one line, shortened, with nothing that ends the cell."""
    line = " ".join(text.split())
    line = line if len(line) <= most else line[: most - 3] + "..."
    for character in "\\|<>*_`[]":
        line = line.replace(character, "\\" + character)
    return line


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
