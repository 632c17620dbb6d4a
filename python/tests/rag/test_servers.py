"""A server that speaks OpenAI's protocol: embeddings, chat, streams."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import typing
from collections import abc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from vecstore import InvalidInputError
from vecstore.rag import (
    ConversationMemory,
    HashingEmbedder,
    ModelServerError,
    OpenAICompatible,
    embed_texts,
)


class Stub(ThreadingHTTPServer):
    """A server with scripted failures, which remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, dict[str, str], typing.Any]] = []
        self.failures: list[tuple[int, dict[str, str], bytes]] = []
        self.answer: bytes | None = None
        #: What is sent of a stream, and whether it is sent as long as its headers say.
        self.events: list[bytes] | None = None
        self.kind = "text/event-stream"
        self.chunked = False
        self.trickles = False
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Stub  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, dict(self.headers), body))
        if self.server.failures:
            return self._send(*self.server.failures.pop(0))
        if self.server.answer is not None:
            return self._send(200, {}, self.server.answer)
        if self.server.events is not None:
            return self._stream(self.server.events)
        if self.path == "/v1/embeddings":
            vectors = [HashingEmbedder(16).embed(text) for text in body["input"]]
            data = [{"index": at, "embedding": vector} for at, vector in enumerate(vectors)]
            return self._send(200, {}, json.dumps({"data": data[::-1]}).encode())
        last = body["messages"][-1]["content"]
        choice = {"message": {"role": "assistant", "content": f"You said: {last}"}}
        return self._send(200, {}, json.dumps({"choices": [choice]}).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.server.trickles:
            self._trickle(body)
        else:
            self.wfile.write(body)

    def _trickle(self, body: bytes) -> None:
        """Sends a byte now and then, until the client has had enough."""
        never = threading.Event()
        with contextlib.suppress(OSError):
            for byte in body:
                self.wfile.write(bytes([byte]))
                never.wait(0.01)

    def _stream(self, events: list[bytes]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", self.server.kind)
        if self.server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            if self.server.chunked:
                event = b"%x\r\n%s\r\n" % (len(event), event)
            self.wfile.write(event)
            self.wfile.flush()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stub() -> abc.Iterator[Stub]:
    with Stub() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_server_embeds_in_batches(stub: Stub) -> None:
    client = OpenAICompatible(stub.url + "/", "secret", "small", dimensions=16, batch_size=2)
    texts = ["one", "two", "one", "three"]
    expected = [pytest.approx(HashingEmbedder(16).embed(text)) for text in texts]
    assert client.embed_batch(texts) == expected
    assert [body["input"] for _, _, body in stub.requests] == [["one", "two"], ["three"]]
    path, headers, body = stub.requests[0]
    assert (path, headers["Authorization"], body["model"]) == ("/v1/embeddings", "Bearer secret", "small")
    assert body["dimensions"] == 16
    assert asyncio.run(client.aembed_batch(texts)) == expected
    assert embed_texts(client, texts) == expected
    assert "secret" not in repr(client)


def test_a_server_chats(stub: Stub) -> None:
    client = OpenAICompatible(stub.url, model="chat", parameters={"temperature": 0})
    assert client.generate("hello") == "You said: hello"
    assert asyncio.run(client.agenerate("hello")) == "You said: hello"
    memory = ConversationMemory(100)
    memory.add_message("system", "Be brief.")
    memory.add_message("user", "Hi")
    assert client.chat(memory.get_messages(), seed=1) == "You said: Hi"
    _, headers, body = stub.requests[-1]
    assert body == {
        "model": "chat",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "temperature": 0,
        "seed": 1,
    }
    assert "Authorization" not in headers


def test_what_may_pass_is_asked_again_and_the_rest_is_told(stub: Stub) -> None:
    client = OpenAICompatible(stub.url, model="m", backoff=0.0)
    busy = (429, {"Retry-After": "0"}, b"{}")
    stub.failures = [busy, (503, {}, b"down")]
    assert client.generate("x") == "You said: x"
    stub.failures = [busy, (500, {}, b"")]
    assert len(client.embed("x")) == 16
    stub.failures = [(401, {}, json.dumps({"error": {"message": "bad key"}}).encode())]
    with pytest.raises(ModelServerError, match="status 401: bad key") as caught:
        client.embed("x")
    assert (caught.value.status, caught.value.is_transient) == (401, False)
    stub.failures = [busy] * 3
    with pytest.raises(ModelServerError) as caught:
        client.generate("x")
    assert (caught.value.status, caught.value.retry_after) == (429, 0.0)
    assert len(stub.requests) == 3 + 3 + 1 + 3


@pytest.mark.parametrize(
    "answer",
    [
        b"no json",
        b"[]",
        b"{}",
        b'{"data": [], "choices": []}',
        b'{"data": 3}',
        b"[" * 100_000,
        b'{"data": [{"index": 0, "embedding": "AAAA"}]}',
        b'{"data": [{"index": 0, "embedding": [[1.0]]}]}',
        b'{"data": [{"index": "0", "embedding": [1.0]}]}',
        b'{"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]}',
    ],
)
def test_an_answer_that_is_none_is_an_error(stub: Stub, answer: bytes) -> None:
    client = OpenAICompatible(stub.url, model="m")
    stub.answer = answer
    for ask in (client.embed, client.generate):
        with pytest.raises(ModelServerError):
            ask("x")


def test_a_server_that_is_not_there_is_an_error() -> None:
    with Stub() as server:
        url = server.url
    client = OpenAICompatible(url, model="m", retries=0)
    with pytest.raises(ModelServerError) as caught:
        client.generate("x")
    assert caught.value.is_transient
    for arguments in (("ftp://x", None, "m"), ("http://x", None, "")):
        with pytest.raises(InvalidInputError):
            OpenAICompatible(*arguments)


def test_a_key_that_no_header_can_have_is_not_shown() -> None:
    with pytest.raises(InvalidInputError) as caught:
        OpenAICompatible("http://x", "sec\nret", "m")
    assert "sec" not in str(caught.value)


def test_an_answer_that_only_trickles_in_is_given_up(stub: Stub) -> None:
    stub.trickles = True
    for retries in (0, 1):
        client = OpenAICompatible(stub.url, model="m", timeout=0.5, retries=retries, backoff=0)
        for status in (200, 503):
            stub.failures = [(status, {"Content-Length": "1000"}, b" " * 1000)] * (1 + retries)
            with pytest.raises(ModelServerError) as caught:
                client.embed("x")
            assert caught.value.is_transient
            assert caught.value.status == (None if status == 200 else status)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_key_does_not_go_where_a_server_points(stub: Stub, status: int) -> None:
    with Stub() as other:
        stub.failures = [(status, {"Location": f"{other.url}/embeddings"}, b"")]
        # Nobody serves there: a call would wait for an answer.
        with pytest.raises(ModelServerError, match=f"status {status}") as caught:
            OpenAICompatible(stub.url, "secret", "m", timeout=5).embed("x")
        assert not caught.value.is_transient
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        ("1.5", 1.5),
        ("-1", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("\u00b2", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
    ],
)
def test_what_a_server_asks_to_wait_is_read(stub: Stub, after: str, seconds: float | None) -> None:
    stub.failures = [(429, {"Retry-After": after}, b"[" * 1999)]
    with pytest.raises(ModelServerError) as caught:
        OpenAICompatible(stub.url, model="m", retries=0).embed("x")
    assert (caught.value.retry_after, caught.value.status) == (seconds, 429)


def test_a_server_that_says_what_went_wrong_is_quoted(stub: Stub) -> None:
    stub.answer = b'{"error": {"message": "quota"}}'
    client = OpenAICompatible(stub.url, model="m")
    for ask in (client.embed, client.generate):
        with pytest.raises(ModelServerError, match="quota"):
            ask("x")


def event(content: str | None, **choice: object) -> bytes:
    delta = {} if content is None else {"content": content}
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta, **choice}]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def test_an_answer_is_streamed(stub: Stub) -> None:
    client = OpenAICompatible(stub.url, model="chat", parameters={"temperature": 0})
    usage = b'data: {"choices": [], "usage": {"total_tokens": 9}}\n\n'
    role = b'data: {"choices": [{"delta": {"role": "assistant", "content": null}}]}\n\n'
    split = [b'data: {"choices": [{"delta":\ndata: {"content"', b': " l\xc3\xb6', b'g"}}]}\r\n\r\n']
    stub.events = [b": a comment\n\n", role, event("The"), *split, event(""), usage, DONE, event("never")]
    assert list(client.stream("When?", max_tokens=9)) == ["The", " l\u00f6g"]
    body = stub.requests[-1][2]
    assert body["stream"] is True
    assert (body["temperature"], body["max_tokens"]) == (0, 9)
    assert body["messages"] == [{"role": "user", "content": "When?"}]

    async def all_pieces() -> list[str]:
        return [piece async for piece in client.astream([("user", "When?")])]

    assert asyncio.run(all_pieces()) == ["The", " l\u00f6g"]


def test_a_stream_ends_with_a_reason_or_a_mark(stub: Stub) -> None:
    client = OpenAICompatible(stub.url, model="chat")
    stub.events = [event("all"), event(None, finish_reason="stop")]
    assert list(client.stream("x")) == ["all"]
    stub.events = [event("all"), b"data: [DONE]"]
    assert list(client.stream("x")) == ["all"]
    stub.events = [event("half"), event("cut")[:-1]]
    stream = client.stream("x")
    assert next(stream) == "half"
    with pytest.raises(ModelServerError, match="ended before the answer did") as caught:
        next(stream)
    assert caught.value.is_transient
    assert list(stream) == []


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([event("a"), b"data: {nothing\n\n"], "not of the protocol"),
        ([event("a"), b'data: {"id": 1}\n\n'], "not of the protocol"),
        ([event("a"), b'data: {"choices": [{"delta": {"content": 1}}]}\n\n'], "expected a text, got int"),
        ([event("a"), b'data: {"error": {"message": "too long"}}\n\n'], "too long"),
        ([b"data: [1]\n\n"], "not of the protocol"),
        ([b"data: " + b"[" * 100_000 + b"\n\n"], "not of the protocol"),
        ([b'data: {"choices": null}\n\n'], "ended before"),
        ([b'data: {"choices": [{"delta": {}}, 3]}\n\n'], "ended before"),
    ],
)
def test_a_broken_stream_is_an_error(stub: Stub, events: list[bytes], message: str) -> None:
    stub.events = events
    with pytest.raises(ModelServerError, match=message):
        list(OpenAICompatible(stub.url, model="chat").stream("x"))


def test_a_lost_connection_ends_a_stream(stub: Stub) -> None:
    stub.chunked = True
    stub.events = [event("a"), event("b")[:20]]
    with pytest.raises(ModelServerError) as caught:
        list(OpenAICompatible(stub.url, model="chat").stream("x"))
    assert caught.value.is_transient


def test_a_stream_is_begun_again_but_not_gone_on_with(stub: Stub) -> None:
    client = OpenAICompatible(stub.url, model="chat", retries=1, backoff=0)
    stub.events = [event("a"), DONE]
    stub.failures = [(503, {}, b"busy")]
    assert list(client.stream("x")) == ["a"]
    assert len(stub.requests) == 2
    stub.failures = [(401, {}, b'{"error": {"message": "no key"}}')]
    with pytest.raises(ModelServerError, match="no key"):
        next(client.stream("x"))


def test_a_server_that_does_not_stream_answers_at_once(stub: Stub) -> None:
    stub.kind = "application/json"
    stub.events = [b'{"choices": [{"message": {"content": "all"}}]}']
    assert list(OpenAICompatible(stub.url, model="chat").stream("x")) == ["all"]


def test_a_stream_may_be_left(stub: Stub) -> None:
    stub.events = [event("a"), event("b"), DONE]
    client = OpenAICompatible(stub.url, model="chat")
    with client.stream("x") as stream:
        assert next(stream) == "a"
    assert list(stream) == []

    async def first() -> str:
        async for piece in client.astream("x"):
            return piece
        return ""

    assert asyncio.run(first()) == "a"
