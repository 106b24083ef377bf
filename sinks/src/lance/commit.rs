//! How an epoch of one table is staged, published, or dropped.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use gristmill_pipeline::EpochMeta;
use lance::Dataset;
use lance::dataset::CommitBuilder;
use lance::dataset::transaction::{Operation, Transaction, TransactionBuilder};
use tokio::runtime::Handle;

use super::deletions::delete_rows;
use super::error::TableError;
use super::keys::{Entry, KeyKind, keys_of};
use super::load;
use super::table::{StoredTable, restored};
use super::writer::new_fragments;
use crate::durable;

/// An epoch's change, on disk but in no manifest.
pub(super) struct Staged {
    /// `None` where the epoch changes nothing.
    transaction: Option<Transaction>,
    /// The files that it wrote.
    files: Vec<PathBuf>,
    /// What Lance is to say of each version that the epoch makes.
    pub(super) properties: Arc<HashMap<String, String>>,
    /// For each index of keys the rows that are gone from their address.
    gone: Vec<Vec<Entry>>,
}

impl StoredTable {
    /// Writes all that is left, and gives the files to flush.
    pub async fn stage(&mut self, runtime: &Handle, meta: &EpochMeta) -> Result<Vec<PathBuf>, TableError> {
        self.flush(runtime).await?;
        let draft = self.draft()?;
        draft.removed.sort_unstable_by_key(|entry| entry.address);
        draft.removed.dedup();
        let removed: Vec<u64> = draft.removed.iter().flat_map(Entry::addresses).collect();
        let mut gone = self.removed_keys(&removed).await?;
        let joined = self.join_small_fragments(runtime, &removed, &mut gone).await?;

        let draft = self.draft()?;
        let replace = draft.replace;
        let written = match draft.writer.take() {
            Some(writer) => Some(writer.finish().await?),
            None => None,
        };
        let mut files = Vec::new();
        let fragments = written.as_ref().map_or(&[][..], |written| new_fragments(&written.operation));
        if !fragments.is_empty() {
            files = self.location.data_files(fragments);
        }
        let deletions = delete_rows(self.dataset.as_deref(), &removed, &joined).await?;
        files.extend(deletions.files(&self.location));

        let operation = if replace {
            Some(match written {
                Some(written) => written.operation,
                None => Operation::Overwrite {
                    fragments: Vec::new(),
                    schema: lance_core::datatypes::Schema::try_from(&*self.schema.arrow)?,
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
        let read_version = self.dataset.as_ref().map_or(0, |dataset| dataset.version_id());
        let transaction = operation.map(|operation| {
            let properties = Some(Arc::clone(&properties));
            TransactionBuilder::new(read_version, operation).transaction_properties(properties).build()
        });
        self.draft()?.staged = Some(Staged { transaction, files: files.clone(), properties, gone });
        Ok(files)
    }

    /// For each index entries for the rows that the epoch deletes.
    async fn removed_keys(&self, removed: &[u64]) -> Result<Vec<Vec<Entry>>, TableError> {
        let kinds = KeyKind::of(&self.schema.table);
        let mut gone = vec![Vec::new(); kinds.len()];
        let (Some(dataset), Some(draft), false) = (self.dataset(), &self.draft, removed.is_empty()) else {
            return Ok(gone);
        };
        let last_version = self.version.unwrap_or_default();
        for (kind, gone) in kinds.iter().zip(&mut gone) {
            if *kind == KeyKind::Rows {
                gone.extend(draft.removed.iter().map(|entry| entry.gone(last_version)));
                continue;
            }
            let batch = load::take(dataset, removed, &kind.columns(&self.schema)).await?;
            let keys = keys_of(*kind, &self.schema, &batch)?;
            let rows = keys.into_iter().zip(removed);
            gone.extend(rows.map(|(key, &address)| Entry::live(key, address).gone(last_version)));
        }
        Ok(gone)
    }

    /// Rows added and deleted by the epoch.
    pub async fn counts(&self) -> Result<(u64, u64), TableError> {
        let Some(draft) = &self.draft else { return Ok((0, 0)) };
        let deleted = match self.dataset() {
            Some(dataset) if draft.replace => dataset.count_rows(None).await?,
            _ => draft.removed.iter().map(|entry| entry.rows as usize).sum(),
        };
        Ok((draft.added, deleted as u64))
    }

    /// Commits what was staged, and gives the files to flush.
    pub async fn publish(&mut self) -> Result<Vec<PathBuf>, TableError> {
        let mut files = self.publish_rows().await?;
        files.extend(self.publish_keys().await?);
        // Last, as it is the rows' own state that the files of keys speak of.
        files.extend(self.publish_vector_index().await?);
        Ok(files)
    }

    async fn publish_rows(&mut self) -> Result<Vec<PathBuf>, TableError> {
        let draft = self.draft.as_mut().ok_or(TableError::Order("nothing was staged"))?;
        let staged = draft.staged.as_mut().ok_or(TableError::Order("nothing was staged"))?;
        let Some(transaction) = staged.transaction.take() else { return Ok(Vec::new()) };
        let uri = self.location.uri();
        let commit = match &self.dataset {
            Some(dataset) => CommitBuilder::new(Arc::clone(dataset)),
            None => CommitBuilder::new(uri.as_str()).with_session(Arc::clone(&self.session)),
        };
        let published = commit.with_skip_auto_cleanup(true).execute(transaction).await?;
        let mut files = vec![self.location.manifests()];
        files.extend(self.location.manifest_of(&published));
        if self.dataset.is_none() {
            files.push(self.location.folder().to_path_buf());
            files.extend(self.location.folder().parent().map(PathBuf::from));
        }
        draft.published = Some(Arc::new(published));
        Ok(files)
    }

    /// Writes what the epoch changes in each index. It needs the addresses of the new
    /// rows, which are known once these are committed.
    async fn publish_keys(&mut self) -> Result<Vec<PathBuf>, TableError> {
        let Some(draft) = &mut self.draft else { return Ok(Vec::new()) };
        let (epoch, published) = (draft.epoch, draft.published.clone());
        // What replaces a table has no part of what was there.
        let replace = draft.replace && published.is_some();
        let gone = draft.staged.as_mut().map(|staged| std::mem::take(&mut staged.gone)).unwrap_or_default();
        let keys = std::mem::take(&mut draft.keys);
        let new = published.as_ref().map(|published| {
            let before = if replace { None } else { self.dataset.as_deref() };
            new_fragments_of(before, published)
        });
        let new = new.unwrap_or_default();
        let mut files = Vec::new();
        for (nth, (keys, mut changes)) in keys.into_iter().zip(gone).enumerate() {
            let kind = self.indexes[nth].kind();
            if published.is_none() && !self.indexes[nth].is_rebuilt() {
                self.draft()?.written.push(None);
                continue;
            }
            let wrong = TableError::Order("the new fragments do not hold the rows that were sent");
            changes.append(&mut keys.into_entries(&new).ok_or(wrong)?);
            let written = match (self.indexes[nth].write(epoch, changes, replace), &published) {
                (Ok(written), _) => written,
                (Err(error), Some(published)) => {
                    self.warn_of(&error);
                    let entries = self.entries_of(kind, published).await?;
                    self.indexes[nth].write(epoch, entries, true)?
                }
                (Err(error), None) => return Err(error.into()),
            };
            files.push(written.file.clone());
            self.draft()?.written.push(Some(written));
        }
        if !files.is_empty() {
            files.push(self.location.keys().to_path_buf());
        }
        Ok(files)
    }

    /// Takes what was published as the new state.
    pub fn settle(&mut self) {
        let Some(draft) = self.draft.take() else { return };
        for (index, written) in self.indexes.iter_mut().zip(draft.written) {
            if let Some(written) = written {
                index.settle(written);
            }
        }
        if let Some(published) = draft.published {
            self.version = Some(published.version_id());
            self.dataset = Some(published);
        }
    }

    /// Drops the epoch, and what it left on disk as far as it is known.
    pub async fn abandon(&mut self) -> Result<(), TableError> {
        let Some(mut draft) = self.draft.take() else { return Ok(()) };
        for written in draft.written.into_iter().flatten() {
            durable::remove_file(&written.file)?;
        }
        if draft.published.is_some() {
            // Another table failed to publish after this one.
            match (self.dataset.take(), self.version) {
                (None, _) => durable::remove_folder(self.location.folder())?,
                (Some(_), None) => self.dataset = Some(Arc::new(self.newest().await?)),
                (Some(_), Some(version)) => {
                    self.dataset = Some(Arc::new(restored(self.newest().await?, version).await?));
                }
            }
            return Ok(());
        }
        let mut files = draft.staged.take().map(|staged| staged.files).unwrap_or_default();
        if let Some(writer) = draft.writer.take() {
            // Its files are known once it is done. Where it failed they are not, and the
            // next collection of old versions finds them.
            if let Ok(written) = writer.finish().await {
                files.extend(self.location.data_files(new_fragments(&written.operation)));
            }
        }
        for file in files {
            durable::remove_file(&file)?;
        }
        Ok(())
    }
}

/// The fragments that are in no older state, in the order they were written: the number
/// and the rows of each.
fn new_fragments_of(before: Option<&Dataset>, after: &Dataset) -> Vec<(u64, u64)> {
    let before: HashSet<u64> =
        before.iter().flat_map(|before| before.fragments().iter()).map(|fragment| fragment.id).collect();
    let new = after.fragments().iter().filter(|fragment| !before.contains(&fragment.id));
    let mut new: Vec<(u64, u64)> =
        new.map(|fragment| (fragment.id, fragment.physical_rows.unwrap_or_default() as u64)).collect();
    new.sort_unstable();
    new
}
