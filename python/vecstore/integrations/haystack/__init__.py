"""A Haystack document store over vecstore, with three retrievers. Needs ``vecstore[haystack]``.

>>> from haystack import Document
>>> from vecstore.integrations.haystack import VecStoreBM25Retriever, VecStoreDocumentStore
>>> notes = VecStoreDocumentStore()
>>> notes.write_documents([Document(id="fig", content="a ripe fig", meta={"kind": "fruit"}),
...                        Document(id="leek", content="a ripe leek", meta={"kind": "vegetable"})])
2
>>> fruit = {"field": "meta.kind", "operator": "==", "value": "fruit"}
>>> found = VecStoreBM25Retriever(notes).run("ripe", fruit)
>>> [document.id for document in found["documents"]]
['fig']
"""

from vecstore.integrations._opening import missing

try:
    import haystack as _haystack
except ImportError as error:
    raise missing("haystack", "haystack-ai", "haystack") from error

from vecstore.integrations.haystack.document_store import VecStoreDocumentStore
from vecstore.integrations.haystack.retrievers import (
    VecStoreBM25Retriever,
    VecStoreEmbeddingRetriever,
    VecStoreHybridRetriever,
)

__all__ = [
    "VecStoreBM25Retriever",
    "VecStoreDocumentStore",
    "VecStoreEmbeddingRetriever",
    "VecStoreHybridRetriever",
]

del _haystack
