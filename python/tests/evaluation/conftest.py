"""Judges that say what a test wants, and how many random cases the oracles are asked about."""

from __future__ import annotations

import json
import os
import typing
from collections import abc

import pytest

#: `VECSTORE_EVAL_CASES=10000` for the full comparison with each oracle.
CASES = int(os.environ.get("VECSTORE_EVAL_CASES", "300"))


class Judge:
    """A judge that answers by a function of the prompt, and remembers the prompts."""

    model = "scripted"

    def __init__(self, answer: abc.Callable[[str], typing.Any]) -> None:
        self.answer = answer
        self.prompts: list[str] = []

    def generate(self, prompt: str) -> typing.Any:
        self.prompts.append(prompt)
        return self.answer(prompt)


def scripted(
    claims: abc.Mapping[str, list[str]] | None = None,
    support: abc.Callable[[str, str], bool] | None = None,
    otherwise: abc.Callable[[str], str] | None = None,
) -> Judge:
    """A judge with the claims of texts, and a verdict on (context, statement) pairs."""

    def between(prompt: str, tag: str) -> str:
        return prompt.split(f"<{tag}>\n", 1)[1].split(f"\n</{tag}>", 1)[0]

    def answer(prompt: str) -> str:
        if claims is not None and "<answer>" in prompt and "Break the answer" in prompt:
            return json.dumps({"claims": claims[between(prompt, "answer")]})
        if support is not None and "<statements>" in prompt:
            context = between(prompt, "context" if "<context>" in prompt else "others")
            lines = between(prompt, "statements").splitlines()
            verdicts = [
                {"number": int(number), "verdict": "yes" if support(context, text) else "no"}
                for number, text in (line.split(". ", 1) for line in lines)
            ]
            return "Here you are:\n```json\n" + json.dumps({"verdicts": verdicts}) + "\n```"
        if otherwise is not None:
            return otherwise(prompt)
        raise AssertionError(f"unexpected prompt: {prompt}")

    return Judge(answer)


@pytest.fixture
def cases() -> int:
    """How many random cases to try."""
    return CASES
