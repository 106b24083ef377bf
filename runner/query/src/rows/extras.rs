//! The resident extra columns of the tables `files` and `chunks`.

use std::cmp::Ordering;

use arrow::array::{Array as _, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use gristmill_pipeline::{ExtraColumn, ExtraType, ExtraValue, SinkError};

use super::Columns;

/// The values of an extra column in the rows of a fragment.
pub enum ExtraValues {
    /// Text.
    Text(StringArray),
    /// Signed integers.
    Integer(Int64Array),
    /// Floats.
    Float(Float64Array),
    /// Truth values.
    Boolean(BooleanArray),
}

impl ExtraValues {
    /// Takes the values from a batch.
    pub(crate) fn of(column: &ExtraColumn, batch: &RecordBatch) -> Result<Self, SinkError> {
        let columns = Columns(batch);
        Ok(match column.kind {
            ExtraType::Text => Self::Text(columns.text(&column.name)?),
            ExtraType::Integer => Self::Integer(columns.number(&column.name)?),
            ExtraType::Float => Self::Float(columns.number(&column.name)?),
            ExtraType::Boolean => Self::Boolean(columns.other(&column.name)?),
        })
    }

    /// Compares the value of a row with another value. Returns `None` if the row has no value, the
    /// types differ, or either value is not a number.
    #[must_use]
    pub fn compare(&self, row: usize, with: &ExtraValue) -> Option<Ordering> {
        match (self, with) {
            (Self::Text(values), ExtraValue::Text(with)) => values.is_valid(row).then(|| values.value(row).cmp(with)),
            (Self::Integer(values), ExtraValue::Integer(with)) => {
                values.is_valid(row).then(|| values.value(row).cmp(with))
            }
            (Self::Float(values), ExtraValue::Float(with)) => {
                values.is_valid(row).then(|| values.value(row).partial_cmp(with))?
            }
            (Self::Boolean(values), ExtraValue::Boolean(with)) => {
                values.is_valid(row).then(|| values.value(row).cmp(with))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_compared_within_its_type() {
        let texts = ExtraValues::Text(StringArray::from(vec![Some("MIT"), None]));
        assert_eq!(texts.compare(0, &"MIT".into()), Some(Ordering::Equal));
        assert_eq!(texts.compare(0, &"Apache".into()), Some(Ordering::Greater));
        assert_eq!(texts.compare(1, &"".into()), None, "a row without a value");
        assert_eq!(texts.compare(0, &1_i64.into()), None, "a value of another type");
        let floats = ExtraValues::Float(Float64Array::from(vec![-0.0, f64::NAN]));
        assert_eq!(floats.compare(0, &0.0.into()), Some(Ordering::Equal));
        assert_eq!(floats.compare(1, &f64::NAN.into()), None);
        let numbers = ExtraValues::Integer(Int64Array::from(vec![i64::MIN]));
        assert_eq!(numbers.compare(0, &0_i64.into()), Some(Ordering::Less));
        let flags = ExtraValues::Boolean(BooleanArray::from(vec![true]));
        assert_eq!(flags.compare(0, &true.into()), Some(Ordering::Equal));
    }
}
