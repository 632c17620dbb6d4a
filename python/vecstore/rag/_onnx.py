"""Models in the ONNX format, run on the CPU by onnxruntime from files: nothing is downloaded."""

from __future__ import annotations

import os
import typing
from collections import abc
from pathlib import Path

from vecstore._arguments import check_int, check_path
from vecstore._errors import InvalidInputError
from vecstore._vecstore import Neighbor
from vecstore.rag._calls import Call, Work
from vecstore.rag._models import check_texts
from vecstore.rag._rerankers import Reranker
from vecstore.rag._results import ranked, text_of
from vecstore.rag._tokenizers import load_tokenizer, need

if typing.TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    _Pooling = typing.Literal["mean", "cls", "last", "max"]

__all__ = ["CrossEncoderReranker", "OnnxEmbedder"]

Model = typing.Union[str, "os.PathLike[str]", bytes]
_POOLINGS = ("mean", "cls", "last", "max")
#: The inputs that an encoder may have, by what they are made of.
_INPUTS = {"input_ids": "ids", "attention_mask": "mask", "token_type_ids": "types"}


class _Encoder:
    """A session and a tokenizer: texts, or pairs of them, into the first output of the model."""

    def __init__(
        self, model: Model, tokenizer: typing.Any, max_tokens: int, batch_size: int, threads: int | None
    ) -> None:
        onnxruntime = need("onnxruntime")
        self.max_tokens = check_int("max_tokens", max_tokens, 1)
        self.batch_size = check_int("batch_size", batch_size, 1)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors only
        if threads is not None:
            options.intra_op_num_threads = check_int("threads", threads, 1)
        if not isinstance(model, bytes):
            # By its path: what is too large for one file is in others beside it.
            path = Path(check_path("model", model))
            path.open("rb").close()
            model = str(path)
        try:
            self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's own errors have no common class
            raise InvalidInputError(f"model: onnxruntime cannot read it: {error}") from error
        self.inputs = [node.name for node in self.session.get_inputs()]
        unknown = sorted(set(self.inputs) - _INPUTS.keys())
        if unknown or "input_ids" not in self.inputs:
            raise InvalidInputError(
                f"model: expected the inputs {', '.join(_INPUTS)} or some of them, "
                f"got {', '.join(self.inputs)}"
            )
        self.tokenizer = load_tokenizer(tokenizer)
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max_length=self.max_tokens)

    def run(self, texts: abc.Sequence[typing.Any]) -> abc.Iterator[tuple[list[int], typing.Any, typing.Any]]:
        """For each batch of texts of like length: their places, the output, the mask."""
        import numpy as np

        encodings = self.tokenizer.encode_batch(list(texts))
        order = sorted(range(len(encodings)), key=lambda at: len(encodings[at].ids))
        for start in range(0, len(order), self.batch_size):
            places = order[start : start + self.batch_size]
            width = max(1, *(len(encodings[at].ids) for at in places))
            arrays = {name: np.zeros((len(places), width), np.int64) for name in ("ids", "mask", "types")}
            for row, at in enumerate(places):
                length = len(encodings[at].ids)
                arrays["ids"][row, :length] = encodings[at].ids
                arrays["mask"][row, :length] = 1
                arrays["types"][row, :length] = encodings[at].type_ids
            output = self.session.run(None, {name: arrays[_INPUTS[name]] for name in self.inputs})[0]
            yield places, np.asarray(output), arrays["mask"]


class OnnxEmbedder:
    """Embeds with a transformer in the ONNX format.

    Needs ``onnxruntime``, ``tokenizers`` and ``numpy`` (``pip install vecstore[models]``). Runs offline.

    Parameters
    ----------
    model : path or bytes
        The model, with the inputs ``input_ids`` and perhaps ``attention_mask`` and ``token_type_ids``. Its
        first output is (texts, dim), or (texts, tokens, dim), which is pooled.
    tokenizer : path or tokenizers.Tokenizer
        The model's ``tokenizer.json``.
    pooling : str
        ``mean`` over the tokens, ``cls`` (the first), ``last``, or ``max``.
    normalize : bool
        Whether vectors are scaled to norm 1.
    max_tokens : int
        Tokens beyond it are not read.
    batch_size : int
        The most texts in one run of the model.
    threads : int, optional
        Threads of one run; as many as cores if not given.
    query_prefix, document_prefix : str
        Put before queries, and before all other texts, for models that were trained so.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: typing.Any,
        *,
        pooling: _Pooling = "mean",
        normalize: bool = True,
        max_tokens: int = 512,
        batch_size: int = 32,
        threads: int | None = None,
        query_prefix: str = "",
        document_prefix: str = "",
    ) -> None:
        if pooling not in _POOLINGS:
            raise InvalidInputError(f"pooling: expected one of {', '.join(_POOLINGS)}, got {pooling!r}")
        self._encoder = _Encoder(model, tokenizer, max_tokens, batch_size, threads)
        self._pooling = pooling
        self._normalize = normalize
        self._query_prefix = query_prefix
        self._document_prefix = document_prefix

    def embed(self, text: str) -> npt.NDArray[np.float32]:
        """The vector of a text."""
        vector: npt.NDArray[np.float32] = self.embed_batch([text])[0]
        return vector

    def embed_query(self, text: str) -> npt.NDArray[np.float32]:
        """The vector of a query."""
        (checked,) = check_texts([text])
        vector: npt.NDArray[np.float32] = self._vectors([self._query_prefix + checked])[0]
        return vector

    def embed_batch(self, texts: abc.Sequence[str]) -> npt.NDArray[np.float32]:
        """The vectors of texts, as an array of the shape (n, dim)."""
        return self._vectors([self._document_prefix + text for text in check_texts(texts)])

    def _vectors(self, texts: list[str]) -> npt.NDArray[np.float32]:
        import numpy as np

        rows: dict[int, typing.Any] = {}
        for places, output, mask in self._encoder.run(texts):
            if output.ndim == 3:
                output = self._pooled(output, mask)
            if output.ndim != 2 or len(output) != len(places):
                raise InvalidInputError(
                    f"model: expected an output of the shape (texts, dim) or (texts, tokens, dim), "
                    f"got {output.shape} for {len(places)} texts"
                )
            rows.update(zip(places, output))
        if not rows:
            return np.zeros((0, 0), np.float32)
        vectors: npt.NDArray[np.float32] = np.stack([rows[at] for at in range(len(texts))]).astype(np.float32)
        if self._normalize:
            norms = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = np.divide(vectors, norms, out=vectors, where=norms > 0)
        return vectors

    def _pooled(self, states: typing.Any, mask: typing.Any) -> typing.Any:
        import numpy as np

        if self._pooling == "cls":
            return states[:, 0]
        if self._pooling == "last":
            return states[np.arange(len(states)), np.maximum(mask.sum(axis=1) - 1, 0)]
        if self._pooling == "max":
            return np.where(mask[:, :, None] > 0, states, -np.inf).max(axis=1)
        weights = mask[:, :, None].astype(states.dtype)
        return (states * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)

    def __repr__(self) -> str:
        return f"OnnxEmbedder(pooling={self._pooling!r}, max_tokens={self._encoder.max_tokens})"


class CrossEncoderReranker(Reranker):
    """Ranks by a cross-encoder in the ONNX format, which reads the query together with each text.

    Needs ``onnxruntime``, ``tokenizers`` and ``numpy`` (``pip install vecstore[models]``). Runs offline.

    Parameters
    ----------
    model : path or bytes
        The model, with inputs as those of `OnnxEmbedder`. Its first output is a logit for each pair, of the
        shape (pairs,), (pairs, 1), or (pairs, 2), where the second counts against the first.
    tokenizer : path or tokenizers.Tokenizer
        The model's ``tokenizer.json``; where a pair is too long, only the text is cut.
    max_tokens, batch_size, threads
        As those of `OnnxEmbedder`.
    sigmoid : bool
        Whether scores are mapped to 0 to 1.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: typing.Any,
        *,
        max_tokens: int = 512,
        batch_size: int = 32,
        threads: int | None = None,
        sigmoid: bool = False,
    ) -> None:
        self._encoder = _Encoder(model, tokenizer, max_tokens, batch_size, threads)
        self._encoder.tokenizer.enable_truncation(max_length=max_tokens, strategy="only_second")
        #: Cuts nothing. One of its own, since threads may be encoding pairs.
        self._whole = load_tokenizer(self._encoder.tokenizer)
        self._whole.no_truncation()
        self._sigmoid = sigmoid

    def score(self, query: str, texts: abc.Sequence[str]) -> list[float]:
        """How well each text answers the query, larger for better."""
        import numpy as np

        # A query that fills the window leaves nothing of a text to be cut.
        (query,), texts = check_texts([query]), check_texts(texts)
        query = self._shortened(query)
        scores = np.zeros(len(texts))
        for places, output, _ in self._encoder.run([(query, text) for text in texts]):
            logits = output.reshape(len(places), -1).astype(np.float64)
            if logits.shape[1] not in (1, 2):
                raise InvalidInputError(f"model: expected 1 or 2 logits for each pair, got {logits.shape[1]}")
            scores[places] = logits[:, -1] - (logits[:, 0] if logits.shape[1] == 2 else 0.0)
        if self._sigmoid:
            scores = 1 / (1 + np.exp(-scores))
        return [float(score) for score in scores]

    def _shortened(self, query: str) -> str:
        most = max(1, self._encoder.max_tokens // 2)
        encoding = self._whole.encode(query, add_special_tokens=False)
        return query if len(encoding.ids) <= most else query[: encoding.offsets[most - 1][1]]

    def _best(self, query: str, neighbors: list[Neighbor], most: int) -> Work[list[Neighbor]]:  # noqa: ARG002
        from vecstore import _vecstore

        scores = yield Call(self.score, query, [text_of(neighbor) for neighbor in neighbors])
        return ranked(neighbors, _vecstore._rag_ranking(scores, len(neighbors)))

    def __repr__(self) -> str:
        return f"CrossEncoderReranker(max_tokens={self._encoder.max_tokens})"
