"""What Python that the store calls may do: raise, answer nonsense, come back into the store, close it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
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


def test_ctrl_c_during_a_long_call_arrives_and_does_no_harm() -> None:
    if os.name != "posix":
        pytest.skip("sends SIGINT")
    script = (
        "import os, signal, threading, numpy, vecstore\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "store = vecstore.VecStore(':memory:', threads=1)\n"
        "rows = numpy.random.default_rng(0).standard_normal((20_000, 128)).astype('f4')\n"
        "store.upsert_many([str(n) for n in range(20_000)], rows)\n"
        "threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "try:\n"
        "    for _ in range(100):\n        store.query_batch(rows[:200], 10, exact=True)\n"
        "except KeyboardInterrupt:\n    print('interrupted', len(store), store.verify().ok)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "interrupted 20000 True\n", done.stderr


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
