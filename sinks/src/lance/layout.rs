//! The tables that a store has, given its inputs.

use std::sync::Arc;

use gristmill_pipeline::port::Port;
use gristmill_pipeline::{Record, SinkContext, SinkError};

use super::location::Location;
use super::table::TableLayout;
use super::{LanceConfig, session};
use crate::sink_error::{WrapErr as _, sink_error};
use crate::tables::{Table, TableSchema};

const ACTION: &str = "cannot lay out its tables";

/// The tables of a store, not open yet.
pub(super) fn layouts(config: &LanceConfig, context: &SinkContext) -> Result<Vec<TableLayout>, SinkError> {
    let takes_vectors = context.inputs.contains(&Port::Vectors);
    if takes_vectors && context.dimension.is_none_or(|dimension| i32::try_from(dimension).is_err()) {
        let cause = "an input of vectors needs their dimension; does the embed stage give one?";
        return Err(sink_error(&context.name, ACTION, cause));
    }
    let dimension = context.dimension.filter(|_| takes_vectors);
    let session = Arc::new(session());
    let mut schemas = Vec::new();
    for table in tables(&context.inputs) {
        let schema = TableSchema::new(table, dimension).with_vectors(config.vectors).with_extras(&context.columns);
        schemas.push(schema.wrap_err(&context.name, ACTION)?);
    }
    schemas.extend(view_schemas(context)?);
    let layout = |schema: TableSchema| TableLayout {
        location: Location::new(&context.folder, &schema.table),
        session: Arc::clone(&session),
        config: config.clone(),
        memory_limit: context.memory_limit,
        past_files: context.past_files.clone(),
        schema,
    };
    Ok(schemas.into_iter().map(layout).collect())
}

/// How many rows a store with these inputs makes of a record.
pub(super) fn rows_of(inputs: &[Port], record: &Record) -> u64 {
    let rows = |table| match table {
        Table::Files => 1,
        Table::Chunks => record.chunks.as_ref().map_or(0, |chunks| chunks.chunks.len()),
        Table::Symbols => record.analysis.definitions.len(),
        Table::References => record.analysis.references.len(),
        Table::Imports => record.analysis.imports.len(),
        Table::Diagnostics => record.analysis.diagnostics.len(),
        Table::View(_) => 0,
    };
    tables(inputs).map(|table| rows(table) as u64).sum()
}

/// The tables of records of a store with these inputs.
fn tables(inputs: &[Port]) -> impl Iterator<Item = Table> + '_ {
    Table::OF_RECORDS.into_iter().filter(|table| match table {
        Table::Symbols | Table::References | Table::Imports => inputs.contains(&Port::Syntax),
        Table::Chunks => inputs.contains(&Port::Chunks) || inputs.contains(&Port::Vectors),
        Table::Files | Table::Diagnostics | Table::View(_) => true,
    })
}

/// The tables of views, each of which needs a name of its own.
fn view_schemas(context: &SinkContext) -> Result<Vec<TableSchema>, SinkError> {
    let mut schemas: Vec<TableSchema> = Vec::with_capacity(context.views.len());
    for view in &context.views {
        let refused = |why: &str| {
            let cause = format!("the name of view `{}` {why}; give the view another name", view.name);
            sink_error(&context.name, ACTION, cause)
        };
        if !matches!(Table::named(&view.name), Table::View(_)) {
            return Err(refused("is that of another table"));
        }
        if schemas.iter().any(|schema| schema.table.as_str() == &*view.name) {
            return Err(refused("is that of another view"));
        }
        let plain = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
        if view.name.is_empty() || !view.name.chars().all(plain) {
            return Err(refused("names a folder, and must be letters, digits, `_` and `-`"));
        }
        schemas.push(TableSchema::of_view(view));
    }
    Ok(schemas)
}
