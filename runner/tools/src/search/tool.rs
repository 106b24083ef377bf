//! `search`: by words, by meaning, by both, or by an expression.

use std::fmt::Write as _;

use gristmill_query::{At, Tool, ToolError, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hit::Hit;
use super::query::{Query, SearchMode};
use super::search;

/// Looks for code by words, meaning, or an expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// What to look for: a question, words, names, or an expression where the mode says so.
    pub query: String,
    /// By what to rank.
    #[serde(default)]
    #[arg(long, value_enum, default_value_t)]
    pub mode: SearchMode,
    /// How many results to give, from 1 to 1000.
    #[serde(default = "default_limit")]
    #[arg(short = 'k', long = "limit", default_value_t = default_limit(), value_name = "N")]
    pub limit: usize,
    /// Only files that one of these globs matches. One without `/` is matched with the
    /// file's name; one that ends in `/` takes all that lies below.
    #[serde(default)]
    #[arg(long = "path", value_name = "GLOB")]
    pub paths: Vec<String>,
    /// Only these languages, such as `rust`.
    #[serde(default)]
    #[arg(long = "language", value_name = "NAME")]
    pub languages: Vec<String>,
    /// Only chunks of these kinds, such as `function` or `class`.
    #[serde(default)]
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
    /// Give the whole text of each hit, not only the lines that say most.
    #[serde(default)]
    #[arg(long)]
    pub full_text: bool,
    /// Rank by the scores alone: names and places of files do not count.
    #[serde(default)]
    #[arg(long)]
    pub plain: bool,
    /// Say of each hit what it owes its score to.
    #[serde(default)]
    #[arg(long)]
    pub explain: bool,
}

fn default_limit() -> usize {
    10
}

impl Search {
    /// A search as it is where nothing but the query is said.
    #[must_use]
    pub fn new(query: &str) -> Self {
        Self {
            query: query.to_owned(),
            mode: SearchMode::default(),
            limit: default_limit(),
            paths: Vec::new(),
            languages: Vec::new(),
            kinds: Vec::new(),
            full_text: false,
            plain: false,
            explain: false,
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchAnswer {
    /// The hits, best first.
    pub hits: Vec<Hit>,
}

impl Tool for Search {
    const NAME: &'static str = "search";
    const ABOUT: &'static str = "Finds code by words and meaning (mode `hybrid`, the best for questions), by words alone \
        (`text`), by meaning alone (`vector`), by a regular expression (`regex`) or by exact text (`literal`). \
        Narrow it by path globs, languages and kinds.";
    type Answer = SearchAnswer;

    fn answer(self, at: &At<'_>) -> Result<SearchAnswer, ToolError> {
        let limit = in_range("limit", self.limit, 1..=1000)?;
        if self.query.trim().is_empty() {
            return Err(ToolError::bad_input("`query` is empty"));
        }
        let query = Query {
            text: &self.query,
            mode: self.mode,
            limit,
            paths: &self.paths,
            languages: &self.languages,
            kinds: &self.kinds,
            plain: self.plain,
        };
        let mut hits = search(at, &query)?;
        for hit in &mut hits {
            hit.text = hit.text.take().filter(|_| self.full_text);
            hit.signals = hit.signals.filter(|_| self.explain);
        }
        Ok(SearchAnswer { hits })
    }

    fn render(answer: &SearchAnswer) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        for hit in &answer.hits {
            let _ = write!(out, "{}:{}-{}", hit.path, hit.start_line, hit.end_line);
            let _ = writeln!(out, "  {:.3}  {} {}", hit.score, hit.kind, hit.symbol);
            let snippet = hit.snippet.as_ref().map_or("", |snippet| snippet.text.as_str());
            for line in snippet.lines().filter(|line| !line.trim().is_empty()).take(SHOWN_LINES) {
                let shown: String = line.chars().take(110).collect();
                let _ = writeln!(out, "    {shown}");
            }
        }
        if answer.hits.is_empty() {
            out.push_str("nothing found\n");
        }
        out
    }
}

/// Lines of a hit that are shown as text.
const SHOWN_LINES: usize = 4;
