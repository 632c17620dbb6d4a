"""The splitter: exact offsets, the token limit, and what it keeps together. A token here is a word."""

from __future__ import annotations

import re

from demo.passages import STUB_TOKENS, Passage, split_topic, without_rules

LIMIT = 40
PARAGRAPH = " ".join(f"word{number}" for number in range(35))
CODE = "   class Point:\n       x = 0\n\n       def move(self):\n           pass"


def split(text: str) -> list[Passage]:
    return split_topic("topic", text, [word.start() for word in re.finditer(r"\S+", text)], LIMIT)


def test_offsets_name_the_text_and_only_whitespace_is_left_out() -> None:
    text = f"\n{PARAGRAPH}\n\n{CODE}\n\n\n{PARAGRAPH} {PARAGRAPH} {PARAGRAPH}\n"
    passages = split(text)
    assert [text[passage.start : passage.end] for passage in passages] == [p.text for p in passages]
    assert "".join("".join(passage.text.split()) for passage in passages) == "".join(text.split())
    assert [passage.index for passage in passages] == list(range(len(passages)))


def test_no_passage_is_above_the_limit_but_for_a_stub() -> None:
    for passage in split(f"{PARAGRAPH} {PARAGRAPH} {PARAGRAPH}\n\n{PARAGRAPH}\n\nA stub.\n\n{PARAGRAPH}"):
        assert len(passage.text.split()) < LIMIT + STUB_TOKENS


def test_small_paragraphs_share_a_passage() -> None:
    assert [passage.text for passage in split("One.\n\nTwo.\n\nThree.")] == ["One.\n\nTwo.\n\nThree."]


def test_a_code_block_stays_in_one_passage_with_the_line_above_it() -> None:
    texts = [passage.text for passage in split(f"{PARAGRAPH}\n\nFor example:\n\n{CODE}\n\n{PARAGRAPH}")]
    assert any(f"For example:\n\n{CODE}" in text for text in texts)


def test_a_heading_stays_with_what_follows_it() -> None:
    texts = [passage.text for passage in split(f"{PARAGRAPH}\n\nHeading\n=======\n\n{PARAGRAPH}")]
    assert texts == [PARAGRAPH, f"Heading\n=======\n\n{PARAGRAPH}"]


def test_a_text_of_whitespace_has_no_passage() -> None:
    assert split(" \n\n ") == []


def test_blanked_rules_keep_every_offset() -> None:
    assert without_rules("Title\n=====\n\na == b ** c") == "Title\n     \n\na == b ** c"
