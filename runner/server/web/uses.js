// The uses of a definition.

import { answerIfAny, ask } from "./api.js";
import { paint } from "./code.js";
import { h } from "./dom.js";
import { tokensOf } from "./highlight.js";
import { item, pathParts } from "./parts.js";
import { fileLink } from "./places.js";

/** Uses by file; their lines of code are loaded afterwards. */
export function usesByFile(uses, signal) {
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
