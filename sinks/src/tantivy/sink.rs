//! The Tantivy store as a sink.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc;

use gristmill_pipeline::port::Port;
use gristmill_pipeline::{
    Epoch, EpochMeta, EpochWriter, Fingerprint, Hash, Published, Record, RowId, Sink, SinkConfig, SinkConfigError,
    SinkContext, SinkError, StagedEpoch, StagedRows, Token, contained, row_key,
};
use serde_json::json;

use super::TantivyConfig;
use super::collect::{self, meta_name, meta_of};
use super::directory::META;
use super::document::{ChunkDocument, SCHEMA_VERSION};
use super::writer::Writer;
use crate::durable;
use crate::sink_error::{WrapErr as _, panicked, sink_error};

/// What a store keeps through all steps of an epoch.
///
/// Tantivy indexes on threads of its own. With [`SinkContext::single_threaded`] there is
/// one, and [`EpochWriter::add`] returns when everything it was given is indexed, so that
/// the work does not overlap with the caller's.
struct Shared {
    name: Box<str>,
    folder: PathBuf,
    config: TantivyConfig,
    single_threaded: bool,
}

/// A published state.
struct Snapshot {
    token: Token,
    /// The content of the file that the token names.
    meta: Vec<u8>,
}

/// A store between epochs.
struct TantivySink {
    shared: Shared,
    /// The published state; `None` while there is none.
    base: Option<Snapshot>,
    /// Stays open from epoch to epoch.
    writer: Option<Writer>,
}

/// A store within an epoch.
struct TantivyWriter {
    shared: Shared,
    base: Option<Snapshot>,
    writer: Writer,
    /// Whether the epoch starts from no rows.
    replace: bool,
    added: u64,
    /// Whether the index differs from the base at all.
    changed: bool,
    /// Whether all segments are merged.
    compact: bool,
}

/// A store whose epoch is staged.
struct TantivyStaged {
    shared: Shared,
    snapshot: Snapshot,
    writer: Writer,
    /// Whether the epoch is another state than the base.
    is_new: bool,
    rows: StagedRows,
}

/// The minimum of bytes of postings that a thread buffers: Tantivy rejects less.
const MIN_THREAD_MEMORY: usize = 15_000_000;

/// The share of the job's memory limit that postings take at most.
const MEMORY_SHARE: u64 = 8;

impl TantivyConfig {
    /// The configuration with which a store with this context works.
    fn checked(&self, context: &SinkContext) -> Result<Self, SinkError> {
        let fail = |cause: String| sink_error(&context.name, "cannot be built", cause);
        if !context.inputs.contains(&Port::Chunks) {
            return Err(fail("it needs an input of chunks".to_owned()));
        }
        self.check().map_err(|error| fail(error.message))?;
        let threads = if context.single_threaded { 1 } else { self.threads };
        let share = usize::try_from(context.memory_limit / MEMORY_SHARE).unwrap_or(usize::MAX);
        let writer_memory = self.writer_memory.min(share.max(threads * MIN_THREAD_MEMORY));
        Ok(Self { threads, writer_memory, max_segments: self.max_segments.max(2), ..self.clone() })
    }
}

impl SinkConfig for TantivyConfig {
    fn kind(&self) -> &str {
        "tantivy"
    }

    fn accepts(&self) -> &[Port] {
        &[Port::Chunks]
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of_parts([b"sink".as_slice(), b"tantivy", &SCHEMA_VERSION.to_le_bytes()])
    }

    fn check(&self) -> Result<(), SinkConfigError> {
        let (threads, memory) = (self.threads, self.writer_memory);
        if !(1..=8).contains(&threads) {
            let message = format!("`threads` must be between 1 and 8, got {threads}");
            return Err(SinkConfigError { parameter: "threads", message });
        }
        let least = threads * MIN_THREAD_MEMORY;
        if memory < least {
            let message = format!("`writer_memory` must be at least {least} with `threads` = {threads}, got {memory}");
            return Err(SinkConfigError { parameter: "writer_memory", message });
        }
        Ok(())
    }

    fn open(&self, context: SinkContext, base: Option<&Token>) -> Result<Box<dyn Sink>, SinkError> {
        let config = self.checked(&context)?;
        let SinkContext { name, folder, single_threaded, .. } = context;
        let shared = Shared { name, folder, config, single_threaded };
        let base = match base {
            None => {
                shared.clear()?;
                None
            }
            Some(token) => Some(shared.reading(|| shared.roll_back(token))?),
        };
        Ok(Box::new(TantivySink { shared, base, writer: None }))
    }

    fn tidy(&self, folder: &std::path::Path) -> Result<(), SinkError> {
        collect::tidy(folder).wrap_err("tantivy", "cannot delete what is in the place of its files")
    }

    fn retain(&self, folder: &std::path::Path, tokens: &[Token]) -> Result<(), SinkError> {
        collect::retain(folder, tokens)
    }
}

impl Shared {
    /// Reads files. Tantivy panics on some damaged ones, which is an error here.
    fn reading<T>(&self, read: impl FnOnce() -> Result<T, SinkError>) -> Result<T, SinkError> {
        contained(read).unwrap_or_else(|panic| Err(self.panicked(&panic)))
    }

    fn panicked(&self, panic: &str) -> SinkError {
        sink_error(&self.name, "cannot read the index", panicked("Tantivy", panic))
    }

    /// Makes the folder an empty one.
    fn clear(&self) -> Result<(), SinkError> {
        let action = "cannot open the index";
        durable::remove(&self.folder).wrap_err(&self.name, action)?;
        fs::create_dir_all(&self.folder).wrap_err(&self.name, action)
    }

    /// Makes the state that a token names the newest one.
    fn roll_back(&self, token: &Token) -> Result<Snapshot, SinkError> {
        let action = "cannot open the index";
        let name = meta_of(token)
            .ok_or_else(|| sink_error(&self.name, action, "the commit names no `meta` file; rebuild the index"))?;
        let path = self.folder.join(name);
        let meta = fs::read(&path)
            .map_err(|cause| sink_error(&self.name, format!("cannot read {}", path.display()), cause))?;
        collect::roll_back(&self.folder, name).wrap_err(&self.name, "cannot roll back the index")?;
        let newest = self.folder.join(META);
        if fs::read(&newest).ok().as_deref() != Some(&meta) {
            durable::replace_file(&newest, &meta, self.config.sync).wrap_err(&self.name, action)?;
        }
        Ok(Snapshot { token: token.clone(), meta })
    }

    /// Flushes what the writer wrote to the disk, and writes the file that names it.
    fn make_durable(&self, writer: &Writer, name: &str, meta: &[u8]) -> std::io::Result<()> {
        let written = writer.directory.take_written();
        if self.config.sync {
            durable::sync_all(&written, !self.single_threaded)?;
        }
        durable::replace_file(&self.folder.join(name), meta, self.config.sync)
    }

    /// Deletes what an epoch wrote that no published epoch names. `meta` is the epoch's own
    /// file, if there may be one.
    fn discard(&self, writer: Writer, meta: Option<&str>) -> tantivy::Result<()> {
        // It holds files open, and may still write some.
        drop(writer);
        if let Some(name) = meta {
            durable::remove(&self.folder.join(name))?;
        }
        collect::sweep(&self.folder)
    }
}

impl Sink for TantivySink {
    fn begin(self: Box<Self>, _: Epoch, replace: bool) -> Result<Box<dyn EpochWriter>, SinkError> {
        let Self { shared, base, writer } = *self;
        let replace = replace || base.is_none();
        let writer = match writer.filter(|_| !replace) {
            Some(writer) => writer,
            None => {
                let meta = base.as_ref().filter(|_| !replace).map(|base| base.meta.clone());
                let open = || Writer::open(&shared.folder, meta, &shared.config);
                shared.reading(|| open().wrap_err(&shared.name, "cannot begin an epoch"))?
            }
        };
        Ok(Box::new(TantivyWriter { shared, base, writer, replace, added: 0, changed: replace, compact: false }))
    }
}

impl TantivyWriter {
    /// Commits into the staging directory, and makes it durable.
    fn commit(&mut self, meta: &EpochMeta) -> Result<(Snapshot, u64), SinkError> {
        let Self { shared, writer, compact, .. } = self;
        let action = "cannot stage the epoch";
        let limit = if *compact { 1 } else { shared.config.max_segments };
        writer.commit(meta, limit).wrap_err(&shared.name, action)?;
        let bytes = writer.directory.meta();
        let bytes = bytes.ok_or_else(|| sink_error(&shared.name, action, "Tantivy wrote no `meta.json`"))?;
        let staged = writer.index.load_metas().wrap_err(&shared.name, action)?;
        let docs: u64 = staged.segments.iter().map(|segment| u64::from(segment.num_docs())).sum();
        let name = meta_name(meta.epoch);
        shared.make_durable(writer, &name, &bytes).wrap_err(&shared.name, "cannot flush its files to the disk")?;
        let token = json!({ "meta": name, "opstamp": staged.opstamp, "docs": docs });
        Ok((Snapshot { token, meta: bytes }, docs))
    }
}

impl EpochWriter for TantivyWriter {
    fn remove(&mut self, rows: &[RowId]) -> Result<(), SinkError> {
        if !self.replace {
            for row in rows {
                self.writer.writer.delete_term(self.writer.fields.key_term(row.key()));
            }
            self.changed |= !rows.is_empty();
        }
        Ok(())
    }

    fn add(&mut self, records: &[Record]) -> Result<(), SinkError> {
        let Self { shared, writer, added, changed, .. } = self;
        let action = "cannot add documents";
        let (indexed, all_indexed) = mpsc::channel();
        let indexed = shared.single_threaded.then_some(indexed);
        for record in records {
            let Some(chunks) = &record.chunks else {
                let cause = format!("the record of `{}` has no chunks; connect the sink to a chunk stage", record.path);
                return Err(sink_error(&shared.name, action, cause));
            };
            let key = row_key(record.path.as_str(), &record.analysis.content_hash);
            for ordinal in 0..chunks.chunks.len() {
                let document = ChunkDocument::new(writer.fields, key, record, &chunks.chunks, ordinal, indexed.clone())
                    .ok_or_else(|| {
                        let cause = format!("chunk {ordinal} of `{}` lies outside the file's text", record.path);
                        sink_error(&shared.name, action, cause)
                    })?;
                writer.writer.add_document(document).wrap_err(&shared.name, action)?;
                *added += 1;
                *changed = true;
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
        (self.compact, self.changed) = (true, true);
        Ok(())
    }

    fn stage(mut self: Box<Self>, meta: &EpochMeta) -> Result<Box<dyn StagedEpoch>, SinkError> {
        let base = match self.base.take() {
            Some(snapshot) if !self.changed => {
                let Self { shared, writer, .. } = *self;
                let rows = StagedRows::default();
                return Ok(Box::new(TantivyStaged { shared, snapshot, writer, is_new: false, rows }));
            }
            base => base,
        };
        let committed = contained(|| self.commit(meta)).unwrap_or_else(|panic| Err(self.shared.panicked(&panic)));
        let Self { shared, writer, added, .. } = *self;
        match committed {
            Ok((snapshot, docs)) => {
                let before = base.as_ref().map_or(0, |base| docs_of(&base.token));
                let rows = StagedRows { added, deleted: (before + added).saturating_sub(docs) };
                Ok(Box::new(TantivyStaged { shared, snapshot, writer, is_new: true, rows }))
            }
            Err(error) => {
                // The next open deletes what cannot be deleted now.
                let _ = shared.discard(writer, Some(&meta_name(meta.epoch)));
                Err(error)
            }
        }
    }

    fn abort(self: Box<Self>) -> Result<(), SinkError> {
        let Self { shared, writer, .. } = *self;
        shared.discard(writer, None).wrap_err(&shared.name, "cannot abort the epoch")
    }
}

impl StagedEpoch for TantivyStaged {
    fn rows(&self) -> StagedRows {
        self.rows
    }

    fn publish(self: Box<Self>) -> Result<Published, SinkError> {
        let Self { shared, snapshot, .. } = &*self;
        // For other readers of Tantivy indexes. What counts is the epoch's own file, which
        // is on the disk; `open` restores this one from it.
        let replaced = durable::replace_file(&shared.folder.join(META), &snapshot.meta, false);
        let replaced = replaced.wrap_err(&shared.name, "cannot publish the epoch");
        let list =
            || collect::files_of(&shared.folder, &snapshot.token).wrap_err(&shared.name, "cannot list its files");
        let files = match replaced.and_then(|()| list()) {
            Ok(files) => files,
            Err(error) => {
                // The next open deletes what cannot be deleted now.
                let _ = self.abort();
                return Err(error);
            }
        };
        let Self { shared, snapshot, writer, .. } = *self;
        let token = snapshot.token.clone();
        let sink = Box::new(TantivySink { shared, base: Some(snapshot), writer: Some(writer) });
        Ok(Published { files, ..Published::new(token, sink) })
    }

    fn abort(self: Box<Self>) -> Result<(), SinkError> {
        let Self { shared, snapshot, writer, is_new, .. } = *self;
        let own = meta_of(&snapshot.token).filter(|_| is_new);
        shared.discard(writer, own).wrap_err(&shared.name, "cannot abort the epoch")
    }
}

/// The number of documents that a token names.
fn docs_of(token: &Token) -> u64 {
    token.get("docs").and_then(Token::as_u64).unwrap_or_default()
}
