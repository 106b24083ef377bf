// The search filters.

import { answerIfAny, ask, place } from "./api.js";
import { h } from "./dom.js";
import { count } from "./figures.js";
import { route } from "./places.js";

/** URL parameter, title and field of a hit, for each facet. */
const FACETS = [["lang", "Language", "language"], ["kind", "Kind", "kind"]];

/** Names shown of a facet until it is expanded. */
const FEW = 8;

/** Check boxes with counts in the results and in the whole index. */
export class Facets {
  element = h("div");
  #overview = null;
  #hits = [];
  #unfolded = new Set();
  #choose;

  /** Calls `choose` with the URL parameters that change. */
  constructor(choose) {
    this.#choose = choose;
  }

  /** Loads the counts of the whole index, unless they are loaded; `again` reloads them. */
  async count(again = false) {
    const key = JSON.stringify(place());
    if (!again && this.#overview?.key === key) return;
    const overview = (this.#overview = { key });
    try {
      const response = await ask([["aggregate", { by: "language", limit: 60 }], ["aggregate", { by: "kind", limit: 60 }]]);
      overview.language = answerIfAny(response, 0)?.groups;
      overview.kind = answerIfAny(response, 1)?.groups;
    } catch {
      // Falls back to the facets of the results.
    }
    if (overview === this.#overview) this.draw(this.#hits);
  }

  draw(hits) {
    this.#hits = hits;
    const focused = document.activeElement?.dataset?.facet;
    this.element.replaceChildren(...FACETS.map((facet) => this.#boxes(...facet)));
    if (focused) [...this.element.querySelectorAll("input")].find((box) => box.dataset.facet === focused)?.focus();
  }

  #boxes(key, title, field) {
    const chosen = new Set(route.params.getAll(key));
    const here = new Map(), all = new Map();
    for (const hit of this.#hits) here.set(hit[field], (here.get(hit[field]) ?? 0) + 1);
    for (const group of this.#overview?.[field] ?? []) all.set(group.key, field === "kind" ? group.symbols : group.files);
    const names = [...new Set([...all.keys(), ...here.keys(), ...chosen])].filter(Boolean);
    const most = this.#unfolded.has(key) ? names.length : FEW;
    const shown = names.filter((name, nth) => nth < most || here.has(name) || chosen.has(name));
    const box = (name) => {
      const toggle = () => {
        chosen.delete(name) || chosen.add(name);
        this.#choose({ [key]: [...chosen] });
      };
      return h("label.facet",
        h("input", { type: "checkbox", checked: chosen.has(name), "data-facet": `${key} ${name}`, onchange: toggle }), h("span.name", name),
        h("span.here.number", { title: "in these results" }, here.get(name) ?? ""),
        h("span.all.number", { title: `${field === "kind" ? "definitions" : "files"} in the index` }, all.has(name) ? count(all.get(name)) : ""));
    };
    const rest = names.length - shown.length;
    const unfold = () => {
      this.#unfolded.add(key);
      this.draw(this.#hits);
    };
    const more = rest > 0 && h("button.more", { type: "button", onclick: unfold }, `${rest} more`);
    return h("fieldset", { hidden: !names.length }, h("legend", title), shown.map(box), more);
  }
}
