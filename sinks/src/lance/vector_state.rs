//! How an epoch builds, extends or drops the index over a table's vectors.
//!
//! The index is updated after the rows are published, in one more version of the table, which
//! is then the one that the token names. A crash in between, or an epoch that is aborted, leaves
//! the older version with the index that it had, and files that no version names. Deleted rows
//! are never found, though the index still has them: Lance knows from the version which rows
//! exist. Rows that the index lacks are compared one by one.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use lance::Dataset;
use lance::dataset::CommitBuilder;
use lance::dataset::transaction::{Operation, TransactionBuilder};
use lance::index::DatasetIndexExt as _;
use lance::index::optimize::plan_optimize_indices;
use lance_index::IndexType;
use lance_index::optimize::OptimizeOptions;
use lance_table::format::{Fragment, IndexMetadata};

use super::error::TableError;
use super::publish::PublishedTable;
use super::stage::Properties;
use super::table::StoredTable;
use super::token::VectorState;
use super::vector_index::{IndexName, VectorIndexConfig};
use super::written::{check_end, check_manifest};
use crate::durable;

/// The column of vectors.
pub(super) const VECTOR: &str = "vector";
/// An index over more than this many times the rows that it was trained on, or less than this
/// fraction of them, is rebuilt.
const GROWTH: u64 = 2;

/// Which rows of a table its index covers. An index consists of parts, oldest first, each over
/// some of the fragments.
#[derive(Debug, Default)]
struct Coverage {
    /// The number of rows of the table.
    rows: u64,
    /// The number of rows that no part covers.
    unindexed: u64,
    /// For each part the number of its rows that still exist.
    parts: Vec<u64>,
    /// The number of rows that it was trained on; `None` if there is no index.
    trained_on: Option<u64>,
    /// Whether there are indexes that the configuration does not ask for.
    others: bool,
}

/// What an epoch does to the index.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Keep,
    Drop,
    /// Trains a new index and adds all vectors.
    Build,
    /// Adds the missing rows, merged into one part with this number of the latest parts.
    Extend(usize),
}

impl Coverage {
    fn of(fragments: &[Fragment], indexes: &[IndexMetadata], config: &VectorIndexConfig) -> Self {
        let rows = |fragment: &Fragment| fragment.num_rows().unwrap_or_default() as u64;
        let mut coverage = Self { rows: fragments.iter().map(rows).sum(), ..Self::default() };
        let mut covered = HashSet::new();
        for index in indexes {
            let Some(name) = IndexName::parse(&index.name, config) else {
                coverage.others = true;
                continue;
            };
            coverage.trained_on = Some(name.rows);
            let of_part = fragments.iter().filter(|fragment| has(index, fragment));
            coverage.parts.push(of_part.clone().map(rows).sum());
            covered.extend(of_part.map(|fragment| fragment.id));
        }
        coverage.unindexed = fragments.iter().filter(|fragment| !covered.contains(&fragment.id)).map(rows).sum();
        coverage
    }

    fn step(&self, config: &VectorIndexConfig, compact: bool) -> Step {
        let Self { rows, unindexed, .. } = *self;
        let (Some(threshold), Some(trained_on)) = (config.threshold(), self.trained_on) else {
            return match config.threshold() {
                Some(threshold) if rows >= threshold => Step::Build,
                _ if self.others => Step::Drop,
                _ => Step::Keep,
            };
        };
        // A table whose size varies around the threshold keeps its index.
        if rows < threshold / GROWTH {
            return Step::Drop;
        }
        // If most rows must be added anyway, such as after fragments were joined, training costs
        // little more, and it keeps up with vectors that drift.
        if unindexed > rows / 2 || rows > trained_on * GROWTH || rows < trained_on / GROWTH {
            return Step::Build;
        }
        match compact {
            true if unindexed > 0 || self.parts.len() > 1 => Step::Extend(self.parts.len()),
            false if unindexed > config.unindexed_rows => Step::Extend(self.parts_to_join()),
            _ if self.others => Step::Build,
            _ => Step::Keep,
        }
    }

    /// How many of the latest parts to merge with the missing rows: those that are not larger
    /// than what they are merged with, so that there are few parts and each row is copied few
    /// times.
    fn parts_to_join(&self) -> usize {
        let mut joined = self.unindexed;
        let smaller = |part: &&u64| {
            let is_smaller = **part <= joined;
            joined += **part;
            is_smaller
        };
        self.parts.iter().rev().take_while(smaller).count()
    }
}

fn has(index: &IndexMetadata, fragment: &Fragment) -> bool {
    let id = u32::try_from(fragment.id).ok();
    index.fragment_bitmap.as_ref().zip(id).is_some_and(|(fragments, id)| fragments.contains(id))
}

/// The vector indexes of a table that epochs built.
pub(super) async fn indexes(dataset: &Dataset) -> lance::Result<Vec<IndexMetadata>> {
    Ok(dataset.load_indices().await?.iter().filter(|index| IndexName::is_one(&index.name)).cloned().collect())
}

impl PublishedTable {
    /// Brings the index up to date with the published rows. If that fails, a warning is
    /// logged: the rows are there, and searches find them without the index.
    pub(super) async fn publish_vector_index(&mut self, compact: bool, properties: &Properties) {
        let Self { table, published, files, notice, .. } = self;
        let dataset = published.as_ref().or(table.dataset()).cloned();
        let (Some(dimension), Some(dataset)) = (table.schema.dimension, dataset) else { return };
        match table.changed_index(&dataset, dimension, compact, properties, notice).await {
            Ok(None) => {}
            Ok(Some((changed, written))) => {
                *published = Some(Arc::new(changed));
                files.extend(written);
            }
            Err(error) => {
                let folder = table.location.folder().display();
                tracing::warn!(table = %table.schema.table, %folder, %error, "cannot index the vectors of this epoch");
                *notice = Some(format!("the vectors of this epoch have no index, so searches compare all: {error}"));
            }
        }
    }
}

impl StoredTable {
    /// The table with the index that the configuration asks for, if it is another than it
    /// has, and the files to flush.
    async fn changed_index(
        &self,
        dataset: &Arc<Dataset>,
        dimension: usize,
        compact: bool,
        properties: &Properties,
        notice: &mut Option<String>,
    ) -> Result<Option<(Dataset, Vec<PathBuf>)>, TableError> {
        let config = &self.config.vector_index;
        let old = indexes(dataset).await?;
        let coverage = Coverage::of(dataset.fragments(), &old, config);
        let mut step = coverage.step(config, compact);
        let needed = build_bytes(coverage.rows, dimension);
        if step == Step::Build && needed > self.memory_limit / 2 {
            let (rows, needed, limit) = (coverage.rows, needed >> 20, self.memory_limit >> 20);
            *notice = Some(format!(
                "the {rows} vectors have no index, so searches compare all: to build it takes about {needed} MiB, more \
                 than half of the memory limit of {limit} MiB; raise `job.memory_limit`"
            ));
            step = if old.is_empty() { Step::Keep } else { Step::Drop };
        }
        if step != Step::Keep {
            tracing::debug!(table = %self.schema.table, ?coverage, ?step, "changes the index over the vectors");
        }
        let (new, removed) = match step {
            Step::Keep => return Ok(None),
            Step::Drop => (Vec::new(), old),
            Step::Build => {
                let name = IndexName { kind: config.kind, metric: config.metric, rows: coverage.rows };
                (vec![self.build(dataset, name, dimension).await?], old)
            }
            Step::Extend(parts) => extend(dataset, old, config, parts).await?,
        };
        if new.is_empty() && removed.is_empty() {
            return Ok(None);
        }
        let mut files: Vec<PathBuf> = Vec::new();
        for index in &new {
            let folder = self.location.index(index);
            for entry in durable::entries(&folder)? {
                let path = entry?.path();
                if path.extension().is_some_and(|extension| extension == "idx") {
                    check_end(path.clone())?;
                }
                files.push(path);
            }
            files.extend(folder.parent().map(PathBuf::from));
            files.push(folder);
        }
        let changed = commit(dataset, new, removed, properties).await?;
        check_manifest(&self.location, &changed)?;
        files.push(self.location.manifests());
        files.extend(self.location.manifest_of(&changed));
        Ok(Some((changed, files)))
    }

    /// Builds an index over all rows. Lance does so on its process-wide thread pools, even for a
    /// single-threaded sink.
    async fn build(&self, dataset: &Dataset, name: IndexName, dimension: usize) -> lance::Result<IndexMetadata> {
        let parameters = self.config.vector_index.parameters(dimension);
        let mut dataset = dataset.clone();
        let builder = dataset.create_index_builder(&[VECTOR], IndexType::Vector, &parameters);
        builder.name(name.to_string()).replace(true).execute_uncommitted().await
    }

    /// How the vectors of the published state are searched; `None` for a table without any.
    pub(super) async fn vector_state(&self, dataset: &Dataset) -> lance::Result<Option<VectorState>> {
        if self.schema.dimension.is_none() {
            return Ok(None);
        }
        let config = &self.config.vector_index;
        let is_there = indexes(dataset).await?.iter().any(|index| IndexName::parse(&index.name, config).is_some());
        Ok(Some(VectorState { metric: config.metric, index: is_there.then_some(config.kind) }))
    }
}

/// About how much memory Lance takes to build an index over so many vectors: a third more than the vectors.
fn build_bytes(rows: u64, dimension: usize) -> u64 {
    rows.saturating_mul(dimension as u64 * size_of::<f32>() as u64) / 3 * 4
}

/// Adds the rows that no part covers, merged into one part with this number of the latest
/// parts. Returns the new part, and the parts that it replaces.
async fn extend(
    dataset: &Dataset,
    old: Vec<IndexMetadata>,
    config: &VectorIndexConfig,
    parts: usize,
) -> lance::Result<(Vec<IndexMetadata>, Vec<IndexMetadata>)> {
    let is_current = |index: &&IndexMetadata| IndexName::parse(&index.name, config).is_some();
    let name = old.iter().find(is_current).map(|index| index.name.clone());
    let options = OptimizeOptions::merge(parts).index_names(name.into_iter().collect());
    let plan = plan_optimize_indices(dataset, &options).await?;
    let mut built = Vec::new();
    for task in &plan.tasks {
        built.extend(task.execute(dataset).await?);
    }
    let mut merged = Vec::new();
    for merge in &plan.merges {
        merged.extend(merge.execute(dataset, &built).await?);
    }
    let replaced = |index: &IndexMetadata| merged.iter().any(|part| part.replaces.contains(&index.uuid));
    let removed = old.into_iter().filter(|index| replaced(index) || !is_current(&index)).collect();
    Ok((merged.into_iter().map(|part| part.segment).collect(), removed))
}

async fn commit(
    dataset: &Arc<Dataset>,
    new_indices: Vec<IndexMetadata>,
    removed_indices: Vec<IndexMetadata>,
    properties: &Properties,
) -> lance::Result<Dataset> {
    let operation = Operation::CreateIndex { new_indices, removed_indices };
    let transaction = TransactionBuilder::new(dataset.version_id(), operation)
        .transaction_properties(Some(Arc::clone(properties)))
        .build();
    CommitBuilder::new(Arc::clone(dataset)).with_skip_auto_cleanup(true).execute(transaction).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> VectorIndexConfig {
        VectorIndexConfig { rows: 1000, unindexed_rows: 100, ..VectorIndexConfig::default() }
    }

    fn coverage(rows: u64, unindexed: u64, parts: &[u64]) -> Coverage {
        let trained_on = (!parts.is_empty()).then_some(1000);
        Coverage { rows, unindexed, parts: parts.to_vec(), trained_on, others: false }
    }

    #[test]
    fn an_index_comes_and_goes_with_the_rows() {
        let step = |coverage: Coverage| coverage.step(&config(), false);
        assert_eq!(step(coverage(999, 999, &[])), Step::Keep);
        assert_eq!(step(coverage(1000, 1000, &[])), Step::Build);
        assert_eq!(step(coverage(500, 0, &[500])), Step::Keep);
        assert_eq!(step(coverage(499, 0, &[499])), Step::Drop);
        assert_eq!(step(coverage(2001, 50, &[1951])), Step::Build, "it was trained on 1000");
        assert_eq!(step(coverage(1000, 501, &[499])), Step::Build, "most of it is missing");
        let other = Coverage { others: true, ..coverage(400, 400, &[]) };
        assert_eq!(step(other), Step::Drop);
    }

    #[test]
    fn what_is_missing_is_put_in_once_there_is_enough() {
        let step = |unindexed, parts: &[u64], compact| {
            let rows = unindexed + parts.iter().sum::<u64>();
            coverage(rows, unindexed, parts).step(&config(), compact)
        };
        assert_eq!(step(100, &[1000], false), Step::Keep);
        assert_eq!(step(101, &[1000], false), Step::Extend(0));
        assert_eq!(step(101, &[1000, 110], false), Step::Extend(0));
        assert_eq!(step(110, &[1000, 230, 110], false), Step::Extend(1));
        assert_eq!(step(110, &[1000, 210, 110], false), Step::Extend(2));
        assert_eq!(step(1, &[1000], true), Step::Extend(1));
        assert_eq!(step(0, &[1000, 3], true), Step::Extend(2));
        assert_eq!(step(0, &[1000], true), Step::Keep);
    }

    #[test]
    fn no_index_is_asked_for() {
        let none = VectorIndexConfig { kind: super::super::vector_index::VectorIndexKind::None, ..config() };
        assert_eq!(coverage(9000, 9000, &[]).step(&none, true), Step::Keep);
        assert_eq!(Coverage { others: true, ..coverage(9000, 9000, &[]) }.step(&none, false), Step::Drop);
    }
}
