"""What docs/scale.md and the example of Ray Serve show runs."""

from __future__ import annotations

import importlib
import json
import re
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from vecstore.distributed import RayConfig

from .conftest import Make

ROOT = Path(__file__).resolve().parents[3]


def test_the_guide_runs(make: Make, tmp_path: Path) -> None:
    made = make(2, uri=tmp_path / "docs")
    blocks = re.findall(
        r"^```py\n(.*?)^```", (ROOT / "docs" / "scale.md").read_text(), re.DOTALL | re.MULTILINE
    )
    assert len(blocks) >= 3
    scope = {
        "uri": str(tmp_path / "docs"),
        "config": RayConfig(directory=made.config.directory, num_cpus=0.05),
    }
    for block in blocks:
        exec(block, scope)


def test_the_service_answers_over_http(make: Make, tmp_path: Path) -> None:
    serve = pytest.importorskip("ray.serve", reason="Ray Serve is not installed: pip install 'ray[serve]'")
    import sys

    collection = make(2, uri=tmp_path / "docs")
    collection.upsert("a", [1.0, 0.0], {"n": 1})
    sys.path.insert(0, str(ROOT / "python" / "examples"))
    try:
        import ray_serve
    finally:
        sys.path.pop(0)
    cloudpickle: Any = importlib.import_module("ray.cloudpickle")
    cloudpickle.register_pickle_by_value(ray_serve)  # the workers need not have its directory
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    try:
        serve.run(ray_serve.service(collection.uri, collection.config), name="search", route_prefix="/search")
        body = json.dumps({"vector": [1.0, 0.0], "k": 1}).encode()
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/search", body, timeout=60) as answer:
                    assert json.load(answer)["neighbors"][0]["id"] == "a"
                break
            except urllib.error.HTTPError as error:
                # The proxy hears of the route a moment later.
                if error.code != 404 or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
    finally:
        serve.shutdown()
