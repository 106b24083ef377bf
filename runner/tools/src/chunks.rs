//! The tool `get_chunks`.

use std::collections::HashMap;
use std::fmt::Write as _;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::UInt32Type;
use gristmill_pipeline::{Hash, RelPath, row_key};
use gristmill_query::{Tool, ToolContext, ToolError, in_range, quote};
use gristmill_sinks::tables::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The input of `get_chunks`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct GetChunks {
    /// The ids: 32 hexadecimal digits each, as in the column `chunk_id` and in the hits of `search` with `ids`.
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// Return metadata only, no text.
    #[serde(default)]
    #[arg(long)]
    pub no_text: bool,
}

/// The maximum number of chunks per call.
const MAX_CHUNKS: usize = 200;

/// The digits of an id.
const ID_DIGITS: usize = 32;

const COLUMNS: [&str; 11] = [
    "chunk_id",
    "path",
    "content_hash",
    "language",
    "kind",
    "symbol",
    "scope",
    "start_line",
    "end_line",
    "tokens",
    "text",
];

/// A chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Chunk {
    /// The id: of the path, the text, and the place among equal chunks of the file. It stays the same while these do.
    pub chunk_id: String,
    /// The file.
    #[schemars(with = "String")]
    pub path: RelPath,
    /// The first line, counted from 1.
    pub start_line: u32,
    /// The last line.
    pub end_line: u32,
    /// The language.
    pub language: String,
    /// The kind, such as `function`.
    pub kind: String,
    /// The name of the definition that the chunk contains or belongs to.
    pub symbol: String,
    /// The qualified name of the enclosing definition.
    pub scope: String,
    /// The number of tokens of the text.
    pub tokens: u32,
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// The answer of `get_chunks`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChunksAnswer {
    /// The chunks, in the order of the ids.
    pub chunks: Vec<Chunk>,
    /// Ids of no chunk of the epoch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_found: Vec<String>,
}

impl Tool for GetChunks {
    const NAME: &'static str = "get_chunks";
    const ABOUT: &'static str = "Read chunks by their ids. Takes any number of ids, as `search` with `ids` and the table \
        `chunks` have them.";
    const OF_EPOCH: bool = true;
    type Answer = ChunksAnswer;

    fn answer(self, context: &ToolContext<'_>) -> Result<ChunksAnswer, ToolError> {
        in_range("ids", self.ids.len(), 1..=MAX_CHUNKS)?;
        let mut listed = Vec::new();
        for id in &self.ids {
            if id.len() != ID_DIGITS
                || !id.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit))
            {
                let message =
                    format!("{} is no id of a chunk: ids are {ID_DIGITS} lower-case hexadecimal digits", quote(id));
                return Err(ToolError::bad_input(message));
            }
            listed.push(format!("'{id}'"));
        }
        let condition = format!("chunk_id IN ({})", listed.join(", "));
        let batches = context.epoch.tables()?.reader.filter(&Table::Chunks, &COLUMNS, &condition, None)?;
        context.call.check()?;
        let mut found: HashMap<String, Chunk> = HashMap::new();
        for batch in &batches {
            for (chunk, hash) in chunks(batch)? {
                if context.visible.shows(row_key(chunk.path.as_str(), &hash)) {
                    found.insert(chunk.chunk_id.clone(), chunk);
                }
            }
        }
        let mut answer = ChunksAnswer::default();
        for id in self.ids {
            match found.get(&id) {
                Some(chunk) => {
                    answer.chunks.push(Chunk { text: chunk.text.clone().filter(|_| !self.no_text), ..chunk.clone() })
                }
                None => answer.not_found.push(id),
            }
        }
        Ok(answer)
    }

    fn render(answer: &ChunksAnswer) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        for Chunk { chunk_id, path, start_line, end_line, kind, symbol, text, .. } in &answer.chunks {
            let _ = writeln!(out, "{path}:{start_line}-{end_line}  {kind} {symbol}  {chunk_id}");
            for (line, nth) in text.as_deref().unwrap_or_default().lines().zip(*start_line..) {
                let _ = writeln!(out, "{nth:>6}  {line}");
            }
        }
        for id in &answer.not_found {
            let _ = writeln!(out, "no chunk {id}");
        }
        out
    }
}

/// The chunks of a batch, each with the hash of its file's content.
fn chunks(batch: &RecordBatch) -> Result<Vec<(Chunk, Hash)>, ToolError> {
    let unreadable = |what: &str| ToolError::unreadable("the table `chunks` cannot be read", &format!("column {what}"));
    let text = |name: &'static str| {
        let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        column.ok_or_else(|| unreadable(name))
    };
    let number = |name: &'static str| {
        let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<UInt32Type>());
        column.ok_or_else(|| unreadable(name))
    };
    let hashes = batch.column_by_name("content_hash").and_then(|column| column.as_fixed_size_binary_opt());
    let hashes = hashes.ok_or_else(|| unreadable("content_hash"))?;
    let [ids, paths, languages, kinds] = [text("chunk_id")?, text("path")?, text("language")?, text("kind")?];
    let [symbols, scopes, texts] = [text("symbol")?, text("scope")?, text("text")?];
    let [starts, ends, tokens] = [number("start_line")?, number("end_line")?, number("tokens")?];
    let chunk = |row: usize| {
        let hash = hashes.value(row).try_into().map(Hash::from_bytes).map_err(|_| unreadable("content_hash"))?;
        let chunk = Chunk {
            chunk_id: ids.value(row).to_owned(),
            path: RelPath::new(paths.value(row)),
            start_line: starts.value(row),
            end_line: ends.value(row),
            language: languages.value(row).to_owned(),
            kind: kinds.value(row).to_owned(),
            symbol: symbols.value(row).to_owned(),
            scope: scopes.value(row).to_owned(),
            tokens: tokens.value(row),
            text: Some(texts.value(row).to_owned()),
        };
        Ok((chunk, hash))
    };
    (0..ids.len()).map(chunk).collect()
}
