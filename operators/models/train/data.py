"""The mined passages: what is for training, and what is held out."""

import collections
import hashlib
import json
import pathlib
import re

HELD_OUT = 5  # one repository in so many, of each language


def stable_hash(text):
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def fingerprints(passage):
    """Hashes that near duplicates share: of the letters in order, and of the set of words."""
    for text in filter(None, (passage["text"], passage["bare"])):
        letters = re.sub(r"[^a-z]+", "", text.lower())
        yield stable_hash(letters)
        yield stable_hash(" ".join(sorted(set(re.findall(r"[a-z]{3,}", text.lower())))))


def load(folder):
    """The passages of a folder that mine.py wrote, as (training, held out).

    In each language, a fifth of the repositories (those with the lowest hashes of their names)
    is held out. What has a near duplicate among them is not trained on.
    """
    trees = {}
    for file in sorted(pathlib.Path(folder).glob("*.jsonl")):
        passages = [json.loads(line) for line in file.open()]
        if passages:
            trees[passages[0]["repository"]] = passages
    by_language = collections.defaultdict(list)
    for repository, passages in trees.items():
        (language, _), = collections.Counter(p["language"] for p in passages).most_common(1)
        by_language[language].append(repository)
    held_out_names = set()
    for names in by_language.values():
        held_out_names.update(sorted(names, key=stable_hash)[: -(-len(names) // HELD_OUT)])
    seen, training, held_out = set(), [], []
    for chosen, out in ((True, held_out), (False, training)):
        for repository, passages in trees.items():
            if (repository in held_out_names) != chosen:
                continue
            for passage in passages:
                prints = set(fingerprints(passage))
                if not prints & seen:
                    seen |= prints
                    out.append(passage)
    return training, held_out


def with_header(passage, text):
    """What gristmill gives an embedder: path, then scope and symbol, then the text."""
    names = " ".join(filter(None, (passage["scope"], passage["symbol"])))
    return "\n".join(filter(None, (passage["path"], names, text)))
