//! The Lance store as a sink.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::join_all;
use gristmill_pipeline::port::Port;
use gristmill_pipeline::{
    Epoch, EpochMeta, FactStore, Fingerprint, Hash, Key, Record, RelPath, Sink, SinkContext, SinkError, StagedRows,
    Token,
};
use serde_json::json;

use super::blocking::Blocking;
use super::error::TableError;
use super::location::Location;
use super::table::StoredTable;
use super::{LanceConfig, session};
use crate::durable;
use crate::failure::{While as _, failure};
use crate::tables::{SCHEMA_VERSION, Table, TableSchema};

/// Writes records into Lance tables, and gives them back.
pub struct LanceSink {
    pub(super) name: Box<str>,
    pub(super) blocking: Blocking,
    pub(super) tables: Vec<StoredTable>,
    folder: PathBuf,
    sync: bool,
    concurrent: bool,
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
        let tables = tables(&context.inputs)
            .map(|table| {
                let location = Location::new(&context.folder, table);
                StoredTable::new(TableSchema::new(table, dimension), location, Arc::clone(&session), config.clone())
            })
            .collect();
        let blocking = Blocking::new(context.single_threaded).during(&context.name, "cannot start its runtime")?;
        let concurrent = !context.single_threaded;
        let (name, folder) = (context.name.clone(), context.folder.clone());
        Ok(Self { name, blocking, tables, folder, sync: config.sync, concurrent })
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

/// The tables of a store with these inputs.
fn tables(inputs: &[Port]) -> impl Iterator<Item = Table> + '_ {
    Table::ALL.into_iter().filter(|table| match table {
        Table::Files | Table::Diagnostics => true,
        Table::Symbols => inputs.contains(&Port::Syntax),
        Table::Chunks => inputs.contains(&Port::Chunks) || inputs.contains(&Port::Vectors),
    })
}

/// The version of a table that a token names.
pub(super) fn version_of(token: &Token, table: Table) -> Option<u64> {
    token.get(table.as_str())?.get("version")?.as_u64()
}

/// The rows of a table that a token names.
pub(super) fn rows_of(token: &Token, table: Table) -> Option<u64> {
    token.get(table.as_str())?.get("rows")?.as_u64()
}

/// Names the table in an error.
pub(super) fn named(sink: &str, action: &str, table: Table) -> impl FnOnce(TableError) -> SinkError {
    let (sink, action) = (Box::<str>::from(sink), format!("{action} table {table}"));
    move |error| failure(&sink, action, error)
}

impl Sink for LanceSink {
    fn fingerprint(&self) -> Fingerprint {
        let tables: Vec<_> = self.tables.iter().map(StoredTable::table).collect();
        let dimension = self.tables.iter().find_map(|table| table.schema.dimension);
        let shape = json!(["lance", SCHEMA_VERSION, tables, dimension]);
        Hash::of(shape.to_string().as_bytes())
    }

    fn open(&mut self, base: Option<&Token>) -> Result<(), SinkError> {
        if base.is_none() {
            // Also of tables that other inputs made.
            for table in Table::ALL {
                let place = Location::new(&self.folder, table);
                durable::remove_folder(place.folder()).during(&self.name, "cannot remove leftovers")?;
            }
        }
        let Self { name, blocking, tables, .. } = self;
        for stored in tables {
            let table = stored.table();
            let version = base
                .map(|token| {
                    version_of(token, table).ok_or_else(|| {
                        failure(
                            name,
                            format!("cannot open table {table}"),
                            "the commit names no version of it; rebuild",
                        )
                    })
                })
                .transpose()?;
            blocking.wait(stored.open(version)).during(name, "cannot open its tables")?.map_err(named(
                name,
                "cannot open",
                table,
            ))?;
        }
        Ok(())
    }

    fn begin(&mut self, epoch: Epoch, replace: bool) -> Result<(), SinkError> {
        self.abandon()?;
        for table in &mut self.tables {
            table.begin(epoch, replace);
        }
        Ok(())
    }

    fn remove(&mut self, paths: &[RelPath]) -> Result<(), SinkError> {
        if paths.is_empty() {
            return Ok(());
        }
        let keys: Vec<Key> = paths.iter().map(RelPath::key).collect();
        let Self { name, blocking, tables, .. } = self;
        let removals = tables.iter_mut().map(|stored| {
            let table = stored.table();
            let (name, keys) = (&*name, &keys);
            async move { stored.remove(keys).await.map_err(named(name, "cannot find rows in", table)) }
        });
        blocking.wait(join_all(removals)).during(name, "cannot find rows")?.into_iter().collect()
    }

    fn add(&mut self, records: &[Record]) -> Result<(), SinkError> {
        let Self { name, blocking, tables, .. } = self;
        for record in records {
            for stored in &mut *tables {
                let table = stored.table();
                if stored.append(record).map_err(named(name, "cannot add rows to", table))? {
                    let runtime = blocking.handle().during(name, "cannot write")?.clone();
                    blocking.wait(stored.flush(&runtime)).during(name, "cannot write")?.map_err(named(
                        name,
                        "cannot write",
                        table,
                    ))?;
                }
            }
        }
        Ok(())
    }

    fn stage(&mut self, meta: &EpochMeta) -> Result<StagedRows, SinkError> {
        let Self { name, blocking, tables, .. } = self;
        let runtime = blocking.handle().during(name, "cannot stage")?.clone();
        let stages = tables.iter_mut().map(|stored| {
            let table = stored.table();
            let (name, runtime) = (&*name, &runtime);
            async move {
                let files = stored.stage(runtime, meta).await.map_err(named(name, "cannot stage", table))?;
                let counts = stored.counts().await.map_err(named(name, "cannot count rows of", table))?;
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
            let table = stored.table();
            let name = &*name;
            async move { stored.publish().await.map_err(named(name, "cannot publish", table)) }
        });
        let files = blocking.wait(join_all(commits)).during(name, "cannot publish")?;
        let files = files.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.flush_to_disk(files.concat())?;

        let Self { name, blocking, tables, .. } = self;
        let mut token = serde_json::Map::new();
        for stored in tables {
            stored.settle();
            let table = stored.table();
            let state = blocking
                .wait(async { stored.state().await })
                .during(name, "cannot publish")?
                .map_err(named(name, "cannot count rows of", table))?;
            if let Some((version, rows)) = state {
                token.insert(table.as_str().to_owned(), json!({ "version": version, "rows": rows }));
            }
        }
        Ok(Token::Object(token))
    }

    fn abandon(&mut self) -> Result<(), SinkError> {
        let Self { name, blocking, tables, .. } = self;
        for stored in tables {
            let table = stored.table();
            blocking.wait(stored.abandon()).during(name, "cannot abandon the epoch")?.map_err(named(
                name,
                "cannot abandon the epoch in",
                table,
            ))?;
        }
        Ok(())
    }

    fn fact_store(&mut self) -> Option<&mut dyn FactStore> {
        Some(self)
    }
}
