// The graph view: controls, picture and list.

import { answer, ask } from "./api.js";
import { h, main } from "./dom.js";
import { plural } from "./figures.js";
import { merge } from "./graph_layout.js";
import { drawGraph } from "./graph_picture.js";
import { failed, grid, nodeRow, noteList, panel, quiet } from "./parts.js";
import { fileLink, link, revise, route, symbolLink } from "./places.js";

/** For each relation the directions of `graph_expand`: incoming, outgoing. */
const RELATIONS = {
  calls: ["callers", "callees"], uses: ["used_by", "uses"],
  imports: ["imported_by", "imports"], implements: ["implemented_by", "implements"],
};
const SIDES = { both: "both", in: "incoming", out: "outgoing" };

export const graph = {
  title: () => route.name || route.params.get("path") || "Graph",

  async show(signal) {
    const { name, params } = route;
    const relation = RELATIONS[params.get("relation")] ? params.get("relation") : "calls";
    const side = SIDES[params.get("side")] ? params.get("side") : "both";
    const depth = Math.min(6, Math.max(1, Number(params.get("depth")) || 1));
    const body = h("div");
    main.replaceChildren(this.controls({ name, relation, side, depth, to: params.get("to") }), body);
    const path = params.get("path");
    if (!name && !path) {
      return body.append(h("p.empty", "Enter the name of a function, type or other definition to see what uses it and what it uses."));
    }
    const sides = RELATIONS[relation].filter((_, nth) => side === "both" || (side === "in") === (nth === 0));
    const start = { ...(name && { symbol: name }), ...(path && { path }) };
    const calls = sides.map((direction) => ["graph_expand", { ...start, direction, depth, fan_out: 40, limit: 150 }]);
    if (params.get("to")) calls.push(["graph_path", { from: name || path, to: params.get("to") }]);
    const response = await ask(calls, signal);
    if (params.get("to")) body.append(this.way(response, calls.length - 1));
    const merged = merge(sides.map((direction, nth) => [RELATIONS[relation].indexOf(direction), answer(response, nth)]));
    const headings = RELATIONS[relation].map((word) => word.replace("_", " "));
    body.append(...noteList(response), drawGraph(merged, headings, signal), this.list(merged));
  },

  controls({ name, relation, side, depth, to }) {
    const choose = (label, key, options, chosen) => {
      const option = ([value, text]) => h("option", { value, selected: String(value) === String(chosen) }, text);
      return h("label", label, h("select", { onchange: ({ target }) => revise({ [key]: target.value }) }, options.map(option)));
    };
    const text = (label, value, placeholder, go) => {
      const onchange = ({ target }) => go(target.value.trim());
      return h("label", label, h("input.field", { value: value ?? "", placeholder, spellcheck: "false", autocomplete: "off", onchange }));
    };
    return h("form.controls", { onsubmit: (event) => event.preventDefault() },
      text("Definition", name, "Config::parse", (value) => (location.hash = link("graph", value, { relation, side, depth }))),
      choose("Relation", "relation", Object.keys(RELATIONS).map((key) => [key, key]), relation),
      choose("Direction", "side", Object.entries(SIDES), side), choose("Depth", "depth", [1, 2, 3, 4].map((n) => [n, n]), depth),
      text("Shortest path to", to, "a name or a path", (value) => revise({ to: value })));
  },

  list({ nodes, edges }) {
    const name = (key) => {
      const node = nodes.get(key);
      return h("a", { href: node.symbol ? symbolLink(node) : fileLink(node.path) }, node.symbol || node.path);
    };
    const rows = edges.map((edge) => {
      const { path } = nodes.get(edge.from);
      return [name(edge.from), edge.kind, name(edge.to), h("a", { href: fileLink(path, edge.line) }, `${path}:${edge.line}`)];
    });
    return h("details.as-list", h("summary", `As a list: ${plural(nodes.size, "node")}, ${plural(edges.length, "edge")}`),
      grid("", [["From", ".mono"], ["Kind"], ["To", ".mono"], ["Location", ".mono"]], rows));
  },

  way(response, nth) {
    const { answer: found, error } = response.answers[nth];
    if (error) return failed(error);
    const steps = found.nodes.length ? h("ol", found.nodes.map((node) => h("li", nodeRow(node)))) : quiet("No path found.");
    return h("div.way", panel(`Path to ${route.params.get("to")}`, steps));
  },
};
