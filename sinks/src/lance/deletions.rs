//! Deleting rows by their addresses.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use lance::Dataset;
use lance::dataset::transaction::{Operation, Transaction, UpdateMode};
use lance_table::format::Fragment;

use super::error::TableError;
use super::location::Location;
use super::writer::new_fragments;

/// Fragments that lose rows.
#[derive(Default)]
pub(super) struct Deletions {
    removed: Vec<u64>,
    updated: Vec<Fragment>,
}

impl Deletions {
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.updated.is_empty()
    }

    /// The fragments that keep some of their rows.
    pub fn updated(&self) -> &[Fragment] {
        &self.updated
    }

    pub fn files(&self, location: &Location) -> Vec<PathBuf> {
        let file = |fragment: &Fragment| Some(location.deletion_file(fragment.id, fragment.deletion_file.as_ref()?));
        self.updated.iter().filter_map(file).collect()
    }

    pub fn into_operation(self, written: Option<Transaction>) -> Operation {
        Operation::Update {
            removed_fragment_ids: self.removed,
            updated_fragments: self.updated,
            new_fragments: written.map(|written| new_fragments(&written.operation).to_vec()).unwrap_or_default(),
            fields_modified: Vec::new(),
            compacted_sstables: Vec::new(),
            fields_for_preserving_frag_bitmap: Vec::new(),
            update_mode: Some(UpdateMode::RewriteRows),
            inserted_rows_filter: None,
            updated_fragment_offsets: None,
        }
    }
}

/// Writes the deletion files for these rows; fragments in `joined` are removed whole.
pub(super) async fn delete_rows(
    dataset: Option<&Dataset>,
    addresses: &[u64],
    joined: &HashSet<u64>,
) -> Result<Deletions, TableError> {
    let mut deletions = Deletions { removed: joined.iter().copied().collect(), updated: Vec::new() };
    let Some(dataset) = dataset else { return Ok(deletions) };
    let mut by_fragment: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
    for address in addresses {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is the row's place in its fragment")]
        by_fragment.entry(address >> 32).or_default().push(*address as u32);
    }
    for (id, rows) in by_fragment {
        if joined.contains(&id) {
            continue;
        }
        let fragment = usize::try_from(id).ok().and_then(|id| dataset.get_fragment(id));
        let fragment = fragment.ok_or(TableError::MissingFragment(id))?;
        match fragment.extend_deletions(rows).await? {
            Some(updated) => deletions.updated.push(updated.metadata().clone()),
            None => deletions.removed.push(id),
        }
    }
    Ok(deletions)
}
