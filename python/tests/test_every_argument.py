"""Each argument of each public callable, given what nothing can be: an error that names the argument."""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import vecstore
from vecstore import VecDatabase, VecStore, evaluation, importers, rag


class Odd:
    """What no argument may be."""


NEIGHBORS = [
    vecstore.Neighbor("a", 1.0, 0.0, {"text": "x"}, [1.0, 0.0, 0.0]),
    vecstore.Neighbor("b", 0.5, 0.5),
]
SAMPLE = evaluation.EvaluationInput("q", ["c"], "a", "g")
REPORT = evaluation.evaluate([SAMPLE], ["exact_match"])
EMBEDDER = rag.HashingEmbedder(3)

#: What an argument of this name may be, if it has no default or another one would be in the way.
GOOD: dict[str, typing.Any] = {
    **{
        "a": REPORT,
        "b": REPORT,
        "answer": "a",
        "after": 1,
        "before": 1,
        "bottom_right": (0, 1),
        "by": "kind",
    },
    **{"center": (0, 0), "changes": {}, "char_end": 1, "char_start": 0, "byte_end": 1, "byte_start": 0},
    **{"chunks": NEIGHBORS, "compute": len, "content": "a", "criteria": "good", "dataset": [SAMPLE]},
    **{
        "distance": 0.0,
        "doc_id": "d",
        "document_ids": ["a"],
        "document_vectors": [[1.0]],
        "documents": ["a"],
    },
    **{"embedder": EMBEDDER, "grades": [1], "history": ["a"], "high": 2, "human": [1, 0], "id": "apple"},
    **{"ids": ["apple"], "index": 0, "indices_values": {1: 1.0}, "input": SAMPLE, "inputs": [SAMPLE]},
    **{"items": [], "judge": [1, 0], "keywords": "red", "kind": "number", "length": 1, "llm": len, "low": 1},
    **{"max_tokens": 9, "messages": [], "metadata": {}, "metric": evaluation.TokenF1(), "name": "docs"},
    **{"new_name": "new", "operations": [], "p_values": [0.1], "pages": ["a"], "pattern": "a"},
    **{"positive": ["apple"], "prefix": "a", "prefixes": ["a"], "prompt": "a", "qrels": {"q": {"a": 1}}},
    **{"queries": {"q": [1.0, 0.0, 0.0]}, "query": "a", "query_ids": ["q"], "query_vectors": [[1.0]]},
    **{"filter": "kind = 'fruit'", "k": 1},
    **{"radius": 1.0, "ranked_lists": [], "records": [], "reports": [], "reranker": rag.IdentityReranker()},
    **{
        "rerankers": [],
        "result_sets": [],
        "results": NEIGHBORS[:1],
        "role": "user",
        "run": {"q": {"a": 1.0}},
    },
    **{
        "runs": [],
        "score": 1.0,
        "scores": None,
        "source": NEIGHBORS[0],
        "sources": [],
        "splitter": str.split,
    },
    **{"status": "active", "suffix": "a", "synonyms": {}, "template": "{x}", "text": "a", "texts": ["a"]},
    **{"token_estimator": len, "token_vectors": [[1.0]], "top_left": (1, 0), "ttl_seconds": 1, "turn": "a"},
    **{
        "value": 1,
        "values": [1.0, 2.0],
        "vector": [1.0, 0.0, 0.0],
        "vectors": [[1.0, 0.0, 0.0]],
        "words": "a",
    },
    **{"weight": 1.0, "weights": [1.0], "config": None, "quotas": vecstore.NamespaceQuotas(), "data": None},
}
#: Where an argument of this name is another thing than elsewhere.
ELSEWHERE: dict[str, dict[str, typing.Any]] = {
    "VecStore.query_with_params": {
        "query": vecstore.Query([1.0, 0, 0]),
        "params": vecstore.HNSWSearchParams(),
    },
    "VecStore.prefetch_query": {"query": vecstore.PrefetchQuery([])},
    **{f"VecStore.{name}": {"path": "kind"} for name in ("create_index", "distinct", "drop_index", "facets")},
    "VecStore.multi_query": {"vectors": [[1.0, 0.0, 0.0]]},
    "VecStore.upsert_multi_many": {"vectors": [[[1.0, 0.0, 0.0]]]},
    "rag.ScoreReranker": {"score": len},
    "rag.CrossEncoderFn": {"score": len},
    "rag.weighted_fusion": {"weights": []},
    "rag.parent_documents": {"documents": None},
    "evaluation.recall_at_k": {"queries": [[1.0, 0.0, 0.0]]},
    "evaluation.bootstrap_interval": {"values": [1.0, 2.0]},
    "importers.import_from": {"kind": "hnswlib"},
    "rag.OpenAICompatible": {"base_url": "http://127.0.0.1:1", "model": "m"},
    "evaluation.AnswerCorrectness": {"embedder": EMBEDDER},
    "evaluation.AnswerFaithfulness": {"llm": len},
    "evaluation.assert_rag": {"metrics": ["exact_match"]},
    "evaluation.evaluate": {"metrics": ["exact_match"]},
    "evaluation.evaluate_diversity": {"qrels": {"q": {"s": {"a": 1}}}},
    **{
        f"evaluation.{name}": {"a": [1.0, 2.0], "b": [2.0, 1.0]}
        for name in ("cohen_kappa", "paired_t_test", "randomization_test", "wilcoxon_test")
    },
    **{
        f"VecStore.{name}": {"query": vecstore.Query([1.0, 0, 0])}
        for name in ("estimate_query", "explain_query", "query_explain")
    },
}
#: Arguments that may be anything, or that are looked at when they are used.
ANYTHING = {
    *(f"importers.import_{kind} progress" for kind in (*importers.SOURCES, "from")),
    *("Evaluator.evaluate_batch progress", "PromptTemplate.fill value", "PromptTemplate.with_default value"),
    *(
        f"SemanticCache.{name} {of}"
        for name in ("get", "aget", "insert", "ainsert")
        for of in ("default", "value")
    ),
    *("ColBERTReranker.cache_document token_vectors", "rag.Retriever filter", "rag.Retriever params"),
    *("OpenAICompatible.astream messages", "F.is_in values", "Message role", "Message content"),
    *(f"evaluation.{name} embedder" for name in ("evaluate", "evaluate_retrieval", "run_from_collection")),
    *(
        f"evaluation.{name} embedder"
        for name in ("AnswerFaithfulness", "AnswerCorrectness", "AnswerRelevancy")
    ),
    *("evaluation.EmbeddingSimilarity embedder", "evaluation.evaluate llm", "evaluation.cohen_kappa a"),
    *("evaluation.cohen_kappa b", "evaluation.assert_rag baseline", "ColBERTReranker.rerank query"),
    *("ColBERTReranker.arerank query", "evaluation.AnswerFaithfulness llm"),
}


def store() -> VecStore:
    """A store in memory with one record."""
    opened = VecStore(":memory:")
    opened.upsert("apple", [1.0, 0.0, 0.0], {"kind": "fruit"}, text="red")
    return opened


def database() -> VecDatabase:
    """A database in memory with one collection."""
    opened = VecDatabase(":memory:")
    opened.create_collection("docs")
    return opened


OBJECTS: dict[str, Callable[[], typing.Any]] = {
    "VecStore": store,
    "VecDatabase": database,
    "F": lambda: vecstore.F("a"),
    "PromptTemplate": lambda: rag.PromptTemplate("{x}"),
    "ConversationMemory": lambda: rag.ConversationMemory(9),
    "QueryExpander": rag.QueryExpander,
    "HyDEHelper": lambda: rag.HyDEHelper(embedder=EMBEDDER),
    "MultiQueryRetrieval": lambda: rag.MultiQueryRetrieval(store(), EMBEDDER),
    "ContextWindowManager": lambda: rag.ContextWindowManager(9),
    "EmbeddingStore": lambda: rag.EmbeddingStore(store(), EMBEDDER),
    "Retriever": lambda: rag.Retriever(store(), EMBEDDER),
    "HashingEmbedder": lambda: EMBEDDER,
    "CachedEmbedder": lambda: rag.CachedEmbedder(EMBEDDER),
    "OpenAICompatible": lambda: rag.OpenAICompatible("http://127.0.0.1:1", model="m", retries=0),
    "SemanticCache": lambda: rag.SemanticCache(embedder=EMBEDDER),
    "SemanticTextSplitter": lambda: rag.SemanticTextSplitter(EMBEDDER),
    "TokenTextSplitter": rag.TokenTextSplitter,
    "MMRReranker": rag.MMRReranker,
    "RRFReranker": rag.RRFReranker,
    "BM25Reranker": rag.BM25Reranker,
    "BordaCountReranker": rag.BordaCountReranker,
    "ContextualReranker": rag.ContextualReranker,
    "EnsembleReranker": rag.EnsembleReranker,
    "ColBERTReranker": lambda: rag.ColBERTReranker(lambda _: [[1.0]]),
    "Evaluator": lambda: evaluation.Evaluator([evaluation.ExactMatch()]),
    "Report": lambda: REPORT,
}
#: What users do not make themselves, and what only has its values looked at when it is used.
#: Their packages may not be there, or they want files that are.
WANT_FILES = {
    *("rag.OnnxEmbedder", "rag.CrossEncoderReranker", "rag.StaticEmbedder", "evaluation.Report"),
    *("VecStore.import_numpy", "VecStore.import_parquet", "VecStore.import_arrow"),
}
NOT_MADE = (
    BaseException,
    tuple,
    list,
    vecstore.NamespaceStatus,
    rag.Reranker,
    rag.TextSplitter,
    evaluation.Session,
)


def parameters(function: typing.Any) -> list[inspect.Parameter]:
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError:  # classes that cannot be called
        return []
    return [
        one
        for one in found
        if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) and one.name != "self"
    ]


def callables() -> Iterator[tuple[str, Callable[[], Callable[..., typing.Any]]]]:
    """Labels, and what gives the callable anew."""
    for label, make in OBJECTS.items():
        kind = type(make())
        for name in dir(kind):
            if (
                not name.startswith("_")
                and callable(getattr(kind, name))
                and f"{label}.{name}" not in WANT_FILES
            ):
                yield f"{label}.{name}", lambda make=make, name=name: getattr(make(), name)  # type: ignore[misc]
    for module in (rag, evaluation, importers, vecstore):
        for name in module.__all__:
            value = getattr(module, name)
            is_made = not (
                isinstance(value, type)
                and (issubclass(value, NOT_MADE) or hasattr(value, "__dataclass_fields__"))
            )
            label = f"{module.__name__.removeprefix('vecstore.')}.{name}"
            if label in WANT_FILES:
                continue
            if callable(value) and is_made and not name.startswith(("Async", "Distance")):
                yield f"{module.__name__.removeprefix('vecstore.')}.{name}", lambda value=value: value  # type: ignore[misc]


def complaints(label: str, make: Callable[[], typing.Any], directory: Path) -> Iterator[str]:
    """What is wrong with the errors for arguments that are odd."""
    known = parameters(make())
    required = {one.name for one in known if one.default is one.empty}
    for number, parameter in enumerate(known):
        if f"{label} {parameter.name}" in ANYTHING:
            continue
        good = {
            **GOOD,
            "path": directory / str(number),
            "to": directory / "to",
            "store": store(),
            "collection": store(),
        }
        good.update(ELSEWHERE.get(label, {}))
        wanted = required | ELSEWHERE.get(label, {}).keys()
        arguments = {name: good[name] for name in wanted if name != parameter.name}
        try:
            outcome = make()(**arguments, **{parameter.name: Odd()})
            if inspect.isawaitable(outcome):
                asyncio.run(typing.cast("typing.Any", awaited(outcome)))
            yield f"{label}({parameter.name}=Odd()) is accepted"
        except (TypeError, ValueError, vecstore.VecStoreError) as error:
            if parameter.name.rstrip("_") not in str(error):
                yield f"{label}({parameter.name}=Odd()): {type(error).__name__}: {error}"
        except Exception as error:
            yield f"{label}({parameter.name}=Odd()): {error!r}"


async def awaited(outcome: typing.Any) -> typing.Any:
    return await outcome


ALL = dict(callables())


@pytest.mark.parametrize("label", ALL)
def test_an_odd_argument_is_an_error_that_names_it(label: str, tmp_path: Path) -> None:
    assert list(complaints(label, ALL[label], tmp_path)) == []
