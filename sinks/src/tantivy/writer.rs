//! Tantivy's writer, over a directory in which an epoch stays out of sight.

use std::fs;
use std::path::Path;

use gristmill_pipeline::EpochMeta;
use serde_json::json;
use tantivy::index::SegmentMeta;
use tantivy::indexer::{IndexWriterOptions, NoMergePolicy};
use tantivy::{Index, IndexSettings, IndexWriter};

use super::TantivyConfig;
use super::directory::StagingDirectory;
use super::document::{ChunkDocument, Fields, register_tokenizer, schema};

/// An index that is open for writing.
pub(super) struct Writer {
    pub directory: StagingDirectory,
    pub index: Index,
    pub fields: Fields,
    pub writer: IndexWriter<ChunkDocument>,
}

impl Writer {
    /// Opens the index in a folder at the state that `meta` describes, or as an empty one.
    pub fn open(folder: &Path, meta: Option<Vec<u8>>, config: &TantivyConfig) -> tantivy::Result<Self> {
        fs::create_dir_all(folder)?;
        let is_new = meta.is_none();
        let directory = StagingDirectory::open(folder, meta)?;
        let index = if is_new {
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

    /// Commits into the staging directory, then merges segments if there are more than
    /// `max_segments`, and those that are mostly deleted.
    pub fn commit(&mut self, meta: &EpochMeta, max_segments: usize) -> tantivy::Result<()> {
        let mut prepared = self.writer.prepare_commit()?;
        prepared.set_payload(&json!(meta).to_string());
        prepared.commit()?;
        let segments = self.index.searchable_segment_metas()?;
        let merged: Vec<_> = to_merge(segments, max_segments).iter().map(SegmentMeta::id).collect();
        if !merged.is_empty() {
            self.writer.merge(&merged).wait()?;
        }
        Ok(())
    }
}

/// The segments to merge: enough of the smallest to leave half the limit, and any that is
/// more than half deleted.
fn to_merge(mut segments: Vec<SegmentMeta>, limit: usize) -> Vec<SegmentMeta> {
    segments.sort_by_key(SegmentMeta::num_docs);
    let smallest = if segments.len() > limit { segments.len() - limit / 2 } else { 0 };
    let max_deleted = if limit == 1 { |_: &SegmentMeta| 0 } else { SegmentMeta::num_docs };
    let mut nth = 0;
    segments.retain(|segment| {
        nth += 1;
        nth <= smallest || segment.num_deleted_docs() > max_deleted(segment)
    });
    segments
}
