//! What a change of some files would cost, by what the index holds of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use gristmill_pipeline::Key;
use gristmill_pipeline::run::RunReport;
use gristmill_query::past;
use gristmill_query::{At, EdgeRows, ErrorCode, FileRows, ReferenceRows, Row, SymbolRows, ToolError, all};
use gristmill_sinks::lance::Resident;
use gristmill_sinks::tables::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::search::path_globs;

/// A name that more files define says too little about who means which of them.
const MOST_DEFINERS: usize = 4;

/// Names that are told of a file that uses them.
const NAMES_TOLD: usize = 8;

/// What a change of some files would cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeEstimate {
    /// The files.
    pub files: u64,
    /// Distinct contents among them: equal files that change alike are analysed once.
    pub contents: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their lines.
    pub lines: u64,
    /// Their definitions.
    pub symbols: u64,
    /// Their chunks, all of which would be embedded at most.
    pub chunks: u64,
    /// Mean time that past runs took for a content, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms_per_content: Option<f64>,
    /// How long the contents would take by that, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_ms: Option<f64>,
    /// Other files that use what these define, those with most uses first.
    pub used_by: Vec<UsingFile>,
    /// How many there are, be they named or not.
    pub used_by_files: u64,
    /// How they were found; nothing if the index cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_by: Option<FoundBy>,
    /// Paths and globs that match no file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_found: Vec<String>,
}

/// A file that uses what others define.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsingFile {
    /// Its path.
    pub path: String,
    /// How many uses it has.
    pub uses: u64,
    /// Names that it uses, eight at most.
    pub names: Vec<String>,
}

/// By what files are found that use others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// The view `edges`, where names and imports are resolved.
    Edges,
    /// Equal names in languages that share them: some may mean another definition.
    Names,
}

/// By path the files that would change.
type Changed<'a> = BTreeMap<&'a str, Row<'a, FileRows>>;

/// By path its uses and the names that it uses.
type Uses<'a> = HashMap<&'a str, (u64, BTreeSet<&'a str>)>;

/// What a change of these files would cost.
pub(super) fn estimate(at: &At<'_>, paths: &[String], limit: usize) -> Result<ChangeEstimate, ToolError> {
    let tables = at.epoch.tables()?;
    let (changed, not_found) = files_of(at, tables.files()?, paths)?;
    if changed.is_empty() {
        let error = ToolError::new(ErrorCode::NotFound, "the index holds no file that one of the paths matches");
        return Err(error.help("paths are relative to the source; `list_preview` shows what there is"));
    }
    let mut estimate = ChangeEstimate { not_found, ..sizes(&changed) };
    let runs = past::runs(at.epoch.folder())
        .map_err(|error| ToolError::unreadable("the reports of the runs cannot be read", &error))?;
    estimate.ms_per_content = ms_per_content(runs.iter().map(|run| &run.report));
    estimate.estimated_ms = estimate.ms_per_content.map(|each| each * estimate.contents as f64);
    let uses = if let Some(edges) = tables.edges()? {
        estimate.found_by = Some(FoundBy::Edges);
        uses_by_edges(at, edges, &changed)?
    } else if tables.has(&Table::Symbols) && tables.has(&Table::References) {
        estimate.found_by = Some(FoundBy::Names);
        uses_by_names(at, &changed)?
    } else {
        at.note("no_references", "the index holds no uses of names, so who uses these files is not known");
        Uses::new()
    };
    estimate.used_by_files = uses.len() as u64;
    estimate.used_by = most_used(uses, limit);
    Ok(estimate)
}

/// The files that paths or globs name, by path, and those of them that name none.
fn files_of<'a>(
    at: &At<'_>,
    table: &'a Resident<FileRows>,
    paths: &[String],
) -> Result<(Changed<'a>, Vec<String>), ToolError> {
    let globs = path_globs(paths)?;
    let mut found = BTreeMap::new();
    let mut has_matched = vec![false; paths.len()];
    let mut matches = Vec::new();
    for (nth, file) in all(table).enumerate() {
        at.check_row(nth)?;
        if !at.visible.shows(file.key()) {
            continue;
        }
        let path = file.path().as_str();
        if let Some(globs) = &globs {
            globs.matches_into(path, &mut matches);
        }
        // A name may have letters that mean something in a glob.
        let named = paths.iter().position(|named| named.strip_prefix("./").unwrap_or(named) == path);
        for nth in matches.drain(..).chain(named) {
            if let Some(has_matched) = has_matched.get_mut(nth) {
                *has_matched = true;
            }
            found.insert(path, file);
        }
    }
    let not_found = paths.iter().zip(has_matched).filter(|(_, matched)| !matched).map(|(path, _)| path.clone());
    Ok((found, not_found.collect()))
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

/// Mean time of a content over the runs that analysed any.
fn ms_per_content<'a>(runs: impl Iterator<Item = &'a RunReport>) -> Option<f64> {
    let runs = runs.map(|run| (run.work.contents_analysed, run.time.process_ms)).filter(|(contents, _)| *contents > 0);
    let (contents, taken) = runs.fold((0, 0.0), |(contents, taken), run| (contents + run.0, taken + run.1));
    (contents > 0).then(|| taken / contents as f64)
}

fn uses_by_edges<'a>(at: &At<'_>, edges: &'a Resident<EdgeRows>, changed: &Changed<'a>) -> Result<Uses<'a>, ToolError> {
    let mut uses = Uses::new();
    for path in changed.keys() {
        for (nth, edge) in EdgeRows::to(edges, path, None).enumerate() {
            at.check_row(nth)?;
            let (table, row) = (edge.table(), edge.row);
            let from = table.from_path.value(row);
            if !changed.contains_key(from) {
                add(&mut uses, from, table.name.value(row));
            }
        }
    }
    Ok(uses)
}

/// Uses of the names that the changed files define, in files of languages that share names
/// with theirs.
fn uses_by_names<'a>(at: &At<'a>, changed: &Changed<'a>) -> Result<Uses<'a>, ToolError> {
    let tables = at.epoch.tables()?;
    let (files, symbols, references) = (tables.files()?, tables.symbols()?, tables.references()?);
    let graph = &at.index.job().graph;
    let mut defined: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in changed.values() {
        at.call.check()?;
        for symbol in SymbolRows::of_file(symbols, file.key()) {
            let (table, row) = (symbol.table(), symbol.row);
            defined.entry(table.name.value(row)).or_default().insert(graph.name_scope(table.language.value(row)));
        }
    }
    let mut uses = Uses::new();
    let mut common = 0_u64;
    let mut scopes: HashMap<Key, &str> = HashMap::new();
    for (name, defined_in) in defined {
        at.call.check()?;
        let mut definers: HashSet<Key> = HashSet::new();
        let mut visible =
            SymbolRows::named(symbols, name).map(|symbol| symbol.key()).filter(|key| at.visible.shows(*key));
        let is_common = visible.any(|key| definers.insert(key) && definers.len() > MOST_DEFINERS);
        if is_common {
            common += 1;
            continue;
        }
        for (nth, reference) in ReferenceRows::named(references, name).enumerate() {
            at.check_row(nth)?;
            let (path, key) = (reference.path().as_str(), reference.key());
            // A file that defines the name itself means its own.
            if !at.visible.shows(key) || changed.contains_key(path) || definers.contains(&key) {
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
        let message = format!("{common} names are left out because more than {MOST_DEFINERS} files define them");
        at.note("common_names", message);
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
    let told = |(path, (uses, names)): (&str, (u64, BTreeSet<&str>))| UsingFile {
        path: path.to_owned(),
        uses,
        names: names.into_iter().take(NAMES_TOLD).map(ToOwned::to_owned).collect(),
    };
    files.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_most_uses_come_first() {
        let mut uses = Uses::new();
        for (path, name) in [("b", "x"), ("a", "x"), ("c", "y"), ("c", "x"), ("c", "x")] {
            add(&mut uses, path, name);
        }
        let told = most_used(uses, 2);
        let told: Vec<_> = told.iter().map(|file| (file.path.as_str(), file.uses, file.names.len())).collect();
        assert_eq!(told, [("c", 3, 2), ("a", 1, 1)]);
    }
}
