//! `list_preview`: what lies in a folder, with a first look into each file.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use gristmill_display::{bytes, thousands};
use gristmill_pipeline::Key;
use gristmill_query::{At, ErrorCode, FileRows, Row, SymbolRows, Tool, ToolError, all, in_range};
use gristmill_sinks::lance::Resident;
use gristmill_sinks::tables::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lists a folder: its folders with their sizes, its files with their first definitions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct ListPreview {
    /// The folder, relative to the source; empty for the top.
    #[serde(default)]
    #[arg(default_value = "", value_name = "FOLDER", hide_default_value = true)]
    pub path: String,
    /// How many levels to list, from 1 to 5.
    #[serde(default = "default_depth")]
    #[arg(long, default_value_t = default_depth(), value_name = "N")]
    pub depth: usize,
    /// How many definitions of each file to give, from 0 to 20.
    #[serde(default = "default_preview")]
    #[arg(long, default_value_t = default_preview(), value_name = "N")]
    pub preview: usize,
    /// How many entries to give at most, from 1 to 2000. Deeper ones are left out first.
    #[serde(default = "default_limit")]
    #[arg(short = 'k', long = "limit", default_value_t = default_limit(), value_name = "N")]
    pub limit: usize,
}

fn default_depth() -> usize {
    1
}

fn default_preview() -> usize {
    3
}

fn default_limit() -> usize {
    200
}

/// A folder or file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListEntry {
    /// The path.
    pub path: String,
    /// Which of the two it is.
    pub kind: EntryKind,
    /// Files below a folder, at any depth; 1 for a file.
    pub files: u64,
    /// Lines, of a folder those of all files below.
    pub lines: u64,
    /// Bytes, of a folder those of all files below.
    pub bytes: u64,
    /// A file's language; of a folder up to three, those with most lines first.
    pub languages: Vec<String>,
    /// The first outermost definitions of a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preview: Vec<PreviewSymbol>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file.
    File,
}

/// A definition, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreviewSymbol {
    /// What it is, such as `function`.
    pub kind: String,
    /// The name with those of what contains it.
    pub qualified_name: String,
    /// Its first line, counted from 1.
    pub line: u32,
}

/// What lies in a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListAnswer {
    /// The folder; empty for the top.
    pub path: String,
    /// What lies in it, each folder before what lies in it.
    pub entries: Vec<ListEntry>,
    /// Whether there are more.
    pub truncated: bool,
}

impl Tool for ListPreview {
    const NAME: &'static str = "list_preview";
    const ABOUT: &'static str = "Lists a folder (`path`; empty for the top): folders with number of files, lines and main \
        languages, files with their first outermost definitions. Good for finding the way in a repository.";
    type Answer = ListAnswer;

    fn answer(self, at: &At<'_>) -> Result<ListAnswer, ToolError> {
        let depth = in_range("depth", self.depth, 1..=5)?;
        let preview = in_range("preview", self.preview, 0..=20)?;
        let limit = in_range("limit", self.limit, 1..=2000)?;
        let folder = folder_name(&self.path);
        let mut found = gather(at, folder, depth)?;
        let truncated = found.len() > limit;
        // Shallow ones first where some are left out.
        found.sort_by_key(|(path, _)| path.split('/').count());
        found.truncate(limit);
        found.sort_by(|(left, _), (right, _)| left.split('/').cmp(right.split('/')));
        let tables = at.epoch.tables()?;
        let symbols = if preview > 0 && tables.has(&Table::Symbols) { Some(tables.symbols()?) } else { None };
        let mut entries = Vec::with_capacity(found.len());
        for (nth, (path, held)) in found.into_iter().enumerate() {
            at.check_row(nth)?;
            let mut entry = held.entry(path);
            if let (Some(symbols), Held::File(file)) = (symbols, &held) {
                entry.preview = first_definitions(symbols, file.key(), preview);
            }
            entries.push(entry);
        }
        Ok(ListAnswer { path: folder.to_owned(), entries, truncated })
    }

    fn render(answer: &ListAnswer) -> String {
        let mut out = String::new();
        let above = if answer.path.is_empty() { 0 } else { answer.path.split('/').count() };
        // Writing to a String cannot fail.
        for entry in &answer.entries {
            let level = entry.path.split('/').count().saturating_sub(above + 1);
            let name = entry.path.rsplit('/').next().unwrap_or(&entry.path);
            let (indent, lines) = ("  ".repeat(level), thousands(entry.lines));
            let languages = entry.languages.join(", ");
            let _ = match entry.kind {
                EntryKind::Folder => {
                    writeln!(out, "{indent}{name}/  {} files, {lines} lines, {languages}", thousands(entry.files))
                }
                EntryKind::File => writeln!(out, "{indent}{name}  {languages}, {lines} lines, {}", bytes(entry.bytes)),
            };
            for symbol in &entry.preview {
                let _ = writeln!(out, "{indent}    {:>5}  {} {}", symbol.line, symbol.kind, symbol.qualified_name);
            }
        }
        if answer.truncated {
            out.push_str("there is more; raise `limit`, or list a folder of it\n");
        }
        out
    }
}

/// What is known of an entry.
enum Held<'a> {
    Folder(Folder<'a>),
    File(Row<'a, FileRows>),
}

/// Sums over the files below a folder.
#[derive(Default)]
struct Folder<'a> {
    files: u64,
    lines: u64,
    bytes: u64,
    lines_by_language: HashMap<&'a str, u64>,
}

impl<'a> Folder<'a> {
    fn add(&mut self, file: Row<'a, FileRows>) {
        let (table, row) = (file.table(), file.row);
        let lines = u64::from(table.lines.value(row));
        self.files += 1;
        self.lines += lines;
        self.bytes += table.bytes.value(row);
        *self.lines_by_language.entry(table.language.value(row)).or_default() += lines;
    }
}

impl Held<'_> {
    fn entry(&self, path: &str) -> ListEntry {
        /// Languages of a folder that are named.
        const NAMED: usize = 3;
        let path = path.to_owned();
        match self {
            Self::Folder(Folder { files, lines, bytes, lines_by_language }) => {
                let mut languages: Vec<(u64, &str)> =
                    lines_by_language.iter().map(|(language, lines)| (*lines, *language)).collect();
                languages.sort_by(|left, right| right.0.cmp(&left.0).then_with(|| left.1.cmp(right.1)));
                let languages = languages.into_iter().take(NAMED).map(|(_, language)| language.to_owned()).collect();
                let (files, lines, bytes) = (*files, *lines, *bytes);
                ListEntry { path, kind: EntryKind::Folder, files, lines, bytes, languages, preview: Vec::new() }
            }
            Self::File(file) => {
                let (table, row) = (file.table(), file.row);
                ListEntry {
                    path,
                    kind: EntryKind::File,
                    files: 1,
                    lines: u64::from(table.lines.value(row)),
                    bytes: table.bytes.value(row),
                    languages: vec![table.language.value(row).to_owned()],
                    preview: Vec::new(),
                }
            }
        }
    }
}

/// A folder as paths name it: without what a shell adds.
fn folder_name(path: &str) -> &str {
    let path = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
    if path == "." { "" } else { path }
}

/// All that lies in a folder, down to a depth, in no order.
fn gather<'a>(at: &At<'a>, folder: &str, depth: usize) -> Result<Vec<(&'a str, Held<'a>)>, ToolError> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut folders: HashMap<&str, Folder<'_>> = HashMap::new();
    let mut files: Vec<(&str, Held<'_>)> = Vec::new();
    let mut is_file = false;
    for (nth, file) in all(at.epoch.tables()?.files()?).enumerate() {
        at.check_row(nth)?;
        if !at.visible.shows(file.key()) {
            continue;
        }
        let path = file.path().as_str();
        is_file |= path == folder;
        let Some(below) = path.strip_prefix(&prefix) else { continue };
        let mut level = 0;
        for (end, _) in below.match_indices('/').take(depth) {
            level += 1;
            folders.entry(path.get(..prefix.len() + end).unwrap_or_default()).or_default().add(file);
        }
        if level < depth {
            files.push((path, Held::File(file)));
        }
    }
    if files.is_empty() && folders.is_empty() && !folder.is_empty() {
        let error = ToolError::new(ErrorCode::NotFound, format!("the index has no folder `{folder}`"));
        return Err(error.help(if is_file {
            "it is a file: `get_files` reads it"
        } else {
            "paths are relative to the source; list the top with an empty `path`"
        }));
    }
    files.extend(folders.into_iter().map(|(path, folder)| (path, Held::Folder(folder))));
    Ok(files)
}

/// The definitions of a file that lie in no other; where that is one module around all, those
/// that lie in it.
fn outermost(table: &Resident<SymbolRows>, file: Key) -> Vec<Row<'_, SymbolRows>> {
    let definitions = SymbolRows::of_file(table, file);
    let within = |parent: Option<u32>| -> Vec<Row<'_, SymbolRows>> {
        definitions.iter().copied().filter(|definition| definition.table().parent(definition.row) == parent).collect()
    };
    let mut found = within(None);
    while let [only] = *found
        && only.table().kind.value(only.row) == "module"
    {
        let inner = within(Some(only.table().ordinal.value(only.row)));
        if inner.is_empty() {
            break;
        }
        found = inner;
    }
    found
}

/// The first definitions of a file that lie in no other, each name once: what is told of a type
/// is not told again of its implementations.
fn first_definitions(table: &Resident<SymbolRows>, file: Key, most: usize) -> Vec<PreviewSymbol> {
    let mut named: HashSet<&str> = HashSet::new();
    let definitions = outermost(table, file).into_iter();
    let first = definitions.filter(|symbol| named.insert(symbol.table().qualified_name.value(symbol.row)));
    first.take(most).map(in_short).collect()
}

fn in_short(symbol: Row<'_, SymbolRows>) -> PreviewSymbol {
    let (table, row) = (symbol.table(), symbol.row);
    PreviewSymbol {
        kind: table.kind.value(row).to_owned(),
        qualified_name: table.qualified_name.value(row).to_owned(),
        line: table.start_line.value(row),
    }
}

#[cfg(test)]
mod tests {
    use super::folder_name;

    #[test]
    fn a_folder_may_be_named_as_a_shell_does() {
        assert_eq!(["", ".", "./", "a", "./a/", "a/b//"].map(folder_name), ["", "", "", "a", "a", "a/b"]);
    }
}
