// Creates and finds elements. Data is inserted as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";
export const byId = (id) => document.getElementById(id);
export const main = byId("main");

const isNothing = (value) => value === null || value === undefined || value === false;

/** An element: `tag.class.class`, attributes if any (`on…` listens, `--…` is a CSS variable), children. */
export const h = (tag, ...rest) => dress((name) => document.createElement(name), tag, rest);

/** The same within an SVG. */
export const v = (tag, ...rest) => dress((name) => document.createElementNS(SVG, name), tag, rest);

function dress(create, tag, rest) {
  const [name, ...classes] = tag.split(".");
  const element = create(name);
  element.classList.add(...classes);
  const hasAttributes = rest[0]?.constructor === Object;
  for (const [name, value] of Object.entries(hasAttributes ? rest[0] : {})) {
    if (isNothing(value)) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  const children = rest.slice(hasAttributes ? 1 : 0).flat(Infinity);
  element.append(...children.filter((child) => !isNothing(child)));
  return element;
}

/** Announces a text to screen readers. */
export const say = (text) => (byId("said").textContent = text);
