// Server-sent events.

import { ofJob, request } from "./api.js";

/** Reads server-sent events with `fetch`, as `EventSource` cannot send a token. Reconnects with backoff. */
export async function follow(signal, hear) {
  let pause = 1000;
  while (!signal.aborted) {
    try {
      const response = await request(ofJob("v1/events"), { signal });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
        pause = 1000;
        const events = (text + value).split(/\r?\n\r?\n/);
        text = events.pop();
        for (const event of events) {
          const lines = event.split(/\r?\n/);
          const of = (name) => lines.filter((line) => line.startsWith(name + ":")).map((line) => line.slice(name.length + 1).trim());
          const field = (name) => of(name).join("\n");
          if (field("data")) hear(field("event"), JSON.parse(field("data")));
        }
      }
    } catch {
      // Disconnected: reconnects below.
    }
    if (signal.aborted) return;
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, 30_000);
  }
}
