# pyright: reportIncompatibleMethodOverride=false
"""Retrievers of DSPy over vecstore. Needs ``vecstore[dspy]``.

>>> import vecstore
>>> from vecstore.integrations.dspy import VecStoreRetriever
>>> from vecstore.rag import HashingEmbedder
>>> notes, embedder = vecstore.VecStore(":memory:"), HashingEmbedder(64)
>>> notes.batch_upsert_texts([("fig", "a ripe fig"), ("leek", "a long leek")], embedder)
2
>>> VecStoreRetriever(notes, embedder, k=1)("a fig").passages
['a ripe fig']
"""

from __future__ import annotations

import typing

from vecstore._types import Filter
from vecstore._vecstore import BaseCollection, Neighbor
from vecstore.integrations._opening import missing

try:
    import dspy
    from dspy.dsp.utils import dotdict
except ImportError as error:
    raise missing("dspy", "dspy", "dspy") from error

if typing.TYPE_CHECKING:
    from vecstore.rag import TextEmbedder

__all__ = ["VecStoreRM", "VecStoreRetriever"]


class _Searching(dspy.Retrieve):  # type: ignore[misc, unused-ignore]
    """What both retrievers do: embed the query and search."""

    def __init__(
        self,
        store: BaseCollection,
        embedder: TextEmbedder | typing.Any,
        k: int = 3,
        *,
        filter: Filter | None = None,
        alpha: float | None = None,
        callbacks: typing.Any = None,
    ) -> None:
        if not isinstance(store, BaseCollection):
            raise TypeError(f"store: expected a VecStore or a Collection, got {type(store).__name__}")
        super().__init__(k=k, callbacks=callbacks)
        self.store = store
        self.embedder = embedder
        self.filter = filter
        self.alpha = alpha

    def _neighbors(self, query: str, k: int | None, filter: Filter | None) -> list[Neighbor]:
        from vecstore.rag import embed_texts

        vector = embed_texts(self.embedder, [query])[0]
        k = self.k if k is None else k
        wanted = self.filter if filter is None else filter
        if self.alpha is None:
            return self.store.query(vector, k, wanted, include=("metadata", "text"))
        return self.store.hybrid_query(vector, query, k, self.alpha, wanted, include=("metadata", "text"))


class VecStoreRetriever(_Searching):
    """Finds passages for a query: a module, or a part of one.

    Parameters
    ----------
    store : VecStore or Collection
        Where the passages are, as texts of records, or as ``text`` in their metadata.
    embedder : TextEmbedder or callable
        Turns queries into vectors: one of `vecstore.rag`, a ``dspy.Embedder``, or a function of texts.
    k : int
        The most passages.
    filter : optional
        Restricts every search, in any spelling of vecstore's.
    alpha : float, optional
        Makes searches hybrid: the weight of the vector, 0 to 1, that of the words being the rest.
    callbacks : optional
        As in ``dspy.Retrieve``.
    """

    def forward(self, query: str, k: int | None = None, filter: Filter | None = None) -> dspy.Prediction:
        """A prediction with ``passages``, the best first, and their ``ids``, ``scores`` and ``metadatas``."""
        from vecstore.rag._results import text_of

        found = self._neighbors(query, k, filter)
        return dspy.Prediction(
            passages=[text_of(neighbor) for neighbor in found],
            ids=[neighbor.id for neighbor in found],
            scores=[neighbor.score for neighbor in found],
            metadatas=[neighbor.metadata for neighbor in found],
        )


class VecStoreRM(_Searching):
    """The same for ``dspy.configure(rm=...)``, which ``dspy.Retrieve`` asks. Made as `VecStoreRetriever`."""

    def forward(self, query: str, k: int | None = None, filter: Filter | None = None) -> list[typing.Any]:
        """Passages, each with ``long_text``, ``id``, ``score`` and ``metadata``."""
        from vecstore.rag._results import text_of

        return [
            dotdict(long_text=text_of(one), id=one.id, score=one.score, metadata=one.metadata)
            for one in self._neighbors(query, k, filter)
        ]
