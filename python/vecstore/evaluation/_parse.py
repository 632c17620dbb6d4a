"""Reading what a judge answered, which may be JSON, nearly JSON, or JSON in prose."""

from __future__ import annotations

import ast
import json
import math
import re
import typing

__all__ = ["UnparsableError", "claims", "json_in", "number", "rating", "verdict", "verdicts"]

#: Longer answers are cut before they are searched: no judge needs more, and searching stays fast.
ANSWER_CHARACTERS_MAX = 200_000
#: Places where JSON may begin that are tried.
STARTS_MAX = 64

_FENCE = re.compile(r"```[a-zA-Z]*\s*\n?(.*?)```", re.DOTALL)
_BULLET = re.compile(r"^\s*(?:[-*\u2022]|\(?\d{1,3}[.):])\s+")
_BARE = re.compile(r"\s*\**(-?\d+(?:\.\d+)?)\**\.?\s*")
_NAMED = re.compile(r"\b(?:score|rating|mark)\b[^\d\n-]{0,20}(-?\d+(?:\.\d+)?)(?![\w/%]|\.\d)", re.IGNORECASE)
_LEADING = re.compile(r"\s*(\d+\.\d+)(?=[\s,;]|$)")
_YES = re.compile(r"\b(yes|true|supported|relevant|attributed|useful|entailed|correct)\b", re.IGNORECASE)
_NO = re.compile(
    r"\b(no|false|not|unsupported|irrelevant|unattributed|useless|contradict\w*|partial\w*|incorrect)\b",
    re.IGNORECASE,
)


class UnparsableError(Exception):
    """An answer that cannot be read as what was asked for; the message says what was expected."""


def json_in(text: str) -> typing.Any:
    """The first JSON object or list in ``text``: bare, fenced, within prose, or written as Python would."""
    text = text[:ANSWER_CHARACTERS_MAX]
    for part in [*_FENCE.findall(text), text]:
        starts = [match.start() for match in re.finditer(r"[{\[]", part)][:STARTS_MAX]
        for start in starts:
            try:
                return json.JSONDecoder().raw_decode(part, start)[0]
            except (ValueError, RecursionError):
                continue
        for start in starts[:1]:
            end = max(part.rfind("}"), part.rfind("]"))
            lenient = re.sub(r",\s*([}\]])", r"\1", part[start : end + 1])
            for read in (json.loads, ast.literal_eval):
                try:
                    return read(lenient)
                except (ValueError, SyntaxError, RecursionError, MemoryError):
                    continue
    raise UnparsableError("expected a JSON object or list")


def verdict(value: typing.Any) -> bool:
    """A yes or no, however it is put; partly is no."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, dict):
        for key in ("verdict", "attributed", "supported", "answer", "relevant", "useful", "label"):
            if key in value:
                return verdict(value[key])
    if isinstance(value, str):
        text = value.strip()
        if text in ("0", "1"):
            return text == "1"
        # The first line decides, so that an explanation below may say what it likes.
        head = text.splitlines()[0] if text else ""
        negative = _NO.search(head)
        positive = _YES.search(head)
        # "not supported" and "yes, not ...": the earlier word decides.
        if negative and (not positive or negative.start() < positive.start()):
            return False
        if positive:
            return True
    raise UnparsableError("expected yes or no")


def verdicts(text: str, count: int) -> list[bool | None]:
    """The verdicts on ``count`` numbered statements; None for those the answer does not decide."""
    found: list[bool | None] = [None] * count
    try:
        answer = json_in(text)
    except UnparsableError:
        _verdict_lines(text, found)
    else:
        _verdict_items(answer, found)
    if not any(item is not None for item in found):
        raise UnparsableError(f"expected verdicts on {count} statements")
    return found


def _verdict_items(answer: typing.Any, found: list[bool | None]) -> None:
    if isinstance(answer, dict):
        lists = [value for value in answer.values() if isinstance(value, list)]
        if lists:
            answer = lists[0]
        elif all(str(key).strip().isdigit() for key in answer):  # {"1": "yes", "2": "no"}
            answer = [{"number": int(key), "verdict": value} for key, value in answer.items()]
        else:
            answer = [answer]
    if not isinstance(answer, list):
        return
    for at, item in enumerate(answer):
        place = at
        if isinstance(item, dict):
            named = item.get("number", item.get("claim", item.get("statement")))
            if isinstance(named, str) and named.strip().isdigit():
                named = int(named)
            if isinstance(named, int) and not isinstance(named, bool):
                place = named - 1
        if 0 <= place < len(found) and found[place] is None:
            try:
                found[place] = verdict(item)
            except UnparsableError:
                continue


def _verdict_lines(text: str, found: list[bool | None]) -> None:
    lines = [line for line in text[:ANSWER_CHARACTERS_MAX].splitlines() if line.strip()]
    if len(found) == 1:
        try:
            found[0] = verdict(text)
        except UnparsableError:
            return
        return
    for line in lines:
        numbered = re.match(r"\s*\(?(\d{1,3})[.):]?\s*(.*)", line)
        if not numbered:
            continue
        place = int(numbered[1]) - 1
        if 0 <= place < len(found) and found[place] is None:
            try:
                found[place] = verdict(numbered[2])
            except UnparsableError:
                continue


def claims(text: str) -> list[str]:
    """A list of statements: JSON, or lines with bullets or numbers; empty if it says there are none."""
    try:
        answer = json_in(text)
    except UnparsableError:
        lines = [line for line in text[:ANSWER_CHARACTERS_MAX].splitlines() if _BULLET.match(line)]
        if lines:
            return [_BULLET.sub("", line).strip() for line in lines]
        if text.strip().lower().rstrip(".") in ("none", "no claims", "no statements", "no entities"):
            return []
        raise UnparsableError("expected a list of statements") from None
    if isinstance(answer, dict):
        lists = [value for value in answer.values() if isinstance(value, list)]
        if not lists:
            raise UnparsableError("expected a list of statements")
        answer = lists[0]
    if not isinstance(answer, list):
        raise UnparsableError("expected a list of statements")
    found = []
    for item in answer:
        if isinstance(item, dict):
            item = next((value for value in item.values() if isinstance(value, str)), None)
        if not isinstance(item, str):
            raise UnparsableError("expected statements that are strings")
        if item.strip():
            found.append(item.strip())
    return found


def number(text: str, low: float, high: float) -> float:
    """A number in a range: bare, in JSON, a percentage, or a fraction such as ``4/5`` of the range."""
    try:
        answer = json_in(text)
    except UnparsableError:
        answer = text
    if isinstance(answer, dict):
        for key in ("score", "rating", "value"):
            if key in answer:
                answer = answer[key]
                break
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    if isinstance(answer, (int, float)) and not isinstance(answer, bool):
        return _within(float(answer), low, high)
    if not isinstance(answer, str):
        raise UnparsableError(f"expected a number from {low:g} to {high:g}")
    percent = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", answer)
    if percent:
        return _within(low + (high - low) * float(percent[1]) / 100, low, high)
    fraction = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(?:/|out of)\s*(\d+(?:\.\d+)?)\s*\.?\s*", answer)
    if fraction and float(fraction[2]) > 0:
        top = float(fraction[2])
        return _within(float(fraction[1]) if top == high else high * float(fraction[1]) / top, low, high)
    # Only where it is plain which number is meant: one in prose may count something else.
    plain = _BARE.fullmatch(answer) or _NAMED.search(answer) or _LEADING.match(answer)
    if not plain:
        raise UnparsableError(f"expected one number from {low:g} to {high:g}")
    return _within(float(plain[1]), low, high)


def _within(value: float, low: float, high: float) -> float:
    if not math.isfinite(value) or not low <= value <= high:
        raise UnparsableError(f"expected a number from {low:g} to {high:g}")
    return value


def rating(text: str) -> float:
    """A yes (1), a no (0), or a number between."""
    try:
        return number(text, 0.0, 1.0)
    except UnparsableError:
        try:
            answer = json_in(text)
        except UnparsableError:
            answer = text
        return float(verdict(answer))
