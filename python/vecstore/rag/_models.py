"""What embedders and language models may be, and how they are called."""

from __future__ import annotations

import inspect
import numbers
import random
import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_int, check_items, check_number, check_text
from vecstore._errors import InvalidInputError
from vecstore._types import Embedder, Vector
from vecstore.rag._calls import Call, Pause, Work, arun, drive, run

__all__ = [
    "Embedder",
    "LanguageModel",
    "Retries",
    "TextEmbedder",
    "TokenCounter",
    "aembed_texts",
    "answered",
    "check_embedder",
    "check_model",
    "check_texts",
    "embed_texts",
    "embedded",
    "embedding",
    "expanded",
]


@typing.runtime_checkable
class TextEmbedder(typing.Protocol):
    """Turns texts into vectors.

    Wherever an embedder is expected, any of these will do, sync or async:

    - an object with ``embed(text)``, which returns one vector;
    - one that also takes several texts at once, as ``embed_batch``, ``embed_many``, ``embed_documents`` or
      ``encode``, which is used instead. ``embed_query`` is used for queries;
    - a callable, which gets one text or a list of them: as its first argument is annotated (``str``, or a
      list or sequence) or named (``text``, ``document``, ``query``..., or ``texts``, ``documents``...), else
      as its first answer shows.

    On an event loop, a method of the same name with an ``a`` before it goes first.

    >>> isinstance(HashingEmbedder(), TextEmbedder)
    True
    """

    def embed(self, text: str, /) -> Vector:
        """The vector of a text.

        >>> len(HashingEmbedder(64).embed("a text"))
        64
        """
        ...


@typing.runtime_checkable
class LanguageModel(typing.Protocol):
    """Answers prompts.

    Wherever a model is expected, any of these will do, sync or async: an object with ``generate(prompt)``,
    ``invoke`` or ``complete``, or a callable. An answer is a str, or has one as ``text`` or ``content``. On
    an event loop, ``agenerate`` (``ainvoke``, ``acomplete``) goes first.

    >>> class Echo:
    ...     def generate(self, prompt):
    ...         return prompt
    >>> isinstance(Echo(), LanguageModel)
    True
    """

    def generate(self, prompt: str, /) -> str:
        """The answer to a prompt.

        >>> class Echo:
        ...     def generate(self, prompt):
        ...         return prompt
        >>> QueryExpander(Echo(), 1).expand("hello") != []
        True
        """
        ...


TokenCounter = abc.Callable[[str], int]

_BATCH_METHODS = ("embed_batch", "embed_many", "embed_documents", "encode")
_GENERATE_METHODS = ("generate", "invoke", "complete")
#: Names of arguments that say how many texts a callable takes.
_SEVERAL = frozenset(("texts", "sentences", "documents", "inputs", "batch", "docs", "strings", "chunks"))
_ONE = frozenset(("text", "sentence", "document", "query", "string", "input"))


class Retries(typing.NamedTuple):
    """How often calls that failed are made again: attempts, first and longest pause in seconds."""

    retries: int = 2
    backoff: float = 0.5
    longest_pause: float = 30.0
    seed: int = 0

    @classmethod
    def checked(cls, retries: int, backoff: float) -> Retries:
        """The policy of the arguments ``retries`` and ``backoff``."""
        seconds = check_number("backoff", backoff)
        if not 0 <= seconds < 1e6:
            raise InvalidInputError(f"backoff: expected a number of seconds of at least 0, got {backoff!r}")
        return cls(check_int("retries", retries, 0), seconds)

    def pause(self, attempt: int, after: float | None) -> Pause:
        """How long to wait before the n-th further attempt: as the server says, or twice as long each."""
        seconds = self.backoff * 2 ** (attempt - 1) * (1 + random.random() / 2) if after is None else after
        return Pause(min(seconds, self.longest_pause))


def check_texts(texts: abc.Iterable[str], name: str = "texts") -> list[str]:
    """``texts`` as a list, if they are texts: one alone is not taken for its characters."""
    listed = list(check_items(name, texts, "an iterable of str"))
    for at, text in enumerate(listed):
        check_text(f"{name}[{at}]", text)
        if not text.isascii():
            _check_characters(text, f"{name}[{at}]")
    return listed


def _check_characters(text: str, name: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"{name}: expected characters, got a lone surrogate at character {error.start}"
        ) from None


def check_embedder(embedder: typing.Any) -> None:
    """Fails for what is no embedder, before anything is done."""
    if not callable(embedder) and _method(embedder, (*_BATCH_METHODS, "embed")) is None:
        raise TypeError(
            f"embedder: expected an object with `embed` or a callable, got {type(embedder).__name__}"
        )


def check_model(model: typing.Any, name: str = "llm") -> None:
    """Fails for what is no model, before anything is done."""
    if not callable(model) and _method(model, _GENERATE_METHODS) is None:
        raise TypeError(
            f"{name}: expected an object with `generate` or a callable, got {type(model).__name__}"
        )


def _method(owner: typing.Any, names: abc.Iterable[str]) -> str | None:
    for name in names:
        if callable(getattr(owner, name, None)) or callable(getattr(owner, f"a{name}", None)):
            return name
    return None


def _calls(owner: typing.Any, name: str, arguments: abc.Iterable[typing.Any]) -> list[Call]:
    in_loop = getattr(owner, f"a{name}", None)
    function: typing.Any = getattr(owner, name, None) or in_loop
    return [Call(function, argument, in_loop=in_loop) for argument in arguments]


def embedding(embedder: typing.Any, texts: list[str], *, query: bool = False) -> Work[list[typing.Any]]:
    """The vectors of texts, in as few calls as the embedder allows."""
    if query and (name := _method(embedder, ("embed_query",))):
        return list((yield _calls(embedder, name, texts)))
    if name := _method(embedder, _BATCH_METHODS):
        rows = yield _calls(embedder, name, [texts])[0]
        return _rows(rows, len(texts))
    if name := _method(embedder, ("embed",)):
        rows = yield _calls(embedder, name, texts)
    else:
        several = _takes_several(embedder)
        if several or several is None:
            try:
                rows = yield Call(embedder, texts)
            except (AttributeError, TypeError):
                # What a function of one text may do with a list. If it was meant, one text tells.
                if several:
                    raise
                rows = None
            if several or (rows is not None and not _is_vector(rows)):
                return _rows(rows, len(texts))
        rows = yield [Call(embedder, text) for text in texts]
    return [_one_row(row) for row in rows]


def _takes_several(function: typing.Any) -> bool | None:
    """Whether a callable takes a list of texts; None if its signature does not tell."""
    try:
        first = next(iter(inspect.signature(function).parameters.values()))
    except (StopIteration, TypeError, ValueError):
        return None
    if first.annotation is not inspect.Parameter.empty:
        annotation = first.annotation if isinstance(first.annotation, str) else repr(first.annotation)
        if any(word in annotation for word in ("list", "List", "Sequence", "Iterable")):
            return True
        if annotation in ("str", "<class 'str'>"):
            return False
    return True if first.name in _SEVERAL else False if first.name in _ONE else None


def _is_vector(rows: typing.Any) -> bool:
    shape = getattr(rows, "shape", None)
    if shape is not None:
        return len(shape) == 1
    return isinstance(rows, (list, tuple)) and bool(rows) and isinstance(rows[0], numbers.Number)


def _rows(rows: typing.Any, count: int) -> list[typing.Any]:
    expected = f"embedder: expected {count} vectors for as many texts"
    if _is_vector(rows):
        raise InvalidInputError(f"{expected}, got numbers that are in none")
    try:
        listed = list(rows)
    except TypeError:
        raise InvalidInputError(f"{expected}, got {type(rows).__name__}") from None
    if len(listed) != count:
        raise InvalidInputError(f"{expected}, got {len(listed)}")
    return listed


def _one_row(row: typing.Any) -> typing.Any:
    """The vector of one text, where an embedder returns a batch of one for it."""
    shape = getattr(row, "shape", None)
    if shape is not None and len(shape) == 2 and shape[0] == 1:
        return row[0]
    if isinstance(row, (list, tuple)) and len(row) == 1 and isinstance(row[0], (list, tuple)):
        return row[0]
    return row


def answered(model: typing.Any, prompts: abc.Iterable[str]) -> Work[list[str]]:
    """The answers of a model to prompts."""
    prompts = list(prompts)
    if name := _method(model, _GENERATE_METHODS):
        answers = yield _calls(model, name, prompts)
    else:
        answers = yield [Call(model, prompt) for prompt in prompts]
    return [_text_of(answer) for answer in answers]


def _text_of(answer: typing.Any) -> str:
    for candidate in (answer, getattr(answer, "text", None), getattr(answer, "content", None)):
        if isinstance(candidate, str):
            return candidate
    if isinstance(answer, dict):
        for name in ("text", "content"):
            if isinstance(answer.get(name), str):
                return typing.cast(str, answer[name])
    raise InvalidInputError(
        f"llm: expected a str or an object with `text` or `content`, got {type(answer).__name__}"
    )


def embedded(
    embedder: Embedder,
    texts: abc.Iterable[str],
    *,
    batch_size: int = 64,
    cache: _vecstore._RagEmbeddingCache | None = None,
    retries: Retries = Retries(),  # noqa: B008
    query: bool = False,
) -> Work[list[list[float]]]:
    """The vectors of texts: each text once, in batches, from a cache where they are there."""
    check_embedder(embedder)
    batch_size = check_int("batch_size", batch_size, 1)
    texts = check_texts(texts)
    flow = _vecstore._RagFlow.embed(texts, batch_size, cache, retries)
    handlers = {"vectors": lambda batch: embedding(embedder, batch, query=query)}
    return typing.cast("list[list[float]]", (yield from drive(flow, handlers, stores=cache is not None)))


def embed_texts(
    embedder: Embedder,
    texts: abc.Iterable[str],
    *,
    batch_size: int = 64,
    retries: int = 2,
    backoff: float = 0.5,
) -> list[list[float]]:
    """Embeds texts: each once, in batches, with calls that failed in passing made again.

    Parameters
    ----------
    embedder : TextEmbedder or callable
        See `TextEmbedder`.
    texts : iterable of str
        What to embed.
    batch_size : int
        The most texts in one call.
    retries : int
        How often a call is made again that failed in a way that may pass: a lost connection, a time-out, a
        server's status such as 429 or 503. Any other exception is raised at once.
    backoff : float
        Seconds before the first further attempt; doubled for each. An exception's ``retry_after`` takes its
        place.

    Returns
    -------
    list of list of float
        A vector for each text, all of one dimension.

    Raises
    ------
    InvalidInputError
        If the embedder returned another number of vectors, or vectors that are empty, of different
        dimensions, or not finite.

    Examples
    --------
    >>> embed_texts(lambda text: [len(text), 1.0], ["a", "bb", "a"])
    [[1.0, 1.0], [2.0, 1.0], [1.0, 1.0]]
    """
    policy = Retries.checked(retries, backoff)
    return run(embedded(embedder, texts, batch_size=batch_size, retries=policy))


async def aembed_texts(
    embedder: Embedder,
    texts: abc.Iterable[str],
    *,
    batch_size: int = 64,
    retries: int = 2,
    backoff: float = 0.5,
) -> list[list[float]]:
    """Does what `embed_texts` does, on an event loop. A sync embedder runs in a thread.

    >>> import asyncio
    >>> async def embed(text):
    ...     return [float(len(text))]
    >>> asyncio.run(aembed_texts(embed, ["a", "bb"]))
    [[1.0], [2.0]]
    """
    policy = Retries.checked(retries, backoff)
    return await arun(embedded(embedder, texts, batch_size=batch_size, retries=policy))


def expanded(llm: typing.Any, query: str, kind: str, count: int, retries: Retries) -> Work[list[str]]:
    """What a model makes of a query."""
    check_model(llm)
    flow = _vecstore._RagFlow.expand(query, kind, count, retries)
    handlers = {"answers": lambda prompts: answered(llm, prompts)}
    return typing.cast("list[str]", (yield from drive(flow, handlers)))
