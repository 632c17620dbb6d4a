"""The questions that several judged metrics ask, with votes: claims, verdicts on statements, ratings."""

from __future__ import annotations

import asyncio
import json
import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_int
from vecstore.evaluation import _parse, _prompts
from vecstore.evaluation._metric import Metric
from vecstore.evaluation._session import LLM, JudgeError, Session

__all__ = ["JudgedMetric", "Verdicts", "gathered"]

T = typing.TypeVar("T")


class Verdicts(typing.NamedTuple):
    """Verdicts on statements, None where the judge gave none."""

    values: list[bool | None]
    #: The mean share of votes that were as the majority's.
    agreement: float

    @property
    def known(self) -> list[bool]:
        """Those that there are."""
        return [value for value in self.values if value is not None]

    @property
    def coverage(self) -> float:
        """The share that there are; 1 of none."""
        return len(self.known) / len(self.values) if self.values else 1.0


class JudgedMetric(Metric):
    """The base of metrics that ask a judge.

    Parameters
    ----------
    llm
        The judge: an object with ``generate`` (``agenerate``, ``generate_batch``) or a callable, sync or
        async.
    votes : int
        How often each verdict is asked for; the majority decides, and details have the votes' agreement.
    """

    def __init__(self, llm: LLM, votes: int = 1) -> None:
        votes = check_int("votes", votes, 1)
        if isinstance(llm, str) or not (
            callable(llm) or any(hasattr(llm, name) for name in ("generate", "agenerate", "generate_batch"))
        ):
            raise TypeError(
                f"llm: expected a callable or an object with `generate`, got {type(llm).__name__}"
            )
        self.llm = llm
        self.votes = votes

    async def _claims(self, query: str, text: str, session: Session) -> list[str]:
        """The claims of a text."""
        example = json.dumps({"claims": [text[a:b] for a, b in _vecstore._eval_sentences(text)]})
        return await session.ask(self.llm, _prompts.claims(query, text), _parse.claims, example=example)

    async def _supported(self, context: str, statements: abc.Sequence[str], session: Session) -> Verdicts:
        """Whether each statement follows from ``context``; what is left open is asked again one by one."""
        return await self._verdicts(lambda some: _prompts.support(context, some), statements, session)

    async def _verdicts(
        self, prompt: abc.Callable[[abc.Sequence[str]], str], statements: abc.Sequence[str], session: Session
    ) -> Verdicts:
        if not statements:
            return Verdicts([], 1.0)

        async def once(vote: int) -> list[bool | None]:
            found = await self._ask_verdicts(prompt, statements, session, vote)
            open_places = [at for at, value in enumerate(found) if value is None]
            if len(statements) > 1:
                for at in open_places:
                    try:
                        found[at] = (await self._ask_verdicts(prompt, [statements[at]], session, vote))[0]
                    except JudgeError:
                        continue
            return found

        rounds = await gathered(once(vote) for vote in range(self.votes))
        values: list[bool | None] = []
        agreements = []
        for column in zip(*rounds):
            cast = [value for value in column if value is not None]
            agreed = sum(cast)
            # A tie is a no: a claim needs a majority.
            values.append(agreed * 2 > len(cast) if cast else None)
            if cast:
                agreements.append(max(agreed, len(cast) - agreed) / len(cast))
        return Verdicts(values, sum(agreements) / len(agreements) if agreements else 0.0)

    async def _ask_verdicts(
        self,
        prompt: abc.Callable[[abc.Sequence[str]], str],
        statements: abc.Sequence[str],
        session: Session,
        vote: int,
    ) -> list[bool | None]:
        count = len(statements)
        return await session.ask(
            self.llm,
            prompt(statements),
            lambda text: _parse.verdicts(text, count),
            example=_prompts.example_verdicts(count),
            vote=vote,
        )

    async def _rating(
        self, prompt: str, session: Session, low: float = 0.0, high: float = 1.0
    ) -> tuple[float, float]:
        """The mean rating of the votes, from 0 to 1, and how far they agree: 1 less their range."""
        example = json.dumps({"score": high})

        def parse(text: str) -> float:
            if (low, high) == (0.0, 1.0):
                return _parse.rating(text)
            return (_parse.number(text, low, high) - low) / (high - low)

        ratings = await gathered(
            session.ask(self.llm, prompt, parse, example=example, vote=vote) for vote in range(self.votes)
        )
        return sum(ratings) / len(ratings), 1.0 - (max(ratings) - min(ratings))


async def gathered(questions: abc.Iterable[abc.Awaitable[T]]) -> list[T]:
    """Runs questions side by side. If one fails, the others are waited for before its failure goes on."""
    outcomes = await asyncio.gather(*questions, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return typing.cast("list[T]", outcomes)
