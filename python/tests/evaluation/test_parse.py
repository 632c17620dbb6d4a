"""Reading what judges answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vecstore.evaluation import _parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Sure!\n```json\n{"a": [1, 2]}\n```\nHope it helps {x}', {"a": [1, 2]}),
        ('<think>maybe {not json}</think> {"a": true}', {"a": True}),
        ("{'a': True, 'b': None}", {"a": True, "b": None}),
        ('{"a": [1, 2,],}', {"a": [1, 2]}),
        ("the list: [1]", [1]),
    ],
)
def test_json_is_found(text: str, expected: object) -> None:
    assert _parse.json_in(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Yes.", True),
        ("**No**, it is not", False),
        ("not supported", False),
        ("Unsupported", False),
        ("partially supported", False),
        ("Yes, there is no doubt", True),
        ("1", True),
        ("0", False),
        (1, True),
        (False, False),
        ({"reason": "no reason", "verdict": "yes"}, True),
        ("irrelevant", False),
    ],
)
def test_verdicts_are_read(value: object, expected: bool) -> None:
    assert _parse.verdict(value) is expected


@pytest.mark.parametrize("value", ["", "maybe", "I know", "yesterday", None, 2, [], {"x": "yes"}])
def test_what_is_no_verdict_is_refused(value: object) -> None:
    with pytest.raises(_parse.UnparsableError):
        _parse.verdict(value)


@pytest.mark.parametrize(
    "text",
    [
        '{"verdicts": [{"number": 2, "verdict": "no"}, {"number": 1, "verdict": "yes"}]}',
        '[{"verdict": 1}, {"verdict": 0}]',
        '["yes", "no"]',
        '{"1": "yes", "2": "no"}',
        "1. Yes, as the text says\n2. No",
        "(1) supported\n(2) unsupported",
    ],
)
def test_verdicts_on_statements_are_read_in_many_forms(text: str) -> None:
    assert _parse.verdicts(text, 2) == [True, False]


def test_missing_and_surplus_verdicts() -> None:
    assert _parse.verdicts('[{"number": 2, "verdict": "yes"}, {"number": 9, "verdict": "no"}]', 3) == [
        None,
        True,
        None,
    ]
    assert _parse.verdicts("yes", 1) == [True]
    with pytest.raises(_parse.UnparsableError, match="verdicts on 2 statements"):
        _parse.verdicts("lorem", 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"claims": ["A.", " B. "]}', ["A.", "B."]),
        ("1. A.\n2) B.", ["A.", "B."]),
        ("- A.\n* B.", ["A.", "B."]),
        ('[{"claim": "A."}]', ["A."]),
        ("None.", []),
        ('{"claims": []}', []),
    ],
)
def test_statements_are_read(text: str, expected: list[str]) -> None:
    assert _parse.claims(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4", 4.0),
        ('{"score": 3.5}', 3.5),
        ("Score: 4", 4.0),
        ("**4**", 4.0),
        ("4/5", 4.0),
        ("80%", 4.0),
        ("8 out of 10", 4.0),
    ],
)
def test_numbers_are_read(text: str, expected: float) -> None:
    assert _parse.number(text, 0, 5) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text", ["", "6", "-1", "between 3 and 4", "1 reason is that", "NaN", "score: high", "true"]
)
def test_what_is_no_number_of_the_range_is_refused(text: str) -> None:
    with pytest.raises(_parse.UnparsableError):
        _parse.number(text, 0, 5)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (
        _parse.json_in,
        _parse.claims,
        _parse.verdict,
        _parse.rating,
        lambda text: _parse.verdicts(text, 3),
        lambda text: _parse.number(text, 0, 5),
    ):
        try:
            read(text)
        except _parse.UnparsableError:
            continue
