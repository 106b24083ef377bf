//! Sources: where files come from.

mod directory;
mod sensitive;

pub use directory::{DirectorySource, Scan, ScanMeasures, SourceError};
pub use sensitive::is_sensitive;
