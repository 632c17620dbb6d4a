"""The pytest plugin: the fixture `assert_rag`, and options for baselines and reports.

It is found by pytest wherever this package is installed, and costs nothing until a test asks for the fixture.
"""

from __future__ import annotations

import re
import typing
from collections import abc
from pathlib import Path

import pytest

if typing.TYPE_CHECKING:
    from vecstore.evaluation._report import Report as _Report

__all__ = ["assert_rag", "pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options."""
    group = parser.getgroup("vecstore", "evaluation of RAG with vecstore")
    group.addoption(
        "--rag-baseline",
        metavar="DIRECTORY",
        help="compare each assert_rag with the report of the last --rag-update, one file for each test",
    )
    group.addoption(
        "--rag-update", action="store_true", help="write the reports to --rag-baseline instead of comparing"
    )
    group.addoption("--rag-html", metavar="DIRECTORY", help="write an HTML report of each assert_rag there")


@pytest.fixture
def assert_rag(request: pytest.FixtureRequest) -> abc.Callable[..., _Report]:
    """`vecstore.evaluation.assert_rag`, with the baseline that the command line names."""
    from vecstore.evaluation._assertion import _report
    from vecstore.evaluation._assertion import assert_rag as check

    calls = 0

    def call(
        dataset: typing.Any, metrics: typing.Any = None, *args: typing.Any, **options: typing.Any
    ) -> _Report:
        nonlocal calls
        calls += 1
        name = re.sub(r"[^\w.-]+", "_", request.node.nodeid) + (f"-{calls}" if calls > 1 else "")
        directory = request.config.getoption("--rag-baseline")
        if directory is not None and "baseline" not in options:
            Path(directory).mkdir(parents=True, exist_ok=True)
            options["baseline"] = Path(directory) / f"{name}.json"
            options["update_baseline"] = request.config.getoption("--rag-update")
        html = request.config.getoption("--rag-html")
        if html is None:
            return check(dataset, metrics, *args, **options)
        ours = {
            "thresholds",
            "baseline",
            "margin",
            "confidence",
            "lower_is_better",
            "max_failures",
            "update_baseline",
        }
        asked = {key: options.pop(key) for key in list(options) if key not in ours}
        report = _report(dataset, metrics, asked)
        # Written before the check, as a failure is when one wants to read it.
        Path(html).mkdir(parents=True, exist_ok=True)
        report.to_html(Path(html) / f"{name}.html")
        return check(report, None, *args, **options)

    return call
