// Requests to the server.

import { byId } from "./dom.js";
import { route } from "./places.js";

/** An error response of the server. */
export class Failure extends Error {
  constructor({ code = "unknown", message = "the server sent no error message", help } = {}) {
    super(message);
    Object.assign(this, { code, help });
  }
}

const TOKEN = "gristmill-token";
let asking = null;

/** Prompts for a token, once for all requests that wait for one. */
function newToken() {
  asking ??= new Promise((resolve) => {
    const dialog = byId("token");
    dialog.showModal();
    dialog.addEventListener("close", () => {
      const token = byId("token-text").value.trim();
      byId("token-text").value = "";
      sessionStorage.setItem(TOKEN, token);
      // Without a token there is no new prompt until the page is reloaded.
      if (token) asking = null;
      resolve(token);
    }, { once: true });
  });
  return asking;
}

/** Sends a request, with the token if there is one. */
export async function request(path, { body, signal } = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...(token && { authorization: `Bearer ${token}` }), ...(body && { "content-type": "application/json" }) };
  let response;
  try {
    response = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure({ code: "unreachable", message: "cannot reach the server", help: "check that `gristmill serve` is running" });
  }
  if (response.status === 401) {
    if (await newToken()) return request(path, { body, signal });
    throw new Failure({ code: "unauthorised", message: "missing bearer token", help: "reload the page to enter one" });
  }
  if (!response.ok) throw new Failure((await response.json().catch(() => null))?.error);
  return response;
}

/** GETs a route as JSON. */
export const get = async (path, signal) => (await request(path, { signal })).json();

/** The job, ref and epoch to query, from the URL. */
export function place() {
  const given = route.params;
  const epoch = Number(given.get("epoch"));
  return { ...(given.get("job") && { job: given.get("job") }), ...(given.get("ref") && { ref: given.get("ref") }), ...(epoch && { epoch }) };
}

/** Calls tools on one epoch: `[["search", {…}], …]`. */
export async function ask(calls, signal) {
  byId("busy").classList.add("on");
  try {
    const body = { calls: calls.map(([tool, input]) => ({ tool, input })), ...place() };
    return await (await request("v1/ask", { body, signal })).json();
  } finally {
    byId("busy").classList.remove("on");
  }
}

/** The answer of a call; throws its error. */
export function answer(response, nth = 0) {
  const { answer: found, error } = response.answers[nth];
  if (error) throw new Failure(error);
  return found;
}

/** The answer of a call, or undefined if it failed. */
export const answerIfAny = (response, nth) => response.answers[nth]?.answer;

/** The error message of a call, or `otherwise` if it succeeded. */
export const reason = (response, nth, otherwise) => response.answers[nth].error?.message ?? otherwise;

/** A route with the parameter of the current job. */
export function ofJob(path) {
  const { job } = place();
  return path + (job ? `?job=${encodeURIComponent(job)}` : "");
}
