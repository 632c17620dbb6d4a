"""Documents as chunks and back, windows, parents, pages of a PDF, citations."""

from __future__ import annotations

import io
import re
import sys
import typing
from pathlib import Path

import pypdf
import pytest

from vecstore import InvalidInputError, Neighbor, VecStore
from vecstore.rag import (
    HashingEmbedder,
    Retriever,
    citations,
    join_pages,
    merge_chunks,
    page_of,
    parent_documents,
    sentence_window,
)

from .conftest import Chunk, Paragraphs


class Overlapping:
    """Pieces of 40 characters, every 25."""

    def split_with_metadata(self, text: str) -> list[Chunk]:
        return [
            Chunk(text[at : at + 40], at, min(at + 40, len(text)))
            for at in range(0, max(1, len(text) - 15), 25)
        ]


def chunks_of(store: VecStore, doc_id: str) -> list[Neighbor]:
    records = store.scroll({"doc_id": doc_id}, limit=10_000).records
    return [Neighbor(one.id, 1.0, 0.0, one.metadata, None, one.text) for one in records]


def test_chunks_are_stored_with_where_they_are(embedder: HashingEmbedder, topics: dict[str, str]) -> None:
    name, text = next(iter(topics.items()))
    with VecStore(":memory:") as store:
        count = store.upsert_chunks(name, text, Paragraphs(), embedder, metadata={"lang": "en"})
        assert len(store) == count
        for index, one in enumerate(store.get_many([f"{name}_{at}" for at in range(count)])):
            assert one is not None
            found = one.metadata
            assert text[found["start"] : found["end"]] == found["text"] == one.text
            assert (found["chunk_index"], found["doc_id"], found["lang"]) == (index, name, "en")


def test_a_shorter_version_leaves_no_old_chunks(embedder: HashingEmbedder) -> None:
    with VecStore(":memory:") as store:
        assert store.upsert_chunks("a", "one\n\ntwo\n\nthree", Paragraphs(), embedder) == 3
        store.upsert_chunks("ab", "other", Paragraphs(), embedder)
        assert store.upsert_chunks("a", "new", Paragraphs(), embedder) == 1
        assert sorted(one.id for one in store.list_all()) == ["a_0", "ab_0"]
        assert store.upsert_chunks("a", "", Paragraphs(), embedder) == 0
        assert [one.id for one in store.list_all()] == ["ab_0"]


def test_an_embedder_that_fails_changes_nothing(embedder: HashingEmbedder) -> None:
    error = OSError("gone")

    def fail(text: str) -> typing.Any:
        if text == "three":
            raise error
        return embedder.embed(text)

    with VecStore(":memory:") as store:
        store.upsert_chunks("a", "one\n\ntwo", Paragraphs(), embedder)
        with pytest.raises(OSError, match="gone") as caught:
            store.upsert_chunks("a", "one\n\nthree", Paragraphs(), fail)
        assert caught.value is error
        assert [one.text for one in store.list_all()] == ["one", "two"]
        with pytest.raises(TypeError, match="split_with_metadata"):
            store.upsert_chunks("a", "one", typing.cast(typing.Any, 3), embedder)
        with pytest.raises(InvalidInputError, match=r"items\[1\]"):
            store.batch_upsert_texts([("a", "x"), {"id": "b"}], embedder)


@pytest.mark.parametrize("splitter", [Paragraphs(), Overlapping()])
def test_all_chunks_of_a_document_are_the_document(
    splitter: typing.Any, embedder: HashingEmbedder, topics: dict[str, str]
) -> None:
    import email

    sources = [
        *list(topics.values())[:5],
        Path(str(email.__file__)).read_text(encoding="utf-8"),
        "\u00e9\U0001f600 x" * 30,
    ]
    for text in sources:
        with VecStore(":memory:") as store:
            store.upsert_chunks("doc", text, splitter, embedder)
            chunks = chunks_of(store, "doc")
            (merged,) = merge_chunks(reversed(chunks), gap=100)
            start, end = merged.metadata["start"], merged.metadata["end"]
            # What the splitter dropped comes back as so many spaces.
            assert re.sub(r"\s", " ", merged.text or "") == re.sub(r"\s", " ", text[start:end])
            assert not text[:start].strip()
            assert not text[end:].strip()
            (parent,) = parent_documents(store, chunks[:1])
            assert parent.text == merged.text
            assert parent.id == "doc"
            assert parent_documents(store, chunks, {"doc": text})[0].text == text


def test_windows_widen_chunks_and_merge_where_they_meet(embedder: HashingEmbedder) -> None:
    text = "\n\n".join(f"Paragraph {number}." for number in range(8))
    with VecStore(":memory:") as store:
        store.upsert_chunks("doc", text, Paragraphs(), embedder)
        chunks = {one.id: one for one in chunks_of(store, "doc")}
        stranger = Neighbor("other", 0.1, 0.0, {}, None, "no chunk")
        wide = sentence_window(store, [chunks["doc_5"], stranger, chunks["doc_0"], chunks["doc_2"]])
        numbers = [re.findall(r"\d", one.text or "") for one in wide]
        assert numbers == [["4", "5", "6"], [], ["0", "1", "2", "3"]] or numbers == [
            list("0123456"),
            [],
        ]
        only = sentence_window(store, [chunks["doc_7"]], before=0, after=2)
        assert [one.text for one in only] == ["Paragraph 7."]


def pdf(pages: list[list[str]]) -> bytes:
    """A PDF with these lines on its pages."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    kids = []
    for lines in pages:
        shown = b"".join(b"(%s) Tj 0 -14 Td " % line.encode("latin-1") for line in lines)
        stream = b"BT /F1 11 Tf 50 780 Td " + shown + b"ET"
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    file, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return (
        file
        + head
        + table
        + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF"
        % (
            len(objects) + 1,
            len(file),
        )
    )


@pytest.mark.parametrize("splitter", [Paragraphs(), Overlapping()])
def test_citations_name_the_page_of_a_pdf(splitter: typing.Any, embedder: HashingEmbedder) -> None:
    lines = [
        ["The write-ahead log is synced before a call returns."],
        ["Segments are immutable files.", "They are memory-mapped by readers."],
        ["Snakes of the genus Python eat mice."],
    ]
    reader = pypdf.PdfReader(io.BytesIO(pdf(lines)))
    text, starts = join_pages([page.extract_text() for page in reader.pages])
    with VecStore(":memory:") as store:
        store.upsert_chunks("paper", text, splitter, embedder, page_starts=starts)
        for page, (start, end) in enumerate(zip(starts, [*starts[1:], len(text)]), 1):
            for one in chunks_of(store, "paper"):
                for at in range(len(one.text or "")):
                    if start <= one.metadata["start"] + at < end:
                        assert page_of(one, at) == page
        (whole,) = merge_chunks(chunks_of(store, "paper"), gap=10)
        assert [page_of(whole, start) for start in starts] == [1, 2, 3]
        context = Retriever(store, embedder, k=4, window=1).retrieve(
            "What do snakes eat, and how are segments read?"
        )
        number = next(n for n, one in enumerate(context.sources, 1) if "eat mice" in (one.text or ""))
        report = context.citations(f"Snakes of the genus Python eat mice [{number}]. Snakes fly [9].")
        assert [(one.page, one.supported) for one in report.citations] == [(3, True), (None, False)]
        assert report.unsupported == report.citations[1:]


def test_bad_page_starts_are_an_error(embedder: HashingEmbedder) -> None:
    with VecStore(":memory:") as store:
        for starts in ([5, 1], [0, 99], [-1]):
            with pytest.raises(InvalidInputError, match="page_starts"):
                store.upsert_chunks("a", "text", Paragraphs(), embedder, page_starts=starts)


def test_places_of_citations_are_in_characters() -> None:
    source = "\u00e4\u00f6 \U0001f600. The log is synced."
    answer = "\U0001f40d\U0001f40d The log is synced [1]. Nothing of it."
    report = citations(answer, [source])
    (one,) = report.citations
    assert answer[slice(*one.marker)] == "[1]"
    assert answer[slice(*one.claim)].endswith("The log is synced [1].")
    assert one.evidence is not None
    assert source[slice(*one.evidence)].endswith("The log is synced.")
    assert report.is_supported
    assert citations("No markers here.", []).is_supported is False
    with pytest.raises(InvalidInputError, match="threshold"):
        citations("", [], 2)


def test_markdown_of_installed_packages_is_split_and_found(embedder: HashingEmbedder) -> None:
    site = Path(pytest.__file__).resolve().parents[1]
    files = [*site.glob("*/*.md"), *site.glob("*.dist-info/**/*.md"), *site.glob("*.dist-info/METADATA")][:4]
    assert files, sys.path
    with VecStore(":memory:") as store:
        for file in files:
            text = file.read_text(encoding="utf-8", errors="replace")[:20_000]
            store.upsert_chunks(file.parent.name, text, Paragraphs(), embedder)
        record = store.list_all()[-1]
        found = store.query_text(record.text or "", embedder, k=1)
        assert found[0].text == record.text
        name = record.metadata["doc_id"]
        assert store.query_text("a", embedder, 3, "doc_id = :name", params={"name": name})
