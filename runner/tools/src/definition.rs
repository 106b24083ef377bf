//! `goto_definition`: where a name is defined.

use std::collections::HashSet;

use gristmill_query::{At, EdgeRows, ErrorCode, FileRows, ReferenceRows, Row, SymbolRows, Tool, ToolError, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::{Reason, definitions, reason};
use super::symbols::{Symbol, definitions_of, render_symbol, symbol};
use crate::search::is_secondary;

/// Finds where a name is defined.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct GotoDefinition {
    /// The name, bare or qualified; may be left out where `path` and `line` name a use.
    #[arg(value_name = "NAME")]
    pub symbol: Option<String>,
    /// The file that uses the name: what is near to it comes first.
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// The line of the use, counted from 1.
    #[arg(long, value_name = "N")]
    pub line: Option<u32>,
    /// How many to give at most, from 1 to 100; 10 if left out.
    #[arg(short = 'k', long, value_name = "N")]
    pub limit: Option<usize>,
}

/// A definition, and why it is thought to be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Definition {
    /// The definition.
    #[serde(flatten)]
    pub symbol: Symbol,
    /// Why it is thought to be meant.
    pub reason: Reason,
}

/// Definitions of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DefinitionAnswer {
    /// The definitions, the likeliest first.
    pub definitions: Vec<Definition>,
    /// Whether there are more.
    pub truncated: bool,
}

impl Tool for GotoDefinition {
    const NAME: &'static str = "goto_definition";
    const ABOUT: &'static str = "Finds where a name is defined: give the name, or the file and line where it is used, or \
        both, so that the likeliest of several comes first.";
    type Answer = DefinitionAnswer;

    fn answer(self, at: &At<'_>) -> Result<DefinitionAnswer, ToolError> {
        let limit = in_range("limit", self.limit.unwrap_or(10), 1..=100)?;
        let tables = at.epoch.tables()?;
        let from_file = self.path.as_deref().map(|path| at.held_file(path)).transpose()?;
        let from = from_file.map(|file| file.path().as_str());
        let names: Vec<&str> = match (&self.symbol, from_file, self.line) {
            (Some(name), ..) if !name.trim().is_empty() => vec![name.trim()],
            (_, Some(file), Some(line)) => used_at(at, file, line)?,
            _ => return Err(ToolError::bad_input("give `symbol`, or `path` and `line` of a use")),
        };
        let mut found: Vec<(Reason, Row<'_, SymbolRows>)> = Vec::new();
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
                found
                    .extend(definitions_of(tables.symbols()?, qualified).filter(is_end).map(|row| (Reason::Edge, row)));
            }
        }
        let language = from_file.map(|file| file.table().language.value(file.row));
        for name in &names {
            let by_name = definitions(at, name)?;
            found.extend(by_name.into_iter().map(|row| (reason(row, from.map(|path| (path, language))), row)));
        }
        let mut seen = HashSet::new();
        // What edges lead to stands first, and so is kept for that reason.
        found.retain(|(_, row)| seen.insert((row.key(), row.table().ordinal.value(row.row))));
        found.sort_by(|(left_reason, left), (right_reason, right)| {
            let place =
                |row: &Row<'_, SymbolRows>| (is_secondary(row.path().as_str()), row.table().start_line.value(row.row));
            (left_reason, place(left).0)
                .cmp(&(right_reason, place(right).0))
                .then_with(|| left.path().cmp(right.path()))
                .then_with(|| place(left).1.cmp(&place(right).1))
        });
        let truncated = found.len() > limit;
        let definitions = found.into_iter().take(limit).map(|(reason, row)| Definition { symbol: symbol(row), reason });
        Ok(DefinitionAnswer { definitions: definitions.collect(), truncated })
    }

    fn render(answer: &DefinitionAnswer) -> String {
        let mut out = String::new();
        for definition in &answer.definitions {
            render_symbol(&mut out, &definition.symbol);
        }
        if answer.definitions.is_empty() {
            out.push_str("nothing defines it\n");
        }
        if answer.truncated {
            out.push_str("there are more; raise `limit`, or say where the name is used\n");
        }
        out
    }
}

/// The names that a line uses.
fn used_at<'a>(at: &At<'a>, file: Row<'a, FileRows>, line: u32) -> Result<Vec<&'a str>, ToolError> {
    let references = at.epoch.tables()?.references()?;
    let mut names: Vec<&str> = ReferenceRows::of_file(references, file.key())
        .filter(|row| row.table().line.value(row.row) == line)
        .map(|row| row.table().name.value(row.row))
        .collect();
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(*name));
    if names.is_empty() {
        let message = format!("no name that is defined elsewhere is used in line {line} of `{}`", file.path());
        return Err(ToolError::new(ErrorCode::NotFound, message));
    }
    Ok(names)
}
