//! A table that is loaded on first use.

use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use gristmill_pipeline::SinkError;
use gristmill_sinks::LanceReader;
use gristmill_sinks::lance::Resident;
use gristmill_sinks::tables::Table;
use parking_lot::Mutex;

use super::rows::TableRows;

/// A table that is loaded on first use. It shares fragments with the table of the last epoch.
pub(super) struct Lazy<T> {
    loaded: OnceLock<Arc<Resident<T>>>,
    last: Mutex<Option<Arc<Resident<T>>>>,
}

impl<T: Send + Sync> Lazy<T> {
    pub(super) fn new(last: Option<&Self>) -> Self {
        Self { loaded: OnceLock::new(), last: Mutex::new(last.and_then(|last| last.loaded.get().cloned())) }
    }

    /// Returns the table, if it is loaded.
    pub(super) fn loaded(&self) -> Option<&Resident<T>> {
        self.loaded.get().map(Arc::as_ref)
    }

    /// Returns whether the last epoch had loaded the table, and this one has not yet.
    pub(super) fn had(&self) -> bool {
        self.last.lock().is_some()
    }

    /// Returns these columns of a table, as `make` keeps them.
    pub(super) fn get_columns(
        &self,
        reader: &LanceReader,
        table: &Table,
        columns: &[&str],
        make: impl Fn(RecordBatch) -> Result<T, SinkError>,
    ) -> Result<&Resident<T>, SinkError> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        // Locked while loading, so that the table is loaded once.
        let mut last = self.last.lock();
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        let table = reader.resident(table, columns, last.as_deref(), make)?;
        *last = None;
        Ok(self.loaded.get_or_init(|| Arc::new(table)))
    }
}

impl<T: TableRows> Lazy<T> {
    pub(super) fn get(&self, reader: &LanceReader) -> Result<&Resident<T>, SinkError> {
        self.get_columns(reader, &T::table(), T::COLUMNS, T::of)
    }

    /// Loads the table if the last epoch had loaded it.
    pub(super) fn reload(&self, reader: &LanceReader) -> Result<(), SinkError> {
        if self.had() { self.get(reader).map(|_| ()) } else { Ok(()) }
    }
}
