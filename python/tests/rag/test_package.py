"""The package itself."""

from __future__ import annotations

import subprocess
import sys

from vecstore import rag


def test_it_works_without_numpy_and_without_models() -> None:
    script = (
        "import sys\n"
        "for name in ('numpy', 'onnxruntime', 'tokenizers'): sys.modules[name] = None\n"
        "import vecstore\n"
        "from vecstore.rag import *\n"
        "embedder = HashingEmbedder(32)\n"
        "with vecstore.VecStore(':memory:') as store:\n"
        "    store.batch_upsert_texts([('a', 'The log is synced.'), ('b', 'Snakes')], embedder)\n"
        "    context = Retriever(store, embedder, MMRReranker(0.5), k=1).retrieve('Is the log synced?')\n"
        "print(context.text)\n"
        "try:\n    OnnxEmbedder(b'', '')\n"
        "except vecstore.UnsupportedError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "[1] The log is synced.",
        "this needs the package onnxruntime: pip install vecstore[models]",
    ]


def test_every_name_is_there() -> None:
    assert len(rag.__all__) == len(set(rag.__all__))
    for name in rag.__all__:
        assert getattr(rag, name) is not None
