"""Draws recall against queries per second for all engines of a run, as a PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # draws into files only, on machines without a screen
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter

from benches.compare.report import medians_of

SCENARIO = "recall_qps"
LEAST_RECALL = 0.85
OURS = "vecstore"
OUR_COLOUR = "#c1121f"
# One colour for each library, told apart by people who see few; variants differ in their lines.
COLOURS = (
    "#1f4e79", "#2a9d8f", "#e9a23b", "#7b4ea3", "#5c5c5c", "#3a86ff",
    "#8d5524", "#111111", "#6a994e", "#00798c", "#b5838d", "#9a8c98",
)  # fmt: skip
LINES = ("-", "--", ":", "-.", (0, (1, 4)))
MARKERS = ("o", "s", "^", "D", "v")


def draw(records: Sequence[dict[str, Any]], path: Path) -> None:
    """Draws each engine's measured points, joined in the order of its search widths."""
    medians = medians_of([record for record in records if record.get("scenario") == SCENARIO])
    if not medians:
        raise SystemExit(f"nothing to plot: no records of {SCENARIO}")
    figure, axes = plt.subplots(figsize=(11, 7), layout="constrained")
    libraries = list(dict.fromkeys(spec.partition(":")[0] for spec in medians))
    peers = [library for library in libraries if library != OURS]
    seen: dict[str, int] = {}
    for spec, figures in medians.items():
        points = _points(figures)
        if not points:
            continue
        library = spec.partition(":")[0]
        number = seen.setdefault(library, 0)
        seen[library] += 1
        ours = library == OURS
        axes.plot(
            [recall for recall, _ in points],
            [qps for _, qps in points],
            label=spec,
            color=OUR_COLOUR if ours else COLOURS[peers.index(library) % len(COLOURS)],
            linestyle=LINES[number % len(LINES)],
            linewidth=2.6 if ours else 1.3,
            marker=MARKERS[number % len(MARKERS)],
            markersize=5 if ours else 3,
            zorder=3 if ours else 2,
        )
    run = next((record for record in records if record["kind"] == "run"), None)
    axes.set_yscale("log")
    axes.set_xlim(LEAST_RECALL, 1.0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel("recall@10 (further right is better)")
    axes.set_ylabel("queries per second, one thread, through Python (higher is better)")
    axes.set_title(run["data"].partition(" of ")[0] if run is not None else SCENARIO, fontsize=10)
    axes.grid(visible=True, which="both", alpha=0.25, linewidth=0.6)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _points(figures: dict[str, float]) -> list[tuple[float, float]]:
    widths = [key.partition("@")[2] for key in figures if key.startswith("recall@")]
    points = [(figures[f"recall@{width}"], figures[f"qps@{width}"]) for width in widths]
    return [point for point in points if point[0] >= LEAST_RECALL]
