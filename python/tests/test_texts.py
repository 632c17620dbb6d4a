"""Searching by words, by sparse vectors, and by both kinds with vectors."""

from __future__ import annotations

import math
import pickle
import random
import re
from collections import Counter

import numpy as np
import pytest

import vecstore

WORDS = [f"w{n}" for n in range(60)]


def corpus(count: int, seed: int = 1) -> list[str]:
    """Texts of words of which some are in most and some in few."""
    draw = random.Random(seed)
    return [
        " ".join(WORDS[int(len(WORDS) * draw.random() ** 3)] for _ in range(1 + draw.randrange(12)))
        for _ in range(count)
    ]


def filled(texts: list[str], path: object = ":memory:") -> vecstore.VecStore:
    store = vecstore.VecStore(path)  # type: ignore[arg-type]
    vectors = np.random.default_rng(0).normal(size=(len(texts), 8)).astype(np.float32)
    store.upsert_many([f"{n:05d}" for n in range(len(texts))], vectors, texts=texts)
    return store


def bm25(texts: list[str], query: str) -> list[float]:
    """BM25 by its formula: k1 1.2, b 0.75, an idf that is never negative."""
    split = [Counter(re.findall(r"\w+", text)) for text in texts]
    lengths = [sum(words.values()) for words in split]
    mean = sum(lengths) / len(texts)
    scores = [0.0] * len(texts)
    for word in query.split():
        rows = sum(word in words for words in split)
        idf = math.log(1 + (len(texts) - rows + 0.5) / (rows + 0.5))
        for n, words in enumerate(split):
            times = words[word]
            scores[n] += idf * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * lengths[n] / mean))
    return scores


def check(found: list[vecstore.Neighbor], scores: list[float], k: int, tolerance: float = 1e-4) -> None:
    """Fails unless `found` are the k best of the scores, by score and then id."""
    best = sorted((score for score in scores if score > 0), reverse=True)[:k]
    assert [neighbor.score for neighbor in found] == pytest.approx(best, rel=tolerance)
    for neighbor in found:
        assert neighbor.score == pytest.approx(scores[int(neighbor.id)], rel=tolerance)
        assert neighbor.distance == -neighbor.score
    assert len({neighbor.id for neighbor in found}) == len(found)


QUERIES = ["w0", "w3 w40", "w1 w2 w3", "w0 w1 w59", "w7 w7 w9", "w50 w51 w52 w53 w54"]


@pytest.mark.parametrize("compacted", [False, True])
@pytest.mark.parametrize("query", QUERIES)
def test_the_ranking_is_that_of_the_formula(query: str, compacted: bool) -> None:
    texts = corpus(3000)
    store = filled(texts)
    if compacted:
        store.compact()
    check(store.text_query(query), bm25(texts, query), 10)
    check(store.text_query(query, 200), bm25(texts, query), 200)


def test_the_ranking_is_that_of_bm25s() -> None:
    bm25s = pytest.importorskip("bm25s")

    texts = corpus(2000, seed=2)
    model = bm25s.BM25(k1=1.2, b=0.75, method="lucene", dtype="float64")
    model.index([text.split() for text in texts], show_progress=False)
    store = filled(texts)
    for query in QUERIES:
        # It leaves out the factor k1 + 1, which changes no order.
        check(store.text_query(query), (model.get_scores(query.split()) * 2.2).tolist(), 10)


def test_the_ranking_is_that_of_tantivy() -> None:
    tantivy = pytest.importorskip("tantivy")

    schema = tantivy.SchemaBuilder()
    schema.add_text_field("id", stored=True, tokenizer_name="raw")
    schema.add_text_field("text", tokenizer_name="default")
    index = tantivy.Index(schema.build())
    writer = index.writer(num_threads=1)
    texts = corpus(2000, seed=3)  # short ones: tantivy rounds lengths over 40
    for n, text in enumerate(texts):
        writer.add_document(tantivy.Document(id=f"{n:05d}", text=text))
    writer.commit()
    index.reload()
    searcher = index.searcher()
    store = filled(texts)
    for query in QUERIES:
        if len(set(query.split())) < len(query.split()):
            continue  # there a word that is given twice counts once
        scores = [0.0] * len(texts)
        for score, address in searcher.search(index.parse_query(query, ["text"]), len(texts)).hits:
            scores[int(searcher.doc(address)["id"][0])] = score
        check(store.text_query(query), scores, 10)


def test_deleted_and_replaced_texts_do_not_count() -> None:
    texts = corpus(800)
    store = filled(corpus(800, seed=9))
    store.compact()
    vectors = np.ones((800, 8), np.float32)
    store.upsert_many([f"{n:05d}" for n in range(800)], vectors, texts=texts)
    store.delete_many([f"{n:05d}" for n in range(600, 800)])
    check(store.text_query("w1 w2 w30"), bm25(texts[:600], "w1 w2 w30"), 10)


def test_a_filter_restricts_the_search_and_changes_no_score() -> None:
    texts = corpus(1500)
    store = vecstore.VecStore(":memory:", dim=2)
    ids = [f"{n:05d}" for n in range(len(texts))]
    metadatas = [{"n": n, "rare": n % 97 == 0} for n in range(len(texts))]
    store.upsert_many(ids, np.ones((len(texts), 2)), metadatas, texts=texts)
    scores = bm25(texts, "w0 w5 w9")
    for compacted in (False, True):
        if compacted:
            store.compact()
        rare = [score if n % 97 == 0 else 0.0 for n, score in enumerate(scores)]
        check(store.text_query("w0 w5 w9", 10, {"rare": True}), rare, 10)
        some = [score if n < 900 else 0.0 for n, score in enumerate(scores)]
        check(store.text_query("w0 w5 w9", 10, "n < :most", params={"most": 900}), some, 10)
        assert store.text_query("w0", filter={"n": -1}) == []


def test_signs_phrases_and_prefixes() -> None:
    store = vecstore.VecStore(":memory:", dim=1)
    for name, text in [("a", "New York solar"), ("b", "york: new"), ("c", "solar panels")]:
        store.upsert(name, [1.0], text=text)

    def found(keywords: str) -> list[str]:
        return sorted(neighbor.id for neighbor in store.text_query(keywords))

    assert found("york solar") == ["a", "b", "c"]
    assert found("+york solar") == ["a", "b"]
    assert found("york -solar") == ["b"]
    assert found('"new york"') == ["a"]
    assert found("pan*") == ["c"]
    assert found("...") == found("") == []


def test_analyzers_are_chosen_kept_and_checked(tmp_path: object) -> None:
    path = str(tmp_path)
    with vecstore.VecStore(path, analyzer="english", text_fields=["title"]) as store:
        store.upsert("a", [1.0], {"title": "Running"}, text="the dogs")
        assert store.config.analyzer == "english"
        assert store.config.text_fields == ("title",)
    with vecstore.VecStore(path) as store:
        assert [neighbor.id for neighbor in store.text_query("run")] == ["a"]
        assert [neighbor.id for neighbor in store.text_query("dog", boosts={"title": 0})] == ["a"]
        assert store.text_query("run", boosts={"title": 0}) == []
        assert store.highlight("run", "He runs") == ["He <b>runs</b>"]
        with pytest.raises(vecstore.InvalidInputError, match="no text field `name`"):
            store.text_query("dog", boosts={"name": 1.0})
    with pytest.raises(vecstore.InvalidInputError, match="has the analyzer english, got standard"):
        vecstore.VecStore(path, analyzer="standard")
    with pytest.raises(vecstore.InvalidInputError, match=r"analyzer must be standard.*got `klingon`"):
        vecstore.VecStore(":memory:", analyzer="klingon")


SPARSE: list[object] = [
    {7: 0.5, 3: 2.0},
    ([7, 3], [0.5, 2.0]),
    (np.array([7, 3]), np.array([0.5, 2.0], np.float32)),
    [(7, 0.5), (3, 2.0)],
]


@pytest.mark.parametrize("sparse", SPARSE)
def test_sparse_vectors_are_taken_in_every_form(sparse: object) -> None:
    store = vecstore.VecStore(":memory:", dim=1)
    store.upsert("a", [1.0], sparse=sparse)  # type: ignore[arg-type]
    store.upsert_many(["b", "c"], [[1.0], [2.0]], sparse=[{7: 4.0}, None])
    store.batch_upsert([{"id": "d", "vector": [1.0], "sparse": sparse}])
    store.batch_execute([vecstore.BatchOperation.upsert("e", [1.0], sparse={9: 1.0})])
    found = store.sparse_query(sparse)  # type: ignore[call-overload]
    assert [(neighbor.id, neighbor.score) for neighbor in found] == [("a", 4.25), ("d", 4.25), ("b", 2.0)]
    record = store.get("a")
    assert record is not None
    assert record.sparse == {3: 2.0, 7: 0.5}
    assert pickle.loads(pickle.dumps(record)) == record
    assert "sparse={3: 2.0, 7: 0.5}" in repr(record)
    other = vecstore.VecStore(":memory:", dim=1)
    other.batch_upsert([record])
    assert other.get("a") == record


@pytest.mark.parametrize(
    ("sparse", "message"),
    [
        (([3, 3], [1.0, 2.0]), "expected each index once, got 3 twice"),
        (([3, 4], [1.0]), "expected a value for each index, got 2 and 1"),
        ({-1: 1.0}, "an index from 0 to 4294967295, got -1"),
        ({1: float("nan")}, "finite weight for index 1, got NaN"),
        ({1: "x"}, "a number for index 1, got 'x'"),
    ],
)
def test_bad_sparse_vectors_are_refused(sparse: object, message: str) -> None:
    store = vecstore.VecStore(":memory:", dim=1)
    for call in (
        lambda: store.upsert("a", [1.0], sparse=sparse),  # type: ignore[arg-type]
        lambda: store.sparse_query(sparse),  # type: ignore[call-overload]
    ):
        with pytest.raises(vecstore.InvalidInputError, match=message):
            call()
    with pytest.raises(TypeError, match="sparse: expected a dict"):
        store.upsert("a", [1.0], sparse=5)  # type: ignore[arg-type]


def test_bad_text_queries_are_refused() -> None:
    store = filled(corpus(10))
    with pytest.raises(vecstore.InvalidInputError, match="65536 bytes, got 1000000"):
        store.text_query("word " * 200_000)
    with pytest.raises(TypeError, match="keywords: expected a str, got int"):
        store.text_query(5)  # type: ignore[call-overload]
    with pytest.raises(vecstore.InvalidInputError, match="k must be between"):
        store.text_query("w1", 0)
    with pytest.raises(vecstore.NotFoundError):
        store.index_text("no such", "text")


def test_alpha_1_is_the_vector_and_alpha_0_the_words() -> None:
    store = filled(corpus(500))
    vector = np.random.default_rng(5).normal(size=8)
    fusions = ["rrf", "relative", "dbsf", "weighted", "max", "min", "mnz", "borda", "isr"]
    for kept in (None, {"$not": {"x": 1}}):
        by_vector = [neighbor.id for neighbor in store.query(vector, 20, kept)]
        by_words = [neighbor.id for neighbor in store.text_query("w1 w20", 20, kept)]
        for fusion in fusions:
            ids = [
                [n.id for n in store.hybrid_query(vector, "w1 w20", 20, alpha, kept, fusion=fusion)]  # type: ignore[call-overload]
                for alpha in (1, 0)
            ]
            assert ids == [by_vector, by_words]


def test_hybrid_ranks_are_explained() -> None:
    store = filled(corpus(500))
    vector = np.random.default_rng(5).normal(size=8)
    query = vecstore.HybridQuery(vector, "w1 w20", k=5, alpha=0.5, candidates=40)
    explained = store.query_explain(query)
    assert [e.id for e in explained] == [
        n.id for n in store.hybrid_query(vector, "w1 w20", 5, 0.5, candidates=40)
    ]
    for rank, neighbor in enumerate(explained, 1):
        how = neighbor.explanation
        assert isinstance(how, vecstore.HybridExplanation)
        assert (how.rank, how.fusion, how.alpha) == (rank, "rrf", 0.5)
        ranks = [r for r in (how.vector_rank, how.text_rank) if r is not None]
        assert neighbor.score == pytest.approx(sum(0.5 / (60 + r) for r in ranks), rel=1e-5)


def test_hybrid_arguments_are_checked() -> None:
    store = filled(corpus(10))
    for arguments, message in [
        ({"alpha": 1.5}, "alpha must be between 0 and 1, got 1.5"),
        ({"fusion": "best"}, "fusion must be one of rrf, relative, dbsf.*got `best`"),
        ({"candidates": 0}, "candidates must be between"),
        ({"autocut": 0}, "autocut must be between"),
    ]:
        with pytest.raises(vecstore.InvalidInputError, match=message):
            store.hybrid_query(np.ones(8), "w1", **arguments)  # type: ignore[arg-type]
    with pytest.raises(vecstore.DimensionMismatchError):
        store.hybrid_query(np.ones(3), "w1", alpha=0)


def test_what_was_written_is_found_at_once_and_after_reopening(tmp_path: object) -> None:
    store = filled(corpus(300), tmp_path)
    for n in range(100):
        store.upsert(f"new-{n}", np.ones(8), text=f"fresh number{n}")
        assert [neighbor.id for neighbor in store.text_query(f"number{n}")] == [f"new-{n}"]
    before = store.text_query("fresh w1", 50)
    store.close()
    with vecstore.VecStore(tmp_path, read_only=True) as reader:  # type: ignore[arg-type]
        assert reader.text_query("fresh w1", 50) == before
