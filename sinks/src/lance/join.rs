//! Joining small fragments: one more each epoch would slow every read.

use std::collections::HashSet;

use lance_table::format::Fragment;
use tokio::runtime::Handle;

use super::error::TableError;
use super::keys::{Entry, KeyKind, keys_of};
use super::load;
use super::table::StoredTable;

impl StoredTable {
    /// Copies the rows of small fragments into the epoch's new ones, where the table has
    /// too many, but for rows that are `removed` (ascending). Adds the rows that it moves
    /// to what is `gone` from each index, and gives the numbers of the fragments that are
    /// no longer needed.
    pub(super) async fn join_small_fragments(
        &mut self,
        runtime: &Handle,
        removed: &[u64],
        gone: &mut [Vec<Entry>],
    ) -> Result<HashSet<u64>, TableError> {
        let (Some(dataset), Some(last_version)) = (self.dataset().cloned(), self.version) else {
            return Ok(HashSet::new());
        };
        let compact = self.draft()?.compact;
        if self.draft()?.replace || (!compact && dataset.fragments().len() <= self.config.max_fragments) {
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
        if compact {
            // One that stands alone and lacks no row is as it should be.
            let is_whole = |fragment: &&Fragment| fragment.num_rows() == fragment.physical_rows;
            if small.len() == 1 && small.iter().all(is_whole) {
                return Ok(HashSet::new());
            }
        } else {
            small.truncate(dataset.fragments().len() - self.config.max_fragments / 2);
        }
        small.sort_by_key(|fragment| fragment.id);
        let joined: HashSet<u64> = small.iter().map(|fragment| fragment.id).collect();

        let schema = self.schema.arrow.clone();
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut batches = load::Fragments::open(&dataset, small.into_iter().cloned().collect(), &columns).await?;
        let keep = |address: u64| removed.binary_search(&address).is_err();
        while let Some((batch, addresses)) = batches.next(&schema, keep).await? {
            for (nth, kind) in KeyKind::of(self.table()).iter().enumerate() {
                let moved = keys_of(*kind, &self.schema, &batch)?;
                if let Some(gone) = gone.get_mut(nth) {
                    let rows = moved.iter().zip(&addresses);
                    rows.for_each(|(key, at)| kind.push(gone, Entry::live(*key, *at).gone(last_version)));
                }
                if let Some(keys) = self.draft()?.keys.get_mut(nth) {
                    moved.into_iter().for_each(|key| keys.push(key, 1));
                }
            }
            self.send(runtime, batch).await?;
        }
        Ok(joined)
    }
}
