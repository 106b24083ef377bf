//! A run: from a source to a committed epoch.
//!
//! ```text
//! lock ─► HEAD ─► scan ─► diff ─► hydrate ─► process ─► stage ─► publish ─► commit
//!                          └─ nothing changed: done
//! ```

mod assembly;
mod base;
mod changes;
mod clock;
mod collect;
mod commit;
mod epoch;
mod facts;
mod forecast;
mod hydrate;
mod indexer;
mod losses;
mod memory;
mod process;
mod refs;
mod report;
mod sinks;
mod views;

pub use collect::Collected;
pub use forecast::{Forecast, forecast};
pub use indexer::Indexer;
pub use memory::{available_memory, on_memory_pressure};
pub use report::{Changes, Ending, InFlight, MemoryReport, PlaneReport, Quarantined, RunReport, Times, Work};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gristmill_plane::{Broken, PlaneError};
use gristmill_views::{View, ViewSchema};

use crate::execute::Mode;
use crate::graph::{EmbedLane, Graph};
use crate::index::{IndexError, SharedVectors};
pub use crate::interrupt::{Interrupt, Interrupted};
pub use crate::measure::HelperProcess;
use crate::measure::Meters;
use crate::operator::OperatorError;
use crate::path::RelPath;
use crate::sink::SinkError;
use crate::source::{ScanOptions, Source, SourceError};

/// What to run.
#[derive(Clone, Copy)]
pub struct RunPlan<'a> {
    /// The checked graph.
    pub graph: &'a Graph,
    /// The views to keep.
    pub views: &'a [Arc<dyn View>],
    /// Where files come from.
    pub source: &'a dyn Source,
    /// The index folder.
    pub index: &'a Path,
    /// How the graph is executed.
    pub mode: Mode,
    /// Worker threads of the data plane, at least one. `sequential` uses one whatever
    /// this says.
    pub workers: usize,
    /// Timely workers of the fact plane, at least one.
    pub plane_workers: usize,
    /// The folder of vectors that it shares with other indexes, if it shares any.
    pub vectors: Option<&'a Path>,
    /// Bytes of source text and vectors that may be in flight.
    pub in_flight_limit: u64,
    /// Bytes that the process and its [helpers](HelperProcess) should hold at most, without the pages of files. Near
    /// it, files are let in more slowly.
    pub memory_limit: u64,
    /// How many epochs are kept, the newest included. Older ones are given up once there
    /// are twice as many; 0 keeps them all.
    pub keep: u64,
    /// Whether to build from nothing, whatever is known.
    pub full: bool,
    /// Whether to verify all checksums of the index first.
    pub verify: bool,
    /// How long to wait for another process that writes to the index.
    pub lock_wait: Duration,
    /// The meters to write to.
    pub meters: &'a Arc<Meters>,
    /// Asks the run to stop.
    pub interrupt: &'a Interrupt,
    /// A fault to build into the fact plane, for tests.
    #[doc(hidden)]
    pub broken_plane: Option<Broken>,
}

impl RunPlan<'_> {
    /// Worker threads that its mode uses.
    fn threads(&self) -> usize {
        if self.mode == Mode::Sequential { 1 } else { self.workers.max(1) }
    }

    /// How it scans.
    fn scan_options(&self) -> ScanOptions {
        ScanOptions { threads: self.threads(), interrupt: self.interrupt.clone() }
    }

    /// The tables that it keeps beside those of the sinks: those of views, and which refs
    /// show what.
    fn tables(&self) -> Vec<Arc<ViewSchema>> {
        let views = self.views.iter().map(|view| view.schema());
        views.chain(self.source.is_over_refs().then(refs::schema)).collect()
    }

    /// Whether what it asks for goes together.
    fn check(&self) -> Result<(), RunError> {
        if self.source.is_over_refs() && !self.views.is_empty() { Err(RunError::ViewsOverRefs) } else { Ok(()) }
    }

    /// The vectors shared with other indexes, by embedding space.
    fn shared_vectors(&self) -> Result<Vec<SharedVectors>, RunError> {
        let Some(folder) = self.vectors else { return Ok(Vec::new()) };
        let open = |lane: &EmbedLane| SharedVectors::open(folder, &lane.fingerprint, lane.dimension);
        let failed = |reason| RunError::Shared { folder: folder.to_owned(), reason };
        self.graph.spaces().map(|lane| open(lane).map_err(failed)).collect()
    }
}

/// A run failed. The index holds the epoch that it held before.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The index folder cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The source cannot be scanned.
    #[error(transparent)]
    Source(SourceError),
    /// A sink failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// An operator can no longer work.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// The fact plane ended.
    #[error(transparent)]
    Plane(#[from] PlaneError),
    /// The journal of vectors cannot be read or written.
    #[error("the journal of vectors in the index folder cannot be read or written: {0}")]
    Journal(std::io::Error),
    /// The vectors that it shares cannot be opened.
    #[error("the shared vectors in {folder} cannot be opened: {reason}; choose another folder with `index.vectors`")]
    Shared {
        /// The folder.
        folder: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// Threads could not be started.
    #[error("worker threads could not be started: {0}")]
    Threads(String),
    /// The job has views or refs, and no sink that keeps their tables.
    #[error(
        "the job has views or refs, but no sink keeps their tables; give a lance sink an input of the port `syntax`"
    )]
    NoPlaceForViews,
    /// Views join what lies side by side in one tree, not what different refs hold.
    #[error("views are of one revision; leave `[views]` out, or index one of the refs with `source.revision`")]
    ViewsOverRefs,
    /// The embedder gives other vectors than those that the index holds.
    #[error(
        "the index holds vectors of {stored} components in `{sink}`, and this job's have {wanted}; embed all anew with \
         `gristmill run --full`, or keep both by another index folder (`index.path`)"
    )]
    OtherDimension {
        /// The sink that stores them.
        sink: String,
        /// Components of the vectors in the index.
        stored: usize,
        /// Components of the job's vectors.
        wanted: usize,
    },
    /// A passage that is in the index has no vector.
    #[error(
        "no sink has the vector of a chunk of `{path}` that stage `{stage}` made before; rebuild with `gristmill run --full`"
    )]
    LostVector {
        /// A file with the chunk.
        path: RelPath,
        /// The embed stage.
        stage: Box<str>,
    },
    /// It was asked to stop.
    #[error("interrupted: the epoch was abandoned, and the index holds the one before")]
    Interrupted,
}

impl From<SourceError> for RunError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Interrupted => Self::Interrupted,
            error => Self::Source(error),
        }
    }
}

impl From<Interrupted> for RunError {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

/// Runs a job once.
///
/// # Errors
/// If the epoch could not be committed; the index then holds what it held before.
pub fn run(plan: &RunPlan<'_>) -> Result<RunReport, RunError> {
    Indexer::open(*plan)?.update(plan.source, plan.full)
}
