"""The command line: `python -m benches.compare --help`, from the root of the repository."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, TextIO

from benches.compare import data, machine, process, report
from benches.compare.engines import ENGINES, built_spec
from benches.compare.scenarios import SCENARIOS, Scenario
from benches.compare.stores import BuiltStore, Stores
from benches.compare.worker import Job

DATA_VARIABLE = "VECSTORE_BENCH_DATA"
# A measurement slower than this is not repeated; the table's last column says how many rounds there were.
REPEAT_LIMIT_SECONDS = 120.0
TIMEOUT_SECONDS = 1_200.0
BUILD_TIMEOUT_SECONDS = 10_800.0  # a million rows on two cores take some peers an hour


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.list:
        _list()
        return 0
    if options.render is not None:
        records = [record for file in options.render for record in report.read(file)]
        _plot(options.plot, records)
        print(report.render(records), end="")
        return 0
    with tempfile.TemporaryDirectory(prefix="vecstore-bench-", dir=options.work) as folder:
        records = Run(options, arguments, Path(folder)).records()
    _plot(options.plot, records)
    text = report.render(records)
    if options.markdown is not None:
        options.markdown.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


def _plot(path: Path | None, records: list[dict[str, Any]]) -> None:
    if path is not None:
        from benches.compare import plot  # only here: a run without a plot needs no matplotlib

        plot.draw(records, path)


class Run:
    """One run: every scenario and engine asked for, by turns, each measurement in its own process."""

    def __init__(self, options: argparse.Namespace, arguments: list[str], folder: Path) -> None:
        self._options = options
        self._arguments = arguments
        self._folder = folder
        self._stores = Stores(options.keep or folder / "stores")
        self._records: list[dict[str, Any]] = []

    def records(self) -> list[dict[str, Any]]:
        self._data = self._find_data()
        scenarios = [SCENARIOS[name] for name in self._options.scenario or SCENARIOS]
        with _lines(self._options.json) as output:
            self._output = output
            self._record({"kind": "run", **self._facts()})
            for scenario in scenarios:
                if self._options.build:
                    self._build(scenario)
                else:
                    self._measure(scenario)
        return self._records

    def _find_data(self) -> Path:
        given = self._options.data or os.environ.get(DATA_VARIABLE)
        if given and not self._options.stand_in:
            source = Path(given)
            if not source.is_dir():
                raise SystemExit(
                    f"no data: {DATA_VARIABLE} or --data must name a directory, and {source.name!r} is none"
                )
            if self._options.rows is None:
                return source.resolve()
            data.write_first_rows(source, self._folder / "data", self._options.rows)
        else:
            _say(f"no data given (--data, {DATA_VARIABLE}): making a STAND-IN, easier than real data")
            data.write_stand_in(self._folder / "data", self._options.rows or data.STAND_IN_ROWS)
        return self._folder / "data"

    def _facts(self) -> dict[str, Any]:
        return {
            "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "command": " ".join(["python -m benches.compare", *_without_paths(self._arguments)]),
            "checkout": _checkout(),
            "data": data.Rows(self._data).description,
            "machine": machine.describe(self._folder),
        }

    def _measure(self, scenario: Scenario) -> None:
        specs = [*scenario.baselines, *(spec for spec in scenario.engines if self._wanted(spec))]
        for turn in range(self._options.rounds):
            for spec in list(specs):
                started = time.perf_counter()
                outcome = self._outcome(scenario, spec)
                seconds = time.perf_counter() - started
                if "not_available" in outcome or seconds > REPEAT_LIMIT_SECONDS:
                    specs.remove(spec)
                head = {"kind": "measurement", "scenario": scenario.name, "engine": spec, "round": turn + 1}
                self._record({**head, **outcome})
                _say(f"{scenario.name} {turn + 1}/{self._options.rounds} {spec}: {_brief(scenario, outcome)}")

    def _build(self, scenario: Scenario) -> None:
        """Builds what the scenario needs, for a later run to measure."""
        for spec in filter(self._wanted, scenario.engines):
            built = self._built(scenario, spec)
            if built is not None:
                _say(f"{scenario.name} {spec}: {built.reason or built.figures}")

    def _outcome(self, scenario: Scenario, spec: str) -> dict[str, Any]:
        built = None if spec in scenario.baselines else self._built(scenario, spec)
        if built is not None and built.reason is not None:
            return {"not_available": built.reason}
        work = self._folder / "measurement"
        work.mkdir()
        load = os.getloadavg()[0]
        job = self._job(
            spec,
            scenario,
            work,
            store=str(built.path) if built else None,
            core=self._core() if scenario.pinned else None,
            rust_call_command=self._options.rust_call_command,
        )
        outcome = process.run(job, TIMEOUT_SECONDS)
        shutil.rmtree(work)
        if built is not None and "figures" in outcome:
            outcome["figures"] = {**built.figures, **outcome["figures"]}
        return {**outcome, "load": load}

    def _built(self, scenario: Scenario, spec: str) -> BuiltStore | None:
        """The store or index that a scenario measures, built when first asked for; none if it needs none."""
        name = built_spec(spec)
        if scenario.needs is None or name is None:
            return None

        def build(path: Path) -> dict[str, Any]:
            _say(f"building {name}")
            work = self._folder / "build"
            work.mkdir()
            job = self._job(name, scenario, work, build=True, store=str(path))
            outcome = process.run(job, BUILD_TIMEOUT_SECONDS)
            shutil.rmtree(work)
            return outcome

        return self._stores.get(name, scenario.needs, self._data, build)

    def _job(self, spec: str, scenario: Scenario, work: Path, **fields: Any) -> Job:
        return Job(
            engine=spec,
            scenario=scenario.name,
            data=str(self._data),
            work=str(work),
            outcome=str(self._folder / "outcome"),
            **fields,
        )

    def _core(self) -> int | None:
        if self._options.core is not None:
            return int(self._options.core)
        return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None

    def _wanted(self, spec: str) -> bool:
        wanted = self._options.engines
        return wanted is None or spec in wanted or spec.partition(":")[0] in wanted

    def _record(self, record: dict[str, Any]) -> None:
        self._records.append(record)
        self._output.write(json.dumps(record) + "\n")
        self._output.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benches.compare", description=__doc__)
    parser.add_argument(
        "--data", metavar="DIRECTORY", help=f"the data (default: ${DATA_VARIABLE}, else a stand-in)"
    )
    parser.add_argument(
        "--stand-in", action="store_true", help="use generated data even if real data is there"
    )
    parser.add_argument("--rows", type=int, help="use the first rows only, or make a stand-in of this size")
    parser.add_argument("--scenario", type=_names(SCENARIOS), metavar="NAME,...", help="default: all")
    parser.add_argument(
        "--engines", type=lambda text: text.split(","), metavar="NAME[:VARIANT],...", help="default: all"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="measurements of each engine, by turns (default 3)"
    )
    parser.add_argument("--core", type=int, help="the core that pinned measurements use (default: the last)")
    parser.add_argument(
        "--work", metavar="DIRECTORY", help="where stores are written: a real disk, not a memory one"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="DIRECTORY", help="keep what was built there, and use it in later runs"
    )
    parser.add_argument("--build", action="store_true", help="build into --keep only, measure nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write each measurement as a line of JSON")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the tables, which are printed too"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw recall against speed as a PNG")
    parser.add_argument(
        "--render", type=Path, nargs="+", metavar="FILE", help="print the tables of --json files, run nothing"
    )
    parser.add_argument(
        "--rust-call-command", metavar="COMMAND", help="prints JSON with metadata_us and ids_us (README)"
    )
    parser.add_argument("--list", action="store_true", help="list scenarios and engines")
    return parser


def _names(known: dict[str, Scenario]) -> Any:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"no scenario {name!r}: {', '.join(known)}")
        return names

    return parse


def _list() -> None:
    for scenario in SCENARIOS.values():
        print(f"{scenario.name}: {scenario.title} ({', '.join([*scenario.baselines, *scenario.engines])})")
    for engine in ENGINES.values():
        print(f"{engine.name}: {', '.join(engine.variants)}")


def _without_paths(arguments: list[str]) -> list[str]:
    """The arguments with paths cut to their last part: a report names no directory of a machine."""
    return [
        argument.rstrip("/").rpartition("/")[2] if "/" in argument else argument for argument in arguments
    ]


def _checkout() -> str:
    """The commit that vecstore was built from, if it was built from this checkout as it stands."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        described = subprocess.run(
            command, cwd=process.REPOSITORY, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


def _brief(scenario: Scenario, outcome: dict[str, Any]) -> str:
    if "not_available" in outcome:
        return f"not available: {outcome['not_available']}"
    figures = outcome["figures"]
    return ", ".join(
        f"{c.heading} {figures[c.key]:,.{c.digits}f}" for c in scenario.columns if c.key in figures
    )


def _lines(path: Path | None) -> TextIO:
    return (path or Path(os.devnull)).open("w", encoding="utf-8")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
