//! Columns that an operator adds to tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The rows that an extra column belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExtraOwner {
    /// Rows of files: values are those of [`Content::extras`](crate::port::Content::extras)
    /// and [`Syntax::extras`](crate::port::Syntax::extras).
    Files,
    /// Rows of chunks: values are those of [`Chunk::extras`](crate::port::Chunk::extras).
    Chunks,
}

/// The type of an extra column. A row without a value holds a null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExtraType {
    /// UTF-8 text (Arrow `Utf8`).
    Text,
    /// A signed integer of 64 bits (Arrow `Int64`).
    Integer,
    /// A float of 64 bits (Arrow `Float64`).
    Float,
    /// A truth value (Arrow `Boolean`).
    Boolean,
}

impl ExtraType {
    /// Returns the name, such as `integer`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
        }
    }
}

/// A column that an operator adds to the rows of files or chunks. Sinks store it beside
/// their own columns. Setting a value without declaring its column, or of another type than
/// declared, is an error that ends the epoch.
///
/// The names and types of an operator's columns are part of what it is: they must be covered
/// by its [fingerprint](crate::Operator::fingerprint).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraColumn {
    /// The rows that it belongs to.
    pub owner: ExtraOwner,
    /// Its name: lower-case letters, digits and `_`, beginning with a letter. Two columns of
    /// the same rows must not have the same name.
    pub name: Box<str>,
    /// Its type.
    pub kind: ExtraType,
    /// What it holds, for the table's metadata.
    pub description: Box<str>,
}

/// A value of an extra column.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ExtraValue {
    /// A truth value.
    Boolean(bool),
    /// A signed integer.
    Integer(i64),
    /// A float.
    Float(f64),
    /// Text.
    Text(Arc<str>),
}

impl ExtraValue {
    /// The type of column that holds it.
    #[must_use]
    pub const fn kind(&self) -> ExtraType {
        match self {
            Self::Boolean(_) => ExtraType::Boolean,
            Self::Integer(_) => ExtraType::Integer,
            Self::Float(_) => ExtraType::Float,
            Self::Text(_) => ExtraType::Text,
        }
    }
}

/// Floats are compared by their bits, so that a value that is stored equals itself.
impl PartialEq for ExtraValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Boolean(left), Self::Boolean(right)) => left == right,
            (Self::Integer(left), Self::Integer(right)) => left == right,
            (Self::Float(left), Self::Float(right)) => left.to_bits() == right.to_bits(),
            (Self::Text(left), Self::Text(right)) => left == right,
            _ => false,
        }
    }
}

impl Eq for ExtraValue {}

impl From<bool> for ExtraValue {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for ExtraValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for ExtraValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for ExtraValue {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for ExtraValue {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

/// Values of extra columns, by name. Without any it allocates nothing.
///
/// ```
/// use gristmill_pipeline::{ExtraValue, Extras};
///
/// let mut extras = Extras::default();
/// extras.set("licence", "MIT");
/// assert_eq!(extras.get("licence"), Some(&ExtraValue::from("MIT")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras(BTreeMap<Box<str>, ExtraValue>);

impl Extras {
    /// Sets the value of a column.
    pub fn set(&mut self, column: &str, value: impl Into<ExtraValue>) {
        self.0.insert(column.into(), value.into());
    }

    /// Removes the value of a column.
    pub fn remove(&mut self, column: &str) {
        self.0.remove(column);
    }

    /// The value of a column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&ExtraValue> {
        self.0.get(column)
    }

    /// All values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ExtraValue)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Takes over the values of `other`, which win.
    pub fn extend(&mut self, other: &Self) {
        for (name, value) in other.iter() {
            self.set(name, value.clone());
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
