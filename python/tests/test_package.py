"""The package itself: what importing it costs and needs."""

from __future__ import annotations

import subprocess
import sys

import vecstore
import vecstore.collection
import vecstore.store


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_loads_nothing_heavy() -> None:
    heavy = {"numpy", "typing", "dataclasses", "enum", "datetime", "inspect", "asyncio", "re", "tqdm", "json"}
    script = "import sys; before = set(sys.modules); import vecstore; print(*(set(sys.modules) - before))"
    loaded = set(run(script).split())
    assert "vecstore._vecstore" in loaded
    assert not loaded & heavy
    assert "vecstore._values" not in loaded


def test_everything_but_arrays_works_without_numpy() -> None:
    script = (
        "import sys; sys.modules['numpy'] = None\n"
        "import vecstore, array\n"
        "with vecstore.VecStore(':memory:') as store:\n"
        "    store.upsert('a', [1, 0.0], {'n': 1})\n"
        "    store.upsert('b', array.array('f', [0, 1]))\n"
        "    store.upsert_many(['c', 'd'], array.array('d', [1, 1, 2, 1]))\n"
        "    print([n.id for n in store.query((1, 0), k=2, include=['vector'])], store.get('c').vector)\n"
        "    print([[n.id for n in row] for row in store.query_batch([[1, 0]], k=1)])\n"
        "    try:\n        store.upsert('e', [1, 0], {'x': {1}})\n"
        "    except TypeError as error:\n        print(error)\n"
        "    try:\n        store.query_batch([[1, 0]]).ids\n"
        "    except ImportError:\n        print('needs numpy')\n"
    )
    lines = run(script).splitlines()
    assert lines[0] == "['a', 'd'] [1.0, 1.0]"
    assert lines[1] == "[['a']]"
    assert "got set" in lines[2]
    assert lines[3] == "needs numpy"


def test_all_names_are_there() -> None:
    for module in (vecstore, vecstore.store, vecstore.collection):
        for name in module.__all__:
            assert getattr(module, name) is not None
            assert name in dir(module)
    assert vecstore.store.VecStore is vecstore.VecStore
    assert not hasattr(vecstore, "no_such_name")
    assert vecstore.__version__ == "1.0.0"
