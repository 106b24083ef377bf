// Code: lines with numbers, syntax colours and highlights.

import { h } from "./dom.js";
import { tokensOf } from "./highlight.js";
import { fileLink } from "./places.js";

/** Appends a range of a text to an element, with coloured tokens and highlights. */
export function paint(into, text, from, to, tokens, marks, withNames) {
  const leaf = (start, end, kind, isMarked) => {
    const piece = text.slice(start, end);
    const shown = kind === "i" && !withNames ? "" : kind;
    into.append(isMarked ? h(shown ? `mark.${shown}` : "mark", piece) : shown ? h(`span.${shown}`, piece) : piece);
  };
  const put = (start, end, kind) => {
    if (start >= end) return;
    const mark = marks.find(([first, last]) => first < end && last > start);
    if (!mark) return leaf(start, end, kind, false);
    const [first, last] = [Math.max(start, mark[0]), Math.min(end, mark[1])];
    put(start, first, kind);
    leaf(first, last, kind, true);
    put(last, end, kind);
  };
  let low = 0;
  for (let high = tokens.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (tokens[middle][1] <= from) low = middle + 1;
    else high = middle;
  }
  let at = from;
  for (; low < tokens.length && tokens[low][0] < to; low++) {
    const [start, end, kind] = tokens[low];
    put(at, Math.max(from, start), "");
    put(Math.max(from, start), Math.min(to, end), kind);
    at = Math.min(to, end);
  }
  put(at, to, "");
}

/** Converts ascending UTF-8 byte ranges to ranges of the string. */
export function fromBytes(text, ranges) {
  let byte = 0, at = 0;
  const reach = (wanted) => {
    while (byte < wanted && at < text.length) {
      const point = text.codePointAt(at);
      byte += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      at += point > 0xffff ? 2 : 1;
    }
    return at;
  };
  return (ranges ?? []).map(([from, to]) => [reach(from), reach(to)]);
}

/** A line with its number, which links to it. */
export function codeLine(path, number, painted) {
  const href = fileLink(path, number);
  return h("div.line", { "data-line": number }, h("a.no", { "data-no": number, href, tabindex: -1, "aria-label": `line ${number}` }), painted);
}

/** Some lines of a file. */
export function excerpt(path, language, text, start, marks = []) {
  const tokens = tokensOf(text, language, true);
  const box = h("div.code");
  let from = 0;
  for (const line of text.split("\n")) {
    const source = h("span");
    paint(source, text, from, from + line.length, tokens, marks);
    box.append(codeLine(path, start++, source));
    from += line.length + 1;
  }
  return box;
}
