//! One table within an epoch: the rows that the epoch adds and deletes.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use gristmill_pipeline::{Epoch, Key, Record, RowKey, ViewRow, ViewSchema};
use lance::dataset::{WriteMode, WriteParams};
use lance_file::writer::FileWriterOptions;
use tokio::runtime::Handle;

use super::error::TableError;
use super::keys::{Entry, KeyKind, WrittenKeys};
use super::table::StoredTable;
use super::writer::{FragmentWriter, Target, new_fragments};
use crate::durable;
use crate::tables::{self, Rows, views};

/// Bytes of a column that Lance keeps until it writes a page. Its own default of 8 MiB came to 117 MB over
/// all tables of a first build of 10,000 files.
const COLUMN_CACHE_BYTES: u64 = 1 << 20;

/// A table and what an epoch changes in it.
pub(super) struct TableWriter {
    pub table: StoredTable,
    pub(super) epoch: Epoch,
    pub(super) replace: bool,
    rows: Rows,
    pub(super) writer: Option<FragmentWriter>,
    /// Rows to delete, by row key.
    pub(super) removed: Vec<Entry>,
    pub(super) added: u64,
    /// Whether all small fragments are joined.
    pub(super) compact: bool,
    /// For each index the keys of the rows sent, in order.
    pub(super) keys: Vec<WrittenKeys>,
}

impl AsRef<StoredTable> for TableWriter {
    fn as_ref(&self) -> &StoredTable {
        &self.table
    }
}

impl AsMut<StoredTable> for TableWriter {
    fn as_mut(&mut self) -> &mut StoredTable {
        &mut self.table
    }
}

impl StoredTable {
    /// Begins an epoch. With `replace`, the table starts from no rows.
    pub fn begin(mut self, epoch: Epoch, replace: bool) -> Result<TableWriter, TableError> {
        self.past.clear();
        Ok(TableWriter {
            epoch,
            replace: replace || self.version.is_none(),
            rows: Rows::new(&self.schema)?,
            writer: None,
            removed: Vec::new(),
            added: 0,
            compact: false,
            keys: self.indexes.iter().map(|index| WrittenKeys::new(index.kind())).collect(),
            table: self,
        })
    }
}

impl TableWriter {
    /// Makes the epoch join all small fragments, however many there are.
    pub fn compact(&mut self) {
        self.compact = true;
    }

    /// Makes the table start from no rows. Comes before rows are added.
    pub fn replace(&mut self) {
        self.replace = true;
        self.removed.clear();
    }

    /// Marks the rows of these keys for deletion.
    pub async fn remove(&mut self, keys: &[Key]) -> Result<(), TableError> {
        if self.replace {
            return Ok(());
        }
        let found = self.table.find(KeyKind::Rows, keys).await?;
        self.removed.extend(found.into_iter().flatten().filter(Entry::is_live));
        Ok(())
    }

    /// Buffers the rows of a record that has this row key; returns whether there are enough
    /// to [`flush`](Self::flush).
    pub fn append(&mut self, key: RowKey, record: &Record) -> Result<bool, TableError> {
        let schema = &self.table.schema;
        let rows = tables::append(record, self.epoch, schema, &mut self.rows)?;
        self.added += rows as u64;
        for (kind, keys) in KeyKind::of(&schema.table).iter().zip(&mut self.keys) {
            match kind {
                KeyKind::Rows => keys.push(key.into(), u32::try_from(rows).unwrap_or(u32::MAX)),
                KeyKind::Contents => keys.push(record.analysis.content_hash.key(), 1),
                KeyKind::Hashes => {
                    let hashes = record.chunks.iter().flat_map(|chunks| &chunks.hashes);
                    hashes.for_each(|hash| keys.push(hash.key(), 1));
                }
            }
        }
        Ok(self.is_full())
    }

    /// Buffers a row of the view that the table is of; returns whether there are enough to
    /// [`flush`](Self::flush).
    pub fn append_view(&mut self, view: &ViewSchema, row: &ViewRow) -> Result<bool, TableError> {
        views::check(view, row)?;
        views::append(row, self.epoch, &mut self.rows);
        self.added += 1;
        self.keys.iter_mut().for_each(|keys| keys.push(row.key(), 1));
        Ok(self.is_full())
    }

    fn is_full(&self) -> bool {
        let config = &self.table.config;
        self.rows.len() >= config.batch_rows || self.rows.bytes() >= config.batch_bytes
    }

    /// Hands the buffered rows to Lance.
    pub async fn flush(&mut self, runtime: &Handle) -> Result<(), TableError> {
        if self.rows.len() > 0 {
            let batch = self.rows.take()?;
            self.send(runtime, batch).await?;
        }
        Ok(())
    }

    pub(super) async fn send(&mut self, runtime: &Handle, batch: RecordBatch) -> Result<(), TableError> {
        let Self { table, replace, rows, writer, .. } = self;
        let writer = writer.get_or_insert_with(|| {
            let target = match &table.dataset {
                Some(dataset) => Target::Table(Arc::clone(dataset)),
                None => Target::New(table.location.uri()),
            };
            let mode = match (&table.dataset, *replace) {
                (None, _) => WriteMode::Create,
                (Some(_), true) => WriteMode::Overwrite,
                (Some(_), false) => WriteMode::Append,
            };
            let params = WriteParams {
                mode,
                max_rows_per_file: table.config.max_rows_per_file.max(1),
                session: Some(Arc::clone(&table.session)),
                skip_auto_cleanup: true,
                file_writer_options: Some(FileWriterOptions {
                    data_cache_bytes: Some(COLUMN_CACHE_BYTES * rows.schema().fields().len() as u64),
                    // Batches are made for this writer, so nothing else is kept alive by a slice of them.
                    keep_original_array: Some(true),
                    ..FileWriterOptions::default()
                }),
                ..WriteParams::default()
            };
            FragmentWriter::start(runtime, target, Arc::clone(rows.schema()), params)
        });
        Ok(writer.send(batch).await?)
    }

    /// Drops the epoch and deletes what it wrote, as far as it is known.
    pub async fn abort(self) -> Result<(), TableError> {
        self.discard(Vec::new()).await
    }

    /// Deletes these files and those of the fragments that are still being written.
    pub(super) async fn discard(mut self, mut files: Vec<PathBuf>) -> Result<(), TableError> {
        if let Some(writer) = self.writer.take() {
            // Its files are known once it is done. If it failed they are not, and the next
            // garbage collection finds them.
            if let Ok(written) = writer.finish().await {
                files.extend(self.table.location.data_files(new_fragments(&written.operation)));
            }
        }
        Ok(remove_files(&files)?)
    }
}

/// Removes all of these files that can be removed, and returns the first error.
pub(super) fn remove_files(files: &[PathBuf]) -> std::io::Result<()> {
    let mut outcome = Ok(());
    for file in files {
        outcome = outcome.and(durable::remove(file));
    }
    outcome
}
