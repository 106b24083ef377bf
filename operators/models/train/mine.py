#!/usr/bin/env python3
"""Mines (query, code) pairs from source trees, cut as gristmill cuts them.

usage: mine.py --gristmill PROGRAM --mirror CLONES [--crates REGISTRY] OUT

Writes one OUT/<repository>.jsonl for each tree. A line is a passage, in the fields that gristmill
gives an embedder (path, scope, symbol, text), with `bare` (the text without documentation
comments) and the queries that it answers, each with its kind:

  doc       a sentence of a definition's documentation         answered by `bare`
  short     two to six words of such a sentence                answered by `bare`
  question  such a sentence as a question                      answered by `bare`
  name      the words of the definition's qualified name       answered by `text`
  test      what a test of the definition says it tests        answered by `text`
  commit    the subject of a commit that wrote lines of it     answered by `text`
"""

import argparse
import collections
import hashlib
import json
import multiprocessing
import os
import pathlib
import random
import re
import subprocess
import tempfile

import lance

import queries
import sources

CODE = set(
    "bash c cpp csharp elixir go haskell java javascript kotlin lua php python ruby rust scala swift tsx typescript zig".split()
)
PASSAGES_A_TREE = 6000
LINES_A_FILE = 20000
COMMITS = 1500
FILES_A_COMMIT = 6
TEST_PATH = re.compile(r"(?:^|/)(?:tests?|specs?|__tests__|testing|it|unit)/|[._-](?:test|spec)s?\.\w+$|(?:Tests?|Specs?|Suite)\.\w+$|(?:^|/)test_", re.I)
SKIP_PATH = re.compile(r"(?:^|/)(?:examples?|benches|benchmarks?|fixtures?|testdata|docs?|website|generated|locales?|migrations)/|\.min\.|\.pb\.|_pb2?\.|\.g\.|\.d\.ts$", re.I)
TEST_TITLE = re.compile(
    r"""(?:\b(?:it|test|specify|describe|context|scenario|should|TEST_CASE|SECTION|DisplayName|it_block)\b[\s(@:=]*["'`]([^"'`\n]{12,120})["'`])"""
    r"""|\b(?:func|def|fn|void|fun|function)\s+(?:[tT]est_?|it_|should_?)(\w{8,80})\s*\("""
    r"""|\bfun\s+`([^`\n]{12,120})`|#\[test\]\s*(?:#\[[^\]]*\]\s*)*(?:async )?fn\s+(\w{8,80})|@Test[^\n]*\s+(?:public |internal )?(?:void|fun)\s+(\w{8,80})"""
)


def index(program, folder, revision, work):
    """Runs gristmill over a tree and returns the chunks and symbols of its index."""
    job = pathlib.Path(work) / "job.toml"
    tree = {"path": str(folder), **({"kind": "git", "revision": revision} if revision else {})}
    lines = [f"{key} = {json.dumps(value)}" for key, value in tree.items()]
    job.write_text("[source]\n" + "\n".join(lines) + f'\n[index]\npath = "{work}/index"\n')
    done = subprocess.run([program, "run", job, "--mode", "sequential"], capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"gristmill failed on {folder}: {done.stderr[-500:]}")
    epoch = (pathlib.Path(work) / "index/HEAD").read_text().strip()
    tokens = json.loads((pathlib.Path(work) / f"index/commits/{epoch}.json").read_text())["tokens"]["lance"]

    def rows(table, columns):
        data = lance.dataset(f"{work}/index/lance/{table}.lance", version=tokens[table]["version"])
        return data.to_table(columns=columns).to_pylist()

    chunks = rows("chunks", "path language kind symbol scope start_byte end_byte text".split())
    symbols = rows("symbols", "path name qualified_name kind doc start_byte end_byte".split())
    return chunks, symbols


def written_lines(folder, revision):
    """For each commit, newest first: its subject and the lines it added, by path."""
    command = ["git", "--git-dir", folder, "log", f"-n{COMMITS}", "--no-merges", "-p", "-U0", "--no-color", "--no-renames"]
    command += ["--no-ext-diff", "--no-textconv", "--diff-filter=AM", "--format=%x00%s", revision]
    log = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace")
    subject, added, path, count = None, {}, None, 0
    for line in log.stdout:
        if line.startswith("\0"):
            if subject and added:
                yield subject, added
            subject, added, path, count = queries.subject(line[1:]), {}, None, 0
        elif subject is None or count > LINES_A_FILE:
            continue
        elif line.startswith("+++ "):
            path = line[6:].rstrip("\n").rstrip("\t") if line.startswith("+++ b/") else None
        elif line.startswith("+") and path:
            count += 1
            if len(line.strip()) > 8:
                added.setdefault(path, set()).add(line[1:].strip())
    if subject and added:
        yield subject, added
    log.wait()


def add_commits(folder, revision, by_path):
    """Gives passages the subjects of the commits that wrote them."""
    lines_of = {}
    for subject, added in written_lines(folder, revision):
        files = [path for path in added if path in by_path and not TEST_PATH.search(path)]
        if not 1 <= len(files) <= FILES_A_COMMIT:
            continue
        hits = []
        for path in files:
            for passage in by_path[path]:
                lines = lines_of.setdefault(id(passage), {line.strip() for line in passage["text"].splitlines()})
                shared = len(lines & added[path])
                if shared >= 3 and shared >= 0.25 * len(lines):
                    hits.append((shared, passage))
        for _, passage in sorted(hits, key=lambda hit: -hit[0])[:2]:
            if sum(kind == "commit" for kind, _ in passage["queries"]) < 2:
                passage["queries"].append(("commit", subject))


def add_tests(tests, passages, definitions):
    """Gives passages the titles of the tests that seem to be about them."""
    places = collections.defaultdict(list)
    for passage in passages:
        for name in definitions.get(id(passage), ()):
            places[name].append(passage)
    for chunk in tests:
        names = set(re.findall(r"[A-Za-z_]\w{2,}", chunk["text"]))
        known = [name for name in names if 1 <= len(places.get(name, ())) <= 2]
        parts = {name: set(queries.split_name(name).split()) - queries.STOP for name in known}
        for title in {next(filter(None, match)) for match in TEST_TITLE.findall(chunk["text"])}:
            text = queries.split_name(title) if " " not in title else title
            words = set(queries.split_name(text).split()) - queries.STOP
            if not queries.is_prose(text, 3, 20):
                continue
            scored = [(len(parts[name] & words) / (1 + len(parts[name])), name) for name in sorted(known)]
            score, best = max(scored, default=(0, None))
            if best and score >= 0.5 and words - parts[best]:
                for passage in places[best]:
                    if sum(kind == "test" for kind, _ in passage["queries"]) < 2:
                        passage["queries"].append(("test", text))


def mine(task):
    """Mines one tree; returns a line for the log."""
    program, out, repository, trees = task
    rng = random.Random(repository)
    exclusions = sources.Exclusions()
    passages, seen = [], set()
    for folder, revision in trees:
        with tempfile.TemporaryDirectory() as work:
            try:
                chunks, symbols = index(program, folder, revision, work)
            except RuntimeError as error:
                return str(error)
        starting = collections.defaultdict(list)
        for symbol in symbols:
            starting[symbol["path"]].append(symbol)
        here, tests, definitions = [], [], {}
        for chunk in chunks:
            path, language = chunk["path"], "typescript" if chunk["language"] == "tsx" else chunk["language"]
            if language not in CODE or SKIP_PATH.search(path) or exclusions.path(path):
                continue
            if path.endswith(".h") and re.search(r"\b(?:class|namespace|template|std::)", chunk["text"]):
                language = "cpp"
            if TEST_PATH.search(path) or "#[test]" in chunk["text"]:
                tests.append(chunk)
                continue
            if len(re.findall(r"\w+", chunk["text"])) < 10:
                continue
            digest = hashlib.blake2b(re.sub(r"[^a-z]+", "", chunk["text"].lower()).encode(), digest_size=8).hexdigest()
            if digest in seen:
                continue
            seen.add(digest)
            passage = {key: chunk[key] for key in ("path", "scope", "symbol", "text")}
            passage.update(repository=repository, language=language, bare=None, queries=[])
            begins = [s for s in starting[path] if chunk["start_byte"] <= s["start_byte"] < chunk["end_byte"]]
            definitions[id(passage)] = [s["name"] for s in begins if len(s["name"]) > 2]
            ask(passage, begins, rng)
            here.append(passage)
        by_path = collections.defaultdict(list)
        for passage in here:
            by_path[passage["path"]].append(passage)
        add_tests(tests, here, definitions)
        if revision:
            add_commits(folder, revision, by_path)
        passages += here
    if len(passages) > PASSAGES_A_TREE:
        passages = sorted(rng.sample(passages, PASSAGES_A_TREE), key=lambda p: (p["path"], p["text"]))
    with open(pathlib.Path(out) / (repository.replace("/", "+") + ".jsonl"), "w") as file:
        for passage in passages:
            file.write(json.dumps(passage) + "\n")
    asked = sum(bool(passage["queries"]) for passage in passages)
    return f"{repository}: {len(passages)} passages, {asked} with queries"


def ask(passage, symbols, rng):
    """Makes the queries that documentation and names give."""
    documented = [symbol for symbol in symbols if symbol["doc"]]
    if documented:
        passage["bare"] = queries.without_docs(passage["text"], [symbol["doc"] for symbol in documented])
    if passage["bare"]:
        for symbol in documented[:4]:
            for at, sentence in enumerate(queries.sentences(symbol["doc"], symbol["name"])):
                if at == 1 and rng.random() < 0.5:
                    continue
                passage["queries"].append(("doc", sentence))
                if words := queries.short(sentence, rng):
                    passage["queries"].append(("short", words))
                if at == 0:
                    passage["queries"].append(("question", queries.question(sentence, rng)))
    for symbol in symbols[:4]:
        words = queries.split_name(symbol["qualified_name"] if rng.random() < 0.5 else symbol["name"]).split()
        if 2 <= len(words) <= 10:
            passage["queries"].append(("name", " ".join(words)))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("out")
    arguments.add_argument("--gristmill", default="gristmill")
    arguments.add_argument("--mirror", required=True, help="folder of bare clones, <owner>+<name>/repo")
    arguments.add_argument("--crates", help="folder of unpacked crates")
    arguments.add_argument("--processes", type=int, default=os.cpu_count())
    options = arguments.parse_args()
    pathlib.Path(options.out).mkdir(parents=True, exist_ok=True)
    exclusions = sources.Exclusions()
    trees = collections.defaultdict(list)
    found = list(sources.repositories(options.mirror))
    if options.crates:
        found += sources.crates(options.crates)
    for repository, package, folder, revision in found:
        if exclusions.name(repository) or exclusions.name(package):
            print(f"{package}: excluded")
        else:
            trees[repository].append((folder, revision))
    tasks = [(options.gristmill, options.out, repository, folders) for repository, folders in trees.items()]
    with multiprocessing.get_context("spawn").Pool(options.processes, maxtasksperchild=8) as pool:
        for line in pool.imap_unordered(mine, tasks):
            print(line, flush=True)


if __name__ == "__main__":
    main()
