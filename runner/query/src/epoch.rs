//! An open epoch: its stores, and the tables that queries loaded into memory.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use gristmill_pipeline::graph::QueryEmbedder;
use gristmill_pipeline::index::CommitRecord;
use gristmill_pipeline::{Epoch, ExtraColumn, ExtraOwner, Graph, RowKey, SinkError};
use gristmill_sinks::lance::Resident;
use gristmill_sinks::tables::Table;
use gristmill_sinks::{LanceReader, TantivyReader};

use super::answers::Answers;
use super::error::{ErrorCode, ToolError};
use super::lazy::Lazy;
use super::quote::quote;
use super::request::Coverage;
use super::rows::{
    ChunkRows, EdgeRows, ExtraValues, FileRows, ImportRows, ReferenceRows, SymbolRows, TableRows, TextRows, Texts,
    VectorRows, all,
};
use super::snapshot::{Snapshot, SnapshotError};

/// An epoch that is open for queries. It is immutable, and pinned until its last reader drops it.
pub struct OpenEpoch {
    snapshot: Snapshot,
    text_index: Option<TantivyReader>,
    tables: Option<Tables>,
    /// Whether the full-text index and the tables have the same chunks. A job may use different
    /// chunkers for them.
    same_chunks: bool,
    refs: Vec<IndexedRef>,
    answers: OnceLock<Answers>,
}

/// A ref of the index, and its rows, once a query loaded them.
struct IndexedRef {
    name: Box<str>,
    rows: OnceLock<Arc<HashSet<RowKey>>>,
}

/// The rows of one ref; all rows if the index has no refs.
#[derive(Clone, Debug, Default)]
pub struct Visible(Option<Arc<HashSet<RowKey>>>);

impl Visible {
    /// Returns whether the rows of a file are visible.
    #[must_use]
    #[inline]
    pub fn shows(&self, file: RowKey) -> bool {
        self.0.as_ref().is_none_or(|visible| visible.contains(&file))
    }

    /// Returns the keys of the visible files; `None` for all.
    #[must_use]
    pub fn keys(&self) -> Option<&Arc<HashSet<RowKey>>> {
        self.0.as_ref()
    }
}

/// With preloading, chunk texts up to this size are kept in memory.
const MAX_RESIDENT_TEXT_BYTES: u64 = 384 << 20;

/// With preloading, vectors up to this size are kept in memory even if their table has a vector
/// index: comparing all of them is exact and takes a tenth of the time.
const MAX_RESIDENT_VECTOR_BYTES: u64 = 1 << 30;

/// The Lance tables of an epoch.
pub struct Tables {
    /// The tables on disk.
    pub reader: LanceReader,
    /// The embedder of the stored vectors, for queries; `None` if there are no vectors, or the job
    /// has another embedder.
    pub embedder: Option<QueryEmbedder>,
    files: Lazy<FileRows>,
    chunks: Lazy<ChunkRows>,
    vectors: Lazy<VectorRows>,
    symbols: Lazy<SymbolRows>,
    references: Lazy<ReferenceRows>,
    imports: Lazy<ImportRows>,
    edges: Lazy<EdgeRows>,
    texts: Lazy<TextRows>,
    extras: Vec<LazyExtra>,
    /// Whether a search has read the vectors without keeping them.
    was_searched: AtomicBool,
}

/// How the vectors nearest to that of a query are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorScan {
    /// In memory, exactly: see [`nearest`](super::nearest).
    Resident,
    /// By reading all, exactly: see [`LanceReader::score_all`].
    Passing,
    /// By the vector index: see [`LanceReader::nearest`].
    Index,
}

/// An extra column, loaded when a query first asks for it.
struct LazyExtra {
    column: ExtraColumn,
    values: Lazy<ExtraValues>,
}

impl LazyExtra {
    fn new(column: ExtraColumn, last: &[Self]) -> Self {
        let is_same = |last: &&Self| {
            let last = &last.column;
            (last.owner, &last.name, last.kind) == (column.owner, &column.name, column.kind)
        };
        let values = Lazy::new(last.iter().find(is_same).map(|last| &last.values));
        Self { column, values }
    }

    fn get(&self, reader: &LanceReader) -> Result<&Resident<ExtraValues>, SinkError> {
        let table = match self.column.owner {
            ExtraOwner::Files => Table::Files,
            ExtraOwner::Chunks => Table::Chunks,
        };
        let make = |batch| ExtraValues::of(&self.column, &batch);
        self.values.get_columns(reader, &table, &[&self.column.name], make)
    }
}

impl Tables {
    fn new(reader: LanceReader, embedder: Option<QueryEmbedder>, last: Option<&Self>) -> Result<Self, SinkError> {
        let last_extras = last.map_or(&[][..], |last| &last.extras);
        let columns = reader.extra_columns()?.into_iter();
        let extras = columns.map(|column| LazyExtra::new(column, last_extras)).collect();
        Ok(Self {
            reader,
            embedder,
            files: Lazy::new(last.map(|last| &last.files)),
            chunks: Lazy::new(last.map(|last| &last.chunks)),
            vectors: Lazy::new(last.map(|last| &last.vectors)),
            symbols: Lazy::new(last.map(|last| &last.symbols)),
            references: Lazy::new(last.map(|last| &last.references)),
            imports: Lazy::new(last.map(|last| &last.imports)),
            edges: Lazy::new(last.map(|last| &last.edges)),
            texts: Lazy::new(last.map(|last| &last.texts)),
            extras,
            was_searched: AtomicBool::new(false),
        })
    }

    /// Returns whether the epoch has a table.
    #[must_use]
    pub fn has(&self, table: &Table) -> bool {
        self.reader.tables().any(|held| held == table)
    }

    /// Returns the table `files`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn files(&self) -> Result<&Resident<FileRows>, ToolError> {
        Ok(self.files.get(&self.reader)?)
    }

    /// Returns the table `chunks`, without texts and vectors.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn chunks(&self) -> Result<&Resident<ChunkRows>, ToolError> {
        Ok(self.chunks.get(&self.reader)?)
    }

    /// Returns the vectors, for searches in memory.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn vectors(&self) -> Result<&Resident<VectorRows>, ToolError> {
        Ok(self.vectors.get(&self.reader)?)
    }

    /// Returns how this search finds the nearest vectors. The first search of an epoch that is not
    /// preloaded reads them in passing: a process that answers one query has no use for them in memory.
    #[must_use]
    pub fn vector_scan(&self) -> VectorScan {
        if self.vectors.loaded().is_some() || self.vectors.had() {
            VectorScan::Resident
        } else if self.reader.has_vector_index() {
            VectorScan::Index
        } else if self.was_searched.swap(true, Ordering::Relaxed) {
            VectorScan::Resident
        } else {
            VectorScan::Passing
        }
    }

    /// Returns the memory of the vectors: a float and a byte per component.
    fn vector_bytes(&self, dimension: usize) -> u64 {
        self.reader.count_rows(&Table::Chunks) * dimension as u64 * 5
    }

    /// Returns the table `symbols`: the definitions.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn symbols(&self) -> Result<&Resident<SymbolRows>, ToolError> {
        Ok(self.symbols.get(&self.reader)?)
    }

    /// Returns the table `references`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn references(&self) -> Result<&Resident<ReferenceRows>, ToolError> {
        Ok(self.references.get(&self.reader)?)
    }

    /// Returns the table `imports`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn imports(&self) -> Result<&Resident<ImportRows>, ToolError> {
        Ok(self.imports.get(&self.reader)?)
    }

    /// Returns the view `edges`, if the job has it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn edges(&self) -> Result<Option<&Resident<EdgeRows>>, ToolError> {
        if !self.has(&EdgeRows::table()) {
            return Ok(None);
        }
        Ok(Some(self.edges.get(&self.reader)?))
    }

    /// Reads the texts of the chunks at these addresses, in their order.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn texts(&self, addresses: &[u64]) -> Result<Texts<'_>, ToolError> {
        // One query does not load the column: it reads only the rows that it needs.
        Ok(Texts::of(self.texts.loaded(), &self.reader, addresses)?)
    }

    /// Returns the extra columns of `files` and `chunks`.
    pub fn extra_columns(&self) -> impl Iterator<Item = &ExtraColumn> {
        self.extras.iter().map(|extra| &extra.column)
    }

    /// Returns the values of an extra column, in the rows of its table. They are loaded on first use.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] if the epoch does not have the column; and if it cannot be read.
    pub fn extra(&self, column: &ExtraColumn) -> Result<&Resident<ExtraValues>, ToolError> {
        let not_found =
            || ToolError::new(ErrorCode::NotFound, format!("no extra column {} in the index", quote(&column.name)));
        let extra = self.extras.iter().find(|extra| extra.column == *column).ok_or_else(not_found)?;
        Ok(extra.get(&self.reader)?)
    }

    /// Loads all tables but extra columns; texts and vectors if they are small enough.
    fn load(&self) -> Result<(), SinkError> {
        let reader = &self.reader;
        if self.has(&Table::Files) {
            self.files.get(reader)?;
        }
        if self.has(&Table::Symbols) {
            self.symbols.get(reader)?;
        }
        if self.has(&Table::References) {
            self.references.get(reader)?;
        }
        if self.has(&Table::Imports) {
            self.imports.get(reader)?;
        }
        if self.has(&EdgeRows::table()) {
            self.edges.get(reader)?;
        }
        if self.has(&Table::Chunks) {
            self.chunks.get(reader)?;
            let bytes: u64 = match self.has(&Table::Files) {
                true => all(self.files.get(reader)?).map(|file| file.table().bytes.value(file.row)).sum(),
                false => u64::MAX,
            };
            if bytes <= MAX_RESIDENT_TEXT_BYTES {
                self.texts.get(reader)?;
            }
            let dimension = self.embedder.as_ref().map(QueryEmbedder::dimension);
            if let Some(dimension) = dimension
                && (!reader.has_vector_index() || self.vector_bytes(dimension) <= MAX_RESIDENT_VECTOR_BYTES)
            {
                self.vectors.get(reader)?;
            }
        }
        Ok(())
    }

    fn reload(&self) -> Result<(), SinkError> {
        let reader = &self.reader;
        self.files.reload(reader)?;
        self.chunks.reload(reader)?;
        self.vectors.reload(reader)?;
        self.symbols.reload(reader)?;
        self.references.reload(reader)?;
        self.imports.reload(reader)?;
        self.edges.reload(reader)?;
        self.extras.iter().filter(|extra| extra.values.had()).try_for_each(|extra| extra.get(reader).map(|_| ()))
    }
}

impl OpenEpoch {
    /// Opens an epoch of the index in `folder`; without `epoch`, the newest. `graph` has the embedder
    /// of queries. Tables that `last`, an earlier epoch of the same index, has in memory are loaded,
    /// and share its fragments.
    ///
    /// # Errors
    /// If the epoch does not exist, or a store cannot be opened.
    pub fn open(
        folder: &Path,
        epoch: Option<Epoch>,
        graph: &Graph,
        last: Option<&Self>,
    ) -> Result<Self, SnapshotError> {
        let snapshot = Snapshot::open(folder, epoch)?;
        let text_sink = snapshot.sinks("tantivy").next();
        let text_index = text_sink.map(|name| snapshot.tantivy(name)).transpose()?;
        let last = last.and_then(|last| last.tables.as_ref());
        let (table_sink, tables) = open_tables(&snapshot, graph, last)?.unzip();
        if let Some(tables) = &tables {
            tables.reload()?;
        }
        let same_chunks = text_sink.zip(table_sink).is_some_and(|(text, tables)| {
            let lane = |name: &str| graph.sinks().iter().find(|sink| *sink.name == *name).map(|sink| sink.chunk_lane);
            // Unknown if another job wrote the index; most jobs have one chunker.
            lane(text).zip(lane(tables)).is_none_or(|(text, tables)| text == tables)
        });
        let refs = snapshot.record.refs.iter();
        let refs = refs.map(|held| IndexedRef { name: held.name.clone(), rows: OnceLock::new() }).collect();
        Ok(Self { snapshot, text_index, tables, same_chunks, refs, answers: OnceLock::new() })
    }

    /// Answers that are kept, in so many bytes. The first call counts.
    pub(super) fn answers(&self, bytes: u64) -> &Answers {
        self.answers.get_or_init(|| Answers::new(bytes))
    }

    /// Returns the table with the chunks of the full-text index, if there is one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn text_index_chunks(&self) -> Result<Option<&Resident<ChunkRows>>, ToolError> {
        let tables = self.tables.as_ref().filter(|tables| self.same_chunks && tables.has(&Table::Chunks));
        tables.map(Tables::chunks).transpose()
    }

    /// Loads all tables but extra columns; texts and vectors if they are small enough.
    ///
    /// # Errors
    /// If a table cannot be read.
    pub fn load(&self) -> Result<(), SnapshotError> {
        match &self.tables {
            Some(tables) => Ok(tables.load()?),
            None => Ok(()),
        }
    }

    /// Returns the commit record.
    #[must_use]
    pub fn record(&self) -> &CommitRecord {
        &self.snapshot.record
    }

    /// Whether the index folder still holds this very epoch.
    pub(super) fn is_in_place(&self) -> bool {
        self.snapshot.is_in_place()
    }

    /// Returns the index folder.
    #[must_use]
    pub fn folder(&self) -> &gristmill_pipeline::index::IndexFolder {
        &self.snapshot.folder
    }

    /// Returns the full-text index.
    ///
    /// # Errors
    /// [`ErrorCode::MissingCapability`] if the index has none.
    pub fn text_index(&self) -> Result<&TantivyReader, ToolError> {
        self.text_index.as_ref().ok_or_else(|| {
            ToolError::new(ErrorCode::MissingCapability, "the index has no full-text index")
                .help("add a `tantivy` sink to the job, or search with mode `vector`")
        })
    }

    /// Returns the Lance tables.
    ///
    /// # Errors
    /// [`ErrorCode::MissingCapability`] if the index has none.
    pub fn tables(&self) -> Result<&Tables, ToolError> {
        self.tables.as_ref().ok_or_else(|| {
            ToolError::new(ErrorCode::MissingCapability, "the index has no Lance tables")
                .help("add a `lance` sink to the job")
        })
    }

    /// Returns whether the index has vectors.
    #[must_use]
    pub fn has_vectors(&self) -> bool {
        self.snapshot.record.sinks.values().any(|sink| sink.embed.is_some())
    }

    /// Returns the size of the epoch.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let chunks = match (&self.tables, &self.text_index) {
            (Some(tables), _) if tables.has(&Table::Chunks) => tables.reader.count_rows(&Table::Chunks),
            (_, Some(text_index)) => text_index.count(),
            _ => 0,
        };
        let vectors = if self.has_vectors() { chunks } else { 0 };
        Coverage { files: self.record().files, chunks, vectors }
    }

    /// Returns the rows of a ref; without a name, those of the first ref.
    ///
    /// # Errors
    /// If the index does not have the ref, or cannot be read.
    pub fn visible(&self, ref_name: Option<&str>) -> Result<Visible, ToolError> {
        let held = match ref_name {
            None => self.refs.first(),
            Some(name) => match self.refs.iter().find(|held| *held.name == *name) {
                Some(held) => Some(held),
                None => return Err(self.no_ref(name)),
            },
        };
        let Some(IndexedRef { name, rows }) = held else { return Ok(Visible(None)) };
        if let Some(rows) = rows.get() {
            return Ok(Visible(Some(Arc::clone(rows))));
        }
        let found = self.tables()?.reader.rows_of_ref(name)?.unwrap_or_default();
        Ok(Visible(Some(Arc::clone(rows.get_or_init(|| Arc::new(found))))))
    }

    fn no_ref(&self, name: &str) -> ToolError {
        let names: Vec<&str> = self.refs.iter().map(|held| &*held.name).collect();
        let help = match names.as_slice() {
            [] => "the index has no refs; remove `ref`".to_owned(),
            names => format!("available refs: {}", names.join(", ")),
        };
        ToolError::new(ErrorCode::NotFound, format!("no ref {} in the index", quote(name))).help(help)
    }
}

/// Opens the tables of the sink whose vectors the job can search; else of the first sink with
/// chunks; else of the first sink.
fn open_tables<'a>(
    snapshot: &'a Snapshot,
    graph: &Graph,
    last: Option<&Tables>,
) -> Result<Option<(&'a str, Tables)>, SinkError> {
    let mut without: Option<(&str, LanceReader)> = None;
    for name in snapshot.sinks("lance") {
        let reader = snapshot.lance(name)?;
        if let Some(embedder) = embedder(snapshot, graph, name) {
            return Ok(Some((name, Tables::new(reader, Some(embedder), last)?)));
        }
        let has_chunks = |reader: &LanceReader| reader.tables().any(|table| *table == Table::Chunks);
        if without.as_ref().is_none_or(|(_, without)| !has_chunks(without) && has_chunks(&reader)) {
            without = Some((name, reader));
        }
    }
    without.map(|(name, reader)| Ok((name, Tables::new(reader, None, last)?))).transpose()
}

/// Returns the job's embedder, if it made the vectors of this sink.
fn embedder(snapshot: &Snapshot, graph: &Graph, sink: &str) -> Option<QueryEmbedder> {
    let stored = snapshot.embedder(sink)?;
    let lane = graph.embed_lanes().iter().find(|lane| lane.fingerprint == stored)?;
    Some(graph.query_embedder(lane.id))
}

impl From<SinkError> for ToolError {
    fn from(error: SinkError) -> Self {
        Self::unreadable("the index cannot be read", &error)
            .help("rebuild what is damaged with `gristmill run --verify`")
    }
}

impl From<SnapshotError> for ToolError {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Store(error) => error.into(),
            SnapshotError::Index(error) => {
                use gristmill_pipeline::index::IndexError;
                match error {
                    IndexError::Missing { .. } => {
                        Self::new(ErrorCode::NoEpoch, "the index has no epoch yet").with_detail(error)
                    }
                    IndexError::NoEpoch { epoch, .. } => {
                        Self::new(ErrorCode::NoEpoch, format!("the index has no epoch {epoch}")).with_detail(error)
                    }
                    IndexError::Damaged { .. } => Self::unreadable("a file of the index is damaged", &error)
                        .help("rebuild the index with `gristmill run --full`"),
                    error => Self::unreadable("the index cannot be read", &error),
                }
            }
        }
    }
}
