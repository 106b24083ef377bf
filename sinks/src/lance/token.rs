//! What a token says about each table.

use gristmill_pipeline::Token;

use crate::tables::Table;

/// The version of a table that a token names.
pub(super) fn version_of(token: &Token, table: &Table) -> Option<u64> {
    token.get(table.as_str())?.get("version")?.as_u64()
}

/// The rows of a table that a token names.
pub(super) fn rows_of(token: &Token, table: &Table) -> Option<u64> {
    token.get(table.as_str())?.get("rows")?.as_u64()
}

/// The tables that a token names.
pub(super) fn tables_of(token: &Token) -> impl Iterator<Item = Table> + '_ {
    token.as_object().into_iter().flat_map(|tables| tables.keys()).map(|name| Table::named(name))
}
