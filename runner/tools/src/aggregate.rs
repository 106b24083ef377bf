//! `aggregate`: how much there is of what.

use std::collections::{HashMap, HashSet};

use gristmill_display::{Cell, Table, bytes};
use gristmill_pipeline::Key;
use gristmill_query::{At, FileRows, Tool, ToolError, all, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::search::Filter;

/// Sums up files by folder or language, or counts definitions by kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// What makes a group.
    #[serde(default)]
    #[arg(value_enum, default_value_t, value_name = "BY")]
    pub by: AggregateBy,
    /// For groups by path: how many folders deep, from 1 to 20. A file that lies higher counts
    /// for the folder that it lies in.
    #[serde(default = "default_depth")]
    #[arg(long, default_value_t = default_depth(), value_name = "N")]
    pub depth: usize,
    /// Only files that one of these globs matches.
    #[serde(default)]
    #[arg(long = "path", value_name = "GLOB")]
    pub paths: Vec<String>,
    /// Only these languages, such as `rust`.
    #[serde(default)]
    #[arg(long = "language", value_name = "NAME")]
    pub languages: Vec<String>,
    /// How many groups to give at most, from 1 to 1000.
    #[serde(default = "default_limit")]
    #[arg(short = 'k', long = "limit", default_value_t = default_limit(), value_name = "N")]
    pub limit: usize,
}

fn default_depth() -> usize {
    1
}

fn default_limit() -> usize {
    50
}

/// What makes a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AggregateBy {
    /// Files by the folders that they lie in.
    #[default]
    Path,
    /// Files by language.
    Language,
    /// Definitions by what they are, such as `function`.
    Kind,
}

/// A group, or all of them together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// The folder (empty for the top), language or kind; for all groups together `total`.
    pub key: String,
    /// Files; of a kind, those that have such a definition.
    pub files: u64,
    /// Definitions.
    pub symbols: u64,
    /// Lines; nothing of a kind, as definitions lie in each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// Chunks; nothing of a kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<u64>,
    /// Bytes; nothing of a kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// The groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AggregateAnswer {
    /// The groups, those with most lines first; of kinds, those with most definitions.
    pub groups: Vec<Group>,
    /// All groups together, those beyond the limit included.
    pub total: Group,
    /// Groups that there are.
    pub groups_found: u64,
}

impl Tool for Aggregate {
    const NAME: &'static str = "aggregate";
    const ABOUT: &'static str = "Sums up the source: files, lines, chunks, definitions and bytes by folder (`depth` says \
        how deep) or by language, or counts definitions by kind. Good for a first look at a repository.";
    type Answer = AggregateAnswer;

    fn answer(self, at: &At<'_>) -> Result<AggregateAnswer, ToolError> {
        in_range("depth", self.depth, 1..=20)?;
        let limit = in_range("limit", self.limit, 1..=1000)?;
        let filter = Filter::of_files(&self.paths, &self.languages, &at.visible)?;
        let (mut groups, total) = match self.by {
            AggregateBy::Kind => kinds(at, &filter)?,
            AggregateBy::Language => files(at, &filter, |_, language| language)?,
            AggregateBy::Path => files(at, &filter, |path, _| folder(path, self.depth))?,
        };
        let groups_found = groups.len() as u64;
        groups.sort_by(|left, right| {
            (right.lines, right.symbols).cmp(&(left.lines, left.symbols)).then_with(|| left.key.cmp(&right.key))
        });
        groups.truncate(limit);
        Ok(AggregateAnswer { groups, total, groups_found })
    }

    fn render(answer: &AggregateAnswer) -> String {
        let is_kinds = answer.total.lines.is_none();
        let sizes: &[&str] = if is_kinds { &[] } else { &["lines", "chunks", "size"] };
        let mut table = Table::new(["", "files", "definitions"].iter().chain(sizes).copied());
        for group in answer.groups.iter().chain([&answer.total]) {
            let key = if group.key.is_empty() { "." } else { group.key.as_str() };
            let counts = [Cell::from(key), Cell::from(group.files), Cell::from(group.symbols)];
            let sizes = [group.lines.map(Cell::from), group.chunks.map(Cell::from)];
            let size = group.bytes.map(|size| Cell::number(bytes(size)));
            table.row(counts.into_iter().chain(sizes.into_iter().flatten()).chain(size));
        }
        let left_out = answer.groups_found.saturating_sub(answer.groups.len() as u64);
        let more = if left_out > 0 { format!("{left_out} smaller groups are left out\n") } else { String::new() };
        table.render() + &more
    }
}

/// What the group of all groups is called.
const TOTAL: &str = "total";

/// Sums over files.
#[derive(Clone, Copy, Default)]
struct Sums {
    files: u64,
    symbols: u64,
    lines: u64,
    chunks: u64,
    bytes: u64,
}

impl Sums {
    fn add(&mut self, table: &FileRows, row: usize) {
        self.files += 1;
        self.symbols += u64::from(table.symbols.value(row));
        self.lines += u64::from(table.lines.value(row));
        self.chunks += u64::from(table.chunks.value(row));
        self.bytes += table.bytes.value(row);
    }

    fn group(self, key: &str) -> Group {
        Group {
            key: key.to_owned(),
            files: self.files,
            symbols: self.symbols,
            lines: Some(self.lines),
            chunks: Some(self.chunks),
            bytes: Some(self.bytes),
        }
    }
}

/// Files by what `key` makes of path and language.
fn files(
    at: &At<'_>,
    filter: &Filter<'_>,
    key: impl for<'p> Fn(&'p str, &'p str) -> &'p str,
) -> Result<(Vec<Group>, Group), ToolError> {
    let mut groups: HashMap<&str, Sums> = HashMap::new();
    let mut total = Sums::default();
    for (nth, file) in all(at.epoch.tables()?.files()?).enumerate() {
        at.check_row(nth)?;
        let (table, row) = (file.table(), file.row);
        let (path, language) = (file.path().as_str(), table.language.value(row));
        if filter.allows_file(path, file.key(), language) {
            groups.entry(key(path, language)).or_default().add(table, row);
            total.add(table, row);
        }
    }
    Ok((groups.into_iter().map(|(key, sums)| sums.group(key)).collect(), total.group(TOTAL)))
}

/// Definitions by kind.
fn kinds(at: &At<'_>, filter: &Filter<'_>) -> Result<(Vec<Group>, Group), ToolError> {
    let mut groups: HashMap<&str, (u64, HashSet<Key>)> = HashMap::new();
    for (nth, symbol) in all(at.epoch.tables()?.symbols()?).enumerate() {
        at.check_row(nth)?;
        let (table, row) = (symbol.table(), symbol.row);
        if filter.allows_file(symbol.path().as_str(), symbol.key(), table.language.value(row)) {
            let (symbols, files) = groups.entry(table.kind.value(row)).or_default();
            *symbols += 1;
            files.insert(symbol.key());
        }
    }
    let group = |key: &str, symbols: u64, files: usize| Group {
        key: key.to_owned(),
        files: files as u64,
        symbols,
        lines: None,
        chunks: None,
        bytes: None,
    };
    let files: HashSet<Key> = groups.values().flat_map(|(_, files)| files).copied().collect();
    let total = group(TOTAL, groups.values().map(|(symbols, _)| symbols).sum(), files.len());
    Ok((groups.into_iter().map(|(kind, (symbols, files))| group(kind, symbols, files.len())).collect(), total))
}

/// The folder that a file lies in, so many folders deep at most.
fn folder(path: &str, depth: usize) -> &str {
    let folders = path.match_indices('/').take(depth).last();
    folders.and_then(|(end, _)| path.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::folder;

    #[test]
    fn a_file_counts_for_the_folder_it_lies_in() {
        assert_eq!([1, 2, 3].map(|depth| folder("a/b/c.rs", depth)), ["a", "a/b", "a/b"]);
        assert_eq!(folder("c.rs", 1), "");
    }
}
