"""Writing records one by one, time to live, deletes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import vecstore
from vecstore import VecStore


def test_upsert_replaces_the_whole_record(store: VecStore) -> None:
    store.upsert("apple", [0.0, 1.0, 0.0], {"new": True}, text="t")
    store.upsert("apple", [0.0, 0.0, 1.0])
    assert store.get("apple") == vecstore.Record("apple", [0.0, 0.0, 1.0])
    assert len(store) == 3


def test_ids_are_kept_exactly() -> None:
    ids = ["a\0b", "a", "\U0001f34e", "e\u0301", "\u00e9", " ", "x" * 1024, "../..", "%s"]
    with VecStore(":memory:") as store:
        store.upsert_many(ids, [[1.0]] * len(ids))
        assert [record.id for record in store] == sorted(ids)
        assert all(one in store for one in ids)


@pytest.mark.parametrize(
    ("id", "error", "message"),
    [
        ("", vecstore.InvalidInputError, "empty"),
        ("x" * 1025, vecstore.InvalidInputError, "1024 bytes, got 1025"),
        ("x" * 2048, vecstore.InvalidInputError, "1024 bytes, got 2048"),
        ("\u00e9" * 513, vecstore.InvalidInputError, "1024 bytes, got 1026"),
        ("\ud800", vecstore.InvalidInputError, "id: expected valid Unicode"),
        (3, TypeError, "id: expected a str, got int"),
        (b"a", TypeError, "id: expected a str, got bytes"),
        (None, TypeError, "id: expected a str, got NoneType"),
    ],
)
def test_a_bad_id_is_refused_everywhere(
    store: VecStore, id: Any, error: type[Exception], message: str
) -> None:
    calls: list[Any] = [
        lambda: store.upsert(id, [1, 0, 0]),
        lambda: store.get(id),
        lambda: id in store,
        lambda: store.delete(id),
        lambda: store.remove(id),
        lambda: store.soft_delete(id),
        lambda: store.restore(id),
        lambda: store.set_ttl(id, 1),
        lambda: store.update_vector(id, [1, 0, 0]),
        lambda: store.update_metadata(id, {}),
        lambda: store.get_text(id),
    ]
    for call in calls:
        with pytest.raises(error, match=message):
            call()
    assert len(store) == 3


def test_a_bad_id_in_a_list_names_its_place(store: VecStore) -> None:
    with pytest.raises(TypeError, match=r"ids\[1\]: expected a str, got int"):
        store.upsert_many(["a", 3], [[1, 0, 0], [1, 0, 0]])  # type: ignore[list-item]
    for ids in ("apple", 3, None):
        with pytest.raises(TypeError, match="ids: expected a list of str"):
            store.delete_many(ids)  # type: ignore[arg-type]


def test_update_metadata_replaces_and_patch_merges(store: VecStore) -> None:
    store.patch_metadata("apple", {"price": None, "ripe": True})
    apple = store.get("apple")
    assert apple is not None
    assert apple.metadata == {"kind": "fruit", "price": None, "ripe": True}
    assert list(apple.metadata) == ["kind", "price", "ripe"]
    store.update_metadata("apple", {"only": 1})
    assert store.get_many(["apple"])[0] == vecstore.Record("apple", [0.9, 0.1, 0.0], {"only": 1})
    store.update_metadata("apple", None)
    assert store.count({"only": 1}) == 0


def test_update_vector_keeps_the_rest(store: VecStore) -> None:
    store.upsert("apple", [1, 0, 0], {"a": 1}, text="t", ttl_seconds=3600)
    before = store.get("apple")
    store.update_vector("apple", [0, 0, 1])
    after = store.get("apple")
    assert before is not None
    assert after is not None
    assert after.vector == [0.0, 0.0, 1.0]
    assert (after.metadata, after.text, after.expires_at) == (before.metadata, before.text, before.expires_at)


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.update_metadata("no such", {}),
        lambda store: store.patch_metadata("no such", {}),
        lambda store: store.update_vector("no such", [1, 0, 0]),
        lambda store: store.set_ttl("no such", 1),
        lambda store: store.remove("no such"),
        lambda store: store.get_text("no such"),
    ],
)
def test_changing_what_is_not_there_is_a_not_found_error(store: VecStore, call: Any) -> None:
    with pytest.raises(vecstore.NotFoundError, match=r"^no record has the id `no such`$"):
        call(store)


def test_delete_says_whether_it_was_there(store: VecStore) -> None:
    assert store.delete("apple") is True
    assert store.delete("apple") is False
    assert store.delete_many(["pear", "apple", "leek", "pear"]) == 2
    assert store.is_empty()
    assert store.delete_many([]) == 0


def test_remove_removes(store: VecStore) -> None:
    store.remove("apple")
    assert "apple" not in store


def test_delete_where_removes_what_matches(store: VecStore) -> None:
    assert store.delete_where("kind = :kind", params={"kind": "fruit"}) == 2
    assert [record.id for record in store] == ["leek"]
    assert store.delete_where({}) == 1


def test_soft_deleted_records_are_hidden_until_restored(store: VecStore) -> None:
    assert store.soft_delete("apple") is True
    assert store.soft_delete("apple") is False
    assert store.soft_delete("no such") is False
    assert store.get("apple") is None
    assert [neighbor.id for neighbor in store.query([1, 0, 0])] == ["pear", "leek"]
    assert (len(store), store.active_count(), store.deleted_count()) == (2, 2, 1)
    assert [record.id for record in store.list_deleted()] == ["apple"]
    assert [record.id for record in store.list_active()] == ["leek", "pear"]
    assert [(record.id, record.deleted) for record in store.list_all()] == [
        ("apple", True),
        ("leek", False),
        ("pear", False),
    ]
    assert store.restore("apple") is True
    assert store.restore("apple") is False
    assert "apple" in store


def test_an_upsert_shows_a_soft_deleted_record(store: VecStore) -> None:
    store.soft_delete("apple")
    store.upsert("apple", [1, 0, 0])
    assert "apple" in store
    assert store.deleted_count() == 0


def test_an_expired_record_is_never_returned(store: VecStore) -> None:
    store.upsert("gone", [1, 0, 0], {"kind": "fruit"}, text="x", ttl_seconds=0)
    assert store.get("gone") is None
    assert "gone" not in store
    assert len(store) == store.count() == 3
    assert store.count({"kind": "fruit"}) == 2
    assert "gone" not in [neighbor.id for neighbor in store.query([1, 0, 0])]
    assert "gone" not in [record.id for record in store]
    assert "gone" not in [record.id for record in store.list_all()]
    assert not store.has_text("gone")
    assert store.expire_ttl_records() == 1
    assert store.expire_ttl_records() == 0


def test_time_to_live_can_be_set_and_lifted(store: VecStore) -> None:
    before = datetime.now(timezone.utc)
    store.upsert_with_ttl("brief", [1, 0, 0], None, 3600)
    brief = store.get("brief")
    assert brief is not None
    assert brief.expires_at is not None
    assert timedelta(seconds=3599) < brief.expires_at - before < timedelta(seconds=3660)
    store.set_ttl("brief", None)
    lasting = store.get("brief")
    assert lasting is not None
    assert lasting.expires_at is None
    store.set_ttl("brief", 0)
    assert "brief" not in store


def test_the_longest_time_to_live_has_a_date(store: VecStore) -> None:
    store.set_ttl("apple", 2.5e11)
    apple = store.get("apple")
    assert apple is not None
    assert apple.expires_at is not None
    assert apple.expires_at.year > 9000


@pytest.mark.parametrize("seconds", [-1, -1e-9, float("nan"), float("inf"), 1e30, 10**400])
def test_a_bad_time_to_live_is_refused(store: VecStore, seconds: Any) -> None:
    with pytest.raises(vecstore.InvalidInputError, match="ttl_seconds must be between 0 and"):
        store.upsert("a", [1, 0, 0], ttl_seconds=seconds)
    with pytest.raises(vecstore.InvalidInputError, match="ttl_seconds must be between 0 and"):
        store.set_ttl("apple", seconds)
    with pytest.raises(TypeError, match="ttl_seconds: expected a number, got str"):
        store.upsert("a", [1, 0, 0], ttl_seconds="60")  # type: ignore[arg-type]
    assert "a" not in store


def test_text_is_kept_and_limited(store: VecStore) -> None:
    text = "caf\u00e9 \0 \U0001f34e" * 1000
    store.upsert("apple", [1, 0, 0], text=text)
    assert store.get_text("apple") == text
    assert store.has_text("apple")
    assert store.get_text("pear") is None
    assert not store.has_text("no such")
    with pytest.raises(vecstore.InvalidInputError, match="a text may have 16777216 bytes"):
        store.upsert("apple", [1, 0, 0], text="x" * (16 << 20) + "x")
    with pytest.raises(TypeError, match="text: expected a str, got bytes"):
        store.upsert("apple", [1, 0, 0], text=b"x")  # type: ignore[arg-type]
    assert store.get_text("apple") == text


def test_a_failed_upsert_changes_nothing(store: VecStore) -> None:
    before = list(store)
    bad: list[Any] = [([1, float("nan"), 0], {}), ([1, 0], {}), ([1, 0, 0], {"a": 2**64})]
    for vector, metadata in bad:
        with pytest.raises(vecstore.InvalidInputError):
            store.upsert("apple", vector, metadata)
    assert list(store) == before


def test_save_and_flush_return_nothing(store: VecStore) -> None:
    assert store.save() is None  # type: ignore[func-returns-value]
    assert store.flush() is None  # type: ignore[func-returns-value]
