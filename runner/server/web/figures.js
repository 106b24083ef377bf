// Formats numbers.

export const count = (n) => Number(n ?? 0).toLocaleString("en");
export const plural = (n, one, many = one + "s") => `${count(n)} ${n === 1 ? one : many}`;
export const short = (n) => (Math.abs(n) >= 100 ? Math.round(n).toLocaleString("en") : String(Number(n.toPrecision(3))));

export function bytes(n) {
  const power = Math.min(3, Math.floor(Math.log(Math.max(1, n)) / Math.log(1024)));
  return `${short(n / 1024 ** power)} ${["bytes", "KiB", "MiB", "GiB"][power]}`;
}

export function time(ms) {
  if (ms < 1000) return `${short(ms)} ms`;
  return ms < 120_000 ? `${short(ms / 1000)} s` : `${short(ms / 60_000)} min`;
}

export function ago(ms) {
  const seconds = Math.max(0, (Date.now() - ms) / 1000);
  const [size, unit] = [[86_400, "d"], [3600, "h"], [60, "min"]].find(([size]) => seconds >= size) ?? [1, ""];
  return unit ? `${Math.floor(seconds / size)} ${unit} ago` : "just now";
}

export function inUnit(value, unit) {
  if (unit === "ms") return time(value);
  if (unit === "bytes") return bytes(value);
  return unit && unit !== "ratio" ? `${short(value)} ${unit}` : short(value);
}
