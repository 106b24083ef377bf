// The view of a file: text, outline and the symbol at the cursor.

import { Failure, answer, answerIfAny, ask } from "./api.js";
import { codeLine, paint } from "./code.js";
import { h, main } from "./dom.js";
import { bytes, plural } from "./figures.js";
import { tokensOf } from "./highlight.js";
import { crumbs, failed, item, noteList, panel, quiet } from "./parts.js";
import { amend, fileLink, graphLink, link, route } from "./places.js";
import { usesByFile } from "./uses.js";

/** Lines that are coloured at once. */
const BLOCK = 200;

export const file = {
  title: () => route.name.split("/").pop(),

  async show(signal, previous) {
    if (previous?.view === "file" && previous.name === route.name && this.lines) return this.goTo();
    this.signal = signal;
    this.lines = this.shown = null;
    // Escapes the special characters of globs.
    const glob = route.name.replace(/[*?[\]{}]/g, "[$&]");
    const calls = [["get_files", { paths: [route.name], max_bytes: 2_000_000 }], ["get_symbols", { paths: [glob], limit: 1000 }]];
    const response = await ask(calls, signal);
    const found = answer(response).files[0];
    if (!found) throw new Failure({ code: "not_found", message: `file not in the index: ${route.name}` });
    // A glob without a slash matches in every folder.
    this.symbols = (answerIfAny(response, 1)?.symbols ?? []).filter((symbol) => symbol.path === found.path);
    const facts = [found.language, plural(found.lines, "line"), bytes(found.bytes)].join(", ");
    this.picked = h("div", { hidden: true });
    const outline = h("nav.panel.outline", { "aria-label": "Outline", hidden: !this.symbols.length },
      h("h2", plural(this.symbols.length, "definition")), this.symbols.map(outlineLink));
    const actions = h("div.actions", h("button.plain", { onclick: (event) => copy(found.path, event.target) }, "Copy path"),
      h("a.plain", { href: link("graph", "", { path: found.path, relation: "imports" }) }, "Imports"));
    main.replaceChildren(h("article.file",
      h("div.head", crumbs(found.path), h("span.meta", facts), actions), noteList(response),
      found.quarantined && h("p.strip", "This file is quarantined: its content is not indexed."),
      found.truncated && h("p.strip", "Truncated: only the beginning of the file is shown."),
      h("div.with-side", this.text(found), h("aside.side", this.picked, outline))));
    this.goTo();
  },

  text(found) {
    const text = found.text ?? "";
    const rows = text.replace(/\n$/, "").split("\n");
    const tokens = tokensOf(text, found.language);
    const widest = rows.reduce((most, row) => Math.max(most, row.length), 0);
    const gutter = `${Math.max(3, String(rows.length).length) + 3.4}ch`;
    const box = h("div.code.names", { "--gutter": gutter, "--columns": widest, onclick: (event) => this.pick(event) });
    this.lines = [];
    const starts = [];
    // Lines are coloured when they scroll near, so that long files open at once.
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
    this.signal.addEventListener("abort", () => near.disconnect());
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

  /** Marks the lines in the URL, and shows the symbol in the URL. */
  goTo() {
    const [from, to = from] = (route.params.get("lines") ?? "").split("-").map(Number);
    this.lines.forEach((line, nth) => line.classList.toggle("at", from <= nth + 1 && nth + 1 <= to));
    this.lines[from - 1]?.scrollIntoView({ block: to - from > 20 ? "start" : "center" });
    const around = this.symbols.findLast((symbol) => symbol.start_line <= from && from <= symbol.end_line);
    main.querySelectorAll(".outline a").forEach((each, nth) => each.classList.toggle("at", this.symbols[nth] === around));
    const name = route.params.get("name");
    if (name !== this.shown) this.tell(name, from);
  },

  /** Handles a click: shift-click on a number selects lines, a click on a name shows its symbol. */
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
    this.goTo();
  },

  /** Shows the definitions and uses of a name. */
  async tell(name, line) {
    const { signal } = this;
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
    const defined = response.error ? failed(response.error) : definitions.length ? definitions.map(row) : quiet("No definition in the index.");
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
  (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(() => tell("Copied"), () => tell("Copy failed"));
}
