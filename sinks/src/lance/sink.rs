//! The Lance store as a sink: its configuration, and the steps of an epoch.

use std::path::{Path, PathBuf};

use futures::future::join_all;
use gristmill_pipeline::port::Port;
use gristmill_pipeline::{
    Depth, Epoch, EpochWriter, FactForm, FactStore, Fingerprint, Hash, Record, Salvaged, Sink, SinkConfig, SinkContext,
    SinkError, Token,
};

use super::LanceConfig;
use super::blocking::Blocking;
use super::error::{TableError, named};
use super::layout::{layouts, rows_of};
use super::table::{StoredTable, TableLayout};
use super::table_writer::TableWriter;
use super::token::{keys_of, version_of};
use crate::durable;
use crate::sink_error::WrapErr as _;
use crate::tables::{SCHEMA_VERSION, Table, VectorForm};

/// A store whose tables are all at the same step of an epoch.
pub(super) struct LanceStore<T> {
    pub(super) shared: Shared,
    pub(super) tables: Vec<T>,
}

/// A store between epochs.
pub(super) type LanceSink = LanceStore<StoredTable>;

/// A store within an epoch.
pub(super) type LanceWriter = LanceStore<TableWriter>;

/// What a store keeps through all steps.
pub(super) struct Shared {
    pub(super) name: Box<str>,
    pub(super) blocking: Blocking,
    sync: bool,
    concurrent: bool,
}

impl Shared {
    fn new(config: &LanceConfig, context: &SinkContext) -> Result<Self, SinkError> {
        let blocking = Blocking::new(context.single_threaded).wrap_err(&context.name, "cannot start its runtime")?;
        Ok(Self { name: context.name.clone(), blocking, sync: config.sync, concurrent: !context.single_threaded })
    }

    /// Flushes files and the folders that they are in to the disk.
    pub(super) fn flush_to_disk(&self, mut files: Vec<PathBuf>) -> Result<(), SinkError> {
        if !self.sync {
            return Ok(());
        }
        let mut folders: Vec<_> = files.iter().filter_map(|file| file.parent()).map(Path::to_path_buf).collect();
        files.append(&mut folders);
        files.sort_unstable();
        files.dedup();
        durable::sync_all(&files, self.concurrent).wrap_err(&self.name, "cannot flush its files to the disk")
    }

    /// Waits for a future about one table.
    pub(super) fn wait<T: Send>(
        &self,
        action: &str,
        table: &Table,
        future: impl Future<Output = Result<T, TableError>> + Send,
    ) -> Result<T, SinkError> {
        self.blocking.wait(future).wrap_err(&self.name, action)?.map_err(named(&self.name, action, table))
    }

    /// Takes a step with all tables side by side, and waits for all, even if one fails.
    pub(super) fn each<T: AsRef<StoredTable>, U: Send, F: Future<Output = Result<U, TableError>> + Send>(
        &self,
        action: &str,
        tables: Vec<T>,
        step: impl Fn(T) -> F,
    ) -> Result<Vec<Result<U, SinkError>>, SinkError> {
        let steps = tables.into_iter().map(|table| {
            let fail = named(&self.name, action, table.as_ref().table());
            let step = step(table);
            async move { step.await.map_err(fail) }
        });
        self.blocking.wait(join_all(steps)).wrap_err(&self.name, action)
    }
}

/// The folders of a table that Lance writes to.
const TABLE_FOLDERS: [&str; 5] = ["_versions", "data", "_deletions", "_transactions", "_indices"];

/// Deletes files in the place of the folders of tables.
fn tidy(folder: &Path) -> std::io::Result<()> {
    let remove_file = |path: &Path| if path.is_file() { durable::remove(path) } else { Ok(()) };
    for entry in durable::entries(folder)? {
        let path = entry?.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("lance") if path.is_dir() => {
                TABLE_FOLDERS.iter().try_for_each(|part| remove_file(&path.join(part)))?;
            }
            Some("lance" | "keys") => remove_file(&path)?,
            _ => {}
        }
    }
    Ok(())
}

impl SinkConfig for LanceConfig {
    fn kind(&self) -> &str {
        "lance"
    }

    fn accepts(&self) -> &[Port] {
        &[Port::Contents, Port::Syntax, Port::Chunks, Port::Vectors]
    }

    fn fingerprint(&self) -> Fingerprint {
        let version = SCHEMA_VERSION.to_le_bytes();
        let mut parts = vec![b"sink".as_slice(), b"lance", &version];
        // Other parameters say how rows are written, not what they hold.
        match self.vectors {
            VectorForm::F32 => {}
            VectorForm::F16 => parts.push(b"f16"),
        }
        Hash::of_parts(parts)
    }

    fn keeps_views(&self) -> bool {
        true
    }

    fn facts(&self, _: &SinkContext) -> Option<FactForm> {
        Some(FactForm { rounds_vectors: self.vectors == VectorForm::F16 })
    }

    fn rows_of(&self, context: &SinkContext, record: &Record) -> u64 {
        rows_of(&context.inputs, record)
    }

    fn open(&self, context: SinkContext, base: Option<&Token>) -> Result<Box<dyn Sink>, SinkError> {
        let layouts = layouts(self, &context)?;
        let shared = Shared::new(self, &context)?;
        if base.is_none() {
            // Also removes tables that other inputs made.
            durable::remove(&context.folder).wrap_err(&context.name, "cannot remove leftovers")?;
        }
        let open = |layout: TableLayout| {
            let table = layout.schema.table.clone();
            let is_view = layout.schema.view.is_some();
            shared.wait("cannot open", &table, async {
                let Some(token) = base else { return layout.open(None, &[]).await };
                let version = version_of(token, &table);
                // One that was damaged is named without a version.
                if version.is_none() && !is_view && token.get(table.as_str()).is_none() {
                    return Err(TableError::Unnamed);
                }
                layout.open(version, &keys_of(token, &table)).await?.with_keys().await
            })
        };
        let tables = layouts.into_iter().map(open).collect::<Result<_, _>>()?;
        Ok(Box::new(LanceSink { shared, tables }))
    }

    fn open_facts(&self, context: SinkContext, base: &Token) -> Result<Option<Box<dyn FactStore>>, SinkError> {
        let layouts = layouts(self, &context)?;
        let shared = Shared::new(self, &context)?;
        let open = |layout: TableLayout| {
            let table = layout.schema.table.clone();
            let (version, keys) = (version_of(base, &table), keys_of(base, &table));
            shared.wait("cannot open", &table, layout.open_to_read(version, &keys))
        };
        let tables = layouts.into_iter().map(open).collect::<Result<_, _>>()?;
        Ok(Some(Box::new(LanceSink { shared, tables })))
    }

    fn tidy(&self, folder: &Path) -> Result<(), SinkError> {
        tidy(folder).wrap_err("lance", "cannot delete what is in the place of its folders")
    }

    fn verify(&self, folder: &Path, base: &Token, depth: Depth) -> Vec<(PathBuf, String)> {
        super::salvage::damaged_key_runs(folder, base, depth)
    }

    fn salvage(&self, folder: &Path, base: &Token, damaged: &[PathBuf]) -> Result<Option<Salvaged>, SinkError> {
        super::salvage::salvage(folder, base, damaged)
    }

    fn retain(&self, folder: &Path, tokens: &[Token]) -> Result<(), SinkError> {
        super::retain::retain(folder, tokens)
    }
}

impl Sink for LanceSink {
    fn begin(self: Box<Self>, epoch: Epoch, replace: bool) -> Result<Box<dyn EpochWriter>, SinkError> {
        let Self { shared, tables } = *self;
        let begin = |stored: StoredTable| {
            let fail = named(&shared.name, "cannot begin an epoch of", stored.table());
            stored.begin(epoch, replace).map_err(fail)
        };
        let tables = tables.into_iter().map(begin).collect::<Result<_, _>>()?;
        Ok(Box::new(LanceWriter { shared, tables }))
    }
}
