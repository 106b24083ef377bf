// A graph as a picture: callers on the left, callees on the right.

import { h, v } from "./dom.js";
import { plural } from "./figures.js";
import { BETWEEN, HEIGHT, PER_COLUMN, WIDTH, arrange } from "./graph_layout.js";
import { pannable } from "./pannable.js";
import { item } from "./parts.js";
import { link, paramsHere } from "./places.js";

/** Draws a merged graph; `headings` are the titles of the left and the right side. */
export function drawGraph({ nodes, edges, truncated }, headings, signal) {
  const { places, neighbours, left } = arrange({ nodes, edges });
  const drawn = edges.filter(({ from, to }) => places.has(from) && places.has(to));
  const links = drawn.map((edge) => ({ ...edge, path: curve(edge, places) }));
  const scene = v("g");
  const boxes = new Map([...places].map(([key, at]) => [key, box(nodes.get(key), at, () => {
    scene.classList.add("far");
    for (const each of links) each.path.classList.toggle("near", each.from === key || each.to === key);
    for (const [other, each] of boxes) each.classList.toggle("near", other !== key && neighbours.get(key).includes(other));
  }, () => {
    scene.classList.remove("far");
    for (const each of [...links.map(({ path }) => path), ...boxes.values()]) each.classList.remove("near");
  })]));
  const tip = v("marker.tip", { id: "tip", viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
    v("path", { d: "M0 0L8 4L0 8z" }));
  scene.append(...links.map(({ path }) => path), ...titles(places, headings), ...boxes.values());
  const label = `Graph of ${plural(places.size, "node")} and ${plural(drawn.length, "edge")}; also listed below`;
  const picture = v("svg", { role: "group", "aria-label": label }, v("defs", tip), scene);
  const kinds = [...new Set(drawn.map((edge) => edge.kind))];
  const sample = (kind) => h("span", v("svg", { viewBox: "0 0 26 8" }, v(`path.link.${kind}`, { d: "M0 4H26" })), kind);
  const tooMany = left > 0 ? `Columns are limited to ${PER_COLUMN} nodes; the list has all.` : "Truncated: the graph has more nodes.";
  const rest = (truncated || left > 0) && h("p.meta", tooMany);
  const alone = places.size === 1 && h("p.strip", "No edges found. Try another relation or direction.");
  return h("div", alone, h("div.canvas", picture, h("div.legend", kinds.map(sample)), pannable(picture, [...places.values()], signal)), rest);
}

/** The title of each column but the centre. */
function titles(places, headings) {
  const tops = new Map();
  for (const { column, y } of places.values()) tops.set(column, Math.min(y, tops.get(column) ?? y));
  tops.delete(0);
  return [...tops].map(([column, top]) => {
    const steps = Math.abs(column) > 1 ? `, ${Math.abs(column)} steps` : "";
    return v("text.heading", { x: column * (WIDTH + BETWEEN) - WIDTH / 2, y: top - HEIGHT / 2 - 10 }, headings[column < 0 ? 0 : 1] + steps);
  });
}

function curve({ from, to, kind, line }, places) {
  const [a, b] = [places.get(from), places.get(to)];
  const [x1, x2] = [a.x + WIDTH / 2, b.x - WIDTH / 2];
  const bend = x2 > x1 ? (x2 - x1) / 2 : 60;
  const d = `M${x1} ${a.y}C${x1 + bend} ${a.y} ${x2 - bend} ${b.y} ${x2 - 4} ${b.y}`;
  return v(`path.link.${kind}${x2 > x1 ? "" : ".back"}`, { d, "marker-end": "url(#tip)" }, v("title", `${kind} at line ${line}`));
}

/** A node that links to its own graph; calls `near` when the pointer or focus enters, `far` when it leaves. */
function box(node, { x, y }, near, far) {
  const title = node.symbol || node.path.split("/").pop(), under = `${node.path}:${node.line}`;
  const cut = (text, most) => (text.length <= most ? text : "…" + text.slice(1 - most));
  const go = () => (location.hash = link("graph", node.symbol, { ...paramsHere(), path: node.path, to: null }));
  const attributes = {
    transform: `translate(${x} ${y})`, tabindex: 0, role: "link", "aria-label": `${node.kind} ${title}, ${under}`, ...item(node.symbol, node.path),
    onclick: go, onpointerenter: near, onpointerleave: far, onfocus: near, onblur: far, onkeydown: ({ key }) => key === "Enter" && go(),
  };
  return v(node.depth === 0 ? "g.node.centre" : "g.node", attributes, v("title", `${node.kind} ${title}\n${under}`),
    v("rect", { x: -WIDTH / 2, y: -HEIGHT / 2, width: WIDTH, height: HEIGHT, rx: 6 }),
    v("text.title", { x: 10 - WIDTH / 2, y: -3 }, cut(title, 27)), v("text.under", { x: 10 - WIDTH / 2, y: 13 }, cut(under, 29)));
}
