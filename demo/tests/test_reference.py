"""The demo's work on a few topics: the real model, a real store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
import numpy.typing as npt
import pytest

import vecstore
from demo.embedder import DIMENSION, Embedder, ModelError, _verified
from demo.passages import Passage
from demo.reference import describe_source, embed_missing, forget_other_sources, read_passages


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture(scope="module")
def passages(embedder: Embedder) -> list[Passage]:
    return read_passages({name: topics[name] for name in ("break", "function", "yield")}, embedder)


class Interrupting(Embedder):
    """An embedder whose second batch is interrupted, as by Ctrl-C."""

    batches = 0

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.batches += 1
        if self.batches == 2:
            raise KeyboardInterrupt
        return np.ones((len(texts), DIMENSION), np.float32)


def test_similarities_are_those_published_for_the_model(embedder: Embedder) -> None:
    vectors = embedder.embed(
        ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    )
    published = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    # The int8 weights move a similarity by about 0.002 here.
    np.testing.assert_allclose(vectors @ vectors.T, published, atol=0.01)


def test_padding_does_not_change_a_vector(embedder: Embedder) -> None:
    alone = embedder.embed(["a short text"])[0]
    beside_a_long_one = embedder.embed(["a short text", "a long text " * 50])[0]
    # Dynamic quantisation takes its scale from the whole batch, hence no exact equality.
    assert alone @ beside_a_long_one > 0.98


def test_text_beyond_the_window_is_not_read(embedder: Embedder) -> None:
    long = "word " * 254
    vectors = embedder.embed([long, f"{long} something else entirely"])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-5)


def test_a_changed_model_file_is_refused() -> None:
    with pytest.raises(ModelError, match="is not the expected file"):
        _verified(b"altered", Path("model.onnx"), "0" * 64)


def test_answers_survive_reopening(tmp_path: Path, embedder: Embedder, passages: list[Passage]) -> None:
    source = describe_source(passages)
    with vecstore.VecStore(tmp_path, dim=DIMENSION) as store:
        assert embed_missing(store, passages, source, embedder) == len(passages)
    with vecstore.VecStore(tmp_path, dim=DIMENSION) as store:
        assert embed_missing(store, passages, source, embedder) == 0
        nearest = store.query(embedder.embed(["How do generators produce values?"])[0], k=1)[0]
    found = nearest.metadata
    assert found["topic"] == "yield"
    assert topics["yield"][found["start"] : found["end"]] == found["text"]


def test_an_interrupted_embedding_resumes(
    tmp_path: Path, embedder: Embedder, passages: list[Passage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.reference.BATCH_PASSAGES", 2)
    source = describe_source(passages)
    with vecstore.VecStore(tmp_path, dim=DIMENSION) as store, pytest.raises(KeyboardInterrupt):
        embed_missing(store, passages, source, Interrupting())
    with vecstore.VecStore(tmp_path, dim=DIMENSION) as store:
        assert len(store) == 2
        assert embed_missing(store, passages, source, embedder) == len(passages) - 2
        assert len(store) == len(passages)


def test_another_source_replaces_the_passages(
    tmp_path: Path, embedder: Embedder, passages: list[Passage]
) -> None:
    with vecstore.VecStore(tmp_path, dim=DIMENSION) as store:
        embed_missing(store, passages, "another Python", embedder)
        source = describe_source(passages)
        assert forget_other_sources(store, source) == len(passages)
        assert forget_other_sources(store, source) == 0
        assert len(store) == 0
