"""Static embeddings: a vector for each token, and their mean for a text."""

from __future__ import annotations

import json
import os
import typing
from collections import abc
from pathlib import Path

from vecstore._arguments import check_bool, check_int, check_path
from vecstore._errors import CorruptionError, InvalidInputError, UnsupportedError
from vecstore.rag._models import check_texts
from vecstore.rag._tokenizers import load_tokenizer

if typing.TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["StaticEmbedder"]

#: The types of safetensors that vectors may have, as numpy names them.
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I8": "<i1"}
#: A header beyond this is no header.
_HEADER_BYTES_MAX = 100 << 20


class StaticEmbedder:
    """Embeds with the files of a model2vec model: no neural network runs, a text takes microseconds.

    Needs ``numpy`` and ``tokenizers`` (``pip install vecstore[models]``); nothing is downloaded.

    Parameters
    ----------
    path : path
        A directory with ``model.safetensors`` (the tensor ``embeddings``, perhaps ``weights`` and
        ``mapping``), ``tokenizer.json`` and perhaps ``config.json`` (``normalize``).
    normalize : bool, optional
        Whether vectors are scaled to norm 1; as ``config.json`` says if not given.
    max_tokens : int, optional
        Tokens beyond it are not read. 512 if not given.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        normalize: bool | None = None,
        max_tokens: int | None = 512,
    ) -> None:
        import numpy as np

        directory = Path(check_path("path", path))
        if normalize is not None:
            check_bool("normalize", normalize)
        if max_tokens is not None:
            max_tokens = check_int("max_tokens", max_tokens, 1)
        tensors = _read_safetensors(directory / "model.safetensors")
        if "embeddings" not in tensors or tensors["embeddings"].ndim != 2:
            raise InvalidInputError(
                f"{directory}: expected a 2-D tensor `embeddings` in model.safetensors, got {sorted(tensors)}"
            )
        self._vectors: npt.NDArray[np.float32] = tensors["embeddings"].astype(np.float32)
        self._weights = tensors.get("weights")
        self._mapping = tensors.get("mapping")
        rows, tokens = len(self._vectors), len(self._mapping) if self._mapping is not None else None
        if self._mapping is not None and (self._mapping.min() < 0 or self._mapping.max() >= rows):
            raise InvalidInputError(f"{directory}: `mapping` names rows beyond the {rows} of `embeddings`")
        self._tokenizer = load_tokenizer(directory / "tokenizer.json")
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        known = rows if tokens is None else tokens
        if self._weights is not None and len(self._weights) != known:
            raise InvalidInputError(
                f"{directory}: expected {known} `weights`, one for each token, got {len(self._weights)}"
            )
        if self._tokenizer.get_vocab_size() > known:
            raise InvalidInputError(
                f"{directory}: tokenizer.json has {self._tokenizer.get_vocab_size()} tokens, "
                f"model.safetensors has vectors for {known}"
            )
        config = directory / "config.json"
        stated = json.loads(config.read_text(encoding="utf-8")) if config.exists() else {}
        self._normalize = bool(stated.get("normalize", True)) if normalize is None else normalize
        self._max_tokens = max_tokens
        self._unknown = self._unknown_id()

    def _unknown_id(self) -> int | None:
        model = json.loads(self._tokenizer.to_str()).get("model", {})
        if isinstance(model.get("unk_id"), int):
            return typing.cast(int, model["unk_id"])
        token = model.get("unk_token")
        return (
            typing.cast("int | None", self._tokenizer.token_to_id(token)) if isinstance(token, str) else None
        )

    @property
    def dim(self) -> int:
        """The number of components."""
        return int(self._vectors.shape[1])

    def embed(self, text: str) -> npt.NDArray[np.float32]:
        """The vector of a text: the mean over its known tokens. Zeros where there are none."""
        vector: npt.NDArray[np.float32] = self.embed_batch([text])[0]
        return vector

    def embed_batch(self, texts: abc.Sequence[str]) -> npt.NDArray[np.float32]:
        """The vectors of texts, as an array of the shape (n, dim)."""
        import numpy as np

        listed = check_texts(texts)
        vectors = np.zeros((len(listed), self.dim), np.float32)
        encodings = self._tokenizer.encode_batch(listed, add_special_tokens=False)
        for at, encoding in enumerate(encodings):
            ids = [token for token in encoding.ids if token != self._unknown][: self._max_tokens]
            if not ids:
                continue
            rows = ids if self._mapping is None else self._mapping[ids]
            taken = self._vectors[rows]
            if self._weights is not None:
                taken = taken * self._weights[ids].astype(np.float32)[:, None]
            vectors[at] = taken.mean(axis=0)
        if self._normalize:
            norms = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = np.divide(vectors, norms, out=vectors, where=norms > 0)
        return vectors

    def __repr__(self) -> str:
        return f"StaticEmbedder(dim={self.dim}, tokens={len(self._vectors)})"


def _read_safetensors(path: Path) -> dict[str, typing.Any]:
    """The tensors of a safetensors file: a length, a JSON header, and the bytes."""
    import numpy as np

    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(len(content) - 8, _HEADER_BYTES_MAX):
        raise CorruptionError(
            f"{path}: the header of {length} bytes is longer than the file of {len(content)}"
        )
    try:
        header = json.loads(content[8 : 8 + length])
    except ValueError as error:
        raise CorruptionError(f"{path}: the header is not JSON: {error}") from None
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype = _DTYPES.get(entry.get("dtype"), {"I64": "<i8", "I32": "<i4"}.get(entry.get("dtype")))
        if dtype is None:
            raise UnsupportedError(f"{path}: tensor `{name}` is of type {entry.get('dtype')}")
        start, end = entry["data_offsets"]
        data = content[8 + length + start : 8 + length + end]
        expected = int(np.prod(entry["shape"], dtype=np.int64)) * np.dtype(dtype).itemsize
        if not 0 <= start <= end <= len(content) - 8 - length or len(data) != expected:
            raise CorruptionError(f"{path}: tensor `{name}` has {len(data)} bytes, expected {expected}")
        tensors[name] = np.frombuffer(data, dtype).reshape(entry["shape"])
    return tensors
