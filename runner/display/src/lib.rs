//! Formats tables, numbers, sizes and times for people.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod percentile;
mod table;
mod units;

pub use percentile::percentile;
pub use table::{TextCell, TextTable};
pub use units::{bytes, milliseconds, seconds, thousands, utc};
