#!/usr/bin/env python3
"""Texts a second through the built models, one text at a time, as gristmill embeds on a CPU.

On a shared machine the best of several short rounds is nearest to what an idle one does.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import onnxruntime

MODELS = ["minilm", "minilm-int8"]


def texts_per_second(session: onnxruntime.InferenceSession, tokens: int, rounds: int) -> float:
    """The best of `rounds` rounds of a third of a second each."""
    ids = np.random.default_rng(0).integers(1_000, 20_000, (1, tokens))
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    session.run(None, feed)
    best = 0.0
    for _ in range(rounds):
        count, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < 1 / 3:
            session.run(None, feed)
            count += 1
        best = max(best, count / elapsed)
    return best


def main() -> None:
    """Prints one row per number of tokens and threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, help="folder with `minilm` and `minilm-int8`")
    parser.add_argument("--tokens", type=int, nargs="+", default=[100, 200])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=6)
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
            rates = [texts_per_second(session, tokens, arguments.rounds) for session in sessions]
            print(f"| {tokens} | {threads} | " + " | ".join(f"{rate:.0f}" for rate in rates) + " |")


if __name__ == "__main__":
    main()
