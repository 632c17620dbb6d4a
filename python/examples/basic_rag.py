"""Answers questions about Python from its language reference: split, embed, store, search, answer, cite.

Run it with ``python python/examples/basic_rag.py ["a question"]``. The reference is what ``help()`` shows,
and comes with Python. `example_models` says which models answer.
"""

from __future__ import annotations

import sys
import tempfile
from pydoc_data.topics import topics

import vecstore
from example_models import PROMPT, load_answerer, load_embedder
from vecstore.rag import RecursiveCharacterTextSplitter, Retriever

TOPICS = ("assert", "break", "continue", "pass", "return", "while")
QUESTIONS = ("Which statement ends a loop?", "How do I return a value from a function?")


def main(questions: list[str]) -> None:
    embedder = load_embedder()
    answerer = load_answerer(embedder)
    splitter = RecursiveCharacterTextSplitter(800, 100)
    with tempfile.TemporaryDirectory() as directory, vecstore.VecStore(directory) as store:
        for name in TOPICS:
            # One atomic, durable write for each document; the ids are `break_0`, `break_1`...
            store.upsert_chunks(name, topics[name], splitter, embedder, metadata={"topic": name})
        print(f"{len(store)} chunks of {len(TOPICS)} topics")

        retriever = Retriever(store, embedder, k=3, max_tokens=1200)
        for question in questions or QUESTIONS:
            context = retriever.retrieve(question)
            answer = answerer.generate(PROMPT.format(context=context.text, question=question))
            print(f"\n> {question}\n{answer}\n({answerer.name})")
            for citation in context.citations(answer).citations:
                print(f"  [{citation.number}] {citation.id}, supported: {citation.supported}")


if __name__ == "__main__":
    main(sys.argv[1:])
