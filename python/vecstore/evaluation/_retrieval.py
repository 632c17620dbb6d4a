"""Retrieval: runs against judgments, collections against judgments, and approximate against exact search."""

from __future__ import annotations

import dataclasses
import importlib
import math
import os
import typing
from collections import abc
from pathlib import Path

from vecstore import _vecstore
from vecstore._arguments import (
    check_bool,
    check_int,
    check_items,
    check_mapping,
    check_number,
    check_path,
    check_text,
)
from vecstore._errors import InvalidInputError

__all__ = [
    "RetrievalReport",
    "evaluate_diversity",
    "evaluate_retrieval",
    "evaluate_run",
    "fuse_runs",
    "measure_names",
    "qrels_from_arrays",
    "read_qrels",
    "read_run",
    "recall_at_k",
    "run_from_arrays",
    "run_from_collection",
    "write_qrels",
    "write_run",
]

#: Grades by query and document; a negative one says "pooled, but not judged".
Qrels = abc.Mapping[str, abc.Mapping[str, int]]
#: Scores by query and document.
Run = abc.Mapping[str, abc.Mapping[str, float]]

MEASURES = ("ndcg_cut_10", "map", "recip_rank", "P_10", "recall_100")


@dataclasses.dataclass(frozen=True)
class RetrievalReport:
    """Values of measures: ``per_query[query][measure]`` and ``mean[measure]``.

    ``mean`` has sums of counts (``num_ret``...) and geometric means (``gm_map``...), as trec_eval's line
    ``all``; geometric measures have no value for a single query.

    >>> report = evaluate_run({"q": {"a": 1}}, {"q": {"a": 0.9}}, ["P_1"])
    >>> report.mean, report.per_query
    ({'P_1': 1.0}, {'q': {'P_1': 1.0}})
    """

    per_query: dict[str, dict[str, float]]
    mean: dict[str, float]

    @property
    def measures(self) -> list[str]:
        """The names of the measures."""
        return list(self.mean)

    @property
    def scores(self) -> dict[str, list[float]]:
        """The values by measure, in the order of `per_query`."""
        return {
            name: [row[name] for row in self.per_query.values()]
            for name in self.mean
            if all(name in row for row in self.per_query.values())
        }

    def to_pandas(self) -> typing.Any:
        """A data frame with a row for each query and a column for each measure; needs pandas."""
        pd = importlib.import_module("pandas")
        return pd.DataFrame.from_dict(self.per_query, orient="index", columns=list(self.scores))

    def to_markdown(self) -> str:
        """A table of the means.

        >>> print(evaluate_run({"q": {"a": 1}}, {"q": {"a": 0.9}}, ["P_1"]).to_markdown())
        | measure | value |
        | --- | ---: |
        | P_1 | 1.0000 |
        """
        from vecstore.evaluation._markdown import table

        return table(
            ["measure", "value"], [[name, f"{value:.4f}"] for name, value in self.mean.items()], "lr"
        )

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{name}</td><td>{value:.4f}</td></tr>" for name, value in self.mean.items())
        return f"<table><tr><th>measure</th><th>{len(self.per_query)} queries</th></tr>{rows}</table>"

    def __repr__(self) -> str:
        means = ", ".join(f"{name}={value:.4f}" for name, value in self.mean.items())
        return f"RetrievalReport({len(self.per_query)} queries: {means})"


def evaluate_run(
    qrels: Qrels,
    run: Run,
    measures: abc.Iterable[str] | str = MEASURES,
    compat: typing.Literal["trec_eval-10", "trec_eval-9"] = "trec_eval-10",
    *,
    relevance_level: int = 1,
    complete: bool = False,
) -> RetrievalReport:
    """Evaluates a run against judgments by the rules of trec_eval.

    Parameters
    ----------
    qrels : mapping
        Grades by query and document. Negative ones are of the pool and not judged.
    run : mapping
        Scores by query and document. Equal scores are in descending order of document id.
    measures : iterable of str
        Names of trec_eval (``ndcg_cut_10``; families such as ``P`` or ``P.5,20`` at several cutoffs), of
        ir_measures (``nDCG@10``, ``P(rel=2)@5``) or of ranx (``mrr@10``, ``hit_rate@5``); values go by the
        name asked for.
    compat : str
        ``"trec_eval-10"``: scores are compared in 64 bits. ``"trec_eval-9"``: in 32, and levels of recall are
        rounded up from a tenth instead of to the nearest document.
    relevance_level : int
        The grade from which on a document is relevant.
    complete : bool
        Whether queries that the run lacks count, with nothing retrieved. Otherwise only queries in both do.

    Raises
    ------
    InvalidInputError
        For an unknown measure (the message lists them), a score that is NaN, or no query in both.

    Examples
    --------
    >>> from vecstore.evaluation import evaluate_run
    >>> evaluate_run({"q": {"a": 1}}, {"q": {"b": 2.0, "a": 1.0}}, ["recip_rank"]).mean
    {'recip_rank': 0.5}
    """
    named = [measures] if isinstance(measures, str) else check_items("measures", measures, "a list of str")
    names = [check_text(f"measures[{at}]", name) for at, name in enumerate(named)]
    check_int("relevance_level", relevance_level, 0, 2**32 - 1)
    check_text("compat", compat)
    check_bool("complete", complete)
    per_query, mean = _vecstore._eval_run(qrels, run, names, compat, relevance_level, complete)
    if not per_query:
        raise InvalidInputError(
            f"no query is in both qrels and run: qrels has {_some(qrels)}, the run {_some(run)}"
        )
    return RetrievalReport(per_query, mean)


def evaluate_diversity(
    qrels: abc.Mapping[str, abc.Mapping[str, abc.Mapping[str, int]]],
    run: Run,
    k: abc.Iterable[int] | int = (5, 10, 20),
    *,
    alpha: float = 0.5,
    compat: typing.Literal["trec_eval-10", "trec_eval-9"] = "trec_eval-10",
) -> RetrievalReport:
    """Evaluates how far rankings cover the aspects of queries: alpha-nDCG.

    Parameters
    ----------
    qrels : mapping
        Grades by query, subtopic and document; above 0 is relevant.
    k : int or iterable of int
        Cutoffs.
    alpha : float
        How much of its gain a subtopic loses each time it is covered.

    Examples
    --------
    >>> from vecstore.evaluation import evaluate_diversity
    >>> qrels = {"q": {"price": {"a": 1, "b": 1}, "size": {"c": 1}}}
    >>> evaluate_diversity(qrels, {"q": {"a": 3.0, "c": 2.0, "b": 1.0}}, k=2).mean
    {'alpha_ndcg_cut_2': 1.0}
    """
    check_mapping("qrels", qrels)
    check_mapping("run", run)
    check_number("alpha", alpha)
    check_text("compat", compat)
    cuts = [k] if isinstance(k, int) else list(check_items("k", k, "an int or a list of int"))
    for cut in cuts:
        check_int("k", cut, 1)
    per_query: dict[str, dict[str, float]] = {}
    for query in run:
        if query not in qrels:
            continue
        ranked = _vecstore._eval_ranking(query, run[query], compat)
        judged = [
            [document for document, grade in documents.items() if grade > 0]
            for documents in _subtopics(qrels, query)
        ]
        per_query[query] = {
            f"alpha_ndcg_cut_{cut}": _vecstore._eval_alpha_ndcg(ranked, judged, cut, alpha) for cut in cuts
        }
    if not per_query:
        raise InvalidInputError(
            f"no query is in both qrels and run: qrels has {_some(qrels)}, the run {_some(run)}"
        )
    names = [f"alpha_ndcg_cut_{cut}" for cut in cuts]
    mean = {name: math.fsum(row[name] for row in per_query.values()) / len(per_query) for name in names}
    return RetrievalReport(per_query, mean)


def _subtopics(qrels: typing.Any, query: str) -> list[abc.Mapping[str, int]]:
    """The judged documents of each subtopic of a query."""
    subtopics = check_mapping(f"qrels[{query!r}]", qrels[query])
    return [check_mapping(f"qrels[{query!r}][{name!r}]", documents) for name, documents in subtopics.items()]


def measure_names() -> list[str]:
    """The names of measures that `evaluate_run` knows, families by their stem.

    >>> "ndcg_cut" in measure_names()
    True
    """
    return _vecstore._eval_measure_names()


def run_from_collection(
    collection: typing.Any,
    queries: abc.Mapping[str, typing.Any],
    k: int = 10,
    *,
    embedder: typing.Any = None,
    filter: typing.Any = None,
    exact: bool = False,
) -> dict[str, dict[str, float]]:
    """Searches a store or collection for each query; the result is a run.

    Parameters
    ----------
    collection
        A `VecStore` or collection: anything with `query_batch`.
    queries : mapping
        By id: vectors, or texts if there is an embedder.
    k : int
        Results of each query.
    embedder
        An object with ``embed_many`` or ``embed``, or a callable, for queries that are texts.

    Examples
    --------
    >>> run = run_from_collection(store, {"q": [1.0, 0.0, 0.0]}, 2)
    >>> list(run["q"])
    ['apple', 'pear']
    """
    _check_searched(collection)
    check_bool("exact", exact)
    if not check_mapping("queries", queries):
        raise InvalidInputError("queries: expected at least one, got none")
    names = list(queries)
    values = [queries[name] for name in names]
    texts = [at for at, value in enumerate(values) if isinstance(value, str)]
    if texts:
        if embedder is None:
            raise InvalidInputError(
                f"queries[{names[texts[0]]!r}] is a text: expected a vector, or an embedder="
            )
        from vecstore.evaluation._evaluate import run as run_loop
        from vecstore.evaluation._session import Session

        vectors = run_loop(Session().embed(embedder, [values[at] for at in texts]))
        for at, vector in zip(texts, vectors):
            values[at] = vector
    batch = collection.query_batch(values, k=k, filter=filter, **({"exact": True} if exact else {}))
    return {
        name: {neighbor.id: float(neighbor.score) for neighbor in neighbors}
        for name, neighbors in zip(names, batch)
    }


def evaluate_retrieval(
    collection: typing.Any,
    queries: abc.Mapping[str, typing.Any],
    qrels: Qrels,
    k: int = 10,
    *,
    embedder: typing.Any = None,
    measures: abc.Iterable[str] | str | None = None,
    filter: typing.Any = None,
    compat: typing.Literal["trec_eval-10", "trec_eval-9"] = "trec_eval-10",
    relevance_level: int = 1,
) -> RetrievalReport:
    """Searches a collection for each query and evaluates what it finds against judgments.

    Without ``measures`` they are nDCG, precision, recall and success at ``k``, MAP and the reciprocal rank.
    Other arguments are those of `run_from_collection` and `evaluate_run`. Queries without judgments are left
    out.

    Examples
    --------
    >>> from vecstore.evaluation import evaluate_retrieval
    >>> report = evaluate_retrieval(store, {"q": [1, 0, 0]}, {"q": {"pear": 1}}, k=3)
    >>> report.mean["recip_rank"]
    0.5
    """
    check_mapping("queries", queries)
    check_mapping("qrels", qrels)
    judged = {name: query for name, query in queries.items() if name in qrels}
    if not judged:
        raise InvalidInputError(
            f"no query is in both queries and qrels: queries has {_some(queries)}, qrels {_some(qrels)}"
        )
    run = run_from_collection(collection, judged, k, embedder=embedder, filter=filter)
    if measures is None:
        measures = (f"ndcg_cut_{k}", f"P_{k}", f"recall_{k}", f"success_{k}", "map", "recip_rank")
    return evaluate_run(qrels, run, measures, compat, relevance_level=relevance_level)


def _check_searched(collection: typing.Any) -> None:
    if not callable(getattr(collection, "query_batch", None)):
        raise TypeError(f"collection: expected a store or collection, got {type(collection).__name__}")


def recall_at_k(
    collection: typing.Any,
    queries: abc.Iterable[typing.Any],
    k: int = 10,
    *,
    recall: float | None = None,
    filter: typing.Any = None,
) -> float:
    """The share of the exact ``k`` nearest records that a search of the collection finds.

    A record that is as near as the last exact one counts too, as which of equals is found is chance. Results
    that exact search lacks because there are fewer than ``k`` are not missed. ``recall`` is passed to the
    search.

    Examples
    --------
    >>> from vecstore.evaluation import recall_at_k
    >>> recall_at_k(store, [[1, 0, 0], [0, 1, 0]], k=2)
    1.0
    """
    _check_searched(collection)
    listed = queries.values() if isinstance(queries, abc.Mapping) else queries
    vectors = list(check_items("queries", listed, "a list of vectors"))
    if not vectors:
        raise InvalidInputError("queries: expected at least one, got none")
    options = {} if recall is None else {"recall": recall}
    found = wanted = 0
    # `include=()`: only ids and distances are compared.
    searched = collection.query_batch(vectors, k=k, filter=filter, include=(), **options)
    exact = collection.query_batch(vectors, k=k, filter=filter, include=(), exact=True)
    for neighbors, nearest in zip(searched, exact):
        nearest = list(nearest)
        if not nearest:
            continue
        ids = {neighbor.id for neighbor in nearest}
        reach = nearest[-1].distance
        hits = sum(neighbor.id in ids or neighbor.distance <= reach for neighbor in neighbors)
        found += min(hits, len(nearest))
        wanted += len(nearest)
    return found / wanted if wanted else 1.0


def fuse_runs(
    runs: abc.Iterable[Run], k: float = 60.0, *, depth: int | None = None
) -> dict[str, dict[str, float]]:
    """Combines runs by reciprocal rank fusion: a document's score is the sum of ``1 / (k + rank)`` over runs.

    ``depth`` is how many documents of each run take part.

    >>> list(fuse_runs([{"q": {"a": 2.0, "b": 1.0}}, {"q": {"b": 5.0}}])["q"])
    ['a', 'b']
    """
    fused: dict[str, dict[str, float]] = {}
    if not check_number("k", k) >= 0:
        raise InvalidInputError(f"k: expected a number of at least 0, got {k!r}")
    if depth is not None:
        check_int("depth", depth, 0)
    for at, run in enumerate(check_items("runs", runs, "a list of runs")):
        for query, documents in check_mapping(f"runs[{at}]", run).items():
            scores = fused.setdefault(query, {})
            ranked = _vecstore._eval_ranking(query, documents, "trec_eval-10")
            for rank, document in enumerate(ranked[:depth], 1):
                scores[document] = scores.get(document, 0.0) + 1.0 / (k + rank)
    return fused


def read_qrels(path: str | os.PathLike[str]) -> dict[str, dict[str, int]]:
    """Reads a TREC qrels file: query, iteration, document, grade on each line.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = pathlib.Path(directory, "qrels")
    ...     write_qrels({"q": {"a": 1}}, path)
    ...     qrels = read_qrels(path)
    >>> qrels
    {'q': {'a': 1}}
    """
    qrels: dict[str, dict[str, int]] = {}
    for query, _, document, grade in _vecstore._eval_parse_qrels(_text(path)):
        documents = qrels.setdefault(query, {})
        if document in documents:
            raise InvalidInputError(f"{path}: document `{document}` of query `{query}` is judged twice")
        documents[document] = grade
    return qrels


def read_run(path: str | os.PathLike[str]) -> dict[str, dict[str, float]]:
    """Reads a TREC run file: query, Q0, document, rank, score, tag on each line. Ranks are ignored.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = pathlib.Path(directory, "run")
    ...     write_run({"q": {"a": 0.5}}, path)
    ...     run = read_run(path)
    >>> run
    {'q': {'a': 0.5}}
    """
    run: dict[str, dict[str, float]] = {}
    for query, document, score, _ in _vecstore._eval_parse_run(_text(path)):
        documents = run.setdefault(query, {})
        if document in documents:
            raise InvalidInputError(f"{path}: document `{document}` of query `{query}` is retrieved twice")
        documents[document] = score
    return run


def write_qrels(qrels: Qrels, path: str | os.PathLike[str]) -> None:
    """Writes a TREC qrels file.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = pathlib.Path(directory, "qrels")
    ...     write_qrels({"q": {"a": 1}}, path)
    ...     text = path.read_text()
    >>> text
    'q 0 a 1\\n'
    """
    lines = [
        f"{_field(query)} 0 {_field(document)} {grade}\n"
        for query, documents in check_mapping("qrels", qrels).items()
        for document, grade in check_mapping(f"qrels[{query!r}]", documents).items()
    ]
    Path(check_path("path", path)).write_bytes("".join(lines).encode())


def write_run(run: Run, path: str | os.PathLike[str], tag: str = "vecstore") -> None:
    """Writes a TREC run file, best documents first, with scores that read back to the same numbers.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = pathlib.Path(directory, "run")
    ...     write_run({"q": {"a": 0.5}}, path, "mine")
    ...     text = path.read_text()
    >>> text
    'q Q0 a 1 0.5 mine\\n'
    """
    lines = []
    check_text("tag", tag)
    for query, documents in check_mapping("run", run).items():
        for rank, document in enumerate(_vecstore._eval_ranking(query, documents, "trec_eval-10"), 1):
            score = float(documents[document])
            lines.append(f"{_field(query)} Q0 {_field(document)} {rank} {score!r} {_field(tag)}\n")
    Path(check_path("path", path)).write_bytes("".join(lines).encode())


def qrels_from_arrays(
    query_ids: abc.Iterable[typing.Any],
    document_ids: abc.Iterable[typing.Any],
    grades: abc.Iterable[typing.Any],
) -> dict[str, dict[str, int]]:
    """Judgments from three columns of one length: lists or arrays. Ids become strings.

    >>> qrels_from_arrays(["q", "q"], ["a", "b"], [1, 0])
    {'q': {'a': 1, 'b': 0}}
    """
    named = {"query_ids": query_ids, "document_ids": document_ids, "grades": grades}
    columns = [_column(name, values) for name, values in named.items()]
    if len({len(column) for column in columns}) != 1:
        raise InvalidInputError(
            f"expected columns of one length, got {', '.join(str(len(c)) for c in columns)}"
        )
    qrels: dict[str, dict[str, int]] = {}
    for query, document, grade in zip(*columns):
        documents = qrels.setdefault(str(query), {})
        if str(document) in documents:
            raise InvalidInputError(f"document `{document}` of query `{query}` is judged twice")
        if check_number("grades", grade) != int(grade):
            raise InvalidInputError(
                f"grade of `{document}` for query `{query}`: expected a whole number, got {grade}"
            )
        documents[str(document)] = int(grade)
    return qrels


def run_from_arrays(
    query_ids: abc.Iterable[typing.Any], document_ids: typing.Any, scores: typing.Any = None
) -> dict[str, dict[str, float]]:
    """A run from a row of document ids for each query, best first: lists or a 2-D array. Ids become strings.

    Without ``scores`` of the same shape, the order of each row decides. ``None`` and negative whole numbers,
    with which searches fill rows up, are left out.

    >>> run_from_arrays(["q"], [["a", "b"]], [[0.9, 0.4]])
    {'q': {'a': 0.9, 'b': 0.4}}
    """
    queries, rows = _column("query_ids", query_ids), _column("document_ids", document_ids)
    values = _column("scores", scores) if scores is not None else [None] * len(rows)
    if not len(queries) == len(rows) == len(values):
        raise InvalidInputError(
            f"expected a row for each query, got {len(queries)} queries, {len(rows)} rows, "
            f"{len(values)} rows of scores"
        )
    run: dict[str, dict[str, float]] = {}
    for query, row, row_scores in zip(queries, rows, values):
        documents = run.setdefault(str(query), {})
        given = row_scores if row_scores is not None else [-float(rank) for rank in range(len(row))]
        if len(given) != len(row):
            raise InvalidInputError(f"scores of query `{query}`: expected {len(row)}, got {len(given)}")
        for document, score in zip(row, given):
            if document is None or (isinstance(document, int) and document < 0):
                continue
            if str(document) in documents:
                raise InvalidInputError(f"document `{document}` of query `{query}` is retrieved twice")
            documents[str(document)] = float(score)
    return run


def _column(name: str, values: typing.Any) -> list[typing.Any]:
    listed = values.tolist() if hasattr(values, "tolist") else values
    return list(check_items(name, listed, "a list or an array"))


def _text(path: str | os.PathLike[str]) -> str:
    try:
        return Path(check_path("path", path)).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path}: expected UTF-8, got {error}") from None


def _field(text: str) -> str:
    if not text or len(text.split()) != 1 or text.startswith("#"):
        raise InvalidInputError(
            f"id {text!r}: expected one without white space that does not start with #, which a file of TREC "
            "cannot hold"
        )
    return text


def _some(mapping: abc.Mapping[str, typing.Any]) -> str:
    names = [repr(name) for name, _ in zip(mapping, range(3))]
    return ", ".join(names) + (", ..." if len(mapping) > 3 else "") if names else "none"
