"""Samples: one question with what was retrieved for it and what was answered; and data sets of them."""

from __future__ import annotations

import dataclasses
import json
import os
import typing
from collections import abc
from pathlib import Path

from vecstore._arguments import check_mapping, check_text
from vecstore._errors import InvalidInputError

__all__ = ["Dataset", "EvaluationInput", "read_dataset"]

#: The names that other tools give our fields.
_ALIASES = {
    "query": ("query", "question", "user_input", "input"),
    "contexts": ("contexts", "retrieved_contexts", "retrieval_context", "context"),
    "answer": ("answer", "response", "actual_output"),
    "ground_truth": ("ground_truth", "reference", "expected_output", "ground_truths"),
    "other_answer": ("other_answer",),
    "id": ("id", "sample_id", "query_id"),
}


@dataclasses.dataclass(frozen=True)
class EvaluationInput:
    """One sample to evaluate.

    Parameters
    ----------
    query : str
        What was asked.
    contexts : sequence of str
        What was retrieved for it, best first; may be empty.
    answer : str, optional
        What was answered.
    ground_truth : str, optional
        What should have been.
    other_answer : str, optional
        Another system's answer, for `Pairwise`.
    id : str, optional
        Names the sample in reports; its place in the data set if there is none.
    metadata : mapping, optional
        Kept with the sample and not looked at.

    Examples
    --------
    >>> sample = EvaluationInput("Who eats mice?", ["Snakes eat mice."], "Snakes", "Snakes do")
    >>> sample.contexts
    ['Snakes eat mice.']
    """

    query: str
    contexts: list[str] = dataclasses.field(default_factory=list)
    answer: str | None = None
    ground_truth: str | None = None
    other_answer: str | None = None
    id: str | None = None
    metadata: dict[str, typing.Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        query: typing.Any = self.query
        check_text("query", query)
        given: typing.Any = self.contexts
        if isinstance(given, str) or not isinstance(given, abc.Iterable):
            raise TypeError(f"contexts: expected a list of str, got {type(given).__name__}")
        contexts = list(given)
        for at, context in enumerate(contexts):
            check_text(f"contexts[{at}]", context)
        for name in ("answer", "ground_truth", "other_answer", "id"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise TypeError(f"{name}: expected a str or None, got {type(value).__name__}")
        texts = {"query": query, "answer": self.answer, "ground_truth": self.ground_truth}
        texts.update({f"contexts[{at}]": context for at, context in enumerate(contexts)})
        for name, text in texts.items():
            if text is not None and not text.isascii():
                _check_unicode(name, text)
        object.__setattr__(self, "contexts", contexts)
        object.__setattr__(self, "metadata", dict(check_mapping("metadata", self.metadata)))

    @classmethod
    def from_dict(cls, record: abc.Mapping[str, typing.Any]) -> EvaluationInput:
        """Reads a record with our names of fields or those of other tools (``user_input``, ``reference``...).

        Fields of other names become metadata.

        >>> EvaluationInput.from_dict({"query": "Who?", "answer": "Snakes"}).answer
        'Snakes'
        """
        fields: dict[str, typing.Any] = {}
        used = set()
        for name, aliases in _ALIASES.items():
            for alias in aliases:
                if record.get(alias) is not None:
                    fields[name] = record[alias]
                    used.add(alias)
                    break
        if "query" not in fields:
            raise InvalidInputError(
                f"a sample has no query: expected a field {' or '.join(_ALIASES['query'])}, "
                f"got {', '.join(map(str, record)) or 'no fields'}"
            )
        contexts = fields.get("contexts", [])
        fields["contexts"] = [contexts] if isinstance(contexts, str) else contexts
        truth = fields.get("ground_truth")
        if isinstance(truth, (list, tuple)) and truth:
            fields["ground_truth"] = truth[0]
        if "id" in fields:
            fields["id"] = str(fields["id"])
        metadata = {str(name): value for name, value in record.items() if name not in used}
        return cls(**fields, metadata=metadata)

    def to_dict(self) -> dict[str, typing.Any]:
        """The sample as plain values, without what it lacks.

        >>> EvaluationInput("Who?", answer="Snakes").to_dict()["query"]
        'Who?'
        """
        return {name: value for name, value in vars(self).items() if value not in (None, [], {})}


def _check_unicode(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInputError(
            f"{name}: expected valid Unicode, got a string with lone surrogates"
        ) from None


#: Samples, records with their fields, a data frame, or the path of a JSONL or JSON file of records.
Dataset = typing.Union[
    abc.Iterable[typing.Union[EvaluationInput, abc.Mapping[str, typing.Any]]], str, "os.PathLike[str]"
]


def read_dataset(dataset: Dataset) -> list[EvaluationInput]:
    """Reads a data set; samples without an id get their place in it.

    Raises
    ------
    InvalidInputError
        For an empty data set, an id that occurs twice, or a record without a query.

    Examples
    --------
    >>> read_dataset([{"query": "Who?", "answer": "Snakes"}])[0].query
    'Who?'
    """
    samples = []
    seen: dict[str, int] = {}
    for at, record in enumerate(_records(dataset)):
        if isinstance(record, abc.Mapping):
            try:
                record = EvaluationInput.from_dict(record)
            except (InvalidInputError, TypeError) as error:
                raise type(error)(f"sample {at}: {error}") from None
        if not isinstance(record, EvaluationInput):
            raise TypeError(
                f"sample {at}: expected an EvaluationInput or a mapping, got {type(record).__name__}"
            )
        if record.id is None:
            record = dataclasses.replace(record, id=str(at))
        name = typing.cast(str, record.id)
        if name in seen:
            raise InvalidInputError(f"sample {at}: the id `{name}` is that of sample {seen[name]} already")
        seen[name] = at
        samples.append(record)
    if not samples:
        raise InvalidInputError("the data set is empty: expected at least one sample")
    return samples


def _records(dataset: typing.Any) -> abc.Iterable[typing.Any]:
    if isinstance(dataset, (str, os.PathLike)):
        return _read_file(Path(dataset))
    if isinstance(dataset, EvaluationInput):
        return [dataset]
    if hasattr(dataset, "to_dicts"):  # polars
        return typing.cast("abc.Iterable[typing.Any]", dataset.to_dicts())
    if hasattr(dataset, "to_dict") and hasattr(dataset, "columns"):  # pandas
        return typing.cast("abc.Iterable[typing.Any]", dataset.to_dict("records"))
    if isinstance(dataset, abc.Mapping) or not isinstance(dataset, abc.Iterable):
        raise TypeError(f"dataset: expected samples or the path of a file, got {type(dataset).__name__}")
    return typing.cast("abc.Iterable[typing.Any]", dataset)


def _read_file(path: Path) -> list[typing.Any]:
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".json":
        try:
            records = json.loads(text)
        except ValueError as error:
            raise InvalidInputError(f"{path}: expected a JSON list of records, got {error}") from None
        if not isinstance(records, list):
            raise InvalidInputError(f"{path}: expected a list of records, got {type(records).__name__}")
        return records
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            records.append(json.loads(line))
        except ValueError as error:
            raise InvalidInputError(f"{path} line {number}: expected a JSON object, got {error}") from None
    return records
