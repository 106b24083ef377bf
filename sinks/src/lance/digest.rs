//! A table's content as one hash.

use arrow::array::{Array, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type, Int64Type, UInt32Type, UInt64Type};
use gristmill_pipeline::Hash;

/// Collects the hashes of rows, in any order.
#[derive(Default)]
pub(super) struct RowDigest {
    rows: Vec<Hash>,
    row: Vec<u8>,
}

/// A column has a type that digests do not cover.
#[derive(Debug, thiserror::Error)]
#[error("column `{0}` has type {1}, which digests do not cover")]
pub(super) struct NoDigest(String, DataType);

impl RowDigest {
    /// Adds the rows of a batch, with its columns in this order.
    pub fn add(&mut self, batch: &RecordBatch, columns: &[&str]) -> Result<(), NoDigest> {
        let schema = batch.schema();
        let columns: Vec<&dyn Array> =
            columns.iter().filter_map(|name| Some(batch.column_by_name(name)?.as_ref())).collect();
        for row in 0..batch.num_rows() {
            self.row.clear();
            for (nth, column) in columns.iter().enumerate() {
                if !write(*column, row, &mut self.row) {
                    return Err(NoDigest(schema.field(nth).name().clone(), column.data_type().clone()));
                }
            }
            self.rows.push(Hash::of(&self.row));
        }
        Ok(())
    }

    /// The hash over all rows, independent of their order.
    pub fn finish(mut self) -> Hash {
        self.rows.sort_unstable();
        Hash::of_parts(self.rows.iter().map(|hash| hash.as_bytes().as_slice()))
    }
}

/// Appends an unambiguous encoding of one value; returns false for a type that has none.
fn write(column: &dyn Array, row: usize, out: &mut Vec<u8>) -> bool {
    if column.is_null(row) {
        out.push(0);
        return true;
    }
    out.push(1);
    match column.data_type() {
        DataType::Utf8 => write_sized(column.as_string::<i32>().value(row).as_bytes(), out),
        DataType::FixedSizeBinary(_) => write_sized(column.as_fixed_size_binary().value(row), out),
        DataType::UInt32 => out.extend(column.as_primitive::<UInt32Type>().value(row).to_le_bytes()),
        DataType::UInt64 => out.extend(column.as_primitive::<UInt64Type>().value(row).to_le_bytes()),
        DataType::Int64 => out.extend(column.as_primitive::<Int64Type>().value(row).to_le_bytes()),
        DataType::Float64 => out.extend(column.as_primitive::<Float64Type>().value(row).to_bits().to_le_bytes()),
        DataType::Boolean => out.push(u8::from(column.as_boolean().value(row))),
        DataType::FixedSizeList(..) => {
            let list = column.as_fixed_size_list().value(row);
            out.extend((list.len() as u64).to_le_bytes());
            if let Some(values) = list.as_primitive_opt::<Float32Type>() {
                out.extend(values.values().iter().flat_map(|value| value.to_bits().to_le_bytes()));
            } else if let Some(values) = list.as_primitive_opt::<Float16Type>() {
                out.extend(values.values().iter().flat_map(|value| value.to_bits().to_le_bytes()));
            } else {
                return false;
            }
        }
        _ => return false,
    }
    true
}

fn write_sized(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}
