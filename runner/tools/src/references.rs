//! `references`: where a definition is used.

use std::collections::HashSet;
use std::fmt::Write as _;

use gristmill_pipeline::RelPath;
use gristmill_query::{At, EdgeRows, ReferenceRows, Row, SymbolRows, Tool, ToolError, in_range};
use gristmill_sinks::lance::Resident;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::definitions;
use super::symbols::bare_name;

/// Finds where a name is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct References {
    /// The name, bare or qualified.
    #[arg(value_name = "NAME")]
    pub symbol: String,
    /// The file that defines it, where several do.
    #[serde(default)]
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// Only uses of these kinds: `call`, `implements`, `mention`.
    #[serde(default)]
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
    /// How many to give at most, from 1 to 5000.
    #[serde(default = "default_limit")]
    #[arg(short = 'k', long = "limit", default_value_t = default_limit(), value_name = "N")]
    pub limit: usize,
}

fn default_limit() -> usize {
    100
}

/// A use of a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Use {
    /// The file.
    #[schemars(with = "String")]
    pub path: RelPath,
    /// The line, counted from 1.
    pub line: u32,
    /// `call`, `implements` or `mention`.
    pub kind: String,
    /// The name as used.
    pub name: String,
    /// The qualified name of the definition that the use lies in; empty if none.
    pub within: String,
}

/// Uses of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReferencesAnswer {
    /// The uses, by path and line.
    pub references: Vec<Use>,
    /// How many there are in all.
    pub total: usize,
    /// How many files have them.
    pub files: usize,
    /// Whether `references` leaves some out.
    pub truncated: bool,
}

impl Tool for References {
    const NAME: &'static str = "references";
    const ABOUT: &'static str = "Finds every use of a function, type or other name: calls, mentions, implementations. \
        Resolved to the definition where the index has the view `edges`, by name otherwise.";
    type Answer = ReferencesAnswer;

    fn answer(self, at: &At<'_>) -> Result<ReferencesAnswer, ToolError> {
        let limit = in_range("limit", self.limit, 1..=5000)?;
        let tables = at.epoch.tables()?;
        let defined: Vec<_> = definitions(at, self.symbol.trim())?
            .into_iter()
            .filter(|row| self.path.as_deref().is_none_or(|path| row.path().as_str() == path))
            .collect();
        let is_kind = |kind: &str| self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind);
        let mut uses: Vec<Found<'_>> = match tables.edges()? {
            Some(edges) if !defined.is_empty() => defined
                .iter()
                .flat_map(|row| uses_of(edges, *row))
                .filter(|edge| is_kind(edge.table().kind.value(edge.row)))
                .map(Found::Edge)
                .collect(),
            _ => {
                at.note("by_name", "uses are found by the name alone; a job with the view `edges` resolves them");
                let names: HashSet<&str> = match defined.is_empty() {
                    true => [bare_name(self.symbol.trim())].into(),
                    false => defined.iter().map(|row| row.table().name.value(row.row)).collect(),
                };
                let table = tables.references()?;
                let named = names.into_iter().flat_map(|name| ReferenceRows::named(table, name));
                let shown = named.filter(|row| at.visible.shows(row.key()) && is_kind(row.table().kind.value(row.row)));
                shown.map(Found::Reference).collect()
            }
        };
        at.call.check()?;
        uses.sort_by(|left, right| left.place().cmp(&right.place()));
        let files = uses.iter().map(|found| found.place().0).collect::<HashSet<_>>().len();
        let total = uses.len();
        let symbols = tables.symbols()?;
        let references = uses.iter().take(limit).map(|found| found.describe(symbols)).collect();
        Ok(ReferencesAnswer { references, total, files, truncated: total > limit })
    }

    fn render(answer: &ReferencesAnswer) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{} uses in {} files", answer.total, answer.files);
        for found in &answer.references {
            let _ = write!(out, "{}:{}  {}", found.path, found.line, found.kind);
            let _ = match found.within.as_str() {
                "" => writeln!(out),
                within => writeln!(out, " in {within}"),
            };
        }
        if answer.truncated {
            out.push_str("there are more; raise `limit`\n");
        }
        out
    }
}

/// The edges that lead to a definition.
fn uses_of<'a>(edges: &'a Resident<EdgeRows>, row: Row<'a, SymbolRows>) -> impl Iterator<Item = Row<'a, EdgeRows>> {
    let (path, table, at) = (row.path().as_str(), row.table(), row.row);
    let (qualified, line) = (table.qualified_name.value(at), u64::from(table.start_line.value(at)));
    EdgeRows::to(edges, path, Some(qualified)).filter(move |edge| edge.table().to_line.value(edge.row) == line)
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

    fn describe(&self, symbols: &Resident<SymbolRows>) -> Use {
        let (path, line) = self.place();
        let line = u32::try_from(line).unwrap_or(u32::MAX);
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
        Use { path: RelPath::from(path), line, kind: kind.to_owned(), name: name.to_owned(), within }
    }
}
