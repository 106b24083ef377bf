//! Reading the rows of keys, deleted ones too.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use lance::Dataset;

use super::error::TableError;
use super::load;
use super::past::Group;
use super::recall::Taken;
use super::table::StoredTable;

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
