//! Tables in memory, fragment by fragment.
//!
//! A fragment's rows never change: an epoch adds fragments, and marks rows of older ones as
//! deleted. So what was loaded for one epoch is reused for the next, and an epoch that changes
//! little is quick to load.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use futures::TryStreamExt as _;
use gristmill_pipeline::{RelPath, RowKey, SinkError};
use lance::Dataset;
use lance::dataset::fragment::FileFragment;
use lance_core::ROW_ADDR;
use lance_core::utils::deletion::DeletionVector;

use super::error::TableError;
use super::load;
use super::reader::{LanceReader, each_file};
use crate::sink_error::WrapErr as _;
use crate::tables::{Columns, Table};

/// The rows of a table at one epoch, in memory: for each fragment a `T` made from its rows.
/// Epochs share the fragments that they have in common.
#[derive(Debug)]
pub struct Resident<T> {
    segments: Vec<Segment<T>>,
}

/// The rows of a fragment, and which of them the epoch still has.
#[derive(Debug)]
pub struct Segment<T> {
    rows: Arc<SegmentRows<T>>,
    /// One bit per row that was loaded; `None` if none was deleted since.
    live: Option<Arc<[u64]>>,
    live_rows: usize,
    deletions: DeletionFile,
}

#[derive(Debug)]
struct SegmentRows<T> {
    name: SegmentName,
    addresses: Vec<u64>,
    value: T,
}

/// Identifies a fragment. Its number may be reused after a rollback; the names of its files
/// never are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SegmentName {
    fragment: u64,
    files: Vec<String>,
}

/// Identifies the deletion file of a fragment: the version that it was made from and a random
/// number.
type DeletionFile = Option<(u64, u64)>;

/// The files that rows belong to. The rows of a file form one or more runs of consecutive rows.
#[derive(Clone, Debug, Default)]
pub struct RowFiles {
    /// For each run the path, and the key of the path and its content
    /// ([`RowId::key`](gristmill_pipeline::RowId::key)).
    files: Vec<(RelPath, RowKey)>,
    /// For each run its first row, then the number of rows.
    starts: Vec<u32>,
    /// For each row its run.
    run: Vec<u32>,
    /// The keys in ascending order, and the run of each.
    keys: Vec<RowKey>,
    run_of_key: Vec<u32>,
}

impl RowFiles {
    /// Finds the files of the rows of a batch, which has the columns `path` and `content_hash`.
    ///
    /// # Errors
    /// If the batch does not have these columns.
    pub fn of(batch: &RecordBatch) -> Result<Self, SinkError> {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut rows = Self { run: Vec::with_capacity(batch.num_rows()), ..Self::default() };
        each_file(&Columns(batch), |path, key, range| {
            // A file whose rows are not consecutive has several runs.
            let run = number(rows.files.len());
            rows.files.push((RelPath::from(path), key));
            rows.starts.push(number(range.start));
            rows.run.extend(range.map(|_| run));
        })
        .wrap_err("lance", "cannot load a table")?;
        rows.starts.push(number(batch.num_rows()));
        let key = |run: &u32| rows.files.get(*run as usize).map_or(RowKey::NONE, |file| file.1);
        rows.run_of_key = (0..number(rows.files.len())).collect();
        rows.run_of_key.sort_by_key(key);
        rows.keys = rows.run_of_key.iter().map(key).collect();
        Ok(rows)
    }

    /// The path of a row, and the key of its file.
    #[must_use]
    #[inline]
    pub fn get(&self, row: usize) -> Option<&(RelPath, RowKey)> {
        self.files.get(self.run_of(row)?)
    }

    /// The run that a row lies in, as an index into [`runs`](Self::runs).
    #[must_use]
    #[inline]
    pub fn run_of(&self, row: usize) -> Option<usize> {
        Some(*self.run.get(row)? as usize)
    }

    /// The rows of a file, as one range or several.
    pub fn rows_of(&self, key: RowKey) -> impl Iterator<Item = Range<usize>> {
        let first = self.keys.partition_point(|known| *known < key);
        let found = self.keys.iter().zip(&self.run_of_key).skip(first).take_while(move |(known, _)| **known == key);
        found.map(|(_, run)| self.rows(*run as usize))
    }

    /// Each run: its file's path and key, and its rows.
    pub fn runs(&self) -> impl Iterator<Item = (&RelPath, RowKey, Range<usize>)> {
        self.files.iter().enumerate().map(|(run, (path, key))| (path, *key, self.rows(run)))
    }

    fn rows(&self, run: usize) -> Range<usize> {
        let start = |run: usize| self.starts.get(run).map_or(0, |start| *start as usize);
        start(run)..start(run + 1)
    }
}

impl<T> Resident<T> {
    /// The fragments, in the order of their numbers.
    #[must_use]
    pub fn segments(&self) -> &[Segment<T>] {
        &self.segments
    }

    /// The number of rows that the epoch has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.segments.iter().map(|segment| segment.live_rows).sum()
    }
}

impl<T> Default for Resident<T> {
    fn default() -> Self {
        Self { segments: Vec::new() }
    }
}

impl<T> Segment<T> {
    /// What was made from the fragment's rows, including those that were deleted since.
    #[must_use]
    pub fn value(&self) -> &T {
        &self.rows.value
    }

    /// Whether the epoch has a row.
    #[must_use]
    pub fn is_live(&self, row: usize) -> bool {
        let Some(live) = &self.live else { return row < self.rows.addresses.len() };
        live.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// The address of a row, for [`LanceReader::take`].
    #[must_use]
    pub fn address(&self, row: usize) -> Option<u64> {
        self.rows.addresses.get(row).copied()
    }

    /// The row at an address; `None` if it is in another fragment or was not loaded.
    #[must_use]
    pub fn row_at(&self, address: u64) -> Option<usize> {
        // The high half of an address is the fragment's number.
        if address >> 32 != self.rows.name.fragment {
            return None;
        }
        self.rows.addresses.binary_search(&address).ok()
    }

    /// The number of rows that were loaded, including those that were deleted since.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.addresses.len()
    }

    /// Whether no rows were loaded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.addresses.is_empty()
    }

    /// The number of rows that the epoch has.
    #[must_use]
    pub fn live_rows(&self) -> usize {
        self.live_rows
    }
}

impl LanceReader {
    /// Loads columns of all rows of a table. `make` turns the rows of a fragment into what is
    /// kept in memory. Fragments that `last`, the table at another epoch, has are reused.
    ///
    /// # Errors
    /// If the epoch does not have the table, it cannot be read, or `make` fails.
    pub fn resident<T: Send + Sync>(
        &self,
        table: &Table,
        columns: &[&str],
        last: Option<&Resident<T>>,
        make: impl Fn(RecordBatch) -> Result<T, SinkError>,
    ) -> Result<Resident<T>, SinkError> {
        let dataset = self.dataset(table)?;
        let known: HashMap<&SegmentName, &Segment<T>> =
            last.iter().flat_map(|last| &last.segments).map(|segment| (&segment.rows.name, segment)).collect();
        let mut segments = Vec::new();
        for fragment in dataset.get_fragments() {
            let metadata = fragment.metadata();
            let files = metadata.files.iter().map(|file| file.path.clone()).collect();
            let name = SegmentName { fragment: metadata.id, files };
            let deletions = metadata.deletion_file.as_ref().map(|file| (file.read_version, file.id));
            let segment = match known.get(&name) {
                Some(known) if known.deletions == deletions => Segment {
                    rows: Arc::clone(&known.rows),
                    live: known.live.clone(),
                    live_rows: known.live_rows,
                    deletions,
                },
                // Only of a later epoch: an earlier one may have rows that were deleted
                // before the known one was loaded.
                Some(known)
                    if known
                        .deletions
                        .is_none_or(|(made_from, _)| deletions.is_some_and(|(now, _)| made_from < now)) =>
                {
                    let deleted = self.wait(table, async { Ok(fragment.get_deletion_vector().await?) })?;
                    Segment::without(Arc::clone(&known.rows), deleted.as_deref(), deletions)
                }
                _ => {
                    let (batch, addresses) = self.wait(table, load_fragment(dataset, &fragment, columns))?;
                    Segment::new(name, addresses, make(batch)?, deletions)
                }
            };
            segments.push(segment);
        }
        Ok(Resident { segments })
    }
}

impl<T> Segment<T> {
    fn new(name: SegmentName, addresses: Vec<u64>, value: T, deletions: DeletionFile) -> Self {
        let live_rows = addresses.len();
        Self { rows: Arc::new(SegmentRows { name, addresses, value }), live: None, live_rows, deletions }
    }

    fn without(rows: Arc<SegmentRows<T>>, deleted: Option<&DeletionVector>, deletions: DeletionFile) -> Self {
        let mut live = vec![0_u64; rows.addresses.len().div_ceil(64)];
        let mut live_rows = 0;
        for (row, address) in rows.addresses.iter().enumerate() {
            // The low half of an address is the row's place in its fragment.
            let is_deleted = deleted.is_some_and(|deleted| deleted.contains(*address as u32));
            if let (false, Some(word)) = (is_deleted, live.get_mut(row / 64)) {
                *word |= 1 << (row % 64);
                live_rows += 1;
            }
        }
        Self { rows, live: Some(live.into()), live_rows, deletions }
    }
}

/// The rows of a fragment that are not deleted, and their addresses.
async fn load_fragment(
    dataset: &Dataset,
    fragment: &FileFragment,
    columns: &[&str],
) -> Result<(RecordBatch, Vec<u64>), TableError> {
    let projection = dataset.schema().project(columns)?;
    // One batch, which is kept as it was decoded: several would be copied into one.
    let rows = fragment.metadata().num_rows().and_then(|rows| u32::try_from(rows).ok()).unwrap_or(u32::MAX);
    let batches: Vec<RecordBatch> =
        load::read(dataset, vec![fragment.clone()], &projection, rows.max(1)).await?.try_collect().await?;
    let schema = match batches.first() {
        Some(batch) => batch.schema(),
        None => Arc::new((&projection).into()),
    };
    let mut addresses = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for batch in &batches {
        addresses.extend_from_slice(load::addresses(batch)?);
    }
    let mut batch = concat_batches(&schema, &batches)?;
    if let Some((at, _)) = schema.column_with_name(ROW_ADDR) {
        batch.remove_column(at);
    }
    Ok((batch, addresses))
}
