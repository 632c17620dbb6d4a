"""Conversation memory, prompts, packing and queries by rules."""

from __future__ import annotations

import asyncio
import copy
import pickle
import typing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vecstore import InvalidInputError, Neighbor
from vecstore.rag import (
    ContextWindowManager,
    ConversationMemory,
    Message,
    PromptTemplate,
    QueryExpander,
)


@given(
    st.integers(1, 60),
    st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(max_size=30))),
)
def test_the_budget_holds_and_system_messages_stay(budget: int, said: list[tuple[str, str]]) -> None:
    memory = ConversationMemory(budget, len)
    system = []
    for role, content in said:
        memory.add_message(role, content)
        system += [content] if role == "system" else []
        messages = memory.get_messages()
        assert [message.content for message in messages if message.role == "system"] == system
        assert memory.token_count() == sum(len(message.content) for message in messages)
        assert memory.token_count() <= max(budget, sum(map(len, system)))


def test_the_oldest_messages_go_first_and_the_order_stays() -> None:
    memory = ConversationMemory(10, len)
    for role, content in [("user", "aaaa"), ("system", "s"), ("user", "bbbb"), ("user", "cccc")]:
        memory.add_message(role, content)
    assert [message.content for message in memory] == ["s", "bbbb", "cccc"]
    assert memory.format_messages() == "system: s\n\nuser: bbbb\n\nuser: cccc"
    memory.clear()
    assert (len(memory), memory.token_count(), memory.format_messages()) == (0, 0, "")


def test_adding_counts_each_message_once() -> None:
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return len(text)

    memory = ConversationMemory(1000, count)
    for number in range(300):
        memory.add_message("user", f"message {number}")
    assert len(counted) == 300


def test_a_summary_takes_the_place_of_what_is_forgotten() -> None:
    asked: list[tuple[list[Message], str | None]] = []

    async def summarize(messages: list[Message], previous: str | None) -> str:
        asked.append((messages, previous))
        return (previous or "") + "".join(message.content[0] for message in messages)

    memory = ConversationMemory(20, len, summarizer=summarize)

    async def talk() -> None:
        for letter in "abcdefg":
            await memory.aadd_message("user", letter * 6)

    asyncio.run(talk())
    assert [previous for _, previous in asked] == [None, "abc"]
    assert [message.content for message in memory] == ["abcde", "ffffff", "gggggg"]
    assert memory.get_messages()[0].role == "system"


def test_a_summarizer_that_fails_loses_nothing() -> None:
    failing = [True]
    error = RuntimeError("no model")

    def summarize(messages: list[Message]) -> str:
        if failing[0]:
            raise error
        return "+".join(message.content for message in messages)

    memory = ConversationMemory(40, len, summarizer=summarize)
    memory.add_message("user", "a" * 20)
    with pytest.raises(RuntimeError) as caught:
        memory.add_message("user", "b" * 21)
    assert caught.value is error
    failing[0] = False
    memory.add_message("user", "c")
    assert memory.get_messages()[0].content == "a" * 10


def test_a_summarizer_may_use_the_memory() -> None:
    def add(_: list[Message]) -> str:
        memory.add_message("user", "new")
        return "sum"

    memory = ConversationMemory(12, len, summarizer=add)
    for _ in range(4):
        memory.add_message("user", "12345")
    assert memory.get_messages()[0] == Message("system", "sum")
    assert Message("user", "new") in memory.get_messages()

    def clear(_: list[Message]) -> str:
        memory.clear()
        return "of what is gone"

    memory = ConversationMemory(12, len, summarizer=clear)
    for _ in range(3):
        memory.add_message("user", "12345")
    assert memory.get_messages() == []


def test_one_summary_is_made_at_a_time() -> None:
    asked: list[list[str]] = []

    async def summarize(messages: list[Message]) -> str:
        asked.append([message.content for message in messages])
        await asyncio.sleep(0)
        return "s"

    async def talk() -> ConversationMemory:
        memory = ConversationMemory(12, len, summarizer=summarize)
        for _ in range(5):
            await asyncio.gather(*(memory.aadd_message("user", f"{n:04}") for n in range(10)))
        return memory

    memory = asyncio.run(talk())
    assert sum(map(len, asked)) + len(memory._state.forgotten()) + len(memory) - 1 == 50


@pytest.mark.parametrize("bad", [0, -1, 2**70])
def test_a_bad_budget_is_an_error(bad: int) -> None:
    with pytest.raises(InvalidInputError, match="max_tokens"):
        ConversationMemory(bad)


def test_what_a_counter_raises_or_returns_is_heard() -> None:
    def fail(_: str) -> int:
        raise KeyError("mine")

    memory = ConversationMemory(5, fail)
    with pytest.raises(KeyError, match="mine"):
        memory.add_message("user", "x")
    with pytest.raises(InvalidInputError, match="token counter"):
        ConversationMemory(5, lambda _: typing.cast(int, "many")).add_message("user", "x")
    with pytest.raises(TypeError, match="content"):
        ConversationMemory(5).add_message("user", typing.cast(str, None))


@given(st.text("{}ab", max_size=8), st.text("{}ab", max_size=8))
def test_values_are_not_substituted_again(first: str, second: str) -> None:
    template = PromptTemplate("<{a}|{b}|{{a}}>")
    assert template.fill("a", first).fill("b", second).render() == f"<{first}|{second}|{{a}}>"


def test_missing_variables_are_named_and_braces_located() -> None:
    with pytest.raises(InvalidInputError, match="`context`"):
        PromptTemplate("{question} {context}").fill("question", "?").render()
    with pytest.raises(InvalidInputError, match="character 4"):
        PromptTemplate('{a} {"b": 1}')
    template = PromptTemplate("{a}{b}").with_default("b", 2)
    assert template.format({"a": 1}) == "12"
    assert template.variables == ["a", "b"]
    with pytest.raises(InvalidInputError, match="`a`"):
        template.render()


def test_documents_come_back_as_they_were_given() -> None:
    window = ContextWindowManager(6)
    long = Neighbor("a", 0.9, 0.1, {"text": "one two three. Four five six. Seven.", "page": 3})

    def words(text: str) -> int:
        return len(text.split())

    assert window.fit_documents([long], words) == []
    (cut,) = window.fit_documents([long], words, 2, truncate=True)
    assert (cut.text, cut.metadata["text"], cut.metadata["page"]) == ("one two three.",) * 2 + (3,)
    given = {"content": "one two three four", "id": "x"}
    assert window.fit_documents([given], words)[0] is given
    assert window.fit_documents([given], words, max_document_tokens=2)[0]["content"] == "one two"


@given(st.lists(st.text(max_size=20), max_size=6), st.integers(0, 40), st.booleans())
def test_what_is_packed_fits(documents: list[str], budget: int, truncate: bool) -> None:
    packed = ContextWindowManager(budget).fit_documents(documents, len, truncate=truncate)
    assert sum(map(len, packed)) <= budget


def test_bad_options_of_packing_are_named() -> None:
    window = ContextWindowManager(9)
    with pytest.raises(InvalidInputError, match="order"):
        window.fit_documents(["a"], order=typing.cast(typing.Any, "best"))
    with pytest.raises(InvalidInputError, match="duplicate_threshold"):
        window.fit_documents(["a"], duplicate_threshold=2)
    with pytest.raises(TypeError, match=r"documents\[1\]"):
        window.fit_documents(["a", typing.cast(str, 3)])


@pytest.mark.parametrize(
    ("text", "tokens"),  # of cl100k_base
    [
        ((Path(__file__).resolve().parents[3] / "LICENSE").read_text(encoding="utf-8"), 221),
        ("def add(a: int, b: int) -> int:\n    return a + b\n", 19),
    ],
)
def test_the_estimate_is_near(text: str, tokens: int) -> None:
    assert ContextWindowManager.simple_token_estimator(text) == pytest.approx(tokens, rel=0.15)


def test_synonyms_leave_other_words_alone() -> None:
    expand = QueryExpander.expand_with_synonyms
    assert expand("Rust and trust", [("rust", ["R"])]) == ["Rust and trust", "R and trust"]
    with pytest.raises(TypeError, match="iterable of str, got str"):
        expand("a", {"a": "b"})


def test_a_model_takes_questions_apart_and_rules_step_in() -> None:
    asked: list[str] = []

    def llm(prompt: str) -> dict[str, str]:
        asked.append(prompt)
        return {"content": ""}

    question = "What is a list? What is a tuple?"
    assert QueryExpander(llm).decompose(question) == ["What is a list?", "What is a tuple?"]
    assert question in asked[0]


def test_rules_put_a_question_in_other_words() -> None:
    expander = QueryExpander(synonyms={"sort": ["order"]})
    expected = ["How do I sort a list?", "How do I order a list?", "sort list", "sort a list"]
    assert expander.expand("How do I sort a list?") == expected
    assert asyncio.run(expander.aexpand("How do I sort a list?")) == expected
    assert QueryExpander(count=1).expand("What is getUserName for?") == [
        "What is getUserName for?",
        "getUserName",
    ]
    assert QueryExpander().expand("lists") == ["lists"]
    with pytest.raises(TypeError, match="synonyms"):
        QueryExpander(synonyms={"sort": "order"})
    compared = QueryExpander().decompose("What is the difference between a list and a tuple?")
    assert compared == ["a list", "a tuple"]


@given(st.lists(st.tuples(st.sampled_from(["system", "user"]), st.text(min_size=1, max_size=30)), min_size=1))
def test_the_newest_message_is_never_summed_up(said: list[tuple[str, str]]) -> None:
    summed: list[str] = []

    def summarize(messages: list[Message]) -> str:
        summed.extend(message.content for message in messages)
        return "summary of it all"

    memory = ConversationMemory(1000 + 40, len, summarizer=summarize)
    memory.add_message("system", "s" * 1000)
    for number, (role, content) in enumerate(said):
        content = f"{number}:{content}"
        before = len(summed)
        memory.add_message("user", content)
        del role
        assert memory.get_messages()[-1].content == content
        assert content not in summed[before:]
        assert memory.token_count() <= 1040


def test_prompts_and_memories_pickle() -> None:
    template = PromptTemplate("{a} {b} {{}}").fill("a", "{x}").with_default("b", "2")
    for copied in (pickle.loads(pickle.dumps(template)), copy.deepcopy(template)):
        assert copied.render() == template.render() == "{x} 2 {}"
        assert copied.template == template.template
        copied.fill("a", "changed")
    assert template.render() == "{x} 2 {}"

    memory = ConversationMemory(20, len, summarizer=first_letters)
    for role, content in [("user", "aaaaaa"), ("system", "sys"), ("user", "bbbbbb"), ("user", "cccccc")]:
        memory.add_message(role, content)
    for copied in (pickle.loads(pickle.dumps(memory)), copy.deepcopy(memory)):
        assert copied.get_messages() == memory.get_messages()
        assert copied.token_count() == memory.token_count()
        copied.add_message("user", "dddddd")
        assert copied.get_messages()[-1] == Message("user", "dddddd")
        assert copied.get_messages() != memory.get_messages()
    assert len(pickle.loads(pickle.dumps(ConversationMemory(5)))) == 0


def first_letters(messages: list[Message], previous: str | None) -> str:
    return (previous or "") + "".join(message.content[0] for message in messages)
