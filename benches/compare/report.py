"""Renders the records of a run as Markdown: a table a scenario, medians over the rounds, ratios us/peer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benches.compare.measure import median
from benches.compare.scenarios import SCENARIOS, Scenario

Record = dict[str, Any]


def read(path: Path) -> list[Record]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def render(records: Sequence[Record]) -> str:
    """Renders the records of one run: the machine, then each scenario that has records."""
    parts = ["# Comparison", *(_header(record) for record in records if record["kind"] == "run")]
    for scenario in SCENARIOS.values():
        measured = [r for r in records if r["kind"] == "measurement" and r["scenario"] == scenario.name]
        if measured:
            parts.append(_section(scenario, measured))
    return "\n\n".join(parts) + "\n"


def _header(run: Record) -> str:
    facts = {
        "data": run["data"],
        "checkout": run["checkout"],
        "command": f"`{run['command']}`",
        "started": run["started"],
        **run["machine"],
    }
    return "\n".join(f"- {name.replace('_', ' ')}: {value}" for name, value in facts.items())


def _section(scenario: Scenario, records: Sequence[Record]) -> str:
    specs = list(dict.fromkeys(record["engine"] for record in records))
    of = {spec: [record for record in records if record["engine"] == spec] for spec in specs}
    medians = medians_of(records)
    if scenario.derive is not None:
        scenario.derive(medians)
    shown = [
        column for column in scenario.columns if any(column.key in figures for figures in medians.values())
    ]
    # A ratio column stands where we have a figure to compare.
    ratios = [
        (ours, column)
        for column in shown
        if column.has_ratio
        for ours in scenario.ours
        if column.key in medians.get(ours, {})
    ]
    headings = ["engine", "version", *(column.heading for column in shown)]
    for ours, column in ratios:
        better = "higher" if column.higher_is_better else "lower"
        headings.append(f"{ours} / this: {column.heading} ({better} is better)")
    rows = []
    for spec in specs:
        figures = medians[spec]
        if not figures:
            continue
        cells = [f"**{spec}**" if spec in scenario.ours else spec, of[spec][0].get("version", "")]
        cells += [f"{figures[c.key]:,.{c.digits}f}" if c.key in figures else "-" for c in shown]
        cells += [_ratio(medians[ours][c.key], figures.get(c.key)) for ours, c in ratios]
        rows.append([*cells, str(sum("figures" in record for record in of[spec]))])
    alignment = ["---", "---"] + ["---:"] * (len(headings) - 1)
    table = [_line([*headings, "rounds"]), _line(alignment), *map(_line, rows)]
    return "\n".join([f"## {scenario.title}", "", scenario.how, "", *table, "", *_remarks(of)]).rstrip()


def _remarks(of: dict[str, list[Record]]) -> Iterable[str]:
    for spec, records in of.items():
        reasons = list(dict.fromkeys(r["not_available"] for r in records if "not_available" in r))
        yield from (f"- {spec}: not available: {reason}" for reason in reasons)
        measured = next((record for record in records if "figures" in record), None)
        if measured is None:
            continue
        facts = [str(measured["durability"])] if measured.get("durability") else []
        facts += [f"{name} {value}" for name, value in measured.get("parameters", {}).items()]
        facts += list(dict.fromkeys(note for record in records for note in record.get("notes", [])[:1]))
        if facts:
            yield f"- {spec}: {'; '.join(facts)}"
    loads = [
        record["load"] for records in of.values() for record in records if record.get("load") is not None
    ]
    if loads:
        yield f"- load average before each measurement: {min(loads):.1f} to {max(loads):.1f}"


def medians_of(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    """The median over the rounds of each figure of each engine, of one scenario's records."""
    specs = dict.fromkeys(record["engine"] for record in records)
    return {spec: _medians([record for record in records if record["engine"] == spec]) for spec in specs}


def _medians(records: Sequence[Record]) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for record in records:
        for key, value in record.get("figures", {}).items():
            values.setdefault(key, []).append(value)
    return {key: median(measured) for key, measured in values.items()}


def _ratio(ours: float, theirs: float | None) -> str:
    return "-" if not theirs else f"{ours / theirs:.2f}x"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
