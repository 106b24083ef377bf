// The live indexing progress.

import { h, v } from "./dom.js";
import { bytes, count, plural, short } from "./figures.js";
import { failed, quiet } from "./parts.js";

const READS = "This server does not index: it serves the epochs that other processes commit. Start it with --watch to index.";

export const live = {
  /** The latest progress. */
  latest: null,

  /** Creates the element that shows the progress. */
  begin() {
    this.rows = null;
    this.element = h("div", quiet("Waiting for the status of the index."));
    if (this.latest) this.draw();
    return this.element;
  },

  /** Receives progress; null if the server does not watch the job. */
  hear(indexing) {
    this.latest = indexing;
    if (this.element?.isConnected) this.draw();
  },

  /** Draws the progress. Rates are differences between two events. */
  draw() {
    const now = this.latest;
    if (!now) {
      this.rows = null;
      return this.element.replaceChildren(quiet(READS));
    }
    if (now.state !== "indexing") {
      this.rows = null;
      const since = new Date(now.since_ms).toLocaleTimeString();
      const failure = { code: "failed", message: now.last_error ?? "the last run failed" };
      return this.element.replaceChildren(now.state === "failed" ? failed(failure) : quiet(`Up to date, watching for changes; idle since ${since}.`));
    }
    const at = performance.now();
    const names = now.stages.map((stage) => stage.name).join(" ");
    if (this.rows?.names !== names) this.layOut(now.stages, names);
    const far = now.contents_total ? `: ${count(now.contents_done)} of ${plural(now.contents_total, "content")}` : "";
    this.rows.line.textContent = `Indexing${far}`;
    now.stages.forEach((stage, nth) => {
      const row = this.rows.stages[nth], out = stage.items_out ?? stage.items_in ?? 0;
      const rate = row.at && out >= row.out && at > row.at ? ((out - row.out) * 1000) / (at - row.at) : 0;
      Object.assign(row, { at, out });
      row.rates = [...row.rates, rate].slice(-60);
      const whole = Math.max(stage.items_in ?? 0, out, stage.name === "embed" ? 0 : (now.contents_total ?? 0), 1);
      row.bar.style.setProperty("--part", out / whole);
      row.text.textContent = `${count(out)} · ${short(rate)}/s${stage.queue_bytes ? ` · ${bytes(stage.queue_bytes)} queued` : ""}`;
      const most = Math.max(...row.rates, 1);
      row.spark.setAttribute("points", row.rates.map((each, step) => `${step + 60 - row.rates.length},${23 - (each / most) * 21}`).join(" "));
    });
  },

  /** Creates a row for each stage. */
  layOut(stages, names) {
    const line = h("p.meta.number");
    const made = stages.map((stage) => {
      const bar = h("i", { "--part": 0 }), text = h("span.figures-of.number"), spark = v("polyline.spark", { points: "" });
      const label = `items per second of ${stage.name}, last 30 seconds`;
      const picture = v("svg", { viewBox: "0 0 60 24", preserveAspectRatio: "none", role: "img", "aria-label": label }, spark);
      const row = h("div.stage", h("span", stage.name), h("div.meter", bar), text, picture);
      return { bar, text, spark, row, rates: [], out: 0 };
    });
    this.rows = { names, line, stages: made };
    this.element.replaceChildren(line, ...made.map((each) => each.row));
  },
};
