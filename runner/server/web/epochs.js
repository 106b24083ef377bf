// The list of epochs with their changes.

import { answer, ask } from "./api.js";
import { h } from "./dom.js";
import { ago, count, plural, time } from "./figures.js";
import { failed } from "./parts.js";
import { fileLink, link } from "./places.js";

/** A list of epochs; those in `open` are expanded. */
export function epochList(epochs, open, signal) {
  const mark = (word, sign, n) => (n ? h(`span.${word}`, { title: `${n} ${word}` }, sign, count(n)) : null);
  const row = (epoch, nth) => {
    const { added, modified, deleted, renamed } = epoch.changes ?? {};
    const marks = [mark("added", "+", added), mark("modified", "~", modified), mark("deleted", "−", deleted), mark("renamed", "→", renamed)];
    const when = h("span.quiet-text", { title: new Date(epoch.committed_ms).toLocaleString() }, ago(epoch.committed_ms));
    const revision = h("span.mono.quiet-text.revision", epoch.revision?.slice(0, 10) ?? "");
    const took = h("span.number.quiet-text", epoch.wall_ms ? time(epoch.wall_ms) : "");
    const head = h("summary", { "data-item": true }, h("b", count(epoch.epoch)), when, h("span.changes", marks), revision, took);
    const list = h("ul");
    const pin = h("a", { href: link("search", "", { epoch: epoch.epoch }) }, "Search this epoch");
    const about = h("p.meta", `${plural(epoch.files, "file")}. `, pin);
    const ontoggle = () => list.childElementCount || showChanges(list, epoch, nth, signal);
    return h("li", h("details", { "data-epoch": epoch.epoch, open: open.has(String(epoch.epoch)), ontoggle }, head, about, list));
  };
  return h("ol.epochs", epochs.map(row));
}

/** The paths that an epoch changed. Loaded when expanded: the server has to compare epochs. */
async function showChanges(list, epoch, nth, signal) {
  list.append(h("li.quiet-text", "Comparing…"));
  try {
    const found = answer(await ask([["history_recent", { epochs: nth + 1, paths: true, limit: 200 }]], signal));
    const paths = found.epochs.find((each) => each.epoch === epoch.epoch)?.paths;
    const rows = [["added", "+ "], ["modified", "~ "], ["deleted", "− "]].flatMap(([word, sign]) =>
      (paths?.[word] ?? []).map((path) => h("li", h(`span.${word}`, sign), word === "deleted" ? path : h("a", { href: fileLink(path) }, path))));
    if (paths?.truncated) rows.push(h("li.quiet-text", `and ${count(paths.total - rows.length)} more`));
    list.replaceChildren(...(rows.length ? rows : [h("li.quiet-text", paths ? "No paths changed." : "The previous epoch is not retained.")]));
  } catch (error) {
    if (!signal.aborted) list.replaceChildren(h("li", failed(error)));
  }
}
