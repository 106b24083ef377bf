//! Reading typed columns out of a record batch by name.

use arrow::array::{Array, AsArray as _, FixedSizeBinaryArray, PrimitiveArray, RecordBatch, StringArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType};
use gristmill_pipeline::Hash;

/// A column is not there, or of another type.
#[derive(Debug, thiserror::Error)]
#[error("the table has no column `{name}` of type {expected}; rebuild the index")]
pub struct ColumnError {
    name: Box<str>,
    expected: Box<str>,
}

/// The columns of a batch, by name.
pub(crate) struct Columns<'a>(pub &'a RecordBatch);

impl<'a> Columns<'a> {
    fn get<T>(
        &self,
        name: &str,
        expected: &str,
        cast: impl FnOnce(&'a dyn Array) -> Option<&'a T>,
    ) -> Result<&'a T, ColumnError> {
        self.0
            .column_by_name(name)
            .and_then(|array| cast(array.as_ref()))
            .ok_or_else(|| ColumnError { name: name.into(), expected: expected.into() })
    }

    pub fn text(&self, name: &str) -> Result<&'a StringArray, ColumnError> {
        self.get(name, "Utf8", |array| array.as_string_opt::<i32>())
    }

    pub fn numbers<T: ArrowPrimitiveType>(&self, name: &str) -> Result<&'a PrimitiveArray<T>, ColumnError> {
        self.get(name, &T::DATA_TYPE.to_string(), |array| array.as_primitive_opt::<T>())
    }

    pub fn hashes(&self, name: &str) -> Result<Hashes<'a>, ColumnError> {
        self.get(name, "FixedSizeBinary(32)", |array| {
            (*array.data_type() == DataType::FixedSizeBinary(32)).then(|| array.as_fixed_size_binary_opt())?
        })
        .map(Hashes)
    }

    /// The components of the vectors, one vector after the other, and their dimension.
    pub fn vectors(&self, name: &str) -> Result<(&'a [f32], usize), ColumnError> {
        let list = self.get(name, "FixedSizeList(Float32)", |array| array.as_fixed_size_list_opt())?;
        let dimension = usize::try_from(list.value_length()).unwrap_or_default();
        let values = list.values().as_primitive_opt::<arrow::datatypes::Float32Type>();
        let range = list.offset() * dimension..(list.offset() + list.len()) * dimension;
        values
            .and_then(|values| values.values().get(range))
            .map(|values| (values, dimension))
            .ok_or_else(|| ColumnError { name: name.into(), expected: "FixedSizeList(Float32)".into() })
    }
}

/// A column of hashes.
#[derive(Clone, Copy)]
pub(crate) struct Hashes<'a>(&'a FixedSizeBinaryArray);

impl Hashes<'_> {
    pub fn value(&self, row: usize) -> Hash {
        let mut bytes = [0; 32];
        // The type was checked to be 32 bytes wide.
        bytes.copy_from_slice(self.0.value(row));
        Hash::from_bytes(bytes)
    }
}
