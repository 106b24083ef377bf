//! Reading typed columns out of a record batch by name.

use std::borrow::Cow;

use arrow::array::{Array, AsArray as _, FixedSizeBinaryArray, PrimitiveArray, RecordBatch, StringArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float16Type, Float32Type};
use gristmill_pipeline::Hash;
use half::f16;

/// A column is missing, or has another type.
#[derive(Debug, thiserror::Error)]
#[error("the table has no column `{name}` of type {expected}; rebuild the index")]
pub struct ColumnError {
    name: Box<str>,
    expected: Box<str>,
}

/// The columns of a batch, by name.
pub(crate) struct Columns<'a>(pub &'a RecordBatch);

impl<'a> Columns<'a> {
    pub(super) fn get<T>(
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
    /// Components stored in 16 bits are returned in 32.
    pub fn vectors(&self, name: &str) -> Result<(Cow<'a, [f32]>, usize), ColumnError> {
        const EXPECTED: &str = "FixedSizeList(Float32 or Float16)";
        let list = self.get(name, EXPECTED, |array| array.as_fixed_size_list_opt())?;
        let dimension = usize::try_from(list.value_length()).unwrap_or_default();
        let range = list.offset() * dimension..(list.offset() + list.len()) * dimension;
        let values = list.values();
        let values = if let Some(values) = values.as_primitive_opt::<Float32Type>() {
            values.values().get(range).map(Cow::Borrowed)
        } else if let Some(values) = values.as_primitive_opt::<Float16Type>() {
            let widened = |values: &[f16]| values.iter().map(|value| value.to_f32()).collect();
            values.values().get(range).map(widened).map(Cow::Owned)
        } else {
            None
        };
        let values = values.ok_or_else(|| ColumnError { name: name.into(), expected: EXPECTED.into() })?;
        Ok((values, dimension))
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
