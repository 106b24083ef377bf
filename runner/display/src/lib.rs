//! Tables, numbers, sizes, times and percentiles as people read them.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod percentile;
mod table;
mod units;

pub use percentile::percentile;
pub use table::{TextCell, TextTable};
pub use units::{bytes, milliseconds, seconds, thousands, utc};
