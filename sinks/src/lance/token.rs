//! What a token says about each table.

use gristmill_pipeline::Token;
use serde::{Deserialize, Serialize};

use super::metric::VectorMetric;
use super::vector_index::VectorIndexKind;
use crate::tables::Table;

/// The state of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct TableState {
    /// Lance's version.
    pub version: u64,
    /// Rows that it has.
    pub rows: u64,
    /// The key runs, which find rows by their keys.
    pub keys: Vec<String>,
    /// How its vectors are searched, if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors: Option<VectorState>,
}

/// How the vectors of a table are searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VectorState {
    /// By what vectors are compared.
    pub metric: VectorMetric,
    /// The index that this version of the table has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<VectorIndexKind>,
}

impl VectorState {
    /// What a token says about a table. Tokens of older versions of this program say nothing:
    /// they wrote no index.
    pub fn of(token: &Token, table: &Table) -> Self {
        let state = token.get(table.as_str()).and_then(|state| Self::deserialize(state.get("vectors")?).ok());
        state.unwrap_or(Self { metric: VectorMetric::default(), index: None })
    }
}

/// The version of a table that a token names.
pub(super) fn version_of(token: &Token, table: &Table) -> Option<u64> {
    token.get(table.as_str())?.get("version")?.as_u64()
}

/// The rows of a table that a token names.
pub(super) fn rows_of(token: &Token, table: &Table) -> Option<u64> {
    token.get(table.as_str())?.get("rows")?.as_u64()
}

/// The key runs of a table that a token names. Tokens of older versions of this program name
/// none.
pub(super) fn keys_of<'a>(token: &'a Token, table: &Table) -> Vec<&'a str> {
    let names = token.get(table.as_str()).and_then(|state| state.get("keys")?.as_array());
    names.into_iter().flatten().filter_map(Token::as_str).collect()
}

/// The tables that a token names.
pub(super) fn tables_of(token: &Token) -> impl Iterator<Item = Table> + '_ {
    token.as_object().into_iter().flat_map(|tables| tables.keys()).map(|name| Table::named(name))
}
