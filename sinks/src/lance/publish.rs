//! How a staged epoch of one table is published, and how that is undone.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use gristmill_pipeline::Epoch;
use lance::Dataset;
use lance::dataset::CommitBuilder;
use lance::dataset::transaction::Transaction;

use super::error::TableError;
use super::keys::{Entry, Written, WrittenKeys};
use super::stage::{Change, StagedTable};
use super::table::{StoredTable, restored};
use super::table_writer::remove_files;
use super::written::check_manifest;
use crate::durable;

/// A table whose epoch is published, while other tables may still fail to publish theirs.
pub(super) struct PublishedTable {
    pub(super) table: StoredTable,
    /// The new state; `None` if the epoch does not change the table.
    pub(super) published: Option<Arc<Dataset>>,
    /// For each index what was written of it, if it changes.
    written: Vec<Option<Written>>,
    /// The files to flush to the disk.
    pub(super) files: Vec<PathBuf>,
    /// What the user should know.
    pub(super) notice: Option<String>,
}

impl AsRef<StoredTable> for PublishedTable {
    fn as_ref(&self) -> &StoredTable {
        &self.table
    }
}

impl StagedTable {
    /// Makes the epoch the newest state of the table. If that fails, what was published of
    /// it is rolled back and its files are deleted, as far as possible.
    pub async fn publish(self) -> Result<PublishedTable, TableError> {
        let Self { table, epoch, replace, compact, keys, change } = self;
        let Change { transaction, files, properties, gone, .. } = change;
        let mut publishing =
            PublishedTable { table, published: None, written: Vec::new(), files: Vec::new(), notice: None };
        if let Some(transaction) = transaction
            && let Err(error) = publishing.publish_rows(transaction).await
        {
            // The next open finds what cannot be deleted now.
            let _ = remove_files(&files);
            return Err(error);
        }
        match publishing.publish_keys(epoch, replace, keys, gone).await {
            Ok(()) => {
                // Last, since the key runs speak of the version with the rows.
                publishing.publish_vector_index(compact, &properties).await;
                Ok(publishing)
            }
            Err(error) => {
                // The next open rolls back what cannot be rolled back now.
                let _ = publishing.undo().await;
                Err(error)
            }
        }
    }
}

impl PublishedTable {
    async fn publish_rows(&mut self, transaction: Transaction) -> Result<(), TableError> {
        let StoredTable { location, session, dataset, .. } = &self.table;
        let uri = location.uri();
        let commit = match dataset {
            Some(dataset) => CommitBuilder::new(Arc::clone(dataset)),
            None => CommitBuilder::new(uri.as_str()).with_session(Arc::clone(session)),
        };
        let published = commit.with_skip_auto_cleanup(true).execute(transaction).await?;
        check_manifest(location, &published)?;
        self.files.push(location.manifests());
        self.files.extend(location.manifest_of(&published));
        if dataset.is_none() {
            self.files.push(location.folder().to_path_buf());
            self.files.extend(location.folder().parent().map(PathBuf::from));
        }
        self.published = Some(Arc::new(published));
        Ok(())
    }

    /// Writes what the epoch changes in each index. It needs the addresses of the new
    /// rows, which are known once these are committed.
    async fn publish_keys(
        &mut self,
        epoch: Epoch,
        replace: bool,
        keys: Vec<WrittenKeys>,
        gone: Vec<Vec<Entry>>,
    ) -> Result<(), TableError> {
        let Self { table, published, written, files, .. } = self;
        // What replaces a table has no part of what was there.
        let replace = replace && published.is_some();
        let new = published.as_ref().map(|published| {
            let before = if replace { None } else { table.dataset.as_deref() };
            new_fragments_of(before, published)
        });
        let new = new.unwrap_or_default();
        for ((index, keys), mut changes) in table.indexes.iter().zip(keys).zip(gone) {
            if published.is_none() && !index.is_rebuilt() {
                written.push(None);
                continue;
            }
            changes.append(&mut keys.into_entries(&new).ok_or(TableError::RowCount)?);
            let run = match (index.write(epoch, changes, replace), &published) {
                (Ok(run), _) => run,
                (Err(error), Some(published)) => {
                    table.warn_of(&error);
                    let entries = table.entries_of(index.kind(), published).await?;
                    index.write(epoch, entries, true)?
                }
                (Err(error), None) => return Err(error.into()),
            };
            files.push(run.file.clone());
            written.push(Some(run));
        }
        if written.iter().any(Option::is_some) {
            files.push(table.location.keys().to_path_buf());
        }
        Ok(())
    }

    /// Takes what was published as the state of the table.
    pub fn settle(self) -> StoredTable {
        let Self { mut table, published, written, .. } = self;
        for (index, written) in table.indexes.iter_mut().zip(written) {
            if let Some(written) = written {
                index.settle(written);
            }
        }
        if let Some(published) = published {
            table.version = Some(published.version_id());
            table.dataset = Some(published);
        }
        table
    }

    /// Rolls the table back to the state before the epoch.
    pub async fn undo(self) -> Result<(), TableError> {
        let Self { table, published, written, .. } = self;
        let runs: Vec<PathBuf> = written.into_iter().flatten().map(|written| written.file).collect();
        let removed = remove_files(&runs);
        if published.is_some() {
            match (&table.dataset, table.version) {
                (None, _) => durable::remove(table.location.folder())?,
                // No token names a version of it, so that the next epoch replaces all rows.
                (Some(_), None) => {}
                (Some(_), Some(version)) => {
                    restored(&table.location, table.newest().await?, version).await?;
                }
            }
        }
        Ok(removed?)
    }
}

/// The fragments that no older state has, in the order in which they were written: the
/// number and the rows of each.
fn new_fragments_of(before: Option<&Dataset>, after: &Dataset) -> Vec<(u64, u64)> {
    let before: HashSet<u64> =
        before.iter().flat_map(|before| before.fragments().iter()).map(|fragment| fragment.id).collect();
    let new = after.fragments().iter().filter(|fragment| !before.contains(&fragment.id));
    let mut new: Vec<(u64, u64)> =
        new.map(|fragment| (fragment.id, fragment.physical_rows.unwrap_or_default() as u64)).collect();
    new.sort_unstable();
    new
}
