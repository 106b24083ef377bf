//! The tool `get_symbols`.

use std::fmt::Write as _;

use arrow::array::AsArray as _;
use gristmill_pipeline::RelPath;
use gristmill_query::{Row, SymbolRows, Tool, ToolContext, ToolError, all, in_range};
use gristmill_sinks::tables::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::filters::{Kinds, Paths};
use crate::names::find;

/// The input of `get_symbols`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct GetSymbols {
    /// Names, unqualified (`parse`) or qualified (`Config::parse`, `Config.parse`), or paths of files;
    /// empty: all.
    #[serde(default)]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Only definitions in these files, folders, or files that match one of these globs.
    #[serde(default)]
    #[arg(long = "path", value_name = "GLOB")]
    pub paths: Vec<String>,
    /// Only definitions of these kinds, such as `function`.
    #[serde(default)]
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
    /// Return doc comments.
    #[serde(default)]
    #[arg(long)]
    pub docs: bool,
    /// Maximum number of definitions, between 1 and 1000.
    #[serde(default = "default_limit")]
    #[arg(short = 'k', long = "limit", default_value_t = default_limit(), value_name = "N")]
    pub limit: usize,
}

fn default_limit() -> usize {
    50
}

/// A definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Symbol {
    /// The file.
    #[schemars(with = "String")]
    pub path: RelPath,
    /// The first line, counted from 1.
    pub start_line: u32,
    /// The last line.
    pub end_line: u32,
    /// The unqualified name.
    pub name: String,
    /// The name with the names of the enclosing definitions.
    pub qualified_name: String,
    /// The kind, such as `function`.
    pub kind: String,
    /// The language.
    pub language: String,
    /// The signature on one line.
    pub signature: String,
    /// The doc comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
}

/// The answer of `get_symbols`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SymbolsAnswer {
    /// The definitions, by path and line.
    pub symbols: Vec<Symbol>,
    /// Names without a definition; a note names the similar ones that are shown instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_found: Vec<String>,
    /// Whether the limit left some out.
    pub truncated: bool,
}

impl Tool for GetSymbols {
    const NAME: &'static str = "get_symbols";
    const ABOUT: &'static str = "List definitions by name, file or kind. Returns functions, classes, methods, types… with \
        signature and location, for any number of names.";
    const OF_EPOCH: bool = true;
    type Answer = SymbolsAnswer;

    fn answer(self, context: &ToolContext<'_>) -> Result<SymbolsAnswer, ToolError> {
        let limit = in_range("limit", self.limit, 1..=1000)?;
        let table = context.epoch.tables()?.symbols()?;
        let paths = Paths::new(context, &self.paths)?;
        let kinds = Kinds::of_definitions(context, &self.kinds)?;
        let is_wanted = |symbol: &Row<'_, SymbolRows>| {
            context.visible.shows(symbol.key())
                && paths.allow(symbol.path().as_str())
                && kinds.allow(symbol.table().kind.value(symbol.row))
        };
        let mut not_found = Vec::new();
        let mut rows: Vec<Row<'_, SymbolRows>> = Vec::new();
        if self.names.is_empty() {
            rows.extend(all(table).filter(is_wanted));
        }
        for name in &self.names {
            let before = rows.len();
            let found = find(context, name)?;
            rows.extend(found.rows.into_iter().filter(is_wanted));
            if found.is_correction || rows.len() == before {
                not_found.push(name.clone());
            }
        }
        context.call.check()?;
        sort_by_place(&mut rows);
        let truncated = rows.len() > limit;
        rows.truncate(limit);
        let mut symbols: Vec<Symbol> = rows.iter().map(|row| symbol(*row)).collect();
        if self.docs {
            add_docs(context, &rows, &mut symbols)?;
        }
        Ok(SymbolsAnswer { symbols, not_found, truncated })
    }

    fn render(answer: &SymbolsAnswer) -> String {
        let mut out = String::new();
        for symbol in &answer.symbols {
            render_symbol(&mut out, symbol);
        }
        for name in &answer.not_found {
            let _ = writeln!(out, "no definition of {name}");
        }
        if answer.truncated {
            out.push_str("truncated; raise `limit` or narrow the query\n");
        }
        out
    }
}

/// Renders a definition on two or three lines.
pub(super) fn render_symbol(out: &mut String, symbol: &Symbol) {
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{}:{}-{}  {} {}",
        symbol.path, symbol.start_line, symbol.end_line, symbol.kind, symbol.qualified_name
    );
    let _ = writeln!(out, "    {}", symbol.signature);
    if let Some(doc) = symbol.doc.as_deref().and_then(|doc| doc.lines().next()) {
        let _ = writeln!(out, "    {doc}");
    }
}

/// Sorts by path and line, and deduplicates.
pub(super) fn sort_by_place(rows: &mut Vec<Row<'_, SymbolRows>>) {
    let place = |row: &Row<'_, SymbolRows>| (row.table().start_line.value(row.row), row.table().ordinal.value(row.row));
    rows.sort_by(|left, right| left.path().cmp(right.path()).then_with(|| place(left).cmp(&place(right))));
    rows.dedup_by(|left, right| left.key() == right.key() && place(left) == place(right));
}

/// Converts a row.
pub(super) fn symbol(row: Row<'_, SymbolRows>) -> Symbol {
    let (table, at) = (row.table(), row.row);
    Symbol {
        path: row.path().clone(),
        start_line: table.start_line.value(at),
        end_line: table.end_line.value(at),
        name: table.name.value(at).to_owned(),
        qualified_name: table.qualified_name.value(at).to_owned(),
        kind: table.kind.value(at).to_owned(),
        language: table.language.value(at).to_owned(),
        signature: table.signature.value(at).to_owned(),
        doc: None,
    }
}

/// Reads the doc comments, which are not resident.
fn add_docs(context: &ToolContext<'_>, rows: &[Row<'_, SymbolRows>], symbols: &mut [Symbol]) -> Result<(), ToolError> {
    let mut addressed: Vec<(u64, &mut Symbol)> =
        rows.iter().zip(symbols).filter_map(|(row, symbol)| Some((row.address()?, symbol))).collect();
    if addressed.is_empty() {
        return Ok(());
    }
    addressed.sort_by_key(|(address, _)| *address);
    let addresses: Vec<u64> = addressed.iter().map(|(address, _)| *address).collect();
    let batch = context.epoch.tables()?.reader.take(&Table::Symbols, &addresses, &["doc"])?;
    let docs = batch.column_by_name("doc").and_then(|column| column.as_string_opt::<i32>());
    for ((_, symbol), doc) in addressed.into_iter().zip(docs.into_iter().flatten()) {
        symbol.doc = doc.filter(|doc| !doc.is_empty()).map(ToOwned::to_owned);
    }
    Ok(())
}
