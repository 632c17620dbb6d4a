"""``vecstore export`` and ``import`` of the formats that Python reads and writes, and of other stores."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
import typing

import vecstore

#: The options of ``--from``, by the sources that take them.
_SOURCE_OPTIONS = {
    "source_collection": ("collection", ("chroma",)),
    "table": ("table", ("lancedb",)),
    "id": ("id", ("lancedb",)),
    "vector": ("vector", ("lancedb", "qdrant")),
    "sparse": ("sparse", ("qdrant",)),
    "text": ("text", ("lancedb", "pinecone", "qdrant")),
    "records": ("records", ("faiss", "hnswlib", "usearch")),
}

_EXTENSIONS = {".parquet": "parquet", ".npz": "numpy", ".npy": "numpy"}

#: As of the engine's own command.
_FAILED, _INTERRUPTED = 2, 130


def is_for_python(arguments: list[str]) -> bool:
    """Returns whether a call of the command is for a format that Python reads or writes."""
    given = [one.split("=", 1)[0] for one in arguments]
    if "--help" in given or "-h" in given:
        return False
    if "--from" in given:
        return True
    formats = [one.split("=", 1)[1] for one in arguments if one.startswith("--format=")]
    formats += [value for option, value in zip(arguments, arguments[1:]) if option == "--format"]
    if formats:
        return formats[-1] in ("parquet", "numpy")
    return any(pathlib.Path(one).suffix in _EXTENSIONS for one in arguments[1:] if not one.startswith("-"))


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit status."""
    given = _parser(arguments[0]).parse_args(arguments[1:])
    try:
        figures = _export(given) if arguments[0] == "export" else _import(given)
    except (vecstore.VecStoreError, TypeError) as error:
        message = error.args[-1] if error.args else error
        print(f"vecstore: {message}", file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        done = (
            "no file was written"
            if arguments[0] == "export"
            else "what was imported stays; run it again to go on"
        )
        print(f"vecstore: interrupted; {done}", file=sys.stderr)
        return _INTERRUPTED
    try:
        if given.json:
            print(json.dumps(figures, indent=2))
        else:
            names = ", ".join(
                f"{value:,} {name}" for name, value in figures.items() if value or name == "records"
            )
            print(f"{arguments[0]}ed {names}".replace("resumed_at", "of them before"))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads the output has seen enough; nothing may be flushed into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"vecstore {command}", add_help=False, allow_abbrev=False)
    if command == "export":
        parser.add_argument("store", type=pathlib.Path)
        parser.add_argument("file", type=pathlib.Path)
        parser.add_argument("--filter")
        parser.add_argument("--deleted", action="store_true")
    else:
        parser.add_argument("file", type=pathlib.Path)
        parser.add_argument("store", type=pathlib.Path)
        parser.add_argument("--from", dest="kind")
        parser.add_argument("--metric")
        parser.add_argument("--batch-size", type=int, default=1000)
        parser.add_argument("--checkpoint", type=pathlib.Path)
        parser.add_argument("--no-checkpoint", action="store_true")
        for option in _SOURCE_OPTIONS:
            parser.add_argument("--" + option.replace("_", "-"))
    parser.add_argument("--format", choices=("parquet", "numpy"))
    parser.add_argument("--collection")
    parser.add_argument("--progress", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser


def _format(given: argparse.Namespace) -> str:
    return typing.cast("str", given.format or _EXTENSIONS[given.file.suffix])


def _export(given: argparse.Namespace) -> dict[str, int]:
    with vecstore.VecDatabase.open(given.store, read_only=True) as database:
        collection = _chosen(database, given.collection)
        export = getattr(collection, f"export_{_format(given)}")
        result = export(
            given.file, filter=given.filter, include_deleted=given.deleted, progress=given.progress
        )
    return {"records": result.records, "bytes": result.bytes}


def _chosen(database: vecstore.VecDatabase, name: str | None) -> vecstore.Collection:
    names = database.list_collections()
    if name is None:
        name = names[0] if len(names) == 1 else "default"
    collection = database.get_collection(name)
    if collection is None:
        known = ", ".join(f"`{one}`" for one in names[:20]) or "none"
        raise vecstore.NotFoundError(f"no collection is named `{name}`; there are: {known}")
    return collection


def _import(given: argparse.Namespace) -> dict[str, int]:
    from vecstore import importers
    from vecstore._exchange.rows import pour

    source: typing.Any = None
    if given.kind is not None:
        source = _source(given, importers.SOURCES)
    elif not given.file.is_file():
        raise vecstore.InvalidInputError(f"`{given.file}` is not a file")
    checkpoint = given.checkpoint
    if checkpoint is None and not given.no_checkpoint:
        store = given.store.absolute()
        checkpoint = store.with_name(store.name + ".importing")
    options = {
        "batch_size": given.batch_size,
        "checkpoint": None if given.no_checkpoint else checkpoint,
        "progress": given.progress,
    }
    with vecstore.VecDatabase.open(given.store) as database:
        metric = given.metric or getattr(source, "metric", None)
        config = vecstore.CollectionConfig(metric=metric) if metric else None
        collection = database.get_or_create_collection(given.collection or "default", config)
        if (
            given.metric
            and collection.distance_metric != vecstore.CollectionConfig(metric=given.metric).metric
        ):
            raise vecstore.InvalidInputError(
                f"--metric: the collection has the metric {collection.distance_metric}, got {given.metric}"
            )
        if source is not None:
            result = pour(collection, source, **options)
        else:
            result = getattr(collection, f"import_{_format(given)}")(given.file, **options)
    return {"records": result.records, "resumed_at": result.resumed_at, "batches": result.batches}


def _source(given: argparse.Namespace, sources: typing.Any) -> typing.Any:
    if given.kind not in sources:
        raise vecstore.InvalidInputError(f"--from: expected one of {', '.join(sources)}, got `{given.kind}`")
    options = {}
    for option, (name, kinds) in _SOURCE_OPTIONS.items():
        value = getattr(given, option)
        if value is None:
            continue
        if given.kind not in kinds:
            raise vecstore.InvalidInputError(f"--{option.replace('_', '-')}: only for {', '.join(kinds)}")
        options[name] = value
    return sources[given.kind](given.file, **options)
