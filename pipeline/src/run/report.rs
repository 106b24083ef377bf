//! What a run did, for people and programs.

use std::collections::BTreeMap;

use gristmill_ids::{Epoch, Hash};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::execute::Mode;
use crate::measure::StageReport;
use crate::path::RelPath;
use crate::sink::StagedRows;
use crate::source::{RefRevision, ScanMeasures};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// A new epoch was committed.
    Committed,
    /// Nothing had changed, so the index stands as it was.
    Unchanged,
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// How it ended.
    pub ending: Ending,
    /// The newest epoch.
    pub epoch: Epoch,
    /// The root hash of its Merkle tree.
    pub merkle_root: Hash,
    /// The revision that was indexed, where the source has revisions.
    #[serde(default)]
    pub revision: Option<Box<str>>,
    /// The refs that were indexed, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<RefRevision>,
    /// How the graph was executed.
    pub mode: Mode,
    /// Worker threads of the data plane.
    pub workers: usize,
    /// Cores of the machine.
    pub cores: usize,
    /// When it began, in milliseconds since 1970.
    pub started_ms: u64,
    /// Why the run began from nothing, if it did.
    pub rebuilt_because: Option<String>,
    /// Something about the index that the user should know, such as a damaged file that
    /// was replaced.
    pub notice: Option<String>,
    /// What the user should know of the source that belongs to no file, such as a repository in
    /// it: see [`Scan::notices`](crate::source::Scan::notices).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source_notices: Vec<String>,
    /// What the scan did.
    pub scan: ScanMeasures,
    /// Files that changed.
    pub changes: Changes,
    /// What was done, and what was not done because it was known (law 4).
    pub work: Work,
    /// Rows per sink.
    pub rows: BTreeMap<String, StagedRows>,
    /// Rows per view.
    #[serde(default)]
    pub views: BTreeMap<String, StagedRows>,
    /// Measures per stage, in the graph's order.
    pub stages: Vec<StageReport>,
    /// The fact plane.
    pub plane: PlaneReport,
    /// Where the time went.
    pub time: Times,
    /// Most bytes in flight at once, and the limit.
    pub in_flight: InFlight,
    /// The most memory that the process held, in bytes, where the system tells.
    pub peak_memory_bytes: Option<u64>,
    /// The memory of the process against the job's limit.
    #[serde(default)]
    pub memory: MemoryReport,
    /// Findings about files that this run looked at, by code.
    pub findings: BTreeMap<String, u64>,
    /// Files that this run looked at and of whose content nothing is in the index.
    pub quarantined: Vec<Quarantined>,
}

/// Files that changed since the last epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// New paths.
    pub added: u64,
    /// Paths with other content.
    pub modified: u64,
    /// Paths that are gone.
    pub deleted: u64,
    /// New paths that hold what a path held that is gone: counted as added and as
    /// deleted too.
    #[serde(default)]
    pub renamed: u64,
    /// Directories of the Merkle trees that were compared entry by entry.
    pub directories_entered: u64,
}

/// What was done, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Work {
    /// Contents that went from read to chunk.
    pub contents_analysed: u64,
    /// Paths whose content was known, so that their rows came from the store: of another
    /// path, or of an epoch that is kept.
    pub paths_recalled: u64,
    /// Paths that share a content which this run analysed for another path.
    pub paths_shared: u64,
    /// Passages that were embedded.
    pub passages_embedded: u64,
    /// Passages whose vectors were in the index, in this epoch or one that is kept, or among
    /// those that it shares with other indexes.
    pub passages_reused: u64,
    /// Passages whose vectors this run had made for another chunk.
    pub passages_shared: u64,
    /// Passages whose vectors an interrupted run had left behind.
    pub passages_recovered: u64,
    /// Passages of which an interrupted run had asked a server, and not had the answer.
    #[serde(default)]
    pub passages_asked_again: u64,
}

/// The fact plane's part in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlaneReport {
    /// Rounds of facts.
    pub rounds: u64,
    /// Facts entered, those of the last epoch that were loaded included.
    pub facts: u64,
    /// Facts of the last epoch that were loaded.
    #[serde(default)]
    pub loaded: u64,
    /// Passages that came to life, and that died.
    #[serde(default)]
    pub passages: (u64, u64),
    /// Time that rounds took, in milliseconds.
    pub busy_ms: f64,
}

/// Where the time of a run went, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// From beginning to end.
    pub wall_ms: f64,
    /// CPU time of the process and of its parse workers, the kernel's work for them included.
    pub cpu_ms: f64,
    /// Walking the source, and reading and hashing what may have changed.
    pub scan_ms: f64,
    /// Opening the sinks, and loading the facts of the last epoch.
    pub hydrate_ms: f64,
    /// From the diff to the last row.
    pub process_ms: f64,
    /// Staging in all sinks.
    pub stage_ms: f64,
    /// Publishing, and the commit record.
    pub publish_ms: f64,
    /// The stage, or `fact plane`, that was busy longest: per worker where it runs on
    /// several.
    pub bottleneck: String,
    /// No run of this work can take less on these cores: the largest of all CPU time over
    /// the cores, the slowest part that runs on one thread, and the time that requests took over the
    /// number of requests at once.
    pub bound_ms: f64,
    /// `bound_ms / wall_ms`: 1 where no core ever waited without need.
    pub overlap_efficiency: f64,
}

/// Bytes of source text and vectors in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// The configured limit.
    pub limit_bytes: u64,
    /// The most at once.
    pub peak_bytes: u64,
}

/// The memory of the process while an epoch was built: what it holds for itself alone, without the pages of
/// files and without parse workers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryReport {
    /// The configured limit.
    pub limit_bytes: u64,
    /// The most at once.
    pub peak_bytes: u64,
    /// The phase of the run in which that was: `process`, `stage` or `publish`.
    pub peak_phase: String,
    /// Whether it came near the limit, so that files were let in more slowly.
    pub was_short: bool,
}

/// A file of whose content nothing is in the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// The file.
    pub path: RelPath,
    /// The finding's code.
    pub code: String,
    /// What, where, and what to do.
    pub message: String,
}
