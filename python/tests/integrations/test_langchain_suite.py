"""LangChain's own suite for vector stores, sync and async."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("langchain_tests", reason="langchain-tests needs Python 3.11")

from langchain_tests.integration_tests import VectorStoreIntegrationTests

from vecstore.integrations.langchain import VecStoreVectorStore


class TestVecStoreVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self) -> Iterator[VecStoreVectorStore]:
        with VecStoreVectorStore(self.get_embeddings()) as store:
            yield store
