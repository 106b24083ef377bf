// The page of `gristmill serve`: search, files, symbols, the graph of uses, and the index.
// Navigates between the views, and keeps the page up to date.

import { get } from "./api.js";
import { byId, main } from "./dom.js";
import { follow } from "./events.js";
import { file } from "./file.js";
import { folders } from "./folders.js";
import { graph } from "./graph.js";
import { index } from "./index_view.js";
import "./keys.js";
import { live } from "./live.js";
import { failed } from "./parts.js";
import { arrive, route } from "./places.js";
import { search } from "./search.js";
import { symbol } from "./symbol.js";
import { advance, offer, showWhere } from "./where.js";

const VIEWS = { search, file, symbol, graph, files: folders, index };

/** Views that the navigation bar shows under another one. */
const UNDER = { file: "files", symbol: "search" };

let shown = null;
let controller = new AbortController();
/** Scroll positions of visited places, by the number in `history.state`. */
const scrolls = new Map();
let visits = history.state?.visit ?? 0;

/** Shows the view that the URL names. */
async function navigate() {
  const previous = shown;
  if (previous) scrolls.set(previous.visit, scrollY);
  const isReturn = Boolean(history.state?.visit);
  if (!isReturn) history.replaceState({ visit: ++visits }, "");
  arrive();
  shown = { ...route, visit: history.state.visit };
  const view = VIEWS[route.view];
  const stays = previous?.view === route.view && previous.name === route.name && route.view === "file";
  if (!stays) {
    controller.abort();
    controller = new AbortController();
  }
  const { signal } = controller;
  for (const each of document.querySelectorAll("[data-view]")) {
    if (each.dataset.view === (UNDER[route.view] ?? route.view)) each.setAttribute("aria-current", "page");
    else each.removeAttribute("aria-current");
  }
  document.title = `${view.title()} · gristmill`;
  showWhere();
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

/** Subscribes to events while the page is visible. */
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
      byId("epoch").classList.toggle("at-work", indexing?.state === "indexing");
      live.hear(indexing);
      if (event === "status") view.status?.(data);
    } else if (event === "epoch") {
      advance(data);
      if (!route.params.has("epoch")) view.epoch?.();
    }
  });
}
document.addEventListener("visibilitychange", listen);

navigate();
listen();
get("v1/jobs").then(offer).catch(() => {});
setInterval(showWhere, 30_000);
