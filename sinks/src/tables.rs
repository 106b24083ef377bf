//! The tables: their schemas, and the rows that a record makes in each.
//!
//! The same rows go to every store that keeps rows, so that what Arrow IPC files hold
//! can be joined with what Lance tables hold.

mod chunks;
mod columns;
mod diagnostics;
pub(crate) mod extras;
mod files;
mod imports;
mod references;
mod rows;
mod schema;
mod symbols;
mod table;
pub(crate) mod views;

use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use gristmill_pipeline::{Epoch, ExtraType, Record};

pub(crate) use chunks::chunk_kind;
pub(crate) use columns::{ColumnError, Columns};
pub(crate) use diagnostics::severity;
pub(crate) use extras::ExtraReader;
pub(crate) use references::reference_kind;
pub(crate) use rows::Rows;
pub use schema::{ColumnClash, SCHEMA_VERSION, TableSchema, VectorForm};
pub use table::Table;

/// A record cannot be turned into rows.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The record lacks what the table needs.
    #[error("the record of `{path}` has no {missing}; connect the sink to a stage that gives them")]
    Missing {
        /// The record's path.
        path: Box<str>,
        /// What is missing.
        missing: &'static str,
    },
    /// A chunk lies outside the text.
    #[error("chunk {ordinal} of `{path}` lies outside the file's text or cuts a character")]
    OutOfText {
        /// The record's path.
        path: Box<str>,
        /// The chunk's index among the chunks of the file.
        ordinal: usize,
    },
    /// The number of vectors does not match the number of chunks.
    #[error("`{path}`: expected {expected} vector components, found {found}")]
    VectorLength {
        /// The record's path.
        path: Box<str>,
        /// Chunks × dimension.
        expected: usize,
        /// The number of components in the record.
        found: usize,
    },
    /// A value has another type than its extra column.
    #[error("column `{column}` of `{path}`: expected a value of type {expected:?}, found {found:?}; fix the operator")]
    ExtraType {
        /// The record's path.
        path: Box<str>,
        /// The extra column.
        column: Box<str>,
        /// The type that the operator declared for the column.
        expected: ExtraType,
        /// The type of the value that it gave.
        found: ExtraType,
    },
    /// The values of a row of a view do not match the view's columns.
    #[error("a row does not match the {columns} columns of view `{view}`")]
    View {
        /// The view's name.
        view: Box<str>,
        /// How many columns it has.
        columns: usize,
    },
    /// A column has a type that cannot be built from rows.
    #[error("cannot build a column of type {0} from rows")]
    Type(DataType),
    /// Arrow refused the columns.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

/// Appends the rows that a record makes in a table; returns how many there were.
pub(crate) fn append(record: &Record, epoch: Epoch, schema: &TableSchema, rows: &mut Rows) -> Result<usize, RowError> {
    let before = rows.len();
    match schema.table {
        Table::Files => files::append(record, epoch, schema, rows)?,
        Table::Chunks => chunks::append(record, epoch, schema, rows)?,
        Table::Symbols => symbols::append(record, epoch, rows),
        Table::References => references::append(record, epoch, rows),
        Table::Imports => imports::append(record, epoch, rows),
        Table::Diagnostics => diagnostics::append(record, epoch, rows),
        // Its rows follow from all records together, not from one.
        Table::View(_) => {}
    }
    Ok(rows.len() - before)
}
