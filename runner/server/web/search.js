// The search view: query, filters and results.

import { answer, ask, place } from "./api.js";
import { h, main, say, v } from "./dom.js";
import { Facets } from "./facets.js";
import { count, plural, time } from "./figures.js";
import { hitItem } from "./hit.js";
import { failed, noteList } from "./parts.js";
import { amend, route } from "./places.js";

const MODES = {
  hybrid: "lexical and vector search, fused", text: "lexical search (BM25)", vector: "vector search",
  regex: "lines that match a regular expression", literal: "lines that contain this text",
};
const NOTHING = ["No results.", "Try other terms, fewer filters or another mode."];
const WELCOME = [
  "Ask a question, such as “where are retries delayed”, or search for a name.",
  "Results appear as you type. Press ? for keyboard shortcuts.",
];

export const search = {
  title: () => route.params.get("q") || "Search",

  show() {
    this.element ??= this.build();
    main.replaceChildren(this.element);
    const given = route.params;
    if (document.activeElement !== this.input) this.input.value = given.get("q") ?? "";
    for (const radio of this.element.querySelectorAll("[name=mode]")) radio.checked = radio.value === (given.get("mode") ?? "hybrid");
    this.glob.value = given.get("path") ?? "";
    this.explain.checked = given.has("explain");
    this.run(given.get("at"));
    this.facets.count();
    if (!given.has("at")) this.input.focus({ preventScroll: true });
  },

  build() {
    const later = (change) => () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.change(change()), 130);
    };
    const icon = v("svg", { viewBox: "0 0 20 20", width: 18, height: 18, "aria-hidden": "true" },
      v("circle", { cx: 8.5, cy: 8.5, r: 5.5 }), v("path", { d: "M12.8 12.8 17.5 17.5" }));
    const plain = { autocomplete: "off", autocapitalize: "off", spellcheck: "false" };
    this.input = h("input", {
      type: "search", id: "query", "aria-label": "Search the code", placeholder: "A question, keywords or a name", ...plain,
      oninput: later(() => ({ q: this.input.value })),
    });
    const modes = Object.entries(MODES).map(([mode, title]) => {
      const choose = () => this.change({ mode: mode === "hybrid" ? null : mode });
      return h("label", { title }, h("input.unseen", { type: "radio", name: "mode", value: mode, onchange: choose }), mode);
    });
    this.glob = h("input.field", { id: "glob", placeholder: "src/, *.rs", ...plain, oninput: later(() => ({ path: this.glob.value })) });
    this.facets = new Facets((params) => this.change(params));
    const filters = h("details.facets", { open: matchMedia("(min-width: 48.01rem)").matches }, h("summary", "Filters"),
      h("fieldset", h("label.label", { for: "glob" }, "Path"), this.glob), this.facets.element);
    this.explain = h("input", { type: "checkbox", onchange: () => { amend({ explain: this.explain.checked ? 1 : null }); this.draw(); } });
    this.line = h("span.meta.number");
    this.strips = h("div");
    this.hits = h("ol.hits", { "aria-label": "Results" });
    this.hits.addEventListener("focusin", ({ target }) => this.point(target.closest(".hit")));
    return h("section",
      h("form.ask", { role: "search", onsubmit: (event) => { event.preventDefault(); this.first()?.click(); } },
        h("div.box", icon, this.input, h("kbd", { "aria-hidden": "true" }, "/")),
        h("fieldset.modes", h("legend.unseen", "Search mode"), modes)),
      h("div.columns", filters,
        h("div", h("div.summary", this.line, h("label.switch", this.explain, "Explain")), this.strips, this.hits)));
  },

  first() {
    return this.hits.querySelector(".place");
  },

  point(hit) {
    for (const each of this.hits.children) each.classList.toggle("at", each === hit);
    if (hit) amend({ at: [...this.hits.children].indexOf(hit) + 1 });
  },

  /** Changes the query. */
  change(params) {
    if (route.view !== "search") return;
    amend({ at: null, n: null, ...params });
    document.title = `${this.title()} · gristmill`;
    this.run();
  },

  question() {
    const given = route.params;
    const list = (key) => given.getAll(key);
    return {
      query: given.get("q") ?? "", mode: given.get("mode") ?? "hybrid", limit: Number(given.get("n")) || 20,
      explain: true, languages: list("lang"), kinds: list("kind"), paths: (given.get("path") ?? "").split(/[,\s]+/).filter(Boolean),
    };
  },

  async run(at, again) {
    const question = this.question();
    const key = JSON.stringify([question, place()]);
    if (key === this.key && !again) return this.focus(at);
    this.key = key;
    this.asked?.abort();
    const { signal } = (this.asked = new AbortController());
    if (!question.query.trim()) {
      this.response = this.error = null;
      return this.draw();
    }
    try {
      const response = await ask([["search", question]], signal);
      const found = JSON.stringify(answer(response));
      const isSame = again && this.response && found === JSON.stringify(answer(this.response));
      [this.response, this.error] = [response, null];
      if (isSame) return this.sum();
    } catch (error) {
      if (signal.aborted) return;
      [this.response, this.error] = [null, error];
    }
    if (signal.aborted) return;
    this.draw();
    this.focus(at);
  },

  focus(at) {
    if (at) this.hits.children[at - 1]?.querySelector(".place")?.focus();
  },

  /** Repeats the query on a new epoch. */
  epoch() {
    const focused = document.activeElement?.closest?.(".hit") && route.params.get("at");
    this.run(focused, true);
    this.facets.count(true);
  },

  draw() {
    const { response, error } = this;
    const found = response ? answer(response).hits : [];
    const hadFocus = this.hits.contains(document.activeElement);
    this.strips.replaceChildren(...(error ? [failed(error)] : response ? noteList(response) : []));
    this.hits.replaceChildren(...found.map((hit) => hitItem(hit, found, this.explain.checked)));
    this.sum();
    const limit = this.question().limit;
    const more = () => {
      amend({ n: limit + 30 });
      this.run(limit + 1);
    };
    if (found.length === limit && limit < 200) this.hits.append(h("li", h("button.plain", { onclick: more }, "More results")));
    if (!error && !found.length) this.hits.append(h("li.empty", (response ? NOTHING : WELCOME).map((line) => h("p", line))));
    const at = this.hits.children[route.params.get("at") - 1];
    at?.classList.add("at");
    if (hadFocus) at?.querySelector(".place")?.focus({ preventScroll: true });
    this.facets.draw(found);
  },

  /** Shows the number of results, the time and the epoch. */
  sum() {
    const { response } = this;
    const hits = response && plural(answer(response).hits.length, "result");
    this.line.textContent = response ? `${hits} in ${time(response.answers[0].took_ms)}, epoch ${count(response.epoch)}` : "";
    if (response) say(hits);
  },
};
