"""What RAG does beside searching: diversity among what was found, and answers to questions asked before."""

from __future__ import annotations

import numpy as np

from benches.compare.data import FloatArray
from benches.compare.engines.base import Engine
from benches.compare.measure import MICROSECONDS, median, stopwatch
from benches.compare.scenarios.base import Column, Context, Outcome, Scenario

OURS = "vecstore"
MMR_ROWS = 1_000
MMR_CHOSEN = 100
MMR_LAMBDA = 0.5
REPEATS = 15
CACHE_ENTRIES = 10_000
CACHE_THRESHOLD = 0.9
CACHE_LOOKUPS = 1_000


def no_engine(engine: Engine, context: Context) -> Outcome:
    raise NotImplementedError(f"{engine} has no part in this: {context.work}")


def our_mmr(context: Context) -> Outcome:
    import vecstore
    from vecstore.rag import MMRReranker

    rows = context.rows.first(MMR_ROWS)
    with vecstore.VecStore(":memory:", metric="cosine") as store:
        store.upsert_many(rows.ids, rows.vectors)
        found = store.query(rows.queries[0], k=MMR_ROWS, exact=True, include=("metadata", "vector"))
        reranker = MMRReranker(MMR_LAMBDA)
        seconds = []
        for _ in range(REPEATS):
            with stopwatch() as watch:
                chosen = reranker.rerank("", found, MMR_CHOSEN)
            seconds.append(watch.wall_seconds)
    places = {one.id: at for at, one in enumerate(found)}
    expected = _chosen(np.array([one.vector for one in found]), np.array([one.score for one in found]))
    agreed = [places[one.id] for one in chosen] == expected
    return Outcome({"ms": median(seconds) * 1e3, "agreed": float(agreed)})


def numpy_mmr(context: Context) -> Outcome:
    rows = context.rows.first(MMR_ROWS)
    query = rows.queries[0] / np.linalg.norm(rows.queries[0])
    relevances = rows.vectors @ query / np.linalg.norm(rows.vectors, axis=1)
    seconds = []
    for _ in range(REPEATS):
        with stopwatch() as watch:
            _chosen(rows.vectors, relevances)
        seconds.append(watch.wall_seconds)
    return Outcome({"ms": median(seconds) * 1e3})


def _chosen(vectors: FloatArray, relevances: FloatArray) -> list[int]:
    """The definition, with one product of all rows and the row just chosen at each step."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    chosen = [int(np.argmax(relevances))]
    nearest = unit @ unit[chosen[0]]
    while len(chosen) < min(MMR_CHOSEN, len(unit)):
        values = MMR_LAMBDA * relevances - (1 - MMR_LAMBDA) * nearest
        values[chosen] = -np.inf
        chosen.append(int(np.argmax(values)))
        nearest = np.maximum(nearest, unit @ unit[chosen[-1]])
    return chosen


def our_cache(context: Context) -> Outcome:
    from vecstore.rag import SemanticCache

    rows = context.rows.first(min(CACHE_ENTRIES, context.rows.count))
    random = np.random.default_rng(0)
    keys = rows.vectors / np.linalg.norm(rows.vectors, axis=1, keepdims=True)
    cache = SemanticCache(len(keys), CACHE_THRESHOLD)
    for number, key in enumerate(keys):
        cache.insert(key, number)
    asked = keys[random.choice(len(keys), min(CACHE_LOOKUPS, len(keys)), replace=False)]
    noise = random.standard_normal(asked.shape)
    noise -= (noise * asked).sum(axis=1, keepdims=True) * asked
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    at_threshold = CACHE_THRESHOLD * asked + (1 - CACHE_THRESHOLD**2) ** 0.5 * noise
    # Of all others, only those are true hits whose nearest key is near enough.
    hits, true_hits, false_hits = 0, 0, 0
    seconds = []
    for query in at_threshold:
        nearest = float((keys @ query).max())
        with stopwatch() as watch:
            hit = cache.lookup(query)
        seconds.append(watch.wall_seconds)
        true_hits += nearest >= CACHE_THRESHOLD - 1e-6
        hits += hit is not None and nearest >= CACHE_THRESHOLD - 1e-6
        false_hits += hit is not None and nearest < CACHE_THRESHOLD - 1e-5
    return Outcome(
        {"hit_rate": hits / true_hits, "false_hits": float(false_hits), "us": median(seconds) * MICROSECONDS}
    )


MMR = Scenario(
    name="mmr",
    title="Maximal marginal relevance",
    how=(
        f"{MMR_CHOSEN} of the {MMR_ROWS} nearest rows at lambda {MMR_LAMBDA}: the median of {REPEATS} calls "
        "of MMRReranker.rerank on neighbors with vectors, and of numpy's products of all rows at each step. "
        "`same` is 1 if both choose the same rows."
    ),
    measure=no_engine,
    engines=(),
    ours=(OURS,),
    columns=(Column("ms", "ms", 2, higher_is_better=False), Column("agreed", "same", 0)),
    baselines={OURS: our_mmr, "numpy": numpy_mmr},
)
SEMANTIC_CACHE = Scenario(
    name="semantic_cache",
    title="The semantic cache at its threshold",
    how=(
        f"{CACHE_ENTRIES:,} entries; {CACHE_LOOKUPS:,} lookups with a cosine of exactly "
        f"{CACHE_THRESHOLD}, the threshold, to one of them. A true hit is one that comparing all keys in "
        "numpy finds."
    ),
    measure=no_engine,
    engines=(),
    ours=(OURS,),
    columns=(
        Column("hit_rate", "share of true hits", 4),
        Column("false_hits", "false hits", 0),
        Column("us", "us a lookup", 0),
    ),
    baselines={OURS: our_cache},
)
SCENARIOS = (MMR, SEMANTIC_CACHE)
