"""`python -m demo` from the root of the repository: embeds the reference if need be, then answers questions.

The environment variable QUESTION asks one question instead of the five below.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from pathlib import Path
from pydoc_data.topics import topics

import vecstore
from demo.embedder import DIMENSION, Embedder, ModelError
from demo.reference import describe_source, embed_missing, forget_other_sources, read_passages

STORE = Path(__file__).resolve().parent.parent / ".demo"
QUESTIONS = (
    "How do I define a class attribute that is computed on access?",
    "How does a context manager suppress an exception?",
    "When are the default values of function parameters evaluated?",
    "Why can a list not be used as a dictionary key?",
    "Does the else clause of a loop run after break?",
)
ANSWERS_PER_QUESTION = 3
#: Lines shown of each passage when all five questions are answered; one question's answers are shown in full.
EXCERPT_LINES = 12


def main() -> int:
    """Runs the demo and returns the exit status."""
    began = time.perf_counter()
    embedder = Embedder()
    passages = read_passages(topics, embedder)
    source = describe_source(passages)
    with vecstore.VecStore(STORE, dim=DIMENSION) as store:
        stale = forget_other_sources(store, source)
        if stale:
            print(f"Forgot {stale} passages of another Python version or model.")
        added = embed_missing(store, passages, source, embedder)
        did = f"embedded {added} of" if added else "found"
        print(f"{source}")
        print(
            f"{did} {len(store)} passages in {_shown(STORE)}; ready after {time.perf_counter() - began:.1f} s"
        )
        question = os.environ.get("QUESTION", "").strip()
        for each in [question] if question else QUESTIONS:
            answer(each, store, embedder, None if question else EXCERPT_LINES)
    if not question:
        print('\nAsk your own: make demo QUESTION="How do I ...?"')
    return 0


def answer(question: str, store: vecstore.VecStore, embedder: Embedder, most_lines: int | None) -> None:
    """Prints the passages nearest to `question`."""
    began = time.perf_counter()
    vector = embedder.embed([question])[0]
    embedded = time.perf_counter()
    neighbors = store.query(vector, k=ANSWERS_PER_QUESTION)
    searched = time.perf_counter()
    print(f"\n{'=' * _width()}\n{question}")
    print(f"embedded in {1e3 * (embedded - began):.1f} ms, searched in {1e3 * (searched - embedded):.2f} ms")
    for rank, neighbor in enumerate(neighbors, 1):
        found = neighbor.metadata
        place = f"topic `{found['topic']}`, characters {found['start']}-{found['end']}"
        print(f"\n[{rank}] score {neighbor.score:.3f}, {place}")
        lines = [folded for line in found["text"].splitlines() for folded in _folded(line)]
        print("\n".join(lines[:most_lines]))
        if most_lines is not None and len(lines) > most_lines:
            print(f"... {len(lines) - most_lines} more lines")


def _folded(line: str) -> list[str]:
    """`line` folded to the terminal's width under its own indentation."""
    if len(line) <= _width():
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line.strip(), _width(), initial_indent=indent, subsequent_indent=indent)


def _width() -> int:
    return max(40, min(100, shutil.get_terminal_size().columns))


def _shown(path: Path) -> str:
    """`path` as the user would type it from the current directory."""
    return os.path.relpath(path)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nInterrupted: what was embedded is stored, and the next run goes on from there.")
    except BrokenPipeError:  # `make demo | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ModelError, vecstore.VecStoreError) as error:
        sys.exit(f"demo: {error}")
