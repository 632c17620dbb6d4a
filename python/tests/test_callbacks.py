"""What Python that the store calls may do: raise, answer nonsense, come back into the store, close it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vecstore
from vecstore import VecStore


class OwnError(Exception):
    """An error of the caller's."""


def test_iterators_may_come_back_into_the_store(store: VecStore) -> None:
    def ids() -> Iterator[str]:
        for n in range(5):
            store.upsert(f"inner-{n}", [1.0, 0.0, n])
            assert store.query([1.0, 0.0, 0.0], k=1)
            yield f"outer-{n}"

    assert store.upsert_many(ids(), np.ones((5, 3))) == 5
    assert len(store) == 3 + 10
    assert store.verify().ok


def test_an_iterator_that_raises_changes_nothing(store: VecStore) -> None:
    def rows() -> Iterator[Any]:
        yield ("new", [1.0, 0.0, 0.0])
        raise OwnError("enough")

    with pytest.raises(OwnError, match="enough"):
        store.batch_upsert(rows())
    assert "new" not in store
    with pytest.raises(OwnError):
        store.delete_many(_raising())
    assert len(store) == 3


def _raising() -> Iterator[str]:
    yield "apple"
    raise OwnError


def test_a_vector_may_come_back_into_the_store(store: VecStore) -> None:
    class Vector:
        def __array__(self, *_: Any, **__: Any) -> Any:
            store.upsert("while converting", [1.0, 1.0, 1.0])
            return np.ones(3)

    store.upsert("converted", Vector())
    assert {"converted", "while converting"} <= {record.id for record in store}

    class Bad:
        def __array__(self, *_: Any, **__: Any) -> Any:
            raise OwnError("no array")

    with pytest.raises((OwnError, TypeError)):
        store.query(Bad())


@pytest.mark.parametrize("answer", [None, 3, "text", [[float("nan")] * 3], [["a"]], [[1.0, 2.0]], {}])
def test_an_embedder_that_answers_nonsense_is_told_so(store: VecStore, answer: Any) -> None:
    with pytest.raises((vecstore.InvalidInputError, TypeError)):
        store.batch_upsert_texts([("new", "text")], lambda _: answer)
    assert "new" not in store


def test_an_embedder_may_come_back_into_the_store_and_may_raise(store: VecStore) -> None:
    def embed(texts: list[str]) -> Any:
        store.upsert("from the embedder", [0.0, 1.0, 0.0])
        return [[1.0, 0.0, 0.0] for _ in texts]

    assert store.batch_upsert_texts([("text", "a text")], embed) == 1
    assert {"text", "from the embedder"} <= {record.id for record in store}

    def fail(_: list[str]) -> Any:
        raise OwnError("no model")

    with pytest.raises(OwnError, match="no model"):
        store.query_text("a text", fail)


def test_an_embedder_that_closes_the_store_gets_a_closed_error() -> None:
    store = VecStore(":memory:")

    def embed(texts: list[str]) -> Any:
        store.close()
        return [[1.0] for _ in texts]

    with pytest.raises(vecstore.ClosedError):
        store.batch_upsert_texts([("a", "a text")], embed)


def test_closing_while_a_long_query_runs_lets_it_finish() -> None:
    store = VecStore(":memory:", threads=1)
    rows = np.random.default_rng(0).standard_normal((20_000, 128)).astype(np.float32)
    store.upsert_many([str(n) for n in range(20_000)], rows)
    outcome: list[Any] = []
    begun = threading.Event()

    def work() -> None:
        begun.set()
        try:
            outcome.append(len(store.query_batch(rows[:200], 10, exact=True)))
        except vecstore.ClosedError:
            outcome.append("closed")

    other = threading.Thread(target=work)
    other.start()
    begun.wait()
    store.close()
    other.join()
    assert outcome in ([200], ["closed"])


#: Calls that would take seconds to minutes; `rows` are 30,000 vectors of 64 components, in `store`.
LONG_CALLS = {
    "query_batch": "store.query_batch(numpy.tile(rows, (10, 1)), 10, exact=True)",
    "approximate query_batch": "store.query_batch(numpy.tile(rows, (100, 1)), 10)",
    "query_batch on threads": "pooled().query_batch(numpy.tile(rows, (10, 1)), 10, exact=True)",
    "find_duplicates": "store.find_duplicates(0.99, exact=True)",
    "upsert_unique": "store.upsert_unique([f'new {n}' for n in range(30_000)], rows + 1, exact=True)",
    "upsert_many": "store.upsert_many(ids(), ReadSlowly(), [{'n': n} for n in range(30_000)])",
    "batch_upsert": "store.batch_upsert((f'new {n}', row, {'n': n}) for n, row in enumerate(forever()))",
    "import": "store.import_jsonl('rows.jsonl', batch_size=1)",
    "tokens": "rag.TokenTextSplitter(64).split_text(text)",
    "recursive, in tokens": "rag.RecursiveCharacterTextSplitter(64, sizer='cl100k').split_text(text)",
    "code": "rag.CodeTextSplitter(500, language='python').split_text(code)",
    "many texts": "rag.TokenTextSplitter(64).split_many([text] * 8)",
    "counting tokens": "rag.count_tokens(text * 20)",
    "a sizer in Python": "rag.RecursiveCharacterTextSplitter(50, sizer=len).split_text(text)",
}


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize("call", LONG_CALLS)
def test_ctrl_c_ends_a_long_call_and_does_no_harm(call: str, tmp_path: Path) -> None:
    if call == "import":
        line = '{"id": "%d", "vector": [' + ", ".join(["0.5"] * 64) + "]}\n"
        (tmp_path / "rows.jsonl").write_text("".join(line % n for n in range(30_000)), encoding="utf-8")
    script = f"""
import os, signal, threading, time, numpy, vecstore
from vecstore import rag
signal.signal(signal.SIGINT, signal.default_int_handler)
rows = numpy.random.default_rng(0).standard_normal((30_000, 64)).astype("f4")
large = 400_000 if "rag." in {LONG_CALLS[call]!r} else 1
text = "A sentence of ordinary words, which is cut somewhere. " * large
code = "def name(argument):\\n    return [argument for _ in range(3)]\\n\\n" * large

def opened(**options):
    store = vecstore.VecStore(":memory:", **options)
    store.upsert_many([str(n) for n in range(30_000)], rows)
    return store

def pooled():
    return other

def ids():
    return [f"new {{n}}" for n in range(30_000)]

def forever():
    while True:
        yield from rows

class ReadSlowly:
    def __len__(self):
        return 30_000
    def __getitem__(self, n):
        if n == 30_000:
            raise IndexError
        time.sleep(1e-3)
        return rows[n]

store = opened(threads=1)
other = opened(threads=2) if "pooled" in {LONG_CALLS[call]!r} else None
before = len(store)
threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    {LONG_CALLS[call]}
except KeyboardInterrupt:
    print("interrupted", len(store) - before if {call!r} != "import" else 0, store.verify().ok)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
    )
    assert done.stdout.startswith("interrupted 0 True\n"), done.stdout + done.stderr


@pytest.mark.skipif(os.name != "posix", reason="sets an alarm")
def test_a_signal_while_arguments_are_read_is_not_lost() -> None:
    script = """
import signal, time, numpy, vecstore
signal.signal(signal.SIGALRM, signal.default_int_handler)
rows = numpy.random.default_rng(0).standard_normal((20_000, 64))
store = vecstore.VecStore(":memory:", threads=1)
store.upsert_many([str(n) for n in range(20_000)], rows)
for n in range(12):
    many = numpy.tile(rows, (20, 1))  # of 64 bits, which take a while to be read
    signal.setitimer(signal.ITIMER_REAL, 0.005 * (n + 1))
    try:
        store.query_batch(many, 10, exact=True)
    except KeyboardInterrupt:
        continue
    raise SystemExit(f"signal {n} was lost")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_ends_a_repair_and_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    script = """
import hashlib, os, pathlib, signal, threading, numpy, vecstore
signal.signal(signal.SIGINT, signal.default_int_handler)
rows = numpy.random.default_rng(0).standard_normal((5_000, 64)).astype("f4")
with vecstore.VecStore("store", durability="none") as store:
    store.upsert_many([str(n) for n in range(5_000)], rows)
    store.compact()
def state():
    files = (path for path in pathlib.Path("store").rglob("*") if path.is_file() and path.name != "LOCK")
    return {path: hashlib.sha256(path.read_bytes()).digest() for path in files}
segment = max(state(), key=lambda path: path.stat().st_size)
# Two bits of each block, so that none is put back: trying that takes a second or two for each.
damaged = bytearray(segment.read_bytes())
for at in range(100, 1 << 20, 1 << 16):
    damaged[at] ^= 3
segment.write_bytes(damaged)
before = state()
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    vecstore.VecStore.repair("store")
except KeyboardInterrupt:
    print("interrupted", state() == before)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
    )
    assert done.stdout == "interrupted True\n", done.stdout + done.stderr


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_ends_the_wait_for_a_graph(tmp_path: Path) -> None:
    script = """
import os, signal, threading, numpy, vecstore
signal.signal(signal.SIGINT, signal.default_int_handler)
rows = numpy.random.default_rng(0).standard_normal((50_000, 64)).astype("f4")
with vecstore.VecStore("store", threads=1) as store:
    store.upsert_many([str(n) for n in range(50_000)], rows)
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        store.optimize()
    except KeyboardInterrupt:
        print("interrupted", len(store), store.query(rows[7], k=1)[0].id)
with vecstore.VecStore("store") as store:
    print(len(store), store.verify().ok)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
    )
    assert done.stdout == "interrupted 50000 7\n50000 True\n", done.stdout + done.stderr


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
def test_a_handler_that_does_not_raise_interrupts_nothing() -> None:
    script = """
import os, signal, threading, numpy, vecstore
seen = []
signal.signal(signal.SIGUSR1, lambda *_: seen.append(len(store)))
rows = numpy.random.default_rng(0).standard_normal((20_000, 64)).astype("f4")
store = vecstore.VecStore(":memory:", threads=1)
store.upsert_many([str(n) for n in range(20_000)], rows)
threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
found = set()
while not seen:
    found.add(len(store.query_batch(rows[:300], 1, exact=True)))
print(found, seen)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "{300} [20000]\n", done.stdout + done.stderr


def test_a_subinterpreter_is_refused() -> None:
    script = (
        "import vecstore\n"
        "try:\n    import _interpreters as interpreters\n"
        "except ImportError:\n    import _xxsubinterpreters as interpreters\n"
        "one = interpreters.create()\n"
        "code = '''try:\n    import vecstore\n"
        "except ImportError as error:\n    print('refused:', error, flush=True)\n'''\n"
        "interpreters.run_string(one, code)\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "refused: " in done.stdout
    assert "subinterpreter" in done.stdout
