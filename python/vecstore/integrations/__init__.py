"""vecstore in the frameworks that people build retrieval with; an extra installs what each module needs.

========================================  =========================  ====================================
module                                    extra                      what it has
========================================  =========================  ====================================
``vecstore.integrations.langchain``       ``vecstore[langchain]``    a ``VectorStore``, a text splitter
``vecstore.integrations.haystack``        ``vecstore[haystack]``     a ``DocumentStore``, three retrievers
``vecstore.integrations.llama_index``     ``vecstore[llama-index]``  a ``BasePydanticVectorStore``
``vecstore.integrations.mem0``            ``vecstore[mem0]``         a ``VectorStoreBase``
``vecstore.integrations.dspy``            ``vecstore[dspy]``         a retriever
========================================  =========================  ====================================

Importing ``vecstore`` imports none of them.
"""

__all__: list[str] = []
