//! The reference graph: from the view `edges` if the index has it, else matched by name.

use std::cell::Cell;
use std::collections::HashSet;

use gristmill_pipeline::RowKey;
use gristmill_query::{EdgeRows, FileRows, ReferenceRows, Row, SymbolRows, ToolContext, ToolError};
use gristmill_sinks::lance::Resident;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evidence::{self, Evidence};

/// Which references to follow, and in which direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Direction {
    /// Callers.
    #[default]
    Callers,
    /// Callees.
    Callees,
    /// Imported files.
    Imports,
    /// Importing files.
    ImportedBy,
    /// Implemented or inherited types.
    Implements,
    /// Implementing or inheriting types.
    ImplementedBy,
    /// All outgoing references.
    Uses,
    /// All incoming references.
    UsedBy,
}

impl Direction {
    pub(super) fn is_outgoing(self) -> bool {
        matches!(self, Self::Callees | Self::Imports | Self::Implements | Self::Uses)
    }

    fn follows(self, kind: &str) -> bool {
        match self {
            Self::Callers | Self::Callees => kind == "call",
            Self::Imports | Self::ImportedBy => kind == "import",
            Self::Implements | Self::ImplementedBy => kind == "implements",
            Self::Uses | Self::UsedBy => true,
        }
    }
}

/// A node: a definition or a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Node {
    pub(super) path: String,
    /// The qualified name; empty for a file.
    pub(super) symbol: String,
}

/// A reference, seen from one end.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// The other end.
    pub(super) to: Node,
    /// `call`, `implements`, `mention` or `import`.
    pub(super) kind: String,
    /// The line of the reference.
    pub(super) line: u32,
    /// How it was resolved.
    pub(super) evidence: Evidence,
}

/// A name with more definitions is ambiguous and not followed.
const MAX_CANDIDATES: usize = 4;

/// The reference graph of one epoch.
pub(super) struct Links<'a> {
    context: &'a ToolContext<'a>,
    edges: Option<&'a Resident<EdgeRows>>,
    symbols: &'a Resident<SymbolRows>,
    references: Option<&'a Resident<ReferenceRows>>,
    min_confidence: u64,
    left_out: Cell<usize>,
}

impl<'a> Links<'a> {
    /// Follows references of that confidence or more, in percent; by default
    /// [`MIN_CONFIDENCE`](crate::evidence::MIN_CONFIDENCE).
    pub(super) fn new(context: &'a ToolContext<'a>, min_confidence: Option<usize>) -> Result<Self, ToolError> {
        let min_confidence = evidence::min_confidence(min_confidence)?;
        let tables = context.epoch.tables()?;
        let edges = tables.edges()?;
        if edges.is_none() {
            context.note(
                "by_name",
                "references are matched by name alone, and imports are missing; add the view `edges` to the job to resolve them",
            );
        }
        let references = edges.is_none().then(|| tables.references()).transpose()?;
        let left_out = Cell::new(0);
        Ok(Self { context, edges, symbols: tables.symbols()?, references, min_confidence, left_out })
    }

    /// Returns the links of a node in a direction, deduplicated by end and kind.
    pub(super) fn of(&self, node: &Node, direction: Direction) -> Result<Vec<Link>, ToolError> {
        self.context.call.check()?;
        let mut links = match (self.edges, self.references) {
            (Some(edges), _) => self.along_edges(edges, node, direction),
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

    /// Tells how many references were left out because they are not sure enough.
    pub(super) fn tell_left_out(&self) {
        evidence::note_left_out(self.context, self.left_out.get(), self.min_confidence);
    }

    fn outgoing_by_name(
        &self,
        references: &'a Resident<ReferenceRows>,
        node: &Node,
        direction: Direction,
    ) -> Result<Vec<Link>, ToolError> {
        let mut links = Vec::new();
        let files = self.context.epoch.tables()?.files()?;
        for file in FileRows::at(files, &node.path).filter(|file| self.context.visible.shows(file.key())) {
            let language = file.table().language.value(file.row);
            let ordinals: Vec<u32> =
                self.definitions(node, &file).map(|row| row.table().ordinal.value(row.row)).collect();
            for found in ReferenceRows::of_file(references, file.key()) {
                let (rows, row) = (found.table(), found.row);
                let is_within =
                    node.symbol.is_empty() || rows.within(row).is_some_and(|within| ordinals.contains(&within));
                if is_within && direction.follows(rows.kind.value(row)) {
                    let link = |to| Link {
                        to,
                        kind: rows.kind.value(row).to_owned(),
                        line: rows.line.value(row),
                        evidence: Evidence::name(),
                    };
                    let named = self.definers(rows.name.value(row), language);
                    links.extend(resolve(&named, &node.path).into_iter().map(node_of).map(link));
                }
            }
        }
        Ok(links)
    }

    /// Returns the definitions of a name in a language.
    fn definers(&self, name: &'a str, language: &str) -> Vec<Row<'a, SymbolRows>> {
        let is_of_language = |row: &Row<'_, SymbolRows>| {
            self.context.visible.shows(row.key()) && row.table().language.value(row.row) == language
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
        // In a file that defines the name, references resolve to its own definitions; elsewhere to
        // all of them, if they are few.
        let defining: HashSet<&str> = named.iter().map(|row| row.path().as_str()).collect();
        let resolves_in_own_file = !resolve(&named, &node.path).is_empty();
        let resolves_elsewhere = named.len() <= MAX_CANDIDATES;
        let leads_here = |path: &str| -> Result<bool, ToolError> {
            if defining.contains(path) {
                return Ok(resolves_in_own_file && path == node.path);
            }
            let is_of_language = |file: Row<'_, FileRows>| file.table().language.value(file.row) == language;
            Ok(resolves_elsewhere && self.context.file(path)?.is_some_and(is_of_language))
        };
        let mut links = Vec::new();
        // References in one file are adjacent.
        let mut last: Option<(RowKey, bool)> = None;
        for (nth, found) in ReferenceRows::named(references, bare).enumerate() {
            self.context.check_row(nth)?;
            let (rows, row) = (found.table(), found.row);
            if !direction.follows(rows.kind.value(row)) || !self.context.visible.shows(found.key()) {
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
            let (kind, line) = (rows.kind.value(row).to_owned(), rows.line.value(row));
            links.push(Link { to, kind, line, evidence: Evidence::name() });
        }
        Ok(links)
    }

    /// Returns the unqualified name of a definition, and the language of its file.
    fn bare_name(&self, node: &Node) -> Result<Option<(&'a str, &'a str)>, ToolError> {
        let Some(file) = self.context.file(&node.path)? else { return Ok(None) };
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

/// Resolves a name in a file: to the file's own definitions, else to all if they are few.
fn resolve<'a>(named: &[Row<'a, SymbolRows>], path: &str) -> Vec<Row<'a, SymbolRows>> {
    let here: Vec<_> = named.iter().copied().filter(|row| row.path().as_str() == path).collect();
    let resolved = if here.is_empty() { named } else { &here };
    if resolved.len() > MAX_CANDIDATES { Vec::new() } else { resolved.to_vec() }
}

/// Returns whether a definition is that of a node.
fn is_of(row: Row<'_, SymbolRows>, node: &Node) -> bool {
    row.path().as_str() == node.path && row.table().qualified_name.value(row.row) == node.symbol
}

/// Returns the node of a definition.
pub(super) fn node_of(row: Row<'_, SymbolRows>) -> Node {
    Node { path: row.path().as_str().to_owned(), symbol: row.table().qualified_name.value(row.row).to_owned() }
}

impl Links<'_> {
    fn along_edges(&self, edges: &Resident<EdgeRows>, node: &Node, direction: Direction) -> Vec<Link> {
        // A file has the references of all its definitions.
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
                evidence: Evidence::of(edge),
            }
        };
        let follows = |edge: &Row<'_, EdgeRows>| direction.follows(edge.table().kind.value(edge.row));
        let is_sure = |edge: &Row<'_, EdgeRows>| {
            let sure = edge.table().confidence.value(edge.row) >= self.min_confidence;
            self.left_out.set(self.left_out.get() + usize::from(!sure));
            sure
        };
        if direction.is_outgoing() {
            EdgeRows::from(edges, &node.path, symbol).filter(follows).filter(is_sure).map(link).collect()
        } else {
            EdgeRows::to(edges, &node.path, symbol).filter(follows).filter(is_sure).map(link).collect()
        }
    }
}
