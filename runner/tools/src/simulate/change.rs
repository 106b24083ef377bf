//! Estimates the cost of a change of some files, from the index alone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use gristmill_pipeline::RowKey;
use gristmill_pipeline::run::RunReport;
use gristmill_query::past;
use gristmill_query::{EdgeRows, ErrorCode, FileRows, ReferenceRows, Row, SymbolRows, ToolContext, ToolError, all};
use gristmill_sinks::lance::Resident;
use gristmill_sinks::tables::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::filters::Paths;

/// A name that more files define is ambiguous and skipped.
const MAX_DEFINERS: usize = 4;

/// The maximum number of names per dependent file.
const MAX_NAMES: usize = 8;

/// The estimated cost of a change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeEstimate {
    /// The number of files.
    pub files: u64,
    /// The number of distinct contents: equal files are analysed once.
    pub contents: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// The number of their lines.
    pub lines: u64,
    /// The number of their definitions.
    pub symbols: u64,
    /// The number of their chunks: the maximum to embed.
    pub chunks: u64,
    /// The mean time per content of past runs, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms_per_content: Option<f64>,
    /// The estimated time of the change, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_ms: Option<f64>,
    /// Files that depend on the changed ones, by descending references.
    pub used_by: Vec<UsingFile>,
    /// The number of dependent files, including those beyond the limit.
    pub used_by_files: u64,
    /// How they were found; absent if the index has no references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_by: Option<FoundBy>,
    /// Paths and globs that match no file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_found: Vec<String>,
}

/// A file that depends on changed files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsingFile {
    /// The path.
    pub path: String,
    /// The number of references.
    pub uses: u64,
    /// The referenced names, at most eight.
    pub names: Vec<String>,
}

/// How dependent files are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// By the view `edges`, with resolved names and imports.
    Edges,
    /// By equal names in languages of one family: some may refer to other definitions.
    Names,
}

/// The changed files by path.
type Changed<'a> = BTreeMap<&'a str, Row<'a, FileRows>>;

/// The number of references and the referenced names, by path.
type Uses<'a> = HashMap<&'a str, (u64, BTreeSet<&'a str>)>;

/// Estimates a change of these files.
pub(super) fn estimate(context: &ToolContext<'_>, paths: &[String], limit: usize) -> Result<ChangeEstimate, ToolError> {
    let tables = context.epoch.tables()?;
    let (changed, not_found) = files_of(context, tables.files()?, paths)?;
    if changed.is_empty() {
        let error = ToolError::new(ErrorCode::NotFound, "no indexed file matches the paths");
        return Err(error.help("paths are relative to the source; `list_preview` lists them"));
    }
    let mut estimate = ChangeEstimate { not_found, ..sizes(&changed) };
    let runs = past::runs(context.epoch.folder())
        .map_err(|error| ToolError::unreadable("the reports of the runs cannot be read", &error))?;
    estimate.ms_per_content = ms_per_content(runs.iter().map(|run| &run.report));
    estimate.estimated_ms = estimate.ms_per_content.map(|each| each * estimate.contents as f64);
    let uses = if let Some(edges) = tables.edges()? {
        estimate.found_by = Some(FoundBy::Edges);
        uses_by_edges(context, edges, &changed)?
    } else if tables.has(&Table::Symbols) && tables.has(&Table::References) {
        estimate.found_by = Some(FoundBy::Names);
        uses_by_names(context, &changed)?
    } else {
        context.note("no_references", "dependent files are unknown: the index has no references");
        Uses::new()
    };
    estimate.used_by_files = uses.len() as u64;
    estimate.used_by = most_used(uses, limit);
    Ok(estimate)
}

/// Resolves paths and globs to files, by path. Also returns those without a match.
fn files_of<'a>(
    context: &ToolContext<'_>,
    table: &'a Resident<FileRows>,
    paths: &[String],
) -> Result<(Changed<'a>, Vec<String>), ToolError> {
    let selected = Paths::new(context, paths)?;
    let mut found = BTreeMap::new();
    for (nth, file) in all(table).enumerate() {
        context.check_row(nth)?;
        let path = file.path().as_str();
        if context.visible.shows(file.key()) && selected.allow(path) {
            found.insert(path, file);
        }
    }
    Ok((found, selected.into_unmatched()))
}

fn sizes(changed: &Changed<'_>) -> ChangeEstimate {
    let mut sizes = ChangeEstimate { files: changed.len() as u64, ..ChangeEstimate::default() };
    let mut contents: HashSet<&[u8]> = HashSet::new();
    for file in changed.values() {
        let (table, row) = (file.table(), file.row);
        sizes.bytes += table.bytes.value(row);
        sizes.lines += u64::from(table.lines.value(row));
        sizes.symbols += u64::from(table.symbols.value(row));
        sizes.chunks += u64::from(table.chunks.value(row));
        contents.insert(table.content_hash.value(row));
    }
    sizes.contents = contents.len() as u64;
    sizes
}

/// Computes the mean time per content of the runs that analysed any.
fn ms_per_content<'a>(runs: impl Iterator<Item = &'a RunReport>) -> Option<f64> {
    let runs = runs.map(|run| (run.work.contents_analysed, run.time.process_ms)).filter(|(contents, _)| *contents > 0);
    let (contents, taken) = runs.fold((0, 0.0), |(contents, taken), run| (contents + run.0, taken + run.1));
    (contents > 0).then(|| taken / contents as f64)
}

fn uses_by_edges<'a>(
    context: &ToolContext<'_>,
    edges: &'a Resident<EdgeRows>,
    changed: &Changed<'a>,
) -> Result<Uses<'a>, ToolError> {
    let mut uses = Uses::new();
    for path in changed.keys() {
        for (nth, edge) in EdgeRows::to(edges, path, None).enumerate() {
            context.check_row(nth)?;
            let (table, row) = (edge.table(), edge.row);
            let from = table.from_path.value(row);
            if !changed.contains_key(from) {
                add(&mut uses, from, table.name.value(row));
            }
        }
    }
    Ok(uses)
}

/// Finds references to the names that the changed files define, in languages of the same family.
fn uses_by_names<'a>(context: &ToolContext<'a>, changed: &Changed<'a>) -> Result<Uses<'a>, ToolError> {
    let tables = context.epoch.tables()?;
    let (files, symbols, references) = (tables.files()?, tables.symbols()?, tables.references()?);
    let graph = &context.index.job().graph;
    let mut defined: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in changed.values() {
        context.call.check()?;
        for symbol in SymbolRows::of_file(symbols, file.key()) {
            let (table, row) = (symbol.table(), symbol.row);
            defined.entry(table.name.value(row)).or_default().insert(graph.name_scope(table.language.value(row)));
        }
    }
    let mut uses = Uses::new();
    let mut common = 0_u64;
    let mut scopes: HashMap<RowKey, &str> = HashMap::new();
    for (name, defined_in) in defined {
        context.call.check()?;
        let mut definers: HashSet<RowKey> = HashSet::new();
        let mut visible =
            SymbolRows::named(symbols, name).map(|symbol| symbol.key()).filter(|key| context.visible.shows(*key));
        let is_common = visible.any(|key| definers.insert(key) && definers.len() > MAX_DEFINERS);
        if is_common {
            common += 1;
            continue;
        }
        for (nth, reference) in ReferenceRows::named(references, name).enumerate() {
            context.check_row(nth)?;
            let (path, key) = (reference.path().as_str(), reference.key());
            // In a file that defines the name, references resolve to its own definition.
            if !context.visible.shows(key) || changed.contains_key(path) || definers.contains(&key) {
                continue;
            }
            let scope = *scopes.entry(key).or_insert_with(|| {
                let file = FileRows::at(files, path).find(|file| file.key() == key);
                file.map_or("", |file| graph.name_scope(file.table().language.value(file.row)))
            });
            if defined_in.contains(scope) {
                add(&mut uses, path, name);
            }
        }
    }
    if common > 0 {
        let message = format!("{common} ambiguous names skipped: more than {MAX_DEFINERS} files define each");
        context.note("common_names", message);
    }
    Ok(uses)
}

fn add<'a>(uses: &mut Uses<'a>, path: &'a str, name: &'a str) {
    let (count, names) = uses.entry(path).or_default();
    *count += 1;
    names.insert(name);
}

fn most_used(uses: Uses<'_>, limit: usize) -> Vec<UsingFile> {
    let mut files: Vec<_> = uses.into_iter().collect();
    files.sort_by(|(left, (more, _)), (right, (less, _))| less.cmp(more).then_with(|| left.cmp(right)));
    files.truncate(limit);
    let using = |(path, (uses, names)): (&str, (u64, BTreeSet<&str>))| UsingFile {
        path: path.to_owned(),
        uses,
        names: names.into_iter().take(MAX_NAMES).map(ToOwned::to_owned).collect(),
    };
    files.into_iter().map(using).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_most_references_come_first() {
        let mut uses = Uses::new();
        for (path, name) in [("b", "x"), ("a", "x"), ("c", "y"), ("c", "x"), ("c", "x")] {
            add(&mut uses, path, name);
        }
        let files = most_used(uses, 2);
        let files: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.uses, file.names.len())).collect();
        assert_eq!(files, [("c", 3, 2), ("a", 1, 1)]);
    }
}
