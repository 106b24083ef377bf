//! The tool `search`: lexical, vector, hybrid, or by regular expression.

use std::fmt::Write as _;

use arrow::array::AsArray as _;
use gristmill_query::{Tool, ToolContext, ToolError, in_range};
use gristmill_sinks::lance::ChunkLocator;
use gristmill_sinks::tables::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hit::SearchHit;
use super::query::{SearchMode, SearchOrder, SearchQuery};
use super::search;

/// The input of `search`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// The query: a question, words, identifiers, or the expression of the modes `regex` and `literal`.
    #[arg(allow_hyphen_values = true)]
    pub query: String,
    /// How to search and rank.
    #[serde(default)]
    #[arg(long, value_enum, default_value_t)]
    pub mode: SearchMode,
    /// Maximum number of hits, between 1 and 1000.
    #[serde(default = "default_limit")]
    #[arg(short = 'k', long = "limit", default_value_t = default_limit(), value_name = "N")]
    pub limit: usize,
    /// Search only these files, folders, or files that match one of these globs. A name or glob without
    /// `/` matches at any depth.
    #[serde(default)]
    #[arg(long = "path", value_name = "GLOB")]
    pub paths: Vec<String>,
    /// Search only these languages, such as `rust`, `C++` or `ts`.
    #[serde(default)]
    #[arg(long = "language", value_name = "NAME")]
    pub languages: Vec<String>,
    /// Search only chunks of these kinds, such as `function` or `class`.
    #[serde(default)]
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
    /// Search only where an extra column has a value, such as `licence=MIT` or `commits>=10`; all
    /// conditions must hold. Operators: `=`, `!=`, and for numbers `<`, `<=`, `>`, `>=`. A row without a
    /// value satisfies none. A column of files applies to all chunks of a file. Operators of the job add
    /// extra columns; the error for an unknown column lists them.
    #[serde(default, rename = "where")]
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub conditions: Vec<String>,
    /// Order hits of the modes `regex` and `literal` by path, or by rank.
    #[serde(default)]
    #[arg(long, value_enum, default_value_t)]
    pub order: SearchOrder,
    /// Return all matches of the modes `regex` and `literal`, each as a hit, up to 100,000; ignores
    /// `limit`.
    #[serde(default)]
    #[arg(long)]
    pub all: bool,
    /// Return the full text of each hit, not only the snippet.
    #[serde(default)]
    #[arg(long)]
    pub full_text: bool,
    /// Rank by the fused scores alone, without signals of names and files.
    #[serde(default)]
    #[arg(long)]
    pub plain: bool,
    /// Return the signals that make up the score of each hit.
    #[serde(default)]
    #[arg(long)]
    pub explain: bool,
    /// Return the ids of the chunks, for `get_chunks`.
    #[serde(default)]
    #[arg(long)]
    pub ids: bool,
}

fn default_limit() -> usize {
    10
}

impl Search {
    /// Creates the input for a query, with defaults for everything else.
    #[must_use]
    pub fn new(query: &str) -> Self {
        Self {
            query: query.to_owned(),
            mode: SearchMode::default(),
            limit: default_limit(),
            paths: Vec::new(),
            languages: Vec::new(),
            kinds: Vec::new(),
            conditions: Vec::new(),
            order: SearchOrder::default(),
            all: false,
            full_text: false,
            plain: false,
            explain: false,
            ids: false,
        }
    }
}

/// The answer of `search`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchAnswer {
    /// The hits, best first; those of the modes `regex` and `literal` by path and line.
    pub hits: Vec<SearchHit>,
    /// The exact number of matches; only of the modes `regex` and `literal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<Matches>,
}

/// The exact number of matches of the modes `regex` and `literal`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Matches {
    /// The number of matches, including those beyond the limit.
    pub total: u64,
    /// The number of files with matches.
    pub files: u64,
    /// Whether the limit left hits out.
    pub truncated: bool,
}

impl Tool for Search {
    const NAME: &'static str = "search";
    const ABOUT: &'static str = "Search the index by words and by meaning. Mode `hybrid` (default, best for questions) fuses \
        lexical and vector scores; `text` uses lexical scores alone, `vector` vector scores alone, `regex` a regular \
        expression and `literal` an exact string, in whole files and with exact counts. Filter by paths, languages, \
        kinds and extra columns.";
    const OF_EPOCH: bool = true;
    type Answer = SearchAnswer;

    fn answer(self, context: &ToolContext<'_>) -> Result<SearchAnswer, ToolError> {
        let limit = in_range("limit", self.limit, 1..=1000)?;
        if self.query.trim().is_empty() {
            return Err(ToolError::bad_input("`query` must not be empty"));
        }
        let query = SearchQuery {
            text: &self.query,
            mode: self.mode,
            limit,
            paths: &self.paths,
            languages: &self.languages,
            kinds: &self.kinds,
            conditions: &self.conditions,
            plain: self.plain,
            order: self.order,
            all: self.all,
        };
        let is_exact = matches!(self.mode, SearchMode::Regex | SearchMode::Literal);
        if !is_exact && (self.all || self.order != SearchOrder::default()) {
            return Err(ToolError::bad_input("`all` and `order` are only allowed in the modes `regex` and `literal`"));
        }
        let mut answer = search(context, &query)?;
        for hit in &mut answer.hits {
            hit.text = hit.text.take().filter(|_| self.full_text);
            hit.signals = hit.signals.filter(|_| self.explain);
        }
        if self.ids {
            add_ids(context, &mut answer.hits)?;
        }
        Ok(answer)
    }

    fn render(answer: &SearchAnswer) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        for hit in &answer.hits {
            let _ = write!(out, "{}:{}-{}", hit.path, hit.start_line, hit.end_line);
            let _ = writeln!(out, "  {:.3}  {} {}", hit.score, hit.kind, hit.symbol);
            let snippet = hit.snippet.as_ref().map_or("", |snippet| snippet.text.as_str());
            for line in snippet.lines().filter(|line| !line.trim().is_empty()).take(MAX_SHOWN_LINES) {
                let shown: String = line.chars().take(110).collect();
                let _ = writeln!(out, "    {shown}");
            }
        }
        if answer.hits.is_empty() {
            out.push_str("no hits\n");
        }
        if let Some(Matches { total, files, truncated }) = answer.matches.filter(|matches| matches.total > 0) {
            let more = if truncated { "; truncated: raise `limit`, or pass `all`" } else { "" };
            let _ = writeln!(out, "{total} matches in {files} files{more}");
        }
        out
    }
}

/// Reads the ids of the hits' chunks, which are not resident.
fn add_ids(context: &ToolContext<'_>, hits: &mut [SearchHit]) -> Result<(), ToolError> {
    let reader = &context.epoch.tables()?.reader;
    // Those of the full-text index have no addresses.
    let (locators, unplaced): (Vec<ChunkLocator>, Vec<&mut SearchHit>) =
        hits.iter_mut().filter(|hit| hit.address.is_none()).filter_map(|hit| Some((hit.locator?, hit))).unzip();
    if !locators.is_empty() {
        let found = reader.chunk_addresses(&locators)?;
        found.into_iter().zip(unplaced).for_each(|(address, hit)| hit.address = address);
    }
    let mut addressed: Vec<(u64, &mut SearchHit)> =
        hits.iter_mut().filter_map(|hit| Some((hit.address?, hit))).collect();
    if addressed.is_empty() {
        return Ok(());
    }
    addressed.sort_by_key(|(address, _)| *address);
    let mut addresses: Vec<u64> = addressed.iter().map(|(address, _)| *address).collect();
    // Several matches may lie in one chunk.
    addresses.dedup();
    let batch = reader.take(&Table::Chunks, &addresses, &["chunk_id"])?;
    let Some(ids) = batch.column_by_name("chunk_id").and_then(|column| column.as_string_opt::<i32>()) else {
        return Err(ToolError::unreadable("the table `chunks` cannot be read", &"it has no ids"));
    };
    for (address, hit) in addressed {
        let row = addresses.binary_search(&address).ok();
        hit.chunk_id = row.map(|row| ids.value(row).to_owned());
    }
    Ok(())
}

/// Snippet lines in the text form.
const MAX_SHOWN_LINES: usize = 4;
