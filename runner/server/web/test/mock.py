"""Serves the page with answers like those of a real server, from this repository's own files.

    python3 runner/server/web/test/mock.py [--port 7879] [--token SECRET] [--root FOLDER]

Definitions are found with one expression per language and searches count words: just enough
for the page to show what it would show of a real index. Two jobs are served; `docs` has no
Rust in it. A query with the word `offline` is answered with the note `lexical_only`, and one
that is `!internal` with an error. Run history and the running index are made up, always the
same. Needs nothing but Python's standard library.
"""

import argparse
import hmac
import json
import math
import os
import pathlib
import random
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

WEB = pathlib.Path(__file__).resolve().parent.parent
LANGUAGES = {".rs": "rust", ".py": "python", ".js": "javascript", ".css": "css", ".html": "html",
             ".md": "markdown", ".toml": "toml", ".sh": "bash"}
DEFINITION = {
    "rust": re.compile(r"^([ \t]*)(?:pub(?:\([^)]*\))? )?(?:async |const |unsafe )*"
                       r"(fn|struct|enum|trait|impl|mod|type|const|static)\b(?:<[^>]*>)? +(?:[\w:]+(?:<[^>]*>)? for )?(\w+)"),
    "python": re.compile(r"^([ \t]*)(?:async )?(def|class) +(\w+)"),
    "javascript": re.compile(r"^([ \t]*)(?:export )?(?:async )?(function|class|const) +(\w+)"),
}
KINDS = {"fn": "function", "def": "function", "mod": "module", "type": "type_alias", "const": "constant", "static": "constant"}
WORD = re.compile(r"[A-Za-z_]\w*")
EPOCH = 7
NOW_MS = int(time.time() * 1000)
STAGES = ["read", "hash", "parse", "chunk", "embed", "lance", "tantivy"]
KINDS_OF_PAGES = {kind: f"text/{name}; charset=utf-8" for kind, name in (("html", "html"), ("js", "javascript"), ("css", "css"))}
CSP = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class Failed(Exception):
    """A tool's error."""

    def __init__(self, code, message, help=None):
        super().__init__(message)
        self.error = {"code": code, "message": message} | ({"help": help} if help else {})


class Index:
    """The files of a folder, their definitions, and who uses which."""

    def __init__(self, root, keep):
        self.files, self.symbols, self.chunks = {}, [], []
        for folder, names, files in os.walk(root):
            names[:] = sorted(name for name in names if not name.startswith(".") and name != "target")
            for name in sorted(files):
                path = pathlib.Path(folder, name)
                language = LANGUAGES.get(path.suffix)
                if language and keep(language) and path.stat().st_size < 400_000:
                    self.add(path.relative_to(root).as_posix(), language, path.read_text("utf-8", "replace"))
        self.named, self.uses = {}, []
        for symbol in self.symbols:
            self.named.setdefault(symbol["name"], []).append(symbol)
        for path in self.files:
            self.add_uses(path)

    def add(self, path, language, text):
        lines = text.split("\n")
        self.files[path] = {"language": language, "text": text, "lines": lines}
        found, scopes = [], []
        for nth, line in enumerate(lines):
            match = DEFINITION[language].match(line) if language in DEFINITION else None
            if not match:
                continue
            indent, keyword, name = len(match[1]), match[2], match[3]
            scopes = [scope for scope in scopes if scope[0] < indent]
            if keyword != "impl":
                kind = "method" if keyword in ("fn", "def") and scopes else KINDS.get(keyword, keyword)
                separator = "::" if language == "rust" else "."
                found.append({"path": path, "start_line": nth + 1, "end_line": end_of(lines, nth, indent), "name": name,
                              "qualified_name": separator.join([scope[1] for scope in scopes] + [name]), "kind": kind,
                              "language": language, "signature": line.strip().rstrip("{:").strip(), "top": indent == 0})
            scopes.append((indent, name))
        self.symbols += found
        at = 1
        for symbol in found:
            if symbol["start_line"] < at or symbol["end_line"] - symbol["start_line"] < 1:
                continue
            self.add_chunk(path, at, symbol["start_line"] - 1, None)
            self.add_chunk(path, symbol["start_line"], symbol["end_line"], symbol)
            at = symbol["end_line"] + 1
        self.add_chunk(path, at, len(lines), None)

    def add_chunk(self, path, start, end, symbol):
        file = self.files[path]
        text = "\n".join(file["lines"][start - 1:end])
        if text.strip():
            kind = symbol["kind"] if symbol else "text" if file["language"] == "markdown" else "code"
            scope = symbol["qualified_name"].rpartition("::")[0] if symbol else ""
            self.chunks.append({"path": path, "start_line": start, "end_line": end, "language": file["language"], "kind": kind,
                                "symbol": symbol["name"] if symbol else "", "scope": scope, "text": text})

    def add_uses(self, path):
        file = self.files[path]
        if file["language"] not in DEFINITION:
            return
        here = [symbol for symbol in self.symbols if symbol["path"] == path]
        for nth, line in enumerate(file["lines"], 1):
            code = line.split("//")[0].split("# ")[0]
            for match in WORD.finditer(code):
                targets = self.named.get(match[0], ())
                if not targets or any(symbol["name"] == match[0] and symbol["start_line"] == nth for symbol in here):
                    continue
                within = [symbol for symbol in here if symbol["start_line"] <= nth <= symbol["end_line"]]
                kind = "call" if code[match.end():match.end() + 1] in ("(", "!") else "mention"
                self.uses.append({"path": path, "line": nth, "kind": kind, "name": match[0],
                                  "within": within[-1]["qualified_name"] if within else ""})

    def meant(self, use):
        """The definitions that a use means: those of its file, or those few that there are."""
        named = self.named[use["name"]]
        here = [symbol for symbol in named if symbol["path"] == use["path"]]
        return here or (named if len(named) <= 4 else [])


def end_of(lines, start, indent):
    if lines[start].rstrip().endswith((";", "}")):
        return start + 1
    for nth in range(start + 1, len(lines)):
        line = lines[nth]
        if line.strip() and len(line) - len(line.lstrip()) <= indent and not line.lstrip().startswith((")", "where")):
            return nth + 1 if line.lstrip().startswith(("}", "]")) else nth
    return len(lines)


def globs(patterns):
    if not patterns:
        return lambda path: True
    expressions = []
    for glob in patterns:
        glob += "**" if glob.endswith("/") else ""
        parts = re.split(r"(\*\*/?|\*|\?|\[[^\]]+\])", glob)
        known = {"**": ".*", "**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
        body = "".join(known.get(part) or (part if part.startswith("[") else re.escape(part)) for part in parts)
        expressions.append(re.compile(body if "/" in glob else "(?:.*/)?" + body))
    return lambda path: any(expression.fullmatch(path) for expression in expressions)


def stems(text):
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", text)
    return {part.lower().rstrip("s") for part in parts if len(part) > 1}


def bytes_before(text, at):
    return len(text[:at].encode())


def search(index, given, notes):
    query, mode = given["query"], given.get("mode", "hybrid")
    if not query.strip():
        raise Failed("bad_input", "`query` is empty")
    if query == "!internal":
        raise Failed("internal", "the answer cannot be serialised; see request mock in the server log")
    if mode in ("regex", "literal"):
        try:
            expression = re.compile(query if mode == "regex" else re.escape(query), re.M)
        except re.error as error:
            raise Failed("bad_input", f"invalid regular expression: {error}",
                         "the syntax is that of the Rust crate `regex`: no look-around, no back-references") from error
    else:
        wanted = stems(query)
        expression = re.compile("|".join(sorted(wanted, key=len, reverse=True)) or "$^", re.I)
        if "offline" in query or mode == "vector":
            notes.append({"code": "lexical_only", "message": "lexical search only: the model is still being loaded"})
    allowed, hits = globs(given.get("paths")), []
    for chunk in index.chunks:
        if given.get("languages") and chunk["language"] not in given["languages"]:
            continue
        if given.get("kinds") and chunk["kind"] not in given["kinds"] or not allowed(chunk["path"]):
            continue
        if mode in ("regex", "literal"):
            if expression.search(chunk["text"]):
                hits.append((1.0, {}, chunk))
            continue
        found = {match[0].lower() for match in expression.finditer(chunk["text"])}
        if not found:
            continue
        lexical = sum(1 + math.log(1 + len(re.findall(word, chunk["text"], re.I))) for word in found) / (1 + len(wanted))
        signals = {"lexical": lexical, "vector": len(found) / len(wanted) * 0.8,
                   "symbol": 0.6 * len(wanted & stems(chunk["symbol"])), "file_name": 0.3 * len(wanted & stems(chunk["path"])),
                   "secondary": -0.5 if "/test" in chunk["path"] else 0.0}
        signals["score"] = sum(signals.values())
        hits.append((signals["score"], signals, chunk))
    hits.sort(key=lambda hit: -hit[0])
    return {"hits": [described(*hit, expression) for hit in hits[:given.get("limit", 10)]]}


def described(score, signals, chunk, expression):
    lines = chunk["text"].split("\n")
    counts = [len(expression.findall(line)) for line in lines]
    best = max(range(max(1, len(lines) - 7)), key=lambda start: sum(counts[start:start + 8]))
    text = "\n".join(lines[best:best + 8]).rstrip()
    highlights = [[bytes_before(text, match.start()), bytes_before(text, match.end())] for match in expression.finditer(text)]
    hit = {name: chunk[name] for name in ("path", "start_line", "end_line", "language", "kind", "symbol", "scope")}
    hit |= {"score": score, "snippet": {"start_line": chunk["start_line"] + best, "text": text, "highlights": highlights}}
    return hit | ({"lexical_score": signals["lexical"] * 7, "vector_score": signals["vector"], "signals": signals} if signals else {})


def public(symbol):
    return {name: value for name, value in symbol.items() if name != "top"}


def get_symbols(index, given, notes):
    allowed, names = globs(given.get("paths")), given.get("names") or []
    found = [symbol for symbol in index.symbols if allowed(symbol["path"])
             and (not names or any(symbol["qualified_name"].endswith(name) and symbol["name"] == last(name) for name in names))]
    limit = given.get("limit", 50)
    symbols = [public(symbol) for symbol in found[:limit]]
    for symbol in symbols if given.get("docs") else ():
        lines, at, doc = index.files[symbol["path"]]["lines"], symbol["start_line"] - 2, []
        while at >= 0 and lines[at].lstrip().startswith(("///", "#[", "# ")):
            doc.insert(0, lines[at].strip().lstrip("/").strip())
            at -= 1
        symbol["doc"] = "\n".join(line for line in doc if not line.startswith("#[")) or None
    missing = [name for name in names if last(name) not in index.named]
    return {"symbols": symbols, "not_found": missing, "truncated": len(found) > limit}


def last(name):
    return re.split(r"[:.#/]", name)[-1]


def get_files(index, given, notes):
    answer = {"files": [], "not_found": []}
    for wanted in given["paths"]:
        match = re.fullmatch(r"(.*?)(?::(\d+)-(\d+))?", wanted)
        file = index.files.get(match[1])
        if not file:
            answer["not_found"].append(wanted)
            continue
        start, end = int(match[2] or 1), int(match[3] or len(file["lines"]))
        answer["files"].append({
            "path": match[1], "language": file["language"], "bytes": len(file["text"].encode()), "lines": len(file["lines"]),
            "symbols": sum(symbol["path"] == match[1] for symbol in index.symbols), "content_hash": "00" * 32, "quarantined": False,
            "start_line": start, "text": "\n".join(file["lines"][start - 1:end]), "truncated": False})
    return answer


def goto_definition(index, given, notes):
    named = index.named.get(last(given.get("symbol") or ""), [])
    near = sorted(named, key=lambda symbol: symbol["path"] != given.get("path"))
    found = [public(symbol) | {"reason": "same_file" if symbol["path"] == given.get("path") else "name"} for symbol in near]
    return {"definitions": found[:10], "truncated": len(found) > 10}


def references(index, given, notes):
    named = [use for use in index.uses if use["name"] == last(given["symbol"])]
    if given.get("path"):
        named = [use for use in named if any(symbol["path"] == given["path"] for symbol in index.meant(use))]
    limit = given.get("limit", 100)
    return {"references": named[:limit], "total": len(named), "files": len({use["path"] for use in named}),
            "truncated": len(named) > limit}


def graph_expand(index, given, notes):
    direction, depth = given.get("direction", "callers"), given.get("depth") or 1
    outgoing = direction in ("callees", "uses", "imports", "implements")
    kinds = {"callers": ("call",), "callees": ("call",), "uses": ("call", "mention"), "used_by": ("call", "mention")}.get(direction, ())
    starts = [symbol for symbol in index.named.get(last(given.get("symbol") or ""), [])
              if not given.get("path") or symbol["path"] == given["path"]][:5]
    if not starts:
        raise Failed("not_found", f"no definition of `{given.get('symbol')}`")
    links = {}
    for use in index.uses:
        for symbol in index.meant(use) if use["kind"] in kinds else ():
            ends = [(use["path"], use["within"]), (symbol["path"], symbol["qualified_name"])]
            here, there = ends if outgoing else ends[::-1]
            links.setdefault(here, []).append((there, use["kind"], use["line"]))
    nodes, edges = {}, {}
    queue = [((symbol["path"], symbol["qualified_name"]), 0) for symbol in starts]
    for key, _ in queue:
        nodes.setdefault(key, (len(nodes), 0))
    truncated = False
    for key, steps in queue:
        for there, kind, line in (links.get(key, ()) if steps < depth else ()):
            if there not in nodes:
                if len(nodes) >= (given.get("limit") or 200):
                    truncated = True
                    continue
                nodes[there] = (len(nodes), steps + 1)
                queue.append((there, steps + 1))
            pair = (nodes[key][0], nodes[there][0])
            edges.setdefault((pair if outgoing else pair[::-1]) + (kind,), line)
    lines = {(symbol["path"], symbol["qualified_name"]): symbol for symbol in index.symbols}
    described = []
    for (path, name), (nth, steps) in nodes.items():
        symbol = lines.get((path, name))
        described.append({"id": nth, "path": path, "symbol": name, "kind": symbol["kind"] if symbol else "file",
                          "line": symbol["start_line"] if symbol else 1, "depth": steps})
    return {"nodes": described, "edges": [{"from": a, "to": b, "kind": kind, "line": line} for (a, b, kind), line in edges.items()],
            "truncated": truncated}


def graph_path(index, given, notes):
    answer = graph_expand(index, {"symbol": given["from"], "direction": "uses", "depth": 8, "limit": 2000}, notes)
    ends = [node for node in answer["nodes"] if last(node["symbol"]) == last(given["to"])]
    if not ends:
        return {"nodes": [], "edges": [], "truncated": False}
    way, edges = [ends[0]], []
    while way[0]["depth"] > 0:
        edge = next(edge for edge in answer["edges"] if edge["to"] == way[0]["id"]
                    and answer["nodes"][edge["from"]]["depth"] < way[0]["depth"])
        edges.insert(0, edge)
        way.insert(0, answer["nodes"][edge["from"]])
    return {"nodes": way, "edges": edges, "truncated": False}


def aggregate(index, given, notes):
    by, rows = given["by"], {}
    empty = {"files": 0, "chunks": 0, "symbols": 0, "lines": 0, "bytes": 0}
    for path, file in index.files.items():
        key = {"path": path.split("/")[0], "language": file["language"]}.get(by)
        if key:
            row = rows.setdefault(key, dict(empty))
            row["files"] += 1
            row["lines"] += len(file["lines"])
            row["bytes"] += len(file["text"])
    for chunk in index.chunks:
        key = chunk["kind"] if by == "kind" else chunk["language"] if by == "language" else chunk["path"].split("/")[0]
        rows.setdefault(key, dict(empty))["chunks"] += 1
    for symbol in index.symbols:
        key = symbol["kind"] if by == "kind" else symbol["language"] if by == "language" else symbol["path"].split("/")[0]
        rows.setdefault(key, dict(empty))["symbols"] += 1
    total = {name: sum(row[name] for row in rows.values()) for name in empty}
    ordered = sorted(({"key": key} | row for key, row in rows.items()), key=lambda row: (-row["lines"], -row["symbols"]))
    if by == "kind":
        ordered = [{name: row[name] for name in ("key", "files", "symbols")} for row in ordered if row["symbols"]]
    return {"groups": ordered, "total": {"key": "total"} | total, "groups_found": len(ordered)}


def list_preview(index, given, notes):
    folder = given.get("path", "").strip("/")
    entries, below = {}, folder + "/" if folder else ""
    for path, file in index.files.items():
        if not path.startswith(below):
            continue
        name, _, rest = path[len(below):].partition("/")
        entry = entries.setdefault(name, {"path": below + name, "kind": "folder" if rest else "file", "files": 0, "lines": 0, "bytes": 0,
                                          "languages": []})
        entry["files"] += 1
        entry["lines"] += len(file["lines"])
        entry["bytes"] += len(file["text"])
        if file["language"] not in entry["languages"] and len(entry["languages"]) < 3:
            entry["languages"].append(file["language"])
        if not rest:
            entry["preview"] = [{"kind": symbol["kind"], "qualified_name": symbol["qualified_name"], "line": symbol["start_line"]}
                                for symbol in index.symbols if symbol["path"] == path and symbol["top"]][:given.get("preview", 5)]
    if not entries:
        raise Failed("not_found", f"no folder `{folder}` in the index")
    ordered = sorted(entries.values(), key=lambda entry: (entry["kind"] == "file", entry["path"]))
    return {"path": folder, "entries": ordered, "truncated": False}


def history_recent(index, given, notes):
    chance, paths, epochs = random.Random(3), list(index.files), []
    for nth in range(EPOCH):
        changes = {"added": chance.randrange(4), "modified": chance.randrange(1, 9), "deleted": chance.randrange(3),
                   "renamed": chance.randrange(2)}
        if nth == EPOCH - 1:
            changes = {"added": len(paths), "modified": 0, "deleted": 0, "renamed": 0}
        changed = {word: sorted(chance.choices(paths, k=min(40, changes[word]))) for word in ("added", "modified", "deleted")}
        changed |= {"since": EPOCH - nth - 1, "total": sum(changes.values()), "truncated": nth == EPOCH - 1}
        epochs.append({"epoch": EPOCH - nth, "committed_ms": NOW_MS - nth * 3_100_000 - 95_000,
                       "revision": "%040x" % chance.getrandbits(160), "files": len(paths) - nth, "changes": changes,
                       "wall_ms": 2400.0 if nth == EPOCH - 1 else chance.uniform(60, 210)}
                      | ({"paths": changed} if given.get("paths") and nth < EPOCH - 1 else {}))
    return {"epochs": epochs[:given.get("epochs", 10)]}


def metric_series(index, given, notes):
    chance, metric = random.Random(given["metric"] + given.get("stage", "")), given["metric"]
    unit = "ms" if metric.endswith("_ms") else "bytes" if metric.endswith("bytes") else "items/s" if metric.endswith("second") else "ratio" if metric.endswith("efficiency") else metric.split("_")[0]
    base = {"ms": 90, "bytes": 2.4e8, "items/s": 4000}.get(unit, 0.6 if "efficiency" in metric else 8)
    points = [{"run": nth, "epoch": nth, "started_ms": NOW_MS - (24 - nth) * 900_000,
               "value": base * chance.uniform(0.6, 1.5) * (1.4 if nth % 7 == 0 else 1)} for nth in range(1, 25)]
    return {"metric": metric, "unit": unit, "points": points[-given.get("runs", 20):]}


def metric_aggregate(index, given, notes):
    chance, stages = random.Random(5), []
    for stage in STAGES:
        mean = chance.uniform(2, 90)
        stages.append({"stage": stage, "runs": 24, "items": chance.randrange(900, 9000), "items_per_second": chance.uniform(900, 40_000),
                       "busy_ms": {"sum": mean * 24, "mean": mean, "p50": mean * 0.8, "p95": mean * 2.1}})
    return {"runs": 24, "stages": stages}


TOOLS = {tool.__name__: tool for tool in (
    search, get_symbols, get_files, goto_definition, references, graph_expand, graph_path, aggregate, list_preview,
    history_recent, metric_series, metric_aggregate)}


def indexing(at):
    """A run that begins anew every half a minute."""
    done = min(1.0, (at % 30) / 24)
    if done == 1.0:
        return {"state": "idle", "since_ms": NOW_MS, "stages": []}
    total, stages = 2478, []
    for nth, name in enumerate(STAGES):
        part = max(0.0, min(1.0, done * 1.15 - nth * 0.02 + 0.01 * math.sin(at * 2 + nth)))
        scale = 8 if name == "embed" else 1
        stages.append({"name": name, "items_in": int(total * scale * min(1, part + 0.02)), "items_out": int(total * scale * part),
                       "busy_ms": 180.0 * (nth + 1) * at % 30, "queue_bytes": int(4e5 * (1 + math.sin(at + nth)))})
    return {"state": "indexing", "since_ms": NOW_MS, "stages": stages, "contents_total": total, "contents_done": int(total * done)}


def status(job, index):
    now = indexing(time.time())
    return {"job": job, "epoch": EPOCH, "newest_epoch": EPOCH, "epoch_lag": 0, "committed_ms": NOW_MS - 95_000, "coverage": coverage(index),
            "memory_bytes": 287_440_896, "calls": {"max": 8, "running": 1, "waiting": 0}, "indexing": now}


def coverage(index):
    return {"files": len(index.files), "chunks": len(index.chunks), "vectors": len(index.chunks) - 12}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, body, kind="application/json"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (("content-type", kind), ("content-length", str(len(body))), ("content-security-policy", CSP),
                            ("x-content-type-options", "nosniff"), ("cache-control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def place(self):
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        return url.path, asked

    def allowed(self, path):
        token = self.server.token
        given = self.headers.get("authorization", "")
        if not path.startswith("/v1/") or not token or hmac.compare_digest(given, f"Bearer {token}"):
            return True
        self.send(401, {"error": {"code": "unauthorised", "message": "missing bearer token"}})
        return False

    def index_of(self, job):
        indexes = self.server.indexes
        found = indexes.get(job or next(iter(indexes)))
        if not found:
            self.send(404, {"error": {"code": "unknown_job", "message": f"unknown job `{job}`"}})
        return found

    def do_GET(self):
        path, asked = self.place()
        name = "index.html" if path == "/" else path.removeprefix("/assets/") if path.startswith("/assets/") else ""
        if name in self.server.pages:
            return self.send(200, (WEB / name).read_bytes(), KINDS_OF_PAGES[name.rsplit(".")[-1]])
        if path == "/favicon.ico":
            return self.send(204, b"", "image/x-icon")
        if not self.allowed(path):
            return None
        if path == "/v1/jobs":
            return self.send(200, [{"name": name, "epoch": EPOCH, "refs": [], "committed_ms": NOW_MS - 95_000, "coverage": coverage(index)}
                                   for name, index in self.server.indexes.items()])
        index = self.index_of(asked.get("job")) if path in ("/v1/status", "/v1/events") else None
        if index and path == "/v1/status":
            return self.send(200, status(asked.get("job") or next(iter(self.server.indexes)), index))
        if index:
            return self.events(asked.get("job"), index)
        return self.send(404, {"error": {"code": "not_found", "message": "unknown route"}})

    def events(self, job, index):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        try:
            self.event("status", status(job, index))
            while True:
                time.sleep(0.5)
                self.event("progress", indexing(time.time()))
        except OSError:
            pass

    def event(self, name, data):
        self.wfile.write(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()

    def do_POST(self):
        path, _ = self.place()
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        if not self.allowed(path):
            return None
        if path != "/v1/ask":
            return self.send(404, {"error": {"code": "not_found", "message": "unknown route"}})
        index = self.index_of(body.get("job"))
        if not index:
            return None
        answers = [self.answer(index, call) for call in body["calls"]]
        return self.send(200, {"request": "mock", "epoch": body.get("epoch") or EPOCH, "committed_ms": NOW_MS - 95_000,
                               "coverage": coverage(index), "answers": answers})

    @staticmethod
    def answer(index, call):
        started, notes = time.perf_counter(), []
        try:
            if call["tool"] not in TOOLS:
                raise Failed("unknown_tool", f"unknown tool `{call['tool']}`")
            result = {"answer": TOOLS[call["tool"]](index, call.get("input") or {}, notes)}
        except Failed as failed:
            result = {"error": failed.error}
        took = (time.perf_counter() - started) * 1e3
        return {"tool": call["tool"], "took_ms": took} | ({"notes": notes} if notes else {}) | result


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        """A browser that leaves is no fault."""


def start(port=0, token=None, root=WEB.parent.parent.parent):
    """Starts serving in a thread and gives the server; its address is `server.url`."""
    server = Server(("127.0.0.1", port), Handler)
    server.token = token
    server.pages = {path.name for kind in KINDS_OF_PAGES for path in WEB.glob(f"*.{kind}")}
    server.indexes = {"gristmill": Index(root, lambda language: True), "docs": Index(root, lambda language: language == "markdown")}
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--port", type=int, default=7879)
    arguments.add_argument("--token")
    arguments.add_argument("--root", type=pathlib.Path, default=WEB.parent.parent.parent)
    given = arguments.parse_args()
    print("listening on", start(given.port, given.token, given.root).url, flush=True)
    threading.Event().wait()
