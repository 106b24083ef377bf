//! Rows of every table, put together as the records they were made from.
//!
//! The text of a record is put together from its chunks (see [`chunk_text`]): the text of a
//! record from a store without chunks is empty, and what the chunks do not cover is blank.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{UInt32Type, UInt64Type};
use gristmill_pipeline::port::{Chunk, Text};
use gristmill_pipeline::{Analysis, Diagnostic, Epoch, ExtraColumn, Record, RecordChunks, RowId};

use super::chunk_text;
use super::items::{Definitions, Imports, Items, RecallError, References, Spans};
use crate::tables::{ColumnError, Columns, ExtraReader, chunk_kind, severity};

/// Rows of one table that belong to some records.
#[derive(Default)]
pub(super) struct Taken {
    /// `None` where no record has a row.
    pub batch: Option<RecordBatch>,
    /// For each record its rows in the batch, in the order of their addresses.
    pub rows: Vec<Vec<usize>>,
}

impl Taken {
    /// The rows of a record that `epoch` wrote; `None` if no record has a row.
    fn rows_of(&self, nth: usize, epoch: Epoch) -> Result<Option<Rows<'_>>, ColumnError> {
        let (Some(batch), Some(rows)) = (&self.batch, self.rows.get(nth)) else { return Ok(None) };
        let epochs = Columns(batch).numbers::<UInt64Type>("epoch")?;
        let rows = rows.iter().copied().filter(|row| epochs.value(*row) == epoch.get()).collect();
        Ok(Some(Rows { batch, rows }))
    }
}

/// The rows of one record in one table.
struct Rows<'a> {
    batch: &'a RecordBatch,
    rows: Vec<usize>,
}

/// Names of stages and codes, shared as they were before they were stored.
type Names = HashMap<Box<str>, Arc<str>>;

/// Rows of every table, on the way to being records.
pub(super) struct Recall {
    pub files: Taken,
    /// The extra columns of `files`.
    pub file_columns: Vec<ExtraColumn>,
    /// `None` if the store keeps no chunks.
    pub chunks: Option<Taken>,
    /// The extra columns of `chunks`.
    pub chunk_columns: Vec<ExtraColumn>,
    pub symbols: Taken,
    pub references: Taken,
    pub imports: Taken,
    pub diagnostics: Taken,
}

impl Recall {
    /// The records of these rows; `None` if `files` has no row of it.
    pub fn records(&self, rows: &[RowId]) -> Result<Vec<Option<Record>>, RecallError> {
        let mut names = Names::new();
        rows.iter().enumerate().map(|(nth, id)| self.record(nth, id, &mut names)).collect()
    }

    fn record(&self, nth: usize, id: &RowId, names: &mut Names) -> Result<Option<Record>, RecallError> {
        let (Some(batch), Some(&[row, ..])) = (&self.files.batch, self.files.rows.get(nth).map(Vec::as_slice)) else {
            return Ok(None);
        };
        let file = Columns(batch);
        // A path can have held this content at several times; the rows of one time were
        // written by one epoch.
        let epoch = Epoch::new(file.numbers::<UInt64Type>("epoch")?.value(row));
        let (text, chunks) = match &self.chunks {
            Some(taken) => {
                let (text, chunks) = chunks_of(taken.rows_of(nth, epoch)?, &self.chunk_columns)?;
                (text, Some(chunks))
            }
            None => (String::new(), None),
        };
        let analysis = Analysis {
            content_hash: id.content_hash,
            language: file.text("language")?.value(row).into(),
            bytes: file.numbers::<UInt64Type>("bytes")?.value(row),
            lines: file.numbers::<UInt32Type>("lines")?.value(row),
            text: Text::new(text),
            definitions: items_of::<Definitions<'_>>(self.symbols.rows_of(nth, epoch)?)?,
            references: items_of::<References<'_>>(self.references.rows_of(nth, epoch)?)?,
            imports: items_of::<Imports<'_>>(self.imports.rows_of(nth, epoch)?)?,
            diagnostics: diagnostics_of(self.diagnostics.rows_of(nth, epoch)?, names)?,
            extras: ExtraReader::new(&self.file_columns, batch)?.row(row),
        };
        Ok(Some(Record { path: id.path.clone(), analysis: Arc::new(analysis), chunks }))
    }
}

/// These rows by their ordinal.
fn in_order(columns: &Columns<'_>, mut rows: Vec<usize>) -> Result<Vec<usize>, ColumnError> {
    let ordinals = columns.numbers::<UInt32Type>("ordinal")?;
    rows.sort_by_key(|row| ordinals.value(*row));
    Ok(rows)
}

fn items_of<'a, I: Items<'a>>(rows: Option<Rows<'a>>) -> Result<Vec<I::Item>, RecallError> {
    let Some(Rows { batch, rows }) = rows else { return Ok(Vec::new()) };
    let items = I::of(batch)?;
    in_order(&Columns(batch), rows)?.into_iter().map(|row| items.get(row)).collect()
}

fn chunks_of(rows: Option<Rows<'_>>, extra: &[ExtraColumn]) -> Result<(String, RecordChunks), RecallError> {
    let mut text = String::new();
    let mut chunks = Vec::new();
    let mut hashes = Vec::new();
    let mut vectors = None;
    if let Some(Rows { batch, rows }) = rows {
        let columns = Columns(batch);
        let stored = columns.vectors("vector").ok();
        vectors = stored.as_ref().map(|(_, dimension)| Vec::with_capacity(rows.len() * dimension));
        let (texts, kinds) = (columns.text("text")?, columns.text("kind")?);
        let (symbols, scopes) = (columns.text("symbol")?, columns.text("scope")?);
        let tokens = columns.numbers::<UInt32Type>("tokens")?;
        let (bodies, chunk_hashes) = (columns.hashes("body_hash")?, columns.hashes("chunk_hash")?);
        let (spans, extras) = (Spans::of(batch)?, ExtraReader::new(extra, batch)?);
        let mut parts = Vec::with_capacity(rows.len());
        for row in in_order(&columns, rows)? {
            let (kind, span) = (kinds.value(row), spans.get(row));
            parts.push((span.bytes().start, texts.value(row)));
            chunks.push(Chunk {
                span,
                kind: chunk_kind(kind).ok_or_else(|| RecallError::Unknown(kind.into(), "kind of chunk"))?,
                symbol: symbols.value(row).into(),
                scope: scopes.value(row).into(),
                tokens: tokens.value(row),
                body_hash: bodies.value(row),
                extras: extras.row(row),
            });
            hashes.push(chunk_hashes.value(row));
            if let (Some(vectors), Some((values, dimension))) = (&mut vectors, &stored) {
                vectors.extend_from_slice(values.get(row * dimension..(row + 1) * dimension).unwrap_or_default());
            }
        }
        text = chunk_text::join(parts);
    }
    Ok((text, RecordChunks { chunks: chunks.into(), hashes, vectors }))
}

fn diagnostics_of(rows: Option<Rows<'_>>, names: &mut Names) -> Result<Vec<Diagnostic>, RecallError> {
    let Some(Rows { batch, rows }) = rows else { return Ok(Vec::new()) };
    let columns = Columns(batch);
    let (severities, stages) = (columns.text("severity")?, columns.text("stage")?);
    let (codes, messages) = (columns.text("code")?, columns.text("message")?);
    let lines = columns.numbers::<UInt32Type>("line")?;
    let mut shared = |name: &str| match names.get(name) {
        Some(shared) => Arc::clone(shared),
        None => Arc::clone(names.entry(name.into()).or_insert_with(|| name.into())),
    };
    // Rows come in the order of their addresses, which is the order they were added in.
    rows.iter()
        .map(|&row| {
            let unknown = || RecallError::Unknown(severities.value(row).into(), "severity");
            Ok(Diagnostic {
                severity: severity(severities.value(row)).ok_or_else(unknown)?,
                stage: shared(stages.value(row)),
                code: shared(codes.value(row)),
                line: lines.value(row),
                message: messages.value(row).into(),
            })
        })
        .collect()
}
