#!/usr/bin/env python3
"""Measures gristmill and its peers side by side on one corpus, and prints a table.

usage: compare.py --gristmill BIN --tools DIR CORPUS [--repeat N] [--only NAME,NAME] [--query TEXT]
                  [--edit PATH] [--model DIR] [--deadline SECONDS] [--json FILE]

DIR is the folder that `install.sh` made. The tools take turns, so that other load on the machine affects
them alike. In each turn a tool works on a new copy of CORPUS and builds an index from nothing, answers a
query (each time as a new process), indexes again with nothing changed, and then answers a query for a
function that was just appended to a file. An answer without that function is an error. A tool that is not
installed or fails is reported, and skipped from then on. Linux only; needs the standard library and git.
"""

import argparse
import collections
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True  # keeps the source tree clean

import measure
from tools import cocoindex_lancedb, gristmill, semble, trouve

TOOLS = (gristmill.Gristmill, semble.Semble, trouve.Trouve, cocoindex_lancedb.CocoIndex)
MODEL = Path(__file__).resolve().parents[2] / "operators/models/static-code"
QUERIES_PER_TURN = 3
MARKER = "reconcile_zephyr_ledger"  # the function that the edit appends
MARKER_QUERY = "reconcile zephyr ledger"  # differs from the name: some tools repeat the query in the answer
FUNCTIONS = {  # by file extension
    ".py": "\n\ndef {}(amount):\n    return amount * 7\n",
    ".rs": "\nfn {}(amount: u64) -> u64 {{\n    amount * 7\n}}\n",
    ".go": "\nfunc {}(amount int) int {{\n\treturn amount * 7\n}}\n",
    ".js": "\nfunction {}(amount) {{\n  return amount * 7;\n}}\n",
    ".ts": "\nfunction {}(amount: number): number {{\n  return amount * 7;\n}}\n",
    ".c": "\nint {}(int amount) {{\n    return amount * 7;\n}}\n",
    ".rb": "\ndef {}(amount)\n  amount * 7\nend\n",
}
COLUMNS = (  # heading, step, value of a sample
    ("cold index s", "cold", lambda sample: sample.wall_s),
    ("CPU s", "cold", lambda sample: sample.cpu_s),
    ("query s", "query", lambda sample: sample.wall_s),
    ("nothing changed s", "unchanged", lambda sample: sample.wall_s),
    ("edit + query s", "edit", lambda sample: sample.wall_s),
    ("peak MiB, index", "cold", lambda sample: sample.peak_bytes / 2**20),
    ("peak MiB, query", "query", lambda sample: sample.peak_bytes / 2**20),
)


@dataclass
class Result:
    version: str = ""
    error: str = ""
    samples: dict = field(default_factory=dict)
    index_bytes: int = 0
    edited_index_bytes: int = 0
    files: int = 0
    chunks: int = 0


def copy_corpus(corpus, target):
    shutil.copytree(corpus, target, symlinks=True)
    if (target / ".git").exists():  # updates the time stamps in the copy of git's index
        subprocess.run(["git", "-C", target, "status", "--porcelain"], check=True, stdout=subprocess.DEVNULL)
    os.sync()


def file_to_edit(corpus):
    """The file of median size among those with the most common extension that has a function to append."""
    groups = collections.defaultdict(list)
    for path in corpus.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(corpus).parts)
        if path.suffix in FUNCTIONS and path.is_file() and not path.is_symlink() and not hidden:
            groups[path.suffix].append((path.stat().st_size, path.relative_to(corpus)))
    if not groups:
        sys.exit(f"{corpus}: no file to edit; expected one with an extension of: {', '.join(FUNCTIONS)}")
    group = sorted(max(groups.values(), key=len))
    return group[len(group) // 2][1]


def disk_bytes(folder):
    """The disk space of all files, as `du` counts it."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if not path.is_dir())


def take_turn(tool, corpus, edited, options, result):
    """Runs all steps for one tool, and adds the samples to its result."""
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        work = Path(folder)
        (work / "home").mkdir()
        (work / "index").mkdir()
        copy_corpus(corpus, work / "source")

        def run(command):
            command = [str(part) for part in command]
            return measure.run(command, tool.environment(work), options.deadline, tool.exit_codes)

        result.version = tool.version(lambda command: run(command).output)
        cold = run(tool.index(work))
        result.index_bytes = disk_bytes(work / "index")
        queries = [run(tool.query(work, options.query)) for _ in range(QUERIES_PER_TURN)]
        unchanged = run(tool.index(work))
        result.files, result.chunks = tool.count(work, lambda command: run(command).output)

        with open(work / "source" / edited, "a", encoding="utf-8") as file:
            file.write(FUNCTIONS[edited.suffix].format(MARKER))
        steps = [] if tool.query_updates else [tool.index(work)]
        edit = sum(map(run, [*steps, tool.query(work, MARKER_QUERY)]), measure.Sample())
        if MARKER not in edit.output:
            raise measure.Failed(f"the query after the edit did not find the new function in {edited}")
        result.edited_index_bytes = disk_bytes(work / "index")
    for step, samples in (("cold", [cold]), ("query", queries), ("unchanged", [unchanged]), ("edit", [edit])):
        result.samples.setdefault(step, []).extend(samples)


def spread(values):
    """The median, and the range if there is one."""
    digits = 0 if min(values) >= 20 else 2 if min(values) >= 1 else 3
    low, middle, high = (f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return middle if low == high else f"{middle} ({low}–{high})"


def table(results):
    headings = ["tool", "version", *(heading for heading, _, _ in COLUMNS), "index MiB", "files", "chunks"]
    lines = ["| " + " | ".join(headings) + " |", "|---" * len(headings) + "|"]
    for name, result in results.items():
        if not result.samples:
            continue
        row = [name, result.version]
        row += [spread([value(sample) for sample in result.samples[step]]) for _, step, value in COLUMNS]
        row += [f"{result.index_bytes / 2**20:.1f}", f"{result.files:,}", f"{result.chunks:,}"]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def as_json(results, edited, options):
    def plain(sample):
        return {"wall_s": sample.wall_s, "cpu_s": sample.cpu_s, "peak_bytes": sample.peak_bytes}

    tools = {}
    for name, result in results.items():
        samples = {step: [plain(sample) for sample in steps] for step, steps in result.samples.items()}
        tools[name] = vars(result) | {"samples": samples}
    run = {"corpus": Path(options.corpus).name, "edited": str(edited), "query": options.query}
    return {"run": run, "cores": os.cpu_count(), "platform": platform.platform(), "tools": tools}


def parse_arguments():
    parser = argparse.ArgumentParser(description="Measures gristmill and its peers side by side on one corpus.")
    parser.add_argument("corpus", metavar="CORPUS", help="the folder to index; it is copied, never changed")
    parser.add_argument("--gristmill", required=True, metavar="BIN", help="the gristmill program")
    parser.add_argument("--tools", required=True, metavar="DIR", help="the folder that install.sh made")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="turns for each tool [default: 5]")
    parser.add_argument("--only", metavar="NAMES", help="only these tools, separated by commas")
    parser.add_argument("--query", default="where is the configuration loaded", metavar="TEXT", help="the query")
    parser.add_argument("--edit", type=Path, metavar="PATH", help="the file to edit, relative to CORPUS")
    parser.add_argument("--model", type=Path, default=MODEL, metavar="DIR", help="the Model2Vec table of the peers")
    parser.add_argument("--deadline", type=float, default=600, metavar="SECONDS", help="limit for each process")
    parser.add_argument("--json", metavar="FILE", help="write all samples to this file")
    options = parser.parse_args()
    names = [tool.name for tool in TOOLS]
    options.only = options.only.split(",") if options.only else names
    if unknown := set(options.only) - set(names):
        parser.error(f"--only: unknown tool {', '.join(sorted(unknown))}; known tools: {', '.join(names)}")
    if options.edit and options.edit.suffix not in FUNCTIONS:
        parser.error(f"--edit: the extension must be one of {', '.join(FUNCTIONS)}, got {options.edit}")
    if options.repeat < 1:
        parser.error(f"--repeat must be at least 1, got {options.repeat}")
    return options


def main():
    options = parse_arguments()
    measure.become_subreaper()
    corpus = Path(options.corpus).resolve()
    edited = options.edit or file_to_edit(corpus)
    binary = Path(options.gristmill).absolute()
    tools = [tool(binary, options.tools, options.model.absolute()) for tool in TOOLS if tool.name in options.only]
    results = {tool.name: Result() for tool in tools}
    for tool in tools:
        if not os.access(tool.program(), os.X_OK):
            results[tool.name].error = f"not installed: no program {tool.program()}"
    with tempfile.TemporaryDirectory(prefix="peers-") as small:
        shutil.copy2(corpus / edited, small)
        for turn in range(options.repeat + 1):
            for tool in tools:
                result = results[tool.name]
                if result.error:
                    continue
                print(f"{tool.name}: turn {turn} of {options.repeat}", file=sys.stderr)
                try:
                    if turn == 0:  # warm-up, with one file
                        take_turn(tool, Path(small), Path(edited.name), options, Result())
                    else:
                        take_turn(tool, corpus, edited, options, result)
                except measure.Failed as error:
                    result.error = str(error)
    print(f"{corpus.name}; {os.cpu_count()} cores; edited: {edited}; turns: {options.repeat}; median (range)\n")
    print(table(results))
    failed = {name: result.error for name, result in results.items() if result.error}
    for name, error in failed.items():
        print(f"\n{name}: {error}")
    if options.json:
        text = json.dumps(as_json(results, edited, options), indent=2)
        Path(options.json).write_text(text + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
