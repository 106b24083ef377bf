//! The Lance store within an epoch.

use futures::future::join_all;
use gristmill_pipeline::{
    EpochMeta, EpochWriter, FactStore, Key, Published, Record, RowId, SinkError, StagedEpoch, StagedRows, Token,
    ViewDelta, ViewRow, row_key,
};
use serde_json::json;

use super::error::named;
use super::publish::PublishedTable;
use super::sink::{LanceSink, LanceStore, LanceWriter, Shared};
use super::stage::StagedTable;
use super::table_writer::TableWriter;
use crate::sink_error::{WrapErr as _, sink_error};

/// A store whose epoch is staged.
type LanceStaged = LanceStore<StagedTable>;

/// Hands the buffered rows of a table to Lance.
fn flush(shared: &Shared, writer: &mut TableWriter) -> Result<(), SinkError> {
    let table = writer.table.table().clone();
    shared.wait("cannot write", &table, writer.flush(shared.blocking.handle()))
}

/// Splits results into what succeeded and the first error.
fn split<T>(results: Vec<Result<T, SinkError>>) -> (Vec<T>, Result<(), SinkError>) {
    let mut succeeded = Vec::with_capacity(results.len());
    let mut outcome = Ok(());
    for result in results {
        match result {
            Ok(value) => succeeded.push(value),
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    (succeeded, outcome)
}

impl EpochWriter for LanceWriter {
    fn remove(&mut self, rows: &[RowId]) -> Result<(), SinkError> {
        if rows.is_empty() {
            return Ok(());
        }
        let keys: Vec<Key> = rows.iter().map(|row| row.key().into()).collect();
        let Self { shared, tables } = self;
        let removals = tables.iter_mut().filter(|writer| !writer.table.is_view()).map(|writer| {
            let fail = named(&shared.name, "cannot find rows in", writer.table.table());
            let keys = &keys;
            async move { writer.remove(keys).await.map_err(fail) }
        });
        shared.blocking.wait(join_all(removals)).wrap_err(&shared.name, "cannot find rows")?.into_iter().collect()
    }

    fn add(&mut self, records: &[Record]) -> Result<(), SinkError> {
        let Self { shared, tables } = self;
        for record in records {
            let key = row_key(record.path.as_str(), &record.analysis.content_hash);
            for writer in tables.iter_mut().filter(|writer| !writer.table.is_view()) {
                let is_full = writer.append(key, record);
                if is_full.map_err(named(&shared.name, "cannot add rows to", writer.table.table()))? {
                    flush(shared, writer)?;
                }
            }
        }
        Ok(())
    }

    fn change_views(&mut self, deltas: &[ViewDelta]) -> Result<(), SinkError> {
        let Self { shared, tables } = self;
        for delta in deltas {
            let found = tables.iter_mut().find_map(|writer| {
                let view = writer.table.schema.view.clone().filter(|view| view.name == delta.schema.name)?;
                Some((writer, view))
            });
            let Some((writer, view)) = found else {
                let cause = format!("the store was opened without view `{}`; please report it", delta.schema.name);
                return Err(sink_error(&shared.name, "cannot change a view", cause));
            };
            let table = writer.table.table().clone();
            if delta.replace {
                writer.replace();
            } else {
                let keys: Vec<Key> = delta.removed.iter().map(ViewRow::key).collect();
                shared.wait("cannot find rows in", &table, writer.remove(&keys))?;
            }
            for row in &delta.added {
                let is_full = writer.append_view(&view, row);
                if is_full.map_err(named(&shared.name, "cannot add rows to", &table))? {
                    flush(shared, writer)?;
                }
            }
        }
        Ok(())
    }

    fn compact(&mut self) -> Result<(), SinkError> {
        self.tables.iter_mut().for_each(TableWriter::compact);
        Ok(())
    }

    fn fact_store(&mut self) -> Option<&mut dyn FactStore> {
        Some(self)
    }

    fn stage(self: Box<Self>, meta: &EpochMeta) -> Result<Box<dyn StagedEpoch>, SinkError> {
        let Self { shared, tables } = *self;
        let runtime = shared.blocking.handle();
        let (tables, outcome) = split(shared.each("cannot stage", tables, |writer| writer.stage(runtime, meta))?);
        let staged = LanceStaged { shared, tables };
        let files = staged.tables.iter().flat_map(|table| table.files().to_vec()).collect();
        match outcome.and_then(|()| staged.shared.flush_to_disk(files)) {
            Ok(()) => Ok(Box::new(staged)),
            Err(error) => {
                // The next open finds what cannot be deleted now.
                let _ = Box::new(staged).abort();
                Err(error)
            }
        }
    }

    fn abort(self: Box<Self>) -> Result<(), SinkError> {
        let Self { shared, tables } = *self;
        split(shared.each("cannot abort the epoch of", tables, TableWriter::abort)?).1
    }
}

impl StagedEpoch for LanceStaged {
    fn rows(&self) -> StagedRows {
        let rows = self.tables.iter().map(StagedTable::rows);
        rows.fold(StagedRows::default(), |sum, rows| StagedRows {
            added: sum.added + rows.added,
            deleted: sum.deleted + rows.deleted,
        })
    }

    fn publish(self: Box<Self>) -> Result<Published, SinkError> {
        let Self { shared, tables } = *self;
        let (tables, outcome) = split(shared.each("cannot publish", tables, StagedTable::publish)?);
        let files = tables.iter().flat_map(|table| table.files.clone()).collect();
        if let Err(error) = outcome.and_then(|()| shared.flush_to_disk(files)) {
            // The next open rolls back what cannot be rolled back now.
            let _ = shared.each("cannot roll back", tables, PublishedTable::undo);
            return Err(error);
        }

        let notice = tables.iter().find_map(|table| table.notice.clone());
        let tables: Vec<_> = tables.into_iter().map(PublishedTable::settle).collect();
        let (mut token, mut files) = (serde_json::Map::new(), Vec::new());
        for stored in &tables {
            if let Some(state) = shared.wait("cannot count rows of", stored.table(), stored.state())? {
                token.insert(stored.table().as_str().to_owned(), json!(state));
            }
            files.extend(shared.wait("cannot list the files of", stored.table(), stored.files())?);
        }
        let sink = Box::new(LanceSink { shared, tables });
        Ok(Published { notice, files, ..Published::new(Token::Object(token), sink) })
    }

    fn abort(self: Box<Self>) -> Result<(), SinkError> {
        let Self { shared, tables } = *self;
        let aborted = tables.into_iter().map(|staged| {
            let fail = named(&shared.name, "cannot abort the epoch of", staged.table.table());
            staged.abort().map_err(fail)
        });
        split(aborted.collect()).1
    }
}
