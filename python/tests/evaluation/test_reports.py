"""Reports: Markdown, HTML, JSON, JUnit, data frames."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from vecstore import InvalidInputError
from vecstore.evaluation import (
    EvaluationInput,
    ExactMatch,
    LexicalGroundedness,
    Metric,
    Report,
    Session,
    TokenF1,
    evaluate,
)

HOSTILE = "<script>alert(1)</script> | `x` \x00 ]]> \"'&"

SAMPLES = [
    EvaluationInput("Good?", ["Paris is old."], "Paris is old.", "Paris is old.", id="good"),
    EvaluationInput(HOSTILE, [HOSTILE], f"Rome fell in 476. {HOSTILE}", HOSTILE + " no", id="hostile"),
    EvaluationInput("Empty?", [], "", None, id="empty"),
]


@pytest.fixture(scope="module")
def report() -> Report:
    report = evaluate(SAMPLES, [TokenF1(), LexicalGroundedness(), ExactMatch()])
    assert isinstance(report, Report)
    return report


def test_summaries_count_and_bound(report: Report) -> None:
    first = report.summaries[0]
    assert (first.name, first.scored, first.failures) == ("token_f1", 2, {"missing_field": 1})
    assert first.mean is not None
    assert first.low is not None
    assert first.high is not None
    assert first.low <= first.mean <= first.high
    assert first.coverage == pytest.approx(2 / 3)
    assert "token_f1" in repr(report)
    assert report.worst(1) == [2]
    with pytest.raises(InvalidInputError, match="metric `x` is unknown"):
        report.worst(metric="x")


class Tags(HTMLParser):
    """Which tags a page has, and whether they close."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert not any(name in ("src", "href", "onclick") for name, _ in attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_stands_alone_and_escapes_everything(report: Report, tmp_path: Path) -> None:
    page = report.to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert "script" not in tags.seen
    assert {"svg", "details", "mark"} <= set(tags.seen)
    assert "http" not in page
    assert page.index("Empty?") < page.index("Good?")
    assert '<mark class="yes">Paris is old.</mark>' in page
    assert '<mark class="no">Rome fell in 476.</mark>' in page
    assert "<table>" in report._repr_html_()


def test_markdown_has_one_line_for_each_row(report: Report) -> None:
    text = report.to_markdown()
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in table[:5]}) == 1
    assert "<script>" not in text


def test_json_reads_back(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    text = report.to_json(path)
    assert "NaN" not in text
    for again in (Report.from_json(path), Report.from_json(text)):
        assert again.scores == report.scores
        assert again.samples == report.samples
        assert again.rows[0].results == report.rows[0].results
    with pytest.raises(InvalidInputError, match=r"Report\.to_json"):
        Report.from_json('{"rows": 3}')


def test_junit_has_a_case_for_each_sample_and_metric(report: Report, tmp_path: Path) -> None:
    text = report.to_junit(tmp_path / "report.xml", thresholds={"exact_match": 0.5})
    suites = ElementTree.fromstring(text.encode())
    counts = {suite.get("name"): suite.attrib for suite in suites}
    assert counts["exact_match"] == {
        "name": "exact_match",
        "tests": "3",
        "failures": "1",
        "errors": "1",
        "skipped": "0",
    }
    assert counts["lexical_groundedness"]["skipped"] == "1"
    with pytest.raises(InvalidInputError, match="metric `x` is not in the report"):
        report.to_junit(thresholds={"x": 1})


class Odd(Metric):
    """Details that JSON has no form for."""

    name = "odd"

    def measure(self, sample: EvaluationInput, session: Session) -> tuple[float, dict[str, object]]:  # noqa: ARG002
        return 1.0, {"ratio": float("nan"), "seen": {1, 2}, "at": (float("inf"),)}


def test_details_that_are_no_json_do_not_spoil_the_report() -> None:
    report = evaluate(SAMPLES, [Odd()])
    assert isinstance(report, Report)
    details = json.loads(report.to_json())["rows"][0]["results"][0]["details"]
    assert details == {"ratio": None, "seen": "{1, 2}", "at": [None]}
