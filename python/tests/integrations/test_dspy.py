# pyright: reportAttributeAccessIssue=false, reportReturnType=false
# What a module of DSPy returns has the attributes that it was given.
"""The DSPy retrievers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("dspy", reason="its pinned packages need Python 3.11")

import dspy

import vecstore
from vecstore.integrations.dspy import VecStoreRetriever, VecStoreRM

from .words import embed

TEXTS = {"a": "fig", "b": "fig fig pear", "c": "leek", "d": "leek soup", "e": "pear"}


@pytest.fixture
def notes() -> Iterator[vecstore.VecStore]:
    with vecstore.VecStore(":memory:") as notes:
        notes.upsert_many(
            list(TEXTS), embed(TEXTS.values()), [{"n": n} for n in range(5)], texts=list(TEXTS.values())
        )
        yield notes


def test_a_retriever_returns_passages(notes: vecstore.VecStore) -> None:
    found = VecStoreRetriever(notes, embed, k=2)("fig")
    assert isinstance(found, dspy.Prediction)
    assert found.passages == ["fig", "fig fig pear"]
    assert found.ids == ["a", "b"]
    assert found.metadatas == [{"n": 0}, {"n": 1}]
    assert found.scores[0] == pytest.approx(1)
    assert VecStoreRetriever(notes, embed)("fig", k=1).ids == ["a"]
    assert VecStoreRetriever(notes, embed, k=1, filter="n > 1")("fig").ids == ["d"]
    assert VecStoreRetriever(notes, embed, filter="n > 1")("fig", k=1, filter={"n": 1}).ids == ["b"]
    assert VecStoreRetriever(notes, embed, k=1, alpha=0.0)("soup").ids == ["d"]
    assert VecStoreRetriever(notes, dspy.Embedder(embed, caching=False), k=1)("leek").ids == ["c"]


def test_dspy_retrieves_through_what_is_configured(notes: vecstore.VecStore) -> None:
    with dspy.context(rm=VecStoreRM(notes, embed)):
        assert dspy.Retrieve(k=2)("fig").passages == ["fig", "fig fig pear"]
    (one,) = VecStoreRM(notes, embed, k=1)("fig")
    assert (one.long_text, one.id, one.metadata) == ("fig", "a", {"n": 0})


def test_a_module_keeps_its_k(notes: vecstore.VecStore) -> None:
    class Search(dspy.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.retrieve = VecStoreRetriever(notes, embed, k=2)

        def forward(self, question: str) -> dspy.Prediction:
            return self.retrieve(question)

    module = Search()
    module.load_state({"retrieve": {"k": 1}})
    assert module(question="fig").ids == ["a"]


def test_what_is_no_store_is_said_so() -> None:
    with pytest.raises(TypeError, match="store: expected a VecStore or a Collection, got str"):
        VecStoreRetriever("notes", embed)  # type: ignore[arg-type]
