"""What was said in a conversation."""

from __future__ import annotations

import inspect
import threading
import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_callable, check_int, check_text
from vecstore.rag._calls import Call, Work, arun, run
from vecstore.rag._models import TokenCounter

__all__ = ["ConversationMemory", "Message"]

Summarizer = abc.Callable[..., typing.Any]


class Message(typing.NamedTuple):
    """One message of a conversation.

    >>> Message("user", "Hello").to_dict()
    {'role': 'user', 'content': 'Hello'}
    """

    role: str
    content: str

    def to_dict(self) -> dict[str, str]:
        """The message as chat models take it.

        >>> Message("user", "Hello").to_dict()
        {'role': 'user', 'content': 'Hello'}
        """
        return {"role": self.role, "content": self.content}


class ConversationMemory:
    """A conversation that forgets its oldest messages rather than exceed a number of tokens.

    Messages of the role ``system`` are kept, whatever their number. A message larger than what they leave of
    the budget is cut to that, at a paragraph, sentence or word. Adding takes constant time. A memory can be
    pickled, if what it calls can.

    Parameters
    ----------
    max_tokens : int
        The budget.
    token_estimator : callable, optional
        Returns the number of tokens of a text. Without it, `ContextWindowManager.simple_token_estimator`.
    summarizer : callable, optional
        Called as ``summarizer(messages, previous_summary)``, or with the messages alone if it takes one
        argument; returns a text that takes the place of the messages that are about to be forgotten: the
        first message after the system messages, of at most a quarter of the budget. The newest message is
        never among them. When the budget is exceeded, half of it is freed at once, so that it is called
        rarely. If it raises, nothing is lost: the next message tries again. It is never called twice at
        the same time. An async one needs `aadd_message`, or no running event loop.

    Examples
    --------
    >>> memory = ConversationMemory(8)
    >>> memory.add_message("system", "Be brief.")
    >>> memory.add_message("user", "What is a segment?")
    >>> memory.add_message("user", "And a manifest?")
    >>> print(memory.format_messages())
    system: Be brief.
    <BLANKLINE>
    user: And a manifest?
    """

    def __init__(
        self,
        max_tokens: int,
        token_estimator: TokenCounter | None = None,
        *,
        summarizer: Summarizer | None = None,
    ) -> None:
        self._max_tokens = check_int("max_tokens", max_tokens, 1)
        for name, value in (("token_estimator", token_estimator), ("summarizer", summarizer)):
            if value is not None:
                check_callable(name, value)
        self._token_estimator = token_estimator
        self._summarizer = summarizer
        self._summing = threading.Lock()
        #: How often it was cleared: a summary of what was there before is of no use after it.
        self._cleared = 0
        self._state = _vecstore._RagMemory(self._max_tokens, summarizer is not None)

    @classmethod
    def with_token_estimator(cls, max_tokens: int, token_estimator: TokenCounter) -> ConversationMemory:
        """A memory that counts tokens with a function of yours.

        >>> ConversationMemory.with_token_estimator(100, len).max_tokens
        100
        """
        return cls(max_tokens, token_estimator)

    @property
    def max_tokens(self) -> int:
        """The budget."""
        return self._max_tokens

    def add_message(self, role: str, content: str) -> None:
        """Adds a message, and forgets the oldest ones that no longer fit.

        >>> memory = ConversationMemory(1000)
        >>> memory.add_message("user", "When is the log synced?")
        >>> len(memory.get_messages())
        1
        """
        run(self._adding(role, content))

    async def aadd_message(self, role: str, content: str) -> None:
        """Does what `add_message` does, on an event loop.

        >>> import asyncio
        >>> memory = ConversationMemory(1000)
        >>> asyncio.run(memory.aadd_message("user", "Hello"))
        >>> memory.get_messages()[0].content
        'Hello'
        """
        await arun(self._adding(role, content))

    def _adding(self, role: str, content: str) -> Work[None]:
        for name, value in (("role", role), ("content", content)):
            check_text(name, value)
        yield Call(self._state.add, role, content, self._token_estimator)
        # What is forgotten while another one is being summed up waits for the next message.
        if self._summarizer is None or not self._summing.acquire(blocking=False):
            return
        try:
            yield from self._summing_up(self._summarizer)
        finally:
            self._summing.release()

    def _summing_up(self, summarizer: Summarizer) -> Work[None]:
        messages = [Message(*message) for message in self._state.forgotten()]
        if not messages:
            return
        cleared = self._cleared
        arguments = (messages, self._state.summary())[: _arity(summarizer)]
        summary = yield Call(summarizer, *arguments)
        if not isinstance(summary, str):
            raise TypeError(f"summarizer: expected to return a str, got {type(summary).__name__}")
        if cleared == self._cleared:
            yield Call(self._state.set_summary, summary, len(messages), self._token_estimator)

    def get_messages(self) -> list[Message]:
        """The messages, oldest first.

        >>> memory = ConversationMemory(1000)
        >>> memory.add_message("user", "Hello")
        >>> memory.get_messages()
        [Message(role='user', content='Hello')]
        """
        return [Message(*message) for message in self._state.messages()]

    def to_dicts(self) -> list[dict[str, str]]:
        """The messages as chat models take them.

        >>> memory = ConversationMemory(100)
        >>> memory.add_message("user", "Hello")
        >>> memory.to_dicts()
        [{'role': 'user', 'content': 'Hello'}]
        """
        return [message.to_dict() for message in self.get_messages()]

    def format_messages(self) -> str:
        """The messages as ``role: content``, with a blank line between two.

        >>> memory = ConversationMemory(1000)
        >>> memory.add_message("user", "Hello")
        >>> memory.add_message("assistant", "Good day")
        >>> print(memory.format_messages())
        user: Hello
        <BLANKLINE>
        assistant: Good day
        """
        return self._state.format()

    def clear(self) -> None:
        """Forgets all messages, the system messages too.

        >>> memory = ConversationMemory(1000)
        >>> memory.add_message("user", "Hello")
        >>> memory.clear()
        >>> memory.get_messages()
        []
        """
        self._cleared += 1
        self._state.clear()

    def token_count(self) -> int:
        """How many tokens the messages have; more than the budget only if system messages alone do.

        >>> memory = ConversationMemory(1000, lambda text: len(text.split()))
        >>> memory.add_message("user", "one two three")
        >>> memory.token_count() >= 3
        True
        """
        return self._state.token_count()

    def __getstate__(self) -> dict[str, typing.Any]:
        return {**self.__dict__, "_state": self._state._state(), "_summing": None}

    def __setstate__(self, state: dict[str, typing.Any]) -> None:
        self.__dict__.update(state)
        self._state = _vecstore._RagMemory(self._max_tokens, self._summarizer is not None)
        self._state._restore(state["_state"])
        self._summing = threading.Lock()

    def __len__(self) -> int:
        return len(self._state)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> abc.Iterator[Message]:
        return iter(self.get_messages())

    def __repr__(self) -> str:
        return (
            f"ConversationMemory(max_tokens={self._max_tokens}, messages={len(self)}, "
            f"tokens={self.token_count()})"
        )


def _arity(function: abc.Callable[..., typing.Any]) -> int:
    """How many of two arguments a callable takes."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return 2
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(2, max(1, sum(parameter.kind in positional for parameter in parameters)))
