//! One table: its published state, and the epoch being written on top of it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use gristmill_pipeline::{Epoch, EpochMeta, Key, Record};
use lance::Dataset;
use lance::dataset::transaction::{Operation, Transaction, TransactionBuilder};
use lance::dataset::{CommitBuilder, WriteMode, WriteParams};
use lance::session::Session;
use lance_table::format::Fragment;
use tokio::runtime::Handle;

use super::LanceConfig;
use super::addresses::AddressIndex;
use super::deletions::delete_rows;
use super::error::TableError;
use super::load::{self, PathKeys};
use super::location::Location;
use super::writer::{FragmentWriter, Target, new_fragments};
use crate::durable;
use crate::tables::{Columns, Rows, Table, TableSchema, rows_of};

/// A table of the store.
pub(super) struct StoredTable {
    pub schema: TableSchema,
    location: Location,
    session: Arc<Session>,
    config: LanceConfig,
    /// The newest published state; `None` while the table is not there.
    dataset: Option<Arc<Dataset>>,
    /// Rows by path, once something asked for them.
    paths: Option<AddressIndex>,
    /// Rows by chunk hash, once something asked for them.
    hashes: Option<AddressIndex>,
    draft: Option<Draft>,
}

/// What an epoch does to a table.
struct Draft {
    epoch: Epoch,
    replace: bool,
    rows: Box<dyn Rows>,
    writer: Option<FragmentWriter>,
    /// Addresses of rows to delete.
    removed: Vec<u64>,
    added: u64,
    /// The keys of each row added, in order; kept where an index is to follow.
    keys: Vec<(Key, Option<Key>)>,
    staged: Option<Staged>,
    published: Option<Arc<Dataset>>,
}

/// An epoch's change, on disk but in no manifest.
struct Staged {
    /// `None` where the epoch changes nothing.
    transaction: Option<Transaction>,
    /// The files that it wrote.
    files: Vec<PathBuf>,
    /// Whether rows that stay got new addresses.
    moved: bool,
}

impl StoredTable {
    pub fn new(schema: TableSchema, location: Location, session: Arc<Session>, config: LanceConfig) -> Self {
        Self { schema, location, session, config, dataset: None, paths: None, hashes: None, draft: None }
    }

    pub const fn table(&self) -> Table {
        self.schema.table
    }

    /// The published state.
    pub fn dataset(&self) -> Option<&Arc<Dataset>> {
        self.dataset.as_ref()
    }

    /// Opens the table at a version, making it the newest again where another is;
    /// without a version, it is not there.
    pub async fn open(&mut self, version: Option<u64>) -> Result<(), TableError> {
        (self.paths, self.hashes, self.draft, self.dataset) = (None, None, None, None);
        let Some(version) = version else { return Ok(()) };
        if !self.location.exists() {
            return Err(TableError::Gone(version));
        }
        let newest = load::open(&self.location, &self.session, None).await?;
        if newest.version_id() < version {
            return Err(TableError::Lost { wanted: version, newest: newest.version_id() });
        }
        self.dataset = Some(Arc::new(restored(newest, version).await?));
        Ok(())
    }

    pub fn begin(&mut self, epoch: Epoch, replace: bool) {
        self.draft = Some(Draft {
            epoch,
            replace: replace || self.dataset.is_none(),
            rows: rows_of(&self.schema),
            writer: None,
            removed: Vec::new(),
            added: 0,
            keys: Vec::new(),
            staged: None,
            published: None,
        });
    }

    /// Marks the rows of these paths for deletion.
    pub async fn remove(&mut self, paths: &[Key]) -> Result<(), TableError> {
        if self.draft.as_ref().is_none_or(|draft| draft.replace) {
            return Ok(());
        }
        self.load_paths().await?;
        let (Some(index), Some(draft)) = (&self.paths, &mut self.draft) else { return Ok(()) };
        draft.removed.extend(paths.iter().flat_map(|path| index.get(*path)));
        Ok(())
    }

    /// Gathers the rows of a record, and says whether there are enough to [`flush`](Self::flush).
    pub fn append(&mut self, record: &Record) -> Result<bool, TableError> {
        let indexed = self.paths.is_some() || self.hashes.is_some();
        let draft = self.draft.as_mut().ok_or(TableError::Order("no epoch was begun"))?;
        let rows = draft.rows.append(record, draft.epoch)?;
        draft.added += rows as u64;
        if indexed && rows > 0 {
            let path = record.path.key();
            let hashes = record.chunks.as_ref().filter(|_| self.schema.table == Table::Chunks);
            match hashes {
                Some(chunks) => draft.keys.extend(chunks.hashes.iter().map(|hash| (path, Some(hash.key())))),
                None => draft.keys.extend(std::iter::repeat_n((path, None), rows)),
            }
        }
        Ok(draft.rows.rows() >= self.config.batch_rows || draft.rows.bytes() >= self.config.batch_bytes)
    }

    /// Hands what was gathered to Lance.
    pub async fn flush(&mut self, runtime: &Handle) -> Result<(), TableError> {
        let draft = self.draft.as_mut().ok_or(TableError::Order("no epoch was begun"))?;
        if draft.rows.rows() > 0 {
            let batch = draft.rows.take()?;
            self.send(runtime, batch).await?;
        }
        Ok(())
    }

    async fn send(&mut self, runtime: &Handle, batch: RecordBatch) -> Result<(), TableError> {
        let draft = self.draft.as_mut().ok_or(TableError::Order("no epoch was begun"))?;
        let writer = draft.writer.get_or_insert_with(|| {
            let target = match &self.dataset {
                Some(dataset) => Target::Table(Arc::clone(dataset)),
                None => Target::New(self.location.uri()),
            };
            let mode = match (&self.dataset, draft.replace) {
                (None, _) => WriteMode::Create,
                (Some(_), true) => WriteMode::Overwrite,
                (Some(_), false) => WriteMode::Append,
            };
            let params = WriteParams {
                mode,
                max_rows_per_file: self.config.max_rows_per_file.max(1),
                session: Some(Arc::clone(&self.session)),
                skip_auto_cleanup: true,
                ..WriteParams::default()
            };
            FragmentWriter::start(runtime, target, Arc::clone(draft.rows.schema()), params)
        });
        Ok(writer.send(batch).await?)
    }

    /// Writes all that is left, and gives the files to flush.
    pub async fn stage(&mut self, runtime: &Handle, meta: &EpochMeta) -> Result<Vec<PathBuf>, TableError> {
        self.flush(runtime).await?;
        let joined = self.join_small_fragments(runtime).await?;
        let draft = self.draft.as_mut().ok_or(TableError::Order("no epoch was begun"))?;
        draft.removed.sort_unstable();
        draft.removed.dedup();

        let written = match draft.writer.take() {
            Some(writer) => Some(writer.finish().await?),
            None => None,
        };
        let mut files = Vec::new();
        let fragments = written.as_ref().map_or(&[][..], |written| new_fragments(&written.operation));
        if !fragments.is_empty() {
            files = self.location.data_files(fragments);
        }
        let deletions = delete_rows(self.dataset.as_deref(), &draft.removed, &joined).await?;
        files.extend(deletions.files(&self.location));

        let operation = if draft.replace {
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
        draft.staged = Some(Staged { transaction, files: files.clone(), moved: !joined.is_empty() });
        Ok(files)
    }

    /// Rows added and deleted by the epoch.
    pub async fn counts(&self) -> Result<(u64, u64), TableError> {
        let Some(draft) = &self.draft else { return Ok((0, 0)) };
        let deleted = match &self.dataset {
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
        let manifests = self.location.manifests();
        let mut files = vec![manifests.clone()];
        files.extend(published.manifest_location().path.filename().map(|name| manifests.join(name)));
        if self.dataset.is_none() {
            files.push(self.location.folder().to_path_buf());
            files.extend(self.location.folder().parent().map(PathBuf::from));
        }
        draft.published = Some(Arc::new(published));
        Ok(files)
    }

    /// Takes what was published as the new state.
    pub fn settle(&mut self) {
        let Some(mut draft) = self.draft.take() else { return };
        let Some(published) = draft.published.take() else { return };
        if draft.replace || draft.staged.is_some_and(|staged| staged.moved) {
            (self.paths, self.hashes) = (None, None);
        } else {
            let before: HashSet<u64> = self
                .dataset
                .iter()
                .flat_map(|dataset| dataset.fragments().iter())
                .map(|fragment| fragment.id)
                .collect();
            let new = published.fragments().iter().filter(|fragment| !before.contains(&fragment.id));
            let addresses: Vec<u64> = new.flat_map(addresses_of).collect();
            let keys = std::mem::take(&mut draft.keys);
            if let Some(paths) = &mut self.paths {
                paths.remove(&draft.removed);
                paths.insert(keys.iter().zip(&addresses).map(|((path, _), address)| (*path, *address)));
            }
            if let Some(hashes) = &mut self.hashes {
                hashes.remove(&draft.removed);
                hashes.insert(keys.iter().zip(&addresses).filter_map(|((_, hash), at)| Some(((*hash)?, *at))));
            }
        }
        self.dataset = Some(published);
    }

    /// Drops the epoch, and what it left on disk as far as it is known.
    pub async fn abandon(&mut self) -> Result<(), TableError> {
        let Some(mut draft) = self.draft.take() else { return Ok(()) };
        if let Some(published) = draft.published.take() {
            // Another table failed to publish after this one.
            match &self.dataset {
                Some(base) => self.dataset = Some(Arc::new(restored((*published).clone(), base.version_id()).await?)),
                None => durable::remove_folder(self.location.folder())?,
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

    /// The version and the rows of the published state.
    pub async fn state(&self) -> Result<Option<(u64, u64)>, TableError> {
        let Some(dataset) = &self.dataset else { return Ok(None) };
        Ok(Some((dataset.version_id(), dataset.count_rows(None).await? as u64)))
    }

    /// Rows by path.
    pub async fn load_paths(&mut self) -> Result<&AddressIndex, TableError> {
        if self.paths.is_none() {
            let mut entries = Vec::new();
            let mut keys = PathKeys::default();
            if let Some(dataset) = &self.dataset {
                load::scan(dataset, &["path"], |batch, addresses| {
                    let paths = Columns(batch).text("path")?;
                    entries.extend(paths.iter().flatten().map(|path| keys.key(path)).zip(addresses.iter().copied()));
                    Ok::<_, TableError>(())
                })
                .await?;
            }
            self.paths = Some(AddressIndex::new(entries));
        }
        self.paths.as_ref().ok_or(TableError::Order("no index of paths"))
    }

    /// Rows by chunk hash.
    pub async fn load_hashes(&mut self) -> Result<&AddressIndex, TableError> {
        if self.hashes.is_none() {
            let mut entries = Vec::new();
            if let Some(dataset) = &self.dataset {
                load::scan(dataset, &["chunk_hash"], |batch, addresses| {
                    let hashes = Columns(batch).hashes("chunk_hash")?;
                    entries.extend(addresses.iter().enumerate().map(|(row, at)| (hashes.value(row).key(), *at)));
                    Ok::<_, TableError>(())
                })
                .await?;
            }
            self.hashes = Some(AddressIndex::new(entries));
        }
        self.hashes.as_ref().ok_or(TableError::Order("no index of chunk hashes"))
    }

    /// Sets both indexes, from a scan that saw every row.
    pub fn set_indexes(&mut self, paths: AddressIndex, hashes: AddressIndex) {
        (self.paths, self.hashes) = (Some(paths), Some(hashes));
    }

    /// Copies the rows of small fragments into the epoch's new ones, where the table has
    /// too many: a fragment more each epoch would slow every read. Gives the numbers of
    /// the fragments that are no longer needed.
    async fn join_small_fragments(&mut self, runtime: &Handle) -> Result<HashSet<u64>, TableError> {
        let (Some(dataset), Some(draft)) = (self.dataset.clone(), &self.draft) else { return Ok(HashSet::new()) };
        if draft.replace || dataset.fragments().len() <= self.config.max_fragments {
            return Ok(HashSet::new());
        }
        // A full fragment gains nothing, and where a file's rows run over into the next
        // one, moving it would change their order.
        let mut small: Vec<&Fragment> = dataset
            .fragments()
            .iter()
            .filter(|fragment| fragment.physical_rows.is_some_and(|rows| rows < self.config.max_rows_per_file))
            .collect();
        small.sort_by_key(|fragment| fragment.num_rows());
        small.truncate(dataset.fragments().len() - self.config.max_fragments / 2);
        small.sort_by_key(|fragment| fragment.id);
        let joined: HashSet<u64> = small.iter().map(|fragment| fragment.id).collect();
        let removed: HashSet<u64> = draft.removed.iter().copied().collect();

        let columns: Vec<&str> = self.schema.arrow.fields().iter().map(|field| field.name().as_str()).collect();
        let mut batches = load::Fragments::open(&dataset, small.into_iter().cloned().collect(), &columns).await?;
        while let Some(batch) = batches.next(&self.schema.arrow.clone(), |address| !removed.contains(&address)).await? {
            self.send(runtime, batch).await?;
        }
        Ok(joined)
    }
}

/// The table with `version` as its newest state.
async fn restored(newest: Dataset, version: u64) -> lance::Result<Dataset> {
    if newest.version_id() == version {
        return Ok(newest);
    }
    let restores = newest.read_transaction().await?.map(|transaction| transaction.operation);
    if matches!(restores, Some(Operation::Restore { version: restored }) if restored == version) {
        return Ok(newest);
    }
    tracing::info!(table = newest.uri(), from = newest.version_id(), to = version, "rolls back");
    let mut dataset = newest.checkout_version(version).await?;
    dataset.restore().await?;
    Ok(dataset)
}

fn addresses_of(fragment: &Fragment) -> impl Iterator<Item = u64> + use<> {
    let base = fragment.id << 32;
    (0..fragment.physical_rows.unwrap_or_default() as u64).map(move |row| base | row)
}
