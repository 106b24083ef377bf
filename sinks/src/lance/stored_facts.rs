//! All facts of a store, collected by scanning each table.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::datatypes::{UInt32Type, UInt64Type};
use gristmill_pipeline::port::{Definition, Import, Reference, Text};
use gristmill_pipeline::{Analysis, Extras, Hash, Key, RelPath, StoredFacts};

use super::error::TableError;
use super::items::{Definitions, Imports, Items, RecallError, References};
use super::keys::{KeyKind, keys_of};
use super::load;
use super::table::StoredTable;
use crate::tables::{Columns, Table, TableSchema};

/// Facts by row key, with the items of each in the order in which rows came.
#[derive(Default)]
pub(super) struct FactsByRow {
    rows: HashMap<Key, Gathered>,
}

struct Gathered {
    facts: StoredFacts,
    bodies: Ordered<Hash>,
    definitions: Ordered<Definition>,
    references: Ordered<Reference>,
    imports: Ordered<Import>,
}

/// Items, each with its ordinal among those of its file.
struct Ordered<T>(Vec<(u32, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Ordered<T> {
    fn into_items(mut self) -> Vec<T> {
        // Rows of a file are in order, unless some were moved when fragments were joined.
        self.0.sort_by_key(|(ordinal, _)| *ordinal);
        self.0.into_iter().map(|(_, item)| item).collect()
    }
}

/// The columns of a table that hold facts; empty for a table without any.
fn columns(table: &Table) -> &'static [&'static str] {
    match table {
        Table::Files => &["path", "content_hash", "language", "bytes", "lines"],
        Table::Chunks => &["path", "content_hash", "ordinal", "body_hash"],
        Table::Symbols => &[
            "path",
            "content_hash",
            "ordinal",
            "name",
            "qualified_name",
            "kind",
            "start_line",
            "end_line",
            "start_byte",
            "end_byte",
            "extent_start",
            "parent",
            "key",
        ],
        Table::References => &[
            "path",
            "content_hash",
            "ordinal",
            "name",
            "qualifier",
            "kind",
            "line",
            "start_byte",
            "within",
            "target",
            "lead",
        ],
        Table::Imports => &["path", "content_hash", "ordinal", "module", "name", "alias", "line"],
        Table::Diagnostics | Table::View(_) => &[],
    }
}

impl FactsByRow {
    /// Adds the facts of a table's rows. `files` must come first: rows that belong to none of
    /// its rows are skipped.
    pub async fn add(&mut self, stored: &StoredTable) -> Result<(), TableError> {
        let columns = columns(stored.table());
        let (Some(dataset), false) = (stored.dataset(), columns.is_empty()) else { return Ok(()) };
        if *stored.table() == Table::Files {
            self.rows.reserve(dataset.count_rows(None).await?);
        }
        load::scan(dataset, columns, |batch, _| Ok::<_, TableError>(self.add_batch(&stored.schema, batch)?)).await
    }

    fn add_batch(&mut self, schema: &TableSchema, batch: &RecordBatch) -> Result<(), RecallError> {
        let keys = keys_of(KeyKind::Rows, schema, batch)?;
        match schema.table {
            Table::Files => self.add_files(&keys, batch)?,
            Table::Chunks => {
                let bodies = Columns(batch).hashes("body_hash")?;
                self.add_items(&keys, batch, |row| Ok(bodies.value(row)), |gathered| &mut gathered.bodies)?;
            }
            Table::Symbols => {
                let items = Definitions::of(batch)?;
                self.add_items(&keys, batch, |row| items.get(row), |gathered| &mut gathered.definitions)?;
            }
            Table::References => {
                let items = References::of(batch)?;
                self.add_items(&keys, batch, |row| items.get(row), |gathered| &mut gathered.references)?;
            }
            Table::Imports => {
                let items = Imports::of(batch)?;
                self.add_items(&keys, batch, |row| items.get(row), |gathered| &mut gathered.imports)?;
            }
            Table::Diagnostics | Table::View(_) => {}
        }
        Ok(())
    }

    fn add_files(&mut self, keys: &[Key], batch: &RecordBatch) -> Result<(), RecallError> {
        let columns = Columns(batch);
        let (paths, languages) = (columns.text("path")?, columns.text("language")?);
        let contents = columns.hashes("content_hash")?;
        let (bytes, lines) = (columns.numbers::<UInt64Type>("bytes")?, columns.numbers::<UInt32Type>("lines")?);
        for (row, key) in keys.iter().enumerate() {
            let analysis = Analysis {
                content_hash: contents.value(row),
                language: languages.value(row).into(),
                bytes: bytes.value(row),
                lines: lines.value(row),
                text: Text::new(""),
                definitions: Vec::new(),
                references: Vec::new(),
                imports: Vec::new(),
                diagnostics: Vec::new(),
                extras: Extras::default(),
            };
            let facts = StoredFacts { path: RelPath::from(paths.value(row)), analysis, bodies: Vec::new() };
            let gathered = Gathered {
                facts,
                bodies: Ordered::default(),
                definitions: Ordered::default(),
                references: Ordered::default(),
                imports: Ordered::default(),
            };
            self.rows.insert(*key, gathered);
        }
        Ok(())
    }

    fn add_items<T>(
        &mut self,
        keys: &[Key],
        batch: &RecordBatch,
        item: impl Fn(usize) -> Result<T, RecallError>,
        list: impl Fn(&mut Gathered) -> &mut Ordered<T>,
    ) -> Result<(), RecallError> {
        let ordinals = Columns(batch).numbers::<UInt32Type>("ordinal")?;
        for (row, key) in keys.iter().enumerate() {
            if let Some(gathered) = self.rows.get_mut(key) {
                list(gathered).0.push((ordinals.value(row), item(row)?));
            }
        }
        Ok(())
    }

    /// The facts of each row of `files`, in any order.
    pub fn into_facts(self) -> impl Iterator<Item = StoredFacts> {
        self.rows.into_values().map(|gathered| {
            let Gathered { mut facts, bodies, definitions, references, imports } = gathered;
            facts.bodies = bodies.into_items();
            facts.analysis.definitions = definitions.into_items();
            facts.analysis.references = references.into_items();
            facts.analysis.imports = imports.into_items();
            facts
        })
    }
}
