// Plots of values over runs.

import { h, v } from "./dom.js";
import { ago, inUnit, plural, short } from "./figures.js";

/** Plots values over runs, oldest first; on a logarithmic scale if they differ by more than a factor of 40. */
export function plot({ points, unit }, label, shape, signal) {
  const values = points.map((point) => point.value);
  const [most, least] = [Math.max(...values), Math.min(...values.filter((value) => value > 0), Infinity)];
  const isLog = most / least > 40, isBars = shape === "bars" && !isLog;
  const tip = h("div.tip-box", { hidden: true });
  const [lowest, highest, last] = [Math.min(...values), most, values.at(-1)].map((value) => inUnit(value, unit));
  const summary = `${label} over ${plural(points.length, "run")}: minimum ${lowest}, maximum ${highest}, latest ${last}`;
  const picture = v("svg", { role: "group", "aria-label": summary });
  const box = h("figure.plot", picture, tip);
  const draw = () => {
    const [width, height] = [picture.clientWidth, picture.clientHeight];
    if (!width) return;
    const [left, top, right, bottom] = [58, 24, width - 8, height - 34];
    const onAxis = (tick) => (unit === "ms" || unit === "bytes" ? inUnit(tick, unit) : short(tick));
    const ticks = isLog ? powers(least, most) : steps(most);
    const [floor, ceiling] = isLog ? [ticks[0], Math.max(ticks.at(-1), most)] : [0, Math.max(ticks.at(-1), most)];
    const scale = (value) => (isLog ? Math.log(Math.max(value, floor) / floor) / Math.log(ceiling / floor) : value / ceiling);
    const y = (value) => bottom - scale(value) * (bottom - top);
    const slot = (right - left) / points.length;
    const x = (nth) => left + (nth + 0.5) * slot;
    const rules = ticks.map((tick) => [
      v("path.rule", { d: `M${left} ${y(tick)}H${right}` }), v("text", { x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, onAxis(tick)),
    ]);
    const every = Math.ceil(points.length / Math.max(2, Math.floor((right - left) / 56)));
    const marks = points.map((point, nth) => {
      const middle = y(point.value);
      const show = () => {
        tip.textContent = `run ${point.run}, epoch ${point.epoch}: ${inUnit(point.value, unit)}, ${ago(point.started_ms)}`;
        tip.hidden = false;
        const half = tip.offsetWidth / 2;
        tip.style.setProperty("--x", `${Math.min(width - half, Math.max(half, x(nth)))}px`);
        tip.style.setProperty("--y", `${middle - 10}px`);
      };
      const hide = () => (tip.hidden = true);
      const wide = Math.max(2, Math.min(26, slot * 0.7));
      const mark = isBars
        ? v("rect.bar", { x: x(nth) - wide / 2, y: middle, width: wide, height: Math.max(1, bottom - middle), rx: 1.5 })
        : v("circle.dot", { cx: x(nth), cy: middle, r: 3 });
      const attributes = { tabindex: 0, role: "img", "aria-label": `run ${point.run}: ${inUnit(point.value, unit)}` };
      return v("g.point", { ...attributes, onpointerenter: show, onpointerleave: hide, onfocus: show, onblur: hide },
        v("rect.hit-area", { x: x(nth) - slot / 2, y: top, width: slot, height: bottom - top }), mark,
        nth % every === 0 && v("text", { x: x(nth), y: bottom + 16, "text-anchor": "middle" }, point.run));
    });
    const curve = isBars ? [] : [v("polyline.curve", { points: points.map((point, nth) => `${x(nth)},${y(point.value)}`).join(" ") })];
    const title = label + (/^(ms|bytes|ratio)$/.test(unit) ? "" : `, ${unit}`) + (isLog ? ", logarithmic" : "");
    const axes = [v("text", { x: (left + right) / 2, y: height - 3, "text-anchor": "middle" }, "run"), v("text", { x: 0, y: 10 }, title)];
    picture.replaceChildren(...rules.flat(), ...curve, ...marks, ...axes);
  };
  const sizes = new ResizeObserver(draw);
  sizes.observe(picture);
  signal.addEventListener("abort", () => sizes.disconnect());
  return box;
}

/** The ticks of a linear axis. */
function steps(most) {
  const rough = (most || 1) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough);
  return [0, 1, 2, 3, 4].map((nth) => nth * step);
}

/** The ticks of a logarithmic axis. */
function powers(least, most) {
  const ticks = [];
  for (let tick = 10 ** Math.floor(Math.log10(least)); ticks.length < 12; tick *= 10) {
    ticks.push(tick);
    if (tick >= most) break;
  }
  return ticks;
}
