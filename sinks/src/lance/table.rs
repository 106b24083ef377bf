//! One table at its published state.

use std::sync::Arc;

use gristmill_pipeline::{Key, PastFiles};
use lance::Dataset;
use lance::dataset::transaction::Operation;
use lance::session::Session;

use super::LanceConfig;
use super::error::TableError;
use super::keys::{Entry, KeyIndex, KeyKind, RunError, keys_of};
use super::load;
use super::location::Location;
use super::past::Past;
use super::token::TableState;
use super::written::{check_manifest, has_manifests, remove_torn_manifests};
use crate::durable;
use crate::tables::{Table, TableSchema};

/// A table of the store that is not open yet.
pub(super) struct TableLayout {
    pub schema: TableSchema,
    pub location: Location,
    pub session: Arc<Session>,
    pub config: LanceConfig,
    /// Bytes that the process should stay within.
    pub memory_limit: u64,
    pub past_files: PastFiles,
}

/// A table of the store, open at the state that a token names.
pub(super) struct StoredTable {
    pub schema: TableSchema,
    pub(super) location: Location,
    pub(super) session: Arc<Session>,
    pub(super) config: LanceConfig,
    pub(super) memory_limit: u64,
    /// The newest state; `None` while the table does not exist.
    pub(super) dataset: Option<Arc<Dataset>>,
    /// The version that the token names; `None` while it names none. The dataset may be
    /// a later version that restores this one.
    pub(super) version: Option<u64>,
    /// An index of each of [`KeyKind::of`], in that order.
    pub(super) indexes: Vec<KeyIndex>,
    pub(super) past: Past,
}

impl TableLayout {
    /// Opens the table at a version, making it the newest again where another is, with
    /// the key runs of these names. Without a version it counts as not there: what older
    /// tokens name of it stays, and the next epoch starts from no rows.
    pub async fn open(self, version: Option<u64>, keys: &[&str]) -> Result<StoredTable, TableError> {
        let dataset = match (self.location.exists(), version) {
            (false, None) => None,
            (false, Some(version)) => return Err(TableError::MissingTable(version)),
            (true, None) => {
                remove_torn_manifests(&self.location, 0)?;
                if has_manifests(&self.location)? {
                    Some(load::open(&self.location, &self.session, None).await?)
                } else {
                    // Its first version was never written, and nobody names one.
                    durable::remove(self.location.folder())?;
                    None
                }
            }
            (true, Some(wanted)) => {
                remove_torn_manifests(&self.location, wanted)?;
                let newest = load::open(&self.location, &self.session, None).await?;
                if newest.version_id() < wanted {
                    return Err(TableError::MissingVersion { wanted, newest: newest.version_id() });
                }
                Some(restored(&self.location, newest, wanted).await?)
            }
        };
        Ok(self.into_stored(dataset, version, keys))
    }

    /// Opens the table at a version, whatever the newest is, and changes nothing.
    pub async fn open_to_read(self, version: Option<u64>, keys: &[&str]) -> Result<StoredTable, TableError> {
        let dataset = match version {
            None => None,
            Some(version) if !self.location.exists() => return Err(TableError::MissingTable(version)),
            Some(_) => Some(load::open(&self.location, &self.session, version).await?),
        };
        Ok(self.into_stored(dataset, version, keys))
    }

    fn into_stored(self, dataset: Option<Dataset>, version: Option<u64>, keys: &[&str]) -> StoredTable {
        let Self { schema, location, session, config, memory_limit, past_files } = self;
        let index = |kind: &KeyKind| {
            let mut index = KeyIndex::new(*kind, location.keys().to_path_buf());
            index.open(keys);
            index
        };
        let indexes = KeyKind::of(&schema.table).iter().map(index).collect();
        let dataset = dataset.map(Arc::new);
        let past = Past::new(past_files);
        StoredTable { schema, location, session, config, memory_limit, dataset, version, indexes, past }
    }
}

impl AsRef<Self> for StoredTable {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl AsMut<Self> for StoredTable {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

impl StoredTable {
    pub const fn table(&self) -> &Table {
        &self.schema.table
    }

    /// Whether it is the table of a view.
    pub const fn is_view(&self) -> bool {
        self.schema.view.is_some()
    }

    /// The state that the token names.
    pub fn dataset(&self) -> Option<&Arc<Dataset>> {
        self.version.and(self.dataset.as_ref())
    }

    pub(super) async fn newest(&self) -> lance::Result<Dataset> {
        load::open(&self.location, &self.session, None).await
    }

    /// Rebuilds the indexes whose key runs the token does not name; the next epoch writes them.
    pub(super) async fn with_keys(mut self) -> Result<Self, TableError> {
        let Some(dataset) = self.dataset().cloned() else { return Ok(self) };
        for nth in 0..self.indexes.len() {
            if self.indexes[nth].is_unnamed() {
                let entries = self.entries_of(self.indexes[nth].kind(), &dataset).await?;
                self.indexes[nth].rebuild(entries);
            }
        }
        Ok(self)
    }

    /// What a token says of the state; `None` while there is none.
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
        let nth = nth.ok_or(TableError::MissingIndex(kind))?;
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

    /// Logs that key runs cannot be read.
    pub(super) fn warn_of(&self, error: &RunError) {
        let folder = self.location.keys().display();
        tracing::warn!(
            table = %self.schema.table, %folder, %error,
            "cannot read the key runs and rebuilds them from the rows of the table; \
             rows that earlier epochs deleted are not found again"
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
pub(super) async fn restored(location: &Location, newest: Dataset, version: u64) -> Result<Dataset, TableError> {
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
    check_manifest(location, &dataset)?;
    Ok(dataset)
}
