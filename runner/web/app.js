// The page of `gristmill serve`: search, files, symbols, the graph of uses, and the index.
//
// What is shown is said by the address after `#`, so every state can be linked to and the back
// button works: `#/search?q=…`, `#/file/PATH?lines=3-9`, `#/symbol/NAME`, `#/graph/NAME`,
// `#/files/FOLDER`, `#/index`. Data from the server reaches the page as text, never as HTML.

// ---------------------------------------------------------------------------- elements

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);
const main = byId("main");

const isNothing = (value) => value === null || value === undefined || value === false;

/** An element: `tag.class.class`, attributes if any (`on…` listens, `--…` is a CSS variable), children. */
const h = (tag, ...rest) => dress((name) => document.createElement(name), tag, rest);

/** The same within an SVG. */
const v = (tag, ...rest) => dress((name) => document.createElementNS(SVG, name), tag, rest);

function dress(create, tag, rest) {
  const [name, ...classes] = tag.split(".");
  const element = create(name);
  element.classList.add(...classes);
  const hasAttributes = rest[0]?.constructor === Object;
  for (const [name, value] of Object.entries(hasAttributes ? rest[0] : {})) {
    if (isNothing(value)) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  const children = rest.slice(hasAttributes ? 1 : 0).flat(Infinity);
  element.append(...children.filter((child) => !isNothing(child)));
  return element;
}

const count = (n) => Number(n ?? 0).toLocaleString("en");
const plural = (n, one, many = one + "s") => `${count(n)} ${n === 1 ? one : many}`;
const short = (n) => (Math.abs(n) >= 100 ? Math.round(n).toLocaleString("en") : String(Number(n.toPrecision(3))));

function bytes(n) {
  const power = Math.min(3, Math.floor(Math.log(Math.max(1, n)) / Math.log(1024)));
  return `${short(n / 1024 ** power)} ${["bytes", "KiB", "MiB", "GiB"][power]}`;
}

function time(ms) {
  if (ms < 1000) return `${short(ms)} ms`;
  return ms < 120_000 ? `${short(ms / 1000)} s` : `${short(ms / 60_000)} min`;
}

function ago(ms) {
  const seconds = Math.max(0, (Date.now() - ms) / 1000);
  const [size, unit] = [[86_400, "d"], [3600, "h"], [60, "min"]].find(([size]) => seconds >= size) ?? [1, ""];
  return unit ? `${Math.floor(seconds / size)} ${unit} ago` : "just now";
}

function inUnit(value, unit) {
  if (unit === "ms") return time(value);
  if (unit === "bytes") return bytes(value);
  return unit && unit !== "ratio" ? `${short(value)} ${unit}` : short(value);
}

const say = (text) => (byId("said").textContent = text);

// ----------------------------------------------------------------------------- places

/** What the address says. */
function parse(hash) {
  const [path, query] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  const [view, ...rest] = path.split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { view: VIEWS[view] ? view : "search", name: rest.join("/"), params: new URLSearchParams(query ?? "") };
}

/** An address within the page. Which index is asked stays as it is. */
function link(view, name = "", given = {}) {
  const params = new URLSearchParams();
  const kept = Object.fromEntries(["job", "ref", "epoch"].map((key) => [key, route.params.get(key)]));
  for (const [key, value] of Object.entries({ ...kept, ...given })) {
    for (const each of [value].flat()) if (each !== undefined && each !== null && each !== "") params.append(key, each);
  }
  const path = name.split("/").map(encodeURIComponent).join("/");
  return `#/${view}${path || view === "files" ? "/" + path : ""}${params.size ? "?" + params : ""}`;
}

const fileLink = (path, from, to, more = {}) =>
  link("file", path, { lines: from && (to && to > from ? `${from}-${to}` : `${from}`), ...more });
const symbolLink = (symbol) => link("symbol", symbol.qualified_name ?? symbol.symbol, { path: symbol.path });
const graphLink = (name, path) => link("graph", name, { path });

const paramsHere = () => Object.fromEntries([...route.params.keys()].map((key) => [key, route.params.getAll(key)]));

/** Changes the address of what is shown, without a step for the back button. */
function amend(params) {
  const { view, name } = route;
  const next = link(view, name, { ...paramsHere(), ...params });
  if (next === location.hash) return;
  history.replaceState(history.state, "", next);
  route = parse(next);
}

// ----------------------------------------------------------------------------- server

class Failure extends Error {
  constructor({ code = "unknown", message = "the server gave no reason", help } = {}) {
    super(message);
    Object.assign(this, { code, help });
  }
}

const TOKEN = "gristmill-token";
let asking = null;

/** Asks for a token, once for all requests that wait for one. */
function newToken() {
  asking ??= new Promise((resolve) => {
    const dialog = byId("token");
    dialog.showModal();
    dialog.addEventListener("close", () => {
      const token = byId("token-text").value.trim();
      byId("token-text").value = "";
      sessionStorage.setItem(TOKEN, token);
      // Who gives none is asked again when the page is loaded again.
      if (token) asking = null;
      resolve(token);
    }, { once: true });
  });
  return asking;
}

async function request(path, { body, signal } = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...(token && { authorization: `Bearer ${token}` }), ...(body && { "content-type": "application/json" }) };
  let response;
  try {
    response = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure({ code: "unreachable", message: "the server does not answer", help: "is `gristmill serve` still running?" });
  }
  if (response.status === 401) {
    if (await newToken()) return request(path, { body, signal });
    throw new Failure({ code: "unauthorised", message: "this server wants a token", help: "load the page again to give one" });
  }
  if (!response.ok) throw new Failure((await response.json().catch(() => null))?.error);
  return response;
}

const get = async (path, signal) => (await request(path, { signal })).json();

function place() {
  const given = route.params;
  const epoch = Number(given.get("epoch"));
  return { ...(given.get("job") && { job: given.get("job") }), ...(given.get("ref") && { ref: given.get("ref") }), ...(epoch && { epoch }) };
}

/** Calls tools, all about one epoch: `[["search", {…}], …]`. */
async function ask(calls, signal) {
  byId("busy").classList.add("on");
  try {
    const body = { calls: calls.map(([tool, input]) => ({ tool, input })), ...place() };
    return await (await request("v1/ask", { body, signal })).json();
  } finally {
    byId("busy").classList.remove("on");
  }
}

/** The answer of a call, or its error thrown. */
function answer(response, nth = 0) {
  const { answer: found, error } = response.answers[nth];
  if (error) throw new Failure(error);
  return found;
}

/** The answer of a call without which the rest can be shown. */
const answerIfAny = (response, nth) => response.answers[nth]?.answer;

const noteList = (response) => {
  const seen = new Set();
  const fresh = response.answers.flatMap((each) => each.notes ?? []).filter(({ code }) => !seen.has(code) && seen.add(code));
  return fresh.map(({ code, message }) => h("p.strip", { role: "note" }, h("b", code), h("span", message)));
};

const failed = (error) =>
  h("p.strip.bad", { role: "alert" }, h("b", error.code ?? error.name), h("span", error.message), error.help && h("span", `— ${error.help}`));

/** Server-sent events by `fetch`, for an `EventSource` can send no token. Begins again when it ends. */
async function follow(signal, hear) {
  let pause = 1000;
  while (!signal.aborted) {
    try {
      const { job } = place();
      const response = await request("v1/events" + (job ? `?job=${encodeURIComponent(job)}` : ""), { signal });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
        pause = 1000;
        const events = (text + value).split(/\r?\n\r?\n/);
        text = events.pop();
        for (const event of events) {
          const lines = event.split(/\r?\n/);
          const of = (name) => lines.filter((line) => line.startsWith(name + ":")).map((line) => line.slice(name.length + 1).trim());
          const field = (name) => of(name).join("\n");
          if (field("data")) hear(field("event"), JSON.parse(field("data")));
        }
      }
    } catch {
      // The connection broke or was never made: it is tried again below.
    }
    if (signal.aborted) return;
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, 30_000);
  }
}

// ------------------------------------------------------------------------------- code

const KEYWORDS = new Set(
  `abstract and as assert async await begin bool boolean break byte case catch chan char class const constexpr continue crate debugger
  def default defer del delete do double dyn elif else elsif end enum except explicit export extends extern fallthrough false False
  final finally fixed float fn for foreach from fun func function global go goto guard if impl implements import in include init inline
  instanceof int interface internal is lambda let local long loop map match mod module move mut mutable namespace native new nil none
  None not null nullptr object of open operator or override package pass private proc protected protocol pub public raise range
  readonly ref register require rescue return sealed select self Self short signed sizeof static string struct super switch
  synchronized template then this throw throws trait true True False try type typedef typename typeof undefined union unless unsafe
  unsigned until use using val var virtual void volatile when where while with yield`.split(/\s+/),
);
const LITERALS = new Set(["true", "false", "null", "yes", "no"]);
const DATA = new Set(["json", "yaml", "toml", "css", "html", "xml"]);
const HASHED = new Set(["python", "ruby", "bash", "toml", "yaml", "elixir", "php", "r", "perl", "make", "dockerfile"]);
const grammars = new Map();

/** What a language's comments and strings look like, near enough for colours. */
function grammar(language) {
  if (language === "text") return null;
  const slashes = String.raw`\/\/.*|\/\*[^]*?(?:\*\/|$)`, hash = String.raw`(?<![\w$\x26{])#.*`;
  const double = String.raw`"(?:\\[^]|[^"\\\n])*"?`, single = String.raw`'(?:\\.|[^'\\\n])*'`;
  const char = String.raw`b?'(?:\\[^'\n]+|[^'\\\n])'`, tick = "`(?:\\\\[^]|[^`\\\\])*`?";
  const comment = {
    markdown: "^#{1,6} .*|<!--[^]*?(?:-->|$)", html: "<!--[^]*?(?:-->|$)", css: String.raw`\/\*[^]*?(?:\*\/|$)`, php: `${slashes}|${hash}`,
    haskell: String.raw`--.*|\{-[^]*?(?:-\}|$)`, lua: String.raw`--\[\[[^]*?(?:\]\]|$)|--.*`, sql: "--.*",
  }[language] ?? (HASHED.has(language) ? hash : slashes);
  const string = {
    markdown: tick, html: double, haskell: `${double}|${char}`, go: `${tick}|${double}|${char}`,
    rust: String.raw`b?r(?<fence>#*)"[^]*?"\k<fence>|b?${double}|${char}`,
    python: String.raw`[rbfuRBFU]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|${double}|${single})`,
  }[language] ?? (/script|^tsx$/.test(language) ? `${tick}|${double}|${single}` : `${double}|${single}`);
  return new RegExp(String.raw`(${comment})|(?<string>${string})|(?<number>\b\d\w*(?:\.\d\w*)?)|(?<word>[\p{L}_$][\p{L}\p{N}_$]*)`, "gmu");
}

/** The tokens of a text: from, to, class (`c`omment, `s`tring, `n`umber, `k`eyword, `t`ype, `f`unction, `i`dentifier). */
function tokensOf(text, language, isPart) {
  if (!grammars.has(language)) grammars.set(language, grammar(language));
  const expression = grammars.get(language);
  if (!expression) return [];
  const keywords = language === "markdown" ? new Set() : DATA.has(language) ? LITERALS : KEYWORDS;
  const isCode = keywords === KEYWORDS;
  const tokens = [];
  // A part of a file may begin within a comment.
  const within = isPart && isCode && !HASHED.has(language) && /^(?:(?!\/\*)[^"'`])*?\*\/(?=[ \t]*(?:\n|$))/.exec(text);
  const inside = within ? within[0].length : 0;
  if (inside) tokens.push([0, inside, "c"]);
  expression.lastIndex = inside;
  for (let found; (found = expression.exec(text)); ) {
    const end = expression.lastIndex;
    if (end === found.index) {
      expression.lastIndex++;
      continue;
    }
    const { string, number, word } = found.groups;
    const kindOfWord = () => {
      // A method may be called as a keyword is.
      if (keywords.has(word) && !/[.:]/.test(text[found.index - 1])) return "k";
      return !isCode ? "" : text[end] === "(" ? "f" : /^\p{Lu}/u.test(word) ? "t" : "i";
    };
    const kind = word ? kindOfWord() : string ? "s" : number ? "n" : language === "markdown" ? "k" : "c";
    if (kind) tokens.push([found.index, end, kind]);
  }
  return tokens;
}

/** Writes a stretch of a text into an element: tokens coloured, marks laid over them. */
function paint(into, text, from, to, tokens, marks, withNames) {
  const leaf = (start, end, kind, isMarked) => {
    const piece = text.slice(start, end);
    const shown = kind === "i" && !withNames ? "" : kind;
    into.append(isMarked ? h(shown ? `mark.${shown}` : "mark", piece) : shown ? h(`span.${shown}`, piece) : piece);
  };
  const put = (start, end, kind) => {
    if (start >= end) return;
    const mark = marks.find(([first, last]) => first < end && last > start);
    if (!mark) return leaf(start, end, kind, false);
    const [first, last] = [Math.max(start, mark[0]), Math.min(end, mark[1])];
    put(start, first, kind);
    leaf(first, last, kind, true);
    put(last, end, kind);
  };
  let low = 0;
  for (let high = tokens.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (tokens[middle][1] <= from) low = middle + 1;
    else high = middle;
  }
  let at = from;
  for (; low < tokens.length && tokens[low][0] < to; low++) {
    const [start, end, kind] = tokens[low];
    put(at, Math.max(from, start), "");
    put(Math.max(from, start), Math.min(to, end), kind);
    at = Math.min(to, end);
  }
  put(at, to, "");
}

/** Ranges of bytes in UTF-8, ascending, as ranges of the string. */
function fromBytes(text, ranges) {
  let byte = 0, at = 0;
  const reach = (wanted) => {
    while (byte < wanted && at < text.length) {
      const point = text.codePointAt(at);
      byte += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      at += point > 0xffff ? 2 : 1;
    }
    return at;
  };
  return (ranges ?? []).map(([from, to]) => [reach(from), reach(to)]);
}

function codeLine(path, number, painted) {
  const href = fileLink(path, number);
  return h("div.line", { "data-line": number }, h("a.no", { "data-no": number, href, tabindex: -1, "aria-label": `line ${number}` }), painted);
}

/** Some lines of a file. */
function excerpt(path, language, text, start, marks = []) {
  const tokens = tokensOf(text, language, true);
  const box = h("div.code");
  let from = 0;
  for (const line of text.split("\n")) {
    const source = h("span");
    paint(source, text, from, from + line.length, tokens, marks);
    box.append(codeLine(path, start++, source));
    from += line.length + 1;
  }
  return box;
}

function pathParts(path) {
  const cut = path.lastIndexOf("/") + 1;
  return [path.slice(0, cut), h("b", path.slice(cut))];
}

// ----------------------------------------------------------------------------- search

const MODES = {
  hybrid: "words and meaning, fused", text: "by words", vector: "by meaning",
  regex: "lines that an expression matches", literal: "lines with this text",
};
const NOTHING = ["Nothing found.", "Fewer filters, other words, or another mode may help."];
const WELCOME = [
  "Ask in words, as in “where are retries delayed”, or name what you look for.",
  "Results come as you write; the key ? shows the others.",
];
const FACETS = [["lang", "Language", "language"], ["kind", "Kind", "kind"]];

const search = {
  title: () => route.params.get("q") || "Search",

  show() {
    this.element ??= this.build();
    main.replaceChildren(this.element);
    const given = route.params;
    if (document.activeElement !== this.input) this.input.value = given.get("q") ?? "";
    for (const radio of this.element.querySelectorAll("[name=mode]")) radio.checked = radio.value === (given.get("mode") ?? "hybrid");
    this.glob.value = given.get("path") ?? "";
    this.explain.checked = given.has("explain");
    this.hits.classList.toggle("explained", given.has("explain"));
    this.run(given.get("at"));
    this.count();
    if (!given.has("at")) this.input.focus({ preventScroll: true });
  },

  build() {
    const later = (change) => () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.change(change()), 130);
    };
    const icon = v("svg", { viewBox: "0 0 20 20", width: 18, height: 18, "aria-hidden": "true" },
      v("circle", { cx: 8.5, cy: 8.5, r: 5.5 }), v("path", { d: "M12.8 12.8 17.5 17.5" }));
    const plain = { autocomplete: "off", autocapitalize: "off", spellcheck: "false" };
    this.input = h("input", {
      type: "search", id: "query", "aria-label": "Search the code", placeholder: "A question, words, or a name", ...plain,
      oninput: later(() => ({ q: this.input.value })),
    });
    const modes = Object.entries(MODES).map(([mode, title]) => {
      const choose = () => this.change({ mode: mode === "hybrid" ? null : mode });
      return h("label", { title }, h("input.unseen", { type: "radio", name: "mode", value: mode, onchange: choose }), mode);
    });
    this.glob = h("input.field", { id: "glob", placeholder: "src/, *.rs", ...plain, oninput: later(() => ({ path: this.glob.value })) });
    this.boxes = h("div");
    this.facets = h("details.facets", { open: matchMedia("(min-width: 48.01rem)").matches }, h("summary", "Filters"),
      h("fieldset", h("label.label", { for: "glob" }, "Path"), this.glob), this.boxes);
    this.explain = h("input", { type: "checkbox", onchange: () => { amend({ explain: this.explain.checked ? 1 : null }); this.draw(); } });
    this.line = h("span.meta.number");
    this.strips = h("div");
    this.hits = h("ol.hits", { "aria-label": "Hits" });
    this.hits.addEventListener("focusin", ({ target }) => this.point(target.closest(".hit")));
    return h("section",
      h("form.ask", { role: "search", onsubmit: (event) => { event.preventDefault(); this.first()?.click(); } },
        h("div.box", icon, this.input, h("kbd", { "aria-hidden": "true" }, "/")),
        h("fieldset.modes", h("legend.unseen", "By what to search"), modes)),
      h("div.columns", this.facets,
        h("div", h("div.summary", this.line, h("label.switch", this.explain, "Explain")), this.strips, this.hits)));
  },

  first() {
    return this.hits.querySelector(".place");
  },

  point(hit) {
    for (const each of this.hits.children) each.classList.toggle("at", each === hit);
    if (hit) amend({ at: [...this.hits.children].indexOf(hit) + 1 });
  },

  /** The question was changed. */
  change(params) {
    if (route.view !== "search") return;
    amend({ at: null, n: null, ...params });
    document.title = `${this.title()} · gristmill`;
    this.run();
  },

  question() {
    const given = route.params;
    const list = (key) => given.getAll(key);
    return {
      query: given.get("q") ?? "", mode: given.get("mode") ?? "hybrid", limit: Number(given.get("n")) || 20,
      languages: list("lang"), kinds: list("kind"), paths: (given.get("path") ?? "").split(/[,\s]+/).filter(Boolean),
    };
  },

  async run(at, again) {
    const question = this.question();
    const key = JSON.stringify([question, place()]);
    if (key === this.key && !again) return this.focus(at);
    this.key = key;
    this.controller?.abort();
    const { signal } = (this.controller = new AbortController());
    if (!question.query.trim()) {
      this.response = this.error = null;
      return this.draw();
    }
    try {
      const response = await ask([["search", question]], signal);
      const found = JSON.stringify(answer(response));
      const isSame = again && this.response && found === JSON.stringify(answer(this.response));
      [this.response, this.error] = [response, null];
      if (isSame) return this.sum();
    } catch (error) {
      if (signal.aborted) return;
      [this.response, this.error] = [null, error];
    }
    if (signal.aborted) return;
    this.draw();
    this.focus(at);
  },

  focus(at) {
    if (at) this.hits.children[at - 1]?.querySelector(".place")?.focus();
  },

  /** A new epoch: the same question again, if its answer is on show. */
  epoch() {
    this.overview = null;
    const focused = document.activeElement?.closest?.(".hit") && route.params.get("at");
    this.run(focused, true);
    this.count();
  },

  draw() {
    const { response, error } = this;
    const found = response ? answer(response).hits : [];
    const hadFocus = this.hits.contains(document.activeElement);
    this.strips.replaceChildren(...(error ? [failed(error)] : response ? noteList(response) : []));
    this.hits.replaceChildren(...found.map((hit) => this.hit(hit, found)));
    this.sum();
    const limit = this.question().limit;
    const more = () => {
      amend({ n: limit + 30 });
      this.run(limit + 1);
    };
    if (found.length === limit && limit < 200) this.hits.append(h("li", h("button.plain", { onclick: more }, "More hits")));
    if (!error && !found.length) this.hits.append(h("li.empty", (response ? NOTHING : WELCOME).map((line) => h("p", line))));
    const at = this.hits.children[route.params.get("at") - 1];
    at?.classList.add("at");
    if (hadFocus) at?.querySelector(".place")?.focus({ preventScroll: true });
    this.drawFacets(found);
  },

  /** How much was found, when and where. */
  sum() {
    const { response } = this;
    const hits = response && plural(answer(response).hits.length, "hit");
    this.line.textContent = response ? `${hits} in ${time(response.answers[0].took_ms)}, epoch ${count(response.epoch)}` : "";
    if (response) say(hits);
  },

  hit(hit, all) {
    const names = hit.symbol ? hit.symbol.split(" ") : [];
    const snippet = hit.snippet;
    const href = fileLink(hit.path, hit.start_line, hit.end_line);
    const head = h("header",
      h("a.place", { href, ...item(names[0], hit.path) }, pathParts(hit.path), `:${hit.start_line}–${hit.end_line}`),
      h("span.kind", hit.kind),
      names.length ? h("span.name", hit.scope && names.length === 1 ? h("span.kind", hit.scope, " › ") : null,
        names.map((name, nth) => [nth ? ", " : "", h("a", { href: symbolLink({ symbol: name, path: hit.path }) }, name)])) : null,
      h("span.score.number", { title: "the better, the higher" }, hit.score.toFixed(3)));
    const code = snippet?.text && excerpt(hit.path, hit.language, snippet.text, snippet.start_line, fromBytes(snippet.text, snippet.highlights));
    return h("li.hit", head, code, this.explain.checked && signals(hit, all));
  },

  /** Counts of the whole index, beside which those of the hits stand. */
  async count() {
    const key = JSON.stringify(place());
    if (this.overview?.key === key) return;
    this.overview = { key };
    try {
      const response = await ask([["aggregate", { by: "language", limit: 60 }], ["aggregate", { by: "kind", limit: 60 }]]);
      this.overview = { key, language: answerIfAny(response, 0)?.groups, kind: answerIfAny(response, 1)?.groups };
    } catch {
      // The facets show what the hits have.
    }
    this.drawFacets(this.response ? answer(this.response).hits : []);
  },

  drawFacets(hits) {
    const focused = document.activeElement?.dataset?.facet;
    this.boxes.replaceChildren(...FACETS.map(([key, title, field]) => {
      const chosen = new Set(route.params.getAll(key));
      const here = new Map(), all = new Map();
      for (const hit of hits) here.set(hit[field], (here.get(hit[field]) ?? 0) + 1);
      for (const group of this.overview?.[field] ?? []) all.set(group.key, field === "kind" ? group.symbols : group.files);
      const names = [...new Set([...all.keys(), ...here.keys(), ...chosen])].filter(Boolean);
      const most = this.all?.has(key) ? names.length : 8;
      const shown = names.filter((name, nth) => nth < most || here.has(name) || chosen.has(name));
      const box = (name) => {
        const toggle = () => {
          chosen.delete(name) || chosen.add(name);
          this.change({ [key]: [...chosen] });
        };
        return h("label.facet",
          h("input", { type: "checkbox", checked: chosen.has(name), "data-facet": `${key} ${name}`, onchange: toggle }), h("span.name", name),
          h("span.here.number", { title: "among these hits" }, here.get(name) ?? ""),
          h("span.all.number", { title: `${field === "kind" ? "definitions" : "files"} in the index` }, all.has(name) ? count(all.get(name)) : ""));
      };
      const rest = names.length - shown.length;
      const showAll = () => {
        (this.all ??= new Set()).add(key);
        this.drawFacets(hits);
      };
      const more = rest > 0 && h("button.more", { type: "button", onclick: showAll }, `${rest} more`);
      return h("fieldset", { hidden: !names.length }, h("legend", title), shown.map(box), more);
    }));
    if (focused) [...this.boxes.querySelectorAll("input")].find((box) => box.dataset.facet === focused)?.focus();
  },
};

/** What a hit's score is made of. */
function signals(hit, all) {
  const of = (each) => each.signals ?? { text_score: each.text_score, vector_score: each.vector_score, score: each.score };
  const isShown = ([, value]) => typeof value === "number" && value !== 0;
  const largest = (name) => Math.max(...all.map((each) => Math.abs(of(each)[name] ?? 0)), 1e-9);
  const row = ([name, value]) => {
    const bar = h("i", { "--part": Math.abs(value) / largest(name) });
    const meter = h(value < 0 ? "div.meter.less" : "div.meter", { "aria-hidden": "true" }, bar);
    return h("div", h("dt", name.replaceAll("_", " ")), meter, h("dd", value.toFixed(3)));
  };
  return h("dl.signals", Object.entries(of(hit)).filter(isShown).map(row));
}

// ------------------------------------------------------------------------ shared parts

/** What the keys go through, and whose symbol and graph they show. */
const item = (name, path) => ({ "data-item": true, "data-symbol": name, "data-path": path });

const quiet = (text) => h("p.quiet-text", text);

/** A table: columns are title and classes, rows are cells. */
function grid(kind, columns, rows) {
  const cells = (tag, row) => h("tr", row.map((cell, nth) => h(tag + (columns[nth][1] ?? ""), cell)));
  const head = cells("th", columns.map(([title]) => title));
  return h("div.scrolls", h(`table${kind}`, h("thead", head), h("tbody", rows.map((row) => cells("td", row)))));
}

const nodeRow = (node) =>
  h("a.row", { href: node.symbol ? symbolLink(node) : fileLink(node.path), ...item(node.symbol, node.path) },
    h("span.name", h("span.kind", node.kind, " "), node.symbol || node.path), h("span.path", `${node.path}:${node.line}`));

/** Uses by file, each with its line of code as soon as that is there. */
function usesByFile(uses, signal) {
  const files = new Map();
  for (const use of uses) files.set(use.path, [...(files.get(use.path) ?? []), use]);
  const lines = new Map();
  const row = (use) => {
    const code = h("span.mono", use.text ?? use.within);
    const at = `${use.path}:${use.line}`;
    lines.set(at, [...(lines.get(at) ?? []), code]);
    const title = use.kind + (use.within ? ` in ${use.within}` : "");
    return h("a.use", { href: fileLink(use.path, use.line), title, ...item(use.within || use.name, use.path) }, h("span.at-line", use.line), code);
  };
  const list = h("div.uses", [...files].map(([path, found]) =>
    h("div", h("a.place", { href: fileLink(path) }, ...pathParts(path), ` ${found.length > 1 ? found.length : ""}`), found.map(row))));
  const wanted = [...lines.keys()].slice(0, 100).map((at) => `${at}-${at.slice(at.lastIndexOf(":") + 1)}`);
  if (wanted.length) {
    ask([["get_files", { paths: wanted, max_bytes: 100_000 }]], signal).then((response) => {
      for (const file of answerIfAny(response, 0)?.files ?? []) {
        const text = (file.text ?? "").trim();
        for (const code of (text && lines.get(`${file.path}:${file.start_line}`)) || []) {
          code.replaceChildren();
          paint(code, text, 0, text.length, tokensOf(text, file.language, true), []);
        }
      }
    }).catch(() => {});
  }
  return list;
}

const panel = (title, content, links) =>
  h("section.panel", h("div.panel-head", h("h2", title), links && h("span.links", links)), content);

function crumbs(path, isFolder) {
  const parts = path.split("/").filter(Boolean);
  const last = isFolder ? null : h("b", parts.pop());
  const folders = parts.map((part, nth) => h("a", { href: link("files", parts.slice(0, nth + 1).join("/")) }, part));
  const all = [isFolder && h("a", { href: link("files") }, "all files"), ...folders, last].filter(Boolean);
  return h("h1.crumbs", all.map((part, nth) => [nth ? " / " : "", part]));
}

// ------------------------------------------------------------------------------- file

const BLOCK = 200;

const file = {
  title: () => route.name.split("/").pop(),

  async show(signal, previous) {
    if (previous?.view === "file" && previous.name === route.name && this.lines) return this.goTo(signal);
    this.lines = null;
    // A glob's own characters stand for themselves here.
    const glob = route.name.replace(/[*?[\]{}]/g, "[$&]");
    const calls = [["get_files", { paths: [route.name], max_bytes: 2_000_000 }], ["get_symbols", { paths: [glob], limit: 1000 }]];
    const response = await ask(calls, signal);
    const found = answer(response).files[0];
    if (!found) throw new Failure({ code: "not_found", message: `the index does not hold ${route.name}` });
    // A glob without a folder names files of that name anywhere.
    this.symbols = (answerIfAny(response, 1)?.symbols ?? []).filter((symbol) => symbol.path === found.path);
    const facts = [found.language, plural(found.lines, "line"), bytes(found.bytes)].join(", ");
    this.picked = h("div", { hidden: true });
    const outline = h("nav.panel.outline", { "aria-label": "Outline", hidden: !this.symbols.length },
      h("h2", plural(this.symbols.length, "definition")), this.symbols.map(outlineLink));
    const actions = h("div.actions", h("button.plain", { onclick: (event) => copy(found.path, event.target) }, "Copy path"),
      h("a.plain", { href: link("graph", "", { path: found.path, relation: "imports" }) }, "Imports"));
    main.replaceChildren(h("article.file",
      h("div.head", crumbs(found.path), h("span.meta", facts), actions), noteList(response),
      found.quarantined && h("p.strip", "Nothing of this file's content is indexed."),
      found.truncated && h("p.strip", "The file is longer; this is its beginning."),
      h("div.with-side", this.text(found, signal), h("aside.side", this.picked, outline))));
    this.goTo(signal);
  },

  text(found, signal) {
    const text = found.text ?? "";
    const rows = text.replace(/\n$/, "").split("\n");
    const tokens = tokensOf(text, found.language);
    const widest = rows.reduce((most, row) => Math.max(most, row.length), 0);
    const gutter = `${Math.max(3, String(rows.length).length) + 3.4}ch`;
    const box = h("div.code.names", { "--gutter": gutter, "--columns": widest, onclick: (event) => this.pick(event) });
    this.lines = [];
    const starts = [];
    // Far lines are plain until they come near, so that long files open at once.
    const near = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        for (const line of target.children) {
          const nth = line.dataset.line - 1;
          line.lastChild.replaceChildren();
          paint(line.lastChild, text, starts[nth], starts[nth] + rows[nth].length, tokens, [], true);
        }
      }
    }, { rootMargin: "800px" });
    signal.addEventListener("abort", () => near.disconnect());
    let at = 0;
    for (let first = 0; first < rows.length; first += BLOCK) {
      const some = rows.slice(first, first + BLOCK);
      const block = h("div.block", { "--lines": some.length }, some.map((row, nth) => {
        starts.push(at);
        at += row.length + 1;
        return (this.lines[first + nth] = codeLine(found.path, first + nth + 1, h("span", row)));
      }));
      box.append(block);
      near.observe(block);
    }
    return box;
  },

  /** Marks the lines that the address names, and tells about its name. */
  goTo(signal) {
    const [from, to = from] = (route.params.get("lines") ?? "").split("-").map(Number);
    this.lines.forEach((line, nth) => line.classList.toggle("at", from <= nth + 1 && nth + 1 <= to));
    this.lines[from - 1]?.scrollIntoView({ block: to - from > 20 ? "start" : "center" });
    const around = this.symbols.findLast((symbol) => symbol.start_line <= from && from <= symbol.end_line);
    main.querySelectorAll(".outline a").forEach((each, nth) => each.classList.toggle("at", this.symbols[nth] === around));
    const name = route.params.get("name");
    if (name !== this.shown) this.tell(name, from, signal);
  },

  pick(event) {
    const number = event.target.closest(".no");
    if (number && event.shiftKey) {
      event.preventDefault();
      const [from] = (route.params.get("lines") ?? number.dataset.no).split("-").map(Number);
      location.hash = fileLink(route.name, Math.min(from, number.dataset.no), Math.max(from, number.dataset.no));
    }
    const word = event.target.closest(".t, .f, .i");
    if (!word || String(getSelection())) return;
    const line = Number(word.closest(".line").dataset.line);
    amend({ name: word.textContent, lines: line });
    this.goTo(this.controller.signal);
  },

  async tell(name, line, signal) {
    this.shown = name;
    this.picked.hidden = !name;
    if (!name) return;
    const calls = [["goto_definition", { symbol: name, path: route.name, ...(line && { line }) }], ["references", { symbol: name, limit: 200 }]];
    const response = await ask(calls, signal).catch((error) => ({ error }));
    if (signal.aborted || this.shown !== name) return;
    const definitions = answerIfAny(response, 0)?.definitions ?? [], uses = answerIfAny(response, 1);
    const links = [h("a", { href: link("symbol", name) }, "symbol"), h("a", { href: graphLink(name) }, "graph")];
    const row = (symbol) =>
      h("a.use", { href: fileLink(symbol.path, symbol.start_line), title: symbol.signature }, h("span.at-line", symbol.start_line),
        h("span.mono", `${symbol.kind} ${symbol.qualified_name}`, h("br"), h("span.within", symbol.path)));
    const defined = response.error ? failed(response.error) : definitions.length ? definitions.map(row) : quiet("Nothing in the index defines it.");
    const used = uses?.references.length ? h("div", h("h3", plural(uses.total, "use")), usesByFile(uses.references, signal)) : null;
    this.picked.replaceChildren(panel(h("span.name", name), h("div.uses", defined, used), definitions.length ? links : null));
  },
};

function outlineLink(symbol) {
  const level = symbol.qualified_name.split(/::|[.#]/).length - 1;
  const href = fileLink(symbol.path, symbol.start_line, symbol.end_line);
  return h("a", { href, "--level": Math.min(level, 5), title: symbol.signature, ...item(symbol.qualified_name, symbol.path) },
    h("span.name", symbol.name), h("span.kind", symbol.kind));
}

function copy(text, button) {
  const said = button.textContent;
  const tell = (word) => {
    button.textContent = word;
    setTimeout(() => (button.textContent = said), 1500);
  };
  (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(() => tell("Copied"), () => tell("Not allowed"));
}

// ----------------------------------------------------------------------------- symbol

const LONGEST = 60;

const symbol = {
  title: () => route.name,

  async show(signal) {
    const { name, params } = route;
    const found = await ask([["get_symbols", { names: [name], docs: true, limit: 50 }]], signal);
    const all = answer(found).symbols;
    if (!all.length) {
      const way = h("a", { href: link("search", "", { q: name }) }, "Search for it");
      return main.replaceChildren(h("div.head", h("h1", name)), ...noteList(found), h("p.empty", "Nothing in the index defines it. ", way));
    }
    const line = Number(params.get("line"));
    const it = all.find((each) => each.path === params.get("path") && (!line || each.start_line === line)) ?? all[0];
    const last = Math.min(it.end_line, it.start_line + LONGEST - 1);
    const of = { symbol: it.qualified_name, path: it.path };
    const response = await ask([
      ["get_files", { paths: [`${it.path}:${it.start_line}-${last}`] }], ["references", { ...of, limit: 300 }],
      ["graph_expand", { ...of, direction: "callers" }], ["graph_expand", { ...of, direction: "callees" }]], signal);
    const text = answerIfAny(response, 0)?.files?.[0]?.text?.replace(/\n$/, "");
    const uses = answerIfAny(response, 1);
    const other = (each) => {
      const href = link("symbol", name, { path: each.path, line: each.start_line });
      return h("a", { href, "aria-current": each === it && "true" }, `${each.path}:${each.start_line}`);
    };
    const others = all.length > 1 && h("nav.others", { "aria-label": "Other definitions" }, all.map(other));
    const href = fileLink(it.path, it.start_line, it.end_line);
    const place = h("a.mono", { href, ...item(it.qualified_name, it.path) }, `${it.path}:${it.start_line}–${it.end_line}`);
    const rest = it.end_line - last;
    const code = text ? excerpt(it.path, it.language, text, it.start_line) : h("p.signature", it.signature);
    const definition = [it.doc && h("p.doc", it.doc), code, rest > 0 && h("p.meta", `${plural(rest, "more line")} in the file`)];
    const actions = h("div.actions", h("a.plain", { href }, "Open file"), h("a.plain", { href: graphLink(it.qualified_name, it.path) }, "Graph"));
    const usesOf = uses ? `${plural(uses.total, "use")} in ${plural(uses.files, "file")}` : "Uses";
    const unused = response.answers[1].error?.message ?? "No other place uses it.";
    const used = uses?.references.length ? usesByFile(uses.references, signal) : quiet(unused);
    main.replaceChildren(h("article",
      h("div.head", h("h1", it.qualified_name), h("span.meta", `${it.kind}, ${it.language}`), actions), others, noteList(response),
      panel(place, definition),
      h("div.lists", ends(response, 2, "Called by"), ends(response, 3, "Calls"), h("div.wide", panel(usesOf, used)))));
  },
};

/** The other ends of a definition's calls. */
function ends(response, nth, title) {
  const { answer: found, error } = response.answers[nth];
  const nodes = (found?.nodes ?? []).filter((node) => node.depth > 0);
  if (!nodes.length) return panel(title, quiet(error?.message ?? "Nothing that the index knows."));
  return panel(`${title} ${count(nodes.length)}${found.truncated ? "+" : ""}`, nodes.map(nodeRow));
}

// ------------------------------------------------------------------------------ graph

/** For each relation the directions that `graph_expand` knows: towards the definition, and away from it. */
const RELATIONS = {
  calls: ["callers", "callees"], uses: ["used_by", "uses"],
  imports: ["imported_by", "imports"], implements: ["implemented_by", "implements"],
};
const SIDES = { both: "both sides", in: "what leads here", out: "where it leads" };
const [WIDTH, HEIGHT, GAP, BETWEEN, PER_COLUMN] = [216, 40, 10, 96, 24];

const graph = {
  title: () => `${route.name || route.params.get("path") || "Graph"}`,

  async show(signal) {
    const { name, params } = route;
    const relation = RELATIONS[params.get("relation")] ? params.get("relation") : "calls";
    const side = SIDES[params.get("side")] ? params.get("side") : "both";
    const depth = Math.min(6, Math.max(1, Number(params.get("depth")) || 1));
    const body = h("div");
    main.replaceChildren(this.controls({ name, relation, side, depth, to: params.get("to") }), body);
    const path = params.get("path");
    if (!name && !path) {
      return body.append(h("p.empty", "Name a function, type or other definition to see who uses it and what it uses."));
    }
    const sides = RELATIONS[relation].filter((_, nth) => side === "both" || (side === "in") === (nth === 0));
    const start = { ...(name && { symbol: name }), ...(path && { path }) };
    const calls = sides.map((direction) => ["graph_expand", { ...start, direction, depth, fan_out: 40, limit: 150 }]);
    if (params.get("to")) calls.push(["graph_path", { from: name || path, to: params.get("to") }]);
    const response = await ask(calls, signal);
    if (params.get("to")) body.append(this.way(response, calls.length - 1));
    const merged = this.merge(response, sides.map((direction) => RELATIONS[relation].indexOf(direction)));
    body.append(...noteList(response), this.draw(merged, RELATIONS[relation].map((word) => word.replace("_", " ")), signal), this.list(merged));
  },

  controls({ name, relation, side, depth, to }) {
    const choose = (label, key, options, chosen) => {
      const option = ([value, text]) => h("option", { value, selected: String(value) === String(chosen) }, text);
      return h("label", label, h("select", { onchange: ({ target }) => this.change({ [key]: target.value }) }, options.map(option)));
    };
    const text = (label, value, placeholder, go) => {
      const onchange = ({ target }) => go(target.value.trim());
      return h("label", label, h("input.field", { value: value ?? "", placeholder, spellcheck: "false", autocomplete: "off", onchange }));
    };
    return h("form.controls", { onsubmit: (event) => event.preventDefault() },
      text("Definition", name, "Config::parse", (value) => (location.hash = link("graph", value, { relation, side, depth }))),
      choose("Uses", "relation", Object.keys(RELATIONS).map((key) => [key, key]), relation),
      choose("Direction", "side", Object.entries(SIDES), side), choose("Steps", "depth", [1, 2, 3, 4].map((n) => [n, n]), depth),
      text("Shortest way to", to, "a name or a path", (value) => this.change({ to: value })));
  },

  change(params) {
    amend(params);
    navigate();
  },

  /** Both sides as one graph. A node's column is how many steps it is to the left or right. */
  merge(response, sides) {
    const nodes = new Map(), edges = new Map();
    const keyOf = (node) => `${node.path}\n${node.symbol}`;
    let truncated = false;
    sides.forEach((side, nth) => {
      const found = answer(response, nth);
      truncated ||= found.truncated;
      for (const node of found.nodes) {
        const known = nodes.get(keyOf(node)), column = side === 0 ? -node.depth : node.depth;
        if (!known || Math.abs(known.column) > node.depth) nodes.set(keyOf(node), { ...node, column });
      }
      for (const edge of found.edges) {
        const [from, to] = [edge.from, edge.to].map((id) => keyOf(found.nodes.find((node) => node.id === id)));
        edges.set(`${from}\n${to}\n${edge.kind}`, { ...edge, from, to });
      }
    });
    return { nodes, edges: [...edges.values()].filter(({ from, to }) => from !== to), truncated };
  },

  draw({ nodes, edges, truncated }, headings, signal) {
    const columns = new Map();
    for (const [key, node] of nodes) columns.set(node.column, [...(columns.get(node.column) ?? []), key]);
    const places = new Map();
    const neighbours = new Map([...nodes.keys()].map((key) => [key, []]));
    for (const { from, to } of edges) {
      neighbours.get(from)?.push(to);
      neighbours.get(to)?.push(from);
    }
    let left = 0;
    // From the middle outwards, each column in the order of what its nodes hang on.
    for (const column of [...columns.keys()].sort((a, b) => Math.abs(a) - Math.abs(b))) {
      const middle = (key) => {
        const near = neighbours.get(key).map((other) => places.get(other)?.y).filter((y) => y !== undefined);
        return near.length ? near.reduce((sum, y) => sum + y, 0) / near.length : 0;
      };
      const order = columns.get(column).map((key) => [middle(key), key]).sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1));
      const kept = order.slice(0, PER_COLUMN);
      const top = -((kept.length - 1) * (HEIGHT + GAP)) / 2;
      kept.forEach(([, key], nth) => places.set(key, { x: column * (WIDTH + BETWEEN), y: top + nth * (HEIGHT + GAP) }));
      left = Math.max(left, order.length - kept.length);
    }
    const drawn = edges.filter(({ from, to }) => places.has(from) && places.has(to));
    const links = drawn.map((edge) => {
      const [a, b] = [places.get(edge.from), places.get(edge.to)];
      const [x1, x2] = [a.x + WIDTH / 2, b.x - WIDTH / 2];
      const bend = x2 > x1 ? (x2 - x1) / 2 : 60;
      const d = `M${x1} ${a.y}C${x1 + bend} ${a.y} ${x2 - bend} ${b.y} ${x2 - 4} ${b.y}`;
      const title = v("title", `${edge.kind} at line ${edge.line}`);
      return { ...edge, path: v(`path.link.${edge.kind}${x2 > x1 ? "" : ".back"}`, { d, "marker-end": "url(#tip)" }, title) };
    });
    const scene = v("g");
    const heads = [...columns.keys()].filter((column) => column !== 0 && columns.get(column).some((key) => places.has(key))).map((column) => {
      const top = Math.min(...columns.get(column).map((key) => places.get(key)?.y ?? 0));
      const steps = Math.abs(column) > 1 ? `, ${Math.abs(column)} steps` : "";
      return v("text.heading", { x: column * (WIDTH + BETWEEN) - WIDTH / 2, y: top - HEIGHT / 2 - 10 }, headings[column < 0 ? 0 : 1] + steps);
    });
    const boxes = [...places].map(([key, at]) => this.node(nodes.get(key), at, () => {
      scene.classList.add("far");
      for (const each of links) each.path.classList.toggle("near", each.from === key || each.to === key);
      for (const [other, box] of byKey) box.classList.toggle("near", other !== key && neighbours.get(key).includes(other));
    }, () => {
      scene.classList.remove("far");
      for (const each of [...links.map((one) => one.path), ...byKey.values()]) each.classList.remove("near");
    }));
    const byKey = new Map([...places.keys()].map((key, nth) => [key, boxes[nth]]));
    const tip = v("marker.tip", { id: "tip", viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
      v("path", { d: "M0 0L8 4L0 8z" }));
    scene.append(...links.map((each) => each.path), ...heads, ...boxes);
    const label = `Graph of ${plural(places.size, "node")} and ${plural(drawn.length, "edge")}; the same stands below as a list`;
    const picture = v("svg", { role: "group", "aria-label": label }, v("defs", tip), scene);
    const kinds = [...new Set(drawn.map((edge) => edge.kind))];
    const sample = (kind) => h("span", v("svg", { viewBox: "0 0 26 8" }, v(`path.link.${kind}`, { d: "M0 4H26" })), kind);
    const tooMany = left > 0 ? `A column shows ${PER_COLUMN} nodes at most; the list has all.` : "There are more than these.";
    const rest = (truncated || left > 0) && h("p.meta", tooMany);
    const alone = places.size === 1 && h("p.strip", "Nothing leads here or on from here. Other uses or the other direction may show more.");
    return h("div", alone, h("div.canvas", picture, h("div.legend", kinds.map(sample)), pannable(picture, [...places.values()], signal)), rest);
  },

  node(node, { x, y }, near, far) {
    const title = node.symbol || node.path.split("/").pop(), under = `${node.path}:${node.line}`;
    const cut = (text, most) => (text.length <= most ? text : "…" + text.slice(1 - most));
    const go = () => (location.hash = link("graph", node.symbol, { ...paramsHere(), path: node.path, to: null }));
    const attributes = {
      transform: `translate(${x} ${y})`, tabindex: 0, role: "link", "aria-label": `${node.kind} ${title}, ${under}`, ...item(node.symbol, node.path),
      onclick: go, onpointerenter: near, onpointerleave: far, onfocus: near, onblur: far, onkeydown: ({ key }) => key === "Enter" && go(),
    };
    return v(node.depth === 0 ? "g.node.centre" : "g.node", attributes, v("title", `${node.kind} ${title}\n${under}`),
      v("rect", { x: -WIDTH / 2, y: -HEIGHT / 2, width: WIDTH, height: HEIGHT, rx: 6 }),
      v("text.title", { x: 10 - WIDTH / 2, y: -3 }, cut(title, 27)), v("text.under", { x: 10 - WIDTH / 2, y: 13 }, cut(under, 29)));
  },

  list({ nodes, edges }) {
    const name = (key) => {
      const node = nodes.get(key);
      return h("a", { href: node.symbol ? symbolLink(node) : fileLink(node.path) }, node.symbol || node.path);
    };
    const rows = edges.map((edge) => {
      const { path } = nodes.get(edge.from);
      return [name(edge.from), edge.kind, name(edge.to), h("a", { href: fileLink(path, edge.line) }, `${path}:${edge.line}`)];
    });
    return h("details.as-list", h("summary", `As a list: ${plural(nodes.size, "node")}, ${plural(edges.length, "edge")}`),
      grid("", [["From", ".mono"], ["Use"], ["To", ".mono"], ["Where", ".mono"]], rows));
  },

  way(response, nth) {
    const { answer: found, error } = response.answers[nth];
    if (error) return failed(new Failure(error));
    const steps = found.nodes.length ? h("ol", found.nodes.map((node) => h("li", nodeRow(node)))) : quiet("No way leads there along uses.");
    return h("div.way", panel(`Way to ${route.params.get("to")}`, steps));
  },
};

/** Lets a picture be dragged and zoomed; gives the buttons for it. */
function pannable(picture, places, signal) {
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  const [left, right] = [Math.min(...xs) - WIDTH / 2 - 24, Math.max(...xs) + WIDTH / 2 + 24];
  const [top, bottom] = [Math.min(...ys) - HEIGHT / 2 - 36, Math.max(...ys) + HEIGHT / 2 + 36];
  const view = { x: 0, y: 0, scale: 1 };
  const apply = () => {
    const [width, height] = [picture.clientWidth / view.scale, picture.clientHeight / view.scale];
    if (width) picture.setAttribute("viewBox", `${view.x - width / 2} ${view.y - height / 2} ${width} ${height}`);
  };
  const fit = () => {
    const { clientWidth: width, clientHeight: height } = picture;
    // Much smaller names cannot be read: then the part around the centre is shown.
    view.scale = Math.min(1.1, Math.max(0.85, Math.min(width / (right - left), height / (bottom - top))));
    const around = (low, high, size) => {
      const half = size / view.scale / 2;
      return high - low <= 2 * half ? (low + high) / 2 : Math.min(high - half, Math.max(low + half, 0));
    };
    Object.assign(view, { x: around(left, right, width), y: around(top, bottom, height) });
    apply();
  };
  const zoom = (by) => {
    view.scale = Math.min(3, Math.max(0.15, view.scale * by));
    apply();
  };
  const sizes = new ResizeObserver(fit);
  sizes.observe(picture);
  signal.addEventListener("abort", () => sizes.disconnect());
  let held = null;
  picture.addEventListener("pointerdown", (event) => (held = { x: event.clientX, y: event.clientY, moved: 0 }));
  picture.addEventListener("pointermove", (event) => {
    if (!held || !event.buttons) return (held = null);
    held.moved += Math.abs(event.clientX - held.x) + Math.abs(event.clientY - held.y);
    if (held.moved < 5) return;
    picture.setPointerCapture(event.pointerId);
    picture.classList.add("held");
    Object.assign(view, { x: view.x - (event.clientX - held.x) / view.scale, y: view.y - (event.clientY - held.y) / view.scale });
    Object.assign(held, { x: event.clientX, y: event.clientY });
    apply();
  });
  picture.addEventListener("pointerup", () => picture.classList.remove("held"));
  picture.addEventListener("focusin", ({ target }) => {
    const box = target.getBoundingClientRect(), frame = picture.getBoundingClientRect();
    if (box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom) return;
    const [, x, y] = /\((\S+) (\S+)\)/.exec(target.getAttribute("transform"));
    Object.assign(view, { x: Number(x), y: Number(y) });
    apply();
  });
  // A plain wheel scrolls the page, as it does everywhere else.
  picture.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300));
  }, { passive: false });
  const button = (text, label, act) => h("button.quiet", { "aria-label": label, title: label, onclick: act }, text);
  return h("div.zoom", button("−", "Smaller", () => zoom(0.8)), button("+", "Larger", () => zoom(1.25)), button("⤢", "Fit", fit));
}

// ------------------------------------------------------------------------------ files

const HUES = ["#3d8f8a", "#c48a2c", "#7a63a8", "#4f7fb8", "#a8575a", "#7a8f3d", "#8a8a8a"];

const files = {
  title: () => route.name || "Files",

  async show(signal) {
    const folder = route.name.replace(/\/$/, "");
    const languages = folder ? [] : [["aggregate", { by: "language", limit: 60 }]];
    const response = await ask([["list_preview", { path: folder, preview: 4, limit: 500 }], ...languages], signal);
    const { entries, truncated } = answer(response);
    const below = folder ? folder.length + 1 : 0;
    const row = (entry) => {
      const isFolder = entry.kind === "folder";
      const href = isFolder ? link("files", entry.path) : fileLink(entry.path);
      const name = h("a", { href, "data-item": true }, entry.path.slice(below) + (isFolder ? "/" : ""));
      const preview = (entry.preview ?? []).map((each) => h("a", { href: fileLink(entry.path, each.line), title: each.kind }, each.qualified_name));
      return [name, entry.languages.join(", "), isFolder ? count(entry.files) : "", count(entry.lines), bytes(entry.bytes), preview];
    };
    const numbers = [["Files", ".number"], ["Lines", ".number"], ["Size", ".number.spare"]];
    const columns = [["Name"], ["Language", ".spare"], ...numbers, ["Defines", ".preview.spare"]];
    const actions = folder && h("div.actions", h("a.plain", { href: link("search", "", { path: folder + "/" }) }, "Search here"));
    main.replaceChildren(h("div.head", crumbs(folder, true), actions), ...noteList(response), ...share(answerIfAny(response, 1)?.groups),
      grid(".entries", columns, entries.map(row)), ...(truncated ? [h("p.meta", `The first ${count(entries.length)}; there are more.`)] : []));
  },
};

/** How the lines of a source are divided among its languages. */
function share(groups = []) {
  const lines = (some) => some.reduce((sum, group) => sum + group.lines, 0);
  const all = lines(groups);
  if (!all) return [];
  const rest = { key: "others", lines: lines(groups.slice(6)) };
  const parts = [...groups.slice(0, 6), ...(rest.lines ? [rest] : [])].map((group, nth) => [group.key, group.lines / all, HUES[nth]]);
  const percent = (part) => `${(part * 100).toFixed(part < 0.01 ? 1 : 0)} %`;
  return [
    h("div.share", { "aria-hidden": "true" }, parts.map(([, part, hue]) => h("i", { "--hue": hue, "--part": part }))),
    h("ul.share-names", parts.map(([name, part, hue]) => h("li", h("i", { "--hue": hue }), name, h("span.quiet-text", ` ${percent(part)}`)))),
  ];
}

// ------------------------------------------------------------------------------ index

const METRICS = {
  wall_ms: "wall time", cpu_ms: "CPU time", scan_ms: "scan", process_ms: "process", publish_ms: "publish",
  overlap_efficiency: "overlap efficiency", peak_memory_bytes: "peak memory", files_changed: "files changed", passages_embedded: "passages embedded",
};
const NO_REPORT = "No run's report is kept.";

const index = {
  title: () => "Index",

  async show(signal) {
    this.live = h("div", h("p.quiet-text", "Waiting for news of the index."));
    this.figures = h("dl.figures");
    this.trouble = h("div");
    this.rows = null;
    this.parts = { stages: h("div"), list: h("div"), runs: h("div"), throughput: h("div") };
    const { stages, list, runs, throughput } = this.parts;
    main.replaceChildren(h("div.stack", h("div", this.trouble, this.figures), panel("Now", this.live),
      h("div.pair", panel("Runs", runs), panel("Throughput", throughput)), panel("Stages over recent runs", stages), panel("Epochs", list)));
    if (latest.indexing) this.progress(latest.indexing);
    this.plots = [];
    await this.load(signal);
  },

  async load(signal) {
    const { job } = place();
    const { stages, list, runs, throughput } = this.parts;
    const [status, response] = await Promise.all([
      get("v1/status" + (job ? `?job=${encodeURIComponent(job)}` : ""), signal).catch((error) => ({ error })),
      ask([["history_recent", { epochs: 20 }], ["metric_aggregate", { runs: 50 }]], signal)]);
    if (status.error) this.trouble.replaceChildren(failed(status.error));
    else this.status(status);
    const { answer: history, error } = response.answers[0];
    const open = new Set([...list.querySelectorAll("[open]")].map((each) => each.dataset.epoch));
    list.replaceChildren(history ? this.epochs(history.epochs, open, signal) : failed(new Failure(error)));
    const measures = answerIfAny(response, 1)?.stages ?? [];
    stages.replaceChildren(measures.length ? stageTable(measures) : quiet(response.answers[1].error?.message ?? NO_REPORT));
    if (this.plots.length) return this.plots.forEach((draw) => draw());
    const names = measures.map((each) => each.stage);
    this.plots.push(this.series(runs, Object.entries(METRICS).map(([metric, text]) => [text, { metric }]), signal));
    const choices = names.map((stage) => [stage, { metric: "stage_items_per_second", stage }]);
    if (names.length) this.plots.push(this.series(throughput, choices, signal, Math.max(0, names.indexOf("parse"))));
    else throughput.replaceChildren(quiet(NO_REPORT));
  },

  status(status) {
    latest.status = status;
    const coverage = status.coverage ?? {}, calls = status.calls ?? {};
    const { chunks = 0, vectors = 0 } = coverage;
    const part = chunks ? `${((vectors / chunks) * 100).toFixed(vectors === chunks ? 0 : 1)} % of chunks` : "";
    const figure = (title, value, under) => h("div", h("dt", title), h("dd", value, under ? h("small", under) : null));
    const since = status.epoch_lag ? `${status.epoch_lag} behind` : status.committed_ms && ago(status.committed_ms);
    this.figures.replaceChildren(...[
      figure("Epoch", status.epoch ? count(status.epoch) : "none", since),
      figure("Files", count(coverage.files)), figure("Chunks", count(chunks)), figure("Vectors", count(vectors), part),
      status.memory_bytes && figure("Memory", bytes(status.memory_bytes)),
      figure("Calls", count(calls.running), `${count(calls.waiting)} waiting, ${count(calls.most)} at most`),
    ].filter(Boolean));
    this.trouble.replaceChildren(...(status.trouble ? [failed({ code: "trouble", message: status.trouble })] : []));
    if (status.indexing) this.progress(status.indexing);
    else this.live.replaceChildren(quiet("This server only reads; whoever writes the index runs elsewhere. With --watch it writes itself."));
  },

  /** How far a run is. Rates are differences between two events. */
  progress(now) {
    if (now.state !== "indexing") {
      this.rows = null;
      const since = new Date(now.since_ms).toLocaleTimeString();
      const failure = { code: "failed", message: now.message ?? "the last run failed" };
      return this.live.replaceChildren(now.state === "failed" ? failed(failure) : quiet(`Up to date and watching for changes, idle since ${since}.`));
    }
    const at = performance.now();
    const names = now.stages.map((stage) => stage.name).join(" ");
    if (this.rows?.names !== names) this.layOut(now.stages, names);
    const far = now.contents_total ? `: ${count(now.contents_done)} of ${plural(now.contents_total, "content")}` : "";
    this.rows.line.textContent = `Indexing${far}`;
    now.stages.forEach((stage, nth) => {
      const row = this.rows.stages[nth], out = stage.items_out ?? stage.items_in ?? 0;
      const rate = row.at && out >= row.out && at > row.at ? ((out - row.out) * 1000) / (at - row.at) : 0;
      Object.assign(row, { at, out });
      row.rates = [...row.rates, rate].slice(-60);
      const whole = Math.max(stage.items_in ?? 0, out, stage.name === "embed" ? 0 : (now.contents_total ?? 0), 1);
      row.bar.style.setProperty("--part", out / whole);
      row.text.textContent = `${count(out)} · ${short(rate)}/s${stage.queue_bytes ? ` · ${bytes(stage.queue_bytes)} waiting` : ""}`;
      const most = Math.max(...row.rates, 1);
      row.spark.setAttribute("points", row.rates.map((each, step) => `${step + 60 - row.rates.length},${23 - (each / most) * 21}`).join(" "));
    });
  },

  layOut(stages, names) {
    const line = h("p.meta.number");
    const made = stages.map((stage) => {
      const bar = h("i", { "--part": 0 }), text = h("span.figures-of.number"), spark = v("polyline.spark", { points: "" });
      const label = `items per second of ${stage.name}, the last half a minute`;
      const picture = v("svg", { viewBox: "0 0 60 24", preserveAspectRatio: "none", role: "img", "aria-label": label }, spark);
      const row = h("div.stage", h("span", stage.name), h("div.meter", bar), text, picture);
      return { bar, text, spark, row, rates: [], out: 0 };
    });
    this.rows = { names, line, stages: made };
    this.live.replaceChildren(line, ...made.map((each) => each.row));
  },

  series(into, choices, signal, chosen = 0) {
    const figure = h("div");
    const options = choices.map(([text], nth) => h("option", { value: nth, selected: nth === chosen }, text));
    const select = h("select", { "aria-label": "Measure", onchange: () => draw() }, options);
    const draw = async () => {
      const [text, input] = choices[select.value];
      try {
        const found = answer(await ask([["metric_series", { ...input, runs: 60 }]], signal));
        figure.replaceChildren(found.points.length ? plot(found, text, input.stage ? "line" : "bars", signal) : quiet(NO_REPORT));
      } catch (error) {
        if (!signal.aborted) figure.replaceChildren(failed(error));
      }
    };
    into.replaceChildren(select, figure);
    draw();
    return draw;
  },

  epochs(epochs, open, signal) {
    const mark = (word, sign, n) => (n ? h(`span.${word}`, { title: `${n} ${word}` }, sign, count(n)) : null);
    const row = (epoch, nth) => {
      const { added, modified, deleted, renamed } = epoch.changes ?? {};
      const changes = [mark("added", "+", added), mark("modified", "~", modified), mark("deleted", "−", deleted), mark("renamed", "→", renamed)];
      const when = h("span.quiet-text", { title: new Date(epoch.committed_ms).toLocaleString() }, ago(epoch.committed_ms));
      const revision = h("span.mono.quiet-text.revision", epoch.revision?.slice(0, 10) ?? "");
      const took = h("span.number.quiet-text", epoch.wall_ms ? time(epoch.wall_ms) : "");
      const head = h("summary", { "data-item": true }, h("b", count(epoch.epoch)), when, h("span.changes", changes), revision, took);
      const list = h("ul");
      const pin = h("a", { href: link("search", "", { epoch: epoch.epoch }) }, "Search this epoch");
      const about = h("p.meta", `${plural(epoch.files, "file")}. `, pin);
      const ontoggle = () => list.childElementCount || this.changes(list, epoch, nth, signal);
      return h("li", h("details", { "data-epoch": epoch.epoch, open: open.has(String(epoch.epoch)), ontoggle }, head, about, list));
    };
    return h("ol.epochs", epochs.map(row));
  },

  /** Which paths an epoch changed: asked for when somebody looks, for epochs are compared to know it. */
  async changes(list, epoch, nth, signal) {
    list.append(h("li.quiet-text", "Comparing…"));
    try {
      const found = answer(await ask([["history_recent", { epochs: nth + 1, paths: true, limit: 200 }]], signal));
      const paths = found.epochs.find((each) => each.epoch === epoch.epoch)?.paths;
      const rows = [["added", "+ "], ["modified", "~ "], ["deleted", "− "]].flatMap(([word, sign]) =>
        (paths?.[word] ?? []).map((path) => h("li", h(`span.${word}`, sign), word === "deleted" ? path : h("a", { href: fileLink(path) }, path))));
      if (paths?.truncated) rows.push(h("li.quiet-text", `and ${count(paths.changed - rows.length)} more`));
      list.replaceChildren(...(rows.length ? rows : [h("li.quiet-text", paths ? "No path changed." : "No epoch before it is kept.")]));
    } catch (error) {
      if (!signal.aborted) list.replaceChildren(h("li", failed(error)));
    }
  },

  /** A new epoch: what is on show is asked for again. */
  epoch() {
    this.load(this.controller.signal).catch(() => {});
  },
};

function stageTable(stages) {
  const columns = ["Runs", "Items", "Items/s", "Busy", "Median", "95 %"].map((title) => [title, ".number"]);
  return grid("", [["Stage"], ...columns], stages.map(({ stage, runs, items, items_per_second: rate, busy_ms: busy }) =>
    [stage, count(runs), count(items), rate ? short(rate) : "", time(busy.sum), time(busy.p50), time(busy.p95)]));
}

/** Values over runs, oldest first. Where some are far larger than others the scale is logarithmic. */
function plot({ points, unit }, label, shape, signal) {
  const values = points.map((point) => point.value);
  const [most, least] = [Math.max(...values), Math.min(...values.filter((value) => value > 0), Infinity)];
  const isLog = most / least > 40, isBars = shape === "bars" && !isLog;
  const tip = h("div.tip-box", { hidden: true });
  const [lowest, highest, last] = [Math.min(...values), most, values.at(-1)].map((value) => inUnit(value, unit));
  const summary = `${label} of ${plural(points.length, "run")}, from ${lowest} to ${highest}, the last ${last}`;
  const picture = v("svg", { role: "group", "aria-label": summary });
  const box = h("figure.plot", picture, tip);
  const draw = () => {
    const [width, height] = [picture.clientWidth, picture.clientHeight];
    if (!width) return;
    const [left, top, right, bottom] = [58, 24, width - 8, height - 34];
    const onAxis = (tick) => (unit === "ms" || unit === "bytes" ? inUnit(tick, unit) : short(tick));
    const ticks = isLog ? powers(least, most) : steps(most);
    const [floor, ceiling] = isLog ? [ticks[0], Math.max(ticks.at(-1), most)] : [0, Math.max(ticks.at(-1), most)];
    const scale = (value) => (isLog ? Math.log(Math.max(value, floor) / floor) / Math.log(ceiling / floor) : value / ceiling);
    const y = (value) => bottom - scale(value) * (bottom - top);
    const slot = (right - left) / points.length;
    const x = (nth) => left + (nth + 0.5) * slot;
    const rules = ticks.map((tick) => [
      v("path.rule", { d: `M${left} ${y(tick)}H${right}` }), v("text", { x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, onAxis(tick)),
    ]);
    const every = Math.ceil(points.length / Math.max(2, Math.floor((right - left) / 56)));
    const marks = points.map((point, nth) => {
      const middle = y(point.value);
      const show = () => {
        tip.textContent = `run ${point.run}, epoch ${point.epoch}: ${inUnit(point.value, unit)}, ${ago(point.started_ms)}`;
        tip.hidden = false;
        const half = tip.offsetWidth / 2;
        tip.style.setProperty("--x", `${Math.min(width - half, Math.max(half, x(nth)))}px`);
        tip.style.setProperty("--y", `${middle - 10}px`);
      };
      const hide = () => (tip.hidden = true);
      const wide = Math.max(2, Math.min(26, slot * 0.7));
      const mark = isBars
        ? v("rect.bar", { x: x(nth) - wide / 2, y: middle, width: wide, height: Math.max(1, bottom - middle), rx: 1.5 })
        : v("circle.dot", { cx: x(nth), cy: middle, r: 3 });
      const attributes = { tabindex: 0, role: "img", "aria-label": `run ${point.run}: ${inUnit(point.value, unit)}` };
      return v("g.point", { ...attributes, onpointerenter: show, onpointerleave: hide, onfocus: show, onblur: hide },
        v("rect.hit-area", { x: x(nth) - slot / 2, y: top, width: slot, height: bottom - top }), mark,
        nth % every === 0 && v("text", { x: x(nth), y: bottom + 16, "text-anchor": "middle" }, point.run));
    });
    const curve = isBars ? [] : [v("polyline.curve", { points: points.map((point, nth) => `${x(nth)},${y(point.value)}`).join(" ") })];
    const title = label + (/^(ms|bytes|ratio)$/.test(unit) ? "" : `, ${unit}`) + (isLog ? ", logarithmic" : "");
    const axes = [v("text", { x: (left + right) / 2, y: height - 3, "text-anchor": "middle" }, "run"), v("text", { x: 0, y: 10 }, title)];
    picture.replaceChildren(...rules.flat(), ...curve, ...marks, ...axes);
  };
  const sizes = new ResizeObserver(draw);
  sizes.observe(picture);
  signal.addEventListener("abort", () => sizes.disconnect());
  return box;
}

function steps(most) {
  const rough = (most || 1) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough);
  return [0, 1, 2, 3, 4].map((nth) => nth * step);
}

function powers(least, most) {
  const ticks = [];
  for (let tick = 10 ** Math.floor(Math.log10(least)); ticks.length < 12; tick *= 10) {
    ticks.push(tick);
    if (tick >= most) break;
  }
  return ticks;
}

// ------------------------------------------------------------------------------- page

const VIEWS = { search, file, symbol, graph, files, index };
const latest = { indexing: null, status: null };
let route = parse(location.hash);
let shown = null;
let controller = new AbortController();
/** How far down each visited place was, by the number that `history.state` has of it. */
const scrolls = new Map();
let visits = history.state?.visit ?? 0;

/** Shows what the address says. */
async function navigate() {
  const previous = shown;
  if (previous) scrolls.set(previous.visit, scrollY);
  const isReturn = Boolean(history.state?.visit);
  if (!isReturn) history.replaceState({ visit: ++visits }, "");
  route = parse(location.hash);
  shown = { ...route, visit: history.state.visit };
  const view = VIEWS[route.view];
  const stays = previous?.view === route.view && previous.name === route.name && route.view === "file";
  if (!stays) {
    controller.abort();
    controller = new AbortController();
  }
  view.controller = controller;
  const { signal } = controller;
  for (const each of document.querySelectorAll("[data-view]")) {
    const isHere = each.dataset.view === { file: "files", symbol: "search" }[route.view] || each.dataset.view === route.view;
    each.toggleAttribute("aria-current", isHere);
    if (isHere) each.setAttribute("aria-current", "page");
  }
  document.title = `${view.title()} · gristmill`;
  choosePlace();
  if (previous && previous.params.get("job") !== route.params.get("job")) listen();
  try {
    await view.show(signal, previous);
  } catch (error) {
    if (signal.aborted) return;
    main.replaceChildren(failed(error));
  }
  if (signal.aborted || stays || route.params.has("lines")) return;
  scrollTo(0, (isReturn && scrolls.get(shown.visit)) || 0);
  if (previous && route.view !== "search") main.focus({ preventScroll: true });
}

addEventListener("hashchange", navigate);

/** Fills the choice of jobs and refs, and says which epoch answers. */
let jobs = [];
function choosePlace() {
  const given = route.params, job = jobs.find((each) => each.name === given.get("job")) ?? jobs[0];
  const fill = (select, options, chosen) => {
    select.hidden = options.length < 2;
    select.replaceChildren(...options.map((option) => h("option", { value: option, selected: option === chosen }, option)));
  };
  fill(byId("job"), jobs.map((each) => each.name), job?.name);
  fill(byId("ref"), (job?.refs ?? []).map((each) => each.name ?? each), given.get("ref"));
  const pinned = Number(given.get("epoch"));
  if (pinned) sayEpoch(pinned);
  else if (job) sayEpoch(job.epoch, job.committed_ms);
  const newest = link(route.view, route.name, { ...paramsHere(), epoch: null });
  Object.assign(byId("epoch"), pinned ? { href: newest, title: "Go to the newest epoch" } : { href: link("index"), title: "The index and its runs" });
  byId("epoch").classList.toggle("pinned", Boolean(pinned));
  for (const each of document.querySelectorAll("nav [data-view]")) each.href = link(each.dataset.view);
}

function sayEpoch(epoch, committed) {
  const text = epoch ? `epoch ${count(epoch)}` : "no epoch yet";
  byId("epoch").textContent = committed && innerWidth > 600 ? `${text}, ${ago(committed)}` : committed ? text : `${text} ×`;
}

for (const key of ["job", "ref"]) {
  byId(key).addEventListener("change", ({ target }) => {
    // What a file or definition is called elsewhere is not known; a question can be asked anywhere.
    const keeps = ["search", "index"].includes(route.view);
    const elsewhere = { at: null, epoch: null, ...(key === "job" && { ref: null }), [key]: target.value };
    location.hash = link(keeps ? route.view : "search", "", { ...(keeps && paramsHere()), ...elsewhere });
  });
}

/** Hears of epochs and progress while the page can be seen. */
let ears = null;
function listen() {
  ears?.abort();
  ears = null;
  if (document.hidden) return;
  ears = new AbortController();
  follow(ears.signal, (event, data) => {
    const view = VIEWS[route.view];
    if (event === "status" || event === "progress") {
      const indexing = event === "status" ? data.indexing : data;
      latest.indexing = indexing;
      byId("epoch").classList.toggle("at-work", indexing?.state === "indexing");
      if (route.view === "index") event === "status" ? index.status(data) : index.progress(data);
    } else if (event === "epoch") {
      const job = jobs.find((each) => each.name === (route.params.get("job") ?? jobs[0]?.name));
      if (job) Object.assign(job, { epoch: data.epoch, committed_ms: data.committed_ms });
      if (route.params.has("epoch")) return;
      sayEpoch(data.epoch, data.committed_ms);
      view.epoch?.();
    }
  });
}
document.addEventListener("visibilitychange", listen);

const THEMES = { auto: ["◐", "as the system has it"], light: ["☀", "light"], dark: ["☾", "dark"] };
function theme(name = localStorage.getItem("gristmill-theme") ?? "auto") {
  const [sign, words] = THEMES[name] ?? THEMES.auto;
  document.documentElement.dataset.theme = name;
  localStorage.setItem("gristmill-theme", name);
  Object.assign(byId("theme"), { textContent: sign, title: `Colours: ${words} (t)`, ariaLabel: `Colours: ${words}` });
}
const nextTheme = () => theme({ auto: "light", light: "dark" }[document.documentElement.dataset.theme] ?? "auto");
byId("theme").addEventListener("click", nextTheme);
byId("keys").addEventListener("click", () => byId("help").showModal());
byId("skip").addEventListener("click", () => main.focus());

/** What can be gone through by keys, and where it stands. */
function items() {
  const all = [...main.querySelectorAll("[data-item]")].filter((item) => item.getClientRects().length);
  return [all, all.findIndex((item) => item === document.activeElement || item.closest(".hit.at"))];
}

function step(by) {
  const [all, at] = items();
  const next = at + by;
  if (next < 0 && route.view === "search") return search.input.focus();
  const item = all[Math.max(0, Math.min(all.length - 1, next))];
  item?.focus();
  (item?.closest(".hit") ?? item)?.scrollIntoView({ block: "nearest" });
}

function back() {
  if (route.view === "search") return search.hits.querySelector(".at") ? (search.point(null), search.input.focus()) : undefined;
  if (shown.visit > 1) history.back();
  else location.hash = link("search");
}

const KEYS = {
  j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
  s: () => toItem((name, path) => symbolLink({ symbol: name, path })), g: () => toItem(graphLink),
  e: () => route.view === "search" && search.explain.click(), i: () => (location.hash = link("index")), t: nextTheme,
  "?": () => byId("help").showModal(), Escape: back,
  "/": () => {
    if (route.view !== "search") location.hash = link("search");
    requestAnimationFrame(() => { search.input.focus(); search.input.select(); });
  },
};

function toItem(to) {
  const [all, at] = items();
  const { symbol: name, path } = all[Math.max(0, at)]?.dataset ?? {};
  if (name) location.hash = to(name, path);
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const isWriting = event.target.matches("input:not([type=checkbox]):not([type=radio]), select, textarea");
  const isQuery = event.target === search.input;
  if (isWriting && event.key === "Escape") return event.target.blur();
  if (isWriting && !(isQuery && event.key.startsWith("Arrow") && /Up|Down/.test(event.key))) return;
  if (event.target.type === "radio" && event.key.startsWith("Arrow")) return;
  const act = KEYS[event.key];
  if (!act) return;
  // In a file, arrows scroll.
  if (event.key.startsWith("Arrow") && route.view !== "search" && !document.activeElement.dataset?.item) return;
  event.preventDefault();
  act();
});

theme();
navigate();
listen();
get("v1/jobs").then((found) => {
  jobs = found;
  choosePlace();
}).catch(() => {});
setInterval(choosePlace, 30_000);
