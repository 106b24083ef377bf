//! How an epoch of one table is staged, published, or dropped.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use gristmill_pipeline::EpochMeta;
use lance::Dataset;
use lance::dataset::CommitBuilder;
use lance::dataset::transaction::{Operation, Transaction, TransactionBuilder};
use lance_table::format::Fragment;
use tokio::runtime::Handle;

use super::deletions::delete_rows;
use super::error::TableError;
use super::keys::{Entry, KeyKind, keys_of};
use super::load;
use super::table::{Draft, StoredTable};
use super::writer::new_fragments;
use crate::durable;

/// An epoch's change, on disk but in no manifest.
pub(super) struct Staged {
    /// `None` where the epoch changes nothing.
    transaction: Option<Transaction>,
    /// The files that it wrote.
    files: Vec<PathBuf>,
    /// For each index the rows that are gone from their address.
    gone: Vec<Vec<Entry>>,
}

impl StoredTable {
    /// Writes all that is left, and gives the files to flush.
    pub async fn stage(&mut self, runtime: &Handle, meta: &EpochMeta) -> Result<Vec<PathBuf>, TableError> {
        self.flush(runtime).await?;
        let draft = self.draft()?;
        draft.removed.sort_unstable_by_key(|entry| entry.address);
        draft.removed.dedup();
        let removed: Vec<u64> = draft.removed.iter().map(|entry| entry.address).collect();
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
        let properties = HashMap::from([
            ("gristmill.epoch".to_owned(), meta.epoch.to_string()),
            ("gristmill.merkle_root".to_owned(), meta.merkle_root.to_string()),
        ]);
        let read_version = self.dataset.as_ref().map_or(0, |dataset| dataset.version_id());
        let transaction = operation.map(|operation| {
            TransactionBuilder::new(read_version, operation).transaction_properties(Some(Arc::new(properties))).build()
        });
        self.draft()?.staged = Some(Staged { transaction, files: files.clone(), gone });
        Ok(files)
    }

    /// For each index an entry for each row that the epoch deletes.
    async fn removed_keys(&self, removed: &[u64]) -> Result<Vec<Vec<Entry>>, TableError> {
        let kinds = KeyKind::of(&self.schema.table);
        let mut gone = vec![Vec::new(); kinds.len()];
        let (Some(dataset), Some(draft), false) = (self.dataset(), &self.draft, removed.is_empty()) else {
            return Ok(gone);
        };
        let last_version = self.version.unwrap_or_default();
        for (kind, gone) in kinds.iter().zip(&mut gone) {
            if *kind == KeyKind::Rows {
                gone.extend(draft.removed.iter().map(|entry| Entry { last_version, ..*entry }));
                continue;
            }
            let batch = load::take(dataset, removed, &kind.columns(&self.schema)).await?;
            let keys = keys_of(*kind, &self.schema, &batch)?;
            gone.extend(keys.into_iter().zip(removed).map(|(key, &address)| Entry { key, address, last_version }));
        }
        Ok(gone)
    }

    /// Rows added and deleted by the epoch.
    pub async fn counts(&self) -> Result<(u64, u64), TableError> {
        let Some(draft) = &self.draft else { return Ok((0, 0)) };
        let deleted = match self.dataset() {
            Some(dataset) if draft.replace => dataset.count_rows(None).await?,
            _ => draft.removed.len(),
        };
        Ok((draft.added, deleted as u64))
    }

    /// Commits what was staged, and gives the files to flush.
    pub async fn publish(&mut self) -> Result<Vec<PathBuf>, TableError> {
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

    /// Takes what was published as the new state.
    pub fn settle(&mut self) -> Result<(), TableError> {
        let Some(mut draft) = self.draft.take() else { return Ok(()) };
        let Some(published) = draft.published.take() else { return Ok(()) };
        let changes = changes(&mut draft, self.dataset.as_deref(), &published)?;
        for (index, changes) in self.indexes.iter_mut().zip(changes) {
            if draft.replace {
                index.rebuild(changes);
            } else {
                index.extend(changes);
            }
        }
        self.version = Some(published.version_id());
        self.dataset = Some(published);
        Ok(())
    }

    /// Drops the epoch, and what it left on disk as far as it is known.
    pub async fn abandon(&mut self) -> Result<(), TableError> {
        let Some(mut draft) = self.draft.take() else { return Ok(()) };
        if draft.published.take().is_some() {
            // Another table failed to publish after this one.
            return match self.dataset {
                Some(_) => self.open(self.version).await,
                None => Ok(durable::remove_folder(self.location.folder())?),
            };
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

/// For each index what the epoch changes: rows that are new, and rows that are gone.
fn changes(draft: &mut Draft, before: Option<&Dataset>, after: &Dataset) -> Result<Vec<Vec<Entry>>, TableError> {
    let before: HashSet<u64> = match before {
        Some(before) if !draft.replace => before.fragments().iter().map(|fragment| fragment.id).collect(),
        _ => HashSet::new(),
    };
    let mut new: Vec<&Fragment> = after.fragments().iter().filter(|fragment| !before.contains(&fragment.id)).collect();
    new.sort_by_key(|fragment| fragment.id);
    let rows: usize = new.iter().map(|fragment| fragment.physical_rows.unwrap_or_default()).sum();
    let gone = draft.staged.take().map(|staged| staged.gone).unwrap_or_default();
    let keys = std::mem::take(&mut draft.keys);
    keys.into_iter()
        .zip(gone)
        .map(|(keys, mut entries)| {
            if keys.len() != rows {
                return Err(TableError::Order("the new fragments do not hold the rows that were sent"));
            }
            let addresses = new.iter().flat_map(|fragment| addresses_of(fragment));
            entries.extend(keys.into_iter().zip(addresses).map(|(key, address)| Entry::live(key, address)));
            entries.sort_unstable();
            Ok(entries)
        })
        .collect()
}

fn addresses_of(fragment: &Fragment) -> impl Iterator<Item = u64> + use<> {
    let base = fragment.id << 32;
    (0..fragment.physical_rows.unwrap_or_default() as u64).map(move |row| base | row)
}
