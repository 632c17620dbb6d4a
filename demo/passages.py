"""Splits the topics of the Python language reference into passages that fit the model."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: Most tokens of text in a passage. The model reads 256: a stub, the topic's title and two markers fit too.
PASSAGE_TOKENS = 200
#: A passage this short is a heading or a line that introduces what follows: it joins a neighbour, above the
#: limit too.
STUB_TOKENS = 30

#: Where a text may be cut, best place first: before a heading; at a blank line before an unindented one (a
#: code block or a definition's body then stays with the paragraph above it if both fit); at a blank line;
#: at a line; at a word. A blank line right under a heading's rule is no place to cut.
BOUNDARIES = tuple(
    map(
        re.compile,
        (
            r"\n{2,}(?=[^\n]+\n[*=~^-]{3,}\n)",
            r"(?<![*=~^-]{3})\n{2,}(?=\S)",
            r"(?<![*=~^-]{3})\n{2,}",
            r"\n+",
            r"\s+",
        ),
    )
)

Span = tuple[int, int]


@dataclass(frozen=True)
class Passage:
    """A piece of one topic: `topics[topic][start:end] == text`. The title is the topic's first line."""

    topic: str
    title: str
    index: int
    start: int
    end: int
    text: str

    @property
    def id(self) -> str:
        """The id of its record, the same in every run."""
        return f"{self.topic}#{self.index}"


def split_topic(
    topic: str, text: str, token_starts: Sequence[int], limit: int = PASSAGE_TOKENS
) -> list[Passage]:
    """Cuts `text`, given the offset at which each of its tokens starts, into passages of about `limit`.

    Only whitespace is left out between passages. A run of characters without whitespace is never cut, even
    above the limit.
    """

    def size(start: int, end: int) -> int:
        return bisect_left(token_starts, end) - bisect_left(token_starts, start)

    def cut(start: int, end: int, level: int) -> list[Span]:
        if size(start, end) <= limit or level == len(BOUNDARIES):
            return [(start, end)]
        spans: list[Span] = []
        for piece_start, piece_end in _pieces(text, start, end, BOUNDARIES[level]):
            # A piece joins the passage before it only whole: what must be cut starts a passage of its own.
            if spans and size(spans[-1][0], piece_end) <= limit:
                spans[-1] = (spans[-1][0], piece_end)
            else:
                spans += cut(piece_start, piece_end, level + 1)
        return spans

    spans: list[Span] = []
    for start, end in cut(*_trimmed(text), 0):
        stub = spans and min(size(*spans[-1]), size(start, end)) < STUB_TOKENS
        if stub and size(spans[-1][0], end) < limit + STUB_TOKENS:
            spans[-1] = (spans[-1][0], end)
        elif start < end:
            spans.append((start, end))
    title = text.strip().partition("\n")[0]
    return [
        Passage(topic, title, index, start, end, text[start:end]) for index, (start, end) in enumerate(spans)
    ]


def without_rules(text: str) -> str:
    """`text` with the rules of headings and tables blanked, offsets unchanged.

    The model would read a token for each of their characters.
    """
    return re.sub(r"[*=~^+-]{3,}", lambda rule: " " * len(rule[0]), text)


def _trimmed(text: str) -> Span:
    """The span of `text` without whitespace at either end."""
    start = len(text) - len(text.lstrip())
    return start, max(start, len(text.rstrip()))


def _pieces(text: str, start: int, end: int, boundary: re.Pattern[str]) -> Iterator[Span]:
    """The spans between the matches of `boundary`."""
    for match in boundary.finditer(text, start, end):
        if start < match.start():
            yield start, match.start()
        start = match.end()
    if start < end:
        yield start, end
