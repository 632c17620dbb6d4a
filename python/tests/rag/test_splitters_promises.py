"""What every splitter promises, whatever the text; and what each does with arguments it cannot take."""

from __future__ import annotations

import pickle
import typing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecstore
from tests.rag.corpus import TEXTS, markdown, python_sources, reference
from vecstore import rag

Make = typing.Callable[[int, int], rag.TextSplitter]

#: Splitters that leave out nothing but white space.
COMPLETE: dict[str, Make] = {
    "recursive": rag.RecursiveCharacterTextSplitter,
    "tokens": rag.TokenTextSplitter,
    "sentences": rag.SentenceTextSplitter,
    "markdown": rag.MarkdownTextSplitter,
    "code": rag.CodeTextSplitter,
    "python": lambda size, overlap: rag.CodeTextSplitter(size, overlap, "python"),
    "ruby": lambda size, overlap: rag.CodeTextSplitter(size, overlap, "ruby"),
}
ALL: dict[str, Make] = {**COMPLETE, "html": rag.HTMLTextSplitter}


def check(text: str, chunks: list[rag.TextChunk], size: int, overlap: int, measure: typing.Any = len) -> None:
    data = text.encode()
    covered = 0
    for index, chunk in enumerate(chunks):
        assert chunk.index == index
        assert text[chunk.char_start : chunk.char_end] == chunk.content
        assert data[chunk.byte_start : chunk.byte_end].decode() == chunk.content
        assert len(chunk) == len(chunk.content) > 0
        assert measure(chunk.content) <= size or len(chunk.content) == 1
        if chunk.char_start < covered:
            assert measure(text[chunk.char_start : covered]) <= overlap
        covered = max(covered, chunk.char_end)


def lost(text: str, chunks: list[rag.TextChunk]) -> str:
    missing, covered = [], 0
    for chunk in chunks:
        missing.append(text[covered : chunk.char_start])
        covered = max(covered, chunk.char_end)
    return "".join([*missing, text[covered:]]).strip()


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60, deadline=None)
@given(text=TEXTS, size=st.integers(1, 40), data=st.data())
def test_promises_hold_for_any_text(name: str, text: str, size: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, size - 1))
    splitter = ALL[name](size, overlap)
    chunks = splitter.split_with_metadata(text)
    check(text, chunks, size, overlap, rag.count_tokens if name == "tokens" else len)
    if name in COMPLETE:
        assert "".join(lost(text, chunks).split()) == ""
    assert splitter.split_text(text) == [chunk.content for chunk in chunks]
    assert splitter.split_text(text.encode()) == [chunk.content for chunk in chunks]
    assert splitter.split_offsets(text).tolist() == [[chunk.char_start, chunk.char_end] for chunk in chunks]
    assert splitter.split_offsets(text, unit="bytes").tolist() == [
        [chunk.byte_start, chunk.byte_end] for chunk in chunks
    ]
    assert splitter.split_many([text, "", text]) == [splitter.split_text(text), [], splitter.split_text(text)]


@pytest.mark.parametrize("name", ALL)
def test_promises_hold_for_a_corpus(name: str) -> None:
    for text in reference()[:6] + markdown()[:4] + python_sources()[:3]:
        chunks = ALL[name](300, 60).split_with_metadata(text)
        check(text, chunks, 300, 60, rag.count_tokens if name == "tokens" else len)
        if name in COMPLETE:
            assert lost(text, chunks) == ""


@pytest.mark.parametrize("sizer", ["bytes", "o200k", lambda text: len(text.split())])
@settings(max_examples=40, deadline=None)
@given(text=TEXTS, size=st.integers(1, 20))
def test_sizes_are_in_the_unit_that_was_asked_for(sizer: typing.Any, text: str, size: int) -> None:
    measures = {
        "bytes": lambda chunk: len(chunk.encode()),
        "o200k": lambda chunk: rag.count_tokens(chunk, "o200k"),
    }
    measure = measures[sizer] if isinstance(sizer, str) else sizer
    for kind in (rag.RecursiveCharacterTextSplitter, rag.SentenceTextSplitter, rag.MarkdownTextSplitter):
        check(text, kind(size, size // 2, sizer=sizer).split_with_metadata(text), size, size // 2, measure)


@pytest.mark.parametrize("name", ALL)
def test_sizes_that_cannot_be_kept_are_refused(name: str) -> None:
    make = ALL[name]
    for size, overlap in [(0, 0), (-1, 0), (10, 10), (10, 11), (10, -1), (2**70, 0)]:
        with pytest.raises(vecstore.InvalidInputError, match=r"chunk_size|max_tokens|overlap"):
            make(size, overlap)
    for wrong in ("10", 1.5, True, None):
        with pytest.raises(TypeError, match="expected an int"):
            make(wrong, 0)  # type: ignore[arg-type]


def test_messages_say_what_was_expected_and_got() -> None:
    with pytest.raises(vecstore.InvalidInputError) as caught:
        rag.RecursiveCharacterTextSplitter(100, 100)
    assert str(caught.value) == "chunk_overlap: expected less than chunk_size 100, got 100"
    with pytest.raises(vecstore.InvalidInputError, match=r"sizer: expected `chars`, .* got `words`"):
        rag.RecursiveCharacterTextSplitter(100, sizer="words")
    with pytest.raises(vecstore.InvalidInputError, match=r"expected cl100k or o200k, got `gpt2`"):
        rag.TokenTextSplitter(100, encoding="gpt2")
    with pytest.raises(
        vecstore.InvalidInputError, match=r"language: expected one of .*python.*; got `klingon`"
    ):
        rag.CodeTextSplitter(100, language="klingon")
    with pytest.raises(vecstore.InvalidInputError, match=r"regular expression, got `\(`"):
        rag.RecursiveCharacterTextSplitter(100, separators=["("], is_separator_regex=True)
    with pytest.raises(vecstore.InvalidInputError, match="at least one, got none"):
        rag.RecursiveCharacterTextSplitter(100, separators=[])
    with pytest.raises(vecstore.InvalidInputError, match="unit: expected `chars` or `bytes`"):
        rag.SentenceTextSplitter(100).split_offsets("a", unit="words")  # type: ignore[arg-type]


def test_texts_that_are_none_are_refused() -> None:
    splitter = rag.RecursiveCharacterTextSplitter(100)
    with pytest.raises(vecstore.InvalidInputError, match="invalid sequence at byte 3"):
        splitter.split_text(b"abc\xff")
    with pytest.raises(vecstore.InvalidInputError, match="lone surrogates"):
        splitter.split_text("abc\ud800")
    with pytest.raises(TypeError, match="expected a str or bytes of UTF-8, got int"):
        splitter.split_text(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected an iterable of texts, got str"):
        splitter.split_many("abc")
    with pytest.raises(vecstore.InvalidInputError, match="threads must be between 1"):
        splitter.split_many(["abc"], threads=0)


def test_what_a_sizer_raises_reaches_the_caller() -> None:
    class OwnError(Exception):
        pass

    error = OwnError("stop")

    def sizer(_: str) -> int:
        raise error

    with pytest.raises(OwnError) as caught:
        rag.SentenceTextSplitter(10, sizer=sizer).split_text("One. Two.")
    assert caught.value is error
    answers: list[typing.Any] = ["1", 1.5, None]
    for wrong in answers:
        with pytest.raises(TypeError, match="sizer: expected an int"):
            rag.SentenceTextSplitter(10, sizer=lambda _: wrong).split_text("One.")  # noqa: B023
    with pytest.raises(vecstore.InvalidInputError, match="sizer: a size must be between 0"):
        rag.SentenceTextSplitter(10, sizer=lambda _: -1).split_text("One.")
    with pytest.raises(TypeError, match="sizer: expected a name or a callable"):
        rag.SentenceTextSplitter(10, sizer=5)  # type: ignore[arg-type]


def test_long_texts_split_as_short_ones() -> None:
    # Long enough for the ways that avoid copies and use threads.
    short = "\n\n".join(reference())
    splitter = rag.RecursiveCharacterTextSplitter(500, 100)
    for text in (short * 2, "\u00e9" + short * 2):
        assert len(text) > 1 << 18
        expected = splitter.split_text(text)
        assert splitter.split_text(text.encode()) == expected
        assert [text[start:end] for start, end in splitter.split_offsets(text)] == expected
        assert splitter.split_many([text] * 4, threads=2) == [expected] * 4
        assert [chunk.content for chunk in splitter.split_with_metadata(text)] == expected
    offsets = splitter.split_offsets(short)
    assert offsets.dtype == np.int64
    assert offsets.shape == (len(splitter.split_text(short)), 2)
    assert splitter.split_offsets("").shape == (0, 2)


def test_chunks_and_splitters_are_values() -> None:
    splitter = rag.RecursiveCharacterTextSplitter(10, 2, keep_separator="end")
    assert repr(splitter).startswith(
        "RecursiveCharacterTextSplitter(chunk_size=10, chunk_overlap=2, sizer='chars'"
    )
    again = pickle.loads(pickle.dumps(splitter))
    text = "one two three four \u00e9\u00e8 five"
    assert again.split_text(text) == splitter.split_text(text)
    chunk = splitter.split_with_metadata(text)[1]
    assert pickle.loads(pickle.dumps(chunk)) == chunk
    assert chunk != splitter.split_with_metadata(text)[0]
    assert chunk != chunk.content
    assert str(chunk) == chunk.content
    assert eval(repr(chunk), {"TextChunk": rag.TextChunk}) == chunk
    assert rag.TextChunk(0, "a", 0, 1, 0, 1).metadata == {}
    chunk.metadata["mine"] = 1
    assert chunk.metadata == {"mine": 1}
    with pytest.raises(AttributeError):
        chunk.index = 3  # type: ignore[misc]
