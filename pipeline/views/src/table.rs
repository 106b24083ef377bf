//! What a view is outside of the fact plane: a table with a name and columns, and the
//! rows that an epoch adds to it and deletes from it.

use std::sync::Arc;

use gristmill_ids::{Fingerprint, Hash, Key};
use serde::{Deserialize, Serialize};

/// The type of a view's column. No column has nulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewType {
    /// UTF-8 text.
    Text,
    /// An unsigned 64-bit number.
    Number,
    /// A hash of 32 bytes.
    Hash,
}

/// A column of a view's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewColumn {
    /// Its name.
    pub name: Box<str>,
    /// Its type.
    pub kind: ViewType,
    /// What it holds, for the table's metadata.
    pub description: Box<str>,
}

impl ViewColumn {
    /// A column of text.
    #[must_use]
    pub fn text(name: &str, description: &str) -> Self {
        Self { name: name.into(), kind: ViewType::Text, description: description.into() }
    }

    /// A column of hashes.
    #[must_use]
    pub fn hash(name: &str, description: &str) -> Self {
        Self { name: name.into(), kind: ViewType::Hash, description: description.into() }
    }

    /// A column of numbers.
    #[must_use]
    pub fn number(name: &str, description: &str) -> Self {
        Self { name: name.into(), kind: ViewType::Number, description: description.into() }
    }
}

/// A view's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewSchema {
    /// The table's name, such as `edges`.
    pub name: Box<str>,
    /// What a row is, for the table's metadata.
    pub description: Box<str>,
    /// Its columns.
    pub columns: Vec<ViewColumn>,
    /// Hash of all that decides its rows but the facts. Where it changes, the table is
    /// made anew.
    pub fingerprint: Fingerprint,
}

/// A value of a view's row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViewValue {
    /// Text.
    Text(Arc<str>),
    /// A number.
    Number(u64),
    /// A hash.
    Hash(Hash),
}

/// A row of a view. A view is a set: no two rows are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewRow {
    /// Its values, one for each column.
    pub values: Vec<ViewValue>,
}

impl ViewRow {
    /// The key by which a store finds the row: a hash of all its values.
    #[must_use]
    pub fn key(&self) -> Key {
        let numbers: Vec<[u8; 8]> = self
            .values
            .iter()
            .map(|value| match value {
                ViewValue::Number(number) => number.to_le_bytes(),
                ViewValue::Text(_) | ViewValue::Hash(_) => [0; 8],
            })
            .collect();
        let parts = self.values.iter().zip(&numbers).map(|(value, number)| match value {
            ViewValue::Text(text) => text.as_bytes(),
            ViewValue::Number(_) => number.as_slice(),
            ViewValue::Hash(hash) => hash.as_bytes(),
        });
        Hash::of_parts(parts).key()
    }
}

/// What an epoch does to a view.
#[derive(Clone, Debug)]
pub struct ViewDelta {
    /// The view.
    pub schema: Arc<ViewSchema>,
    /// Whether the table starts from no rows; `removed` is then empty.
    pub replace: bool,
    /// Rows to delete.
    pub removed: Vec<ViewRow>,
    /// Rows to add.
    pub added: Vec<ViewRow>,
}
