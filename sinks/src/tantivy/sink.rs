//! The Tantivy store as a sink.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use gristmill_pipeline::port::Port;
use gristmill_pipeline::{
    Epoch, EpochMeta, Fingerprint, Hash, Record, RowId, Sink, SinkContext, SinkError, StagedRows, Token, row_key,
};
use serde_json::json;
use tantivy::index::SegmentMeta;
use tantivy::indexer::{IndexWriterOptions, NoMergePolicy};
use tantivy::{Index, IndexMeta, IndexSettings, IndexWriter};

use super::TantivyConfig;
use super::collect::{self, meta_name, meta_of};
use super::directory::{META, StagingDirectory};
use super::document::{ChunkDocument, Fields, SCHEMA_VERSION, register_tokenizer, schema};
use crate::durable;
use crate::failure::{While as _, failure};

/// Writes chunks into a Tantivy index.
///
/// Tantivy indexes on threads of its own. With [`SinkContext::single_threaded`] there is
/// one, and [`Sink::add`] returns when it is done with what it was given, so that the
/// work does not overlap with the caller's.
pub struct TantivySink {
    name: Box<str>,
    folder: PathBuf,
    config: TantivyConfig,
    single_threaded: bool,
    /// The published state; `None` while there is none.
    base: Option<Published>,
    open: bool,
    /// Stays open from epoch to epoch.
    writer: Option<Writer>,
    draft: Option<Draft>,
}

/// A published state.
#[derive(Clone)]
struct Published {
    token: Token,
    meta: Vec<u8>,
}

struct Writer {
    directory: StagingDirectory,
    index: Index,
    fields: Fields,
    writer: IndexWriter<ChunkDocument>,
}

#[derive(Default)]
struct Draft {
    replace: bool,
    added: u64,
    /// Whether the index differs from the base at all.
    changed: bool,
    /// Whether all segments are merged.
    compact: bool,
    staged: Option<Published>,
}

impl TantivySink {
    /// Prepares the store; nothing is read or written before [`Sink::open`].
    ///
    /// # Errors
    /// If a parameter is out of range, or no input gives chunks.
    pub fn new(config: TantivyConfig, context: &SinkContext) -> Result<Self, SinkError> {
        let fail = |cause: String| failure(&context.name, "cannot be built", cause);
        if !context.inputs.contains(&Port::Chunks) {
            return Err(fail("it needs an input of chunks".to_owned()));
        }
        if !(1..=8).contains(&config.threads) {
            return Err(fail(format!("`threads` is {}, but must be from 1 to 8", config.threads)));
        }
        let threads = if context.single_threaded { 1 } else { config.threads };
        if config.writer_memory / threads < 15_000_000 {
            return Err(fail(format!("`writer_memory` must be 15000000 or more for each of {threads} threads")));
        }
        let config = TantivyConfig { threads, max_segments: config.max_segments.max(2), ..config };
        Ok(Self {
            name: context.name.clone(),
            folder: context.folder.clone(),
            config,
            single_threaded: context.single_threaded,
            base: None,
            open: false,
            writer: None,
            draft: None,
        })
    }

    fn order(&self, action: &str) -> SinkError {
        failure(&self.name, action, "no epoch was begun")
    }

    /// Merges small segments where there are too many, and those that are mostly deleted;
    /// all of them where the epoch compacts.
    fn merge(&mut self) -> tantivy::Result<()> {
        let compact = self.draft.as_ref().is_some_and(|draft| draft.compact);
        let limit = if compact { 1 } else { self.config.max_segments };
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let segments = writer.index.searchable_segment_metas()?;
        let merged: Vec<_> = to_merge(segments, limit).iter().map(SegmentMeta::id).collect();
        if !merged.is_empty() {
            writer.writer.merge(&merged).wait()?;
        }
        Ok(())
    }

    /// Commits into the staging directory.
    fn commit(&mut self, meta: &EpochMeta) -> tantivy::Result<()> {
        if let Some(writer) = &mut self.writer {
            let mut prepared = writer.writer.prepare_commit()?;
            prepared.set_payload(&json!(meta).to_string());
            prepared.commit()?;
        }
        self.merge()
    }

    fn make_durable(&self, name: &str, meta: &[u8]) -> std::io::Result<()> {
        let written = self.writer.as_ref().map(|writer| writer.directory.take_written()).unwrap_or_default();
        if self.config.sync {
            durable::sync_all(&written, !self.single_threaded)?;
        }
        durable::replace_file(&self.folder.join(name), meta, self.config.sync)
    }

    /// Forgets the writer and what it wrote.
    fn discard(&mut self) -> tantivy::Result<()> {
        let staged = self.draft.take().and_then(|draft| draft.staged);
        self.writer = None;
        // An epoch without change staged the base itself.
        let staged = staged.filter(|staged| self.base.as_ref().is_none_or(|base| base.token != staged.token));
        if let Some(name) = staged.as_ref().and_then(|staged| meta_of(&staged.token)) {
            durable::remove_file(&self.folder.join(name))?;
        }
        collect::sweep(&self.folder)
    }
}

/// The segments to merge: enough of the smallest that half the limit is left, and any
/// that is more than half deleted.
fn to_merge(mut segments: Vec<SegmentMeta>, limit: usize) -> Vec<SegmentMeta> {
    segments.sort_by_key(SegmentMeta::num_docs);
    let smallest = if segments.len() > limit { segments.len() - limit / 2 } else { 0 };
    let deleted_at_most = if limit == 1 { |_: &SegmentMeta| 0 } else { SegmentMeta::num_docs };
    let mut nth = 0;
    segments.retain(|segment| {
        nth += 1;
        nth <= smallest || segment.num_deleted_docs() > deleted_at_most(segment)
    });
    segments
}

impl Writer {
    fn open(folder: &Path, meta: Option<Vec<u8>>, config: &TantivyConfig) -> tantivy::Result<Self> {
        fs::create_dir_all(folder)?;
        let new = meta.is_none();
        let directory = StagingDirectory::open(folder, meta)?;
        let index = if new {
            // What is stored is small; a thread that compresses it costs more than it saves.
            let settings = IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
            Index::create(directory.clone(), schema(), settings)?
        } else {
            Index::open(directory.clone())?
        };
        register_tokenizer(&index);
        let fields = Fields::of(&index.schema())?;
        let options = IndexWriterOptions::builder()
            .num_worker_threads(config.threads)
            .memory_budget_per_thread(config.writer_memory / config.threads)
            .num_merge_threads(1)
            .build();
        let writer: IndexWriter<ChunkDocument> = index.writer_with_options(options)?;
        // Merges are part of an epoch, so they run where the epoch waits for them.
        writer.set_merge_policy(Box::new(NoMergePolicy));
        Ok(Self { directory, index, fields, writer })
    }
}

impl Sink for TantivySink {
    fn fingerprint(&self) -> Fingerprint {
        Hash::of(json!(["tantivy", SCHEMA_VERSION]).to_string().as_bytes())
    }

    fn open(&mut self, base: Option<&Token>) -> Result<(), SinkError> {
        (self.writer, self.draft, self.base) = (None, None, None);
        let action = "cannot open the index";
        match base {
            None => {
                durable::remove_folder(&self.folder).during(&self.name, action)?;
                fs::create_dir_all(&self.folder).during(&self.name, action)?;
            }
            Some(token) => {
                let name = meta_of(token)
                    .ok_or_else(|| failure(&self.name, action, "the commit names no `meta` file; rebuild the index"))?;
                let meta = fs::read(self.folder.join(name)).map_err(|cause| {
                    let place = self.folder.join(name);
                    failure(&self.name, format!("cannot read {}", place.display()), cause)
                })?;
                collect::roll_back(&self.folder, name).during(&self.name, "cannot roll back the index")?;
                let newest = self.folder.join(META);
                if fs::read(&newest).ok().as_deref() != Some(&meta) {
                    durable::replace_file(&newest, &meta, self.config.sync).during(&self.name, action)?;
                }
                self.base = Some(Published { token: token.clone(), meta });
            }
        }
        self.open = true;
        Ok(())
    }

    fn begin(&mut self, _: Epoch, replace: bool) -> Result<(), SinkError> {
        let action = "cannot begin an epoch";
        if !self.open {
            return Err(failure(&self.name, action, "the store is not open"));
        }
        if self.draft.is_some() {
            self.discard().during(&self.name, action)?;
        }
        let replace = replace || self.base.is_none();
        if replace {
            self.writer = None;
        }
        if self.writer.is_none() {
            let meta = self.base.as_ref().filter(|_| !replace).map(|base| base.meta.clone());
            self.writer = Some(Writer::open(&self.folder, meta, &self.config).during(&self.name, action)?);
        }
        self.draft = Some(Draft { replace, changed: replace, ..Draft::default() });
        Ok(())
    }

    fn remove(&mut self, rows: &[RowId]) -> Result<(), SinkError> {
        let (Some(writer), Some(draft)) = (&self.writer, &mut self.draft) else {
            return Err(self.order("cannot remove documents"));
        };
        if !draft.replace {
            for row in rows {
                writer.writer.delete_term(writer.fields.key_term(row.key()));
            }
            draft.changed |= !rows.is_empty();
        }
        Ok(())
    }

    fn add(&mut self, records: &[Record]) -> Result<(), SinkError> {
        let action = "cannot add documents";
        let (Some(writer), Some(draft)) = (&self.writer, &mut self.draft) else {
            return Err(self.order(action));
        };
        let (indexed, all_indexed) = mpsc::channel();
        let indexed = self.single_threaded.then_some(indexed);
        for record in records {
            let Some(chunks) = &record.chunks else {
                let cause = format!("the record of `{}` has no chunks; connect the sink to a chunk stage", record.path);
                return Err(failure(&self.name, action, cause));
            };
            let key = row_key(record.path.as_str(), &record.analysis.content_hash);
            for ordinal in 0..chunks.chunks.len() {
                let document = ChunkDocument::new(writer.fields, key, record, &chunks.chunks, ordinal, indexed.clone())
                    .ok_or_else(|| {
                        let cause = format!("chunk {ordinal} of `{}` lies outside the file's text", record.path);
                        failure(&self.name, action, cause)
                    })?;
                writer.writer.add_document(document).during(&self.name, action)?;
                draft.added += 1;
                draft.changed = true;
            }
        }
        if let Some(indexed) = indexed {
            drop(indexed);
            // Ends when the last document is dropped, which is when it is indexed.
            let _ = all_indexed.recv();
        }
        Ok(())
    }

    fn compact(&mut self) -> Result<(), SinkError> {
        let Some(draft) = &mut self.draft else { return Err(self.order("cannot compact the index")) };
        (draft.compact, draft.changed) = (true, true);
        Ok(())
    }

    fn stage(&mut self, meta: &EpochMeta) -> Result<StagedRows, SinkError> {
        let action = "cannot stage the epoch";
        let Some(draft) = &self.draft else { return Err(self.order(action)) };
        let added = draft.added;
        let before = self.base.as_ref().map_or(0, |base| docs_of(&base.token));
        if !draft.changed {
            let base = self.base.clone();
            if let Some(draft) = &mut self.draft {
                draft.staged = base;
            }
            return Ok(StagedRows::default());
        }
        self.commit(meta).during(&self.name, action)?;
        let written = self.writer.as_ref().and_then(|writer| writer.directory.meta());
        let (Some(bytes), Some(writer)) = (written, &self.writer) else { return Err(self.order(action)) };
        let staged: IndexMeta = writer.index.load_metas().during(&self.name, action)?;
        let docs: u64 = staged.segments.iter().map(|segment| u64::from(segment.num_docs())).sum();
        let name = meta_name(meta.epoch);
        self.make_durable(&name, &bytes).during(&self.name, "cannot flush its files to the disk")?;
        if let Some(draft) = &mut self.draft {
            let token = json!({ "meta": name, "opstamp": staged.opstamp, "docs": docs });
            draft.staged = Some(Published { token, meta: bytes });
        }
        Ok(StagedRows { added, deleted: (before + added).saturating_sub(docs) })
    }

    fn publish(&mut self) -> Result<Token, SinkError> {
        let action = "cannot publish the epoch";
        let staged = self.draft.as_mut().and_then(|draft| draft.staged.take());
        let staged = staged.ok_or_else(|| failure(&self.name, action, "nothing was staged"))?;
        // For other readers of Tantivy indexes. What counts is the epoch's own file, which
        // is on the disk; `open` restores this one from it.
        durable::replace_file(&self.folder.join(META), &staged.meta, false).during(&self.name, action)?;
        self.draft = None;
        let token = staged.token.clone();
        self.base = Some(staged);
        Ok(token)
    }

    fn abandon(&mut self) -> Result<(), SinkError> {
        if self.draft.is_none() {
            return Ok(());
        }
        self.discard().during(&self.name, "cannot abandon the epoch")
    }
}

/// The number of documents that a token names.
pub(super) fn docs_of(token: &Token) -> u64 {
    token.get("docs").and_then(Token::as_u64).unwrap_or_default()
}
