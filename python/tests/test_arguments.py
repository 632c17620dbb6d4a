"""An argument of a wrong type is a `TypeError` that says which one, what was expected, and what came."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import vecstore
from vecstore import VecDatabase, VecStore, evaluation, rag
from vecstore.types import LLM

FLAGS = {"exact", "include_deleted", "include_self", "incremental", "read_only", "with_vectors"}
GOOD: dict[str, typing.Any] = {
    "id": "apple",
    "ids": ["fig"],
    "vector": [1.0, 0.0, 0.0],
    "vectors": [[1.0, 0.0, 0.0]],
    "vectors of multi_query": [[1.0, 0.0, 0.0]],
    "keywords": "red",
    "by": "kind",
    "positive": ["apple"],
    "path": "somewhere",
    "name": "docs",
}


class Odd:
    """What no argument may be."""


def methods_with_flags() -> Iterator[tuple[type, str, str]]:
    for kind in (VecStore, VecDatabase):
        for name in dir(kind):
            method = getattr(kind, name)
            if name.startswith("_") or not callable(method):
                continue
            for flag in FLAGS & inspect.signature(method).parameters.keys():
                yield kind, name, flag


@pytest.mark.parametrize(
    ("kind", "name", "flag"),
    [pytest.param(*case, id=".".join((case[0].__name__, *case[1:]))) for case in methods_with_flags()],
)
def test_a_flag_is_a_bool(store: VecStore, tmp_path: Path, kind: type, name: str, flag: str) -> None:
    opened: typing.Any = store
    if kind is VecDatabase:
        opened = VecDatabase(":memory:")
        opened.create_collection("docs")
    method = getattr(opened, name)
    required = {
        parameter.name: GOOD[parameter.name]
        for parameter in inspect.signature(method).parameters.values()
        if parameter.default is parameter.empty and parameter.name != flag
    }
    if "path" in required:
        required["path"] = tmp_path / "somewhere"
    with pytest.raises(TypeError, match=f"^{flag}: expected a bool, got Odd"):
        method(**required, **{flag: Odd()})


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("path", lambda: VecStore(Odd())),  # type: ignore[arg-type]
        ("path", lambda: VecDatabase(Odd())),  # type: ignore[arg-type]
        ("path", lambda: VecStore(":memory:").backup(Odd())),  # type: ignore[arg-type]
        ("path", lambda: VecStore(":memory:").export_jsonl(Odd())),  # type: ignore[arg-type]
        ("checkpoint", lambda: VecStore(":memory:").import_jsonl("x", checkpoint=Odd())),  # type: ignore[arg-type]
        ("to", lambda: VecStore.restore_backup("x", Odd())),  # type: ignore[arg-type]
        ("path", lambda: VecStore.repair(Odd())),  # type: ignore[arg-type]
    ],
)
def test_a_path_is_named(argument: str, call: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match=f"^{argument}: expected a str or os.PathLike, got Odd"):
        call()


odd: typing.Any = Odd()
CALLS: dict[str, Callable[[VecStore], object]] = {
    "operations: expected a list of BatchOperation, got Odd": lambda store: store.batch_execute(odd),
    "config: expected a CompactionConfig or None, got Odd": lambda store: store.maybe_compact(odd),
    "before: expected a str, got Odd": lambda store: store.highlight("a", "a", before=odd),
    "compression: expected a str, got Odd": lambda store: store.export_parquet("x", compression=odd),
    "vectors[1]: expected": lambda store: store.upsert_multi_many(["a", "b"], [[[1.0, 0, 0]], odd]),
    "items: expected a list of (id, text), got Odd": lambda store: store.batch_upsert_texts(odd, len),
    "items[0]: expected the metadata as a dict or None, got Odd": lambda store: store.batch_upsert_texts(
        [("a", "text", odd)], len
    ),
    "metadata: expected a dict or None, got Odd": lambda store: store.upsert_chunks(
        "a", "text", str.split, len, metadata=odd
    ),
    "page_starts: expected a list of int, got Odd": lambda store: store.upsert_chunks(
        "a", "text", str.split, len, page_starts=odd
    ),
    "id: expected a str, got Odd": lambda _: vecstore.Record(odd, [1.0]),
    "deleted: expected a bool, got Odd": lambda _: vecstore.Record("a", [1.0], deleted=odd),
    "expires_at: expected a datetime or None, got Odd": lambda _: vecstore.Record("a", [1.0], expires_at=odd),
    "score: expected a number, got Odd": lambda _: vecstore.Neighbor("a", odd, 1.0),
    "text: expected a str or None, got Odd": lambda _: vecstore.Neighbor("a", 1.0, 0.0, {}, None, odd),
    "separators: expected a list of str, got Odd": lambda _: rag.RecursiveCharacterTextSplitter(
        separators=odd
    ),
    "separators[0]: expected a str, got Odd": lambda _: rag.RecursiveCharacterTextSplitter(separators=[odd]),
    "keep_graphemes: expected a bool, got Odd": lambda _: rag.TokenTextSplitter(keep_graphemes=odd),
    "encoding: expected a name, a path or a callable, got Odd": lambda _: rag.TokenTextSplitter(encoding=odd),
    "language: expected a str, got Odd": lambda _: rag.CodeTextSplitter(language=odd),
    "text: expected a str, got Odd": lambda _: rag.HashingEmbedder(4).embed(odd),
    "texts: expected an iterable of str, got str": lambda _: rag.embed_texts(
        rag.HashingEmbedder(4), "a text"
    ),
    "result_sets: expected a list of rankings, got Odd": lambda _: rag.reciprocal_rank_fusion(odd),
    "weights: expected a list of numbers, got Odd": lambda _: rag.weighted_fusion([], odd),
    "answer: expected a str, got Odd": lambda _: rag.citations(odd, []),
    "threshold: expected a number, got Odd": lambda _: rag.citations("a", [], odd),
    "synonyms: expected a dict, got Odd": lambda _: rag.QueryExpander(synonyms=odd),
    "pages[1]: expected a str, got Odd": lambda _: rag.join_pages(["a", odd]),
    "measures: expected a list of str, got Odd": lambda _: evaluation.evaluate_run({}, {}, odd),
    "complete: expected a bool, got Odd": lambda _: evaluation.evaluate_run({}, {}, complete=odd),
    "queries: expected a dict, got Odd": lambda store: evaluation.evaluate_retrieval(store, odd, {}),
    "collection: expected a store or collection, got Odd": lambda _: evaluation.recall_at_k(odd, [[1.0]]),
    "runs: expected a list of runs, got Odd": lambda _: evaluation.fuse_runs(odd),
    "votes: expected an int, got Odd": lambda _: evaluation.ContextRelevance(len, votes=odd),
    "permutations: expected an int, got Odd": lambda _: evaluation.randomization_test([1.0], [2.0], odd),
    "p_values: expected a list of numbers, got Odd": lambda _: evaluation.holm(odd),
    "metrics: expected a list of metrics, got Odd": lambda _: evaluation.Evaluator(odd),
    "qrels: expected a dict, got Odd": lambda _: evaluation.write_qrels(odd, "x"),
    "path: expected a path, got Odd": lambda _: evaluation.read_run(odd),
}


@pytest.mark.parametrize("message", CALLS)
def test_an_argument_is_named(store: VecStore, message: str) -> None:
    with pytest.raises(TypeError, match="^" + re.escape(message)):
        CALLS[message](store)


def test_an_embedder_that_hashes_takes_one_text_or_many() -> None:
    embedder = rag.HashingEmbedder(8)
    assert embedder(["a text", "another"]) == [embedder("a text"), embedder("another")]


def test_types_are_there_for_models() -> None:
    def answer(model: LLM, prompt: str) -> str:
        return str(model(prompt) if callable(model) else model.generate(prompt))

    assert answer(str.upper, "a") == "A"
