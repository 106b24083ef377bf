//! Formats tables, numbers, sizes and times for people, and escapes text for HTML pages.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod html;
mod percentile;
mod table;
mod units;

pub use html::escaped;
pub use percentile::percentile;
pub use table::{TextCell, TextTable};
pub use units::{bytes, milliseconds, seconds, thousands, utc};
