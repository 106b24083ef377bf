#!/usr/bin/env python3
"""Measures models on held-out pairs: MRR@10 by language and by kind of query.

usage: evaluate.py PAIRS MODEL...

The candidates for a query are all passages of the held-out repositories in its language, at most
4,000 of them, each with its header. For queries taken from documentation they stand without their
documentation comments.
"""

import argparse
import collections
import math

import numpy as np
import scipy.sparse
import tokenizers

import data
import model

KINDS = ["doc", "short", "question", "name", "test", "commit"]
UNDOCUMENTED = {"doc", "short", "question"}
CANDIDATES = 4000
QUERIES_A_KIND = 200


def tasks(held_out, half):
    """For each language: the two forms of its candidates, and queries as (kind, text, target).

    Half of the queries (`dev`) is there to choose by, the other (`test`) to report."""
    by_language = collections.defaultdict(list)
    for passage in held_out:
        by_language[passage["language"]].append(passage)
    for language, passages in sorted(by_language.items()):
        passages = sorted(passages, key=lambda p: (not p["queries"], data.stable_hash(p["path"] + p["text"])))[:CANDIDATES]
        bare = [data.with_header(p, p["bare"] or p["text"]) for p in passages]
        full = [data.with_header(p, p["text"]) for p in passages]
        asked = collections.defaultdict(list)
        for target, passage in enumerate(passages):
            for kind, text in passage["queries"]:
                asked[kind].append((text, target))
        queries = []
        for kind in KINDS:
            # A text that several passages answer has no one right answer.
            count = collections.Counter(text.lower() for text, _ in asked[kind])
            single = [(text, target) for text, target in asked[kind] if count[text.lower()] == 1]
            chosen = [q for q in single if data.stable_hash("half" + q[0]) % 2 == (half == "test")]
            chosen.sort(key=lambda q: data.stable_hash(q[0]))
            queries += [(kind, *q) for q in chosen[:QUERIES_A_KIND]]
        if len(queries) >= 50:
            yield language, bare, full, queries


def reciprocal_rank(scores, target):
    rank = 1 + int((scores > scores[target]).sum())
    return 1 / rank if rank <= 10 else 0.0


def words(texts, vocabulary=None):
    """Counts of words, with identifiers split."""
    splitter = tokenizers.pre_tokenizers.BertPreTokenizer()
    known = {} if vocabulary is None else vocabulary
    starts, ids = [0], []
    for text in texts:
        for word, _ in splitter.pre_tokenize_str(model.split_identifiers(text).lower()):
            if word.isalnum():
                id = known.setdefault(word, len(known)) if vocabulary is None else known.get(word)
                if id is not None:
                    ids.append(id)
        starts.append(len(ids))
    counts = scipy.sparse.csr_matrix((np.ones(len(ids), np.float32), ids, starts), shape=(len(texts), len(known)))
    counts.sum_duplicates()
    return counts, known


def bm25(candidates, queries, k=1.2, b=0.75):
    """BM25 scores, queries × candidates."""
    counts, known = words(candidates)
    asked, _ = words(queries, known)
    asked.data[:] = 1
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    found = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log(1 + (len(candidates) - found + 0.5) / (found + 0.5))
    row = np.repeat(np.arange(len(candidates)), np.diff(counts.indptr))
    weighted = counts.copy()
    weighted.data = counts.data * (k + 1) / (counts.data + k * (1 - b + b * lengths[row] / lengths.mean())) * idf[counts.indices]
    return (asked @ weighted.T).toarray()


def against(candidates_and_queries, models):
    """Mean reciprocal rank of each system by (language, kind)."""
    ranks = collections.defaultdict(lambda: collections.defaultdict(list))
    for language, bare, full, queries in candidates_and_queries:
        for candidates, kinds in ((bare, UNDOCUMENTED), (full, set(KINDS) - UNDOCUMENTED)):
            chosen = [q for q in queries if q[0] in kinds]
            if not chosen:
                continue
            texts = [text for _, text, _ in chosen]
            lexical = bm25(candidates, texts)
            systems = {"BM25": lexical}
            share = lexical / np.maximum(lexical.max(axis=1, keepdims=True), 1e-9)
            for name, (tokenizer, table) in models.items():
                passages, _ = model.normalised(model.bags(tokenizer, candidates) @ table)
                vectors, _ = model.normalised(model.bags(tokenizer, texts) @ table)
                cosine = vectors @ passages.T
                systems[name] = cosine
                best = np.maximum(cosine.max(axis=1, keepdims=True), 1e-9)
                systems[name + " + BM25"] = 0.3 * share + 0.7 * cosine / best
            for name, scores in systems.items():
                for (kind, _, target), row in zip(chosen, scores):
                    ranks[name][language, kind].append(reciprocal_rank(row, target))
    return ranks


def report(ranks):
    """Prints a table by language and one by kind; a mean is over the rows above it."""
    names = list(ranks)
    languages = sorted({language for language, _ in ranks[names[0]]})

    def line(label, values):
        print(f"| {label} | " + " | ".join(f"{value:.3f}" for value in values) + " |")

    def mean_of(name, wanted):
        found = [sum(r) / len(r) for key, r in ranks[name].items() if wanted(*key)]
        return sum(found) / len(found) if found else math.nan

    print("| | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    rows = []
    for language in languages:
        rows.append([mean_of(name, lambda l, _: l == language) for name in names])
        count = sum(len(r) for (l, _), r in ranks[names[0]].items() if l == language)
        line(f"{language} ({count})", rows[-1])
    line("mean of languages", np.mean(rows, axis=0))
    for kind in KINDS:
        line(kind, [mean_of(name, lambda _, k: k == kind) for name in names])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("pairs")
    arguments.add_argument("models", nargs="+")
    arguments.add_argument("--half", choices=["dev", "test"], default="dev")
    options = arguments.parse_args()
    _, held_out = data.load(options.pairs)
    report(against(tasks(held_out, options.half), {path: model.load(path) for path in options.models}))


if __name__ == "__main__":
    main()
