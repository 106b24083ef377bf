// The view of the index: status, progress, runs and epochs.

import { answer, answerIfAny, ask, get, ofJob, reason } from "./api.js";
import { h, main } from "./dom.js";
import { epochList } from "./epochs.js";
import { ago, bytes, count, short, time } from "./figures.js";
import { live } from "./live.js";
import { failed, grid, panel, quiet } from "./parts.js";
import { plot } from "./plot.js";

const METRICS = {
  wall_ms: "wall time", cpu_ms: "CPU time", scan_ms: "scan", process_ms: "process", publish_ms: "publish",
  overlap_efficiency: "overlap efficiency", peak_memory_bytes: "peak memory", files_changed: "files changed", passages_embedded: "passages embedded",
};
const NO_REPORT = "No run reports.";

export const index = {
  title: () => "Index",

  async show(signal) {
    this.signal = signal;
    this.figures = h("dl.figures");
    this.lastError = h("div");
    this.parts = { stages: h("div"), list: h("div"), runs: h("div"), throughput: h("div") };
    const { stages, list, runs, throughput } = this.parts;
    main.replaceChildren(h("div.stack", h("div", this.lastError, this.figures), panel("Indexing", live.begin()),
      h("div.pair", panel("Runs", runs), panel("Throughput", throughput)), panel("Stages in recent runs", stages), panel("Epochs", list)));
    this.plots = [];
    await this.load();
  },

  async load() {
    const { signal } = this;
    const { stages, list, runs, throughput } = this.parts;
    const [status, response] = await Promise.all([
      get(ofJob("v1/status"), signal).catch((error) => ({ error })),
      ask([["history_recent", { epochs: 20 }], ["metric_aggregate", { runs: 50 }]], signal)]);
    if (status.error) this.lastError.replaceChildren(failed(status.error));
    else {
      this.status(status);
      live.hear(status.indexing);
    }
    const { answer: history, error } = response.answers[0];
    const open = new Set([...list.querySelectorAll("[open]")].map((each) => each.dataset.epoch));
    list.replaceChildren(history ? epochList(history.epochs, open, signal) : failed(error));
    const measures = answerIfAny(response, 1)?.stages ?? [];
    stages.replaceChildren(measures.length ? stageTable(measures) : quiet(reason(response, 1, NO_REPORT)));
    if (this.plots.length) return this.plots.forEach((draw) => draw());
    const names = measures.map((each) => each.stage);
    this.plots.push(this.series(runs, Object.entries(METRICS).map(([metric, text]) => [text, { metric }])));
    const choices = names.map((stage) => [stage, { metric: "stage_items_per_second", stage }]);
    if (names.length) this.plots.push(this.series(throughput, choices, Math.max(0, names.indexOf("parse"))));
    else throughput.replaceChildren(quiet(NO_REPORT));
  },

  /** Shows the status. */
  status(status) {
    const coverage = status.coverage ?? {}, calls = status.calls ?? {};
    const { chunks = 0, vectors = 0 } = coverage;
    const part = chunks ? `${((vectors / chunks) * 100).toFixed(vectors === chunks ? 0 : 1)} % of chunks` : "";
    const figure = (title, value, under) => h("div", h("dt", title), h("dd", value, under ? h("small", under) : null));
    const since = status.epoch_lag ? `${status.epoch_lag} behind` : status.committed_ms && ago(status.committed_ms);
    this.figures.replaceChildren(...[
      figure("Epoch", status.epoch ? count(status.epoch) : "none", since),
      figure("Files", count(coverage.files)), figure("Chunks", count(chunks)), figure("Vectors", count(vectors), part),
      status.memory_bytes && figure("Memory", bytes(status.memory_bytes)),
      figure("Calls", count(calls.running), `${count(calls.waiting)} waiting, limit ${count(calls.max)}`),
    ].filter(Boolean));
    this.lastError.replaceChildren(...(status.last_error ? [failed({ code: "error", message: status.last_error })] : []));
  },

  /** A plot with a choice of metrics; returns the function that redraws it. */
  series(into, choices, chosen = 0) {
    const { signal } = this;
    const figure = h("div");
    const options = choices.map(([text], nth) => h("option", { value: nth, selected: nth === chosen }, text));
    const select = h("select", { "aria-label": "Metric", onchange: () => draw() }, options);
    const draw = async () => {
      const [text, input] = choices[select.value];
      try {
        const found = answer(await ask([["metric_series", { ...input, runs: 60 }]], signal));
        figure.replaceChildren(found.points.length ? plot(found, text, input.stage ? "line" : "bars", signal) : quiet(NO_REPORT));
      } catch (error) {
        if (!signal.aborted) figure.replaceChildren(failed(error));
      }
    };
    into.replaceChildren(select, figure);
    draw();
    return draw;
  },

  /** Reloads the view for a new epoch. */
  epoch() {
    this.load().catch(() => {});
  },
};

/** Busy times and throughput by stage. */
function stageTable(stages) {
  const columns = ["Runs", "Items", "Items/s", "Busy", "Median", "95 %"].map((title) => [title, ".number"]);
  return grid("", [["Stage"], ...columns], stages.map(({ stage, runs, items, items_per_second: rate, busy_ms: busy }) =>
    [stage, count(runs), count(items), rate ? short(rate) : "", time(busy.sum), time(busy.p50), time(busy.p95)]));
}
