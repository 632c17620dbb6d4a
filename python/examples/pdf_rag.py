"""Answers questions about a PDF and names the pages that say so.

Run it with ``python python/examples/pdf_rag.py [file.pdf "a question"]``. Without a file it makes one of
three chapters of Python's reference.
"""

from __future__ import annotations

import sys
import tempfile
import textwrap
from pathlib import Path
from pydoc_data.topics import topics

import pypdf
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

import vecstore
from example_models import PROMPT, load_answerer, load_embedder
from vecstore.rag import Retriever, SentenceTextSplitter, join_pages

CHAPTERS = ("break", "pass", "return")
QUESTIONS = ("What does the pass statement do?", "How do I return a value from a function?")
LINES = 24


def make_pdf(path: Path) -> None:
    """Writes chapters as a PDF, some lines to a page; a real one comes from elsewhere."""
    lines = [
        line for name in CHAPTERS for line in topics[name].encode("ascii", "replace").decode().splitlines()
    ]
    pages = [lines[at : at + LINES] for at in range(0, len(lines), LINES)]
    writer = pypdf.PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
    for page_lines in pages:
        page = writer.add_blank_page(595, 842)
        shown = []
        for line in page_lines:
            escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            shown.append(f"({escaped}) Tj 0 -14 Td")
        content = DecodedStreamObject()
        content.set_data("\n".join(["BT /F1 10 Tf 50 790 Td", *shown, "ET"]).encode())
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        page[NameObject("/Contents")] = writer._add_object(content)
    writer.write(path)


def main(arguments: list[str]) -> None:
    embedder = load_embedder()
    answerer = load_answerer(embedder)
    with tempfile.TemporaryDirectory() as directory, vecstore.VecStore(Path(directory) / "store") as store:
        path = Path(arguments[0]) if arguments else Path(directory) / "reference.pdf"
        if not arguments:
            make_pdf(path)
        pages = [page.extract_text() for page in pypdf.PdfReader(path).pages]
        text, page_starts = join_pages(pages)
        chunks = store.upsert_chunks(
            path.stem, text, SentenceTextSplitter(600), embedder, page_starts=page_starts
        )
        print(f"{len(pages)} pages, {chunks} chunks")

        retriever = Retriever(store, embedder, k=3, max_tokens=1000)
        for question in arguments[1:] or QUESTIONS:
            context = retriever.retrieve(question)
            answer = answerer.generate(PROMPT.format(context=context.text, question=question))
            print(f"\n> {question}\n{textwrap.fill(answer, 100)}\n({answerer.name})")
            for citation in context.citations(answer).citations:
                where = f"{path.name}, page {citation.page}"
                print(f"  [{citation.number}] {where}, supported: {citation.supported}")


if __name__ == "__main__":
    main(sys.argv[1:])
