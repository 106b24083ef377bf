//! The fact plane: who has what, kept by a timely + differential dataflow.
//!
//! Facts are hashes and small numbers, never text. Changes go in; what comes out is work
//! to do (contents to analyse, passages to embed), rows to add or delete, and what views
//! gained and lost:
//!
//! ```text
//!  (content, path) ──┬─► least path of each content ─► without those analysed ─► contents to analyse
//!                    ├─► ⋈ analysed contents ────────────────────────────────► rows (path, content) ±
//!                    ├─► ⋈ (content, chunk) ─► distinct over header and body ─► passages ±
//!                    ├─► ⋈ (content, definition | reference | outline) ─┐
//!  (path, folder | module | mark) ──────────────────────────────────────┼─► views ±
//!  (row, import) ───────────────────────────────────────────────────────┘
//!  facts of contents and rows that nothing holds any more ─────────────────────► facts to forget
//! ```
//!
//! All outputs are differences: a passage shows up once however many chunks of however
//! many files hold it, and a rename shows up as rows alone.
//!
//! An epoch takes several *rounds*, each a tick of the dataflow's clock: the Merkle diff
//! enters with the first, and facts enter as contents are analysed, so that embedding and
//! writing go on while parsing does. The paths of an epoch enter with its first round and
//! a content's facts enter at once, hence no row that a round adds is taken back by a
//! later one (but for a file that changes under the reader: see [`Facts::files`]). Derived
//! relations do take back what they gave within an epoch: their deltas count when it is over.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod chain;
mod dataflow;
mod derived;
mod facts;
mod plane;

/// What derived relations are written in.
pub use differential_dataflow::{self, VecCollection};
pub use timely;

pub use chain::{ChainKey, MAX_THEN, NameChain, ShortName, short_name, short_names};
pub use dataflow::{Tick, distinct};
pub use derived::{Cell, Derive, FactRow, LiveFacts};
pub use facts::{
    ChunkFact, ContentFact, DeclaredFact, DefinitionFact, Deltas, Difference, Facts, ImportFact, LeadFact, LeadKind,
    OutlineFact, PassageId, PassageIdentity, PassageLane, PathFact, Place, ReferenceFact, Root, RowFact, ScopeFact,
    UseKind,
};
#[doc(hidden)]
pub use plane::Broken;
pub use plane::{FactPlane, PlaneConfig, PlaneError};
