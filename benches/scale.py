#!/usr/bin/env python3
"""Measures what an index costs as the tree grows: built once, unchanged, edited, and watched.

usage: scale.py GRISTMILL [--files 1000,10000,100000] [--from FOLDER] [--repeats 5]
                [--keep FOLDER] [--json FILE]

For each size a tree of that many real source files is laid out and committed to a git
repository. Then, on that tree:

- the index is built from nothing, once;
- nothing has changed: `gristmill run` and `git status` take turns;
- one file is edited, and a process of its own brings the index up to date;
- `gristmill watch` is running while one file is edited;
- up to 10,000 files, after both kinds of edits: the index must have the digest of one built
  from nothing.

The same sources give the same trees and the same edits every time. Needs the standard library
and git. Ends with an error if anything fails; what was measured until then is still printed.
"""

import argparse
import collections
import contextlib
import datetime
import hashlib
import json
import os
import platform
import queue
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

# The extensions that are taken, and how a line of comment is written in such a file.
COMMENTS = {
    **dict.fromkeys((".c", ".cc", ".cpp", ".cs", ".go", ".h", ".hpp", ".java", ".js", ".kt", ".rs"), "// {}"),
    **dict.fromkeys((".jsx", ".php", ".proto", ".scala", ".swift", ".ts", ".tsx"), "// {}"),
    **dict.fromkeys((".py", ".rb", ".sh", ".toml", ".yaml", ".yml"), "# {}"),
    ".md": "<!-- {} -->",
}
# Larger files are mostly generated, and a few of them would be most of the bytes.
MOST_BYTES = 128 * 1024
FILES_PER_FOLDER = 12
# A build from nothing takes minutes beyond this, and says nothing new.
COMPARED_UP_TO = 10_000
# Between two edits that are watched: long enough that one epoch's last work is over.
PAUSE_S = 0.2
# Done, and done with files that could not be indexed.
DONE = (0, 3)
EPOCH = re.compile(r"^.*: epoch (\d+) in ([\d.]+) (ms|s): (.*)$")
# Neither a person's settings nor a surrounding repository may change what is measured.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
ENVIRONMENT |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


class Failure(Exception):
    """What went wrong, in words for whoever started this."""


def tell(text):
    print(text, file=sys.stderr, flush=True)


def call(arguments, folder, limit, accepted=(0,)):
    """Runs a command and gives what it printed and how many milliseconds it took."""
    named = " ".join(arguments)
    begun = time.perf_counter()
    try:
        done = subprocess.run(arguments, cwd=folder, env=ENVIRONMENT, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failure(f"`{named}` did not end within {limit:.0f} s") from error
    except OSError as error:
        raise Failure(f"`{named}` cannot be run: {error}") from error
    took = (time.perf_counter() - begun) * 1e3
    if done.returncode not in accepted:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()[-2000:]
        raise Failure(f"`{named}` ended with exit code {done.returncode}:\n{said}")
    return done.stdout.decode(errors="replace"), took


def find_sources(folder):
    """All text files of the known kinds below a folder, in order, none of them twice."""
    found, contents = [], set()
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(root, name)
            if os.path.splitext(name)[1] not in COMMENTS or os.path.islink(path):
                continue
            if not 0 < os.path.getsize(path) <= MOST_BYTES:
                continue
            with open(path, "rb") as file:
                data = file.read()
            try:
                data.decode()
            except UnicodeDecodeError:
                continue
            content = hashlib.blake2b(data, digest_size=16).digest()
            if b"\0" not in data and content not in contents:
                contents.add(content)
                found.append(path)
    if not found:
        raise Failure(f"{folder} holds no source files to copy; name another folder with --from")
    return found


def append_comment(path, text):
    comment = COMMENTS[os.path.splitext(path)[1]].format(text)
    # One write, so that whoever watches the file sees one change.
    with open(path, "ab", buffering=0) as file:
        file.write(f"\n{comment}\n".encode())


def lay_out(tree, files, sources):
    """Fills a folder with so many files, no two alike, and gives their paths and their bytes."""
    laid = {}
    for number in range(files):
        # Spread over all sources where there are more of them than are needed.
        nth = number * len(sources) // files if files <= len(sources) else number % len(sources)
        extension = os.path.splitext(sources[nth])[1]
        leaf = number // FILES_PER_FOLDER
        folder = os.path.join(tree, f"area{leaf // 100:03}", f"package{leaf // 10 % 10}", f"module{leaf % 10}")
        if number % FILES_PER_FOLDER == 0:
            os.makedirs(folder)
        path = os.path.join(folder, f"file{number:06}{extension}")
        shutil.copyfile(sources[nth], path)
        if number >= len(sources):
            append_comment(path, f"copy {number // len(sources)}")
        laid[path] = os.path.getsize(path)
    return laid


def choose_edits(laid, count):
    """Files to edit: of the commonest kind and of middling size, so that sizes of trees compare."""
    kinds = collections.Counter(os.path.splitext(path)[1] for path in laid)
    kind = kinds.most_common(1)[0][0]
    by_size = sorted((size, path) for path, size in laid.items() if path.endswith(kind))
    middle = [path for _, path in by_size[len(by_size) // 3 : -(len(by_size) // 3) or None]]
    if len(middle) < count:
        raise Failure(f"{len(laid)} files are too few for {count} edits of different files; ask for more files")
    return random.Random(count).sample(middle, count)


def commit(tree, limit):
    call(["git", "init", "--quiet"], tree, limit)
    call(["git", "add", "--all"], tree, limit)
    # No maintenance in the background, for it would run beside what is measured.
    settings = ["user.name=scale", "user.email=scale@localhost", "gc.auto=0", "maintenance.auto=false"]
    settings = [word for setting in settings for word in ("-c", setting)]
    call(["git", *settings, "commit", "--quiet", "--message", "The tree"], tree, limit)


class Bench:
    """One tree, its index, and the program that is measured on them."""

    def __init__(self, program, folder, files):
        self.program, self.folder = program, folder
        self.tree, self.index = os.path.join(folder, "tree"), os.path.join(folder, "index")
        # Generous: it is there to end what hangs.
        self.limit = 600 + files / 10
        os.makedirs(self.tree)

    def call(self, *arguments, accepted=(0,)):
        return call([self.program, *arguments], self.folder, self.limit, accepted)

    def run(self, index=None):
        """Brings an index up to date and gives the report, with the time of the whole process."""
        path = os.path.join(self.folder, "report.json")
        places = ["--source", self.tree, "--index", index or self.index]
        _, took = self.call("run", *places, "--report", path, "--quiet", accepted=DONE)
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        return {**report, "process_ms": took}

    def digest(self, index):
        printed, _ = self.call("digest", "--index", index)
        return printed.split()[0]

    def unchanged(self, repeats):
        """The times of runs and of `git status` on a tree in which nothing has changed."""

        def status():
            printed, took = call(["git", "status", "--porcelain"], self.tree, self.limit)
            if printed:
                raise Failure(f"git sees changes where there are none:\n{printed[:500]}")
            return took

        # The first look at fresh files still has to read those that were written just before
        # their stat data was noted; the second says that this is over.
        status()
        self.run()
        report = self.run()
        if report["ending"] != "unchanged" or report["scan"]["files_read"]:
            raise Failure(f"nothing has changed, and yet: {report['ending']}, {report['scan']}")
        times = {"gristmill_ms": [], "git_ms": []}
        for _ in range(repeats):
            places = ["--source", self.tree, "--index", self.index]
            times["gristmill_ms"].append(self.call("run", *places, "--quiet", accepted=DONE)[1])
            times["git_ms"].append(status())
        return times

    def edited(self, paths):
        """The reports of one run after each edit of one file."""
        reports = []
        for number, path in enumerate(paths):
            append_comment(path, f"edit {number}")
            report = self.run()
            if report["ending"] != "committed" or report["changes"]["modified"] != 1:
                raise Failure(f"{path} was edited, and yet: {report['ending']}, {report['changes']}")
            reports.append(report)
        return reports

    def watched(self, paths):
        """The times of the epochs that `watch` makes of edits of one file each.

        The first file is edited before the watch starts: the line of its epoch tells that the
        tree is being watched, where a watch that finds nothing to do would say nothing.
        """
        arguments = ["watch", "--source", self.tree, "--index", self.index, "--debounce", "1"]
        measured = {"epochs": []}
        append_comment(paths[0], "edit before the watch")
        with open(os.path.join(self.folder, "watch.err"), "w+b") as errors, contextlib.ExitStack() as after:
            begun = time.perf_counter()
            # A session of its own, so that ctrl-c reaches this script alone.
            process = subprocess.Popen(
                [self.program, *arguments], cwd=self.folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True,
            )
            after.callback(process.wait)
            after.callback(process.kill)
            lines = queue.Queue()
            threading.Thread(target=forward, args=(process.stdout, lines), daemon=True).start()
            measured["start"] = self.next_epoch(lines, begun, errors)
            for number, path in enumerate(paths[1:]):
                time.sleep(PAUSE_S)
                edited = time.perf_counter()
                append_comment(path, f"watched edit {number}")
                measured["epochs"].append(self.next_epoch(lines, edited, errors))
            measured["peak_memory_bytes"] = peak_memory(process.pid)
            process.send_signal(signal.SIGINT)
            try:
                code = process.wait(timeout=self.limit)
            except subprocess.TimeoutExpired as error:
                raise Failure("`gristmill watch` does not end when it is interrupted") from error
            if code != 0:
                raise Failure(f"`gristmill watch` ended with exit code {code}:\n{tail(errors)}")
        return measured

    def next_epoch(self, lines, since, errors):
        """Waits for the line of the next epoch, which must be of one file, and gives its times."""
        due = time.perf_counter() + self.limit
        while True:
            try:
                seen, line = lines.get(timeout=max(due - time.perf_counter(), 0))
            except queue.Empty as error:
                told = f"`gristmill watch` told of no epoch within {self.limit:.0f} s:\n{tail(errors)}"
                raise Failure(told) from error
            if line is None:
                raise Failure(f"`gristmill watch` ended by itself:\n{tail(errors)}")
            found = EPOCH.match(line)
            if not found:
                continue
            epoch, number, unit, did = found.groups()
            if ", 1 modified," not in did:
                raise Failure(f"one file was edited, and yet: {line}")
            update = float(number) * {"ms": 1, "s": 1e3}[unit]
            return {"epoch": int(epoch), "update_ms": update, "edit_to_line_ms": (seen - since) * 1e3}

    def same_as_from_nothing(self):
        """The index's digest, which must be that of a new index of the same tree."""
        new = os.path.join(self.folder, "new-index")
        self.run(new)
        digests = [self.digest(index) for index in (self.index, new)]
        shutil.rmtree(new)
        if digests[0] != digests[1]:
            raise Failure(f"the index has the digest {digests[0]}, but built from nothing it has {digests[1]}")
        return digests[0]


def forward(stream, lines):
    """Passes on each line with the moment in which it was read, and None at the end."""
    for line in stream:
        lines.put((time.perf_counter(), line.rstrip("\n")))
    lines.put((time.perf_counter(), None))


def tail(file):
    file.seek(0)
    return file.read().decode(errors="replace").strip()[-2000:] or "(it printed no error)"


def peak_memory(process):
    """The most memory that a running process has held, where the system tells."""
    with contextlib.suppress(OSError), open(f"/proc/{process}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def measure(program, folder, files, sources, repeats, done):
    """Measures on a tree of so many files, and notes each part in `done` as soon as it is over."""
    bench = Bench(program, folder, files)
    done["files"] = files

    def part(name, work, *arguments):
        begun = time.perf_counter()
        done[name] = work(*arguments)
        tell(f"{files:,} files: {name.replace('_', ' ')}, {time.perf_counter() - begun:.1f} s")

    laid = lay_out(bench.tree, files, sources)
    done["bytes"] = sum(laid.values())
    edits = choose_edits(laid, 2 * repeats + 1)
    commit(bench.tree, bench.limit)
    part("built", bench.run)
    part("unchanged", bench.unchanged, repeats)
    part("edited", bench.edited, edits[:repeats])
    if files <= COMPARED_UP_TO:
        part("digest_edited", bench.same_as_from_nothing)
    part("watched", bench.watched, edits[repeats:])
    if files <= COMPARED_UP_TO:
        part("digest_watched", bench.same_as_from_nothing)


def ms(value):
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def mib(count):
    return "–" if count is None else f"{count / 2**20:,.0f}"


def table(title, heads, rows):
    if rows:
        print(f"\n{title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
        for row in rows:
            print(f"| {' | '.join(row)} |")


def built_row(size):
    report = size["built"]
    wall = report["time"]["wall_ms"] / 1e3
    row = [f"{size['bytes'] / 1e6:,.1f}", f"{report['work']['passages_embedded']:,}", f"{wall:.2f}"]
    row += [f"{report['time']['cpu_ms'] / 1e3:.2f}", f"{size['files'] / wall:,.0f}"]
    return [*row, mib(report["peak_memory_bytes"])]


def unchanged_row(size):
    ours, git = size["unchanged"]["gristmill_ms"], size["unchanged"]["git_ms"]
    medians = statistics.median(ours), statistics.median(git)
    return [ms(medians[0]), ms(min(ours)), ms(medians[1]), ms(min(git)), f"{medians[0] / medians[1]:.2f}"]


def edited_row(size):
    def median(value):
        return statistics.median(value(report) for report in size["edited"])

    def rows(what):
        return round(median(lambda report: sum(sink[what] for sink in report["rows"].values())))

    times = ("wall_ms", "scan_ms", "hydrate_ms", "process_ms", "stage_ms", "publish_ms")
    row = [ms(median(lambda report, name=name: report["time"][name])) for name in times]
    facts, loaded = (median(lambda report, name=name: report["plane"][name]) for name in ("facts", "loaded"))
    read = median(lambda report: report["scan"]["bytes_read"])
    row += [ms(median(lambda report: report["process_ms"])), f"{read:,.0f}"]
    row += [f"{facts:,.0f}", f"{loaded:,.0f}", f"+{rows('added'):,} −{rows('deleted'):,}"]
    return [*row, mib(median(lambda report: report["peak_memory_bytes"] or 0) or None)]


def watched_row(size):
    epochs, start = size["watched"]["epochs"], size["watched"]["start"]
    updates, lines = ([epoch[name] for epoch in epochs] for name in ("update_ms", "edit_to_line_ms"))
    row = [ms(start["edit_to_line_ms"]), ms(statistics.median(updates)), ms(max(updates))]
    return [*row, ms(statistics.median(lines)), ms(max(lines)), mib(size["watched"]["peak_memory_bytes"])]


def print_tables(facts, sizes):
    def rows(part, row):
        return [[f"{size['files']:,}", *row(size)] for size in sizes if part in size]

    print(f"{facts['gristmill']} and {facts['git']};", end=" ")
    print(f"{facts['cores']} cores ({facts['machine']}), load {facts['load']} at the start;", end=" ")
    print(f"{facts['date']}; medians of {facts['repeats']}")
    starts = (f"`{name} --version` {ms(statistics.median(times))} ms" for name, times in facts["start_ms"].items())
    print(f"To start and end a process: {', '.join(starts)}")
    heads = ["files", "MB", "passages", "wall s", "CPU s", "files/s", "peak RSS MiB"]
    table("Built from nothing, once:", heads, rows("built", built_row))
    heads = ["files", "gristmill run ms", "least", "git status ms", "least", "ratio"]
    table("Nothing changed, whole processes, in turns:", heads, rows("unchanged", unchanged_row))
    heads = ["files", "wall ms", "scan", "hydrate", "process", "stage", "publish", "whole process ms", "bytes read"]
    heads += ["facts", "loaded", "rows", "peak RSS MiB"]
    table("One file edited, one `run` each:", heads, rows("edited", edited_row))
    heads = ["files", "start ms", "update ms", "most", "edit to line ms", "most", "peak RSS MiB"]
    table("One file edited while `watch` is running:", heads, rows("watched", watched_row))
    heads = ["files", "after `run`", "after `watch`"]
    compared = rows("digest_edited", lambda size: [size["digest_edited"], size.get("digest_watched", "–")])
    table("The digest of an index built from nothing:", heads, compared)


def write_json(path, facts, sizes):
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**facts, "sizes": sizes}, file, indent=1)
            file.write("\n")


def arguments():
    def numbers(text):
        return [int(number) for number in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    sizes, registry = [1_000, 10_000, 100_000], os.path.expanduser("~/.cargo/registry/src")
    parser.add_argument("gristmill", help="the program to measure")
    parser.add_argument("--files", type=numbers, default=sizes, help="sizes of trees, with commas between")
    parser.add_argument("--from", dest="source", default=registry, help="where files are copied from")
    parser.add_argument("--repeats", type=int, default=5, help="how often each is measured")
    parser.add_argument("--keep", metavar="FOLDER", help="put trees and indexes there, and leave them")
    parser.add_argument("--json", metavar="FILE", help="write all raw numbers to this file")
    given = parser.parse_args()
    if given.repeats < 1 or min(given.files) < 1:
        parser.error("--files and --repeats take numbers from 1")
    if not shutil.which(given.gristmill):
        parser.error(f"{given.gristmill} is no program that can be run")
    given.gristmill = os.path.abspath(shutil.which(given.gristmill))
    return given


def main():
    given = arguments()
    # Ended from outside, it cleans up as it does after ctrl-c.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sizes, failure = [], None
    facts = {"date": datetime.date.today().isoformat(), "machine": f"{platform.system()} {platform.machine()}"}
    facts |= {"cores": os.cpu_count(), "load": f"{os.getloadavg()[0]:.1f}", "start_ms": {}}
    facts |= {"source": given.source, "repeats": given.repeats}
    try:
        for name, program in (("gristmill", given.gristmill), ("git", "git")):
            facts[name] = call([program, "--version"], None, 60)[0].strip()
            facts["start_ms"][name] = [call([program, "--version"], None, 60)[1] for _ in range(given.repeats)]
        sources = find_sources(given.source)
        facts["sources"] = len(sources)
        tell(f"{len(sources):,} different files to copy from {given.source}")
        for files in given.files:
            if given.keep:
                folder = os.path.abspath(os.path.join(given.keep, str(files)))
            else:
                folder = tempfile.mkdtemp(prefix="gristmill-scale-")
            try:
                sizes.append({})
                measure(given.gristmill, folder, files, sources, given.repeats, sizes[-1])
            finally:
                if not given.keep:
                    shutil.rmtree(folder, ignore_errors=True)
                write_json(given.json, facts, sizes)
    except (Failure, OSError) as error:
        failure = error
    if any("built" in size for size in sizes):
        print_tables(facts, sizes)
    if failure:
        sys.exit(f"error: {failure}")


if __name__ == "__main__":
    main()
