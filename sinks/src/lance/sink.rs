//! The Lance store as a sink.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::join_all;
use gristmill_pipeline::port::Port;
use gristmill_pipeline::{
    Epoch, EpochMeta, FactStore, Fingerprint, Hash, Key, Record, RowId, Sink, SinkContext, SinkError, StagedRows,
    Token, ViewDelta, ViewRow, row_key,
};
use serde_json::json;

use super::blocking::Blocking;
use super::error::TableError;
use super::location::Location;
use super::table::StoredTable;
use super::token::{keys_of, version_of};
use super::{LanceConfig, session};
use crate::durable;
use crate::failure::{While as _, failure};
use crate::tables::{SCHEMA_VERSION, Table, TableSchema, VectorForm};

/// Writes records into Lance tables, and gives them back.
pub struct LanceSink {
    pub(super) name: Box<str>,
    pub(super) blocking: Blocking,
    pub(super) tables: Vec<StoredTable>,
    folder: PathBuf,
    sync: bool,
    concurrent: bool,
    pub(super) vectors: VectorForm,
}

impl LanceSink {
    /// Prepares the store; nothing is read or written before [`Sink::open`].
    ///
    /// # Errors
    /// If the inputs make no tables, or the system gives no threads.
    pub fn new(config: &LanceConfig, context: &SinkContext) -> Result<Self, SinkError> {
        let vectors = context.inputs.contains(&Port::Vectors);
        if vectors && context.dimension.is_none_or(|dimension| i32::try_from(dimension).is_err()) {
            let cause = "an input of vectors needs their dimension; does the embed stage give one?";
            return Err(failure(&context.name, "cannot lay out its tables", cause));
        }
        let dimension = context.dimension.filter(|_| vectors);
        let session = Arc::new(session());
        let records =
            tables(&context.inputs).map(|table| TableSchema::new(table, dimension).with_vectors(config.vectors));
        let views = view_schemas(context)?;
        let tables = records
            .chain(views)
            .map(|schema| {
                let location = Location::new(&context.folder, &schema.table);
                StoredTable::new(schema, location, Arc::clone(&session), config.clone())
            })
            .collect();
        let blocking = Blocking::new(context.single_threaded).during(&context.name, "cannot start its runtime")?;
        let concurrent = !context.single_threaded;
        let (name, folder) = (context.name.clone(), context.folder.clone());
        Ok(Self { name, blocking, tables, folder, sync: config.sync, concurrent, vectors: config.vectors })
    }

    fn flush_to_disk(&self, mut files: Vec<PathBuf>) -> Result<(), SinkError> {
        if !self.sync {
            return Ok(());
        }
        let mut folders: Vec<_> = files.iter().filter_map(|file| file.parent()).map(Path::to_path_buf).collect();
        files.append(&mut folders);
        files.sort_unstable();
        files.dedup();
        durable::sync_all(&files, self.concurrent).during(&self.name, "cannot flush its files to the disk")
    }
}

/// The tables of records of a store with these inputs.
fn tables(inputs: &[Port]) -> impl Iterator<Item = Table> + '_ {
    Table::OF_RECORDS.into_iter().filter(|table| match table {
        Table::Symbols | Table::References | Table::Imports => inputs.contains(&Port::Syntax),
        Table::Chunks => inputs.contains(&Port::Chunks) || inputs.contains(&Port::Vectors),
        _ => true,
    })
}

/// The tables of views, each of which needs a name of its own.
fn view_schemas(context: &SinkContext) -> Result<Vec<TableSchema>, SinkError> {
    let mut schemas: Vec<TableSchema> = Vec::with_capacity(context.views.len());
    for view in &context.views {
        let refused = |why: &str| {
            let cause = format!("the name of view `{}` {why}; give the view another", view.name);
            failure(&context.name, "cannot lay out its tables", cause)
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

/// Names the table in an error.
pub(super) fn named(sink: &str, action: &str, table: &Table) -> impl FnOnce(TableError) -> SinkError + use<> {
    let (sink, action) = (Box::<str>::from(sink), format!("{action} table {table}"));
    move |error| failure(&sink, action, error)
}

/// Hands over what a table has gathered.
fn write(name: &str, blocking: &Blocking, stored: &mut StoredTable) -> Result<(), SinkError> {
    let runtime = blocking.handle().during(name, "cannot write")?.clone();
    let written = blocking.wait(stored.flush(&runtime)).during(name, "cannot write")?;
    written.map_err(named(name, "cannot write", stored.table()))
}

impl Sink for LanceSink {
    fn fingerprint(&self) -> Fingerprint {
        // Views come and go without touching what else is stored.
        let of_records = self.tables.iter().filter(|stored| stored.schema.view.is_none());
        let tables: Vec<&str> = of_records.map(|stored| stored.table().as_str()).collect();
        let dimension = self.tables.iter().find_map(|table| table.schema.dimension);
        let mut shape = vec![json!("lance"), json!(SCHEMA_VERSION), json!(tables), json!(dimension)];
        // Not the index over the vectors: it follows its configuration by itself.
        if dimension.is_some() && self.vectors != VectorForm::F32 {
            shape.push(json!(self.vectors));
        }
        let shape = json!(shape);
        Hash::of(shape.to_string().as_bytes())
    }

    fn open(&mut self, base: Option<&Token>) -> Result<(), SinkError> {
        if base.is_none() {
            // Also of tables that other inputs made.
            durable::remove_folder(&self.folder).during(&self.name, "cannot remove leftovers")?;
        }
        let Self { name, blocking, tables, .. } = self;
        for stored in tables {
            let table = stored.table().clone();
            let version = base.and_then(|token| version_of(token, &table));
            if base.is_some() && version.is_none() && stored.schema.view.is_none() {
                let cause = "the commit names no version of it; rebuild the index";
                return Err(failure(name, format!("cannot open table {table}"), cause));
            }
            let keys = base.map(|token| keys_of(token, &table)).unwrap_or_default();
            blocking.wait(stored.open(version, &keys)).during(name, "cannot open its tables")?.map_err(named(
                name,
                "cannot open",
                &table,
            ))?;
        }
        Ok(())
    }

    fn open_to_read(&mut self, base: &Token) -> Result<(), SinkError> {
        let Self { name, blocking, tables, .. } = self;
        for stored in tables {
            let table = stored.table().clone();
            let (version, keys) = (version_of(base, &table), keys_of(base, &table));
            let opened = blocking.wait(stored.open_to_read(version, &keys)).during(name, "cannot open its tables")?;
            opened.map_err(named(name, "cannot open", &table))?;
        }
        Ok(())
    }

    fn rows_of(&self, record: &Record) -> u64 {
        let rows = |table: &Table| match table {
            Table::Files => 1,
            Table::Chunks => record.chunks.as_ref().map_or(0, |chunks| chunks.chunks.len()),
            Table::Symbols => record.analysis.definitions.len(),
            Table::References => record.analysis.references.len(),
            Table::Imports => record.analysis.imports.len(),
            Table::Diagnostics => record.analysis.diagnostics.len(),
            Table::View(_) => 0,
        };
        self.tables.iter().map(|stored| rows(stored.table()) as u64).sum()
    }

    fn begin(&mut self, epoch: Epoch, replace: bool) -> Result<(), SinkError> {
        self.abandon()?;
        for stored in &mut self.tables {
            stored.begin(epoch, replace).map_err(named(
                &self.name,
                "cannot begin an epoch of",
                &stored.schema.table,
            ))?;
        }
        Ok(())
    }

    fn remove(&mut self, rows: &[RowId]) -> Result<(), SinkError> {
        if rows.is_empty() {
            return Ok(());
        }
        let keys: Vec<Key> = rows.iter().map(RowId::key).collect();
        let Self { name, blocking, tables, .. } = self;
        let removals = tables.iter_mut().filter(|stored| stored.schema.view.is_none()).map(|stored| {
            let fail = named(name, "cannot find rows in", stored.table());
            let keys = &keys;
            async move { stored.remove(keys).await.map_err(fail) }
        });
        blocking.wait(join_all(removals)).during(name, "cannot find rows")?.into_iter().collect()
    }

    fn add(&mut self, records: &[Record]) -> Result<(), SinkError> {
        let Self { name, blocking, tables, .. } = self;
        for record in records {
            let key = row_key(record.path.as_str(), &record.analysis.content_hash);
            for stored in tables.iter_mut().filter(|stored| stored.schema.view.is_none()) {
                let is_full = stored.append(key, record);
                if is_full.map_err(named(name, "cannot add rows to", stored.table()))? {
                    write(name, blocking, stored)?;
                }
            }
        }
        Ok(())
    }

    fn change_views(&mut self, deltas: &[ViewDelta]) -> Result<(), SinkError> {
        let Self { name, blocking, tables, .. } = self;
        for delta in deltas {
            let of_view = |stored: &&mut StoredTable| {
                stored.schema.view.as_ref().is_some_and(|view| view.name == delta.schema.name)
            };
            let stored = tables.iter_mut().find(of_view).ok_or_else(|| {
                let cause = format!(
                    "it keeps no view `{}`; a view must be known before the store is opened",
                    delta.schema.name
                );
                failure(name, "cannot change a view", cause)
            })?;
            if delta.replace {
                stored.replace().map_err(named(name, "cannot replace the rows of", stored.table()))?;
            } else {
                let keys: Vec<Key> = delta.removed.iter().map(ViewRow::key).collect();
                let removed = blocking.wait(stored.remove(&keys)).during(name, "cannot find rows")?;
                removed.map_err(named(name, "cannot find rows in", stored.table()))?;
            }
            for row in &delta.added {
                let is_full = stored.append_view(row);
                if is_full.map_err(named(name, "cannot add rows to", stored.table()))? {
                    write(name, blocking, stored)?;
                }
            }
        }
        Ok(())
    }

    fn compact(&mut self) -> Result<(), SinkError> {
        let Self { name, tables, .. } = self;
        for stored in tables {
            let table = stored.table().clone();
            stored.compact().map_err(named(name, "cannot compact", &table))?;
        }
        Ok(())
    }

    fn stage(&mut self, meta: &EpochMeta) -> Result<StagedRows, SinkError> {
        let Self { name, blocking, tables, .. } = self;
        let runtime = blocking.handle().during(name, "cannot stage")?.clone();
        let stages = tables.iter_mut().map(|stored| {
            let (name, runtime) = (&*name, &runtime);
            async move {
                let staged = stored.stage(runtime, meta).await;
                let files = staged.map_err(named(name, "cannot stage", stored.table()))?;
                let counted = stored.counts().await;
                let counts = counted.map_err(named(name, "cannot count rows of", stored.table()))?;
                Ok::<_, SinkError>((files, counts))
            }
        });
        // All are waited for, even where one fails: what was written is then known, and
        // can be removed.
        let staged = blocking.wait(join_all(stages)).during(name, "cannot stage")?;
        let staged = staged.into_iter().collect::<Result<Vec<_>, _>>()?;
        let (files, counts): (Vec<_>, Vec<_>) = staged.into_iter().unzip();
        self.flush_to_disk(files.concat())?;
        Ok(StagedRows {
            added: counts.iter().map(|(added, _)| added).sum(),
            deleted: counts.iter().map(|(_, deleted)| deleted).sum(),
        })
    }

    fn publish(&mut self) -> Result<Token, SinkError> {
        let Self { name, blocking, tables, .. } = self;
        let commits = tables.iter_mut().map(|stored| {
            let fail = named(name, "cannot publish", stored.table());
            async move { stored.publish().await.map_err(fail) }
        });
        let files = blocking.wait(join_all(commits)).during(name, "cannot publish")?;
        let files = files.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.flush_to_disk(files.concat())?;

        let Self { name, blocking, tables, .. } = self;
        let mut token = serde_json::Map::new();
        for stored in tables {
            stored.settle();
            let state = blocking.wait(stored.state()).during(name, "cannot publish")?;
            let state = state.map_err(named(name, "cannot count rows of", stored.table()))?;
            if let Some(state) = state {
                token.insert(stored.table().as_str().to_owned(), json!(state));
            }
        }
        Ok(Token::Object(token))
    }

    fn abandon(&mut self) -> Result<(), SinkError> {
        let Self { name, blocking, tables, .. } = self;
        for stored in tables {
            let abandoned = blocking.wait(stored.abandon()).during(name, "cannot abandon the epoch")?;
            abandoned.map_err(named(name, "cannot abandon the epoch in", stored.table()))?;
        }
        Ok(())
    }

    fn fact_store(&mut self) -> Option<&mut dyn FactStore> {
        Some(self)
    }
}
