//! The tools `graph_expand` and `graph_path`: walks over the reference graph.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;

use gristmill_query::{ErrorCode, SymbolRows, Tool, ToolContext, ToolError, in_range, quote};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::definitions;
use crate::evidence::Evidence;
use crate::links::{Direction, Link, Links, Node, node_of};
use crate::search::is_secondary;

/// The maximum number of definitions of a name to start from.
const MAX_STARTS: usize = 5;

/// The input of `graph_expand`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct GraphExpand {
    /// The definition to start from, unqualified or qualified; omit it to start from a file.
    #[arg(value_name = "NAME")]
    pub symbol: Option<String>,
    /// The file of the definition, or the file to start from.
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// Which references to follow, and in which direction.
    #[arg(long, value_enum, default_value_t)]
    pub direction: Direction,
    /// Number of steps, between 1 and 6; default: 1.
    #[arg(long, value_name = "N")]
    pub depth: Option<usize>,
    /// Maximum number of references to follow per node, between 1 and 500; default: 50.
    #[arg(long, value_name = "N")]
    pub fan_out: Option<usize>,
    /// Maximum number of nodes, between 1 and 2000; default: 200.
    #[arg(short = 'k', long, value_name = "N")]
    pub limit: Option<usize>,
    /// Minimum confidence of the references to follow, in percent; default: 80.
    #[arg(long, value_name = "PERCENT")]
    pub min_confidence: Option<usize>,
}

/// A definition or file in the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GraphNode {
    /// The id, as in the edges.
    pub id: usize,
    /// The file.
    pub path: String,
    /// The qualified name; empty for a file.
    pub symbol: String,
    /// The kind, such as `function`, or `file`.
    pub kind: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The number of steps from the start.
    pub depth: usize,
}

/// A reference from one node to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GraphEdge {
    /// The id of the referencing node.
    pub from: usize,
    /// The id of the referenced node.
    pub to: usize,
    /// `call`, `implements`, `mention` or `import`.
    pub kind: String,
    /// The line of the reference.
    pub line: u32,
    /// How it was resolved.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// The answer of `graph_expand` and `graph_path`: a part of the reference graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GraphAnswer {
    /// The nodes, starting with those of the query.
    pub nodes: Vec<GraphNode>,
    /// The edges between them.
    pub edges: Vec<GraphEdge>,
    /// Whether a limit left something out.
    pub truncated: bool,
}

impl Tool for GraphExpand {
    const NAME: &'static str = "graph_expand";
    const ABOUT: &'static str = "Walk the reference graph from a definition or file. Follows callers, callees, imports, \
        imported_by, implements, implemented_by, or all references (uses, used_by), up to 6 steps deep.";
    const OF_EPOCH: bool = true;
    type Answer = GraphAnswer;

    fn answer(self, context: &ToolContext<'_>) -> Result<GraphAnswer, ToolError> {
        let depth = in_range("depth", self.depth.unwrap_or(1), 1..=6)?;
        let fan_out = in_range("fan_out", self.fan_out.unwrap_or(50), 1..=500)?;
        let limit = in_range("limit", self.limit.unwrap_or(200), 1..=2000)?;
        let links = Links::new(context, self.min_confidence)?;
        let mut subgraph = Subgraph { limit, ..Subgraph::default() };
        let mut queue: VecDeque<(Node, usize)> = VecDeque::new();
        let starts = match (self.symbol.as_deref(), self.path.as_deref()) {
            (Some(name), None) => ends_of(context, name)?,
            (symbol, path) => starts(context, symbol, path)?,
        };
        for start in starts {
            if subgraph.add(&start, 0).is_some() {
                queue.push_back((start, 0));
            }
        }
        while let Some((node, steps)) = queue.pop_front() {
            if steps == depth {
                continue;
            }
            let found = links.of(&node, self.direction)?;
            subgraph.truncated |= found.len() > fan_out;
            for link in found.into_iter().take(fan_out) {
                let is_new = !subgraph.ids.contains_key(&link.to);
                if subgraph.add(&link.to, steps + 1).is_none() {
                    continue;
                }
                subgraph.connect(&node, &link, self.direction);
                if is_new {
                    queue.push_back((link.to, steps + 1));
                }
            }
        }
        links.tell_left_out();
        subgraph.describe(context)
    }

    fn render(answer: &GraphAnswer) -> String {
        render(answer)
    }
}

/// The input of `graph_path`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct GraphPath {
    /// The start: a name, unqualified or qualified, or a path.
    #[arg(value_name = "FROM")]
    pub from: String,
    /// The end: a name, unqualified or qualified, or a path.
    #[arg(value_name = "TO")]
    pub to: String,
    /// Maximum number of steps, between 1 and 12.
    #[serde(default = "default_depth")]
    #[arg(long, default_value_t = default_depth(), value_name = "N")]
    pub max_depth: usize,
    /// Minimum confidence of the references to follow, in percent; default: 80.
    #[serde(default)]
    #[arg(long, value_name = "PERCENT")]
    pub min_confidence: Option<usize>,
}

fn default_depth() -> usize {
    8
}

/// The maximum number of nodes that a path search visits.
const MAX_VISITED: usize = 20_000;

impl Tool for GraphPath {
    const NAME: &'static str = "graph_path";
    const ABOUT: &'static str = "Find a shortest path in the reference graph from one definition or file to another. Follows \
        calls, mentions, imports and implementations.";
    const OF_EPOCH: bool = true;
    type Answer = GraphAnswer;

    fn answer(self, context: &ToolContext<'_>) -> Result<GraphAnswer, ToolError> {
        let depth = in_range("max_depth", self.max_depth, 1..=12)?;
        let links = Links::new(context, self.min_confidence)?;
        let ends = ends_of(context, &self.to)?;
        let is_end =
            |node: &Node| ends.contains(node) || ends.iter().any(|end| end.symbol.is_empty() && end.path == node.path);
        // The predecessor of each visited node.
        let mut reached: HashMap<Node, Option<(Node, Link)>> = HashMap::new();
        let mut queue: VecDeque<(Node, usize)> = VecDeque::new();
        for start in ends_of(context, &self.from)? {
            reached.insert(start.clone(), None);
            queue.push_back((start, 0));
        }
        while let Some((node, steps)) = queue.pop_front() {
            if is_end(&node) && steps > 0 {
                return path_to(context, &reached, node);
            }
            if steps == depth {
                continue;
            }
            for link in links.of(&node, Direction::Uses)? {
                if reached.len() >= MAX_VISITED {
                    context.note("node_limit", format!("no path found within the nearest {MAX_VISITED} definitions"));
                    return Ok(GraphAnswer { truncated: true, ..GraphAnswer::default() });
                }
                if !reached.contains_key(&link.to) {
                    reached.insert(link.to.clone(), Some((node.clone(), link.clone())));
                    queue.push_back((link.to, steps + 1));
                }
            }
        }
        links.tell_left_out();
        Ok(GraphAnswer::default())
    }

    fn render(answer: &GraphAnswer) -> String {
        if answer.nodes.is_empty() { "no path found\n".into() } else { render(answer) }
    }
}

/// Returns the path to a node.
fn path_to(
    context: &ToolContext<'_>,
    reached: &HashMap<Node, Option<(Node, Link)>>,
    end: Node,
) -> Result<GraphAnswer, ToolError> {
    let mut steps = Vec::new();
    let mut node = end;
    while let Some(Some((before, link))) = reached.get(&node) {
        steps.push((before.clone(), link.clone()));
        node = before.clone();
    }
    let mut subgraph = Subgraph { limit: usize::MAX, ..Subgraph::default() };
    subgraph.add(&node, 0);
    for (depth, (before, link)) in steps.into_iter().rev().enumerate() {
        subgraph.add(&link.to, depth + 1);
        subgraph.connect(&before, &link, Direction::Uses);
    }
    subgraph.describe(context)
}

/// Returns the nodes of a path, or else of a name.
fn ends_of(context: &ToolContext<'_>, name: &str) -> Result<Vec<Node>, ToolError> {
    if context.file(name)?.is_some() {
        return starts(context, None, Some(name));
    }
    starts(context, Some(name), None)
}

/// Returns the nodes to start from.
fn starts(context: &ToolContext<'_>, symbol: Option<&str>, path: Option<&str>) -> Result<Vec<Node>, ToolError> {
    let path = path.map(|path| context.require_file(path)).transpose()?.map(|file| file.path().as_str());
    match (symbol.map(str::trim).filter(|symbol| !symbol.is_empty()), path) {
        (Some(symbol), path) => {
            let mut nodes: Vec<Node> = definitions(context, symbol)?
                .into_iter()
                .filter(|row| path.is_none_or(|path| row.path().as_str() == path))
                .map(node_of)
                .collect();
            nodes.sort_by_key(|node| (is_secondary(&node.path), node.clone()));
            nodes.dedup();
            if nodes.is_empty() {
                return Err(ToolError::new(ErrorCode::NotFound, format!("no definition of {}", quote(symbol))));
            }
            if nodes.len() > MAX_STARTS {
                context.note(
                    "ambiguous",
                    format!("`{symbol}` has {} definitions; starting from {MAX_STARTS} of them", nodes.len()),
                );
                nodes.truncate(MAX_STARTS);
            }
            Ok(nodes)
        }
        (None, Some(path)) => Ok(vec![Node { path: path.to_owned(), symbol: String::new() }]),
        (None, None) => Err(ToolError::bad_input("`symbol` or `path` is required")),
    }
}

/// Builds the part of the graph that is returned.
#[derive(Default)]
struct Subgraph {
    nodes: Vec<(Node, usize)>,
    ids: HashMap<Node, usize>,
    edges: BTreeMap<(usize, usize, String), (u32, Evidence)>,
    limit: usize,
    truncated: bool,
}

impl Subgraph {
    /// Adds a node, unless the limit is reached. Returns its id.
    fn add(&mut self, node: &Node, depth: usize) -> Option<usize> {
        if let Some(id) = self.ids.get(node) {
            return Some(*id);
        }
        if self.nodes.len() >= self.limit {
            self.truncated = true;
            return None;
        }
        let id = self.nodes.len();
        self.nodes.push((node.clone(), depth));
        self.ids.insert(node.clone(), id);
        Some(id)
    }

    /// Adds the edge of a link from a node.
    fn connect(&mut self, node: &Node, link: &Link, direction: Direction) {
        let (Some(here), Some(there)) = (self.ids.get(node), self.ids.get(&link.to)) else { return };
        let (from, to) = if direction.is_outgoing() { (*here, *there) } else { (*there, *here) };
        self.edges.entry((from, to, link.kind.clone())).or_insert_with(|| (link.line, link.evidence.clone()));
    }

    fn describe(self, context: &ToolContext<'_>) -> Result<GraphAnswer, ToolError> {
        let symbols = context.epoch.tables()?.symbols()?;
        let describe = |(id, (node, depth)): (usize, (Node, usize))| {
            let definition = context.file(&node.path)?.filter(|_| !node.symbol.is_empty()).and_then(|file| {
                let of_file = SymbolRows::of_file(symbols, file.key());
                of_file.into_iter().find(|row| row.table().qualified_name.value(row.row) == node.symbol)
            });
            let (kind, line) = match definition {
                Some(row) => (row.table().kind.value(row.row).to_owned(), row.table().start_line.value(row.row)),
                None => ("file".to_owned(), 1),
            };
            Ok(GraphNode { id, path: node.path, symbol: node.symbol, kind, line, depth })
        };
        let nodes: Result<Vec<_>, ToolError> = self.nodes.into_iter().enumerate().map(describe).collect();
        let edge = |((from, to, kind), (line, evidence))| GraphEdge { from, to, kind, line, evidence };
        Ok(GraphAnswer { nodes: nodes?, edges: self.edges.into_iter().map(edge).collect(), truncated: self.truncated })
    }
}

fn render(answer: &GraphAnswer) -> String {
    let mut out = String::new();
    let name = |id: usize| {
        let node = answer.nodes.get(id);
        node.map_or_else(String::new, |node| match node.symbol.as_str() {
            "" => node.path.clone(),
            symbol => format!("{symbol} ({}:{})", node.path, node.line),
        })
    };
    // Writing to a String cannot fail.
    for edge in &answer.edges {
        let _ = writeln!(out, "{}  {}  {}", name(edge.from), edge.kind, name(edge.to));
    }
    if answer.edges.is_empty() {
        let _ = writeln!(out, "no references from {}", name(0));
    }
    if answer.truncated {
        out.push_str("truncated; raise `limit` or `fan_out`\n");
    }
    out
}
