// The layout of a graph.

/** The size of a node, and the gap between two columns. */
export const [WIDTH, HEIGHT, BETWEEN] = [216, 40, 96];
const GAP = 10;

/** Maximum number of nodes in a column. */
export const PER_COLUMN = 24;

/** Merges the answers of both directions. A node's column is its distance to the left (side 0) or right. */
export function merge(answers) {
  const nodes = new Map(), edges = new Map();
  for (const [side, found] of answers) {
    const keys = new Map();
    for (const node of found.nodes) {
      const key = `${node.path}\n${node.symbol}`;
      keys.set(node.id, key);
      const known = nodes.get(key), column = side === 0 ? -node.depth : node.depth;
      if (!known || Math.abs(known.column) > node.depth) nodes.set(key, { ...node, column });
    }
    for (const edge of found.edges) {
      const [from, to] = [keys.get(edge.from), keys.get(edge.to)];
      if (from !== to) edges.set(`${from}\n${to}\n${edge.kind}`, { ...edge, from, to });
    }
  }
  return { nodes, edges: [...edges.values()], truncated: answers.some(([, found]) => found.truncated) };
}

/** Returns positions and neighbours by node key, and how many nodes the fullest column leaves out. */
export function arrange({ nodes, edges }) {
  const columns = new Map();
  for (const [key, { column }] of nodes) {
    if (!columns.has(column)) columns.set(column, []);
    columns.get(column).push(key);
  }
  const neighbours = new Map([...nodes.keys()].map((key) => [key, []]));
  for (const { from, to } of edges) {
    neighbours.get(from)?.push(to);
    neighbours.get(to)?.push(from);
  }
  const places = new Map();
  const middle = (key) => {
    const near = neighbours.get(key).map((other) => places.get(other)?.y).filter((y) => y !== undefined);
    return near.length ? near.reduce((sum, y) => sum + y, 0) / near.length : 0;
  };
  let left = 0;
  // From the centre outwards; each column is sorted by the mean position of its neighbours.
  for (const column of [...columns.keys()].sort((a, b) => Math.abs(a) - Math.abs(b))) {
    const order = columns.get(column).map((key) => [middle(key), key]).sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1));
    const kept = order.slice(0, PER_COLUMN);
    const top = -((kept.length - 1) * (HEIGHT + GAP)) / 2;
    kept.forEach(([, key], nth) => places.set(key, { column, x: column * (WIDTH + BETWEEN), y: top + nth * (HEIGHT + GAP) }));
    left = Math.max(left, order.length - kept.length);
  }
  return { places, neighbours, left };
}
