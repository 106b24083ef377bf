//! Rows that epochs deleted, and where they can still be read.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use lance::Dataset;

use super::error::TableError;
use super::keys::Entry;
use super::load;
use super::location::Location;
use super::recall::Taken;
use super::table::StoredTable;

/// Rows of one key that lie in one version of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The version, or `None` for the newest.
    pub version: Option<u64>,
    /// Their addresses, ascending.
    pub addresses: Vec<u64>,
}

impl Group {
    /// The rows that are there.
    pub fn live(entries: &[Entry]) -> Option<Self> {
        let addresses: Vec<u64> = entries.iter().filter(|entry| entry.is_live()).flat_map(Entry::addresses).collect();
        (!addresses.is_empty()).then_some(Self { version: None, addresses })
    }

    /// The rows that were deleted after version `since`, latest first, in one group per epoch
    /// that deleted some.
    pub fn deleted(entries: &[Entry], since: Option<u64>) -> Vec<Self> {
        let Some(since) = since else { return Vec::new() };
        let mut deleted: Vec<&Entry> =
            entries.iter().filter(|entry| !entry.is_live() && u64::from(entry.last_version) >= since).collect();
        deleted.sort_by_key(|entry| (std::cmp::Reverse(entry.last_version), entry.address));
        let same_version = deleted.chunk_by(|a, b| a.last_version == b.last_version);
        same_version
            .map(|rows| Self {
                version: rows.first().map(|entry| entry.last_version.into()),
                addresses: rows.iter().flat_map(|entry| entry.addresses()).collect(),
            })
            .collect()
    }
}

/// Old versions of a table, opened on first use.
#[derive(Default)]
pub(super) struct Past {
    /// `None` for versions that are gone.
    versions: HashMap<u64, Option<Arc<Dataset>>>,
}

impl Past {
    /// A version of a table, if it is still there.
    pub async fn open(
        &mut self,
        location: &Location,
        newest: &Dataset,
        version: u64,
    ) -> lance::Result<Option<Arc<Dataset>>> {
        if let Some(opened) = self.versions.get(&version) {
            return Ok(opened.clone());
        }
        let opened = match newest.checkout_version(version).await {
            // Lance may have cached a version whose files were deleted.
            Ok(dataset) => location.has_manifest_of(&dataset).then(|| Arc::new(dataset)),
            Err(error) if is_gone(&error) => None,
            Err(error) => return Err(error),
        };
        self.versions.insert(version, opened.clone());
        Ok(opened)
    }

    pub fn clear(&mut self) {
        self.versions.clear();
    }
}

fn is_gone(error: &lance::Error) -> bool {
    use lance::Error;
    matches!(
        error,
        Error::NotFound { .. }
            | Error::DatasetNotFound { .. }
            | Error::VersionNotFound { .. }
            | Error::RefNotFound { .. }
    )
}

impl StoredTable {
    /// Whether the rows of a group can still be read.
    pub async fn is_there(&mut self, group: &Group) -> Result<bool, TableError> {
        Ok(self.at(group.version).await?.is_some())
    }

    /// The table at a version, or as the token names it; `None` if it is gone.
    async fn at(&mut self, version: Option<u64>) -> Result<Option<Arc<Dataset>>, TableError> {
        let Some(newest) = self.dataset().cloned() else { return Ok(None) };
        match version {
            Some(version) => Ok(self.past.open(&self.location, &newest, version).await?),
            None => Ok(Some(newest)),
        }
    }

    /// Reads columns of the rows of these groups, except those whose version is gone. Groups of
    /// one version are read together.
    pub async fn take(&mut self, groups: &[Option<Group>], columns: &[&str]) -> Result<Taken, TableError> {
        let mut wanted: BTreeMap<Option<u64>, Vec<u64>> = BTreeMap::new();
        for group in groups.iter().flatten() {
            wanted.entry(group.version).or_default().extend(&group.addresses);
        }
        // For each version where its rows begin among all that are read.
        let mut starts = BTreeMap::new();
        let mut batches: Vec<RecordBatch> = Vec::with_capacity(wanted.len());
        let mut start = 0;
        for (version, addresses) in &mut wanted {
            addresses.sort_unstable();
            addresses.dedup();
            if let Some(dataset) = self.at(*version).await? {
                batches.push(load::take(&dataset, addresses, columns).await?);
                starts.insert(*version, start);
                start += addresses.len();
            }
        }
        let place = |version: Option<u64>, address: &u64| {
            Some(starts.get(&version)? + wanted.get(&version)?.binary_search(address).ok()?)
        };
        let rows = groups.iter().map(|group| {
            let group = group.iter().flat_map(|group| group.addresses.iter().map(|address| (group.version, address)));
            group.filter_map(|(version, address)| place(version, address)).collect()
        });
        let rows = rows.collect();
        let batch = match &batches[..] {
            [] => None,
            [_] => batches.pop(),
            [first, ..] => Some(concat_batches(&first.schema(), &batches)?),
        };
        Ok(Taken { batch, rows })
    }
}
