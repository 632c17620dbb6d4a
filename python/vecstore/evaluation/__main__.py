"""The command `vecstore-eval`, also `python -m vecstore.evaluation`."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import typing
from collections import abc
from pathlib import Path

from vecstore._errors import InvalidInputError, VecStoreError
from vecstore.evaluation._compare import compare
from vecstore.evaluation._evaluate import Plan, evaluate, metric_names
from vecstore.evaluation._report import Report
from vecstore.evaluation._retrieval import MEASURES, evaluate_run, measure_names, read_qrels, read_run

__all__ = ["main"]

#: What the command returns: all well; something below its threshold; a mistake in what it was given.
DONE, BELOW, MISTAKE = 0, 1, 2


def main(arguments: abc.Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except BrokenPipeError:  # `vecstore-eval ... | head`
        sys.stderr.close()
        return DONE
    except (VecStoreError, OSError) as error:
        print(f"vecstore-eval: {error}", file=sys.stderr)
        return MISTAKE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vecstore-eval", description="Evaluates retrieval and answers, and compares systems."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    trec = commands.add_parser("trec", help="evaluate a TREC run against TREC qrels")
    trec.add_argument("qrels")
    trec.add_argument("run")
    trec.add_argument("-q", "--per-query", action="store_true", help="print each query too")
    _measure_options(trec)
    trec.add_argument("--json", action="store_true", help="print JSON instead of trec_eval's columns")
    trec.set_defaults(command=_trec)

    versus = commands.add_parser("compare", help="compare two TREC runs against the same qrels")
    versus.add_argument("qrels")
    versus.add_argument("run_a")
    versus.add_argument("run_b")
    _measure_options(versus)
    versus.add_argument("--permutations", type=int, default=100_000)
    versus.add_argument("--seed", type=int, default=0)
    versus.set_defaults(command=_compare)

    rag = commands.add_parser("rag", help="evaluate answers: a JSONL or JSON file of samples")
    rag.add_argument("dataset")
    rag.add_argument(
        "-m", "--metric", action="append", required=True, help="a metric's name; may be repeated"
    )
    rag.add_argument(
        "--llm", metavar="MODULE:NAME", help="the judge: a callable or an object with `generate`"
    )
    rag.add_argument("--embedder", metavar="MODULE:NAME", help="a callable or an object with `embed`")
    rag.add_argument(
        "--threshold", action="append", default=[], metavar="METRIC=MEAN", help="exit with 1 below it"
    )
    rag.add_argument("--html", metavar="FILE")
    rag.add_argument("--markdown", metavar="FILE")
    rag.add_argument("--json", metavar="FILE")
    rag.add_argument("--junit", metavar="FILE")
    rag.add_argument("--cache", metavar="DIRECTORY", help="keep the judges' answers")
    rag.add_argument("--model", help="the judge's name in the cache")
    rag.add_argument("--resume", metavar="FILE", help="keep finished samples, and do not repeat them")
    rag.add_argument("--concurrency", type=int, default=16)
    rag.add_argument("--timeout", type=float, default=60.0, help="seconds for one answer of a judge")
    rag.add_argument("--dry-run", action="store_true", help="say what judges would be asked, and ask nobody")
    rag.add_argument("--progress", action="store_true")
    rag.set_defaults(command=_rag)

    diff = commands.add_parser("diff", help="compare two JSON reports of `rag`")
    diff.add_argument("report_a")
    diff.add_argument("report_b")
    diff.set_defaults(command=_diff)

    names = commands.add_parser("names", help="list the measures and metrics")
    names.set_defaults(command=_names)
    return parser


def _measure_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-m", "--measure", action="append", help="a measure's name; may be repeated")
    parser.add_argument(
        "-l", "--level", type=int, default=1, help="the grade from which on documents are relevant"
    )
    parser.add_argument("-c", "--complete", action="store_true", help="count queries that the run lacks as 0")
    parser.add_argument("--compat", choices=("trec_eval-10", "trec_eval-9"), default="trec_eval-10")


def _evaluated(options: argparse.Namespace, run: str) -> typing.Any:
    return evaluate_run(
        read_qrels(options.qrels),
        read_run(run),
        options.measure or MEASURES,
        options.compat,
        relevance_level=options.level,
        complete=options.complete,
    )


def _trec(options: argparse.Namespace) -> int:
    report = _evaluated(options, options.run)
    if options.json:
        print(
            json.dumps(
                {"mean": report.mean, "per_query": report.per_query} if options.per_query else report.mean
            )
        )
        return DONE
    rows = list(report.per_query.items()) if options.per_query else []
    for query, values in [*rows, ("all", report.mean)]:
        for name, value in values.items():
            shown = f"{value:.0f}" if name.startswith("num_") else f"{value:.4f}"
            print(f"{name:<22}\t{query}\t{shown}")
    return DONE


def _compare(options: argparse.Namespace) -> int:
    a, b = _evaluated(options, options.run_a), _evaluated(options, options.run_b)
    found = compare(a, b, permutations=options.permutations, seed=options.seed)
    print(found.to_markdown(), end="")
    return DONE


def _rag(options: argparse.Namespace) -> int:
    thresholds = dict(_threshold(text) for text in options.threshold)
    report = evaluate(
        options.dataset,
        options.metric,
        llm=_loaded(options.llm),
        embedder=_loaded(options.embedder),
        concurrency=options.concurrency,
        timeout=options.timeout,
        cache=options.cache,
        model=options.model,
        resume=options.resume,
        dry_run=options.dry_run,
        progress=options.progress,
    )
    if isinstance(report, Plan):
        print(report)
        return DONE
    means = {summary.name: summary.mean for summary in report.summaries}
    for name in thresholds:
        if name not in means:
            raise InvalidInputError(
                f"--threshold: metric `{name}` is not evaluated: expected one of {', '.join(means)}"
            )
    for path, write in (
        (options.html, report.to_html),
        (options.markdown, report.to_markdown),
        (options.json, report.to_json),
    ):
        if path is not None:
            write(path)
    if options.junit is not None:
        report.to_junit(options.junit, thresholds=thresholds)
    print(report.to_markdown(worst=0), end="")
    status = DONE
    for name, least in thresholds.items():
        mean = means[name]
        if mean is None or mean < least:
            print(
                f"{name}: {'no score' if mean is None else f'{mean:.4f}'} is below {least:g}", file=sys.stderr
            )
            status = BELOW
    return status


def _diff(options: argparse.Namespace) -> int:
    found = compare(Report.from_json(Path(options.report_a)), Report.from_json(Path(options.report_b)))
    print(found.to_markdown(), end="")
    return DONE


def _names(_: argparse.Namespace) -> int:
    print("measures of runs:", ", ".join(measure_names()))
    print("metrics of answers:", ", ".join(metric_names()))
    return DONE


def _threshold(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise InvalidInputError(f"--threshold: expected METRIC=MEAN, got `{text}`") from None


def _loaded(place: str | None) -> typing.Any:
    """What stands at MODULE:NAME; modules are looked for in the current directory too."""
    if place is None:
        return None
    module, colon, name = place.partition(":")
    if not colon or not module or not name:
        raise InvalidInputError(f"expected MODULE:NAME, got `{place}`")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found: typing.Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InvalidInputError(f"{place}: {error}") from None
    return found


if __name__ == "__main__":
    sys.exit(main())
