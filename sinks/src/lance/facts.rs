//! Giving stored rows back as the records they were made from.
//!
//! The text of a record is put together from its chunks: a store without chunks gives
//! records with no text.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array as _, RecordBatch};
use arrow::datatypes::{UInt32Type, UInt64Type};
use gristmill_pipeline::port::{Chunk, Definition, DefinitionKind, Span, Text};
use gristmill_pipeline::{
    Analysis, Diagnostic, FactStore, Hash, Record, RecordChunks, RelPath, SinkError, StoredChunk,
};

use super::LanceSink;
use super::addresses::AddressIndex;
use super::error::TableError;
use super::load::{self, PathKeys};
use super::sink::named;
use super::table::StoredTable;
use crate::failure::{While as _, failure};
use crate::tables::{ColumnError, Columns, Table, chunk_kind, severity};

/// Why stored rows do not make a record.
#[derive(Debug, thiserror::Error)]
enum RecallError {
    #[error(transparent)]
    Column(#[from] ColumnError),
    #[error("`{0}` is no {1} that this version knows; rebuild the index")]
    Unknown(Box<str>, &'static str),
    #[error("it holds no row of `{0}`; the index and its facts disagree: rebuild it")]
    NoRow(Box<str>),
}

impl FactStore for LanceSink {
    fn chunks(&mut self) -> Result<Vec<StoredChunk>, SinkError> {
        let Self { name, blocking, tables, .. } = self;
        let Some(stored) = tables.iter_mut().find(|stored| stored.table() == Table::Chunks) else {
            return Ok(Vec::new());
        };
        blocking.wait(stored_chunks(stored)).during(name, "cannot read its chunks")?.map_err(named(
            name,
            "cannot read",
            Table::Chunks,
        ))
    }

    fn records(&mut self, paths: &[RelPath]) -> Result<Vec<Record>, SinkError> {
        let action = "cannot recall records";
        let mut rows = HashMap::new();
        for table in Table::ALL {
            if let Some(taken) = self.take(table, paths)? {
                rows.insert(table, taken);
            }
        }
        let recall = Recall {
            files: rows.remove(&Table::Files),
            chunks: rows.remove(&Table::Chunks),
            symbols: rows.remove(&Table::Symbols),
            diagnostics: rows.remove(&Table::Diagnostics),
            stages: HashMap::new(),
        };
        recall.records(paths).during(&self.name, action)
    }

    fn vectors(&mut self, chunk_hashes: &[Hash]) -> Result<Vec<f32>, SinkError> {
        let Self { name, blocking, tables, .. } = self;
        let action = "cannot recall vectors";
        let stored = tables.iter_mut().find(|stored| stored.schema.dimension.is_some());
        let stored = stored.ok_or_else(|| failure(name, action, "it stores no vectors"))?;
        let (addresses, batch) = blocking
            .wait(async {
                let index = stored.load_hashes().await?;
                // Equal hashes have equal vectors: any row of the hash will do.
                let wanted: Vec<Option<u64>> = chunk_hashes.iter().map(|hash| index.get(hash.key()).next()).collect();
                let mut addresses: Vec<u64> = wanted.iter().flatten().copied().collect();
                addresses.sort_unstable();
                addresses.dedup();
                let batch = take_rows(stored, &addresses, &["vector"]).await?;
                let places: Vec<Option<usize>> =
                    wanted.iter().map(|wanted| addresses.binary_search(wanted.as_ref()?).ok()).collect();
                Ok::<_, TableError>((places, batch))
            })
            .during(name, action)?
            .map_err(named(name, "cannot read", Table::Chunks))?;
        let Some(batch) = batch else {
            return chunk_hashes.first().map_or(Ok(Vec::new()), |hash| Err(failure(name, action, missing(hash))));
        };
        let (values, dimension) = Columns(&batch).vectors("vector").during(name, action)?;
        let mut vectors = Vec::with_capacity(chunk_hashes.len() * dimension);
        for (hash, place) in chunk_hashes.iter().zip(addresses) {
            let vector = place.and_then(|place| values.get(place * dimension..(place + 1) * dimension));
            vectors.extend_from_slice(vector.ok_or_else(|| failure(name, action, missing(hash)))?);
        }
        Ok(vectors)
    }
}

fn missing(hash: &Hash) -> String {
    format!("no chunk has the hash {}; the index and its facts disagree: rebuild it", hash.short(12))
}

async fn stored_chunks(stored: &mut StoredTable) -> Result<Vec<StoredChunk>, TableError> {
    let Some(dataset) = stored.dataset().cloned() else { return Ok(Vec::new()) };
    let mut chunks = Vec::with_capacity(dataset.count_rows(None).await?);
    let mut at = Vec::with_capacity(chunks.capacity());
    let mut keys = PathKeys::default();
    let columns = ["path", "content_hash", "ordinal", "body_hash", "chunk_hash"];
    load::scan(&dataset, &columns, |batch, addresses| {
        let columns = Columns(batch);
        let paths = columns.text("path")?;
        let ordinals = columns.numbers::<UInt32Type>("ordinal")?;
        let (contents, bodies, hashes) =
            (columns.hashes("content_hash")?, columns.hashes("body_hash")?, columns.hashes("chunk_hash")?);
        at.extend_from_slice(addresses);
        chunks.extend((0..batch.num_rows()).map(|row| StoredChunk {
            path: keys.key(paths.value(row)),
            content_hash: contents.value(row),
            ordinal: ordinals.value(row),
            body_hash: bodies.value(row),
            chunk_hash: hashes.value(row),
        }));
        Ok::<_, TableError>(())
    })
    .await?;
    let rows = || chunks.iter().zip(at.iter().copied());
    let paths = AddressIndex::new(rows().map(|(chunk, address)| (chunk.path, address)));
    let hashes = AddressIndex::new(rows().map(|(chunk, address)| (chunk.chunk_hash.key(), address)));
    stored.set_indexes(paths, hashes);
    Ok(chunks)
}

async fn take_rows(
    stored: &StoredTable,
    addresses: &[u64],
    columns: &[&str],
) -> Result<Option<RecordBatch>, TableError> {
    match stored.dataset() {
        Some(dataset) if !addresses.is_empty() => Ok(Some(load::take(dataset, addresses, columns).await?)),
        _ => Ok(None),
    }
}

/// The rows of the asked paths in one table.
struct Taken {
    /// `None` where no path has a row.
    batch: Option<RecordBatch>,
    /// For each path its rows in the batch.
    rows: Vec<Vec<usize>>,
}

impl LanceSink {
    /// Takes the rows of these paths; `None` where the store has no such table.
    fn take(&mut self, table: Table, paths: &[RelPath]) -> Result<Option<Taken>, SinkError> {
        let Self { name, blocking, tables, .. } = self;
        let Some(stored) = tables.iter_mut().find(|stored| stored.table() == table) else { return Ok(None) };
        let columns: Vec<String> = (stored.schema.arrow.fields().iter())
            .map(|field| field.name().clone())
            .filter(|column| !matches!(column.as_str(), "epoch" | "path" | "chunk_id"))
            .collect();
        blocking
            .wait(async {
                let index = stored.load_paths().await?;
                let wanted: Vec<Vec<u64>> = paths.iter().map(|path| index.get(path.key()).collect()).collect();
                let mut addresses = wanted.concat();
                addresses.sort_unstable();
                addresses.dedup();
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                let batch = take_rows(stored, &addresses, &columns).await?;
                let place = |address: &u64| addresses.binary_search(address).ok();
                let rows = wanted.iter().map(|wanted| wanted.iter().filter_map(place).collect()).collect();
                Ok(Some(Taken { batch, rows }))
            })
            .during(name, "cannot recall records")?
            .map_err(named(name, "cannot read", table))
    }
}

/// Rows of every table, on the way to being records.
struct Recall {
    files: Option<Taken>,
    chunks: Option<Taken>,
    symbols: Option<Taken>,
    diagnostics: Option<Taken>,
    /// Names of stages and codes, shared as they were before they were stored.
    stages: HashMap<Box<str>, Arc<str>>,
}

impl Recall {
    fn records(mut self, paths: &[RelPath]) -> Result<Vec<Record>, RecallError> {
        paths.iter().enumerate().map(|(nth, path)| self.record(nth, path)).collect()
    }

    fn record(&mut self, nth: usize, path: &RelPath) -> Result<Record, RecallError> {
        let no_row = || RecallError::NoRow(path.as_str().into());
        let (batch, rows) = rows_of(self.files.as_ref(), nth).ok_or_else(no_row)?;
        let file = Columns(batch);
        let row = *rows.first().ok_or_else(no_row)?;
        let content_hash = file.hashes("content_hash")?.value(row);
        let language = file.text("language")?.value(row).into();
        let bytes = file.numbers::<UInt64Type>("bytes")?.value(row);
        let lines = file.numbers::<UInt32Type>("lines")?.value(row);

        let (text, chunks) = match &self.chunks {
            Some(taken) => {
                let (text, chunks) = chunks_of(rows_of(Some(taken), nth))?;
                (text, Some(chunks))
            }
            None => (String::new(), None),
        };
        let definitions = definitions_of(rows_of(self.symbols.as_ref(), nth))?;
        let diagnostics = diagnostics_of(rows_of(self.diagnostics.as_ref(), nth), &mut self.stages)?;
        let text = Text::new(text);
        let analysis = Analysis { content_hash, language, bytes, lines, text, definitions, diagnostics };
        Ok(Record { path: path.clone(), analysis: Arc::new(analysis), chunks })
    }
}

/// The rows of the path that was asked for `nth`; `None` where none has any.
fn rows_of(taken: Option<&Taken>, nth: usize) -> Option<(&RecordBatch, &[usize])> {
    let taken = taken?;
    Some((taken.batch.as_ref()?, taken.rows.get(nth)?))
}

type Rows<'a> = Option<(&'a RecordBatch, &'a [usize])>;

/// These rows by their ordinal.
fn in_order(columns: &Columns<'_>, rows: &[usize]) -> Result<Vec<usize>, ColumnError> {
    let ordinals = columns.numbers::<UInt32Type>("ordinal")?;
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| ordinals.value(*row));
    Ok(rows)
}

fn span_of(columns: &Columns<'_>, row: usize) -> Result<Span, ColumnError> {
    let number = |name| Ok(columns.numbers::<UInt32Type>(name)?.value(row));
    Ok(Span {
        start_byte: number("start_byte")?,
        end_byte: number("end_byte")?,
        start_line: number("start_line")?,
        end_line: number("end_line")?,
    })
}

fn chunks_of(rows: Rows<'_>) -> Result<(String, RecordChunks), RecallError> {
    let mut text = String::new();
    let mut chunks = Vec::new();
    let mut hashes = Vec::new();
    let mut vectors = None;
    if let Some((batch, rows)) = rows {
        let columns = Columns(batch);
        let stored = columns.vectors("vector").ok();
        vectors = stored.map(|(_, dimension)| Vec::with_capacity(rows.len() * dimension));
        let (texts, kinds) = (columns.text("text")?, columns.text("kind")?);
        let (symbols, scopes) = (columns.text("symbol")?, columns.text("scope")?);
        let tokens = columns.numbers::<UInt32Type>("tokens")?;
        let (bodies, chunk_hashes) = (columns.hashes("body_hash")?, columns.hashes("chunk_hash")?);
        for row in in_order(&columns, rows)? {
            let kind = kinds.value(row);
            chunks.push(Chunk {
                span: span_of(&columns, row)?,
                kind: chunk_kind(kind).ok_or_else(|| RecallError::Unknown(kind.into(), "kind of chunk"))?,
                symbol: symbols.value(row).into(),
                scope: scopes.value(row).into(),
                tokens: tokens.value(row),
                body_hash: bodies.value(row),
            });
            hashes.push(chunk_hashes.value(row));
            text.push_str(texts.value(row));
            if let (Some(vectors), Some((values, dimension))) = (&mut vectors, stored) {
                vectors.extend_from_slice(values.get(row * dimension..(row + 1) * dimension).unwrap_or_default());
            }
        }
    }
    Ok((text, RecordChunks { chunks: chunks.into(), hashes, vectors }))
}

fn definitions_of(rows: Rows<'_>) -> Result<Vec<Definition>, RecallError> {
    let Some((batch, rows)) = rows else { return Ok(Vec::new()) };
    let columns = Columns(batch);
    let text = |name| columns.text(name);
    let (names, qualified, kinds) = (text("name")?, text("qualified_name")?, text("kind")?);
    let (signatures, docs) = (text("signature")?, text("doc")?);
    let parents = columns.numbers::<UInt32Type>("parent")?;
    let extents = columns.numbers::<UInt32Type>("extent_start")?;
    in_order(&columns, rows)?
        .into_iter()
        .map(|row| {
            let kind = kinds.value(row);
            let unknown = || RecallError::Unknown(kind.into(), "kind of definition");
            Ok(Definition {
                name: names.value(row).into(),
                qualified_name: qualified.value(row).into(),
                kind: kind.parse::<DefinitionKind>().map_err(|_| unknown())?,
                signature: signatures.value(row).into(),
                doc: docs.value(row).into(),
                span: span_of(&columns, row)?,
                extent_start: extents.value(row),
                parent: parents.is_valid(row).then(|| parents.value(row)),
            })
        })
        .collect()
}

fn diagnostics_of(rows: Rows<'_>, names: &mut HashMap<Box<str>, Arc<str>>) -> Result<Vec<Diagnostic>, RecallError> {
    let Some((batch, rows)) = rows else { return Ok(Vec::new()) };
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
