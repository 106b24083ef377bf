// A search result.

import { excerpt, fromBytes } from "./code.js";
import { h } from "./dom.js";
import { item, pathParts } from "./parts.js";
import { fileLink, symbolLink } from "./places.js";

/** A hit; with `isExplained`, its ranking signals relative to all hits. */
export function hitItem(hit, all, isExplained) {
  const names = hit.symbol ? hit.symbol.split(" ") : [];
  const snippet = hit.snippet;
  const href = fileLink(hit.path, hit.start_line, hit.end_line);
  const head = h("header",
    h("a.place", { href, ...item(names[0], hit.path) }, pathParts(hit.path), `:${hit.start_line}–${hit.end_line}`),
    h("span.kind", hit.kind),
    names.length ? h("span.name", hit.scope && names.length === 1 ? h("span.kind", hit.scope, " › ") : null,
      names.map((name, nth) => [nth ? ", " : "", h("a", { href: symbolLink({ symbol: name, path: hit.path }) }, name)])) : null,
    h("span.score.number", { title: "score (higher is better)" }, hit.score.toFixed(3)));
  const code = snippet?.text && excerpt(hit.path, hit.language, snippet.text, snippet.start_line, fromBytes(snippet.text, snippet.highlights));
  return h("li.hit", head, code, isExplained && signals(hit, all));
}

const FACTORS = new Set(["secondary", "document", "declaration", "part", "further"]);

/** The ranking signals of a hit. */
function signals(hit, all) {
  const of = (each) => each.signals ?? { lexical_score: each.lexical_score, vector_score: each.vector_score, score: each.score };
  // Neutral values are left out: factors of 1, terms of 0.
  const isShown = ([name, value]) => typeof value === "number" && value !== (FACTORS.has(name) ? 1 : 0);
  const largest = (name) => Math.max(...all.map((each) => Math.abs(of(each)[name] ?? 0)), 1e-9);
  const row = ([name, value]) => {
    const bar = h("i", { "--part": Math.abs(value) / largest(name) });
    const meter = h(value < 0 ? "div.meter.less" : "div.meter", { "aria-hidden": "true" }, bar);
    return h("div", h("dt", name.replaceAll("_", " ")), meter, h("dd", value.toFixed(3)));
  };
  return h("dl.signals", Object.entries(of(hit)).filter(isShown).map(row));
}
