//! The fields of the index, and a chunk as a document.

use std::convert::Infallible;
use std::iter::Empty;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use gristmill_pipeline::port::{Chunk, Text};
use gristmill_pipeline::{Analysis, Record, RelPath, RowKey};
use tantivy::schema::document::{Document, ReferenceValue, ReferenceValueLeaf, Value};
use tantivy::schema::{
    BytesOptions, FAST, Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{Index, SegmentReader, TantivyError, Term};

use super::tokenizer::{self, CodeTokenizer};

/// Version of fields and tokenizer. An index of another version is rebuilt.
pub(crate) const SCHEMA_VERSION: u32 = 4;

/// The fields of a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    /// The key of the rows of a path and its content: documents are deleted and filtered by it.
    pub key: Field,
    pub path: Field,
    pub path_text: Field,
    pub symbol: Field,
    pub scope: Field,
    pub body: Field,
    pub language: Field,
    pub kind: Field,
    pub ordinal: Field,
    pub start_line: Field,
    pub end_line: Field,
    pub start_byte: Field,
    pub end_byte: Field,
}

/// The names of the numeric fields. They are columns only; the document store would hold a
/// second copy.
pub(super) const NUMBERS: [&str; 5] = ["ordinal", "start_line", "end_line", "start_byte", "end_byte"];

/// The schema of the index.
pub(super) fn schema() -> Schema {
    let code = || {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(tokenizer::NAME)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions)
                .set_fieldnorms(true),
        )
    };
    let mut schema = Schema::builder();
    schema.add_bytes_field("key", BytesOptions::default().set_indexed().set_fast());
    schema.add_text_field("path", STRING | STORED);
    schema.add_text_field("path_text", code());
    schema.add_text_field("symbol", code().set_stored());
    schema.add_text_field("scope", code().set_stored());
    schema.add_text_field("body", code());
    schema.add_text_field("language", STRING | STORED);
    schema.add_text_field("kind", STRING | STORED);
    for name in NUMBERS {
        schema.add_u64_field(name, FAST);
    }
    schema.build()
}

impl Fields {
    pub fn of(schema: &Schema) -> Result<Self, TantivyError> {
        let field = |name| schema.get_field(name);
        Ok(Self {
            key: field("key")?,
            path: field("path")?,
            path_text: field("path_text")?,
            symbol: field("symbol")?,
            scope: field("scope")?,
            body: field("body")?,
            language: field("language")?,
            kind: field("kind")?,
            ordinal: field("ordinal")?,
            start_line: field("start_line")?,
            end_line: field("end_line")?,
            start_byte: field("start_byte")?,
            end_byte: field("end_byte")?,
        })
    }

    /// The term that the documents of a row key have.
    pub fn key_term(&self, key: RowKey) -> Term {
        Term::from_field_bytes(self.key, &key.to_le_bytes())
    }
}

/// The numeric fields of a document, in the order of [`NUMBERS`].
pub(super) fn numbers(segment: &SegmentReader, doc: u32) -> tantivy::Result<[u32; NUMBERS.len()]> {
    let mut numbers = [0; NUMBERS.len()];
    for (number, name) in numbers.iter_mut().zip(NUMBERS) {
        let value = segment.fast_fields().u64(name)?.first(doc).unwrap_or_default();
        *number = u32::try_from(value).unwrap_or(u32::MAX);
    }
    Ok(numbers)
}

/// Registers the tokenizer with an index.
pub(super) fn register_tokenizer(index: &Index) {
    index.tokenizers().register(tokenizer::NAME, TextAnalyzer::from(CodeTokenizer::default()));
}

/// A chunk on its way into the index. It shares its data with the record.
pub(super) struct ChunkDocument {
    fields: Fields,
    key: [u8; 16],
    path: RelPath,
    analysis: Arc<Analysis>,
    chunks: Arc<[Chunk]>,
    ordinal: usize,
    text: Text,
    /// Dropped when the document is indexed, which a caller may wait for.
    _indexed: Option<Sender<Infallible>>,
}

impl ChunkDocument {
    /// The document of a chunk of the rows of that key; `None` if the chunk lies outside the text.
    pub fn new(
        fields: Fields,
        key: RowKey,
        record: &Record,
        chunks: &Arc<[Chunk]>,
        ordinal: usize,
        indexed: Option<Sender<Infallible>>,
    ) -> Option<Self> {
        let text = record.analysis.text.slice(chunks.get(ordinal)?.span.bytes())?;
        let (path, analysis) = (record.path.clone(), Arc::clone(&record.analysis));
        let key = key.to_le_bytes();
        Some(Self { fields, key, path, analysis, chunks: Arc::clone(chunks), ordinal, text, _indexed: indexed })
    }
}

impl Document for ChunkDocument {
    type Value<'a> = ChunkValue<'a>;
    type FieldsValuesIter<'a> = std::iter::Flatten<std::option::IntoIter<[(Field, ChunkValue<'a>); 13]>>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        let Self { fields, key, path, ordinal, .. } = self;
        let values = self.chunks.get(*ordinal).map(|chunk| {
            [
                (fields.key, ChunkValue::Bytes(key)),
                (fields.path, ChunkValue::Text(path.as_str())),
                (fields.path_text, ChunkValue::Text(path.as_str())),
                (fields.symbol, ChunkValue::Text(&chunk.symbol)),
                (fields.scope, ChunkValue::Text(&chunk.scope)),
                (fields.body, ChunkValue::Text(&self.text)),
                (fields.language, ChunkValue::Text(&self.analysis.language)),
                (fields.kind, ChunkValue::Text(chunk.kind)),
                (fields.ordinal, ChunkValue::Number(*ordinal as u64)),
                (fields.start_line, ChunkValue::Number(chunk.span.start_line.into())),
                (fields.end_line, ChunkValue::Number(chunk.span.end_line.into())),
                (fields.start_byte, ChunkValue::Number(chunk.span.start_byte.into())),
                (fields.end_byte, ChunkValue::Number(chunk.span.end_byte.into())),
            ]
        });
        values.into_iter().flatten()
    }
}

/// A value of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum ChunkValue<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    Number(u64),
}

impl<'a> Value<'a> for ChunkValue<'a> {
    type ArrayIter = Empty<Self>;
    type ObjectIter = Empty<(&'a str, Self)>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        ReferenceValue::Leaf(match self {
            Self::Text(text) => ReferenceValueLeaf::Str(text),
            Self::Bytes(bytes) => ReferenceValueLeaf::Bytes(bytes),
            Self::Number(number) => ReferenceValueLeaf::U64(*number),
        })
    }
}
