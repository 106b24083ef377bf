//! The keys of rows that a table already holds.

use arrow::array::RecordBatch;
use gristmill_pipeline::{Key, ViewRow, row_key};

use super::KeyKind;
use crate::tables::{ColumnError, Columns, TableSchema, views};

impl KeyKind {
    /// The columns that the keys are computed from.
    pub fn columns(self, schema: &TableSchema) -> Vec<&str> {
        match (self, &schema.view) {
            (Self::Rows, None) => vec!["path", "content_hash"],
            (Self::Rows, Some(view)) => view.columns.iter().map(|column| &*column.name).collect(),
            (Self::Hashes, _) => vec!["chunk_hash"],
            (Self::Contents, _) => vec!["content_hash"],
        }
    }
}

/// The key of each row of a batch.
pub(in crate::lance) fn keys_of(
    kind: KeyKind,
    schema: &TableSchema,
    batch: &RecordBatch,
) -> Result<Vec<Key>, ColumnError> {
    let columns = Columns(batch);
    let hashes = |name| {
        let hashes = columns.hashes(name)?;
        Ok((0..batch.num_rows()).map(|row| hashes.value(row).key()).collect())
    };
    match (kind, &schema.view) {
        (KeyKind::Hashes, _) => hashes("chunk_hash"),
        (KeyKind::Contents, _) => hashes("content_hash"),
        (KeyKind::Rows, Some(view)) => Ok(views::read(view, batch)?.iter().map(ViewRow::key).collect()),
        (KeyKind::Rows, None) => {
            let (paths, contents) = (columns.text("path")?, columns.hashes("content_hash")?);
            // The rows of a path lie together, and have one key.
            let mut last = None;
            let keys = (0..batch.num_rows()).map(|row| {
                let names = (paths.value(row), contents.value(row));
                match last {
                    Some((of, key)) if of == names => key,
                    _ => {
                        let key = row_key(names.0, &names.1).into();
                        last = Some((names, key));
                        key
                    }
                }
            });
            Ok(keys.collect())
        }
    }
}
