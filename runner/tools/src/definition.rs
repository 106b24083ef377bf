//! The tool `goto_definition`.

use std::collections::HashSet;

use gristmill_pipeline::port::NamePath;

use gristmill_query::{
    EdgeRows, ErrorCode, FileRows, ReferenceRows, Row, SymbolRows, Tool, ToolContext, ToolError, in_range,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::{Reason, definitions, definitions_of, reason};
use super::symbols::{Symbol, render_symbol, symbol};
use crate::evidence::Evidence;
use crate::search::is_secondary;

/// The input of `goto_definition`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct GotoDefinition {
    /// The name, unqualified or qualified; optional if `path` and `line` name a reference.
    #[arg(value_name = "NAME", allow_hyphen_values = true)]
    pub symbol: Option<String>,
    /// The file of the reference: definitions close to it come first.
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// The line of the reference, counted from 1.
    #[arg(long, value_name = "N")]
    pub line: Option<u32>,
    /// Maximum number of definitions, between 1 and 100; default: 10.
    #[arg(short = 'k', long, value_name = "N")]
    pub limit: Option<usize>,
}

/// A definition, and why it was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DefinitionMatch {
    /// The definition.
    #[serde(flatten)]
    pub symbol: Symbol,
    /// Why it was chosen.
    pub reason: Reason,
    /// How the reference was resolved to it; missing where only the name says so.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// The answer of `goto_definition`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DefinitionAnswer {
    /// The definitions, most likely first.
    pub definitions: Vec<DefinitionMatch>,
    /// Whether the limit left some out.
    pub truncated: bool,
}

impl Tool for GotoDefinition {
    const NAME: &'static str = "goto_definition";
    const ABOUT: &'static str = "Find the definition of a name. Pass the name, or the file and line of a reference, or both \
        to get the most likely of several definitions first.";
    const OF_EPOCH: bool = true;
    type Answer = DefinitionAnswer;

    fn answer(self, context: &ToolContext<'_>) -> Result<DefinitionAnswer, ToolError> {
        let limit = in_range("limit", self.limit.unwrap_or(10), 1..=100)?;
        let tables = context.epoch.tables()?;
        let from_file = self.path.as_deref().map(|path| context.require_file(path)).transpose()?;
        let from = from_file.map(|file| file.path().as_str());
        let names: Vec<&str> = match (&self.symbol, from_file, self.line) {
            (Some(name), ..) if !name.trim().is_empty() => vec![name.trim()],
            (_, Some(file), Some(line)) => used_at(context, file, line)?,
            _ => return Err(ToolError::bad_input("`symbol` is required, or `path` and `line` of a reference")),
        };
        let mut found: Vec<(Reason, Option<Evidence>, Row<'_, SymbolRows>)> = Vec::new();
        if let (Some(path), Some(edges)) = (from, tables.edges()?) {
            let leads = |edge: &Row<'_, EdgeRows>| {
                let (rows, row) = (edge.table(), edge.row);
                names.contains(&rows.name.value(row))
                    && self.line.is_none_or(|line| u64::from(line) == rows.from_line.value(row))
            };
            for edge in EdgeRows::from(edges, path, None).filter(leads) {
                let (rows, row) = (edge.table(), edge.row);
                let (to, qualified) = (rows.to_path.value(row), rows.to_symbol.value(row));
                let line = rows.to_line.value(row);
                let is_end = |symbol: &Row<'_, SymbolRows>| {
                    symbol.path().as_str() == to && u64::from(symbol.table().start_line.value(symbol.row)) == line
                };
                let ends = definitions_of(tables.symbols()?, qualified).into_iter().filter(is_end);
                found.extend(ends.map(|row| (Reason::Edge, Some(Evidence::of(edge)), row)));
            }
        }
        if let (Some(file), Some(line), true) = (from_file, self.line, found.is_empty()) {
            let own = in_scope(context, file, line, &names)?;
            found.extend(own.into_iter().map(|row| (Reason::Scope, None, row)));
        }
        let language = from_file.map(|file| file.table().language.value(file.row));
        for name in &names {
            let by_name = definitions(context, name)?;
            let from = from.map(|path| (path, language));
            found.extend(by_name.into_iter().map(|row| (reason(row, from), None, row)));
        }
        let mut seen = HashSet::new();
        // Definitions found through edges come first, so they keep that reason.
        found.retain(|(.., row)| seen.insert((row.key(), row.table().ordinal.value(row.row))));
        found.sort_by(|(left_reason, _, left), (right_reason, _, right)| {
            let place =
                |row: &Row<'_, SymbolRows>| (is_secondary(row.path().as_str()), row.table().start_line.value(row.row));
            (left_reason, place(left).0)
                .cmp(&(right_reason, place(right).0))
                .then_with(|| left.path().cmp(right.path()))
                .then_with(|| place(left).1.cmp(&place(right).1))
        });
        let truncated = found.len() > limit;
        let definitions = found.into_iter().take(limit).map(|(reason, evidence, row)| DefinitionMatch {
            symbol: symbol(row),
            reason,
            evidence,
        });
        Ok(DefinitionAnswer { definitions: definitions.collect(), truncated })
    }

    fn render(answer: &DefinitionAnswer) -> String {
        let mut out = String::new();
        for definition in &answer.definitions {
            render_symbol(&mut out, &definition.symbol);
        }
        if answer.definitions.is_empty() {
            out.push_str("no definition found\n");
        }
        if answer.truncated {
            out.push_str("truncated; raise `limit`, or pass `path` and `line` of a reference\n");
        }
        out
    }
}

/// Returns the definitions of a file that names in one of its lines are bound to by scope.
fn in_scope<'a>(
    context: &ToolContext<'a>,
    file: Row<'a, FileRows>,
    line: u32,
    names: &[&str],
) -> Result<Vec<Row<'a, SymbolRows>>, ToolError> {
    let tables = context.epoch.tables()?;
    let used = ReferenceRows::of_file(tables.references()?, file.key())
        .filter(|row| row.table().line.value(row.row) == line && names.contains(&row.table().name.value(row.row)));
    let targets: HashSet<&str> =
        used.map(|row| row.table().target.value(row.row)).filter(|target| target.starts_with("unit ")).collect();
    let of_file = SymbolRows::of_file(tables.symbols()?, file.key());
    let key = |row: &Row<'_, SymbolRows>| NamePath::from(row.table().key.value(row.row)).linked().0;
    Ok(of_file.into_iter().filter(|row| targets.contains(key(row).as_str())).collect())
}

/// Returns the names that a line references.
fn used_at<'a>(context: &ToolContext<'a>, file: Row<'a, FileRows>, line: u32) -> Result<Vec<&'a str>, ToolError> {
    let references = context.epoch.tables()?.references()?;
    let mut names: Vec<&str> = ReferenceRows::of_file(references, file.key())
        .filter(|row| row.table().line.value(row.row) == line)
        .map(|row| row.table().name.value(row.row))
        .collect();
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(*name));
    if names.is_empty() {
        let message = format!("no reference in line {line} of `{}`", file.path());
        return Err(ToolError::new(ErrorCode::NotFound, message));
    }
    Ok(names)
}
