"""Haystack's own suites for document stores, sync and async, which compare documents as they do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("haystack", reason="haystack-ai needs Python 3.11")

from haystack import Document
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DocumentStore, DuplicatePolicy
from haystack.testing import document_store as suites
from haystack.testing import document_store_async as async_suites

from vecstore.integrations.haystack import VecStoreDocumentStore


class TestSync(
    suites.DocumentStoreBaseExtendedTests,
    suites.CountDocumentsByFilterTest,
    suites.CountUniqueMetadataByFilterTest,
    suites.GetMetadataFieldsInfoTest,
    suites.GetMetadataFieldMinMaxTest,
    suites.GetMetadataFieldUniqueValuesTest,
):
    @pytest.fixture(params=["memory", "disk"])
    def document_store(
        self, request: pytest.FixtureRequest, tmp_path: Path
    ) -> Iterator[VecStoreDocumentStore]:
        # Nothing here is about a power cut.
        store = (
            VecStoreDocumentStore()
            if request.param == "memory"
            else VecStoreDocumentStore(tmp_path / "store", embedding_dim=768, durability="none")
        )
        yield store
        store.close()

    def test_write_documents(self, document_store: DocumentStore) -> None:
        documents = [Document(id="b", content="first"), Document(id="a", content="second")]
        assert document_store.write_documents(documents) == 2
        assert document_store.filter_documents() == documents
        with pytest.raises(DuplicateDocumentError):
            document_store.write_documents(documents[:1])


class TestAsync(
    async_suites.CountDocumentsAsyncTest,
    async_suites.CountDocumentsByFilterAsyncTest,
    async_suites.CountUniqueMetadataByFilterAsyncTest,
    async_suites.DeleteAllAsyncTest,
    async_suites.DeleteByFilterAsyncTest,
    async_suites.DeleteDocumentsAsyncTest,
    async_suites.FilterDocumentsAsyncTest,
    async_suites.GetMetadataFieldMinMaxAsyncTest,
    async_suites.GetMetadataFieldUniqueValuesAsyncTest,
    async_suites.GetMetadataFieldsInfoAsyncTest,
    async_suites.UpdateByFilterAsyncTest,
    async_suites.WriteDocumentsAsyncTest,
):
    @pytest.fixture
    def document_store(self) -> Iterator[VecStoreDocumentStore]:
        store = VecStoreDocumentStore()
        yield store
        store.close()

    async def test_write_documents_async(self, document_store: async_suites.AsyncDocumentStore) -> None:
        document = Document(content="first")
        assert await document_store.write_documents_async([document]) == 1
        with pytest.raises(DuplicateDocumentError):
            await document_store.write_documents_async([document], DuplicatePolicy.NONE)
