// Asking the server.

import { byId } from "./dom.js";
import { route } from "./places.js";

/** What went wrong, as the server tells it. */
export class Failure extends Error {
  constructor({ code = "unknown", message = "the server gave no reason", help } = {}) {
    super(message);
    Object.assign(this, { code, help });
  }
}

const TOKEN = "gristmill-token";
let asking = null;

/** Asks for a token, once for all requests that wait for one. */
function newToken() {
  asking ??= new Promise((resolve) => {
    const dialog = byId("token");
    dialog.showModal();
    dialog.addEventListener("close", () => {
      const token = byId("token-text").value.trim();
      byId("token-text").value = "";
      sessionStorage.setItem(TOKEN, token);
      // Who gives none is asked again when the page is loaded again.
      if (token) asking = null;
      resolve(token);
    }, { once: true });
  });
  return asking;
}

/** Asks a route, with the token if there is one. */
export async function request(path, { body, signal } = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...(token && { authorization: `Bearer ${token}` }), ...(body && { "content-type": "application/json" }) };
  let response;
  try {
    response = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure({ code: "unreachable", message: "the server does not answer", help: "is `gristmill serve` still running?" });
  }
  if (response.status === 401) {
    if (await newToken()) return request(path, { body, signal });
    throw new Failure({ code: "unauthorised", message: "this server wants a token", help: "load the page again to give one" });
  }
  if (!response.ok) throw new Failure((await response.json().catch(() => null))?.error);
  return response;
}

/** What a route gives, as JSON. */
export const get = async (path, signal) => (await request(path, { signal })).json();

/** Which index is asked, and which of its epochs. */
export function place() {
  const given = route.params;
  const epoch = Number(given.get("epoch"));
  return { ...(given.get("job") && { job: given.get("job") }), ...(given.get("ref") && { ref: given.get("ref") }), ...(epoch && { epoch }) };
}

/** Calls tools, all about one epoch: `[["search", {…}], …]`. */
export async function ask(calls, signal) {
  byId("busy").classList.add("on");
  try {
    const body = { calls: calls.map(([tool, input]) => ({ tool, input })), ...place() };
    return await (await request("v1/ask", { body, signal })).json();
  } finally {
    byId("busy").classList.remove("on");
  }
}

/** The answer of a call, or its error thrown. */
export function answer(response, nth = 0) {
  const { answer: found, error } = response.answers[nth];
  if (error) throw new Failure(error);
  return found;
}

/** The answer of a call without which the rest can be shown. */
export const answerIfAny = (response, nth) => response.answers[nth]?.answer;

/** Why a call has no answer, or what its answer lacks. */
export const reason = (response, nth, otherwise) => response.answers[nth].error?.message ?? otherwise;

/** A route of the job that is asked. */
export function ofJob(path) {
  const { job } = place();
  return path + (job ? `?job=${encodeURIComponent(job)}` : "");
}
