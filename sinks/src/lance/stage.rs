//! How an epoch of one table is staged.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use gristmill_pipeline::{Epoch, EpochMeta, StagedRows};
use lance::dataset::transaction::{Operation, Transaction, TransactionBuilder};
use tokio::runtime::Handle;

use super::deletions::delete_rows;
use super::error::TableError;
use super::keys::{Entry, KeyKind, WrittenKeys, keys_of};
use super::load;
use super::table::StoredTable;
use super::table_writer::{TableWriter, remove_files};
use super::writer::new_fragments;
use super::written::{check_data, check_deletions};

/// Properties that Lance stores with each version that an epoch makes.
pub(super) type Properties = Arc<HashMap<String, String>>;

/// A table and an epoch's change to it, which is on disk but in no manifest.
pub(super) struct StagedTable {
    pub table: StoredTable,
    pub(super) epoch: Epoch,
    pub(super) replace: bool,
    pub(super) compact: bool,
    /// For each index the keys of the new rows, in order.
    pub(super) keys: Vec<WrittenKeys>,
    pub(super) change: Change,
}

/// What an epoch staged of a table.
pub(super) struct Change {
    /// `None` if the epoch changes no rows.
    pub(super) transaction: Option<Transaction>,
    /// The files that it wrote.
    pub(super) files: Vec<PathBuf>,
    pub(super) properties: Properties,
    /// For each index entries for the rows that are gone from their address.
    pub(super) gone: Vec<Vec<Entry>>,
    pub(super) rows: StagedRows,
}

impl AsRef<StoredTable> for StagedTable {
    fn as_ref(&self) -> &StoredTable {
        &self.table
    }
}

impl StagedTable {
    /// The files to flush to the disk.
    pub fn files(&self) -> &[PathBuf] {
        &self.change.files
    }

    /// Rows that the epoch adds and deletes.
    pub const fn rows(&self) -> StagedRows {
        self.change.rows
    }

    /// Drops the epoch and deletes what it wrote.
    pub fn abort(self) -> Result<(), TableError> {
        Ok(remove_files(&self.change.files)?)
    }
}

impl TableWriter {
    /// Writes what is still buffered. If that fails, the files of the epoch are deleted as
    /// far as they are known.
    pub async fn stage(mut self, runtime: &Handle, meta: &EpochMeta) -> Result<StagedTable, TableError> {
        let mut files = Vec::new();
        match self.write_change(runtime, meta, &mut files).await {
            Ok(change) => {
                let Self { table, epoch, replace, compact, keys, .. } = self;
                Ok(StagedTable { table, epoch, replace, compact, keys, change: Change { files, ..change } })
            }
            Err(error) => {
                // The next open finds what cannot be deleted now.
                let _ = self.discard(files).await;
                Err(error)
            }
        }
    }

    /// Writes what the epoch changes, and adds the files to `files`.
    async fn write_change(
        &mut self,
        runtime: &Handle,
        meta: &EpochMeta,
        files: &mut Vec<PathBuf>,
    ) -> Result<Change, TableError> {
        self.flush(runtime).await?;
        self.removed.sort_unstable_by_key(|entry| entry.address);
        self.removed.dedup();
        let removed: Vec<u64> = self.removed.iter().flat_map(Entry::addresses).collect();
        let mut gone = self.removed_keys(&removed).await?;
        let joined = self.join_small_fragments(runtime, &removed, &mut gone).await?;

        let written = match self.writer.take() {
            Some(writer) => Some(writer.finish().await?),
            None => None,
        };
        let table = &self.table;
        let fragments = written.as_ref().map_or(&[][..], |written| new_fragments(&written.operation));
        if !fragments.is_empty() {
            files.extend(table.location.data_files(fragments));
            check_data(&table.location, fragments)?;
        }
        let deletions = delete_rows(table.dataset.as_deref(), &removed, &joined).await?;
        files.extend(deletions.files(&table.location));
        if let Some(dataset) = &table.dataset {
            check_deletions(&table.location, dataset, deletions.updated()).await??;
        }

        let operation = if self.replace {
            Some(match written {
                Some(written) => written.operation,
                None => Operation::Overwrite {
                    fragments: Vec::new(),
                    schema: lance_core::datatypes::Schema::try_from(&*table.schema.arrow)?,
                    config_upsert_values: None,
                    initial_bases: None,
                },
            })
        } else if deletions.is_empty() {
            written.map(|written| written.operation)
        } else {
            Some(deletions.into_operation(written))
        };
        let properties = Arc::new(HashMap::from([
            ("gristmill.epoch".to_owned(), meta.epoch.to_string()),
            ("gristmill.merkle_root".to_owned(), meta.merkle_root.to_string()),
        ]));
        let read_version = table.dataset.as_ref().map_or(0, |dataset| dataset.version_id());
        let transaction = operation.map(|operation| {
            let properties = Some(Arc::clone(&properties));
            TransactionBuilder::new(read_version, operation).transaction_properties(properties).build()
        });
        let rows = StagedRows { added: self.added, deleted: self.deleted().await? };
        Ok(Change { transaction, files: Vec::new(), properties, gone, rows })
    }

    /// For each index entries for the rows that the epoch deletes.
    async fn removed_keys(&self, removed: &[u64]) -> Result<Vec<Vec<Entry>>, TableError> {
        let schema = &self.table.schema;
        let kinds = KeyKind::of(&schema.table);
        let mut gone = vec![Vec::new(); kinds.len()];
        let (Some(dataset), false) = (self.table.dataset(), removed.is_empty()) else { return Ok(gone) };
        let last_version = self.table.version.unwrap_or_default();
        for (kind, gone) in kinds.iter().zip(&mut gone) {
            if *kind == KeyKind::Rows {
                gone.extend(self.removed.iter().map(|entry| entry.gone(last_version)));
                continue;
            }
            let batch = load::take(dataset, removed, &kind.columns(schema)).await?;
            let keys = keys_of(*kind, schema, &batch)?;
            let rows = keys.into_iter().zip(removed);
            gone.extend(rows.map(|(key, &address)| Entry::live(key, address).gone(last_version)));
        }
        Ok(gone)
    }

    /// Rows that the epoch deletes.
    async fn deleted(&self) -> Result<u64, TableError> {
        Ok(match self.table.dataset() {
            Some(dataset) if self.replace => dataset.count_rows(None).await? as u64,
            Some(_) | None => self.removed.iter().map(|entry| u64::from(entry.rows)).sum(),
        })
    }
}
