//! The tool `references`.

use std::collections::HashSet;
use std::fmt::Write as _;

use gristmill_pipeline::RelPath;
use gristmill_query::{EdgeRows, ReferenceRows, Row, SymbolRows, Tool, ToolContext, ToolError, in_range};
use gristmill_sinks::lance::Resident;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::filters::Kinds;
use super::names::{bare_name, definitions};
use crate::evidence::{self, Evidence};

/// The input of `references`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct References {
    /// The name, unqualified or qualified.
    #[arg(value_name = "NAME", allow_hyphen_values = true)]
    pub symbol: String,
    /// Only references to the definition in this file, if several files define the name.
    #[serde(default)]
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// Only references of these kinds: `call`, `implements`, `mention`.
    #[serde(default)]
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
    /// Maximum number of references, between 1 and 5000.
    #[serde(default = "default_limit")]
    #[arg(short = 'k', long = "limit", default_value_t = default_limit(), value_name = "N")]
    pub limit: usize,
    /// Minimum confidence of the references, in percent; default: 80. With 20 or less, uses of
    /// which only the name is known are among them.
    #[serde(default)]
    #[arg(long, value_name = "PERCENT")]
    pub min_confidence: Option<usize>,
}

fn default_limit() -> usize {
    100
}

/// A reference to a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Use {
    /// The file.
    #[schemars(with = "String")]
    pub path: RelPath,
    /// The line, counted from 1.
    pub line: u32,
    /// `call`, `implements` or `mention`.
    pub kind: String,
    /// The name as written.
    pub name: String,
    /// The qualified name of the enclosing definition; empty if none.
    pub within: String,
    /// How it was resolved.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// The answer of `references`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReferencesAnswer {
    /// The references, by path and line.
    pub references: Vec<Use>,
    /// The total number of references.
    pub total: usize,
    /// The number of files with references.
    pub files: usize,
    /// Whether the limit left some out.
    pub truncated: bool,
}

impl Tool for References {
    const NAME: &'static str = "references";
    const ABOUT: &'static str = "Find all references to a function, type or other name. Returns calls, mentions and \
        implementations; resolved to the definition if the index has the view `edges`, else matched by name.";
    const OF_EPOCH: bool = true;
    type Answer = ReferencesAnswer;

    fn answer(self, context: &ToolContext<'_>) -> Result<ReferencesAnswer, ToolError> {
        let limit = in_range("limit", self.limit, 1..=5000)?;
        let tables = context.epoch.tables()?;
        let in_file = self.path.as_deref().map(|path| context.require_file(path)).transpose()?;
        let defined: Vec<_> = definitions(context, self.symbol.trim())?
            .into_iter()
            .filter(|row| in_file.is_none_or(|file| row.path() == file.path()))
            .collect();
        let kinds = Kinds::of_references(context, &self.kinds);
        let is_kind = |kind: &str| kinds.allow(kind);
        let min_confidence = evidence::min_confidence(self.min_confidence)?;
        let names: HashSet<&str> = match defined.is_empty() {
            true => [bare_name(self.symbol.trim())].into(),
            false => defined.iter().map(|row| row.table().name.value(row.row)).collect(),
        };
        let named = || -> Result<Vec<Row<'_, ReferenceRows>>, ToolError> {
            let table = tables.references()?;
            let named = names.iter().flat_map(|name| ReferenceRows::named(table, name));
            Ok(named
                .filter(|row| context.visible.shows(row.key()) && is_kind(row.table().kind.value(row.row)))
                .collect())
        };
        let mut uses: Vec<Found<'_>> = match tables.edges()? {
            Some(edges) if !defined.is_empty() => {
                let is_kind = |edge: &Row<'_, EdgeRows>| is_kind(edge.table().kind.value(edge.row));
                let found = defined.iter().flat_map(|row| uses_of(edges, *row)).filter(is_kind);
                let (sure, unsure): (Vec<_>, Vec<_>) =
                    found.partition(|edge| edge.table().confidence.value(edge.row) >= min_confidence);
                let unresolved: Vec<_> = named()?.into_iter().filter(|used| is_unresolved(edges, *used)).collect();
                let mut uses: Vec<_> = sure.into_iter().map(Found::Edge).collect();
                let mut left_out = unsure.len();
                if evidence::includes_names(min_confidence) {
                    uses.extend(unresolved.into_iter().map(Found::Reference));
                } else {
                    left_out += unresolved.len();
                }
                evidence::note_left_out(context, left_out, min_confidence);
                uses
            }
            _ => {
                context.note(
                    "by_name",
                    "references are matched by name alone; add the view `edges` to the job to resolve them",
                );
                named()?.into_iter().map(Found::Reference).collect()
            }
        };
        context.call.check()?;
        uses.sort_by(|left, right| (left.place(), left.rank()).cmp(&(right.place(), right.rank())));
        // A use is listed once, whatever it says of the name.
        uses.dedup_by(|later, first| later.place() == first.place());
        let files = uses.iter().map(|found| found.place().0).collect::<HashSet<_>>().len();
        let total = uses.len();
        let symbols = tables.symbols()?;
        let references = uses.iter().take(limit).map(|found| found.describe(symbols)).collect();
        Ok(ReferencesAnswer { references, total, files, truncated: total > limit })
    }

    fn render(answer: &ReferencesAnswer) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{} references in {} files", answer.total, answer.files);
        for found in &answer.references {
            let _ = write!(out, "{}:{}  {}", found.path, found.line, found.kind);
            let _ = match found.within.as_str() {
                "" => writeln!(out),
                within => writeln!(out, " in {within}"),
            };
        }
        if answer.truncated {
            out.push_str("truncated; raise `limit`\n");
        }
        out
    }
}

/// Returns the edges to a definition.
fn uses_of<'a>(edges: &'a Resident<EdgeRows>, row: Row<'a, SymbolRows>) -> impl Iterator<Item = Row<'a, EdgeRows>> {
    let (path, table, at) = (row.path().as_str(), row.table(), row.row);
    let (qualified, line) = (table.qualified_name.value(at), u64::from(table.start_line.value(at)));
    EdgeRows::to(edges, path, Some(qualified)).filter(move |edge| edge.table().to_line.value(edge.row) == line)
}

/// Whether what a name means is not known: no edge leads from it, and it is nothing local.
fn is_unresolved(edges: &Resident<EdgeRows>, used: Row<'_, ReferenceRows>) -> bool {
    let (rows, row) = (used.table(), used.row);
    let is_edge_of = |edge: Row<'_, EdgeRows>| {
        let (table, at) = (edge.table(), edge.row);
        table.from_line.value(at) == u64::from(rows.line.value(row)) && table.name.value(at) == rows.name.value(row)
    };
    rows.target.value(row) != "local" && !EdgeRows::from(edges, used.path().as_str(), None).any(is_edge_of)
}

#[derive(Clone, Copy)]
enum Found<'a> {
    Edge(Row<'a, EdgeRows>),
    Reference(Row<'a, ReferenceRows>),
}

impl<'a> Found<'a> {
    fn place(&self) -> (&'a str, u64) {
        match self {
            Self::Edge(edge) => (edge.table().from_path.value(edge.row), edge.table().from_line.value(edge.row)),
            Self::Reference(found) => (found.path().as_str(), found.table().line.value(found.row).into()),
        }
    }

    /// Of several uses in one place the least is shown: calls say most.
    fn rank(&self) -> usize {
        let kind = match self {
            Self::Edge(edge) => edge.table().kind.value(edge.row),
            Self::Reference(found) => found.table().kind.value(found.row),
        };
        ["call", "implements", "mention"].iter().position(|known| *known == kind).unwrap_or(usize::MAX)
    }

    fn describe(&self, symbols: &Resident<SymbolRows>) -> Use {
        let (path, line) = self.place();
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let evidence = match self {
            Self::Edge(edge) => Evidence::of(*edge),
            Self::Reference(_) => Evidence::name(),
        };
        let (kind, name, within) = match self {
            Self::Edge(edge) => {
                let rows = edge.table();
                (rows.kind.value(edge.row), rows.name.value(edge.row), rows.from_symbol.value(edge.row).to_owned())
            }
            Self::Reference(found) => {
                let rows = found.table();
                let within =
                    rows.within(found.row).and_then(|ordinal| SymbolRows::nth_of(symbols, found.key(), ordinal));
                let within = within.map(|row| row.table().qualified_name.value(row.row).to_owned());
                (rows.kind.value(found.row), rows.name.value(found.row), within.unwrap_or_default())
            }
        };
        Use { path: RelPath::from(path), line, kind: kind.to_owned(), name: name.to_owned(), within, evidence }
    }
}
