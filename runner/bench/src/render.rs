//! Results for people and programs: tables for terminals, CSV, and a page.

mod csv;
mod html;
mod table;

pub use csv::csv;
pub use html::html;
pub use table::{comparisons, stages, standalone, summary};
