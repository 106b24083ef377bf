//! A sink whose disk is a map.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gristmill_ids::{Epoch, Fingerprint, Hash};
use gristmill_views::{ViewDelta, ViewRow};
use parking_lot::Mutex;
use serde_json::json;

use crate::port::{Port, Text};
use crate::sink::{
    Analysis, EpochMeta, EpochWriter, FactForm, FactStore, Published, Record, RowId, Sink, SinkConfig, SinkContext,
    SinkError, StagedEpoch, StagedRows, StoredFacts, StoredVectors, Token,
};

/// The rows of an epoch.
pub type Stored = BTreeMap<RowId, Record>;

/// Everything that was ever published, by version.
#[derive(Debug, Default)]
pub struct Disk {
    versions: Vec<Stored>,
    views: Vec<Views>,
    /// Whether the next records are refused, as by a full disk.
    pub fail_add: bool,
    /// Whether the next records make it panic.
    pub panic_add: bool,
}

/// The tables of views, each a set of rows.
pub type Views = BTreeMap<Box<str>, BTreeSet<ViewRow>>;

impl Disk {
    /// The rows of the newest epoch.
    #[must_use]
    pub fn newest(&self) -> Option<&Stored> {
        self.versions.last()
    }

    /// The views of the newest epoch.
    #[must_use]
    pub fn newest_views(&self) -> Views {
        self.views.last().cloned().unwrap_or_default()
    }
}

/// A sink in memory. Those that share a disk see the same epochs, as two processes would.
///
/// It stores whole records, but returns only what a store of tables could return: the text of
/// its chunks, and definitions, references and imports only if it takes `syntax`.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Where it stores.
    pub disk: Arc<Mutex<Disk>>,
    /// Whether it gives no rows back, like a store that only others read.
    pub gives_nothing_back: bool,
}

/// The store at a state.
struct MemoryStore {
    disk: Arc<Mutex<Disk>>,
    context: SinkContext,
    base: Stored,
    views: Views,
}

struct MemoryWriter {
    store: MemoryStore,
    next: Stored,
    next_views: Views,
    rows: StagedRows,
}

impl SinkConfig for Memory {
    fn kind(&self) -> &str {
        "memory"
    }

    fn accepts(&self) -> &[Port] {
        &[Port::Syntax, Port::Chunks, Port::Vectors]
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"memory")
    }

    fn keeps_views(&self) -> bool {
        true
    }

    fn facts(&self, _: &SinkContext) -> Option<FactForm> {
        (!self.gives_nothing_back).then(FactForm::default)
    }

    fn rows_of(&self, context: &SinkContext, record: &Record) -> u64 {
        rows_of(context, record)
    }

    fn open(&self, context: SinkContext, base: Option<&Token>) -> Result<Box<dyn Sink>, SinkError> {
        let mut disk = self.disk.lock();
        let version = base.map_or(0, version_of);
        disk.versions.truncate(version);
        disk.views.truncate(version);
        let base = disk.newest().cloned().unwrap_or_default();
        let views = disk.newest_views();
        Ok(Box::new(MemoryStore { disk: Arc::clone(&self.disk), context, base, views }))
    }

    fn open_facts(&self, context: SinkContext, base: &Token) -> Result<Option<Box<dyn FactStore>>, SinkError> {
        if self.gives_nothing_back {
            return Ok(None);
        }
        let base = self.disk.lock().versions[version_of(base) - 1].clone();
        Ok(Some(Box::new(MemoryStore { disk: Arc::clone(&self.disk), context, base, views: Views::new() })))
    }
}

/// Counts one row for the file, and one for each of its chunks and definitions.
fn rows_of(context: &SinkContext, record: &Record) -> u64 {
    let chunks = record.chunks.as_ref().map_or(0, |chunks| chunks.chunks.len());
    let has_syntax = context.inputs.contains(&Port::Syntax);
    let definitions = if has_syntax { record.analysis.definitions.len() } else { 0 };
    (1 + chunks + definitions) as u64
}

fn version_of(token: &Token) -> usize {
    token["version"].as_u64().expect("is one of ours") as usize
}

impl Sink for MemoryStore {
    fn begin(self: Box<Self>, _: Epoch, replace: bool) -> Result<Box<dyn EpochWriter>, SinkError> {
        let next = if replace { Stored::new() } else { self.base.clone() };
        let next_views = if replace { Views::new() } else { self.views.clone() };
        Ok(Box::new(MemoryWriter { store: *self, next, next_views, rows: StagedRows::default() }))
    }
}

impl EpochWriter for MemoryWriter {
    fn remove(&mut self, rows: &[RowId]) -> Result<(), SinkError> {
        for row in rows {
            let record = self.next.remove(row).expect("only stored rows are removed");
            self.rows.deleted += rows_of(&self.store.context, &record);
        }
        Ok(())
    }

    fn add(&mut self, records: &[Record]) -> Result<(), SinkError> {
        if self.store.disk.lock().fail_add {
            return Err(SinkError { sink: "memory".into(), action: "add".into(), message: "disk full".into() });
        }
        let panics = self.store.disk.lock().panic_add;
        assert!(!panics, "asked to");
        for record in records {
            let row = RowId { path: record.path.clone(), content_hash: record.analysis.content_hash };
            let before = self.next.insert(row, record.clone());
            assert!(before.is_none(), "{} was not removed, or came twice", record.path);
            self.rows.added += rows_of(&self.store.context, record);
        }
        Ok(())
    }

    fn change_views(&mut self, deltas: &[ViewDelta]) -> Result<(), SinkError> {
        for delta in deltas {
            let table = self.next_views.entry(delta.schema.name.clone()).or_default();
            if delta.replace {
                table.clear();
            }
            for row in &delta.removed {
                assert!(table.remove(row), "{}: only stored rows are removed: {row:?}", delta.schema.name);
            }
            for row in &delta.added {
                assert_eq!(row.values.len(), delta.schema.columns.len());
                assert!(table.insert(row.clone()), "{}: a row came twice: {row:?}", delta.schema.name);
            }
        }
        Ok(())
    }

    fn fact_store(&mut self) -> Option<&mut dyn FactStore> {
        Some(&mut self.store)
    }

    fn stage(self: Box<Self>, _: &EpochMeta) -> Result<Box<dyn StagedEpoch>, SinkError> {
        Ok(self)
    }

    fn abort(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

impl StagedEpoch for MemoryWriter {
    fn rows(&self) -> StagedRows {
        self.rows
    }

    fn publish(self: Box<Self>) -> Result<Published, SinkError> {
        let Self { store, next, next_views, .. } = *self;
        let mut disk = store.disk.lock();
        disk.versions.push(next.clone());
        disk.views.push(next_views.clone());
        let token = json!({ "version": disk.versions.len() });
        drop(disk);
        let MemoryStore { disk, context, .. } = store;
        let sink = Box::new(MemoryStore { disk, context, base: next, views: next_views });
        Ok(Published::new(token, sink))
    }

    fn abort(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

impl FactStore for MemoryStore {
    fn facts(&mut self, visit: &mut dyn FnMut(StoredFacts)) -> Result<(), SinkError> {
        for record in self.base.values() {
            let chunks = record.chunks.iter().flat_map(|chunks| chunks.chunks.iter());
            let bodies = chunks.map(|chunk| chunk.body_hash).collect();
            visit(StoredFacts { path: record.path.clone(), analysis: self.analysis(record), bodies });
        }
        Ok(())
    }

    fn records(&mut self, rows: &[RowId], since: Option<&Token>) -> Result<Vec<Option<Record>>, SinkError> {
        let all = self.kept(since);
        let find = |row: &RowId| all.iter().find_map(|version| version.get(row));
        let record = |row: &RowId| find(row).map(|it| Record { analysis: Arc::new(self.analysis(it)), ..it.clone() });
        Ok(rows.iter().map(record).collect())
    }

    fn vectors(&mut self, chunk_hashes: &[Hash], since: Option<&Token>) -> Result<StoredVectors, SinkError> {
        let all = self.kept(since);
        let mut vectors = StoredVectors::default();
        for wanted in chunk_hashes {
            let chunks = all.iter().flat_map(BTreeMap::values).filter_map(|record| record.chunks.as_ref());
            let found = chunks.filter_map(|chunks| {
                let at = chunks.hashes.iter().position(|hash| hash == wanted)?;
                let dimension = self.context.dimension?;
                Some(chunks.vectors.as_ref()?[at * dimension..(at + 1) * dimension].to_vec())
            });
            let found = found.take(1).next();
            vectors.found.push(found.is_some());
            vectors.values.extend(found.unwrap_or_default());
        }
        Ok(vectors)
    }

    fn holders(&mut self, contents: &[Hash], since: Option<&Token>) -> Result<Vec<Vec<RowId>>, SinkError> {
        let all = self.kept(since);
        let ids: BTreeSet<&RowId> = all.iter().flat_map(BTreeMap::keys).collect();
        let of =
            |content: &Hash| ids.iter().filter(|id| id.content_hash == *content).map(|id| RowId::clone(id)).collect();
        Ok(contents.iter().map(of).collect())
    }
}

impl MemoryStore {
    /// The part of a record's analysis that a store of tables could return.
    fn analysis(&self, record: &Record) -> Analysis {
        let mut analysis = Analysis::clone(&record.analysis);
        let chunks = record.chunks.iter().flat_map(|chunks| chunks.chunks.iter());
        let parts = chunks.map(|chunk| {
            let text = analysis.text.get(chunk.span.bytes()).expect("chunks lie in the text");
            (chunk.span.start_byte as usize, text)
        });
        analysis.text = Text::from_parts(parts);
        if !self.context.inputs.contains(&Port::Syntax) {
            analysis.definitions.clear();
            analysis.references.clear();
            analysis.imports.clear();
        }
        analysis
    }

    /// The base, and the versions before it down to `since`, newest first.
    fn kept(&self, since: Option<&Token>) -> Vec<Stored> {
        let disk = self.disk.lock();
        let oldest = since.and_then(|token| token["version"].as_u64()).unwrap_or(u64::MAX) as usize;
        let older = (oldest..disk.versions.len()).rev().filter_map(|version| disk.versions.get(version - 1).cloned());
        [self.base.clone()].into_iter().chain(older).collect()
    }
}
