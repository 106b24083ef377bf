#!/usr/bin/env python3
"""Texts a second through the built models, one text at a time, as gristmill embeds on a CPU.

From the run times the 10th percentile is taken: on a shared machine it is near to what an idle
one does, and on an idle one near to the median.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import onnxruntime

MODELS = ["minilm", "minilm-int8"]


def texts_per_second(session: onnxruntime.InferenceSession, tokens: int, runs: int) -> float:
    """The rate of one text of `tokens` tokens after the other."""
    ids = np.random.default_rng(0).integers(1_000, 20_000, (1, tokens))
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    session.run(None, feed)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        session.run(None, feed)
        seconds.append(time.perf_counter() - start)
    return 1 / float(np.percentile(seconds, 10))


def main() -> None:
    """Prints one row per number of tokens and threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, help="folder with `minilm` and `minilm-int8`")
    parser.add_argument("--tokens", type=int, nargs="+", default=[100, 200])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=150)
    arguments = parser.parse_args()
    print("| tokens | threads | " + " | ".join(MODELS) + " |")
    print("|---|---|" + "---|" * len(MODELS))
    for threads in arguments.threads:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        sessions = [
            onnxruntime.InferenceSession(
                arguments.models / name / "model.onnx", options, providers=["CPUExecutionProvider"]
            )
            for name in MODELS
        ]
        for tokens in arguments.tokens:
            rates = [texts_per_second(session, tokens, arguments.runs) for session in sessions]
            print(f"| {tokens} | {threads} | " + " | ".join(f"{rate:.0f}" for rate in rates) + " |")


if __name__ == "__main__":
    main()
