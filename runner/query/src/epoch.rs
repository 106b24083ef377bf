//! An epoch with its stores open, and with those tables in memory that were asked for.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use gristmill_pipeline::graph::SinkStage;
use gristmill_pipeline::index::CommitRecord;
use gristmill_pipeline::{Epoch, ErasedOperator, Graph, Key, SinkError};
use gristmill_sinks::lance::Resident;
use gristmill_sinks::tables::Table;
use gristmill_sinks::{LanceReader, TantivyReader};
use parking_lot::Mutex;

use super::error::{ErrorCode, ToolError};
use super::request::Coverage;
use super::rows::{
    ChunkRows, EdgeRows, FileRows, ImportRows, ReferenceRows, SymbolRows, TableRows, TextRows, Texts, VectorRows, all,
};
use super::snapshot::{Snapshot, SnapshotError};

/// An epoch that is being asked. It is pinned for as long as anybody holds it, and whatever
/// is asked of it comes from it alone.
pub struct OpenEpoch {
    snapshot: Snapshot,
    words: Option<TantivyReader>,
    tables: Option<Tables>,
    /// Whether the chunks of the full-text index are those of the tables. A job may cut files in
    /// one way for words and in another for vectors.
    same_chunks: bool,
    refs: Vec<HeldRef>,
}

/// A ref that the index holds, and the rows that it shows, once somebody asked for them.
struct HeldRef {
    name: Box<str>,
    rows: OnceLock<Arc<HashSet<Key>>>,
}

/// The rows that show; all if `None`.
#[derive(Clone, Debug, Default)]
pub struct Visible(Option<Arc<HashSet<Key>>>);

impl Visible {
    /// Whether the rows of a file show.
    #[must_use]
    #[inline]
    pub fn shows(&self, file: Key) -> bool {
        self.0.as_ref().is_none_or(|visible| visible.contains(&file))
    }

    /// The keys of the files that show; `None` for all.
    #[must_use]
    pub fn keys(&self) -> Option<&Arc<HashSet<Key>>> {
        self.0.as_ref()
    }
}

/// Texts of so many bytes are kept in memory, if tables are loaded ahead of questions.
const MOST_TEXT: u64 = 256 << 20;

/// Vectors of so many bytes are kept in memory, with what it takes to compare them, although
/// their table has an index, if tables are loaded ahead of questions: to compare all of them is
/// exact, and takes a tenth of the time.
const MOST_VECTORS: u64 = 1 << 30;

/// The Lance tables of an epoch.
pub struct Tables {
    /// The tables on disk.
    pub reader: LanceReader,
    /// What embeds queries as the chunks were embedded; `None` if the job has it not, or
    /// nothing is embedded.
    pub embedder: Option<Arc<dyn ErasedOperator>>,
    files: Lazy<FileRows>,
    chunks: Lazy<ChunkRows>,
    vectors: Lazy<VectorRows>,
    symbols: Lazy<SymbolRows>,
    references: Lazy<ReferenceRows>,
    imports: Lazy<ImportRows>,
    edges: Lazy<EdgeRows>,
    texts: Lazy<TextRows>,
}

/// A table that is loaded when it is first asked for, with what an earlier epoch had of it.
struct Lazy<T> {
    loaded: OnceLock<Arc<Resident<T>>>,
    last: Mutex<Option<Arc<Resident<T>>>>,
}

impl<T: TableRows> Lazy<T> {
    fn new(last: Option<&Self>) -> Self {
        Self { loaded: OnceLock::new(), last: Mutex::new(last.and_then(|last| last.loaded.get().cloned())) }
    }

    fn get(&self, reader: &LanceReader) -> Result<&Resident<T>, SinkError> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        // Held while loading, so that it is loaded once.
        let mut last = self.last.lock();
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        let table = reader.resident(&T::table(), T::COLUMNS, last.as_deref(), T::of)?;
        *last = None;
        Ok(self.loaded.get_or_init(|| Arc::new(table)))
    }

    /// Loads it if the epoch before had it.
    fn load_again(&self, reader: &LanceReader) -> Result<(), SinkError> {
        let had = self.last.lock().is_some();
        if had { self.get(reader).map(|_| ()) } else { Ok(()) }
    }
}

impl Tables {
    fn new(reader: LanceReader, embedder: Option<Arc<dyn ErasedOperator>>, last: Option<&Self>) -> Self {
        Self {
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
        }
    }

    /// Whether the epoch has a table.
    #[must_use]
    pub fn has(&self, table: &Table) -> bool {
        self.reader.tables().any(|held| held == table)
    }

    /// The files.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn files(&self) -> Result<&Resident<FileRows>, ToolError> {
        Ok(self.files.get(&self.reader)?)
    }

    /// The chunks, without texts and vectors.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn chunks(&self) -> Result<&Resident<ChunkRows>, ToolError> {
        Ok(self.chunks.get(&self.reader)?)
    }

    /// The vectors, where all are to be compared: they are in memory, or their table has no
    /// index.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn vectors_to_compare(&self) -> Result<Option<&Resident<VectorRows>>, ToolError> {
        match self.vectors.loaded.get() {
            Some(loaded) => Ok(Some(loaded)),
            None if self.reader.has_vector_index() => Ok(None),
            None => Ok(Some(self.vectors.get(&self.reader)?)),
        }
    }

    /// What the vectors take in memory: a float and a byte for each component.
    fn bytes_of_vectors(&self, dimension: usize) -> u64 {
        self.reader.count_rows(&Table::Chunks) * dimension as u64 * 5
    }

    /// The definitions.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn symbols(&self) -> Result<&Resident<SymbolRows>, ToolError> {
        Ok(self.symbols.get(&self.reader)?)
    }

    /// The uses of names.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn references(&self) -> Result<&Resident<ReferenceRows>, ToolError> {
        Ok(self.references.get(&self.reader)?)
    }

    /// The imports.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn imports(&self) -> Result<&Resident<ImportRows>, ToolError> {
        Ok(self.imports.get(&self.reader)?)
    }

    /// The edges, where the job has that view.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn edges(&self) -> Result<Option<&Resident<EdgeRows>>, ToolError> {
        if !self.has(&EdgeRows::table()) {
            return Ok(None);
        }
        Ok(Some(self.edges.get(&self.reader)?))
    }

    /// The texts of the chunks at these addresses, in their order.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn texts(&self, addresses: &[u64]) -> Result<Texts<'_>, ToolError> {
        // Not loaded for one question: reading what it needs is less.
        let held = self.texts.loaded.get().map(Arc::as_ref);
        Ok(Texts::of(held, &self.reader, addresses)?)
    }

    /// Loads every table that questions look things up in, and the texts if they are few.
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
            if bytes <= MOST_TEXT {
                self.texts.get(reader)?;
            }
            let dimension = self.embedder.as_ref().and_then(|embedder| embedder.dimension());
            if let Some(dimension) = dimension
                && (!reader.has_vector_index() || self.bytes_of_vectors(dimension) <= MOST_VECTORS)
            {
                self.vectors.get(reader)?;
            }
        }
        Ok(())
    }

    fn load_again(&self) -> Result<(), SinkError> {
        let reader = &self.reader;
        self.files.load_again(reader)?;
        self.chunks.load_again(reader)?;
        self.vectors.load_again(reader)?;
        self.symbols.load_again(reader)?;
        self.references.load_again(reader)?;
        self.imports.load_again(reader)?;
        self.edges.load_again(reader)
    }
}

impl OpenEpoch {
    /// Opens an epoch of the index in `folder`, or its newest. `graph` tells how to embed
    /// queries. What `last`, an earlier epoch of the same index, has in memory is shared,
    /// and what it had is loaded.
    ///
    /// # Errors
    /// If there is no such epoch, or a store cannot be opened.
    pub fn open(
        folder: &Path,
        epoch: Option<Epoch>,
        graph: &Graph,
        last: Option<&Self>,
    ) -> Result<Self, SnapshotError> {
        let snapshot = Snapshot::open(folder, epoch)?;
        let of_words = snapshot.sinks("tantivy").next();
        let words = of_words.map(|name| snapshot.tantivy(name)).transpose()?;
        let last = last.and_then(|last| last.tables.as_ref());
        let (of_tables, tables) = open_tables(&snapshot, graph, last)?.unzip();
        if let Some(tables) = &tables {
            tables.load_again()?;
        }
        let same_chunks = of_words.zip(of_tables).is_some_and(|(words, tables)| {
            let lane = |name: &str| {
                let is_it =
                    |sink: &&SinkStage| graph.stages().get(sink.stage).is_some_and(|stage| *stage.name == *name);
                graph.sinks().iter().find(is_it).map(|sink| sink.chunk_lane)
            };
            // Of an index that another job wrote it is not known; most jobs have one way.
            lane(words).zip(lane(tables)).is_none_or(|(words, tables)| words == tables)
        });
        let refs = snapshot.record.refs.iter();
        let refs = refs.map(|held| HeldRef { name: held.name.clone(), rows: OnceLock::new() }).collect();
        Ok(Self { snapshot, words, tables, same_chunks, refs })
    }

    /// The chunks that the full-text index names, where the tables have them.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn chunks_of_words(&self) -> Result<Option<&Resident<ChunkRows>>, ToolError> {
        let tables = self.tables.as_ref().filter(|tables| self.same_chunks && tables.has(&Table::Chunks));
        tables.map(Tables::chunks).transpose()
    }

    /// Loads every table that questions look things up in.
    ///
    /// # Errors
    /// If a table cannot be read.
    pub fn load(&self) -> Result<(), SnapshotError> {
        match &self.tables {
            Some(tables) => Ok(tables.load()?),
            None => Ok(()),
        }
    }

    /// The epoch's record.
    #[must_use]
    pub fn record(&self) -> &CommitRecord {
        &self.snapshot.record
    }

    /// The index folder.
    #[must_use]
    pub fn folder(&self) -> &gristmill_pipeline::index::IndexFolder {
        &self.snapshot.folder
    }

    /// The full-text index.
    ///
    /// # Errors
    /// If the index has none.
    pub fn words(&self) -> Result<&TantivyReader, ToolError> {
        self.words.as_ref().ok_or_else(|| {
            ToolError::new(ErrorCode::Lacking, "the index holds no words")
                .help("give the job a `tantivy` sink, or search with mode `vector`")
        })
    }

    /// The Lance tables.
    ///
    /// # Errors
    /// If the index has none.
    pub fn tables(&self) -> Result<&Tables, ToolError> {
        self.tables.as_ref().ok_or_else(|| {
            ToolError::new(ErrorCode::Lacking, "the index holds no tables").help("give the job a `lance` sink")
        })
    }

    /// Whether it has vectors.
    #[must_use]
    pub fn has_vectors(&self) -> bool {
        self.snapshot.record.sinks.values().any(|sink| sink.embed.is_some())
    }

    /// How much of the source it holds.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let chunks = match (&self.tables, &self.words) {
            (Some(tables), _) if tables.has(&Table::Chunks) => tables.reader.count_rows(&Table::Chunks),
            (_, Some(words)) => words.count(),
            _ => 0,
        };
        let vectors = if self.has_vectors() { chunks } else { 0 };
        Coverage { files: self.record().files, chunks, vectors }
    }

    /// The rows that a ref shows; of its first ref, if the index holds several and none is
    /// named.
    ///
    /// # Errors
    /// If the index does not hold the ref, or cannot be read.
    pub fn visible(&self, of_ref: Option<&str>) -> Result<Visible, ToolError> {
        let held = match of_ref {
            None => self.refs.first(),
            Some(name) => match self.refs.iter().find(|held| *held.name == *name) {
                Some(held) => Some(held),
                None => return Err(self.no_ref(name)),
            },
        };
        let Some(HeldRef { name, rows }) = held else { return Ok(Visible(None)) };
        if let Some(rows) = rows.get() {
            return Ok(Visible(Some(Arc::clone(rows))));
        }
        let found = self.tables()?.reader.rows_of_ref(name)?.unwrap_or_default();
        Ok(Visible(Some(Arc::clone(rows.get_or_init(|| Arc::new(found))))))
    }

    fn no_ref(&self, name: &str) -> ToolError {
        let names: Vec<&str> = self.refs.iter().map(|held| &*held.name).collect();
        let help = match names.as_slice() {
            [] => "it holds one revision, so leave the ref out".to_owned(),
            names => format!("it holds {}", names.join(", ")),
        };
        ToolError::new(ErrorCode::NotFound, format!("the index does not hold the ref `{name}`")).help(help)
    }
}

/// The tables of the sink whose vectors the job can compare queries with, else of the first
/// with chunks, else of the first.
fn open_tables<'a>(
    snapshot: &'a Snapshot,
    graph: &Graph,
    last: Option<&Tables>,
) -> Result<Option<(&'a str, Tables)>, SinkError> {
    let mut without: Option<(&str, LanceReader)> = None;
    for name in snapshot.sinks("lance") {
        let reader = snapshot.lance(name)?;
        if let Some(embedder) = embedder(snapshot, graph, name) {
            return Ok(Some((name, Tables::new(reader, Some(embedder), last))));
        }
        let has_chunks = |reader: &LanceReader| reader.tables().any(|table| *table == Table::Chunks);
        if without.as_ref().is_none_or(|(_, without)| !has_chunks(without) && has_chunks(&reader)) {
            without = Some((name, reader));
        }
    }
    Ok(without.map(|(name, reader)| (name, Tables::new(reader, None, last))))
}

/// The job's embedder, if the vectors of this sink are its.
fn embedder(snapshot: &Snapshot, graph: &Graph, sink: &str) -> Option<Arc<dyn ErasedOperator>> {
    let stored = snapshot.embedder(sink)?;
    let lane = (0..graph.embed_lanes().len()).find(|&lane| graph.embed_fingerprint(lane) == Some(stored))?;
    graph.stages().get(graph.embed_lanes().get(lane)?.stage)?.operator().cloned()
}

impl From<SinkError> for ToolError {
    fn from(error: SinkError) -> Self {
        Self::unreadable("the index cannot be read", &error)
            .help("if the index was moved or damaged, rebuild it with `gristmill run --full`")
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
