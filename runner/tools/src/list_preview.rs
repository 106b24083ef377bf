//! The tool `list_preview`.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use gristmill_display::{bytes, thousands};
use gristmill_pipeline::RowKey;
use gristmill_query::{
    ErrorCode, FileRows, Row, SymbolRows, Tool, ToolContext, ToolError, all, did_you_mean, in_range, quote,
};
use gristmill_sinks::lance::Resident;
use gristmill_sinks::tables::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::filters::nearest_folder;

/// The input of `list_preview`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct ListPreview {
    /// The folder, relative to the source; default: the root.
    #[serde(default)]
    #[arg(default_value = "", value_name = "FOLDER", hide_default_value = true)]
    pub path: String,
    /// Number of levels to list, between 1 and 5.
    #[serde(default = "default_depth")]
    #[arg(long, default_value_t = default_depth(), value_name = "N")]
    pub depth: usize,
    /// Maximum number of definitions per file, between 0 and 20.
    #[serde(default = "default_preview")]
    #[arg(long, default_value_t = default_preview(), value_name = "N")]
    pub preview: usize,
    /// Maximum number of entries, between 1 and 2000. Deeper entries are dropped first.
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

/// A folder or a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListEntry {
    /// The path.
    pub path: String,
    /// Whether it is a folder or a file.
    pub kind: EntryKind,
    /// The number of files below the folder, at any depth; 1 for a file.
    pub files: u64,
    /// The number of lines; for a folder, of all files below.
    pub lines: u64,
    /// The size in bytes; for a folder, of all files below.
    pub bytes: u64,
    /// The language of a file; up to three of a folder, by descending lines.
    pub languages: Vec<String>,
    /// The first top-level definitions of a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preview: Vec<PreviewSymbol>,
}

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file.
    File,
}

/// A definition in a preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreviewSymbol {
    /// The kind, such as `function`.
    pub kind: String,
    /// The name with the names of the enclosing definitions.
    pub qualified_name: String,
    /// The first line, counted from 1.
    pub line: u32,
}

/// The answer of `list_preview`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListAnswer {
    /// The folder; empty for the root.
    pub path: String,
    /// The entries, each folder before its contents.
    pub entries: Vec<ListEntry>,
    /// Whether the limit left some out.
    pub truncated: bool,
}

impl Tool for ListPreview {
    const NAME: &'static str = "list_preview";
    const ABOUT: &'static str = "List a folder with a preview of each file. Shows folders with number of files, lines and main \
        languages, and files with their first top-level definitions. Good for exploring a repository.";
    const OF_EPOCH: bool = true;
    type Answer = ListAnswer;

    fn answer(self, context: &ToolContext<'_>) -> Result<ListAnswer, ToolError> {
        let depth = in_range("depth", self.depth, 1..=5)?;
        let preview = in_range("preview", self.preview, 0..=20)?;
        let limit = in_range("limit", self.limit, 1..=2000)?;
        let Some(folder) = context.folder(&self.path)? else { return Err(no_folder(context, &self.path)?) };
        let mut found = collect(context, &folder, depth)?;
        let truncated = found.len() > limit;
        // Keeps the shallow entries.
        found.sort_by_key(|(path, _)| path.split('/').count());
        found.truncate(limit);
        found.sort_by(|(left, _), (right, _)| left.split('/').cmp(right.split('/')));
        let tables = context.epoch.tables()?;
        let symbols = if preview > 0 && tables.has(&Table::Symbols) { Some(tables.symbols()?) } else { None };
        let mut entries = Vec::with_capacity(found.len());
        for (nth, (path, node)) in found.into_iter().enumerate() {
            context.check_row(nth)?;
            let mut entry = node.entry(path);
            if let (Some(symbols), Node::File(file)) = (symbols, &node) {
                entry.preview = first_definitions(symbols, file.key(), preview);
            }
            entries.push(entry);
        }
        Ok(ListAnswer { path: folder, entries, truncated })
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
            out.push_str("truncated; raise `limit`, or list a subfolder\n");
        }
        out
    }
}

/// An entry before it is rendered.
enum Node<'a> {
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

impl Node<'_> {
    fn entry(&self, path: &str) -> ListEntry {
        /// The maximum number of languages of a folder.
        const MAX_LANGUAGES: usize = 3;
        let path = path.to_owned();
        match self {
            Self::Folder(Folder { files, lines, bytes, lines_by_language }) => {
                let mut languages: Vec<(u64, &str)> =
                    lines_by_language.iter().map(|(language, lines)| (*lines, *language)).collect();
                languages.sort_by(|left, right| right.0.cmp(&left.0).then_with(|| left.1.cmp(right.1)));
                let languages =
                    languages.into_iter().take(MAX_LANGUAGES).map(|(_, language)| language.to_owned()).collect();
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

/// Returns the error about a path that is no folder.
fn no_folder(context: &ToolContext<'_>, path: &str) -> Result<ToolError, ToolError> {
    let error = ToolError::new(ErrorCode::NotFound, format!("no folder {} in the index", quote(path)));
    if context.file(path)?.is_some() {
        return Ok(error.help("this is a file; read it with `get_files`"));
    }
    Ok(error.help(match nearest_folder(context, path)? {
        Some(near) => did_you_mean(&[near]),
        None => "paths are relative to the source; an empty `path` lists the root".to_owned(),
    }))
}

/// Collects the entries of a folder, down to a depth, unordered.
fn collect<'a>(context: &ToolContext<'a>, folder: &str, depth: usize) -> Result<Vec<(&'a str, Node<'a>)>, ToolError> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut folders: HashMap<&str, Folder<'_>> = HashMap::new();
    let mut files: Vec<(&str, Node<'_>)> = Vec::new();
    for (nth, file) in all(context.epoch.tables()?.files()?).enumerate() {
        context.check_row(nth)?;
        if !context.visible.shows(file.key()) {
            continue;
        }
        let path = file.path().as_str();
        let Some(below) = path.strip_prefix(&prefix) else { continue };
        let mut level = 0;
        for (end, _) in below.match_indices('/').take(depth) {
            level += 1;
            folders.entry(path.get(..prefix.len() + end).unwrap_or_default()).or_default().add(file);
        }
        if level < depth {
            files.push((path, Node::File(file)));
        }
    }
    files.extend(folders.into_iter().map(|(path, folder)| (path, Node::Folder(folder))));
    Ok(files)
}

/// Returns the top-level definitions of a file; if that is a single module, the definitions in it.
fn top_level(table: &Resident<SymbolRows>, file: RowKey) -> Vec<Row<'_, SymbolRows>> {
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

/// Returns the first top-level definitions of a file, each name once: the implementations of a type
/// do not repeat it.
fn first_definitions(table: &Resident<SymbolRows>, file: RowKey, max: usize) -> Vec<PreviewSymbol> {
    let mut named: HashSet<&str> = HashSet::new();
    let definitions = top_level(table, file).into_iter();
    let first = definitions.filter(|symbol| named.insert(symbol.table().qualified_name.value(symbol.row)));
    first.take(max).map(preview_of).collect()
}

fn preview_of(symbol: Row<'_, SymbolRows>) -> PreviewSymbol {
    let (table, row) = (symbol.table(), symbol.row);
    PreviewSymbol {
        kind: table.kind.value(row).to_owned(),
        qualified_name: table.qualified_name.value(row).to_owned(),
        line: table.start_line.value(row),
    }
}
