"""The mem0 store, alone and under mem0's own Memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mem0", reason="mem0ai needs Python 3.10")

import vecstore
from vecstore.integrations.mem0 import VecStoreVectorStore, register

from .words import counts

TEXTS = {"a": "fig", "b": "fig fig pear", "c": "leek", "d": "leek soup", "e": "pear"}


@pytest.fixture
def memories() -> VecStoreVectorStore:
    memories = VecStoreVectorStore(embedding_model_dims=4)
    payloads = [
        {"data": text, "user_id": "ann" if at < 3 else "bob", "n": at, "tags": ["x", key]}
        for at, (key, text) in enumerate(TEXTS.items())
    ]
    memories.insert([counts(text) for text in TEXTS.values()], payloads, list(TEXTS))
    return memories


def ids(found: list[Any]) -> list[str]:
    return [one.id for one in found]


def test_memories_are_found_by_vector_and_by_words(memories: VecStoreVectorStore) -> None:
    found = memories.search("fig", counts("fig"), top_k=2)
    assert ids(found) == ["a", "b"]
    assert found[0].score == pytest.approx(1)
    assert found[0].payload["data"] == "fig"
    assert ids(memories.search("fig", counts("fig"), filters={"user_id": "bob"})) == ["d", "e"]
    assert ids(memories.keyword_search("soup pears", top_k=9)) == ["d", "e", "b"]
    assert ids(memories.keyword_search("leek", filters={"user_id": "bob"})) == ["d"]
    assert [ids(row) for row in memories.search_batch(["", ""], [counts("fig"), counts("leek")])] == [
        ["a"],
        ["c"],
    ]
    assert memories.search_batch([], []) == []


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (None, "abcde"),
        ({}, "abcde"),
        ({"user_id": "ann"}, "abc"),
        ({"user_id": "ann", "n": {"gte": 1, "lt": 3}}, "bc"),
        ({"n": [0, 4]}, "ae"),
        ({"n": {"in": [0, 4]}}, "ae"),
        ({"n": {"nin": [0, 4]}}, "bcd"),
        ({"n": {"ne": 0}}, "bcde"),
        ({"n": {"eq": 1}}, "b"),
        ({"tags": "e"}, "e"),
        ({"data": {"contains": "fig"}}, "ab"),
        ({"data": {"icontains": "FIG F"}}, "b"),
        ({"n": "*"}, "abcde"),
        ({"absent": "*"}, ""),
        ({"OR": [{"n": 0}, {"user_id": "bob", "n": {"gt": 3}}]}, "ae"),
        ({"$or": [{"n": 0}], "OR": [{"n": 0}]}, "a"),
        ({"NOT": [{"n": 0}, {"n": 1}]}, "cde"),
        ({"AND": [{"n": {"gt": 0}}, {"$not": [{"n": 4}]}]}, "bcd"),
    ],
)
def test_filters_of_mem0(memories: VecStoreVectorStore, filters: Any, wanted: str) -> None:
    (listed,) = memories.list(filters)
    assert ids(listed) == list(wanted)


def test_filters_that_cannot_be_are_errors(memories: VecStoreVectorStore) -> None:
    with pytest.raises(vecstore.FilterError, match=r"n: expected an operator of eq, .*, got 'near'"):
        memories.list({"n": {"near": 1}})
    with pytest.raises(vecstore.FilterError, match="OR: expected a list of filters, got dict"):
        memories.list({"OR": {"n": 1}})
    with pytest.raises(vecstore.FilterError, match="filters: expected a dict, got str"):
        memories.list("n = 1")  # type: ignore[arg-type]


def test_memories_are_changed_listed_and_deleted(memories: VecStoreVectorStore) -> None:
    memories.update("a", payload={"data": "soup"})
    memories.update("b", vector=counts("soup"))
    memories.update("c", counts("fig"), {"data": "figs"})
    memories.update("no such", payload={})
    memories.update("a")
    assert ids(memories.keyword_search("soup")) == ["a", "d"]
    assert memories.search("", counts("soup"), top_k=1)[0].payload["data"] == "fig fig pear"
    assert memories.get("c").payload == {"data": "figs"}  # type: ignore[union-attr]
    assert memories.get("no such") is None
    memories.delete("a")
    memories.delete("a")
    assert [ids(row) for row in memories.list(top_k=2)] == [["b", "c"]]
    assert len(memories.list(top_k=None)[0]) == 4
    assert memories.col_info() == {"name": "mem0", "count": 4, "dimension": 4, "metric": "cosine"}
    memories.reset()
    assert memories.list() == [[]]
    memories.delete_col()
    with pytest.raises(vecstore.InvalidInputError, match="the collection `mem0` was deleted"):
        memories.get("a")
    memories.insert([], [], [])


def test_stores_of_one_path_share_it(tmp_path: Path) -> None:
    path = str(tmp_path / "memories")
    one, other = VecStoreVectorStore("one", path, 4), VecStoreVectorStore("other", path, 4)
    one.insert([counts("fig")], ids=["a"])
    assert other.list_cols() == ["one", "other"]
    del one, other
    assert VecStoreVectorStore("one", path, 4).get("a") is not None


def test_memory_of_mem0_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEM0_DIR", str(tmp_path / "mem0"))
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    import mem0.memory.main as mem0_main
    from mem0 import Memory

    monkeypatch.setattr(mem0_main, "MEM0_TELEMETRY", False)
    monkeypatch.setattr(mem0_main, "capture_event", lambda *_, **__: None)
    register()
    memory = Memory.from_config(
        {
            "vector_store": {
                "provider": "vecstore",
                "config": {"path": str(tmp_path / "store"), "embedding_model_dims": 4},
            },
            "history_db_path": str(tmp_path / "history.db"),
        }
    )

    class Words:
        def embed(self, text: str, *_: Any) -> list[float]:
            return counts(text)

        def embed_batch(self, texts: list[str], *_: Any) -> list[list[float]]:
            return [counts(text) for text in texts]

    memory.embedding_model = Words()
    memory.add("ann likes fig soup", user_id="ann", infer=False)
    memory.add("bob likes leek", user_id="bob", infer=False)
    found = memory.search("fig", filters={"user_id": "ann"})["results"]
    assert [one["memory"] for one in found] == ["ann likes fig soup"]
    (everything,) = memory.get_all(filters={"user_id": "bob"})["results"]
    memory.update(everything["id"], "bob likes pear")
    assert memory.get(everything["id"])["memory"] == "bob likes pear"  # pyright: ignore[reportOptionalSubscript]
    memory.delete(everything["id"])
    assert memory.get_all(filters={"user_id": "bob"})["results"] == []
    with pytest.raises(ValueError, match="no_such"):
        Memory.from_config({"vector_store": {"provider": "vecstore", "config": {"no_such": 1}}})
