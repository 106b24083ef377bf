// Keyboard shortcuts.

import { byId, main } from "./dom.js";
import { graphLink, link, route, symbolLink } from "./places.js";
import { search } from "./search.js";
import { nextTheme } from "./theme.js";

/** The items that keys move through, and the position of the current one. */
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
  if (history.state.visit > 1) history.back();
  else location.hash = link("search");
}

const help = () => byId("help").showModal();

const KEYS = {
  j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
  s: () => toItem((name, path) => symbolLink({ symbol: name, path })), g: () => toItem(graphLink),
  e: () => route.view === "search" && search.explain.click(), i: () => (location.hash = link("index")), t: nextTheme,
  "?": help, Escape: back,
  "/": () => {
    if (route.view !== "search") location.hash = link("search");
    requestAnimationFrame(() => { search.input.focus(); search.input.select(); });
  },
};

/** Follows a link of the current item. */
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

byId("keys").addEventListener("click", help);
byId("skip").addEventListener("click", () => main.focus());
