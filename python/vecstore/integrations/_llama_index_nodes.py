"""Nodes of LlamaIndex as metadata and text of a record, and back.

The metadata has the node's own fields, for filters; ``_node_content``, the whole node as JSON without its
embedding and, where the record has it, its text; and ids under the names that other stores use for them.
"""

from __future__ import annotations

import json
import typing

from llama_index.core.schema import (
    BaseNode,
    Document,
    ImageDocument,
    ImageNode,
    IndexNode,
    MetadataMode,
    Node,
    TextNode,
)

from vecstore._errors import InvalidInputError

__all__ = ["NODE_ID", "REF_DOC_ID", "metadata_of", "node_of"]

NODE_ID = "_node_id"
REF_DOC_ID = "ref_doc_id"
_CONTENT, _TYPE = "_node_content", "_node_type"
_KINDS: dict[str, type[BaseNode]] = {
    kind.class_name(): kind for kind in (TextNode, ImageNode, IndexNode, Node, Document, ImageDocument)
}


def metadata_of(node: BaseNode) -> dict[str, typing.Any]:
    """What a record keeps of a node beside its embedding and its text."""
    whole = node.model_dump(mode="json")
    whole["embedding"] = None
    own = whole.get("metadata") or {}
    if isinstance(node, TextNode) and node.get_content(MetadataMode.NONE) == whole.get("text"):
        whole["text"] = None
    return {
        **own,
        _CONTENT: json.dumps(whole, ensure_ascii=False),
        _TYPE: node.class_name(),
        NODE_ID: node.node_id,
        "document_id": node.ref_doc_id,
        "doc_id": node.ref_doc_id,
        REF_DOC_ID: node.ref_doc_id,
    }


def node_of(metadata: dict[str, typing.Any], text: str | None) -> BaseNode:
    """The node that a record was made of."""
    content = metadata.get(_CONTENT)
    if not isinstance(content, str):
        raise InvalidInputError(
            "a record is no node of LlamaIndex: its metadata lacks `_node_content`; "
            "use a collection of its own for nodes"
        )
    whole = json.loads(content)
    if "text" in whole and whole["text"] is None:
        whole["text"] = text or ""
    return _KINDS.get(metadata.get(_TYPE, ""), TextNode).from_dict(whole)
