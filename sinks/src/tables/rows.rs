//! Building a record batch from rows.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, FixedSizeBinaryArray, FixedSizeListArray, Float16Array, Float32Array, Float64Builder,
    Int64Builder, RecordBatch, StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use gristmill_pipeline::{ExtraValue, Hash};
use half::f16;

use super::{RowError, TableSchema};

/// Buffers rows of one table for a record batch.
pub(crate) struct Rows {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

/// The values of one column.
enum Column {
    Text(StringBuilder),
    Small(UInt32Builder),
    Large(UInt64Builder),
    Integer(Int64Builder),
    Float(Float64Builder),
    Flag(BooleanBuilder),
    /// Hashes, one after the other.
    Hash(Vec<u8>),
    /// Vectors, one after the other.
    Vector {
        values: Vec<f32>,
        item: FieldRef,
        dimension: i32,
    },
}

impl Rows {
    pub fn new(schema: &TableSchema) -> Result<Self, RowError> {
        let columns = schema.arrow.fields().iter().map(|field| Column::new(field.data_type()));
        Ok(Self { schema: Arc::clone(&schema.arrow), columns: columns.collect::<Result<_, _>>()?, rows: 0, bytes: 0 })
    }

    /// The table's schema.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Their approximate size in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Begins a row. Its values must follow in the order of the columns; if one is missing or has
    /// another type, [`take`](Self::take) fails.
    pub fn row(&mut self) -> Row<'_> {
        self.rows += 1;
        Row { columns: self.columns.iter_mut(), bytes: &mut self.bytes }
    }

    /// Takes all rows as a record batch.
    pub fn take(&mut self) -> Result<RecordBatch, RowError> {
        (self.rows, self.bytes) = (0, 0);
        let columns = self.columns.iter_mut().map(Column::finish).collect::<Result<Vec<_>, _>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

impl Column {
    fn new(data_type: &DataType) -> Result<Self, RowError> {
        Ok(match data_type {
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::UInt32 => Self::Small(UInt32Builder::new()),
            DataType::UInt64 => Self::Large(UInt64Builder::new()),
            DataType::Int64 => Self::Integer(Int64Builder::new()),
            DataType::Float64 => Self::Float(Float64Builder::new()),
            DataType::Boolean => Self::Flag(BooleanBuilder::new()),
            DataType::FixedSizeBinary(32) => Self::Hash(Vec::new()),
            DataType::FixedSizeList(item, dimension) => {
                Self::Vector { values: Vec::new(), item: Arc::clone(item), dimension: *dimension }
            }
            other => return Err(RowError::Type(other.clone())),
        })
    }

    fn finish(&mut self) -> Result<ArrayRef, RowError> {
        Ok(match self {
            Self::Text(values) => Arc::new(values.finish()),
            Self::Small(values) => Arc::new(values.finish()),
            Self::Large(values) => Arc::new(values.finish()),
            Self::Integer(values) => Arc::new(values.finish()),
            Self::Float(values) => Arc::new(values.finish()),
            Self::Flag(values) => Arc::new(values.finish()),
            Self::Hash(values) => {
                Arc::new(FixedSizeBinaryArray::try_new(32, Buffer::from(std::mem::take(values)), None)?)
            }
            Self::Vector { values, item, dimension } => {
                let values = std::mem::take(values);
                let values: ArrayRef = match item.data_type() {
                    DataType::Float16 => Arc::new(Float16Array::from_iter_values(values.into_iter().map(rounded))),
                    _ => Arc::new(Float32Array::from(values)),
                };
                Arc::new(FixedSizeListArray::try_new(Arc::clone(item), *dimension, values, None)?)
            }
        })
    }
}

/// Rounds to 16 bits; saturates, since an infinite component has no distance to others.
fn rounded(value: f32) -> f16 {
    f16::from_f32(value.clamp(f16::MIN.to_f32(), f16::MAX.to_f32()))
}

/// A row being written, value by value.
pub(crate) struct Row<'a> {
    columns: std::slice::IterMut<'a, Column>,
    bytes: &'a mut usize,
}

impl Row<'_> {
    pub fn text(mut self, value: &str) -> Self {
        if let Some(Column::Text(values)) = self.columns.next() {
            values.append_value(value);
        }
        *self.bytes += value.len() + size_of::<i32>();
        self
    }

    pub fn small(self, value: u32) -> Self {
        self.small_or_none(Some(value))
    }

    pub fn small_or_none(mut self, value: Option<u32>) -> Self {
        if let Some(Column::Small(values)) = self.columns.next() {
            values.append_option(value);
        }
        *self.bytes += size_of::<u32>();
        self
    }

    /// A count. A file has fewer than `u32::MAX` chunks and definitions, since spans are `u32`.
    pub fn count(self, value: usize) -> Self {
        self.small(u32::try_from(value).unwrap_or(u32::MAX))
    }

    pub fn large(mut self, value: u64) -> Self {
        if let Some(Column::Large(values)) = self.columns.next() {
            values.append_value(value);
        }
        *self.bytes += size_of::<u64>();
        self
    }

    pub fn flag(mut self, value: bool) -> Self {
        if let Some(Column::Flag(values)) = self.columns.next() {
            values.append_value(value);
        }
        *self.bytes += 1;
        self
    }

    pub fn hash(mut self, value: &Hash) -> Self {
        if let Some(Column::Hash(values)) = self.columns.next() {
            values.extend_from_slice(value.as_bytes());
        }
        *self.bytes += value.as_bytes().len();
        self
    }

    pub fn vector(mut self, value: &[f32]) -> Self {
        if let Some(Column::Vector { values, .. }) = self.columns.next() {
            values.extend_from_slice(value);
        }
        *self.bytes += size_of_val(value);
        self
    }

    /// A value of an extra column, or a null.
    pub fn extra(mut self, value: Option<&ExtraValue>) -> Self {
        *self.bytes += size_of::<u64>();
        match (self.columns.next(), value) {
            (Some(Column::Text(values)), Some(ExtraValue::Text(text))) => {
                values.append_value(text);
                *self.bytes += text.len();
            }
            (Some(Column::Integer(values)), Some(ExtraValue::Integer(number))) => values.append_value(*number),
            (Some(Column::Float(values)), Some(ExtraValue::Float(number))) => values.append_value(*number),
            (Some(Column::Flag(values)), Some(ExtraValue::Boolean(value))) => values.append_value(*value),
            (Some(Column::Text(values)), None) => values.append_null(),
            (Some(Column::Integer(values)), None) => values.append_null(),
            (Some(Column::Float(values)), None) => values.append_null(),
            (Some(Column::Flag(values)), None) => values.append_null(),
            // The column stays short, so that `take` fails.
            (Some(_) | None, _) => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Table;

    #[test]
    fn a_row_that_does_not_fit_the_columns_is_refused() {
        let schema = TableSchema::new(Table::Imports, None);
        let hash = Hash::of(b"");
        let mut rows = Rows::new(&schema).expect("every column can be gathered");
        rows.row().text("a").text("rust").text("std").text("").text("").small(1).count(0).hash(&hash).large(1);
        assert_eq!((rows.len(), rows.take().expect("it fits").num_rows()), (1, 1));
        rows.row().text("a").text("rust");
        assert!(rows.take().is_err(), "it is short");
        rows.row().text("a").small(1).text("std").text("").text("").small(1).count(0).hash(&hash).large(1);
        assert!(rows.take().is_err(), "its language is a number");
    }
}
