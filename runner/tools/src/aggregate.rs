//! The tool `aggregate`.

use std::collections::{HashMap, HashSet};

use gristmill_display::{TextCell, TextTable, bytes};
use gristmill_pipeline::RowKey;
use gristmill_query::{FileRows, Tool, ToolContext, ToolError, all, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::search::Filter;

/// The input of `aggregate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// The grouping.
    #[serde(default)]
    #[arg(value_enum, default_value_t, value_name = "BY")]
    pub by: AggregateBy,
    /// Depth of the folders when grouping by path, between 1 and 20. A file above that depth counts
    /// for its own folder.
    #[serde(default = "default_depth")]
    #[arg(long, default_value_t = default_depth(), value_name = "N")]
    pub depth: usize,
    /// Only these files, folders, or files that match one of these globs.
    #[serde(default)]
    #[arg(long = "path", value_name = "GLOB")]
    pub paths: Vec<String>,
    /// Only files in these languages, such as `rust`, `C++` or `ts`.
    #[serde(default)]
    #[arg(long = "language", value_name = "NAME")]
    pub languages: Vec<String>,
    /// Maximum number of groups, between 1 and 1000.
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

/// How to group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AggregateBy {
    /// Files by folder.
    #[default]
    Path,
    /// Files by language.
    Language,
    /// Definitions by kind, such as `function`.
    Kind,
}

/// A group, or the total.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// The folder (empty for the root), language or kind; `total` for the total.
    pub key: String,
    /// The number of files; for a kind, of files with such a definition.
    pub files: u64,
    /// The number of definitions.
    pub symbols: u64,
    /// The number of lines; absent for kinds, as definitions nest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// The number of chunks; absent for kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<u64>,
    /// The size in bytes; absent for kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// The answer of `aggregate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AggregateAnswer {
    /// The groups, by descending lines; kinds by descending definitions.
    pub groups: Vec<Group>,
    /// The total of all groups, including those beyond the limit.
    pub total: Group,
    /// The number of groups, including those beyond the limit.
    pub groups_found: u64,
}

impl Tool for Aggregate {
    const NAME: &'static str = "aggregate";
    const ABOUT: &'static str = "Summarise the source by folder, language or kind. Returns files, lines, chunks, definitions \
        and bytes by folder (`depth` levels deep) or by language, or the number of definitions by kind. Good for a \
        first look at a repository.";
    const OF_EPOCH: bool = true;
    type Answer = AggregateAnswer;

    fn answer(self, context: &ToolContext<'_>) -> Result<AggregateAnswer, ToolError> {
        in_range("depth", self.depth, 1..=20)?;
        let limit = in_range("limit", self.limit, 1..=1000)?;
        let filter = Filter::of_files(context, &self.paths, &self.languages)?;
        let (mut groups, total) = match self.by {
            AggregateBy::Kind => kinds(context, &filter)?,
            AggregateBy::Language => files(context, &filter, |_, language| language)?,
            AggregateBy::Path => files(context, &filter, |path, _| folder(path, self.depth))?,
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
        let mut table = TextTable::new(["", "files", "definitions"].iter().chain(sizes).copied());
        for group in answer.groups.iter().chain([&answer.total]) {
            let key = if group.key.is_empty() { "." } else { group.key.as_str() };
            let counts = [TextCell::from(key), TextCell::from(group.files), TextCell::from(group.symbols)];
            let sizes = [group.lines.map(TextCell::from), group.chunks.map(TextCell::from)];
            let size = group.bytes.map(|size| TextCell::number(bytes(size)));
            table.row(counts.into_iter().chain(sizes.into_iter().flatten()).chain(size));
        }
        let omitted = answer.groups_found.saturating_sub(answer.groups.len() as u64);
        let more =
            if omitted > 0 { format!("truncated: {omitted} smaller groups; raise `limit`\n") } else { String::new() };
        table.render() + &more
    }
}

/// The key of the total.
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

/// Groups files by a key of path and language.
fn files(
    context: &ToolContext<'_>,
    filter: &Filter<'_>,
    key: impl for<'p> Fn(&'p str, &'p str) -> &'p str,
) -> Result<(Vec<Group>, Group), ToolError> {
    let mut groups: HashMap<&str, Sums> = HashMap::new();
    let mut total = Sums::default();
    for (nth, file) in all(context.epoch.tables()?.files()?).enumerate() {
        context.check_row(nth)?;
        let (table, row) = (file.table(), file.row);
        let (path, language) = (file.path().as_str(), table.language.value(row));
        if filter.allows_file(path, file.key(), language) {
            groups.entry(key(path, language)).or_default().add(table, row);
            total.add(table, row);
        }
    }
    Ok((groups.into_iter().map(|(key, sums)| sums.group(key)).collect(), total.group(TOTAL)))
}

/// Counts definitions by kind.
fn kinds(context: &ToolContext<'_>, filter: &Filter<'_>) -> Result<(Vec<Group>, Group), ToolError> {
    let mut groups: HashMap<&str, (u64, HashSet<RowKey>)> = HashMap::new();
    for (nth, symbol) in all(context.epoch.tables()?.symbols()?).enumerate() {
        context.check_row(nth)?;
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
    let files: HashSet<RowKey> = groups.values().flat_map(|(_, files)| files).copied().collect();
    let total = group(TOTAL, groups.values().map(|(symbols, _)| symbols).sum(), files.len());
    Ok((groups.into_iter().map(|(kind, (symbols, files))| group(kind, symbols, files.len())).collect(), total))
}

/// Returns the folder of a file, at most `depth` levels deep.
fn folder(path: &str, depth: usize) -> &str {
    let folders = path.match_indices('/').take(depth).last();
    folders.and_then(|(end, _)| path.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::folder;

    #[test]
    fn a_file_counts_for_its_folder() {
        assert_eq!([1, 2, 3].map(|depth| folder("a/b/c.rs", depth)), ["a", "a/b", "a/b"]);
        assert_eq!(folder("c.rs", 1), "");
    }
}
