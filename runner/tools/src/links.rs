//! Who uses what: over the view `edges` where the index has it, by names otherwise.

use std::collections::HashSet;

use gristmill_pipeline::Key;
use gristmill_query::{At, EdgeRows, FileRows, ReferenceRows, Row, SymbolRows, ToolError};
use gristmill_sinks::lance::Resident;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which way to go along a use, and along which uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Direction {
    /// Who calls it.
    #[default]
    Callers,
    /// What it calls.
    Callees,
    /// What the file imports.
    Imports,
    /// Which files import it.
    ImportedBy,
    /// What it implements or inherits from.
    Implements,
    /// What implements it or inherits from it.
    ImplementedBy,
    /// Everything that it uses.
    Uses,
    /// Everything that uses it.
    UsedBy,
}

impl Direction {
    pub(super) fn is_outgoing(self) -> bool {
        matches!(self, Self::Callees | Self::Imports | Self::Implements | Self::Uses)
    }

    fn takes(self, kind: &str) -> bool {
        match self {
            Self::Callers | Self::Callees => kind == "call",
            Self::Imports | Self::ImportedBy => kind == "import",
            Self::Implements | Self::ImplementedBy => kind == "implements",
            Self::Uses | Self::UsedBy => true,
        }
    }
}

/// A definition, or a file as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Node {
    pub(super) path: String,
    /// The qualified name; empty for the file.
    pub(super) symbol: String,
}

/// A use, seen from one of its ends.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// The other end.
    pub(super) to: Node,
    /// `call`, `implements`, `mention` or `import`.
    pub(super) kind: String,
    /// The line of the use.
    pub(super) line: u32,
}

/// A name that more files define leads nowhere: it says too little.
const MOST_CANDIDATES: usize = 4;

/// Who uses what, in one epoch.
pub(super) struct Links<'a> {
    at: &'a At<'a>,
    edges: Option<&'a Resident<EdgeRows>>,
    symbols: &'a Resident<SymbolRows>,
    references: Option<&'a Resident<ReferenceRows>>,
}

impl<'a> Links<'a> {
    pub(super) fn new(at: &'a At<'a>) -> Result<Self, ToolError> {
        let tables = at.epoch.tables()?;
        let edges = tables.edges()?;
        if edges.is_none() {
            at.note(
                "by_name",
                "uses are found by names alone, and imports not at all; a job with the view `edges` resolves them",
            );
        }
        let references = edges.is_none().then(|| tables.references()).transpose()?;
        Ok(Self { at, edges, symbols: tables.symbols()?, references })
    }

    /// The ends of the uses of a node, in a direction; no end twice for a kind.
    pub(super) fn of(&self, node: &Node, direction: Direction) -> Result<Vec<Link>, ToolError> {
        self.at.call.check()?;
        let mut links = match (self.edges, self.references) {
            (Some(edges), _) => along_edges(edges, node, direction),
            (None, Some(references)) if direction.is_outgoing() => {
                self.outgoing_by_name(references, node, direction)?
            }
            (None, Some(references)) => self.incoming_by_name(references, node, direction)?,
            (None, None) => Vec::new(),
        };
        links.sort_by(|left, right| (&left.to, &left.kind, left.line).cmp(&(&right.to, &right.kind, right.line)));
        links.dedup_by(|left, right| left.to == right.to && left.kind == right.kind);
        Ok(links)
    }

    fn outgoing_by_name(
        &self,
        references: &'a Resident<ReferenceRows>,
        node: &Node,
        direction: Direction,
    ) -> Result<Vec<Link>, ToolError> {
        let mut links = Vec::new();
        let files = self.at.epoch.tables()?.files()?;
        for file in FileRows::at(files, &node.path).filter(|file| self.at.visible.shows(file.key())) {
            let language = file.table().language.value(file.row);
            let ordinals: Vec<u32> =
                self.definitions(node, &file).map(|row| row.table().ordinal.value(row.row)).collect();
            for found in ReferenceRows::of_file(references, file.key()) {
                let (rows, row) = (found.table(), found.row);
                let is_within =
                    node.symbol.is_empty() || rows.within(row).is_some_and(|within| ordinals.contains(&within));
                if is_within && direction.takes(rows.kind.value(row)) {
                    let link = |to| Link { to, kind: rows.kind.value(row).to_owned(), line: rows.line.value(row) };
                    let named = self.definers(rows.name.value(row), language);
                    links.extend(meant(&named, &node.path).into_iter().map(node_of).map(link));
                }
            }
        }
        Ok(links)
    }

    /// The definitions of a name in a language.
    fn definers(&self, name: &'a str, language: &str) -> Vec<Row<'a, SymbolRows>> {
        let is_of_language = |row: &Row<'_, SymbolRows>| {
            self.at.visible.shows(row.key()) && row.table().language.value(row.row) == language
        };
        SymbolRows::named(self.symbols, name).filter(is_of_language).collect()
    }

    fn incoming_by_name(
        &self,
        references: &'a Resident<ReferenceRows>,
        node: &Node,
        direction: Direction,
    ) -> Result<Vec<Link>, ToolError> {
        let Some((bare, language)) = self.bare_name(node)? else { return Ok(Vec::new()) };
        let named = self.definers(bare, language);
        if !named.iter().any(|row| is_of(*row, node)) {
            return Ok(Vec::new());
        }
        // A file that defines the name means its own definitions; any other means all, if
        // they are few.
        let defining: HashSet<&str> = named.iter().map(|row| row.path().as_str()).collect();
        let is_meant_at_home = !meant(&named, &node.path).is_empty();
        let is_meant_elsewhere = named.len() <= MOST_CANDIDATES;
        let leads_here = |path: &str| -> Result<bool, ToolError> {
            if defining.contains(path) {
                return Ok(is_meant_at_home && path == node.path);
            }
            let is_of_language = |file: Row<'_, FileRows>| file.table().language.value(file.row) == language;
            Ok(is_meant_elsewhere && self.at.file(path)?.is_some_and(is_of_language))
        };
        let mut links = Vec::new();
        // Uses in one file stand together.
        let mut last: Option<(Key, bool)> = None;
        for (nth, found) in ReferenceRows::named(references, bare).enumerate() {
            self.at.check_row(nth)?;
            let (rows, row) = (found.table(), found.row);
            if !direction.takes(rows.kind.value(row)) || !self.at.visible.shows(found.key()) {
                continue;
            }
            if last.is_none_or(|(key, _)| key != found.key()) {
                last = Some((found.key(), leads_here(found.path().as_str())?));
            }
            if !last.is_some_and(|(_, leads_here)| leads_here) {
                continue;
            }
            let within = rows.within(row).and_then(|ordinal| SymbolRows::nth_of(self.symbols, found.key(), ordinal));
            let to =
                within.map_or_else(|| Node { path: found.path().as_str().to_owned(), symbol: String::new() }, node_of);
            links.push(Link { to, kind: rows.kind.value(row).to_owned(), line: rows.line.value(row) });
        }
        Ok(links)
    }

    /// The bare name of a definition, and the language of its file.
    fn bare_name(&self, node: &Node) -> Result<Option<(&'a str, &'a str)>, ToolError> {
        let Some(file) = self.at.file(&node.path)? else { return Ok(None) };
        let language = file.table().language.value(file.row);
        let definition = self.definitions(node, &file).next();
        Ok(definition.map(|row| (row.table().name.value(row.row), language)))
    }

    fn definitions(&self, node: &Node, file: &Row<'_, FileRows>) -> impl Iterator<Item = Row<'a, SymbolRows>> {
        let of_file = SymbolRows::of_file(self.symbols, file.key());
        let symbol = node.symbol.clone();
        of_file.into_iter().filter(move |row| row.table().qualified_name.value(row.row) == symbol)
    }
}

/// Which of the definitions of a name is meant where this file uses it: its own, or all if
/// they are few.
fn meant<'a>(named: &[Row<'a, SymbolRows>], path: &str) -> Vec<Row<'a, SymbolRows>> {
    let here: Vec<_> = named.iter().copied().filter(|row| row.path().as_str() == path).collect();
    let meant = if here.is_empty() { named } else { &here };
    if meant.len() > MOST_CANDIDATES { Vec::new() } else { meant.to_vec() }
}

/// Whether a definition is the one of a node.
fn is_of(row: Row<'_, SymbolRows>, node: &Node) -> bool {
    row.path().as_str() == node.path && row.table().qualified_name.value(row.row) == node.symbol
}

/// The node of a definition.
pub(super) fn node_of(row: Row<'_, SymbolRows>) -> Node {
    Node { path: row.path().as_str().to_owned(), symbol: row.table().qualified_name.value(row.row).to_owned() }
}

fn along_edges(edges: &Resident<EdgeRows>, node: &Node, direction: Direction) -> Vec<Link> {
    // A file as a whole uses what any of its definitions uses.
    let symbol = Some(node.symbol.as_str()).filter(|symbol| !symbol.is_empty());
    let link = |edge: Row<'_, EdgeRows>| {
        let (rows, row) = (edge.table(), edge.row);
        let (path, symbol) = match direction.is_outgoing() {
            true => (rows.to_path.value(row), rows.to_symbol.value(row)),
            false => (rows.from_path.value(row), rows.from_symbol.value(row)),
        };
        Link {
            to: Node { path: path.to_owned(), symbol: symbol.to_owned() },
            kind: rows.kind.value(row).to_owned(),
            line: u32::try_from(rows.from_line.value(row)).unwrap_or(u32::MAX),
        }
    };
    let takes = |edge: &Row<'_, EdgeRows>| direction.takes(edge.table().kind.value(edge.row));
    if direction.is_outgoing() {
        EdgeRows::from(edges, &node.path, symbol).filter(takes).map(link).collect()
    } else {
        EdgeRows::to(edges, &node.path, symbol).filter(takes).map(link).collect()
    }
}
