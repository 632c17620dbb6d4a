"""Servers that speak OpenAI's protocol: the hosted ones, and those on this machine."""

from __future__ import annotations

import http.client
import math
import typing
from collections import abc

from vecstore._arguments import check_int, check_items, check_mapping, check_number, check_text
from vecstore._errors import InvalidInputError
from vecstore.rag import _http
from vecstore.rag._calls import Call, Work, arun, run
from vecstore.rag._models import Retries, embedded
from vecstore.rag._server_errors import ModelServerError, check_answer
from vecstore.rag._stream import AnswerStream

__all__ = ["ModelServerError", "OpenAICompatible"]


class OpenAICompatible:
    """Embeddings and chat by a server that speaks OpenAI's protocol.

    It is an embedder and a language model: hand it wherever either is expected. Only the standard library is
    used; calls that failed in passing (a lost connection, the statuses 408, 409, 425, 429 and 5xx) are made
    again. Redirects are not followed: the key would go with them.

    Parameters
    ----------
    base_url : str
        Such as ``https://api.example.com/v1``, without ``/embeddings``.
    key : str, optional
        Sent as a bearer token.
    model : str
        The model's name.
    dimensions : int, optional
        Asked of models that can shorten their vectors.
    timeout : float
        Seconds that a call may take, however slowly it comes in; for a stream, its beginning and each part.
    retries, backoff
        As in `embed_texts`.
    batch_size : int
        The most texts in one call.
    parameters : dict, optional
        Sent with each chat, such as ``{"temperature": 0}``.
    headers : dict, optional
        Sent with each call.
    """

    def __init__(
        self,
        base_url: str,
        key: str | None = None,
        model: str = "",
        *,
        dimensions: int | None = None,
        timeout: float = 60.0,
        retries: int = 2,
        backoff: float = 0.5,
        batch_size: int = 64,
        parameters: abc.Mapping[str, typing.Any] | None = None,
        headers: abc.Mapping[str, str] | None = None,
    ) -> None:
        for name, value in (("base_url", base_url), ("key", "" if key is None else key), ("model", model)):
            check_text(name, value)
        if not base_url.startswith(("http://", "https://")):
            raise InvalidInputError(f"base_url: expected http:// or https://, got {base_url!r}")
        if not model:
            raise InvalidInputError("model: expected the name of a model, got ''")
        if not 0 < check_number("timeout", timeout) < math.inf:
            raise InvalidInputError(f"timeout: expected a number of seconds above 0, got {timeout!r}")
        self.base_url = base_url.rstrip("/")
        self.model = model
        self.dimensions = None if dimensions is None else check_int("dimensions", dimensions, 1)
        self.timeout = float(timeout)
        self.batch_size = check_int("batch_size", batch_size, 1)
        self.parameters = {} if parameters is None else dict(check_mapping("parameters", parameters))
        self._retries = Retries.checked(retries, backoff)
        given = {} if headers is None else check_mapping("headers", headers)
        self._headers = {"Content-Type": "application/json", **given}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        for name, value in self._headers.items():
            text: typing.Any = value
            check_text("headers: a name", name)
            if not isinstance(text, str) or not (name + text).isascii() or not (name + text).isprintable():
                # Not with the value, which may be a key.
                raise InvalidInputError(f"headers: expected printable ASCII in {name!r}, got something else")

    # Embeddings

    def embed(self, text: str) -> list[float]:
        """The vector of a text."""
        return self.embed_batch([check_text("text", text)])[0]

    def embed_batch(self, texts: abc.Iterable[str]) -> list[list[float]]:
        """The vectors of texts."""
        return run(self._embedding(texts))

    async def aembed_batch(self, texts: abc.Iterable[str]) -> list[list[float]]:
        """Does what `embed_batch` does, on an event loop: calls run in threads."""
        return await arun(self._embedding(texts))

    def _embedding(self, texts: abc.Iterable[str]) -> Work[list[list[float]]]:
        def call(texts: list[str]) -> list[typing.Any]:
            return self._embeddings(texts)

        return embedded(call, texts, batch_size=self.batch_size, retries=self._retries)

    def _embeddings(self, texts: list[str]) -> list[typing.Any]:
        body: dict[str, typing.Any] = {"model": self.model, "input": texts, "encoding_format": "float"}
        if self.dimensions is not None:
            body["dimensions"] = self.dimensions
        answer = self._post("embeddings", body)
        try:
            vectors = {entry["index"]: entry["embedding"] for entry in answer["data"]}
        except (KeyError, TypeError) as error:
            raise ModelServerError(f"embeddings: the answer is not of the protocol: {error!r}") from None
        if len(answer["data"]) != len(texts):
            raise ModelServerError(
                f"embeddings: expected a vector for each of {len(texts)} texts, got {len(answer['data'])}"
            )
        if vectors.keys() != set(range(len(texts))):
            raise ModelServerError(
                f"embeddings: expected the indexes 0 to {len(texts) - 1}, got {sorted(map(str, vectors))}"
            )
        return [_numbers(vectors[at]) for at in range(len(texts))]

    # Chat

    def generate(self, prompt: str) -> str:
        """The answer to a prompt."""
        return self.chat([{"role": "user", "content": check_text("prompt", prompt)}])

    async def agenerate(self, prompt: str) -> str:
        """Does what `generate` does, on an event loop."""
        return await self.achat([{"role": "user", "content": check_text("prompt", prompt)}])

    def chat(self, messages: abc.Iterable[typing.Any], **parameters: typing.Any) -> str:
        """The answer to messages: dicts, (role, content) pairs, or what `ConversationMemory` returns.

        Further arguments are sent with the call, such as ``temperature=0``.
        """
        return run(self._chatting(messages, parameters))

    async def achat(self, messages: abc.Iterable[typing.Any], **parameters: typing.Any) -> str:
        """Does what `chat` does, on an event loop."""
        return await arun(self._chatting(messages, parameters))

    def _chatting(self, messages: abc.Iterable[typing.Any], parameters: dict[str, typing.Any]) -> Work[str]:
        answer = yield from self._again(self._post, self._chat_body(messages, parameters))
        try:
            content = answer["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError) as error:
            raise ModelServerError(f"chat: the answer is not of the protocol: {error!r}") from None
        if not isinstance(content, str):
            raise ModelServerError(f"chat: expected a text, got {type(content).__name__}")
        return content

    def _chat_body(
        self, messages: abc.Iterable[typing.Any], parameters: dict[str, typing.Any]
    ) -> dict[str, typing.Any]:
        given = enumerate(check_items("messages", messages, "a list of messages"))
        listed = [message if isinstance(message, dict) else _message(message, at) for at, message in given]
        return {"model": self.model, "messages": listed, **self.parameters, **parameters}

    def _again(
        self, call: abc.Callable[[str, dict[str, typing.Any]], typing.Any], body: dict[str, typing.Any]
    ) -> Work[typing.Any]:
        """A chat, tried again where that may help."""
        attempt = 0
        while True:
            try:
                return (yield Call(call, "chat/completions", body))
            except ModelServerError as error:
                attempt += 1
                if not error.is_transient or attempt > self._retries.retries:
                    raise
                yield self._retries.pause(attempt, error.retry_after)

    def stream(self, messages: str | abc.Iterable[typing.Any], **parameters: typing.Any) -> AnswerStream:
        """The answer to a prompt or to messages, piece by piece as the server writes it.

        Arguments are those of `chat`. The call is made when the first piece is asked for, and made again
        where that may help; once there is a piece, a stream that breaks raises `ModelServerError`. What is
        returned is an iterator and a context manager; `close` gives up on the rest.
        """
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        body = {**self._chat_body(messages, parameters), "stream": True}
        return AnswerStream(
            f"{self.base_url}/chat/completions",
            lambda: typing.cast(http.client.HTTPResponse, run(self._again(self._open, body))),
        )

    async def astream(
        self, messages: str | abc.Iterable[typing.Any], **parameters: typing.Any
    ) -> abc.AsyncIterator[str]:
        """Does what `stream` does, on an event loop: ``async for piece in model.astream(...)``."""
        stream = self.stream(messages, **parameters)
        try:
            while (piece := await arun(_next(stream))) is not None:
                yield piece
        finally:
            stream.close()

    def _post(self, path: str, body: dict[str, typing.Any]) -> typing.Any:
        url = f"{self.base_url}/{path}"
        answer = _http.posted(url, self._headers, body, self.timeout)
        check_answer(url, answer)
        return answer

    def _open(self, path: str, body: dict[str, typing.Any]) -> http.client.HTTPResponse:
        return _http.opened(f"{self.base_url}/{path}", self._headers, body, self.timeout)

    def __repr__(self) -> str:
        return f"OpenAICompatible({self.base_url!r}, model={self.model!r})"


def _numbers(vector: typing.Any) -> list[typing.Any]:
    if not isinstance(vector, list) or not all(type(number) in (int, float) for number in vector):
        raise ModelServerError("embeddings: expected vectors as lists of numbers, got something else")
    return vector


def _next(stream: AnswerStream) -> Work[str | None]:
    return typing.cast("str | None", (yield Call(next, stream, None)))


def _message(message: typing.Any, at: int) -> dict[str, str]:
    if not isinstance(message, (tuple, list)) or len(message) != 2:
        raise TypeError(
            f"messages[{at}]: expected a dict, a Message or (role, content), got {type(message).__name__}"
        )
    role, content = (check_text(f"messages[{at}]", part) for part in message)
    return {"role": role, "content": content}
