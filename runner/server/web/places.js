// The state of the page is in the URL fragment, so that it can be linked to and the back button
// works: `#/search?q=…`, `#/file/PATH?lines=3-9`, `#/symbol/NAME`, `#/graph/NAME`,
// `#/files/FOLDER`, `#/index`.

const VIEWS = new Set(["search", "file", "symbol", "graph", "files", "index"]);

/** The parsed URL: view, name and parameters. */
export let route = parse(location.hash);

/** Parses the URL again. */
export function arrive() {
  route = parse(location.hash);
}

function parse(hash) {
  const [path, query] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  const [view, ...rest] = path.split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { view: VIEWS.has(view) ? view : "search", name: rest.join("/"), params: new URLSearchParams(query ?? "") };
}

/** A link within the page. Keeps job, ref and epoch. */
export function link(view, name = "", given = {}) {
  const params = new URLSearchParams();
  const kept = Object.fromEntries(["job", "ref", "epoch"].map((key) => [key, route.params.get(key)]));
  for (const [key, value] of Object.entries({ ...kept, ...given })) {
    for (const each of [value].flat()) if (each !== undefined && each !== null && each !== "") params.append(key, each);
  }
  const path = name.split("/").map(encodeURIComponent).join("/");
  return `#/${view}${path || view === "files" ? "/" + path : ""}${params.size ? "?" + params : ""}`;
}

export const fileLink = (path, from, to, more = {}) =>
  link("file", path, { lines: from && (to && to > from ? `${from}-${to}` : `${from}`), ...more });
export const symbolLink = (symbol) => link("symbol", symbol.qualified_name ?? symbol.symbol, { path: symbol.path });
export const graphLink = (name, path) => link("graph", name, { path });

export const paramsHere = () => Object.fromEntries([...route.params.keys()].map((key) => [key, route.params.getAll(key)]));

/** Changes parameters of the URL without a history entry. */
export function amend(params) {
  const { view, name } = route;
  const next = link(view, name, { ...paramsHere(), ...params });
  if (next === location.hash) return;
  history.replaceState(history.state, "", next);
  route = parse(next);
}

/** Changes parameters of the URL, and navigates. */
export function revise(params) {
  amend(params);
  dispatchEvent(new Event("hashchange"));
}
