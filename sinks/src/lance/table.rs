//! One table: its published state, and the epoch being written on top of it.

use std::sync::Arc;

use arrow::array::RecordBatch;
use gristmill_pipeline::{Epoch, Key, Record, ViewRow};
use lance::Dataset;
use lance::dataset::transaction::Operation;
use lance::dataset::{WriteMode, WriteParams};
use lance::session::Session;
use tokio::runtime::Handle;

use super::LanceConfig;
use super::commit::Staged;
use super::error::TableError;
use super::keys::{Entry, KeyIndex, KeyKind, RunError, Written, WrittenKeys, keys_of};
use super::load;
use super::location::Location;
use super::past::Past;
use super::token::TableState;
use super::writer::{FragmentWriter, Target};
use crate::tables::{self, Rows, Table, TableSchema, views};

/// A table of the store.
pub(super) struct StoredTable {
    pub schema: TableSchema,
    pub(super) location: Location,
    pub(super) session: Arc<Session>,
    pub(super) config: LanceConfig,
    /// The newest state; `None` while the table is not there.
    pub(super) dataset: Option<Arc<Dataset>>,
    /// The version that the token names; `None` while it names none. The dataset may be
    /// a later version that restores this one.
    pub(super) version: Option<u64>,
    /// An index of each of [`KeyKind::of`], in that order.
    pub(super) indexes: Vec<KeyIndex>,
    pub(super) past: Past,
    pub(super) draft: Option<Draft>,
}

/// What an epoch does to a table.
pub(super) struct Draft {
    pub epoch: Epoch,
    pub replace: bool,
    rows: Rows,
    pub writer: Option<FragmentWriter>,
    /// Rows to delete, by row key.
    pub removed: Vec<Entry>,
    pub added: u64,
    /// Whether all small fragments are joined.
    pub compact: bool,
    /// For each index the keys of the rows sent, in order.
    pub keys: Vec<WrittenKeys>,
    pub staged: Option<Staged>,
    pub published: Option<Arc<Dataset>>,
    /// For each index what was published of it, if it changes.
    pub written: Vec<Option<Written>>,
}

impl StoredTable {
    pub fn new(schema: TableSchema, location: Location, session: Arc<Session>, config: LanceConfig) -> Self {
        let indexes = KeyKind::of(&schema.table).iter();
        let indexes = indexes.map(|kind| KeyIndex::new(*kind, location.keys().to_path_buf())).collect();
        let (dataset, version, past, draft) = (None, None, Past::default(), None);
        Self { schema, location, session, config, dataset, version, indexes, past, draft }
    }

    pub const fn table(&self) -> &Table {
        &self.schema.table
    }

    /// The state that the token names.
    pub fn dataset(&self) -> Option<&Arc<Dataset>> {
        self.version.and(self.dataset.as_ref())
    }

    /// Opens the table at a version, making it the newest again where another is, with
    /// the files of keys of these names. Without a version it is not there: what older
    /// tokens name of it stays, and the next epoch starts from no rows.
    pub async fn open(&mut self, version: Option<u64>, keys: &[&str]) -> Result<(), TableError> {
        (self.draft, self.dataset, self.version) = (None, None, None);
        self.past.clear();
        self.indexes.iter_mut().for_each(|index| index.open(keys));
        if !self.location.exists() {
            return version.map_or(Ok(()), |version| Err(TableError::Gone(version)));
        }
        let newest = self.newest().await?;
        let Some(version) = version else {
            self.dataset = Some(Arc::new(newest));
            return Ok(());
        };
        if newest.version_id() < version {
            return Err(TableError::Lost { wanted: version, newest: newest.version_id() });
        }
        self.dataset = Some(Arc::new(restored(newest, version).await?));
        self.version = Some(version);
        Ok(())
    }

    /// Opens the table at a version, whatever the newest is, and changes nothing.
    pub async fn open_to_read(&mut self, version: Option<u64>, keys: &[&str]) -> Result<(), TableError> {
        (self.draft, self.dataset, self.version) = (None, None, None);
        self.past.clear();
        self.indexes.iter_mut().for_each(|index| index.open(keys));
        let Some(version) = version else { return Ok(()) };
        if !self.location.exists() {
            return Err(TableError::Gone(version));
        }
        self.dataset = Some(Arc::new(load::open(&self.location, &self.session, Some(version)).await?));
        self.version = Some(version);
        Ok(())
    }

    pub(super) async fn newest(&self) -> lance::Result<Dataset> {
        load::open(&self.location, &self.session, None).await
    }

    pub fn begin(&mut self, epoch: Epoch, replace: bool) -> Result<(), TableError> {
        self.past.clear();
        self.draft = Some(Draft {
            epoch,
            replace: replace || self.version.is_none(),
            rows: Rows::new(&self.schema)?,
            writer: None,
            removed: Vec::new(),
            added: 0,
            compact: false,
            keys: self.indexes.iter().map(|index| WrittenKeys::new(index.kind())).collect(),
            staged: None,
            published: None,
            written: Vec::new(),
        });
        Ok(())
    }

    /// Lets the epoch join all small fragments, however many there are.
    pub fn compact(&mut self) -> Result<(), TableError> {
        self.draft()?.compact = true;
        Ok(())
    }

    /// Lets the epoch start from no rows. Comes before rows are added.
    pub fn replace(&mut self) -> Result<(), TableError> {
        let draft = self.draft()?;
        draft.replace = true;
        draft.removed.clear();
        Ok(())
    }

    pub(super) fn draft(&mut self) -> Result<&mut Draft, TableError> {
        self.draft.as_mut().ok_or(TableError::Order("no epoch was begun"))
    }

    /// Marks the rows of these keys for deletion.
    pub async fn remove(&mut self, keys: &[Key]) -> Result<(), TableError> {
        if self.draft()?.replace {
            return Ok(());
        }
        let found = self.find(KeyKind::Rows, keys).await?;
        self.draft()?.removed.extend(found.into_iter().flatten().filter(Entry::is_live));
        Ok(())
    }

    /// Gathers the rows of a record that has this row key, and says whether there are
    /// enough to [`flush`](Self::flush).
    pub fn append(&mut self, key: Key, record: &Record) -> Result<bool, TableError> {
        let Self { schema, draft, .. } = self;
        let draft = draft.as_mut().ok_or(TableError::Order("no epoch was begun"))?;
        let rows = tables::append(record, draft.epoch, schema, &mut draft.rows)?;
        draft.added += rows as u64;
        for (kind, keys) in KeyKind::of(&schema.table).iter().zip(&mut draft.keys) {
            match kind {
                KeyKind::Rows => keys.push(key, u32::try_from(rows).unwrap_or(u32::MAX)),
                KeyKind::Contents => keys.push(record.analysis.content_hash.key(), 1),
                KeyKind::Hashes => {
                    let hashes = record.chunks.iter().flat_map(|chunks| &chunks.hashes);
                    hashes.for_each(|hash| keys.push(hash.key(), 1));
                }
            }
        }
        Ok(self.is_full())
    }

    /// Gathers a row of a view, and says whether there are enough to
    /// [`flush`](Self::flush).
    pub fn append_view(&mut self, row: &ViewRow) -> Result<bool, TableError> {
        let Self { schema, draft, .. } = self;
        let draft = draft.as_mut().ok_or(TableError::Order("no epoch was begun"))?;
        let view = schema.view.as_ref().ok_or(TableError::Order("the table is of no view"))?;
        views::check(view, row)?;
        views::append(row, draft.epoch, &mut draft.rows);
        draft.added += 1;
        draft.keys.iter_mut().for_each(|keys| keys.push(row.key(), 1));
        Ok(self.is_full())
    }

    fn is_full(&self) -> bool {
        self.draft.as_ref().is_some_and(|draft| {
            draft.rows.len() >= self.config.batch_rows || draft.rows.bytes() >= self.config.batch_bytes
        })
    }

    /// Hands what was gathered to Lance.
    pub async fn flush(&mut self, runtime: &Handle) -> Result<(), TableError> {
        let draft = self.draft()?;
        if draft.rows.len() > 0 {
            let batch = draft.rows.take()?;
            self.send(runtime, batch).await?;
        }
        Ok(())
    }

    pub(super) async fn send(&mut self, runtime: &Handle, batch: RecordBatch) -> Result<(), TableError> {
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

    /// What a token says of the published state.
    pub async fn state(&self) -> Result<Option<TableState>, TableError> {
        let (Some(dataset), Some(version)) = (&self.dataset, self.version) else { return Ok(None) };
        let keys = self.indexes.iter().flat_map(KeyIndex::names).collect();
        let rows = dataset.count_rows(None).await? as u64;
        Ok(Some(TableState { version, rows, keys, vectors: self.vector_state(dataset).await? }))
    }

    /// For each key its entries in an index of the table, by address.
    pub async fn find(&mut self, kind: KeyKind, keys: &[Key]) -> Result<Vec<Vec<Entry>>, TableError> {
        let Some(dataset) = self.dataset().cloned() else { return Ok(vec![Vec::new(); keys.len()]) };
        let nth = self.indexes.iter().position(|index| index.kind() == kind);
        let nth = nth.ok_or(TableError::Order("the table has no such index"))?;
        match self.indexes[nth].find(keys) {
            Ok(found) => Ok(found),
            Err(error) => {
                self.warn_of(&error);
                let entries = self.entries_of(kind, &dataset).await?;
                self.indexes[nth].rebuild(entries);
                Ok(self.indexes[nth].find(keys)?)
            }
        }
    }

    /// Says that files of keys are of no use.
    pub(super) fn warn_of(&self, error: &RunError) {
        let folder = self.location.keys().display();
        tracing::warn!(
            table = %self.schema.table, %folder, %error,
            "cannot read the files of keys, and makes them anew from the rows that are there; \
             what earlier epochs deleted is not found again"
        );
    }

    /// Entries for the rows that are there.
    pub(super) async fn entries_of(&self, kind: KeyKind, dataset: &Dataset) -> Result<Vec<Entry>, TableError> {
        let mut entries = Vec::new();
        load::scan(dataset, &kind.columns(&self.schema), |batch, addresses| {
            let keys = keys_of(kind, &self.schema, batch)?;
            let rows = keys.iter().zip(addresses);
            rows.for_each(|(key, address)| kind.push(&mut entries, Entry::live(*key, *address)));
            Ok::<_, TableError>(())
        })
        .await?;
        Ok(entries)
    }
}

/// The table with `version` as its newest state.
pub(super) async fn restored(newest: Dataset, version: u64) -> lance::Result<Dataset> {
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
