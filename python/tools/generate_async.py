"""Writes the async twins, ``vecstore/_async.py`` and its stub, from the stub of the classes that block.

``python python/tools/generate_async.py`` writes them; with ``--check`` it only says whether they are up to
date. It needs the package installed, since docstrings and their examples come from there. A method added to
``_vecstore.pyi`` gets its twin without a change here, by these rules:

- a method is awaited, a property stays one, and of overloads the last, which is the general one, gives the
  defaults;
- what returns an iterator is iterated with ``async for``, fetched in steps;
- a ``Collection`` comes out as an ``AsyncCollection``;
- a default that the stub gives as ``...`` stands in a comment at the end of its line;
- in examples, calls of the store's methods are awaited, as in ``python -m asyncio``.
"""

from __future__ import annotations

import ast
import doctest
import inspect
import re
import sys
import textwrap
import typing
from pathlib import Path

from generated import formatted, write_or_check

import vecstore

PYTHON = Path(__file__).resolve().parents[1]
SURFACE = PYTHON / "vecstore" / "_vecstore.pyi"
MODULE = PYTHON / "vecstore" / "_async.py"

HEAD = '''"""The classes of ``vecstore`` with awaited methods, written by python/tools/generate_async.py."""

# ruff: noqa: E501 (examples are as long as in the docstrings they come from)
# The types are in the stub.
# pyright: reportArgumentType=false, reportPossiblyUnboundVariable=false
'''
CLASSES = {
    "BaseCollection": "AsyncBaseCollection",
    "VecStore": "AsyncVecStore",
    "Collection": "AsyncCollection",
    "VecDatabase": "AsyncVecDatabase",
}
DOCS = {
    "AsyncBaseCollection": """What `AsyncVecStore` and `AsyncCollection` have in common.

Every method does what its twin in `BaseCollection` does, on a thread of the store's own, so that the loop
runs on. Who stops waiting does no harm: a call that has not begun is dropped, one that has begun is waited
for, and only then does ``CancelledError`` go on. A write is therefore wholly there or not at all, and never
comes later.

Examples
--------
>>> isinstance(store, vecstore.AsyncBaseCollection)
True""",
    "AsyncVecStore": """A store whose methods are awaited: see `VecStore`, whose options it takes.

It is opened when it is awaited, entered with ``async with``, or first called. Properties do not wait: the
first call opens. It belongs to no event loop, and holds at most 16 threads, which end when it is closed.

Examples
--------
>>> async with vecstore.AsyncVecStore(":memory:") as shelf:
...     await shelf.upsert("apple", [0.9, 0.1, 0.0], {"kind": "fruit"})
...     print([neighbor.id for neighbor in await shelf.query([1.0, 0.0, 0.0], k=1)])
...     print([record.id async for record in shelf])
['apple']
['apple']""",
    "AsyncCollection": """A collection whose methods are awaited: see `Collection`. `AsyncVecDatabase` gives
    them out.

Examples
--------
>>> async with vecstore.AsyncVecDatabase(":memory:") as database:
...     docs = await database.create_collection("docs")
...     await docs.upsert("a", [1.0, 0.0])
...     await docs.len()
1""",
    "AsyncVecDatabase": """A database whose methods are awaited: see `VecDatabase`, whose options it takes.

It is opened when it is awaited, entered with ``async with``, or first called. Its collections share its
threads, at most 16, which end when it is closed.

Examples
--------
>>> async with vecstore.AsyncVecDatabase(":memory:") as database:
...     docs = await database.get_or_create_collection("docs")
...     await docs.upsert("a", [1.0, 0.0])
...     print([name async for name in database])
['docs']""",
}
#: Methods that call an embedder of the caller's, with the work of `vecstore.rag` that awaits it on the loop.
EMBEDDING = {
    "upsert_chunks": "chunks_upserted",
    "batch_upsert_texts": "texts_upserted",
    "query_text": "text_queried",
}
#: Names of stores in the examples of docstrings.
STORES = "store|shelf|docs|papers|database|restored|chunks|texts|fresh|copy|again|reader"
#: What the annotation of a method that returns an iterator begins with.
ITERATORS = ("Iterator", "Iterable", "RecordIterator")


class Method(typing.NamedTuple):
    """A method or property of a class that blocks."""

    name: str
    variants: list[ast.FunctionDef]
    is_property: bool
    is_static: bool

    @property
    def general(self) -> ast.FunctionDef:
        """The variant that all calls fit."""
        return self.variants[-1]

    @property
    def returns(self) -> str:
        """The annotation of what comes back."""
        return ast.unparse(self.general.returns) if self.general.returns else "None"

    @property
    def is_iterated(self) -> bool:
        """Whether it returns an iterator."""
        return re.match(rf"({'|'.join(ITERATORS)})\b", self.returns) is not None


def methods(class_: ast.ClassDef) -> typing.Iterator[Method]:
    """Yields the public methods of a class, overloads together."""
    found: dict[str, list[ast.FunctionDef]] = {}
    for node in class_.body:
        if isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, []).append(node)
    for name, variants in found.items():
        decorators = {ast.unparse(decorator) for decorator in variants[-1].decorator_list}
        yield Method(name, variants, "property" in decorators, "staticmethod" in decorators)


class Generator:
    """Makes the module and its stub of the surface."""

    def __init__(self, surface: str) -> None:
        self._lines = surface.splitlines()
        self._tree = ast.parse(surface)
        self._classes = {
            node.name: node
            for node in self._tree.body
            if isinstance(node, ast.ClassDef) and node.name in CLASSES
        }
        self._awaited = {
            method.name
            for class_ in self._classes.values()
            for method in methods(class_)
            if not method.name.startswith("_") and not method.is_property and method.name != "open"
        }

    # ---- The module

    def module(self) -> str:
        """The text of ``_async.py``."""
        parts = [
            HEAD,
            "from vecstore import _vecstore",
            "from vecstore._async_calls import Opened, Threads, Twin, on_a_thread",
            f"\n__all__ = {list(CLASSES.values())!r}\n",
        ]
        for name, class_ in self._classes.items():
            base = "AsyncBaseCollection" if class_.bases else "Twin"
            body = [self._docstring(DOCS[CLASSES[name]]), "__slots__ = ()", *self._own(name)]
            for method in methods(class_):
                body += self._definition(name, method)
            parts.append(
                f"\nclass {CLASSES[name]}({base}):\n" + textwrap.indent("\n\n".join(body), "    ") + "\n"
            )
        parts.append("\nfor _name in __all__:\n    globals()[_name].__module__ = 'vecstore'\ndel _name\n")
        return "\n".join(parts)

    def _own(self, name: str) -> list[str]:
        """What a twin has that its class has not: how it is made, opened and closed."""
        if name == "BaseCollection":
            return []
        if name == "Collection":
            return [
                "def __init__(self, collection):\n"
                '    """Wraps a collection, with threads of its own."""\n'
                "    self._opened = Opened(lambda: collection, collection)\n"
                "    self._threads = Threads()",
                "@classmethod\n"
                "def _of(cls, collection, threads):\n"
                "    twin = cls.__new__(cls)\n"
                "    twin._opened = Opened(lambda: collection, collection)\n"
                "    twin._threads = threads\n"
                "    return twin",
                'def __repr__(self):\n    return f"Async{self._opened.get()!r}"',
            ]
        init = next(method for method in methods(self._classes[name]) if method.name == "__new__")
        signature, call = self._signature(init), self._call(init)
        return [
            f"def __init__({signature}):\n"
            f"    self._opened = Opened(lambda: _vecstore.{name}({call}))\n"
            "    self._threads = Threads()",
            "@classmethod\n"
            "def wrapping(cls, opened):\n"
            f'    """Wraps a {name} that is open already; the two share it.\n\n'
            "    Examples\n    --------\n"
            f'    >>> opened = vecstore.{name}(":memory:")\n'
            f"    >>> vecstore.Async{name}.wrapping(opened).wrapped is opened\n    True\n"
            '    """\n'
            "    twin = cls.__new__(cls)\n"
            "    twin._opened = Opened(lambda: opened, opened)\n"
            "    twin._threads = Threads()\n"
            "    return twin",
            'def __await__(self):\n    """Opens it."""\n    return self.__aenter__().__await__()',
            "async def __aenter__(self):\n"
            '    """Opens it."""\n'
            "    await self._threads.run(self._opened.get)\n"
            "    return self",
            "async def __aexit__(self, exc_type, exc_value, traceback):\n"
            '    """Closes it."""\n'
            "    await self.close()",
            "def __reduce__(self):\n    return type(self).wrapping, (self._opened.get(),)",
            f'def __repr__(self):\n    opened = self._opened._opened\n    return "Async{name}(not open)" '
            'if opened is None else f"Async{opened!r}"',
        ]

    def _definition(self, class_name: str, method: Method) -> list[str]:
        name = method.name
        if name == "__iter__":
            docstring = self._docstring(
                f"Yields what iterating over the `{class_name}` does, fetched in steps."
            )
            docstring = textwrap.indent(docstring, "    ")
            return [f'def __aiter__(self):\n{docstring}\n    return self._each("__iter__")']
        if name.startswith("_"):
            return []
        docstring = textwrap.indent(self._docstring(self._documentation(class_name, method)), "    ")
        signature, call = self._signature(method), self._call(method)
        if method.is_property:
            return [f"@property\ndef {name}(self):\n{docstring}\n    return self._opened.get().{name}"]
        if name == "open":
            made = f"{CLASSES[class_name]}({call})"
            return [f"@staticmethod\ndef open({signature}):\n{docstring}\n    return {made}"]
        if method.is_static:
            made = f"on_a_thread(_vecstore.{class_name}.{name}{', ' if call else ''}{call})"
            return [f"@staticmethod\nasync def {name}({signature}):\n{docstring}\n    return await {made}"]
        if name == "close":
            return [f"async def close(self):\n{docstring}\n    await self._close()"]
        made = f"({name!r}{', ' if call else ''}{call})"
        if method.is_iterated:
            return [f"def {name}({signature}):\n{docstring}\n    return self._each{made}"]
        if name in EMBEDDING:
            work = f"_chunks.{EMBEDDING[name]}(self, {call})"
            return [
                f"async def {name}({signature}):\n{docstring}\n"
                f"    from vecstore.rag import _calls, _chunks\n\n    return await _calls.arun({work})"
            ]
        if "Collection" in re.findall(r"\w+", method.returns):
            found = f"found = await self._call{made}"
            twin = "AsyncCollection._of(found, self._threads)"
            if "None" in method.returns:
                twin = f"None if found is None else {twin}"
            return [f"async def {name}({signature}):\n{docstring}\n    {found}\n    return {twin}"]
        return [f"async def {name}({signature}):\n{docstring}\n    return await self._call{made}"]

    def _signature(self, method: Method) -> str:
        """The parameters without annotations, with the defaults that the stub or its comments give."""
        arguments = method.general.args
        copied = ast.parse(f"def f({ast.unparse(arguments)}): ...").body[0]
        assert isinstance(copied, ast.FunctionDef)
        plain, given = copied.args, [*arguments.defaults, *arguments.kw_defaults]
        for argument in [*plain.posonlyargs, *plain.args, *plain.kwonlyargs]:
            argument.annotation = None
        defaults = iter(given)
        plain.defaults = [self._default(method, next(defaults)) for _ in plain.defaults]
        # What is required in one overload may have a default in another.
        elsewhere = {
            argument.arg: default
            for variant in method.variants
            for argument, default in zip(variant.args.kwonlyargs, variant.args.kw_defaults)
            if default is not None
        }
        plain.kw_defaults = [
            self._default(method, elsewhere[argument.arg]) if argument.arg in elsewhere else None
            for argument in arguments.kwonlyargs
        ]
        return ast.unparse(plain).replace("cls, ", "self, ", 1)

    def _default(self, method: Method, default: ast.expr | None) -> ast.expr:
        assert default is not None
        if not (isinstance(default, ast.Constant) and default.value is ...):
            return default
        said = re.search(r"#\s*(.+)$", self._lines[default.lineno - 1])
        if not said:
            raise SystemExit(
                f"{SURFACE.name}:{default.lineno}: `{method.name}` has a default `...`: "
                "expected the default in a comment at the end of the line"
            )
        return ast.parse(said.group(1).strip(), mode="eval").body

    def _call(self, method: Method) -> str:
        """The arguments as they are handed on."""
        arguments = method.general.args
        positional = [argument.arg for argument in [*arguments.posonlyargs, *arguments.args]]
        handed = positional if method.is_static else positional[1:]
        if arguments.vararg:
            handed.append(f"*{arguments.vararg.arg}")
        handed += [f"{argument.arg}={argument.arg}" for argument in arguments.kwonlyargs]
        if arguments.kwarg:
            handed.append(f"**{arguments.kwarg.arg}")
        return ", ".join(handed)

    # ---- Docstrings

    def _docstring(self, text: str) -> str:
        safe = text.replace("\\", "\\\\")
        return f'"""{safe}"""' if "\n" not in text else f'"""{safe}\n"""'

    def _documentation(self, class_name: str, method: Method) -> str:
        """The first paragraph of the method's docstring, where to read on, and the examples with awaits."""
        full = inspect.getdoc(getattr(getattr(vecstore, class_name), method.name)) or ""
        summary = textwrap.fill(" ".join(full.split("\n\n")[0].split()), 100)
        if not summary:
            raise SystemExit(f"{class_name}.{method.name} has no docstring")
        parts = [
            summary,
            f"See `{class_name}.{method.name}`, whose parameters, results and errors these are.",
        ]
        if not method.is_property and (shown := self._examples(full)):
            parts.append(f"Examples\n--------\n{shown}")
        return "\n\n".join(parts)

    def _examples(self, docstring: str) -> str:
        lines: list[str] = []
        for part in doctest.DocTestParser().parse(docstring):
            if isinstance(part, str):
                continue
            source = self._with_awaits(part.source).rstrip("\n").split("\n")
            lines += [f">>> {source[0]}", *(f"... {line}".rstrip() for line in source[1:])]
            if part.want:
                lines += part.want.rstrip("\n").split("\n")
        return "\n".join(lines)

    def _with_awaits(self, source: str) -> str:
        """The source of an example with the calls awaited."""
        for name, twin in CLASSES.items():
            source = re.sub(rf"\bvecstore\.{name}\(", f"vecstore.{twin}(", source)
            source = re.sub(rf"\bvecstore\.{name}\.", f"vecstore.{twin}.", source)
        source = re.sub(r"\bwith (vecstore\.Async)", r"async with \1", source)
        # Awaits need a method where the other twin has a special one.
        source = re.sub(rf"\blen\(({STORES}|\w+\.restore_collection\([^()]*\))\)", r"\1.len()", source)
        source = re.sub(rf"(\"[\w ]+\") in ({STORES})\b", r"\2.get(\1) is not None", source)
        source = re.sub(rf"\bfor (\w+) in ({STORES})(?=[\]:])", r"async for \1 in \2", source)
        tree = ast.parse(source)
        parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
        starts = [0]
        for line in source.encode().splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        insertions: list[tuple[int, int, str]] = []
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and self._is_awaited(node.func)):
                continue
            assert node.end_lineno is not None
            assert node.end_col_offset is not None
            parent = parents[node]
            tight = isinstance(parent, (ast.Attribute, ast.Subscript)) and parent.value is node
            start, end = (
                starts[node.lineno - 1] + node.col_offset,
                starts[node.end_lineno - 1] + node.end_col_offset,
            )
            # Of two that begin at one place the longer is the outer one, whose await comes first.
            insertions.append((start, start - end, "(await " if tight else "await "))
            if tight:
                insertions.append((end, 0, ")"))
        changed = source.encode()
        for at, _, inserted in sorted(insertions, reverse=True):
            changed = changed[:at] + inserted.encode() + changed[at:]
        return changed.decode()

    def _is_awaited(self, function: ast.expr) -> bool:
        """Whether a call is one of a method of a store's."""
        if not isinstance(function, ast.Attribute) or function.attr not in self._awaited:
            return False
        return self._is_store(function.value) or ast.unparse(function.value) in {
            f"vecstore.{twin}" for twin in CLASSES.values()
        }

    def _is_store(self, value: ast.expr) -> bool:
        """Whether an expression of an example is a store, a database or a collection."""
        if isinstance(value, ast.Name):
            return not value.id[0].isupper() and value.id not in sys.stdlib_module_names | {"numpy"}
        if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
            return False
        made = value.func.attr in {"open", *CLASSES.values()} and ast.unparse(value.func).startswith(
            "vecstore.Async"
        )
        return made or (value.func.attr.endswith("_collection") and self._is_store(value.func.value))

    # ---- The stub

    def stub(self) -> str:
        """The text of ``_async.pyi``."""
        parts, used = [], set()
        for name, class_ in self._classes.items():
            base = "AsyncBaseCollection" if class_.bases else "Twin"
            wrapped = name
            if name == "BaseCollection":
                parts.append(
                    "_C = TypeVar('_C', bound=BaseCollection)\n\nclass AsyncBaseCollection(Twin[_C]):"
                )
                base = ""
            else:
                parts.append(f"class {CLASSES[name]}({base}[{wrapped}]):")
            for line in self._own_stub(name):
                parts.append(f"    {line}")
            for method in methods(class_):
                for variant in method.variants:
                    parts += [f"    {line}" for line in self._declaration(name, method, variant)]
        text = "\n".join(parts)
        used = set(re.findall(r"\w+", text))
        head = f"# pyright: reportOverlappingOverload=false\n{self._imports(used)}\n"
        return f"{head}__all__ = {list(CLASSES.values())!r}\n\n{text}\n"

    def _own_stub(self, name: str) -> list[str]:
        if name == "BaseCollection":
            return []
        if name == "Collection":
            return ["def __init__(self, collection: Collection) -> None: ..."]
        init = next(method for method in methods(self._classes[name]) if method.name == "__new__")
        arguments = ast.unparse(init.general.args).replace("cls,", "self,", 1)
        return [
            f"def __init__({arguments}) -> None: ...",
            "@classmethod",
            f"def wrapping(cls, opened: {name}) -> Self: ...",
            "def __await__(self) -> Generator[Any, None, Self]: ...",
            "async def __aenter__(self) -> Self: ...",
            "async def __aexit__(self, exc_type: type[BaseException] | None, "
            "exc_value: BaseException | None, traceback: TracebackType | None) -> None: ...",
        ]

    def _declaration(self, class_name: str, method: Method, variant: ast.FunctionDef) -> list[str]:
        returns = ast.unparse(variant.returns) if variant.returns else "None"
        if method.name == "__iter__":
            yielded = "Record" if "RecordIterator" in returns else returns[returns.index("[") + 1 : -1]
            return [f"def __aiter__(self) -> AsyncIterator[{yielded}]: ..."]
        if method.name.startswith("_"):
            return []
        lines = [f"@{ast.unparse(decorator)}" for decorator in variant.decorator_list]
        arguments = ast.unparse(variant.args)
        if method.name == "open":
            return [*lines, f"def open({arguments}) -> {CLASSES[class_name]}: ..."]
        if method.is_property:
            return [*lines, f"def {method.name}({arguments}) -> {returns}: ..."]
        if method.is_iterated:
            yielded = "Record" if "RecordIterator" in returns else returns[returns.index("[") + 1 : -1]
            return [*lines, f"def {method.name}({arguments}) -> AsyncIterator[{yielded}]: ..."]
        returns = re.sub(r"\bCollection\b", "AsyncCollection", returns)
        return [*lines, f"async def {method.name}({arguments}) -> {returns}: ..."]

    def _imports(self, used: set[str]) -> str:
        """The imports that the stub needs, of those of the surface and of the surface itself."""
        lines = [
            "from collections.abc import AsyncIterator, Generator",
            "from vecstore._async_calls import Twin",
        ]
        for node in self._tree.body:
            if isinstance(node, ast.ImportFrom):
                names = [alias.name for alias in node.names if alias.name in used]
                if names:
                    lines.append(f"from {node.module} import {', '.join(names)}")
            elif isinstance(node, ast.Import):
                lines.extend(f"import {alias.name}" for alias in node.names if alias.name in used)
        own = {
            *(node.name for node in self._tree.body if isinstance(node, ast.ClassDef)),
            *(
                target.id
                for node in self._tree.body
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            ),
        } - {"__all__"}
        lines.append(f"from vecstore._vecstore import {', '.join(sorted(own & used))}")
        return "\n".join(lines) + "\n"


def generated() -> dict[Path, str]:
    """The files and what should be in them."""
    generator = Generator(SURFACE.read_text(encoding="utf-8"))
    made = {MODULE: generator.module(), MODULE.with_suffix(".pyi"): generator.stub()}
    return {path: formatted(text, path) for path, text in made.items()}


if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, generated))
