"""Reports as JUnit XML, which build servers show."""

from __future__ import annotations

import re
from collections import abc
from xml.sax.saxutils import escape, quoteattr

from vecstore._errors import InvalidInputError
from vecstore.evaluation._report import Report

__all__ = ["junit"]

#: Characters that XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report, thresholds: abc.Mapping[str, float]) -> str:
    """A suite for each metric, a test for each sample."""
    unknown = set(thresholds) - set(report.metric_names)
    if unknown:
        known = ", ".join(report.metric_names)
        raise InvalidInputError(f"thresholds: metric `{min(unknown)}` is not in the report: expected {known}")
    suites = []
    for name in report.metric_names:
        cases = []
        counts = {"failure": 0, "error": 0, "skipped": 0}
        for sample, row in zip(report.samples, report.rows):
            result = row[name]
            verdict = ""
            if result.score is None:
                failure = result.failure
                message = str(failure) if failure is not None else "no score"
                kind = "skipped" if failure is not None and failure.kind == "nothing_to_judge" else "error"
                raw = failure.raw if failure is not None else None
                body = f"<{kind} message={_attribute(message)}>{_text(raw or '')}</{kind}>"
                counts[kind] += 1
                verdict = body
            elif name in thresholds and result.score < thresholds[name]:
                message = f"{result.score:.4f} is below {thresholds[name]:g}"
                verdict = f"<failure message={_attribute(message)}/>"
                counts["failure"] += 1
            case = f"{sample.id}: {sample.query}"[:200]
            cases.append(
                f"    <testcase classname={_attribute(name)} name={_attribute(case)}>{verdict}</testcase>"
            )
        suites.append(
            f'  <testsuite name={_attribute(name)} tests="{len(cases)}" failures="{counts["failure"]}" '
            f'errors="{counts["error"]}" skipped="{counts["skipped"]}">\n'
            + "\n".join(cases)
            + "\n  </testsuite>"
        )
    body = "\n".join(suites)
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}\n<testsuites name="vecstore.evaluation">\n{body}\n</testsuites>\n'


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", text))
