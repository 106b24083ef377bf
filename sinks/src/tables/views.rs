//! Rows of the tables of views.

use arrow::array::RecordBatch;
use arrow::datatypes::UInt64Type;
use gristmill_pipeline::{Epoch, ViewRow, ViewSchema, ViewType, ViewValue};

use super::{ColumnError, Columns, RowError, Rows};

/// Appends a row of a view.
pub(crate) fn append(view: &ViewRow, epoch: Epoch, rows: &mut Rows) {
    let mut row = rows.row();
    for value in &view.values {
        row = match value {
            ViewValue::Text(text) => row.text(text),
            ViewValue::Number(number) => row.large(*number),
            ViewValue::Hash(hash) => row.hash(hash),
        };
    }
    row.large(epoch.get());
}

/// Fails unless the row's values fit the view's columns.
pub(crate) fn check(schema: &ViewSchema, row: &ViewRow) -> Result<(), RowError> {
    let fits = |(value, kind): (&ViewValue, ViewType)| {
        matches!(
            (value, kind),
            (ViewValue::Text(_), ViewType::Text)
                | (ViewValue::Number(_), ViewType::Number)
                | (ViewValue::Hash(_), ViewType::Hash)
        )
    };
    let kinds = schema.columns.iter().map(|column| column.kind);
    if row.values.len() == schema.columns.len() && row.values.iter().zip(kinds).all(fits) {
        return Ok(());
    }
    Err(RowError::View { view: schema.name.clone(), columns: schema.columns.len() })
}

/// The rows of a batch of a view's table.
pub(crate) fn read(schema: &ViewSchema, batch: &RecordBatch) -> Result<Vec<ViewRow>, ColumnError> {
    let mut rows = vec![ViewRow { values: Vec::with_capacity(schema.columns.len()) }; batch.num_rows()];
    let columns = Columns(batch);
    for column in &schema.columns {
        match column.kind {
            ViewType::Text => {
                let texts = columns.text(&column.name)?;
                let values = (0..batch.num_rows()).map(|row| ViewValue::Text(texts.value(row).into()));
                rows.iter_mut().zip(values).for_each(|(row, value)| row.values.push(value));
            }
            ViewType::Hash => {
                let hashes = columns.hashes(&column.name)?;
                let values = (0..batch.num_rows()).map(|row| ViewValue::Hash(hashes.value(row)));
                rows.iter_mut().zip(values).for_each(|(row, value)| row.values.push(value));
            }
            ViewType::Number => {
                let numbers = columns.numbers::<UInt64Type>(&column.name)?;
                let values = numbers.values().iter().map(|number| ViewValue::Number(*number));
                rows.iter_mut().zip(values).for_each(|(row, value)| row.values.push(value));
            }
        }
    }
    Ok(rows)
}
