//! Measures jobs and their stages, for researchers and for continuous integration.
//!
//! ```text
//! jobs × programs × sweeps ─► Experiment ─► trials in turns, a process each ─► Results ─► tables, CSV, page
//!                                                                                └─► Comparison, Verdict
//! ```
//!
//! An [`Experiment`] runs trials of several [`Variant`]s in turns, so that whatever else the machine does
//! hits them alike; each trial is a process of its own. [`Results`] keep every sample with the machine and
//! the corpus. A [`Verdict`] is given only where an exact confidence interval shows it
//! ([`paired_ratio`]).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod compare;
mod corpus;
mod error;
mod experiment;
mod machine;
mod profile;
mod recording;
pub mod render;
mod results;
mod standalone;
mod statistics;
mod trial;
mod variant;

pub use compare::{Comparison, Verdict};
pub use corpus::{CorpusList, FolderContent, Generator, LanguageShare, PinnedCorpus, content_hash};
pub use error::BenchError;
pub use experiment::{Experiment, JobFacts, Progress, check_counts};
pub use machine::Machine;
pub use profile::{Profile, Series};
pub use recording::{Manifest, Part, Recording, record};
pub use results::{Corpus, FORMAT, Measured, Metric, Program, Results};
pub use standalone::{Bench, PARTS, StandaloneMeasured, StandaloneSample};
pub use statistics::{CONFIDENCE, Interval, MAX_SAMPLES, median, outliers, paired_ratio, unpaired_ratio};
pub use trial::{Sample, Scenario};
pub use variant::{Setting, Sweep, Variant, variants};
