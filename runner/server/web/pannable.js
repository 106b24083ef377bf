// Pan and zoom.

import { h } from "./dom.js";
import { HEIGHT, WIDTH } from "./graph_layout.js";

/** Lets a picture be dragged and zoomed; returns the zoom buttons. */
export function pannable(picture, places, signal) {
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  const [left, right] = [Math.min(...xs) - WIDTH / 2 - 24, Math.max(...xs) + WIDTH / 2 + 24];
  const [top, bottom] = [Math.min(...ys) - HEIGHT / 2 - 36, Math.max(...ys) + HEIGHT / 2 + 36];
  const view = { x: 0, y: 0, scale: 1 };
  const apply = () => {
    const [width, height] = [picture.clientWidth / view.scale, picture.clientHeight / view.scale];
    if (width) picture.setAttribute("viewBox", `${view.x - width / 2} ${view.y - height / 2} ${width} ${height}`);
  };
  const fit = () => {
    const { clientWidth: width, clientHeight: height } = picture;
    // Smaller names would be illegible: shows the part around the centre instead.
    view.scale = Math.min(1.1, Math.max(0.85, Math.min(width / (right - left), height / (bottom - top))));
    const around = (low, high, size) => {
      const half = size / view.scale / 2;
      return high - low <= 2 * half ? (low + high) / 2 : Math.min(high - half, Math.max(low + half, 0));
    };
    Object.assign(view, { x: around(left, right, width), y: around(top, bottom, height) });
    apply();
  };
  const zoom = (by) => {
    view.scale = Math.min(3, Math.max(0.15, view.scale * by));
    apply();
  };
  const sizes = new ResizeObserver(fit);
  sizes.observe(picture);
  signal.addEventListener("abort", () => sizes.disconnect());
  let held = null;
  picture.addEventListener("pointerdown", (event) => (held = { x: event.clientX, y: event.clientY, moved: 0 }));
  picture.addEventListener("pointermove", (event) => {
    if (!held || !event.buttons) return (held = null);
    held.moved += Math.abs(event.clientX - held.x) + Math.abs(event.clientY - held.y);
    if (held.moved < 5) return;
    picture.setPointerCapture(event.pointerId);
    picture.classList.add("held");
    Object.assign(view, { x: view.x - (event.clientX - held.x) / view.scale, y: view.y - (event.clientY - held.y) / view.scale });
    Object.assign(held, { x: event.clientX, y: event.clientY });
    apply();
  });
  picture.addEventListener("pointerup", () => picture.classList.remove("held"));
  picture.addEventListener("focusin", ({ target }) => {
    const box = target.getBoundingClientRect(), frame = picture.getBoundingClientRect();
    if (box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom) return;
    const [, x, y] = /\((\S+) (\S+)\)/.exec(target.getAttribute("transform"));
    Object.assign(view, { x: Number(x), y: Number(y) });
    apply();
  });
  // Without a modifier key the wheel scrolls the page.
  picture.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300));
  }, { passive: false });
  const button = (text, label, act) => h("button.quiet", { "aria-label": label, title: label, onclick: act }, text);
  return h("div.zoom", button("−", "Zoom out", () => zoom(0.8)), button("+", "Zoom in", () => zoom(1.25)), button("⤢", "Fit to view", fit));
}
