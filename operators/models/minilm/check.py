#!/usr/bin/env python3
"""Compares the built models with a float64 reference of the whole encoder, and tries the library.

Exits with 1 where fp32 strays more than 1e-4 from the reference, alone or in a padded batch,
where the cosine of int8 to it falls below .97, or where the library cannot be used.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from safetensors.numpy import load_file
from tokenizers import Encoding, Tokenizer

from build import BuildError, check_sources, source_in_package

FP32_TOLERANCE = 1e-4
INT8_COSINE = 0.97
# The version of the C interface that gristmill asks the library for.
API_VERSION = 24
# Where builds of ONNX Runtime that report their use send it: a name that no other build holds.
REPORT_SERVER = b"events.data.microsoft.com"

TEXTS = [
    "",
    "cache",
    "Where is the configuration file read?",
    "fn parse(input: &str) -> Result<Ast, ParseError> { Parser::new(input).module() }",
    "def retry(times, delay):\n    '''Call again after a failure, at most `times` times.'''\n    ...",
    "Größe, naïve café, 東京タワー, Ελλάδα: accents fall, other scripts are split. 🚀 HTTPServer42",
    "// Merges two sorted runs into one; equal keys keep the order in which they came.\n"
    + "\n".join(f"if left[{i}].key <= right[{i}].key {{ out.push(left[{i}]); }}" for i in range(6)),
    # Longer than the model takes: the end is cut off.
    " ".join(f"step {i} reads page {i * 7} and writes it to slot {i * 13}" for i in range(60)),
]


class CheckError(Exception):
    """A model that cannot even be tried."""


error_function = np.vectorize(math.erf, otypes=[np.float64])


class Reference:
    """The encoder in float64 on unpadded texts: slow, and simple enough to read."""

    def __init__(self, source: Path) -> None:
        self.config: dict[str, Any] = json.loads((source / "config.json").read_text(encoding="utf-8"))
        weights = load_file(source / "model.safetensors")
        self.weights = {
            name: tensor.astype(np.float64)
            for name, tensor in weights.items()
            if np.issubdtype(tensor.dtype, np.floating)
        }

    def linear(self, x: np.ndarray, name: str) -> np.ndarray:
        """A dense map."""
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def layer_norm(self, x: np.ndarray, name: str) -> np.ndarray:
        """Layer normalisation over the last axis."""
        centred = x - x.mean(-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + self.config["layer_norm_eps"])
        return centred / deviation * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def attention(self, x: np.ndarray, layer: str) -> np.ndarray:
        """Multi-head self-attention over all tokens."""
        count = self.config["num_attention_heads"]

        def heads(part: str) -> np.ndarray:
            flat = self.linear(x, f"{layer}.attention.self.{part}")
            return flat.reshape(len(x), count, -1).transpose(1, 0, 2)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        merged = (shares @ value).transpose(1, 0, 2).reshape(x.shape)
        return self.linear(merged, f"{layer}.attention.output.dense")

    def vector(self, ids: list[int]) -> np.ndarray:
        """The normalised vector of one text's tokens."""
        tables = "embeddings.{}_embeddings.weight".format
        x = (
            self.weights[tables("word")][ids]
            + self.weights[tables("position")][: len(ids)]
            + self.weights[tables("token_type")][0]
        )
        x = self.layer_norm(x, "embeddings.LayerNorm")
        for index in range(self.config["num_hidden_layers"]):
            layer = f"encoder.layer.{index}"
            x = self.layer_norm(x + self.attention(x, layer), f"{layer}.attention.output.LayerNorm")
            wide = self.linear(x, f"{layer}.intermediate.dense")
            active = wide * (1 + error_function(wide / math.sqrt(2))) / 2
            x = self.layer_norm(x + self.linear(active, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        return normalised(x.mean(0))


def normalised(x: np.ndarray) -> np.ndarray:
    """Vectors of length 1."""
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


class Model:
    """A built folder, run as gristmill runs it: mean over the tokens, then normalised."""

    def __init__(self, folder: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            max_tokens = about["max_tokens"]
            self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self.session = onnxruntime.InferenceSession(
                folder / "model.onnx", options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # each of the three libraries has kinds of its own
            raise CheckError(f"{folder} cannot be loaded: {error!r}") from error
        # The published file pads every text to 128 tokens and cuts it there.
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max_tokens)

    def tokens(self, texts: list[str]) -> list[Encoding]:
        """The tokens of each text, with `[CLS]` and `[SEP]`, cut at what the model takes."""
        return self.tokenizer.encode_batch(texts)

    def batch(self, tokens: list[Encoding]) -> np.ndarray:
        """One vector per text; shorter ones are padded to the longest."""
        longest = max(len(encoding) for encoding in tokens)
        ids = np.zeros((len(tokens), longest), np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(tokens):
            ids[row, : len(encoding)] = encoding.ids
            mask[row, : len(encoding)] = 1
        (states,) = self.session.run(None, {"input_ids": ids, "attention_mask": mask})
        return normalised((states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True))

    def alone(self, tokens: list[Encoding]) -> np.ndarray:
        """One vector per text, each text a batch of its own."""
        return np.concatenate([self.batch([encoding]) for encoding in tokens])


def check_fp32(model: Model, tokens: list[Encoding], expected: np.ndarray) -> bool:
    """Prints how far fp32 is from the reference, and whether that is near enough."""
    single = np.abs(model.alone(tokens) - expected).max()
    together = np.abs(model.batch(tokens) - expected).max()
    print(f"fp32: {single:.1e} from the reference at most, {together:.1e} in a padded batch")
    # Each by itself: a NaN passes no comparison, but can get lost in `max`.
    return bool(single <= FP32_TOLERANCE and together <= FP32_TOLERANCE)


def check_int8(model: Model, tokens: list[Encoding], expected: np.ndarray) -> bool:
    """Prints the cosines of int8, and whether the least is high enough."""
    single = model.alone(tokens)
    cosines = (single * expected).sum(1)
    moved = (single * model.batch(tokens)).sum(1)
    print(f"int8: cosine to the reference {cosines.mean():.4f} on average, {cosines.min():.4f} at least")
    print(f"int8: cosine of a text alone to the same text in a padded batch {moved.min():.4f} at least")
    return bool(cosines.min() >= INT8_COSINE)


def check_library(path: Path) -> bool:
    """Loads the library as gristmill does, and asks it for the interface that gristmill needs.

    It sees text that may be private, so one that sends anything to anyone is refused.
    """

    class ApiBase(ctypes.Structure):
        """`OrtApiBase` of onnxruntime_c_api.h."""

        _fields_ = [
            ("get_api", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32)),
            ("get_version", ctypes.CFUNCTYPE(ctypes.c_char_p)),
        ]

    try:
        entry = ctypes.CDLL(str(path.resolve())).OrtGetApiBase
    except (OSError, AttributeError) as error:
        print(f"library: {path} cannot be loaded: {error}")
        return False
    entry.restype = ctypes.POINTER(ApiBase)
    base = entry().contents
    served = base.get_api(API_VERSION) is not None
    reports = REPORT_SERVER in path.read_bytes()
    print(
        f"library: ONNX Runtime {base.get_version().decode()},"
        f" {'serves' if served else 'LACKS'} API {API_VERSION},"
        f" {'REPORTS its use over the network' if reports else 'reports nothing'}"
    )
    return served and not reports


def main() -> int:
    """Runs all checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, help="folder with `minilm` and `minilm-int8`")
    parser.add_argument("--library", type=Path, help="ONNX Runtime's library, to be tried as well")
    parser.add_argument("--source", type=Path, help="folder with the published files (default: the installed wheel)")
    parser.add_argument("--threads", type=int, default=2, help="threads of onnxruntime (default: 2)")
    arguments = parser.parse_args()
    try:
        source = arguments.source or source_in_package()
        check_sources(source)
        fp32 = Model(arguments.models / "minilm", arguments.threads)
        int8 = Model(arguments.models / "minilm-int8", arguments.threads)
    except (BuildError, CheckError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    tokens = fp32.tokens(TEXTS)
    reference = Reference(source)
    expected = np.stack([reference.vector(encoding.ids) for encoding in tokens])
    print(f"{len(tokens)} texts of {', '.join(str(len(encoding)) for encoding in tokens)} tokens")
    passed = [check_fp32(fp32, tokens, expected), check_int8(int8, tokens, expected)]
    if arguments.library:
        passed.append(check_library(arguments.library))
    print("passed" if all(passed) else "FAILED")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
