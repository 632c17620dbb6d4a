"""How judges are asked: forms of judges, time-outs, retries, limits, the cache, the account."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
import typing
from pathlib import Path

import pytest

from vecstore import InvalidInputError
from vecstore.evaluation import ContextRelevance, EvaluationInput, Report, evaluate
from vecstore.evaluation._session import Limit

SAMPLES = [EvaluationInput(f"q{number}", [f"context {number}"]) for number in range(12)]


def scores(llm: typing.Any, **options: typing.Any) -> Report:
    options.setdefault("backoff", 0)
    report = evaluate(SAMPLES, [ContextRelevance(llm)], **options)
    assert isinstance(report, Report)
    return report


class Asynchronous:
    async def generate(self, prompt: str) -> str:
        await asyncio.sleep(0)
        return "yes" if "q1" in prompt else "no"


class Batched:
    def __init__(self) -> None:
        self.sizes: list[int] = []

    def generate_batch(self, prompts: list[str]) -> list[str]:
        self.sizes.append(len(prompts))
        return ["yes" if "q1" in prompt else "no" for prompt in prompts]


class Message:
    content = "yes"
    usage: typing.ClassVar = {"prompt_tokens": 100, "completion_tokens": 3}


def test_judges_of_every_form() -> None:
    expected = [float("1" in sample.query) for sample in SAMPLES]
    batched = Batched()

    async def coroutine(prompt: str) -> dict[str, str]:
        return {"text": "yes" if "q1" in prompt else "no"}

    for llm in (Asynchronous(), batched, coroutine, lambda prompt: "yes" if "q1" in prompt else "no"):
        assert scores(llm).scores["context_relevance"] == expected
    assert sum(batched.sizes) == len(SAMPLES)
    assert max(batched.sizes) > 1


def test_tokens_and_cost_are_counted() -> None:
    account = scores(lambda prompt: Message(), price=(2.0, 10.0)).account  # noqa: ARG005
    assert (account.calls, account.prompt_tokens, account.completion_tokens) == (12, 1200, 36)
    assert account.cost == pytest.approx(1200 * 2e-6 + 36 * 10e-6)
    assert not account.estimated
    assert scores(lambda prompt: "yes").account.estimated  # noqa: ARG005


def test_a_judge_that_hangs_times_out_and_stops_nothing() -> None:
    never = threading.Event()

    def judge(prompt: str) -> str:
        if "q3" in prompt:
            never.wait()
        return "yes"

    began = time.monotonic()
    report = scores(judge, timeout=0.3, retries=0)
    never.set()
    assert time.monotonic() - began < 10
    assert report.scores["context_relevance"][3] is None
    assert report.summaries[0].failures == {"timeout": 1}
    assert report.summaries[0].mean == 1.0


def test_a_thread_that_hangs_does_not_hold_up_the_exit() -> None:
    script = (
        "import time\n"
        "from vecstore.evaluation import ContextRelevance, EvaluationInput, evaluate\n"
        "report = evaluate([EvaluationInput('q', ['c'])], [ContextRelevance(lambda p: time.sleep(600))],"
        " timeout=0.2, retries=0)\n"
        "print(report.summaries[0].failures)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "{'timeout': 1}"


def test_a_judge_that_raises_is_asked_again() -> None:
    tries: dict[str, int] = {}

    def judge(prompt: str) -> str:
        tries[prompt] = tries.get(prompt, 0) + 1
        if tries[prompt] < 3:
            raise ConnectionError("reset")
        return "yes"

    report = scores(judge, retries=2)
    assert report.summaries[0].scored == 12
    assert report.account.retries == 24
    failed = scores(lambda prompt: 1 / 0, retries=1)  # noqa: ARG005
    result = failed.rows[0].results[0]
    assert result.score is None
    assert result.failure is not None
    assert result.failure.kind == "judge_error"
    assert "ZeroDivisionError" in result.failure.message


class RateLimitError(Exception):
    retry_after = 0.01


def test_overload_halves_the_questions_in_flight() -> None:
    limit = Limit(16)
    for _ in range(200):
        limit.succeeded()
    assert limit._places == 16
    limit.overloaded()
    limit.overloaded()
    assert limit._places == 4

    lock = threading.Lock()
    flying = most = 0
    refused: set[str] = set()

    def judge(prompt: str) -> str:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        try:
            time.sleep(0.002)
            if prompt not in refused:
                refused.add(prompt)
                raise RateLimitError("slow down")
            return "yes"
        finally:
            with lock:
                flying -= 1

    assert scores(judge, concurrency=6).summaries[0].scored == 12
    assert most <= 6


def test_concurrency_has_a_bound() -> None:
    lock = threading.Lock()
    flying = most = 0

    def judge(prompt: str) -> str:  # noqa: ARG001
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        time.sleep(0.005)
        with lock:
            flying -= 1
        return "yes"

    scores(judge, concurrency=2)
    assert most == 2


def test_answers_are_kept_by_model_prompt_and_parameters(tmp_path: Path) -> None:
    calls = 0

    class Named:
        model = "small"
        parameters: typing.ClassVar[dict[str, float]] = {"temperature": 0.0}

        def generate(self, prompt: str) -> str:  # noqa: ARG002
            nonlocal calls
            calls += 1
            return "yes"

    first = scores(Named(), cache=tmp_path)
    assert (calls, first.account.cached) == (12, 0)
    again = scores(Named(), cache=tmp_path)
    assert (calls, again.account.cached) == (12, 12)
    assert again.scores == first.scores
    warm = Named()
    warm.parameters = {"temperature": 1.0}  # type: ignore[misc]
    scores(warm, cache=tmp_path)
    assert calls == 24
    # A damaged file is asked for again, and mended.
    damaged = next(tmp_path.rglob("*.json"))
    damaged.write_text("{", encoding="utf-8")
    scores(Named(), cache=tmp_path)
    assert calls in (24, 25)
    assert json.loads(damaged.read_text(encoding="utf-8")) == {"answer": "yes"} or calls == 24
    nameless = scores(lambda prompt: "yes", cache=tmp_path)  # noqa: ARG005
    failure = nameless.rows[0].results[0].failure
    assert failure is not None
    assert "no name to keep its answers by" in failure.message


def test_answers_that_cannot_be_read_are_not_kept(tmp_path: Path) -> None:
    report = scores(lambda prompt: "hm", cache=tmp_path, model="m", retries=0)  # noqa: ARG005
    assert report.summaries[0].failures == {"unparsable": 12}
    assert not list(tmp_path.rglob("*.json"))


def test_an_embedder_of_any_form() -> None:
    from vecstore.evaluation import EmbeddingSimilarity

    class Many:
        def embed_many(self, texts: list[str]) -> list[list[float]]:
            return [[1.0, float(len(text))] for text in texts]

    class One:
        async def embed(self, text: str) -> tuple[float, float]:
            return 1.0, float(len(text))

    sample = EvaluationInput("q", [], "same", "same")
    good: list[typing.Any] = [Many(), One(), lambda text: [[1.0, float(len(text))]]]
    for embedder in good:
        assert EmbeddingSimilarity(embedder).evaluate(sample).score == pytest.approx(1.0)
    bad: list[typing.Any] = [lambda _: [float("nan")], lambda text: [1.0] * len(text), lambda _: "x"]
    for embedder in bad:
        sample = EvaluationInput("q", [], "one", "three")
        result = EmbeddingSimilarity(embedder).evaluate(sample)
        assert result.score is None


def test_bad_settings_are_refused() -> None:
    for options in ({"concurrency": 0}, {"timeout": 0}, {"retries": -1}, {"backoff": -1}):
        with pytest.raises(InvalidInputError, match=next(iter(options))):
            scores(len, **options)
