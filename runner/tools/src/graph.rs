//! `graph_expand` and `graph_path`: along the uses of names from file to file.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;

use gristmill_query::{At, ErrorCode, SymbolRows, Tool, ToolError, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::definitions;
use crate::links::{Direction, Link, Links, Node, node_of};
use crate::search::is_secondary;

/// Definitions of a name that are begun from at most.
const MOST_STARTS: usize = 5;

/// Goes from a definition or file along the uses of names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct GraphExpand {
    /// The definition to begin with, bare or qualified; may be left out to begin with a file.
    #[arg(value_name = "NAME")]
    pub symbol: Option<String>,
    /// The file that defines it, or the file to begin with.
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// Which way to go, along which uses.
    #[arg(long, value_enum, default_value_t)]
    pub direction: Direction,
    /// How many steps, from 1 to 6; 1 if left out.
    #[arg(long, value_name = "N")]
    pub depth: Option<usize>,
    /// How many uses of one node to follow at most, from 1 to 500; 50 if left out.
    #[arg(long, value_name = "N")]
    pub fan_out: Option<usize>,
    /// How many nodes to give at most, from 1 to 2000; 200 if left out.
    #[arg(short = 'k', long, value_name = "N")]
    pub limit: Option<usize>,
}

/// A definition or file of a graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GraphNode {
    /// Names it in the edges.
    pub id: usize,
    /// The file.
    pub path: String,
    /// The qualified name; empty for the file as a whole.
    pub symbol: String,
    /// What it is, such as `function`, or `file`.
    pub kind: String,
    /// Its line, counted from 1.
    pub line: u32,
    /// Steps from where it began.
    pub depth: usize,
}

/// A use: the node `from` uses the node `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GraphEdge {
    /// Who uses.
    pub from: usize,
    /// What is used.
    pub to: usize,
    /// `call`, `implements`, `mention` or `import`.
    pub kind: String,
    /// The line of the use.
    pub line: u32,
}

/// A part of the graph of uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GraphAnswer {
    /// The nodes; those that it began with come first.
    pub nodes: Vec<GraphNode>,
    /// The edges between them.
    pub edges: Vec<GraphEdge>,
    /// Whether limits left something out.
    pub truncated: bool,
}

impl Tool for GraphExpand {
    const NAME: &'static str = "graph_expand";
    const ABOUT: &'static str = "Walks the graph of uses from a definition or file: callers, callees, imports, \
        imported_by, implements, implemented_by, or all uses, some steps deep.";
    type Answer = GraphAnswer;

    fn answer(self, at: &At<'_>) -> Result<GraphAnswer, ToolError> {
        let depth = in_range("depth", self.depth.unwrap_or(1), 1..=6)?;
        let fan_out = in_range("fan_out", self.fan_out.unwrap_or(50), 1..=500)?;
        let limit = in_range("limit", self.limit.unwrap_or(200), 1..=2000)?;
        let links = Links::new(at)?;
        let mut part = Part { limit, ..Part::default() };
        let mut queue: VecDeque<(Node, usize)> = VecDeque::new();
        for start in starts(at, self.symbol.as_deref(), self.path.as_deref())? {
            if part.add(&start, 0).is_some() {
                queue.push_back((start, 0));
            }
        }
        while let Some((node, steps)) = queue.pop_front() {
            if steps == depth {
                continue;
            }
            let found = links.of(&node, self.direction)?;
            part.truncated |= found.len() > fan_out;
            for link in found.into_iter().take(fan_out) {
                let is_new = !part.ids.contains_key(&link.to);
                if part.add(&link.to, steps + 1).is_none() {
                    continue;
                }
                part.connect(&node, &link, self.direction);
                if is_new {
                    queue.push_back((link.to, steps + 1));
                }
            }
        }
        part.describe(at)
    }

    fn render(answer: &GraphAnswer) -> String {
        render(answer)
    }
}

/// Finds a shortest way from one definition or file to another along uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct GraphPath {
    /// Where to begin: a name, bare or qualified, or a path.
    #[arg(value_name = "FROM")]
    pub from: String,
    /// Where to end: a name, bare or qualified, or a path.
    #[arg(value_name = "TO")]
    pub to: String,
    /// How many steps at most, from 1 to 12.
    #[serde(default = "default_depth")]
    #[arg(long, default_value_t = default_depth(), value_name = "N")]
    pub max_depth: usize,
}

fn default_depth() -> usize {
    8
}

/// Nodes that are looked at before a search for a way gives up.
const MOST_LOOKED_AT: usize = 20_000;

impl Tool for GraphPath {
    const NAME: &'static str = "graph_path";
    const ABOUT: &'static str = "Finds a shortest way along uses (calls, mentions, imports, implementations) from one \
        definition or file to another.";
    type Answer = GraphAnswer;

    fn answer(self, at: &At<'_>) -> Result<GraphAnswer, ToolError> {
        let depth = in_range("max_depth", self.max_depth, 1..=12)?;
        let links = Links::new(at)?;
        let ends = ends_of(at, &self.to)?;
        let is_end =
            |node: &Node| ends.contains(node) || ends.iter().any(|end| end.symbol.is_empty() && end.path == node.path);
        // For each node how it was reached.
        let mut reached: HashMap<Node, Option<(Node, Link)>> = HashMap::new();
        let mut queue: VecDeque<(Node, usize)> = VecDeque::new();
        for start in ends_of(at, &self.from)? {
            reached.insert(start.clone(), None);
            queue.push_back((start, 0));
        }
        while let Some((node, steps)) = queue.pop_front() {
            if is_end(&node) && steps > 0 {
                return way(at, &reached, node);
            }
            if steps == depth {
                continue;
            }
            for link in links.of(&node, Direction::Uses)? {
                if reached.len() >= MOST_LOOKED_AT {
                    at.note("gave_up", format!("no way was found among the nearest {MOST_LOOKED_AT} definitions"));
                    return Ok(GraphAnswer { truncated: true, ..GraphAnswer::default() });
                }
                if !reached.contains_key(&link.to) {
                    reached.insert(link.to.clone(), Some((node.clone(), link.clone())));
                    queue.push_back((link.to, steps + 1));
                }
            }
        }
        Ok(GraphAnswer::default())
    }

    fn render(answer: &GraphAnswer) -> String {
        if answer.nodes.is_empty() { "there is no way from one to the other\n".into() } else { render(answer) }
    }
}

/// The way that led to a node.
fn way(at: &At<'_>, reached: &HashMap<Node, Option<(Node, Link)>>, end: Node) -> Result<GraphAnswer, ToolError> {
    let mut steps = Vec::new();
    let mut node = end;
    while let Some(Some((before, link))) = reached.get(&node) {
        steps.push((before.clone(), link.clone()));
        node = before.clone();
    }
    let mut part = Part { limit: usize::MAX, ..Part::default() };
    part.add(&node, 0);
    for (depth, (before, link)) in steps.into_iter().rev().enumerate() {
        part.add(&link.to, depth + 1);
        part.connect(&before, &link, Direction::Uses);
    }
    part.describe(at)
}

/// The nodes of a name, or of a path where no definition has the name.
fn ends_of(at: &At<'_>, name: &str) -> Result<Vec<Node>, ToolError> {
    if at.file(name)?.is_some() {
        return starts(at, None, Some(name));
    }
    starts(at, Some(name), None)
}

/// Where to begin.
fn starts(at: &At<'_>, symbol: Option<&str>, path: Option<&str>) -> Result<Vec<Node>, ToolError> {
    let path = path.map(|path| at.held_file(path)).transpose()?.map(|file| file.path().as_str());
    match (symbol.map(str::trim).filter(|symbol| !symbol.is_empty()), path) {
        (Some(symbol), path) => {
            let mut nodes: Vec<Node> = definitions(at, symbol)?
                .into_iter()
                .filter(|row| path.is_none_or(|path| row.path().as_str() == path))
                .map(node_of)
                .collect();
            nodes.sort_by_key(|node| (is_secondary(&node.path), node.clone()));
            nodes.dedup();
            if nodes.is_empty() {
                return Err(ToolError::new(ErrorCode::NotFound, format!("nothing defines `{symbol}`")));
            }
            if nodes.len() > MOST_STARTS {
                at.note(
                    "ambiguous",
                    format!("{} places define `{symbol}`; this begins with {MOST_STARTS} of them", nodes.len()),
                );
                nodes.truncate(MOST_STARTS);
            }
            Ok(nodes)
        }
        (None, Some(path)) => Ok(vec![Node { path: path.to_owned(), symbol: String::new() }]),
        (None, None) => Err(ToolError::bad_input("give `symbol`, `path`, or both")),
    }
}

/// A part of the graph that is being put together.
#[derive(Default)]
struct Part {
    nodes: Vec<(Node, usize)>,
    ids: HashMap<Node, usize>,
    edges: BTreeMap<(usize, usize, String), u32>,
    limit: usize,
    truncated: bool,
}

impl Part {
    /// Adds a node, unless there are enough.
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

    /// Adds the edge of a link that was followed from a node.
    fn connect(&mut self, node: &Node, link: &Link, direction: Direction) {
        let (Some(here), Some(there)) = (self.ids.get(node), self.ids.get(&link.to)) else { return };
        let (from, to) = if direction.is_outgoing() { (*here, *there) } else { (*there, *here) };
        self.edges.entry((from, to, link.kind.clone())).or_insert(link.line);
    }

    fn describe(self, at: &At<'_>) -> Result<GraphAnswer, ToolError> {
        let symbols = at.epoch.tables()?.symbols()?;
        let describe = |(id, (node, depth)): (usize, (Node, usize))| {
            let definition = at.file(&node.path)?.filter(|_| !node.symbol.is_empty()).and_then(|file| {
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
        let edge = |((from, to, kind), line)| GraphEdge { from, to, kind, line };
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
        let _ = writeln!(out, "nothing leads on from {}", name(0));
    }
    if answer.truncated {
        out.push_str("there is more; raise `limit` or `fan_out`\n");
    }
    out
}
