// The view of a folder, or of all files.

import { answer, answerIfAny, ask } from "./api.js";
import { h, main } from "./dom.js";
import { bytes, count } from "./figures.js";
import { crumbs, grid, noteList } from "./parts.js";
import { fileLink, link, route } from "./places.js";

/** Colours of languages, by descending number of lines. */
const HUES = ["#3d8f8a", "#c48a2c", "#7a63a8", "#4f7fb8", "#a8575a", "#7a8f3d", "#8a8a8a"];

export const folders = {
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
    const columns = [["Name"], ["Language", ".spare"], ...numbers, ["Definitions", ".preview.spare"]];
    const actions = folder && h("div.actions", h("a.plain", { href: link("search", "", { path: folder + "/" }) }, "Search this folder"));
    main.replaceChildren(h("div.head", crumbs(folder, true), actions), ...noteList(response), ...share(answerIfAny(response, 1)?.groups),
      grid(".entries", columns, entries.map(row)), ...(truncated ? [h("p.meta", `Truncated: showing the first ${count(entries.length)} entries.`)] : []));
  },
};

/** The share of each language, by lines. */
function share(groups = []) {
  const lines = (some) => some.reduce((sum, group) => sum + group.lines, 0);
  const all = lines(groups);
  if (!all) return [];
  const rest = { key: "other", lines: lines(groups.slice(6)) };
  const parts = [...groups.slice(0, 6), ...(rest.lines ? [rest] : [])].map((group, nth) => [group.key, group.lines / all, HUES[nth]]);
  const percent = (part) => `${(part * 100).toFixed(part < 0.01 ? 1 : 0)} %`;
  return [
    h("div.share", { "aria-hidden": "true" }, parts.map(([, part, hue]) => h("i", { "--hue": hue, "--part": part }))),
    h("ul.share-names", parts.map(([name, part, hue]) => h("li", h("i", { "--hue": hue }), name, h("span.quiet-text", ` ${percent(part)}`)))),
  ];
}
