"""The language reference as a store of passages: split, embedded once, taken up again where it stopped."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping, Sequence

from tqdm import tqdm

import vecstore
from demo.embedder import MODEL_NAME, Embedder
from demo.passages import Passage, split_topic, without_rules

#: Passages in one run of the model and one durable write: what an interruption may cost is one such batch.
BATCH_PASSAGES = 16


def read_passages(topics: Mapping[str, str], embedder: Embedder) -> list[Passage]:
    """The passages of all `topics` in a fixed order.

    A text that several topics share is kept once, under the shortest of them.
    """
    names = sorted(topics, key=lambda name: (len(topics[name]), name))
    starts = embedder.token_starts([without_rules(topics[name]) for name in names])
    distinct: dict[str, Passage] = {}
    for name, token_starts in zip(names, starts):
        for passage in split_topic(name, topics[name], token_starts):
            distinct.setdefault(passage.text, passage)
    return list(distinct.values())


def describe_source(passages: Sequence[Passage]) -> str:
    """What the vectors are made from: it differs if the interpreter, the texts, the cuts or the model do."""
    digest = hashlib.sha256()
    for passage in passages:
        digest.update(f"{passage.id}\0{passage.text}\0".encode())
    return f"Python {platform.python_version()}, passages {digest.hexdigest()[:12]}, {MODEL_NAME}"


def forget_other_sources(store: vecstore.VecStore, source: str) -> int:
    """Deletes what another interpreter or model left, and returns how many passages that were."""
    return store.delete_where({"source": {"$ne": source}})


def embed_missing(
    store: vecstore.VecStore, passages: Sequence[Passage], source: str, embedder: Embedder
) -> int:
    """Embeds and stores the passages that `store` lacks, and returns their number."""
    missing = [passage for passage in passages if passage.id not in store]
    if not missing:
        return 0
    # Longest first: batches of like length waste little on padding, and the bar errs on the safe side.
    missing.sort(key=lambda passage: len(passage.text), reverse=True)
    with tqdm(total=len(missing), desc="embedding", unit=" passages") as bar:
        for batch in _batches(missing):
            store.upsert_many(
                [passage.id for passage in batch],
                embedder.embed([_embedded_text(passage) for passage in batch]),
                [_metadata(passage, source) for passage in batch],
                texts=[passage.text for passage in batch],
            )
            bar.update(len(batch))
    store.save()
    return len(missing)


def _batches(passages: Sequence[Passage]) -> Iterator[Sequence[Passage]]:
    for first in range(0, len(passages), BATCH_PASSAGES):
        yield passages[first : first + BATCH_PASSAGES]


def _embedded_text(passage: Passage) -> str:
    """The passage under its topic's title."""
    return without_rules(passage.text if passage.index == 0 else f"{passage.title}\n\n{passage.text}")


def _metadata(passage: Passage, source: str) -> dict[str, object]:
    return {
        "topic": passage.topic,
        "index": passage.index,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "source": source,
    }
