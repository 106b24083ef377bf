//! Joining small fragments: every epoch adds some, and each slows down every read.

use std::collections::HashSet;
use std::sync::Arc;

use lance_table::format::Fragment;
use tokio::runtime::Handle;

use super::LanceConfig;
use super::error::TableError;
use super::keys::{Entry, KeyKind, keys_of};
use super::load;
use super::table_writer::TableWriter;

impl TableWriter {
    /// Copies the rows of small fragments into the epoch's new ones if the table has too
    /// many fragments, except for rows that are `removed` (ascending). Adds the rows that it
    /// moves to what is `gone` from each index, and returns the numbers of the fragments that
    /// are no longer needed.
    pub(super) async fn join_small_fragments(
        &mut self,
        runtime: &Handle,
        removed: &[u64],
        gone: &mut [Vec<Entry>],
    ) -> Result<HashSet<u64>, TableError> {
        let (Some(dataset), Some(last_version)) = (self.table.dataset().cloned(), self.table.version) else {
            return Ok(HashSet::new());
        };
        let LanceConfig { max_fragments, max_rows_per_file, .. } = self.table.config;
        if self.replace || (!self.compact && dataset.fragments().len() <= max_fragments) {
            return Ok(HashSet::new());
        }
        // A full fragment gains nothing, and if a file's rows continue in the next one,
        // moving it would change their order.
        let mut small: Vec<&Fragment> = dataset
            .fragments()
            .iter()
            .filter(|fragment| fragment.physical_rows.is_some_and(|rows| rows < max_rows_per_file))
            .collect();
        small.sort_by_key(|fragment| fragment.num_rows());
        if self.compact {
            // A single fragment without deleted rows is compact already.
            let is_whole = |fragment: &&Fragment| fragment.num_rows() == fragment.physical_rows;
            if small.len() == 1 && small.iter().all(is_whole) {
                return Ok(HashSet::new());
            }
        } else {
            small.truncate(dataset.fragments().len() - max_fragments / 2);
        }
        small.sort_by_key(|fragment| fragment.id);
        let joined: HashSet<u64> = small.iter().map(|fragment| fragment.id).collect();

        let schema = Arc::clone(&self.table.schema.arrow);
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut batches = load::Fragments::open(&dataset, small.into_iter().cloned().collect(), &columns).await?;
        let keep = |address: u64| removed.binary_search(&address).is_err();
        while let Some((batch, addresses)) = batches.next(&schema, keep).await? {
            for (nth, kind) in KeyKind::of(self.table.table()).iter().enumerate() {
                let moved = keys_of(*kind, &self.table.schema, &batch)?;
                if let Some(gone) = gone.get_mut(nth) {
                    let rows = moved.iter().zip(&addresses);
                    rows.for_each(|(key, at)| kind.push(gone, Entry::live(*key, *at).gone(last_version)));
                }
                if let Some(keys) = self.keys.get_mut(nth) {
                    moved.into_iter().for_each(|key| keys.push(key, 1));
                }
            }
            self.send(runtime, batch).await?;
        }
        Ok(joined)
    }
}
