#!/usr/bin/env python3
"""Trains a static table on mined pairs.

usage: train.py PAIRS OUT --teacher FOLDER [--work FOLDER]

1. Vocabulary: the teacher's entries that code and English need, and the commonest words of the
   training passages that it lacks.
2. First rows: each entry through the teacher, whitened by PCA, at the length of its IDF.
3. Tuning: InfoNCE in both directions. A batch holds runs of passages from one repository, so that
   most of what a query must be told from is what a search in that repository would offer instead.
   Languages are drawn evenly (by the square root of their size).
4. Export: int8 rows with one scale each.
"""

import argparse
import collections
import hashlib
import pathlib
import re
import time

import numpy as np
import scipy.sparse
from tokenizers import normalizers, pre_tokenizers

import data
import evaluate
import model
import teacher

KIND_WEIGHT = {"doc": 3.0, "short": 2.0, "question": 1.5, "name": 0.7, "test": 1.5, "commit": 1.5}
WITHOUT_HEADER = 0.15  # of the passages
PASSAGES_A_LANGUAGE = 20000


def vocabulary(texts, known, size):
    """[PAD], [UNK], the teacher's entries in Latin letters, digits and signs, and the commonest other words."""
    splitter = pre_tokenizers.BertPreTokenizer()
    lower = normalizers.BertNormalizer(lowercase=True)
    counts = collections.Counter()
    for text in texts:
        split = lower.normalize_str(model.split_identifiers(text))
        counts.update({word for word, _ in splitter.pre_tokenize_str(split)})
    entries = ["[PAD]", "[UNK]"]
    for entry in known:
        word = entry.removeprefix("##")
        single = len(word) == 1
        if not entry.startswith("[") and (single or re.fullmatch(r"[a-z0-9]+", word)) and entry not in ("[", "]"):
            entries.append(entry)
    entries += ["[", "]"]
    have = set(entries)
    new = (word for word, _ in counts.most_common() if word not in have and re.fullmatch(r"[a-z][a-z0-9]{1,29}", word))
    for word, _ in zip(new, range(max(0, size - len(entries)))):
        entries.append(word)
    return entries


def whitened(vectors, bags, dimension):
    """The vectors in fewer dimensions of equal variance, at the length of their entries' IDF."""
    centred = vectors - vectors.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    rows, _ = model.normalised(centred @ axes[:dimension].T / singular[:dimension])
    found = np.bincount(bags.indices, minlength=len(vectors))
    return (rows * np.log(1 + bags.shape[0] / (1 + found))[:, None]).astype(np.float32)


class Sampler:
    """Draws (query, passage) rows, in runs from one repository."""

    def __init__(self, passages, rng):
        self.rng = rng
        self.queries, self.choices = [], []
        self.groups = collections.defaultdict(lambda: collections.defaultdict(list))
        for at, passage in enumerate(passages):
            weights = np.array([KIND_WEIGHT[kind] for kind, _ in passage["queries"]])
            first = len(self.queries)
            self.queries += passage["queries"]
            self.groups[passage["language"]][passage["repository"]].append(len(self.choices))
            self.choices.append((at, first, weights / weights.sum()))
        sizes = {language: sum(map(len, trees.values())) for language, trees in self.groups.items()}
        total, roots = sum(sizes.values()), sum(n**0.5 for n in sizes.values())
        self.share = {language: min(2.0, total * n**0.5 / roots / n) for language, n in sizes.items()}
        self.size = int(sum(self.share[language] * n for language, n in sizes.items()))

    def epoch(self, run):
        """Pairs of (row of a query, row of a passage, whether documentation is left out)."""
        runs = []
        for language, trees in self.groups.items():
            for members in trees.values():
                exact = self.share[language] * len(members)
                count = int(exact) + (self.rng.random() < exact % 1)
                drawn = np.concatenate([self.rng.permutation(members) for _ in range(2)])[:count]
                runs += [drawn[begin : begin + run] for begin in range(0, len(drawn), run)]
        order = np.concatenate([runs[at] for at in self.rng.permutation(len(runs))])
        pairs = np.empty((len(order), 3), np.int64)
        for row, member in enumerate(order):
            at, first, weights = self.choices[member]
            query = first + int(np.searchsorted(np.cumsum(weights), self.rng.random()).clip(0, len(weights) - 1))
            pairs[row] = query, at, self.queries[query][0] in evaluate.UNDOCUMENTED
        return pairs


def limited(passages):
    """The passages that have queries, at most so many of each language."""
    by_language = collections.defaultdict(list)
    for passage in passages:
        if passage["queries"]:
            by_language[passage["language"]].append(passage)
    return [
        passage
        for members in by_language.values()
        for passage in sorted(members, key=lambda p: data.stable_hash(p["path"] + p["text"]))[:PASSAGES_A_LANGUAGE]
    ]


def cached(file, make):
    """The sparse matrix in this file, made if it is not there."""
    if not file.exists():
        scipy.sparse.save_npz(file, make(), compressed=False)
    return scipy.sparse.load_npz(file)


class Table:
    """Rows, with Adam's moments for those that a batch touches."""

    def __init__(self, rows):
        self.rows = rows
        self.first = np.zeros_like(rows)
        self.second = np.zeros_like(rows)
        self.steps = 0

    def learn(self, queries, passages, same, temperature, rate):
        """One step on bags of queries and passages; entry i of one belongs to entry i of the other.

        `same` marks what is no negative: equal queries or passages."""
        self.steps += 1
        count = queries.shape[0]
        both = scipy.sparse.vstack([queries, passages]).tocsr()
        columns, places = np.unique(both.indices, return_inverse=True)
        bag = scipy.sparse.csr_matrix((both.data, places.astype(np.int32), both.indptr), shape=(2 * count, len(columns)))
        unit, norms = model.normalised(bag @ self.rows[columns])
        scores = unit[:count] @ unit[count:].T / temperature
        scores[same] = -1e9
        down = np.exp(scores - scores.max(axis=0))
        down /= down.sum(axis=0)
        across = np.exp(scores - scores.max(axis=1, keepdims=True))
        across /= across.sum(axis=1, keepdims=True)
        loss = -float(np.log(np.maximum(np.diagonal(across), 1e-12)).mean())
        slope = across + down
        slope[np.arange(count), np.arange(count)] -= 2
        slope /= 2 * count * temperature
        pull = np.concatenate([slope @ unit[count:], slope.T @ unit[:count]])
        pull = (pull - (pull * unit).sum(axis=1, keepdims=True) * unit) / np.maximum(norms, 1e-6)
        gradient = (bag.T @ pull).astype(np.float32)
        self.first[columns] = first = 0.9 * self.first[columns] + 0.1 * gradient
        self.second[columns] = second = 0.999 * self.second[columns] + 0.001 * gradient**2
        first = first / (1 - 0.9**self.steps)
        second = second / (1 - 0.999**self.steps)
        self.rows[columns] -= rate * first / (np.sqrt(second) + 1e-8)
        return loss


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("pairs")
    arguments.add_argument("out")
    arguments.add_argument("--teacher", required=True, help="folder of all-MiniLM-L6-v2")
    arguments.add_argument("--work", default="work", help="where intermediate results are kept")
    arguments.add_argument("--vocabulary", type=int, default=44000)
    arguments.add_argument("--dimension", type=int, default=256)
    arguments.add_argument("--epochs", type=int, default=4)
    arguments.add_argument("--batch", type=int, default=1024)
    arguments.add_argument("--run", type=int, default=32, help="passages in a row from one repository")
    arguments.add_argument("--rate", type=float, default=0.03)
    arguments.add_argument("--temperature", type=float, default=0.05)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    work = pathlib.Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    began = time.time()

    def log(text):
        print(f"[{time.time() - began:6.1f} s] {text}", flush=True)

    training, held_out = data.load(options.pairs)
    training = limited(training)
    log(f"{len(training)} training passages, {len(held_out)} held out")

    def passage_text(passage, text):
        bare = data.stable_hash("header" + text) % 1000 < 1000 * WITHOUT_HEADER
        return text if bare else data.with_header(passage, text)

    full = [passage_text(p, p["text"]) for p in training]
    entries_file = work / f"vocabulary-{options.vocabulary}.txt"
    taught = teacher.Teacher(options.teacher)
    if not entries_file.exists():
        entries_file.write_text("\n".join(vocabulary(full, sorted(taught.ids, key=taught.ids.get), options.vocabulary)))
    entries = entries_file.read_text().split("\n")
    tokenizer = model.tokenizer_of(entries)
    log(f"{len(entries)} entries")

    sampler = Sampler(training, np.random.default_rng(options.seed))
    mark = hashlib.blake2b("\n".join(entries).encode(), digest_size=6).hexdigest()
    of_full = cached(work / f"full-{mark}.npz", lambda: model.bags(tokenizer, full))
    documented = [at for at, p in enumerate(training) if p["bare"]]
    bare_place = np.full(len(training), -1)
    bare_place[documented] = len(training) + np.arange(len(documented))
    bare = [passage_text(training[at], training[at]["bare"]) for at in documented]
    of_bare = cached(work / f"bare-{mark}.npz", lambda: model.bags(tokenizer, bare))
    of_queries = cached(work / f"queries-{mark}.npz", lambda: model.bags(tokenizer, [text for _, text in sampler.queries]))
    of_passages = scipy.sparse.vstack([of_full, of_bare]).tocsr()
    numbers = {}
    query_number = np.array([numbers.setdefault(text.lower(), len(numbers)) for _, text in sampler.queries])
    log(f"{of_passages.nnz} tokens of passages, {len(sampler.queries)} queries")

    first_file = work / f"teacher-{mark}.npy"
    if not first_file.exists():
        np.save(first_file, taught.entries(entries))
    table = Table(whitened(np.load(first_file), of_full, options.dimension))
    log("first rows")

    check = list(evaluate.tasks(held_out, "dev"))
    steps = options.epochs * (sampler.size // options.batch)
    step, losses = 0, []
    while step < steps:
        pairs = sampler.epoch(options.run)
        for begin in range(0, len(pairs) - options.batch + 1, options.batch):
            if step == steps:
                break
            query, at, without = pairs[begin : begin + options.batch].T
            place = np.where(without == 1, bare_place[at], at)
            number = query_number[query]
            same = (number[:, None] == number) | (at[:, None] == at)
            np.fill_diagonal(same, False)
            rate = options.rate * min((step + 1) / 50, 1 - step / steps)
            losses.append(table.learn(of_queries[query], of_passages[place], same, options.temperature, rate))
            step += 1
            if step % 100 == 0:
                log(f"step {step} of {steps}: loss {np.mean(losses[-100:]):.3f}")

    model.save(options.out, entries, table.rows)
    evaluate.report(evaluate.against(check, {options.out: model.load(options.out)}))
    log("done")


if __name__ == "__main__":
    main()
