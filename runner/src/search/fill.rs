//! Hits with all that the table has of them.

use std::collections::HashMap;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::UInt32Type;
use gristmill_pipeline::Epoch;
use gristmill_sinks::LanceReader;
use gristmill_sinks::lance::RowKey;

use super::rank::{ChunkKey, Scores};
use super::{Hit, SearchError};

/// Completes hits from the table.
pub(super) fn fill(
    reader: &LanceReader,
    ranked: Vec<(ChunkKey, f32, Scores)>,
    epoch: Epoch,
) -> Result<Vec<Hit>, SearchError> {
    const COLUMNS: [&str; 9] =
        ["path", "ordinal", "start_line", "end_line", "language", "kind", "symbol", "scope", "text"];
    let keys: Vec<RowKey> = ranked.iter().map(|(key, ..)| key.row).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let batch = reader.take_chunks(&keys, &COLUMNS)?;
    let text = |name: &'static str| text_column(&batch, name);
    let number = |name: &'static str| -> Result<_, SearchError> {
        let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<UInt32Type>());
        column.ok_or(SearchError::Column(name))
    };
    let (paths, ordinals) = (text("path")?, number("ordinal")?);
    // Within one ref a path holds one content.
    let mut rows: HashMap<(&str, u32), usize> = HashMap::new();
    for row in 0..batch.num_rows() {
        rows.insert((paths.value(row), ordinals.value(row)), row);
    }
    let (starts, ends) = (number("start_line")?, number("end_line")?);
    let (languages, kinds, symbols, scopes, texts) =
        (text("language")?, text("kind")?, text("symbol")?, text("scope")?, text("text")?);
    let hit = |(key, score, scores): &(ChunkKey, f32, Scores)| {
        let row = *rows.get(&(key.path.as_str(), key.row.ordinal))?;
        Some(Hit {
            path: key.path.clone(),
            start_line: starts.value(row),
            end_line: ends.value(row),
            score: *score,
            epoch,
            language: languages.value(row).to_owned(),
            kind: kinds.value(row).to_owned(),
            symbol: symbols.value(row).to_owned(),
            scope: scopes.value(row).to_owned(),
            text: Some(texts.value(row).to_owned()),
            text_score: scores.text,
            vector_score: scores.vector,
        })
    };
    Ok(ranked.iter().filter_map(hit).collect())
}

fn text_column<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a arrow::array::StringArray, SearchError> {
    batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()).ok_or(SearchError::Column(name))
}
