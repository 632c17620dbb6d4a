"""Asking judges: limits, time-outs, retries, the cache and the account of one evaluation."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import inspect
import json
import os
import random
import threading
import typing
from collections import abc
from pathlib import Path

from vecstore._arguments import check_int, check_number, check_path, check_text
from vecstore._errors import InvalidInputError, VecStoreError
from vecstore.evaluation._parse import UnparsableError
from vecstore.evaluation._results import Failure

__all__ = ["Account", "JudgeError", "Session", "Settings"]

T = typing.TypeVar("T")

#: A judge: an object with ``generate`` (or ``agenerate``, or ``generate_batch``), or a callable; sync or
#: async.
LLM = typing.Any

#: Characters a token has on average, where a judge does not say how many it counted.
CHARACTERS_PER_TOKEN = 4
#: Prompts that a judge with ``generate_batch`` gets at once.
BATCH_PROMPTS = 32


class JudgeError(Exception):
    """A question to a judge that came to nothing."""

    def __init__(self, kind: str, message: str, raw: str | None = None) -> None:
        super().__init__(message)
        self.failure = Failure(kind, message, raw)


@dataclasses.dataclass
class Account:
    """What an evaluation asked of judges.

    Tokens are what judges report (``usage`` with ``prompt_tokens`` and ``completion_tokens``); where they do
    not, they are estimated at four characters each, and ``estimated`` is True.

    >>> Account(calls=2, cost=0.01).calls
    2
    """

    calls: int = 0
    cached: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    estimated: bool = False


@dataclasses.dataclass(frozen=True)
class Settings:
    """How judges are asked.

    Parameters
    ----------
    concurrency : int
        Most questions in flight. The number in use starts at 4, grows while all goes well, and is halved when
        a judge says that it is asked too often (status 429 or an exception named so) or does not answer in
        time.
    timeout : float
        Seconds for one answer. A thread that a sync judge hangs in is abandoned, and does not hold up the
        exit.
    retries : int
        Further attempts after a failure or an answer that cannot be read.
    backoff : float
        Seconds before the first further attempt; doubled for each, with up to half as much again at random.
        An exception's ``retry_after`` takes its place.
    price : tuple of float
        Cost of a million prompt tokens and of a million completion tokens.
    cache : path, optional
        A directory of answers, by model, prompt and parameters.
    model : str, optional
        Names the judge in the cache, for one without an attribute ``model``, ``model_name`` or ``name``.

    Examples
    --------
    >>> Settings(concurrency=4, retries=0).timeout
    60.0
    """

    concurrency: int = 16
    timeout: float = 60.0
    retries: int = 2
    backoff: float = 0.5
    price: tuple[float, float] = (0.0, 0.0)
    cache: str | os.PathLike[str] | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        for name, least in (("concurrency", 1), ("retries", 0)):
            check_int(name, getattr(self, name), least)
        price: typing.Any = self.price
        if not isinstance(price, (tuple, list)) or len(price) != 2:
            raise TypeError(f"price: expected two numbers, got {type(price).__name__}")
        if not all(check_number("price", one) >= 0 for one in price):
            raise InvalidInputError(f"price: expected two numbers of at least 0, got {price!r}")
        if self.cache is not None:
            check_path("cache", self.cache)
        if self.model is not None:
            check_text("model", self.model)
        if not check_number("timeout", self.timeout) > 0:
            raise InvalidInputError(f"timeout: expected a number of seconds above 0, got {self.timeout!r}")
        if not check_number("backoff", self.backoff) >= 0:
            raise InvalidInputError(
                f"backoff: expected a number of seconds of at least 0, got {self.backoff!r}"
            )


class Limit:
    """A number of places that grows with success and is halved by signs of overload."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._places = float(min(4, most))
        self._taken = 0
        self._waiting: list[asyncio.Future[None]] = []

    async def __aenter__(self) -> None:
        while self._taken >= int(self._places):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except BaseException:
                # A turn that was given and is not taken is the next one's.
                if turn.done() and not turn.cancelled():
                    self._wake()
                raise
        self._taken += 1

    async def __aexit__(self, *_: object) -> None:
        self._taken -= 1
        self._wake()

    def succeeded(self) -> None:
        """Widens by about one place for each round of successes."""
        self._places = min(float(self._most), self._places + 1 / self._places)
        self._wake()

    def overloaded(self) -> None:
        """Halves the places."""
        self._places = max(1.0, self._places / 2)

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.pop(0)
            if not turn.done():
                turn.set_result(None)
                return


class Session:
    """One evaluation's way to its judges.

    >>> session = Session(Settings(concurrency=2))
    >>> session.account.calls
    0
    """

    def __init__(self, settings: Settings | None = None, *, dry: bool = False) -> None:
        self.settings = settings or Settings()
        self.account = Account()
        self.dry = dry
        self._limits: dict[int, Limit] = {}
        self._batchers: dict[int, _Batcher] = {}
        self._random = random.Random(0)

    async def ask(
        self, llm: LLM, prompt: str, parse: abc.Callable[[str], T], *, example: str, vote: int = 0
    ) -> T:
        """The answer to ``prompt``, read by ``parse``.

        ``example`` stands for the answer in a dry run. ``vote`` keeps several answers to one prompt apart in
        the cache.

        Raises
        ------
        JudgeError
            When all attempts failed.

        Examples
        --------
        >>> import asyncio, json
        >>> session = Session()
        >>> judge = lambda prompt: "[1]"
        >>> asyncio.run(session.ask(judge, "a list, please", json.loads, example="[1]"))
        [1]
        """
        if self.dry:
            self._count(prompt, example, None)
            return parse(example)
        stored = self._cache_file(llm, prompt, vote)
        if stored is not None:
            cached = _read_cached(stored)
            if cached is not None:
                with contextlib.suppress(UnparsableError):
                    value = parse(cached)
                    self.account.cached += 1
                    return value
        limit = self._limits.setdefault(id(llm), Limit(self.settings.concurrency))
        failure = JudgeError("judge_error", "the judge was not asked")
        for attempt in range(self.settings.retries + 1):
            if attempt:
                self.account.retries += 1
                await asyncio.sleep(self._pause(attempt, failure))
            try:
                async with limit:
                    answer = await asyncio.wait_for(self._answer(llm, prompt), self.settings.timeout)
            except asyncio.TimeoutError:
                limit.overloaded()
                failure = JudgeError("timeout", f"no answer within {self.settings.timeout:g} s")
                continue
            except InvalidInputError:
                raise
            except Exception as error:
                if _is_overload(error):
                    limit.overloaded()
                failure = JudgeError("judge_error", f"the judge raised {type(error).__name__}: {error}")
                failure.__cause__ = error
                continue
            limit.succeeded()
            try:
                text = _text_of(answer)
                self._count(prompt, text, answer)
                value = parse(text)
            except UnparsableError as error:
                failure = JudgeError("unparsable", str(error), _shortened(answer))
                continue
            if stored is not None:
                _write_cached(stored, text)
            return value
        raise failure

    async def embed(self, embedder: typing.Any, texts: abc.Sequence[str]) -> list[list[float]]:
        """One vector for each of ``texts``.

        An embedder is an object with ``embed_many``, ``embed_batch`` or ``embed_documents`` (several texts),
        or ``embed`` (one text), or a callable for one text; sync or async.

        >>> import asyncio
        >>> class Embedder:
        ...     def embed_batch(self, texts):
        ...         return [[float(len(text))] for text in texts]
        >>> asyncio.run(Session().embed(Embedder(), ["a", "bc"]))
        [[1.0], [2.0]]
        """
        if self.dry:
            return [[1.0] for _ in texts]
        for name in ("embed_many", "embed_batch", "embed_documents"):
            many = getattr(embedder, name, None)
            if callable(many):
                rows = list(await self._embedded(many, list(texts)))
                if len(rows) != len(texts):
                    raise InvalidInputError(f"embedder: expected {len(texts)} vectors, got {len(rows)}")
                return [_vector(row) for row in rows]
        one = getattr(embedder, "embed", embedder)
        if not callable(one):
            raise TypeError(
                f"embedder: expected an object with `embed` or a callable, got {type(one).__name__}"
            )
        return [_vector(await self._embedded(one, text)) for text in texts]

    async def _embedded(self, call: abc.Callable[..., typing.Any], argument: typing.Any) -> typing.Any:
        limit = self._limits.setdefault(id(call), Limit(self.settings.concurrency))
        try:
            async with limit:
                return await asyncio.wait_for(_called(call, argument), self.settings.timeout)
        except asyncio.TimeoutError:
            raise JudgeError("timeout", f"no vector within {self.settings.timeout:g} s") from None
        except VecStoreError:
            raise
        except Exception as error:
            raise JudgeError("judge_error", f"the embedder raised {type(error).__name__}: {error}") from error

    async def _answer(self, llm: LLM, prompt: str) -> typing.Any:
        batch = getattr(llm, "generate_batch", None)
        if callable(batch):
            batcher = self._batchers.setdefault(id(llm), _Batcher(batch))
            return await batcher.ask(prompt)
        for name in ("agenerate", "generate"):
            method = getattr(llm, name, None)
            if callable(method):
                return await _called(method, prompt)
        if callable(llm):
            return await _called(llm, prompt)
        raise InvalidInputError(
            f"llm: expected a callable or an object with `generate`, got {type(llm).__name__}"
        )

    def _pause(self, attempt: int, failure: JudgeError) -> float:
        after = getattr(failure.__cause__, "retry_after", None)
        if isinstance(after, (int, float)) and 0 <= after <= 600:
            return float(after)
        return float(self.settings.backoff * 2 ** (attempt - 1) * (1 + self._random.random() / 2))

    def _count(self, prompt: str, text: str, answer: typing.Any) -> None:
        account = self.account
        account.calls += 1
        usage = getattr(answer, "usage", None)
        if usage is None and isinstance(answer, dict):
            usage = answer.get("usage")
        spent = [_usage(usage, name) for name in ("prompt_tokens", "completion_tokens")]
        known = [tokens for tokens in spent if tokens is not None]
        if len(known) != len(spent):
            account.estimated = True
            known = [-(-len(part) // CHARACTERS_PER_TOKEN) for part in (prompt, text)]
        account.prompt_tokens += known[0]
        account.completion_tokens += known[1]
        account.cost += sum(tokens * price / 1e6 for tokens, price in zip(known, self.settings.price))

    def _cache_file(self, llm: LLM, prompt: str, vote: int) -> Path | None:
        if self.settings.cache is None:
            return None
        model = self.settings.model
        for name in ("model", "model_name", "name"):
            model = model or getattr(llm, name, None)
        if not isinstance(model, str) or not model:
            raise InvalidInputError(
                "cache: the judge has no name to keep its answers by: "
                "give it an attribute `model`, or the call an argument model="
            )
        parameters = getattr(llm, "parameters", None)
        key = json.dumps([model, prompt, parameters, vote], sort_keys=True, default=repr)
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return Path(self.settings.cache) / digest[:2] / f"{digest}.json"


class _Batcher:
    """Gathers questions that come at about the same time."""

    def __init__(self, generate_batch: abc.Callable[[list[str]], typing.Any]) -> None:
        self._generate = generate_batch
        self._waiting: list[tuple[str, asyncio.Future[typing.Any]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, prompt: str) -> typing.Any:
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((prompt, answer))
        if len(self._waiting) == 1:
            task = asyncio.ensure_future(self._flush())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await answer

    async def _flush(self) -> None:
        await asyncio.sleep(0.001)
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH_PROMPTS], self._waiting[BATCH_PROMPTS:]
            try:
                answers = list(await _called(self._generate, [prompt for prompt, _ in batch]))
                if len(answers) != len(batch):
                    raise ValueError(f"generate_batch: expected {len(batch)} answers, got {len(answers)}")
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(batch, answers):
                if not future.done():
                    future.set_result(answer)


async def _called(call: abc.Callable[..., typing.Any], argument: typing.Any) -> typing.Any:
    """What ``call(argument)`` returns: awaited if it is async, else run in a thread."""
    if inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None)):  # noqa: B004
        return await call(argument)
    result = await _in_thread(call, argument)
    return await result if inspect.isawaitable(result) else result


async def _in_thread(call: abc.Callable[..., typing.Any], argument: typing.Any) -> typing.Any:
    # Not an executor's threads: those are joined at exit, and a call that hangs would hang the interpreter.
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def settle(value: typing.Any, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(value)
        elif isinstance(error, StopIteration):  # cannot be raised into a future
            done.set_exception(RuntimeError("the call raised StopIteration"))
        else:
            done.set_exception(error)

    def run() -> None:
        try:
            value, error = call(argument), None
        except BaseException as caught:
            value, error = None, caught
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, value, error)

    threading.Thread(target=run, name="vecstore-judge", daemon=True).start()
    return await done


def _is_overload(error: Exception) -> bool:
    status = getattr(error, "status_code", getattr(error, "code", None))
    return status == 429 or "ratelimit" in type(error).__name__.lower().replace("_", "")


def _text_of(answer: typing.Any) -> str:
    for name in (None, "text", "content", "output_text"):
        if name is None:
            value = answer
        else:
            value = answer.get(name) if isinstance(answer, dict) else getattr(answer, name, None)
        if isinstance(value, str):
            # Half of a surrogate pair, which a stream that was cut off ends with, is in no text.
            return value if value.isascii() else value.encode("utf-8", "replace").decode()
    raise UnparsableError(
        f"expected a str or an object with `text` or `content`, got {type(answer).__name__}"
    )


def _usage(usage: typing.Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else getattr(usage, name, None)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _shortened(answer: typing.Any) -> str:
    text = answer if isinstance(answer, str) else getattr(answer, "text", None)
    return (text if isinstance(text, str) else repr(answer))[:2000]


def _vector(row: typing.Any) -> list[float]:
    if hasattr(row, "tolist"):
        row = row.tolist()
    try:
        row = list(row)
        if len(row) == 1 and isinstance(row[0], (list, tuple)):
            row = list(row[0])
        return [float(component) for component in row]
    except TypeError:
        raise InvalidInputError(f"embedder: expected one vector for one text, got {row!r:.80}") from None


def _read_cached(path: Path) -> str | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    answer = record.get("answer") if isinstance(record, dict) else None
    return answer if isinstance(answer, str) else None


def _write_cached(path: Path, answer: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    part.write_text(json.dumps({"answer": answer}), encoding="utf-8")
    # Whoever reads meanwhile sees the old file or the new, never half of one.
    part.replace(path)
