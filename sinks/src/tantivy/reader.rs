//! Searching the index at a token.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use gristmill_pipeline::{Hash, RelPath, RowKey, SinkError, Token, contained};
use serde::Serialize;
use tantivy::collector::{BytesFilterCollector, TopDocs};
use tantivy::columnar::{BytesColumn, Column};
use tantivy::schema::Value as _;
use tantivy::termdict::TermOrdinal;
use tantivy::{
    DocAddress, DocId, Index, IndexReader, ReloadPolicy, Searcher, SegmentOrdinal, SegmentReader, TantivyDocument,
};

use super::collect::meta_of;
use super::digest;
use super::directory::EpochDirectory;
use super::document::{Fields, numbers, register_tokenizer};
use super::options::SearchOptions;
use super::query;
use crate::sink_error::{WrapErr as _, panicked, sink_error};

/// The name of the sink in errors of a reader.
const READER: &str = "tantivy";

/// The documents of one epoch. Epochs that are written later are not visible.
///
/// Every method takes `&self`, and many threads may search at once.
pub struct TantivyReader {
    fields: Fields,
    searcher: Searcher,
    /// Keeps the searcher's segments open.
    _reader: IndexReader,
}

/// A chunk that a search found. Row and ordinal identify it in a Lance store; the bytes are its
/// place in the file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChunkHit {
    /// The path.
    pub path: RelPath,
    /// [`RowId::key`](gristmill_pipeline::RowId::key) of the path and its content.
    #[serde(skip)]
    pub row: RowKey,
    /// Its index among the chunks of the path, counted from 0.
    pub ordinal: u32,
    /// Line of its first byte, counted from 1.
    pub start_line: u32,
    /// Line of its last byte.
    pub end_line: u32,
    /// Its first byte, counted from 0.
    pub start_byte: u32,
    /// One past its last byte.
    pub end_byte: u32,
    /// The language's name.
    pub language: Box<str>,
    /// Its kind.
    pub kind: Box<str>,
    /// The name of the definition that it holds or belongs to; empty if none.
    pub symbol: Box<str>,
    /// The qualified name of what surrounds it; empty at the top of a file.
    pub scope: Box<str>,
    /// Its BM25 score, the higher the better.
    pub score: f32,
}

/// A chunk that a search found, by what identifies it in a Lance store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowHit {
    /// [`RowId::key`](gristmill_pipeline::RowId::key) of the path and its content.
    pub row: RowKey,
    /// Its index among the chunks of the path, counted from 0.
    pub ordinal: u32,
    /// Its BM25 score, the higher the better.
    pub score: f32,
}

impl TantivyReader {
    /// Opens the index in `folder` at the epoch that `token` names.
    ///
    /// # Errors
    /// If the token is of another store, or files of the epoch are missing.
    pub fn open(folder: &Path, token: &Token) -> Result<Self, SinkError> {
        reading(|| Self::open_files(folder, token))
    }

    fn open_files(folder: &Path, token: &Token) -> Result<Self, SinkError> {
        let action = "cannot open the index";
        let cause = "the token names no `meta` file; is it of another store?";
        let meta = meta_of(token).ok_or_else(|| sink_error(READER, action, cause))?;
        let directory = EpochDirectory::open(folder, meta).wrap_err(READER, action)?;
        let index = Index::open(directory).wrap_err(READER, action)?;
        register_tokenizer(&index);
        let fields = Fields::of(&index.schema()).wrap_err(READER, action)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        let reader: IndexReader = reader.try_into().wrap_err(READER, action)?;
        Ok(Self { searcher: reader.searcher(), fields, _reader: reader })
    }

    /// The number of chunks.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.searcher.num_docs()
    }

    /// The number of segments.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.searcher.segment_readers().len()
    }

    /// Returns the chunks that match best, best first. Words are alternatives; a phrase in double
    /// quotes raises the score. Chunks of equal score come in the order of their documents.
    ///
    /// # Errors
    /// If a glob is invalid, or the index cannot be read.
    pub fn search(&self, text: &str, options: &SearchOptions) -> Result<Vec<ChunkHit>, SinkError> {
        self.search_among(None, text, options)
    }

    /// Returns the chunks that match best among those of these rows, or among all.
    ///
    /// # Errors
    /// As for [`search`](Self::search).
    pub fn search_among(
        &self,
        rows: Option<&Arc<HashSet<RowKey>>>,
        text: &str,
        options: &SearchOptions,
    ) -> Result<Vec<ChunkHit>, SinkError> {
        let found = self.best(rows, text, options)?;
        let hit = |(score, address)| self.hit(score, address).wrap_err(READER, "cannot search the index");
        reading(|| found.into_iter().map(hit).collect())
    }

    /// As [`search_among`](Self::search_among), but returns only what identifies the chunks: a
    /// tenth of the work, for callers that have the rest already.
    ///
    /// # Errors
    /// As for [`search`](Self::search).
    pub fn search_rows(
        &self,
        rows: Option<&Arc<HashSet<RowKey>>>,
        text: &str,
        options: &SearchOptions,
    ) -> Result<Vec<RowHit>, SinkError> {
        let found = self.best(rows, text, options)?;
        reading(|| self.named(&found).wrap_err(READER, "cannot search the index"))
    }

    /// What identifies the rows of some documents, with their scores.
    fn named(&self, found: &[(f32, DocAddress)]) -> tantivy::Result<Vec<RowHit>> {
        let mut hits: Vec<RowHit> =
            found.iter().map(|(score, _)| RowHit { row: RowKey::NONE, ordinal: 0, score: *score }).collect();
        // By segment, and within it in the order of the keys: a dictionary is read forwards.
        let mut by_segment: HashMap<SegmentOrdinal, Vec<(usize, DocId)>> = HashMap::new();
        for (nth, (_, address)) in found.iter().enumerate() {
            by_segment.entry(address.segment_ord).or_default().push((nth, address.doc_id));
        }
        for (segment, documents) in by_segment {
            let names = RowNames::of(self.searcher.segment_reader(segment))?;
            for (nth, row, ordinal) in names.of_documents(&documents)? {
                if let Some(hit) = hits.get_mut(nth) {
                    (hit.row, hit.ordinal) = (row, ordinal);
                }
            }
        }
        Ok(hits)
    }

    /// Returns whether a chunk has the first word of a text, as a whole.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn has_word(&self, text: &str) -> Result<bool, SinkError> {
        let terms = query::first_word(&self.fields, text);
        let has = |term| self.searcher.doc_freq(&term).map(|documents| documents > 0);
        reading(|| {
            let found = terms.map(has).find(|found| !matches!(found, Ok(false)));
            found.unwrap_or(Ok(false)).wrap_err(READER, "cannot search the index")
        })
    }

    fn best(
        &self,
        rows: Option<&Arc<HashSet<RowKey>>>,
        text: &str,
        options: &SearchOptions,
    ) -> Result<Vec<(f32, DocAddress)>, SinkError> {
        if options.limit == 0 {
            return Ok(Vec::new());
        }
        let query = query::build(&self.fields, text, options).wrap_err(READER, "cannot read the query")?;
        let collector = TopDocs::with_limit(options.limit).order_by_score();
        let search = || match rows {
            None => self.searcher.search(&*query, &collector),
            Some(rows) => {
                let rows = Arc::clone(rows);
                let is_among = move |key: &[u8]| {
                    key.try_into().is_ok_and(|key: [u8; 16]| rows.contains(&RowKey::from_le_bytes(key)))
                };
                self.searcher.search(&*query, &BytesFilterCollector::new("key".into(), is_among, collector))
            }
        };
        reading(|| search().wrap_err(READER, "cannot search the index"))
    }

    fn hit(&self, score: f32, address: DocAddress) -> tantivy::Result<ChunkHit> {
        let document: TantivyDocument = self.searcher.doc(address)?;
        let segment = self.searcher.segment_reader(address.segment_ord);
        let text = |field| document.get_first(field).and_then(|value| value.as_str()).unwrap_or_default();
        let named = RowNames::of(segment)?.of_documents(&[(0, address.doc_id)])?;
        let row = named.first().map_or(RowKey::NONE, |(_, row, _)| *row);
        let [ordinal, start_line, end_line, start_byte, end_byte] = numbers(segment, address.doc_id)?;
        Ok(ChunkHit {
            path: RelPath::from(text(self.fields.path)),
            row,
            ordinal,
            start_line,
            end_line,
            start_byte,
            end_byte,
            language: text(self.fields.language).into(),
            kind: text(self.fields.kind).into(),
            symbol: text(self.fields.symbol).into(),
            scope: text(self.fields.scope).into(),
            score,
        })
    }

    /// A hash of the content: of the terms with frequencies and positions, and of the
    /// stored fields, of every chunk, whatever segments they lie in. Equal digests mean
    /// that the same queries match the same chunks; scores also count chunks that were
    /// removed and whose segment was not merged yet.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn digest(&self) -> Result<Hash, SinkError> {
        reading(|| digest::of(&self.searcher, &self.fields).wrap_err(READER, "cannot digest the index"))
    }
}

/// Reads files. Tantivy panics on some damaged ones, which is an error here.
fn reading<T>(read: impl FnOnce() -> Result<T, SinkError>) -> Result<T, SinkError> {
    contained(read)
        .unwrap_or_else(|panic| Err(sink_error(READER, "cannot read the index", panicked("Tantivy", &panic))))
}

/// The columns of a segment that identify the rows of its documents.
struct RowNames {
    keys: Option<BytesColumn>,
    ordinals: Column<u64>,
}

impl RowNames {
    fn of(segment: &SegmentReader) -> tantivy::Result<Self> {
        let columns = segment.fast_fields();
        Ok(Self { keys: columns.bytes("key")?, ordinals: columns.u64("ordinal")? })
    }

    /// For each document that has a key: its number as given, its key and its ordinal.
    fn of_documents(&self, documents: &[(usize, DocId)]) -> tantivy::Result<Vec<(usize, RowKey, u32)>> {
        let Some(keys) = &self.keys else { return Ok(Vec::new()) };
        let term = |(nth, doc): &(usize, DocId)| Some((keys.term_ords(*doc).next()?, *nth, *doc));
        let mut terms: Vec<(TermOrdinal, usize, DocId)> = documents.iter().filter_map(term).collect();
        terms.sort_unstable();
        let ordinals: Vec<TermOrdinal> = terms.iter().map(|(term, ..)| *term).collect();
        let mut named = Vec::with_capacity(terms.len());
        let mut terms = terms.into_iter();
        keys.dictionary().sorted_ords_to_term_cb(&ordinals, |bytes| {
            if let (Some((_, nth, doc)), Ok(key)) = (terms.next(), bytes.try_into()) {
                let ordinal = u32::try_from(self.ordinals.first(doc).unwrap_or_default()).unwrap_or(u32::MAX);
                named.push((nth, RowKey::from_le_bytes(key), ordinal));
            }
        })?;
        Ok(named)
    }
}
