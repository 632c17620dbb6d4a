"""Reports as one HTML file: no scripts, nothing fetched, every text of a sample escaped."""

from __future__ import annotations

import html as escaping

from vecstore.evaluation._deterministic import spans_of
from vecstore.evaluation._report import Report
from vecstore.evaluation._results import MetricResult

__all__ = ["html", "summary_table"]

BINS = 20
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --bar: #4a7ebb; --yes: #2e9e4f33; --no: #d6453d44; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .7rem; text-align: left; vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { display: inline-block; margin: .5rem 1rem .5rem 0; }
figcaption { font-size: .9rem; }
svg text { fill: currentColor; font-size: 10px; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
mark { color: inherit; border-radius: 3px; padding: 0 .1rem; }
mark.yes { background: var(--yes); } mark.no { background: var(--no); }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.label { font-weight: 600; margin-top: .6rem; }
.failure { color: #c0392b; }
"""


def html(report: Report) -> str:
    """The whole report."""
    title = f"Evaluation of {len(report.rows)} samples"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        summary_table(report),
        _account(report),
        "<h2>Scores</h2>",
        *(_histogram(name, scores) for name, scores in report.scores.items()),
        "<h2>Samples, the worst first</h2>",
        '<p>In answers, <mark class="yes">supported</mark> and <mark class="no">unsupported</mark> pieces '
        "are marked.</p>",
        *(_sample(report, at) for at in report.worst()),
        "</body></html>\n",
    ]
    return "\n".join(part for part in parts if part)


def summary_table(report: Report) -> str:
    """The table of metrics."""
    names = ("metric", "mean", "95 % interval", "scored", "without score")
    head = "<tr>" + "".join(f"<th>{name}</th>" for name in names) + "</tr>"
    rows = []
    for summary in report.summaries:
        failures = ", ".join(f"{count} {kind}" for kind, count in sorted(summary.failures.items())) or "-"
        interval = "-" if summary.low is None else f"{summary.low:.4f} to {summary.high:.4f}"
        rows.append(
            f"<tr><td>{_text(summary.name)}</td><td class=n>{_number(summary.mean)}</td>"
            f"<td class=n>{interval}</td><td class=n>{summary.scored}</td><td>{_text(failures)}</td></tr>"
        )
    return f"<table>{head}{''.join(rows)}</table>"


def _account(report: Report) -> str:
    account = report.account
    if not account.calls and not account.cached:
        return ""
    about = "about " if account.estimated else ""
    return (
        f"<p>Judges: {account.calls} calls, {account.cached} answers from the cache, "
        f"{account.retries} retries, {about}{account.prompt_tokens} + {account.completion_tokens} tokens, "
        f"cost {account.cost:.4f}; {report.seconds:.1f} s.</p>"
    )


def _histogram(name: str, scores: list[float | None]) -> str:
    known = [score for score in scores if score is not None]
    if not known:
        return f"<figure><figcaption>{_text(name)}: no scores</figcaption></figure>"
    low, high = min(0.0, *known), max(1.0, *known)
    counts = [0] * BINS
    for score in known:
        counts[min(BINS - 1, int((score - low) / (high - low) * BINS))] += 1
    most = max(counts)
    width, height = 12, 80
    bars = "".join(
        f'<rect x="{at * width}" y="{height - height * count / most:.1f}" width="{width - 2}" '
        f'height="{height * count / most:.1f}" fill="var(--bar)"><title>{count}</title></rect>'
        for at, count in enumerate(counts)
        if count
    )
    end = BINS * width
    return (
        f'<figure><svg width="{end}" height="{height + 16}" role="img" aria-label="{_text(name)}">{bars}'
        f'<line x1="0" x2="{end}" y1="{height}" y2="{height}" stroke="currentColor"/>'
        f'<text x="0" y="{height + 12}">{low:g}</text>'
        f'<text x="{end}" y="{height + 12}" text-anchor="end">{high:g}</text></svg>'
        f"<figcaption>{_text(name)}, {len(known)} samples, at most {most} in a bar</figcaption></figure>"
    )


def _sample(report: Report, at: int) -> str:
    sample, row = report.samples[at], report.rows[at]
    body = []
    if sample.answer is not None:
        marked = [result for result in row.results if spans_of(result.details)]
        if marked:
            for result in marked:
                label = f"Answer, as {result.metric_name} sees it"
                body.append(_labelled(label, _marked(sample.answer, result)))
        else:
            body.append(_labelled("Answer", _text(sample.answer)))
    if sample.ground_truth is not None:
        body.append(_labelled("Ground truth", _text(sample.ground_truth)))
    for number, context in enumerate(sample.contexts, 1):
        body.append(_labelled(f"Context [{number}]", _text(context)))
    rows = "".join(_result(result) for result in row.results)
    return (
        f"<details><summary><b>{_number(row.overall_score)}</b> "
        f"{_text(sample.id or '')}: {_text(sample.query)}</summary>"
        f"<table>{rows}</table>{''.join(body)}</details>"
    )


def _result(result: MetricResult) -> str:
    note = ""
    if result.failure is not None:
        note = f'<span class="failure">{_text(str(result.failure))}</span>'
        if result.failure.raw:
            note += f'<div class="text">{_text(result.failure.raw[:500])}</div>'
    elif result.details.get("claims"):
        claims = "".join(
            f'<li><mark class="{"yes" if claim.get("supported", claim.get("correct")) else "no"}">'
            f"{_text(str(claim.get('claim')))}</mark></li>"
            for claim in result.details["claims"]
            if isinstance(claim, dict)
        )
        note = f"<ul>{claims}</ul>"
    elif result.coverage < 1:
        note = f"{result.coverage:.0%} judged"
    name = _text(result.metric_name)
    return f"<tr><td>{name}</td><td class=n>{_number(result.score)}</td><td>{note}</td></tr>"


def _marked(answer: str, result: MetricResult) -> str:
    parts = []
    at = 0
    for start, end, supported in sorted(spans_of(result.details)):
        if start < at or end > len(answer):
            continue
        parts.append(_text(answer[at:start]))
        parts.append(f'<mark class="{"yes" if supported else "no"}">{_text(answer[start:end])}</mark>')
        at = end
    return "".join(parts) + _text(answer[at:])


def _labelled(label: str, content: str) -> str:
    return f'<div class="label">{_text(label)}</div><div class="text">{content}</div>'


def _text(text: str) -> str:
    return escaping.escape(text.encode("utf-8", "replace").decode("utf-8"))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
