"""The LlamaIndex store, with LlamaIndex's own store as the oracle of filters."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llama_index.core", reason="llama-index-core needs Python 3.10")

from llama_index.core import MockEmbedding, StorageContext, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.llms import MockLLM
from llama_index.core.schema import (
    BaseNode,
    Document,
    ImageNode,
    IndexNode,
    NodeRelationship,
    RelatedNodeInfo,
    TextNode,
)
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)
from llama_index.core.vector_stores.utils import build_metadata_filter_fn

import vecstore
from vecstore import VecDatabase, VecStore
from vecstore.integrations.llama_index import VecStoreVectorStore

from .words import counts

TEXTS = {"a": "fig", "b": "fig fig pear", "c": "leek", "d": "leek soup", "e": "pear"}


def node(id: str, text: str, doc: str | None = None, **metadata: Any) -> TextNode:
    made = TextNode(id_=id, text=text, embedding=counts(text), metadata=metadata)
    if doc is not None:
        made.relationships[NodeRelationship.SOURCE] = RelatedNodeInfo(node_id=doc)
    return made


@pytest.fixture
def notes() -> VecStoreVectorStore:
    notes = VecStoreVectorStore()
    notes.add([node(key, text, f"doc-{key in 'ab'}", n=at) for at, (key, text) in enumerate(TEXTS.items())])
    return notes


def where(key: str, operator: FilterOperator, value: Any = None) -> MetadataFilters:
    return MetadataFilters(filters=[MetadataFilter(key=key, operator=operator, value=value)])


def ids(nodes: list[BaseNode] | Any) -> list[str]:
    return [node.node_id for node in nodes]


# Filters

VALUES: list[Any] = [
    None,
    "",
    "x",
    "Xy",
    "a.b",
    0,
    1,
    -2,
    1.0,
    2.5,
    True,
    False,
    [],
    ["x"],
    ["x", "Xy"],
    [1, 2],
    [1.5],
]
OPERANDS: list[Any] = [None, "x", "X", "", ".", 0, 1, 2.5, -2, ["x"], ["x", "Xy"], [1, 2], [1.5], []]


def oracle(metadata: dict[str, Any], filters: MetadataFilters) -> bool | None:
    """What LlamaIndex's own store makes of one node; None where it raises for the types."""
    try:
        return bool(build_metadata_filter_fn(lambda _: metadata, filters)("id"))
    except (TypeError, ValueError):
        return None


def test_each_of_the_14_operators_means_what_it_does_in_llama_index() -> None:
    assert len(FilterOperator) == 14
    notes = VecStoreVectorStore()
    held: dict[str, dict[str, Any]] = {str(at): {"key": value} for at, value in enumerate(VALUES)}
    held["none"] = {}
    notes.add([node(key, "fig", **metadata) for key, metadata in held.items()])
    compared = 0
    for operator in FilterOperator:
        for operand in OPERANDS:
            filters = where("key", operator, operand)
            expected = {key: oracle(metadata, filters) for key, metadata in held.items()}
            try:
                found = set(ids(notes.get_nodes(filters=filters)))
            except vecstore.FilterError:
                # LlamaIndex raises as well, unless there is nothing to compare with, it looks for letters of
                # a str, or orders two lists.
                there = {key for key, metadata in held.items() if metadata.get("key") is not None}
                assert isinstance(operand, (str, list)) or not any(map(expected.get, there)), operator
                continue
            for key, matches in expected.items():
                if matches is not None:
                    assert (key in found) is matches, (operator, operand, held[key])
                    compared += 1
    assert compared > 1400


def test_conditions_nest() -> None:
    rng = random.Random(4)
    held: dict[str, dict[str, Any]] = {
        str(at): {"n": rng.randrange(5), "s": rng.choice("xyz")} for at in range(60)
    }
    notes = VecStoreVectorStore()
    notes.add([node(key, "fig", **metadata) for key, metadata in held.items()])

    def made(depth: int) -> MetadataFilters | MetadataFilter:
        if depth == 0:
            return rng.choice(
                [
                    MetadataFilter(key="n", operator=FilterOperator.GTE, value=rng.randrange(5)),
                    MetadataFilter(key="s", operator=FilterOperator.EQ, value=rng.choice("xyz")),
                ]
            )
        return MetadataFilters(
            filters=[made(depth - 1) for _ in range(rng.randrange(1, 4))],
            condition=rng.choice(list(FilterCondition)),
        )

    def matches(metadata: dict[str, Any], filter: Any) -> bool:
        if isinstance(filter, MetadataFilter):
            return bool(oracle(metadata, MetadataFilters(filters=[filter])))
        parts = [matches(metadata, one) for one in filter.filters]
        return {"and": all(parts), "or": any(parts), "not": not any(parts)}[filter.condition.value]

    for _ in range(40):
        filters = made(3)
        assert isinstance(filters, MetadataFilters)
        expected = sorted(key for key, metadata in held.items() if matches(metadata, filters))
        assert ids(notes.get_nodes(filters=filters)) == expected
    assert len(notes.get_nodes(filters=MetadataFilters(filters=[]))) == 60


def test_filters_that_cannot_be_are_errors(notes: VecStoreVectorStore) -> None:
    for operator in (FilterOperator.IN, FilterOperator.NIN, FilterOperator.ANY, FilterOperator.ALL):
        with pytest.raises(vecstore.FilterError, match="n: expected a list with"):
            notes.get_nodes(filters=where("n", operator, 1))
    with pytest.raises(vecstore.FilterError, match="expected a str with `text_match`, got int"):
        notes.get_nodes(filters=where("n", FilterOperator.TEXT_MATCH, 1))
    with pytest.raises(vecstore.FilterError, match="got a list"):
        notes.get_nodes(filters=where("n", FilterOperator.GT, [1]))
    deep = MetadataFilters(filters=[])
    for _ in range(100):
        deep = MetadataFilters(filters=[deep])
    with pytest.raises(vecstore.FilterError, match="at most 26 conditions in each other"):
        notes.get_nodes(filters=deep)


# Searching


def asked(mode: str, **more: Any) -> VectorStoreQuery:
    return VectorStoreQuery(mode=VectorStoreQueryMode(mode), **more)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (asked("default", query_embedding=counts("fig"), similarity_top_k=2), ["a", "b"]),
        (asked("sparse", query_str="soup pear", similarity_top_k=1, sparse_top_k=3), ["d", "e", "b"]),
        (asked("text_search", query_str="soup"), ["d"]),
        (asked("hybrid", query_embedding=counts("fig"), query_str="soup", alpha=0.0), ["d"]),
        (asked("hybrid", query_embedding=counts("fig"), query_str="soup", alpha=1.0), ["a"]),
        (
            asked("semantic_hybrid", query_embedding=counts("leek"), query_str="soup", hybrid_top_k=2),
            ["d", "c"],
        ),
        (asked("mmr", query_embedding=counts("fig"), similarity_top_k=2, mmr_threshold=0.1), ["a", "c"]),
        (asked("mmr", query_embedding=counts("fig"), similarity_top_k=2, mmr_threshold=1.0), ["a", "b"]),
    ],
)
def test_each_mode_finds_what_it_is_for(
    notes: VecStoreVectorStore, query: VectorStoreQuery, wanted: list[str]
) -> None:
    for found in (notes.query(query), asyncio.run(notes.aquery(query))):
        assert found.ids == wanted
        assert found.nodes is not None
        assert ids(found.nodes) == wanted
        assert found.nodes[0].get_content() == TEXTS[wanted[0]]
        if query.mode != VectorStoreQueryMode.MMR:
            assert found.similarities == sorted(found.similarities or [], reverse=True)


@pytest.mark.parametrize("mode", ["default", "sparse", "text_search", "hybrid", "semantic_hybrid", "mmr"])
def test_filters_and_ids_restrict_every_mode(notes: VecStoreVectorStore, mode: str) -> None:
    whole: dict[str, Any] = {
        "query_embedding": counts("fig"),
        "query_str": "fig leek soup pear",
        "similarity_top_k": 5,
    }
    filters = where("n", FilterOperator.LTE, 2)
    assert sorted(notes.query(asked(mode, filters=filters, **whole)).ids or []) == ["a", "b", "c"]
    assert sorted(notes.query(asked(mode, doc_ids=["doc-True"], **whole)).ids or []) == ["a", "b"]
    assert sorted(notes.query(asked(mode, node_ids=["a", "d"], **whole)).ids or []) == ["a", "d"]
    assert notes.query(asked(mode, node_ids=["d"], doc_ids=["doc-True"], **whole)).ids == []


def test_queries_that_cannot_be_are_errors(notes: VecStoreVectorStore) -> None:
    with pytest.raises(vecstore.InvalidInputError, match="query_embedding: mode default needs one"):
        notes.query(asked("default"))
    with pytest.raises(vecstore.InvalidInputError, match="query_str: mode sparse needs one"):
        notes.query(asked("sparse"))
    with pytest.raises(vecstore.InvalidInputError, match="got svm"):
        notes.query(asked("svm", query_embedding=counts("fig")))
    with pytest.raises(vecstore.InvalidInputError, match="got both"):
        notes.query(asked("mmr", query_embedding=counts("fig")), mmr_prefetch_k=1, mmr_prefetch_factor=1.0)
    with pytest.raises(TypeError, match="no_such"):
        notes.query(asked("default", query_embedding=counts("fig")), no_such=1)
    with pytest.raises(TypeError, match="unexpected keyword arguments: no_such"):
        notes.add([], no_such=1)


# Nodes


@pytest.mark.parametrize(
    "given",
    [
        TextNode(
            id_="t", text="a fig", metadata={"n": 1, "deep": {"a": [1]}}, excluded_llm_metadata_keys=["n"]
        ),
        TextNode(id_="t", text="", metadata={}),
        node("t", "fig", "doc", kind="fruit"),
        IndexNode(id_="t", text="fig", index_id="other"),
        ImageNode(id_="t", text="fig", image="aGVsbG8=", image_mimetype="image/png"),
        Document(id_="t", text="a document", metadata={"n": 1}),
    ],
)
def test_nodes_come_back_as_they_were(given: BaseNode) -> None:
    notes = VecStoreVectorStore()
    given.embedding = [1.0, 0.5]
    assert notes.add([given]) == ["t"]
    (back,) = notes.get_nodes(["t", "no such"])
    given.embedding = None
    assert type(back) is type(given)
    assert back == given
    assert back.ref_doc_id == given.ref_doc_id


def test_nodes_are_deleted_by_document_id_filter_or_all(notes: VecStoreVectorStore) -> None:
    notes.delete("doc-True")
    assert ids(notes.get_nodes()) == ["c", "d", "e"]
    notes.delete("no such")
    notes.delete_nodes(["c", "d"], where("n", FilterOperator.EQ, 3))
    assert ids(notes.get_nodes()) == ["c", "e"]
    notes.delete_nodes()
    notes.delete_nodes(["c"])
    assert ids(notes.get_nodes()) == ["e"]
    notes.delete_nodes(filters=where("n", FilterOperator.EQ, 4))
    assert notes.get_nodes() == []

    async def run() -> None:
        await notes.async_add([node("x", "fig", "doc"), node("y", "leek"), node("z", "pear", n=1)])
        await notes.adelete("doc")
        assert ids(await notes.aget_nodes()) == ["y", "z"]
        await notes.adelete_nodes(["y"])
        assert ids(await notes.aget_nodes(["z", "y"])) == ["z"]
        await notes.aclear()

    asyncio.run(run())
    assert len(notes.client) == 0


def test_a_store_a_collection_or_a_path(tmp_path: Path) -> None:
    notes = VecStoreVectorStore(path=tmp_path / "notes", metric="dot")
    notes.add([node("a", "fig")])
    notes.persist()
    notes.close()
    with VecStore(tmp_path / "notes") as store:
        assert store.distance_metric == "dot"
        assert ids(VecStoreVectorStore(store).get_nodes()) == ["a"]
        assert store.text_query("fig")[0].id == "a"
    with VecDatabase(":memory:") as database:
        notes = VecStoreVectorStore(database.create_collection("notes"))
        notes.close()
        assert notes.add([node("a", "fig")]) == ["a"]
    with pytest.raises(TypeError, match="store: expected a VecStore or a Collection, got str"):
        VecStoreVectorStore("path")  # type: ignore[arg-type]
    assert VecStoreVectorStore().to_dict()["class_name"] == "VecStoreVectorStore"


def test_what_is_no_node_is_said_so(notes: VecStoreVectorStore) -> None:
    notes.client.upsert("plain", counts("fig"), {"n": 9}, text="fig")
    with pytest.raises(vecstore.InvalidInputError, match="use a collection of its own for nodes"):
        notes.get_nodes(["plain"])


class Words(BaseEmbedding):
    def _get_text_embedding(self, text: str) -> list[float]:
        return counts(text)

    def _get_query_embedding(self, query: str) -> list[float]:
        return counts(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return counts(query)


def test_an_index_is_built_asked_and_changed_over_it() -> None:
    notes = VecStoreVectorStore()
    context = StorageContext.from_defaults(vector_store=notes)
    documents = [
        Document(id_=key, text=text, metadata={"n": n}) for n, (key, text) in enumerate(TEXTS.items())
    ]
    index = VectorStoreIndex.from_documents(documents, storage_context=context, embed_model=Words())
    found = index.as_retriever(similarity_top_k=1).retrieve("soup leek")
    assert [one.node.get_content() for one in found] == ["leek soup"]
    hybrid = index.as_retriever(vector_store_query_mode="hybrid", similarity_top_k=1, alpha=0.0)
    assert hybrid.retrieve("pear")[0].node.get_content() == "pear"
    answer = index.as_query_engine(llm=MockLLM(), filters=where("n", FilterOperator.EQ, 3)).query("fig")
    assert [one.node.get_content() for one in answer.source_nodes] == ["leek soup"]
    index.delete_ref_doc("d")
    assert len(notes.client) == 4
    again = VectorStoreIndex.from_vector_store(notes, embed_model=Words())
    assert again.as_retriever(similarity_top_k=1).retrieve("fig")[0].node.ref_doc_id == "a"


def test_a_pipeline_writes_into_it() -> None:
    notes = VecStoreVectorStore()
    pipeline = IngestionPipeline(transformations=[MockEmbedding(embed_dim=4)], vector_store=notes)
    pipeline.run(documents=[Document(text="fig"), Document(text="leek")], show_progress=False)
    assert len(notes.client) == 2
