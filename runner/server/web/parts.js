// Components shared by the views.

import { h } from "./dom.js";
import { fileLink, link, symbolLink } from "./places.js";

/** Attributes of an item for keyboard navigation, with its symbol and path. */
export const item = (name, path) => ({ "data-item": true, "data-symbol": name, "data-path": path });

/** A muted text. */
export const quiet = (text) => h("p.quiet-text", text);

/** A table: columns are title and classes, rows are cells. */
export function grid(kind, columns, rows) {
  const cells = (tag, row) => h("tr", row.map((cell, nth) => h(tag + (columns[nth][1] ?? ""), cell)));
  const head = cells("th", columns.map(([title]) => title));
  return h("div.scrolls", h(`table${kind}`, h("thead", head), h("tbody", rows.map((row) => cells("td", row)))));
}

/** A node of the graph as a row. */
export const nodeRow = (node) =>
  h("a.row", { href: node.symbol ? symbolLink(node) : fileLink(node.path), ...item(node.symbol, node.path) },
    h("span.name", h("span.kind", node.kind, " "), node.symbol || node.path), h("span.path", `${node.path}:${node.line}`));

/** A panel with a title. */
export const panel = (title, content, links) =>
  h("section.panel", h("div.panel-head", h("h2", title), links && h("span.links", links)), content);

/** A path with its last part emphasised. */
export function pathParts(path) {
  const cut = path.lastIndexOf("/") + 1;
  return [path.slice(0, cut), h("b", path.slice(cut))];
}

/** A path with links to its folders. */
export function crumbs(path, isFolder) {
  const parts = path.split("/").filter(Boolean);
  const last = isFolder ? null : h("b", parts.pop());
  const folders = parts.map((part, nth) => h("a", { href: link("files", parts.slice(0, nth + 1).join("/")) }, part));
  const all = [isFolder && h("a", { href: link("files") }, "all files"), ...folders, last].filter(Boolean);
  return h("h1.crumbs", all.map((part, nth) => [nth ? " / " : "", part]));
}

/** The notes of all answers, deduplicated. */
export const noteList = (response) => {
  const seen = new Set();
  const fresh = response.answers.flatMap((each) => each.notes ?? []).filter(({ code }) => !seen.has(code) && seen.add(code));
  return fresh.map(({ code, message }) => h("p.strip", { role: "note" }, h("b", code), h("span", message)));
};

/** An error message. */
export const failed = (error) =>
  h("p.strip.bad", { role: "alert" }, h("b", error.code ?? error.name), h("span", error.message), error.help && h("span", `— ${error.help}`));
