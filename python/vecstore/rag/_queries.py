"""More queries out of one, and one ranking out of several."""

from __future__ import annotations

import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_int, check_items, check_text
from vecstore._errors import InvalidInputError
from vecstore._vecstore import Neighbor
from vecstore.rag._calls import Work, arun, run
from vecstore.rag._fusion import average_fusion, reciprocal_rank_fusion
from vecstore.rag._models import (
    Embedder,
    Retries,
    answered,
    check_embedder,
    check_model,
    check_texts,
    embedded,
    expanded,
)
from vecstore.rag._results import Result

__all__ = ["HyDEHelper", "MultiQueryRetrieval", "QueryExpander", "Synonyms", "synonym_pairs"]

Synonyms = typing.Union[abc.Mapping[str, abc.Iterable[str]], abc.Iterable["tuple[str, abc.Iterable[str]]"]]


class QueryExpander:
    """Makes more queries out of one: by rules, or by a language model.

    Parameters
    ----------
    llm : LanguageModel or callable, optional
        Asked by `expand` and `decompose`. Without one, both go by rules, which are English.
    count : int
        How many queries are made at most, beside the query.
    synonyms : dict, optional
        Phrases, and what may take their place, as in `expand_with_synonyms`: for the rules of `expand`.

    Examples
    --------
    >>> QueryExpander.expand_with_synonyms("Trust rust", {"rust": ["rustlang"]})
    ['Trust rust', 'Trust rustlang']
    >>> QueryExpander().decompose("What are the benefits and drawbacks of slots?")
    ['What are the benefits of slots?', 'What are the drawbacks of slots?']
    >>> QueryExpander(lambda prompt: "1. one way\\n2. another way").expand("a way")
    ['a way', 'one way', 'another way']
    >>> QueryExpander(synonyms={"sort": ["order"]}).expand("How do I sort a list?")
    ['How do I sort a list?', 'How do I order a list?', 'sort list', 'sort a list']
    """

    def __init__(self, llm: typing.Any = None, count: int = 3, *, synonyms: Synonyms | None = None) -> None:
        if llm is not None:
            check_model(llm)
        self._llm = llm
        self._count = check_int("count", count, 1)
        self._synonyms = synonym_pairs(synonyms)

    @staticmethod
    def expand_with_synonyms(query: str, synonyms: Synonyms) -> list[str]:
        """The query, and one more for each synonym of its words and phrases, which are compared whole.

        ``synonyms`` is a dict, or pairs, of a phrase and the phrases that may take its place.

        >>> QueryExpander.expand_with_synonyms("fast car", {"fast": ["quick"]})
        ['fast car', 'quick car']
        """
        return _vecstore._rag_synonyms(check_text("query", query), synonym_pairs(synonyms))

    @staticmethod
    def decompose_query(query: str, num_subqueries: int = 4) -> list[str]:
        """Splits a question into at most so many simpler ones, by rules.

        It splits at question marks and semicolons, at an "and" before another question, by the two sides of a
        comparison, and by the parts of an enumeration. A question that none fits comes back as it is.

        >>> QueryExpander.decompose_query("What is the difference between a list and a tuple?", 2)
        ['a list', 'a tuple']
        """
        count = check_int("num_subqueries", num_subqueries, 1)
        return _vecstore._rag_decompose(check_text("query", query), count)

    @staticmethod
    def generate_variations(query: str, prefixes: abc.Iterable[str]) -> list[str]:
        """The query, and one more for each other beginning, where it begins as questions do.

        >>> QueryExpander.generate_variations("How to sort a list?", ["guide to"])
        ['How to sort a list?', 'guide to sort a list?']
        """
        return _vecstore._rag_variations(check_text("query", query), check_texts(prefixes, "prefixes"))

    def expand(self, query: str) -> list[str]:
        """The query, and the same question in other words, by the model, or else by rules.

        These replace synonyms, leave only keywords, drop the beginning that makes a question, and take
        identifiers apart (``getUserName``).

        >>> QueryExpander(lambda prompt: "How fast is it?\\nWhat is its speed?", 2).expand("speed")
        ['speed', 'How fast is it?', 'What is its speed?']
        """
        return run(self._expanding(query))

    async def aexpand(self, query: str) -> list[str]:
        """Does what `expand` does, on an event loop.

        >>> import asyncio
        >>> expander = QueryExpander(lambda prompt: "What is its speed?", 1)
        >>> asyncio.run(expander.aexpand("speed"))
        ['speed', 'What is its speed?']
        """
        return await arun(self._expanding(query))

    def _expanding(self, query: str) -> Work[list[str]]:
        check_text("query", query)
        if self._llm is None:
            return [query, *_vecstore._rag_reword(query, self._synonyms, self._count)]
        others = yield from expanded(self._llm, query, "multi_query", self._count, Retries())
        return [query, *(other for other in others if other != query)]

    def decompose(self, query: str) -> list[str]:
        """The simpler questions that a question is made of, by the model, or else by rules.

        >>> QueryExpander().decompose("What is a log and when is it synced?")
        ['What is a log?', 'when is it synced?']
        """
        return run(self._decomposing(query))

    async def adecompose(self, query: str) -> list[str]:
        """Does what `decompose` does, on an event loop.

        >>> import asyncio
        >>> asyncio.run(QueryExpander().adecompose("What is a log and when is it synced?"))
        ['What is a log?', 'when is it synced?']
        """
        return await arun(self._decomposing(query))

    def _decomposing(self, query: str) -> Work[list[str]]:
        check_text("query", query)
        if self._llm is None:
            return self.decompose_query(query, self._count)
        return (yield from expanded(self._llm, query, "decompose", self._count, Retries()))


def synonym_pairs(synonyms: Synonyms | None) -> list[tuple[str, list[str]]]:
    """Phrases, each with what may take its place."""
    given: typing.Any = () if synonyms is None else synonyms
    items = given.items() if isinstance(given, abc.Mapping) else check_items("synonyms", given, "a dict")
    pairs = []
    for at, item in enumerate(items):
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise TypeError(f"synonyms[{at}]: expected a phrase and others, got {type(item).__name__}")
        phrase, others = item
        check_text("synonyms: a phrase", phrase)
        pairs.append((phrase, check_texts(others, f"synonyms[{phrase!r}]")))
    return pairs


class HyDEHelper:
    """Searches by what an answer might look like instead of by the question (Gao et al., 2022).

    Parameters
    ----------
    generator : callable or LanguageModel, optional
        Called with the question; returns a passage that would answer it. Without one, rules make the
        beginning of an answer of the question: a statement, in English.
    embedder : TextEmbedder or callable, optional
        Used by `embed`.
    count : int
        How many passages `embed` makes.

    Examples
    --------
    >>> helper = HyDEHelper(lambda question: f"{question} The log is synced at each write.",
    ...                     HashingEmbedder(8))
    >>> helper.generate_hypothetical_document("When?")
    'When? The log is synced at each write.'
    >>> len(helper.embed("When?"))
    8
    >>> HyDEHelper().generate_hypothetical_document("Why is the log synced?")
    'The log is synced because'
    """

    def __init__(
        self, generator: typing.Any = None, embedder: Embedder | None = None, count: int = 1
    ) -> None:
        if generator is not None:
            check_model(generator, "generator")
        if embedder is not None:
            check_embedder(embedder)
        self._generator = generator
        self._embedder = embedder
        self._count = check_int("count", count, 1)

    def generate_hypothetical_document(self, query: str) -> str:
        """A passage that would answer the question.

        >>> helper = HyDEHelper(lambda prompt: "The log is synced at each write.")
        >>> helper.generate_hypothetical_document("When is the log synced?")
        'The log is synced at each write.'
        """
        return run(self._documents(query, 1))[0]

    async def agenerate_hypothetical_document(self, query: str) -> str:
        """Does what `generate_hypothetical_document` does, on an event loop.

        >>> import asyncio
        >>> helper = HyDEHelper(lambda prompt: "At each write.")
        >>> asyncio.run(helper.agenerate_hypothetical_document("When is the log synced?"))
        'At each write.'
        """
        return (await arun(self._documents(query, 1)))[0]

    def _documents(self, query: str, count: int) -> Work[list[str]]:
        check_text("query", query)
        if self._generator is None:
            return [_vecstore._rag_answer_opening(query)]
        return (yield from answered(self._generator, [query] * count))

    def embed(self, query: str) -> list[float]:
        """The mean of the vectors of the question and of the passages, each of norm 1: what to search by.

        >>> helper = HyDEHelper(lambda prompt: "At each write.", HashingEmbedder(64))
        >>> len(helper.embed("When is the log synced?"))
        64
        """
        return run(self._embedding(query))

    async def aembed(self, query: str) -> list[float]:
        """Does what `embed` does, on an event loop.

        >>> import asyncio
        >>> helper = HyDEHelper(lambda prompt: "At each write.", HashingEmbedder(64))
        >>> len(asyncio.run(helper.aembed("When is the log synced?")))
        64
        """
        return await arun(self._embedding(query))

    def _embedding(self, query: str) -> Work[list[float]]:
        if self._embedder is None:
            raise InvalidInputError(
                "embed: needs an embedder, and there is none: HyDEHelper(generator, embedder)"
            )
        documents = yield from self._documents(query, self._count)
        vectors = yield from embedded(self._embedder, [query, *documents])
        norms = [sum(component * component for component in vector) ** 0.5 or 1.0 for vector in vectors]
        return [
            sum(component / norm for component, norm in zip(components, norms)) / len(vectors)
            for components in zip(*vectors)
        ]


class MultiQueryRetrieval:
    """Searches with several wordings of a question, and fuses what they find.

    Parameters
    ----------
    store : VecStore or Collection
        Where to search.
    embedder : TextEmbedder or callable
        Turns queries into vectors.
    llm : LanguageModel or callable, optional
        Writes the other wordings. Without one, the rules of `QueryExpander.expand` do.
    count : int
        How many.
    synonyms : dict, optional
        For these rules.

    Examples
    --------
    >>> a, b, c = (vecstore.Neighbor(id, 1.0, 0.0) for id in "abc")
    >>> [neighbor.id for neighbor in MultiQueryRetrieval.reciprocal_rank_fusion([[a, b], [b, c]])]
    ['b', 'a', 'c']
    """

    def __init__(
        self,
        store: typing.Any,
        embedder: Embedder,
        llm: typing.Any = None,
        count: int = 3,
        *,
        synonyms: Synonyms | None = None,
    ) -> None:
        from vecstore.rag._retriever import Retriever

        self._retriever = Retriever(
            store,
            embedder,
            llm=llm,
            expansion="multi_query",
            expansion_count=count,
            synonyms=synonyms,
            max_tokens=None,
        )

    def retrieve(self, query: str, k: int = 10) -> list[Neighbor]:
        """The best k of what all wordings find.

        >>> docs, embedder = vecstore.VecStore(":memory:"), HashingEmbedder(256)
        >>> docs.batch_upsert_texts([("a", "The log is synced."), ("b", "Snakes eat mice.")], embedder)
        2
        >>> retrieval = MultiQueryRetrieval(docs, embedder, lambda prompt: "what do snakes eat", 1)
        >>> retrieval.retrieve("food of snakes", k=1)[0].id
        'b'
        """
        return self._retriever.retrieve(query, k=k).sources

    async def aretrieve(self, query: str, k: int = 10) -> list[Neighbor]:
        """Does what `retrieve` does, on an event loop.

        >>> import asyncio
        >>> docs, embedder = vecstore.VecStore(":memory:"), HashingEmbedder(256)
        >>> docs.batch_upsert_texts([("a", "The log is synced."), ("b", "Snakes eat mice.")], embedder)
        2
        >>> retrieval = MultiQueryRetrieval(docs, embedder, lambda prompt: "what do snakes eat", 1)
        >>> asyncio.run(retrieval.aretrieve("food of snakes", k=1))[0].id
        'b'
        """
        return (await self._retriever.aretrieve(query, k=k)).sources

    @staticmethod
    def reciprocal_rank_fusion(
        result_sets: abc.Iterable[abc.Iterable[Result]], k: float = 60
    ) -> list[Neighbor]:
        """One ranking by the sum of 1 / (k + rank), ranks from 1.

        >>> results = lambda *ids: [{"id": id, "text": id} for id in ids]
        >>> fused = MultiQueryRetrieval.reciprocal_rank_fusion([results("a", "b"), results("b", "c")])
        >>> [neighbor.id for neighbor in fused]
        ['b', 'a', 'c']
        """
        return reciprocal_rank_fusion(result_sets, k)

    @staticmethod
    def average_fusion(result_sets: abc.Iterable[abc.Iterable[Result]]) -> list[Neighbor]:
        """One ranking by the mean of the scores in the rankings that have a result.

        >>> sets = [[vecstore.Neighbor("a", 0.9, 0.1)], [vecstore.Neighbor("a", 0.5, 0.5)]]
        >>> MultiQueryRetrieval.average_fusion(sets)[0].score
        0.7
        """
        return average_fusion(result_sets)
