//! Rows of the `chunks` table.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeBinaryBuilder, FixedSizeListArray, Float32Array, RecordBatch, StringBuilder, UInt32Builder,
    UInt64Builder,
};
use arrow::datatypes::{DataType, Field, SchemaRef};
use gristmill_pipeline::port::DefinitionKind;
use gristmill_pipeline::{Epoch, Hash, Record, RecordChunks};

use super::files::count;
use super::{RowError, Rows, TableSchema};

/// Gathers rows of the `chunks` table.
pub(crate) struct ChunkRows {
    schema: SchemaRef,
    chunk_id: StringBuilder,
    path: StringBuilder,
    language: StringBuilder,
    kind: StringBuilder,
    symbol: StringBuilder,
    scope: StringBuilder,
    start_line: UInt32Builder,
    end_line: UInt32Builder,
    start_byte: UInt32Builder,
    end_byte: UInt32Builder,
    ordinal: UInt32Builder,
    tokens: UInt32Builder,
    content_hash: FixedSizeBinaryBuilder,
    body_hash: FixedSizeBinaryBuilder,
    chunk_hash: FixedSizeBinaryBuilder,
    text: StringBuilder,
    dimension: Option<usize>,
    vector: Vec<f32>,
    epoch: UInt64Builder,
    rows: usize,
    gathered: usize,
    /// How often each hash came in the record at hand.
    seen: HashMap<Hash, u32>,
}

impl ChunkRows {
    pub fn new(schema: &TableSchema) -> Self {
        Self {
            schema: Arc::clone(&schema.arrow),
            chunk_id: StringBuilder::new(),
            path: StringBuilder::new(),
            language: StringBuilder::new(),
            kind: StringBuilder::new(),
            symbol: StringBuilder::new(),
            scope: StringBuilder::new(),
            start_line: UInt32Builder::new(),
            end_line: UInt32Builder::new(),
            start_byte: UInt32Builder::new(),
            end_byte: UInt32Builder::new(),
            ordinal: UInt32Builder::new(),
            tokens: UInt32Builder::new(),
            content_hash: FixedSizeBinaryBuilder::new(32),
            body_hash: FixedSizeBinaryBuilder::new(32),
            chunk_hash: FixedSizeBinaryBuilder::new(32),
            text: StringBuilder::new(),
            dimension: schema.dimension,
            vector: Vec::new(),
            epoch: UInt64Builder::new(),
            rows: 0,
            gathered: 0,
            seen: HashMap::new(),
        }
    }

    fn append_vectors(&mut self, path: &str, chunks: &RecordChunks) -> Result<(), RowError> {
        let Some(dimension) = self.dimension else { return Ok(()) };
        let missing = || RowError::Missing { path: path.into(), missing: "vectors" };
        let vectors = chunks.vectors.as_deref().ok_or_else(missing)?;
        let expected = chunks.chunks.len() * dimension;
        if vectors.len() != expected {
            return Err(RowError::VectorLength { path: path.into(), expected, found: vectors.len() });
        }
        self.vector.extend_from_slice(vectors);
        self.gathered += std::mem::size_of_val(vectors);
        Ok(())
    }

    fn vector_column(&mut self) -> Result<Option<ArrayRef>, RowError> {
        let Some(DataType::FixedSizeList(item, dimension)) =
            self.schema.field_with_name("vector").ok().map(Field::data_type)
        else {
            return Ok(None);
        };
        let values = Float32Array::from(std::mem::take(&mut self.vector));
        let list = FixedSizeListArray::try_new(Arc::clone(item), *dimension, Arc::new(values), None)?;
        Ok(Some(Arc::new(list)))
    }
}

impl Rows for ChunkRows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn append(&mut self, record: &Record, epoch: Epoch) -> Result<usize, RowError> {
        let path = record.path.as_str();
        let analysis = &*record.analysis;
        let missing = || RowError::Missing { path: path.into(), missing: "chunks" };
        let chunks = record.chunks.as_ref().ok_or_else(missing)?;
        // Checked first, so that an error leaves no column longer than another.
        for (ordinal, chunk) in chunks.chunks.iter().enumerate() {
            if analysis.text.get(chunk.span.bytes()).is_none() {
                return Err(RowError::OutOfText { path: path.into(), ordinal });
            }
        }
        if chunks.hashes.len() != chunks.chunks.len() {
            return Err(RowError::Missing { path: path.into(), missing: "hash for each chunk" });
        }
        self.append_vectors(path, chunks)?;

        self.seen.clear();
        for (ordinal, (chunk, hash)) in chunks.chunks.iter().zip(&chunks.hashes).enumerate() {
            let occurrence = self.seen.entry(*hash).or_default();
            let id = chunk_id(path, hash, *occurrence);
            *occurrence += 1;
            let text = analysis.text.get(chunk.span.bytes()).unwrap_or_default();
            self.chunk_id.append_value(id.as_ref().get(..32).unwrap_or_default());
            self.path.append_value(path);
            self.language.append_value(&analysis.language);
            self.kind.append_value(chunk.kind);
            self.symbol.append_value(&chunk.symbol);
            self.scope.append_value(&chunk.scope);
            self.start_line.append_value(chunk.span.start_line);
            self.end_line.append_value(chunk.span.end_line);
            self.start_byte.append_value(chunk.span.start_byte);
            self.end_byte.append_value(chunk.span.end_byte);
            self.ordinal.append_value(count(ordinal));
            self.tokens.append_value(chunk.tokens);
            self.content_hash.append_value(analysis.content_hash.as_bytes())?;
            self.body_hash.append_value(chunk.body_hash.as_bytes())?;
            self.chunk_hash.append_value(hash.as_bytes())?;
            self.text.append_value(text);
            self.epoch.append_value(epoch);
            self.gathered += text.len() + path.len() + 256;
        }
        self.rows += chunks.chunks.len();
        Ok(chunks.chunks.len())
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn bytes(&self) -> usize {
        self.gathered
    }

    fn take(&mut self) -> Result<RecordBatch, RowError> {
        (self.rows, self.gathered) = (0, 0);
        let vector = self.vector_column()?;
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.chunk_id.finish()),
            Arc::new(self.path.finish()),
            Arc::new(self.language.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(self.symbol.finish()),
            Arc::new(self.scope.finish()),
            Arc::new(self.start_line.finish()),
            Arc::new(self.end_line.finish()),
            Arc::new(self.start_byte.finish()),
            Arc::new(self.end_byte.finish()),
            Arc::new(self.ordinal.finish()),
            Arc::new(self.tokens.finish()),
            Arc::new(self.content_hash.finish()),
            Arc::new(self.body_hash.finish()),
            Arc::new(self.chunk_hash.finish()),
            Arc::new(self.text.finish()),
        ];
        columns.extend(vector);
        columns.push(Arc::new(self.epoch.finish()));
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

/// Names a chunk across epochs: 128 bits over path, hash, and place among equal hashes.
fn chunk_id(path: &str, chunk_hash: &Hash, occurrence: u32) -> impl AsRef<str> + use<> {
    let hash = Hash::of_parts([path.as_bytes(), chunk_hash.as_bytes().as_slice(), &occurrence.to_le_bytes()]);
    // `to_hex` keeps its digits on the stack, where `Display` would need a string.
    blake3::Hash::from_bytes(*hash.as_bytes()).to_hex()
}

/// The `'static` name of a chunk's kind, as [`Chunk::kind`](gristmill_pipeline::port::Chunk)
/// holds it.
pub(crate) fn chunk_kind(name: &str) -> Option<&'static str> {
    match name {
        "code" => Some("code"),
        "text" => Some("text"),
        _ => name.parse::<DefinitionKind>().ok().map(DefinitionKind::as_str),
    }
}
