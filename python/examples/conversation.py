"""A conversation about Python: follow-up questions, a memory of limited size, answers that were given before.

Run it with ``python python/examples/conversation.py``, or with ``-`` to ask by yourself, a line at a time.
"""

from __future__ import annotations

import sys
import typing
from collections import abc
from pydoc_data.topics import topics

import vecstore
from example_models import PROMPT, Answerer, load_answerer, load_embedder
from vecstore.rag import ConversationMemory, RecursiveCharacterTextSplitter, Retriever, SemanticCache

TOPICS = ("break", "continue", "pass", "return", "while")
QUESTIONS = (
    "Which statement ends a loop?",
    "And which one goes on with its next cycle?",
    "Which statement ends a loop",
    "What does the pass statement do?",
)
MEMORY_TOKENS = 200
#: A question with one of these words leans on the one before it.
LEANING = {"and", "it", "its", "that", "this", "they", "them", "he", "she"}


class Conversation:
    """Questions and answers, of which the last are remembered."""

    def __init__(self, store: vecstore.VecStore, embedder: typing.Any, answerer: Answerer) -> None:
        self.memory = ConversationMemory(MEMORY_TOKENS)
        self.memory.add_message("system", "You answer questions about Python from the sources.")
        self.cache = SemanticCache(100, 0.95, embedder=embedder)
        self._retriever = Retriever(store, embedder, k=4, max_tokens=1000)
        self._answerer = answerer

    def ask(self, question: str) -> str:
        """Answers, from the cache if much the same was asked before."""
        standalone = self._standalone(question)
        answer: str = self.cache.get_or_compute(standalone, self._answer)
        self.memory.add_message("user", question)
        self.memory.add_message("assistant", answer)
        return answer

    def _standalone(self, question: str) -> str:
        """The question with the one it leans on; a language model can rewrite better than this rule."""
        asked = [message.content for message in self.memory.get_messages() if message.role == "user"]
        leans = LEANING & set(question.lower().replace("?", "").split())
        return f"{asked[-1]} {question}" if leans and asked else question

    def _answer(self, question: str) -> str:
        context = self._retriever.retrieve(question)
        prompt = PROMPT.format(context=context.text, question=question)
        return self._answerer.generate(f"Earlier:\n{self.memory.format_messages()}\n\n{prompt}")


def main(questions: abc.Iterable[str]) -> None:
    embedder = load_embedder()
    answerer = load_answerer(embedder)
    splitter = RecursiveCharacterTextSplitter(600, 80)
    with vecstore.VecStore(":memory:") as store:
        for name in TOPICS:
            store.upsert_chunks(name, topics[name], splitter, embedder)
        conversation = Conversation(store, embedder, answerer)
        print(f"{len(store)} chunks; answers are {answerer.name}")
        for question in questions:
            answer = conversation.ask(question.strip())
            memory = conversation.memory
            print(f"\n> {question.strip()}\n{answer}")
            print(f"  ({len(memory.get_messages())} messages in memory, {memory.token_count()} tokens)")
        print(f"\nanswered from the cache: {conversation.cache.stats().hits}")


if __name__ == "__main__":
    main(sys.stdin if sys.argv[1:] == ["-"] else QUESTIONS)
