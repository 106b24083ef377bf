// The view of a symbol: definition, uses, callers and callees.

import { answer, answerIfAny, ask, reason } from "./api.js";
import { excerpt } from "./code.js";
import { h, main } from "./dom.js";
import { count, plural } from "./figures.js";
import { item, nodeRow, noteList, panel, quiet } from "./parts.js";
import { fileLink, graphLink, link, route } from "./places.js";
import { usesByFile } from "./uses.js";

/** Maximum lines shown of a definition. */
const LONGEST = 60;

export const symbol = {
  title: () => route.name,

  async show(signal) {
    const { name, params } = route;
    const found = await ask([["get_symbols", { names: [name], docs: true, limit: 50 }]], signal);
    const all = answer(found).symbols;
    if (!all.length) {
      const way = h("a", { href: link("search", "", { q: name }) }, "Search for the name");
      return main.replaceChildren(h("div.head", h("h1", name)), ...noteList(found), h("p.empty", "No definition in the index. ", way));
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
    const unused = reason(response, 1, "No uses found.");
    const used = uses?.references.length ? usesByFile(uses.references, signal) : quiet(unused);
    main.replaceChildren(h("article",
      h("div.head", h("h1", it.qualified_name), h("span.meta", `${it.kind}, ${it.language}`), actions), others, noteList(response),
      panel(place, definition),
      h("div.lists", ends(response, 2, "Called by"), ends(response, 3, "Calls"), h("div.wide", panel(usesOf, used)))));
  },
};

/** The callers or callees of a definition. */
function ends(response, nth, title) {
  const found = answerIfAny(response, nth);
  const nodes = (found?.nodes ?? []).filter((node) => node.depth > 0);
  if (!nodes.length) return panel(title, quiet(reason(response, nth, "None found.")));
  return panel(`${title} ${count(nodes.length)}${found.truncated ? "+" : ""}`, nodes.map(nodeRow));
}
