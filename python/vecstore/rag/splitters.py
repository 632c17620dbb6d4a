"""Splitters: a text becomes chunks, with the exact place of each.

What every one of them promises: a chunk is a slice of the text, ``text[char_start:char_end] == content``; it
is no larger than asked for, unless a single character is; neighbors share at most the overlap, from a
boundary on; what no chunk holds is white space at their ends, and what a splitter says it drops.
"""

from __future__ import annotations

import os
import typing
from collections import abc

from vecstore import _vecstore
from vecstore._arguments import check_bool, check_int, check_items, check_text
from vecstore._errors import InvalidInputError, UnsupportedError
from vecstore._vecstore import TextChunk
from vecstore.rag._calls import arun, run
from vecstore.rag._models import check_embedder, embedding

if typing.TYPE_CHECKING:
    import numpy as np

__all__ = [
    "CODE_LANGUAGES",
    "CodeTextSplitter",
    "HTMLTextSplitter",
    "JSONTextSplitter",
    "MarkdownTextSplitter",
    "RecursiveCharacterTextSplitter",
    "SemanticTextSplitter",
    "SentenceTextSplitter",
    "TextChunk",
    "TextSplitter",
    "TokenTextSplitter",
    "count_tokens",
]

#: What is split: ``str``, or ``bytes`` of UTF-8.
Text = typing.Union[str, bytes]

#: What chunks are measured in: ``"chars"``, ``"bytes"``, tokens as ``"cl100k"`` or ``"o200k"``, a callable
#: that returns the size of a ``str``, or the path of a ``tokenizer.json``.
Sizer = typing.Union[str, "os.PathLike[str]", abc.Callable[[str], int]]

#: The languages that `CodeTextSplitter` knows. Usual abbreviations and endings of files are names, too.
CODE_LANGUAGES: tuple[str, ...] = tuple(_vecstore._split_languages())


def count_tokens(text: Text, encoding: str = "cl100k") -> int:
    """Returns the number of tokens of a text, as ``tiktoken`` counts them, without network or files.

    ``encoding`` is ``"cl100k"`` (GPT-4, text-embedding-3) or ``"o200k"`` (GPT-4o and later). Names of special
    tokens are text like any other.

    >>> count_tokens("Tokens are what models read.")
    6
    """
    return _vecstore._token_count(text, check_text("encoding", encoding))


class TextSplitter:
    """What all splitters can do. Splitters pickle, and may be used by several threads at once.

    >>> issubclass(MarkdownTextSplitter, TextSplitter)
    True
    """

    __slots__ = ("_core", "_options")

    _core: _vecstore._Splitter
    _options: dict[str, typing.Any]

    def split_text(self, text: Text) -> list[str]:
        """Returns the chunks as strings.

        >>> RecursiveCharacterTextSplitter(12).split_text("one two three four")
        ['one two', 'three four']
        """
        return self._core.split_text(text)

    def split_with_metadata(self, text: Text) -> list[TextChunk]:
        """Returns the chunks with their places, and what is known of these.

        >>> text = "one two three four"
        >>> for chunk in RecursiveCharacterTextSplitter(12).split_with_metadata(text):
        ...     print(chunk.index, chunk.char_start, chunk.char_end, chunk.content)
        0 0 7 one two
        1 8 18 three four
        """
        return self._core.split_with_metadata(text)

    def split_offsets(self, text: Text, unit: typing.Literal["chars", "bytes"] = "chars") -> np.ndarray:
        """Returns an array of the shape (n, 2): where each chunk starts and ends.

        Nothing of the text is copied. ``unit="bytes"`` counts bytes of UTF-8.

        >>> RecursiveCharacterTextSplitter(12).split_offsets("one two three four").tolist()
        [[0, 7], [8, 18]]
        """
        offsets: np.ndarray = self._core.split_offsets(text, check_text("unit", unit))
        return offsets

    def split_many(self, texts: abc.Iterable[Text], *, threads: int | None = None) -> list[list[str]]:
        """Returns the chunks of many texts, split on ``threads`` threads (by default one for each core).

        >>> RecursiveCharacterTextSplitter(12).split_many(["one two three four", "five"])
        [['one two', 'three four'], ['five']]
        """
        listed = check_items("texts", texts, "an iterable of texts")
        return self._core.split_many(listed, threads)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._options.items())
        return f"{type(self).__name__}({shown})"

    def __reduce__(self) -> tuple[typing.Any, ...]:
        return _again, (type(self), self._options)


#: As the extension module has it.
THREADS_MAX = 1024


def _again(kind: typing.Any, options: dict[str, typing.Any]) -> typing.Any:
    return kind(**options)


def _texts(name: str, values: abc.Iterable[str]) -> list[str]:
    listed = enumerate(check_items(name, values, "a list of str"))
    return [check_text(f"{name}[{at}]", value) for at, value in listed]


def _language(language: str | None) -> str | None:
    return None if language is None else check_text("language", language)


def _sizer(sizer: Sizer) -> str | abc.Callable[[str], int]:
    if isinstance(sizer, os.PathLike) or (isinstance(sizer, str) and sizer.endswith(".json")):
        return _tokenizer_sizer(os.fspath(sizer))
    return sizer


def _tokenizer_sizer(path: str) -> abc.Callable[[str], int]:
    """A sizer that counts the tokens of a ``tokenizer.json``."""
    try:
        import tokenizers
    except ImportError:
        raise UnsupportedError(
            "a tokenizer.json needs the package `tokenizers`, which is not there"
        ) from None
    try:
        tokenizer = tokenizers.Tokenizer.from_file(path)
    except Exception as error:
        raise InvalidInputError(f"sizer: expected a tokenizer.json, got `{path}`: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    return count


class RecursiveCharacterTextSplitter(TextSplitter):
    """Splits by the first separator that occurs, and what is too long then by the next ones.

    The chunks are those of LangChain's splitter of this name, with the same options. They differ where it
    would break a promise: it makes chunks that are too large if no separator is empty, or if ``sizer``
    counts tokens that merge or part; with ``keep_separator=False`` it shortens runs of separators inside a
    chunk.

    Parameters
    ----------
    chunk_size, chunk_overlap : int
        The most a chunk measures, and the most neighbors share.
    sizer : str, path or callable
        What sizes count: "chars", "bytes", tokens ("cl100k", "o200k"), a callable that returns the size of a
        str, or a tokenizer.json (which needs the package ``tokenizers``).
    separators : list of str, optional
        The most welcome first; by default blank lines, lines, spaces, characters.
    is_separator_regex : bool
        Whether these are regular expressions; lookaround is allowed.
    keep_separator : bool, "start" or "end"
        Whether a separator starts the next piece (True, "start"), ends the one before, or is dropped between
        chunks.
    strip_whitespace : bool
        Whether white space at the ends of chunks is left out.
    keep_graphemes : bool
        Whether what a reader sees as one character (an emoji with a skin tone, a letter with its accents) is
        never cut if it fits in a chunk.

    Examples
    --------
    >>> splitter = RecursiveCharacterTextSplitter(20, 8)
    >>> splitter.split_text("A paragraph.\\n\\nAnother one, which is longer.")
    ['A paragraph.', 'Another one, which', 'which is longer.']
    >>> RecursiveCharacterTextSplitter(3, sizer="cl100k").split_text("Two tokens each.")
    ['Two tokens', 'each.']
    """

    __slots__ = ()

    def __init__(
        self,
        chunk_size: int = 1000,
        chunk_overlap: int = 0,
        *,
        sizer: Sizer = "chars",
        separators: abc.Sequence[str] | None = None,
        is_separator_regex: bool = False,
        keep_separator: bool | typing.Literal["start", "end"] = True,
        strip_whitespace: bool = True,
        keep_graphemes: bool = False,
    ) -> None:
        self._options = {
            "chunk_size": chunk_size,
            "chunk_overlap": chunk_overlap,
            "sizer": sizer,
            "separators": separators,
            "is_separator_regex": is_separator_regex,
            "keep_separator": keep_separator,
            "strip_whitespace": strip_whitespace,
            "keep_graphemes": keep_graphemes,
        }
        if not isinstance(keep_separator, (bool, str)):
            raise TypeError(
                f'keep_separator: expected a bool, "start" or "end", got {type(keep_separator).__name__}'
            )
        keep = "start" if keep_separator is True else keep_separator or "drop"
        self._core = _vecstore._split_recursive(
            chunk_size,
            chunk_overlap,
            _sizer(sizer),
            None if separators is None else _texts("separators", separators),
            check_bool("is_separator_regex", is_separator_regex),
            keep,
            check_bool("strip_whitespace", strip_whitespace),
            check_bool("keep_graphemes", keep_graphemes),
        )


class TokenTextSplitter(TextSplitter):
    """Cuts a text into windows of tokens, each as full as it can be.

    A window ends where a token ends between two characters: none is cut. Encoded alone, a chunk has at most
    ``max_tokens`` tokens. White space is kept.

    Parameters
    ----------
    max_tokens, token_overlap : int
        The most tokens of a chunk, and the most that neighbors share.
    encoding : str, path or callable
        "cl100k" (GPT-4, text-embedding-3) or "o200k" (GPT-4o), counted without network or files. With a
        callable that counts the tokens of a str, or a tokenizer.json, chunks end between words.
    keep_graphemes : bool
        Whether what a reader sees as one character is never cut if it fits.

    Examples
    --------
    >>> TokenTextSplitter(3, 1).split_text("Tokens are what models read.")
    ['Tokens are what', ' what models read', ' read.']
    """

    __slots__ = ()

    def __init__(
        self,
        max_tokens: int = 512,
        token_overlap: int = 0,
        *,
        encoding: Sizer = "cl100k",
        keep_graphemes: bool = False,
    ) -> None:
        self._options = {
            "max_tokens": max_tokens,
            "token_overlap": token_overlap,
            "encoding": encoding,
            "keep_graphemes": keep_graphemes,
        }
        if not (isinstance(encoding, (str, os.PathLike)) or callable(encoding)):
            raise TypeError(f"encoding: expected a name, a path or a callable, got {type(encoding).__name__}")
        graphemes = check_bool("keep_graphemes", keep_graphemes)
        self._core = _vecstore._split_tokens(max_tokens, token_overlap, _sizer(encoding), graphemes)


class SentenceTextSplitter(TextSplitter):
    """Packs whole sentences into chunks; one that is too long alone falls into words.

    Boundaries are those of Unicode (UAX 29), which knows the punctuation of many scripts, less those that
    are none as people write: after abbreviations ("Dr.", "e.g.", "No. 5", "J. Smith"), at the ends of
    wrapped lines, inside "Yahoo!s". Neighbors share whole sentences.

    Parameters
    ----------
    chunk_size, chunk_overlap, sizer
        As for `RecursiveCharacterTextSplitter`.
    abbreviations : iterable of str
        More abbreviations, in whatever case.
    unicode_only : bool
        Whether the boundaries of UAX 29 hold as they are.

    Examples
    --------
    >>> SentenceTextSplitter(30).split_text("Dr. Who came, e.g. on Monday. Nobody saw him. He left.")
    ['Dr. Who came, e.g. on Monday.', 'Nobody saw him. He left.']
    """

    __slots__ = ()

    def __init__(
        self,
        chunk_size: int = 1000,
        chunk_overlap: int = 0,
        *,
        sizer: Sizer = "chars",
        abbreviations: abc.Iterable[str] = (),
        unicode_only: bool = False,
    ) -> None:
        words = _texts("abbreviations", abbreviations)
        self._options = {
            "chunk_size": chunk_size,
            "chunk_overlap": chunk_overlap,
            "sizer": sizer,
            "abbreviations": words,
            "unicode_only": unicode_only,
        }
        self._core = _vecstore._split_sentences(
            chunk_size, chunk_overlap, _sizer(sizer), words, not check_bool("unicode_only", unicode_only)
        )


class MarkdownTextSplitter(TextSplitter):
    """Splits Markdown (CommonMark, tables, front matter) by sections, then by blocks.

    A chunk is of one section; headings with nothing of their own go with the section below. Code blocks,
    tables, list items and paragraphs are whole where they fit. The metadata has ``headers``, the headings
    above the chunk, outermost first, and ``header_levels``.

    Parameters
    ----------
    chunk_size, chunk_overlap, sizer
        As for `RecursiveCharacterTextSplitter`.

    Examples
    --------
    >>> text = "# Guide\\n\\n## Install\\n\\nRun `pip`.\\n\\n## Use\\n\\nImport it.\\n"
    >>> for chunk in MarkdownTextSplitter(40).split_with_metadata(text):
    ...     print(chunk.metadata["headers"], repr(chunk.content))
    ['Guide', 'Install'] '# Guide\\n\\n## Install\\n\\nRun `pip`.'
    ['Guide', 'Use'] '## Use\\n\\nImport it.'
    """

    __slots__ = ()

    def __init__(self, chunk_size: int = 1000, chunk_overlap: int = 0, *, sizer: Sizer = "chars") -> None:
        self._options = {"chunk_size": chunk_size, "chunk_overlap": chunk_overlap, "sizer": sizer}
        self._core = _vecstore._split_markdown(chunk_size, chunk_overlap, _sizer(sizer))


class CodeTextSplitter(TextSplitter):
    """Splits source code along its definitions.

    Python, Rust, JavaScript, TypeScript, Java, C, C++ and Go are parsed: a definition is whole where it
    fits, with the comments and decorators above it, and falls into members and statements where it does not.
    The other languages of `CODE_LANGUAGES` are cut in front of lines that begin with their keywords. The
    metadata has ``language`` and, in parsed languages, ``symbols``: the names of the definitions around the
    start of the chunk.

    Parameters
    ----------
    chunk_size, chunk_overlap, sizer
        As for `RecursiveCharacterTextSplitter`.
    language : str, optional
        A name, or the ending of a file. None does not guess: whatever the text is, it falls at blank lines,
        then lines, and the metadata is empty.

    Examples
    --------
    >>> text = "import os\\n\\n\\nclass A:\\n    def f(self):\\n        return 1\\n\\n"
    >>> text += "    def g(self):\\n        return 2\\n"
    >>> for chunk in CodeTextSplitter(45, language="python").split_with_metadata(text):
    ...     print(chunk.metadata.get("symbols"), repr(chunk.content))
    None 'import os'
    ['A'] 'class A:\\n    def f(self):\\n        return 1'
    ['A', 'g'] 'def g(self):\\n        return 2'
    """

    __slots__ = ()

    def __init__(
        self,
        chunk_size: int = 1000,
        chunk_overlap: int = 0,
        language: str | None = None,
        *,
        sizer: Sizer = "chars",
    ) -> None:
        self._options = {
            "chunk_size": chunk_size,
            "chunk_overlap": chunk_overlap,
            "language": language,
            "sizer": sizer,
        }
        self._core = _vecstore._split_code(chunk_size, chunk_overlap, _sizer(sizer), _language(language))


class HTMLTextSplitter(TextSplitter):
    """Splits HTML along its blocks.

    A chunk is a slice of the source, tags included; a heading starts a new one. Chunks in which nothing is
    visible are left out: those of ``script``, ``style``, ``template``, ``iframe``, ``svg``, comments, tags
    alone. A ``script`` or ``style`` without an end takes the rest with it, as in browsers. The metadata
    has ``text``, what is visible, for embedding; and ``headers`` and ``header_levels``, the headings above
    it.

    Parameters
    ----------
    chunk_size, chunk_overlap, sizer
        As for `RecursiveCharacterTextSplitter`. Tags count.

    Examples
    --------
    >>> text = "<h1>Tea</h1><p>Green &amp; <b>black</b>.</p><h2>Pots</h2><p>Round.</p>"
    >>> for chunk in HTMLTextSplitter(45).split_with_metadata(text):
    ...     print(chunk.metadata["headers"], repr(chunk.metadata["text"]))
    ['Tea'] 'Tea\\nGreen & black.'
    ['Tea', 'Pots'] 'Pots\\nRound.'
    """

    __slots__ = ()

    def __init__(self, chunk_size: int = 1000, chunk_overlap: int = 0, *, sizer: Sizer = "chars") -> None:
        self._options = {"chunk_size": chunk_size, "chunk_overlap": chunk_overlap, "sizer": sizer}
        self._core = _vecstore._split_html(chunk_size, chunk_overlap, _sizer(sizer))


class JSONTextSplitter(TextSplitter):
    """Splits a JSON text along its values: whole where they fit, else by members, elements, words.

    A chunk is a slice of the text. The metadata has ``path``, the JSON pointer of the value that the chunk
    starts in or at. A text that is not one JSON value raises `InvalidInputError`, which says where.

    Parameters
    ----------
    chunk_size, chunk_overlap, sizer
        As for `RecursiveCharacterTextSplitter`.

    Examples
    --------
    >>> text = '{"name": "vecstore", "tags": ["fast", "small"]}'
    >>> for chunk in JSONTextSplitter(27).split_with_metadata(text):
    ...     print(chunk.metadata["path"], chunk.content)
    /name {"name": "vecstore",
    /tags "tags": ["fast", "small"]}
    """

    __slots__ = ()

    def __init__(self, chunk_size: int = 1000, chunk_overlap: int = 0, *, sizer: Sizer = "chars") -> None:
        self._options = {"chunk_size": chunk_size, "chunk_overlap": chunk_overlap, "sizer": sizer}
        self._core = _vecstore._split_json(chunk_size, chunk_overlap, _sizer(sizer))


class SemanticTextSplitter(TextSplitter):
    """Splits where the subject changes: between sentences whose embeddings differ.

    Parts below ``min_chunk_size`` join the next one, parts above ``max_chunk_size`` are cut between
    sentences. No text is lost. Sentences are embedded in batches; what the embedder raises reaches the
    caller as it is.

    Parameters
    ----------
    embedder : object or callable
        An object with ``embed_batch``, ``embed_many``, ``embed_documents`` or ``encode`` (several texts) or
        ``embed`` (one text), or a callable for a list of texts or for one; sync, or async.
    max_chunk_size, min_chunk_size : int
        The most and the least a chunk measures.
    similarity_threshold : float
        With ``threshold="absolute"``: the cosine similarity of neighbors below which they part.
    threshold : str
        "absolute"; or, by the distances of all neighbors in the text, "percentile", "standard_deviation",
        "interquartile" or "gradient".
    amount : float, optional
        For these: the percentile (95), or how many deviations (3) or ranges (1.5) above the mean.
    buffer_size : int
        How many sentences before and after one are embedded with it.
    batch_size : int
        The most texts an embedder gets at once.
    sizer
        As for `RecursiveCharacterTextSplitter`.

    Examples
    --------
    >>> def embed(texts):
    ...     return [[1.0, 0.0] if "ats" in text else [0.0, 1.0] for text in texts]
    >>> splitter = SemanticTextSplitter(embed, max_chunk_size=200, min_chunk_size=0)
    >>> splitter.split_text("Cats sleep. Bats fly. Iron rusts. Gold does not.")
    ['Cats sleep. Bats fly.', 'Iron rusts. Gold does not.']
    """

    __slots__ = ("_embedder", "_semantic")

    def __init__(
        self,
        embedder: typing.Any,
        max_chunk_size: int = 1000,
        min_chunk_size: int = 100,
        similarity_threshold: float = 0.7,
        *,
        threshold: str = "absolute",
        amount: float | None = None,
        buffer_size: int = 0,
        batch_size: int = 64,
        sizer: Sizer = "chars",
    ) -> None:
        self._options = {
            "embedder": embedder,
            "max_chunk_size": max_chunk_size,
            "min_chunk_size": min_chunk_size,
            "similarity_threshold": similarity_threshold,
            "threshold": threshold,
            "amount": amount,
            "buffer_size": buffer_size,
            "batch_size": batch_size,
            "sizer": sizer,
        }
        if check_text("threshold", threshold) == "absolute":
            if amount is not None:
                raise InvalidInputError("amount: expected none with the absolute threshold, got one")
            amount = similarity_threshold
        check_embedder(embedder)
        self._embedder = embedder
        self._semantic = _vecstore._split_semantic(
            max_chunk_size, min_chunk_size, threshold, amount, buffer_size, batch_size, _sizer(sizer)
        )

    def split_text(self, text: Text) -> list[str]:
        """Returns the chunks as strings.

        >>> splitter = SemanticTextSplitter(HashingEmbedder(64), 60, 10)
        >>> splitter.split_text("Cats purr at night. Cats sleep all day. Taxes are due in May.")
        ['Cats purr at night.', 'Cats sleep all day.', 'Taxes are due in May.']
        """
        return self._split(text).texts()

    def split_with_metadata(self, text: Text) -> list[TextChunk]:
        """Returns the chunks with their places.

        >>> splitter = SemanticTextSplitter(HashingEmbedder(64), 60, 10)
        >>> chunk = splitter.split_with_metadata("Cats purr. Cats sleep. Taxes are due.")[0]
        >>> chunk.char_start, chunk.content[:4]
        (0, 'Cats')
        """
        return self._split(text).text_chunks()

    def split_offsets(self, text: Text, unit: typing.Literal["chars", "bytes"] = "chars") -> np.ndarray:
        """Returns an array of the shape (n, 2): where each chunk starts and ends.

        >>> splitter = SemanticTextSplitter(HashingEmbedder(64), 60, 10)
        >>> splitter.split_offsets("Cats purr.").tolist()
        [[0, 10]]
        """
        offsets: np.ndarray = self._split(text).offsets(check_text("unit", unit))
        return offsets

    def split_many(self, texts: abc.Iterable[Text], *, threads: int | None = None) -> list[list[str]]:
        """Returns the chunks of many texts, one after the other, or on ``threads`` threads.

        Several threads call the embedder at the same time.

        >>> splitter = SemanticTextSplitter(HashingEmbedder(64), 60, 10)
        >>> splitter.split_many(["Cats purr.", "Taxes are due."])
        [['Cats purr.'], ['Taxes are due.']]
        """
        listed = check_items("texts", texts, "an iterable of texts")
        if threads is None or check_int("threads", threads, 1, THREADS_MAX) == 1:
            return [self.split_text(text) for text in listed]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(self.split_text, listed))

    async def asplit_text(self, text: Text) -> list[str]:
        """As `split_text`, on an event loop; an embedder that is not async runs in a thread.

        >>> import asyncio
        >>> splitter = SemanticTextSplitter(HashingEmbedder(64), 60, 10)
        >>> asyncio.run(splitter.asplit_text("Cats purr."))
        ['Cats purr.']
        """
        return (await self._asplit(text)).texts()

    async def asplit_with_metadata(self, text: Text) -> list[TextChunk]:
        """As `split_with_metadata`, on an event loop.

        >>> import asyncio
        >>> splitter = SemanticTextSplitter(HashingEmbedder(64), 60, 10)
        >>> len(asyncio.run(splitter.asplit_with_metadata("Cats purr.")))
        1
        """
        return (await self._asplit(text)).text_chunks()

    def _split(self, text: Text) -> _vecstore._SemanticSession:
        session = self._semantic.session(text)
        while batch := session.next_batch():
            session.supply(run(embedding(self._embedder, batch)))
        return session

    async def _asplit(self, text: Text) -> _vecstore._SemanticSession:
        session = self._semantic.session(text)
        while batch := session.next_batch():
            session.supply(await arun(embedding(self._embedder, batch)))
        return session


for _name in __all__:
    if isinstance(globals()[_name], type) and _name != "TextChunk":
        globals()[_name].__module__ = "vecstore.rag"
del _name
