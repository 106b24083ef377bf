// The selectors of job and ref, and the current epoch.

import { byId, h } from "./dom.js";
import { ago, count } from "./figures.js";
import { link, paramsHere, route } from "./places.js";

let jobs = [];

const jobHere = () => jobs.find((each) => each.name === route.params.get("job")) ?? jobs[0];

/** Receives the list of jobs. */
export function offer(found) {
  jobs = found;
  showWhere();
}

/** Receives a new epoch. */
export function advance({ epoch, committed_ms }) {
  const job = jobHere();
  if (job) Object.assign(job, { epoch, committed_ms });
  if (!route.params.has("epoch")) sayEpoch(epoch, committed_ms);
}

/** Updates the selectors and the epoch. */
export function showWhere() {
  const given = route.params, job = jobHere();
  const fill = (select, options, chosen) => {
    select.hidden = options.length < 2;
    select.replaceChildren(...options.map((option) => h("option", { value: option, selected: option === chosen }, option)));
  };
  fill(byId("job"), jobs.map((each) => each.name), job?.name);
  fill(byId("ref"), (job?.refs ?? []).map((each) => each.name ?? each), given.get("ref"));
  const pinned = Number(given.get("epoch"));
  if (pinned) sayEpoch(pinned);
  else if (job) sayEpoch(job.epoch, job.committed_ms);
  const newest = link(route.view, route.name, { ...paramsHere(), epoch: null });
  Object.assign(byId("epoch"), pinned ? { href: newest, title: "Go to the newest epoch" } : { href: link("index"), title: "Index status and runs" });
  byId("epoch").classList.toggle("pinned", Boolean(pinned));
  for (const each of document.querySelectorAll("nav [data-view]")) each.href = link(each.dataset.view);
}

function sayEpoch(epoch, committed) {
  const text = epoch ? `epoch ${count(epoch)}` : "no epoch yet";
  byId("epoch").textContent = committed && innerWidth > 600 ? `${text}, ${ago(committed)}` : committed ? text : `${text} ×`;
}

for (const key of ["job", "ref"]) {
  byId(key).addEventListener("change", ({ target }) => {
    // A file or symbol may not exist in the other index, so only searches and the index view are kept.
    const keeps = ["search", "index"].includes(route.view);
    const elsewhere = { at: null, epoch: null, ...(key === "job" && { ref: null }), [key]: target.value };
    location.hash = link(keeps ? route.view : "search", "", { ...(keeps && paramsHere()), ...elsewhere });
  });
}
