//! The tables: their schemas, and the rows that a record makes in each.
//!
//! The same rows go to every store that keeps rows, so that what Arrow IPC files hold
//! can be joined with what Lance tables hold.

mod chunks;
mod columns;
mod diagnostics;
mod files;
mod schema;
mod symbols;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use gristmill_pipeline::{Epoch, Record};

pub(crate) use chunks::{ChunkRows, chunk_kind};
pub(crate) use columns::{ColumnError, Columns};
pub(crate) use diagnostics::{DiagnosticRows, severity};
pub(crate) use files::FileRows;
pub(crate) use schema::column;
pub use schema::{SCHEMA_VERSION, Table, TableSchema};
pub(crate) use symbols::SymbolRows;

/// A record could not be turned into rows.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The record lacks what the table needs.
    #[error("the record of `{path}` has no {missing}; connect the sink to a stage that gives them")]
    Missing {
        /// The record's path.
        path: Box<str>,
        /// What it lacks.
        missing: &'static str,
    },
    /// A chunk lies outside the text.
    #[error("chunk {ordinal} of `{path}` lies outside the file's text or cuts a character")]
    OutOfText {
        /// The record's path.
        path: Box<str>,
        /// The chunk's place among the chunks of the file.
        ordinal: usize,
    },
    /// The vectors do not fit the chunks.
    #[error("`{path}` has {found} vector components where {expected} are needed")]
    VectorLength {
        /// The record's path.
        path: Box<str>,
        /// Chunks × dimension.
        expected: usize,
        /// Components that came.
        found: usize,
    },
    /// Arrow refused the columns.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

/// Rows of one table being gathered into a record batch.
pub(crate) trait Rows: Send + Sync {
    /// The table's schema.
    fn schema(&self) -> &SchemaRef;

    /// Appends the rows of a record, and says how many there were.
    fn append(&mut self, record: &Record, epoch: Epoch) -> Result<usize, RowError>;

    /// Rows gathered.
    fn rows(&self) -> usize;

    /// About how many bytes they take.
    fn bytes(&self) -> usize;

    /// Takes what was gathered, leaving nothing.
    fn take(&mut self) -> Result<RecordBatch, RowError>;
}

/// What gathers the rows of a table.
pub(crate) fn rows_of(schema: &TableSchema) -> Box<dyn Rows> {
    match schema.table {
        Table::Files => Box::new(FileRows::new(schema)),
        Table::Chunks => Box::new(ChunkRows::new(schema)),
        Table::Symbols => Box::new(SymbolRows::new(schema)),
        Table::Diagnostics => Box::new(DiagnosticRows::new(schema)),
    }
}
