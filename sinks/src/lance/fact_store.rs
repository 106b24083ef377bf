//! Reading rows back: facts, records and vectors.

use gristmill_pipeline::{
    ContentHash, ExtraColumn, FactStore, Hash, Key, PassageKey, Record, RelPath, RowId, SinkError, StoredFacts,
    StoredVectors, Token,
};

use super::error::TableError;
use super::keys::{Entry, KeyKind};
use super::past::Group;
use super::recall::{Recall, Taken};
use super::sink::LanceStore;
use super::stored_facts::FactsByRow;
use super::table::StoredTable;
use super::token::version_of;
use crate::sink_error::{WrapErr as _, sink_error};
use crate::tables::{Columns, Table};

impl<T: AsRef<StoredTable> + AsMut<StoredTable> + Send> FactStore for LanceStore<T> {
    fn facts(&mut self, visit: &mut dyn FnMut(StoredFacts)) -> Result<(), SinkError> {
        let mut facts = FactsByRow::default();
        for stored in self.tables.iter().map(AsRef::as_ref) {
            self.shared.wait("cannot read", stored.table(), facts.add(stored))?;
        }
        facts.into_facts().for_each(visit);
        Ok(())
    }

    fn records(&mut self, rows: &[RowId], since: Option<&Token>) -> Result<Vec<Option<Record>>, SinkError> {
        let keys: Vec<Key> = rows.iter().map(|row| row.key().into()).collect();
        let either = vec![Of::Either; keys.len()];
        let Some((files, of)) = self.take(&Table::Files, &keys, &either, since)? else {
            return Ok(vec![None; rows.len()]);
        };
        let (file_columns, chunk_columns) = (self.extras(&Table::Files), self.extras(&Table::Chunks));
        let mut take = |table| Ok(self.take(&table, &keys, &of, since)?.map(|(taken, _)| taken));
        let recall = Recall {
            files,
            file_columns,
            chunks: take(Table::Chunks)?,
            chunk_columns,
            symbols: take(Table::Symbols)?.unwrap_or_default(),
            references: take(Table::References)?.unwrap_or_default(),
            imports: take(Table::Imports)?.unwrap_or_default(),
            diagnostics: take(Table::Diagnostics)?.unwrap_or_default(),
        };
        recall.records(rows).wrap_err(&self.shared.name, "cannot recall records")
    }

    fn vectors(&mut self, chunk_hashes: &[Hash], since: Option<&Token>) -> Result<StoredVectors, SinkError> {
        let Self { shared, tables } = self;
        let (name, action) = (&shared.name, "cannot recall vectors");
        let stored = tables.iter_mut().map(AsMut::as_mut).find(|stored| stored.schema.dimension.is_some());
        let stored = stored.ok_or_else(|| sink_error(name, action, "the store has no vectors"))?;
        let keys: Vec<Key> = chunk_hashes.iter().map(|hash| PassageKey::from(hash).into()).collect();
        let since = since.and_then(|token| version_of(token, stored.table()));
        let taken = shared.wait("cannot read", &Table::Chunks, async {
            let mut groups = Vec::with_capacity(keys.len());
            for entries in stored.find(KeyKind::Hashes, &keys).await? {
                // Equal hashes have equal vectors: any row of the hash will do.
                groups.push(stored.first_there(&entries, Of::Either, since).await?.map(|(mut group, _)| {
                    group.addresses.truncate(1);
                    group
                }));
            }
            stored.take(&groups, &["vector"]).await
        })?;
        let mut vectors = StoredVectors { found: Vec::with_capacity(keys.len()), values: Vec::new() };
        let stored = taken.batch.as_ref().map(|batch| Columns(batch).vectors("vector")).transpose();
        let stored = stored.wrap_err(name, action)?;
        for rows in &taken.rows {
            let vector = rows
                .first()
                .zip(stored.as_ref())
                .and_then(|(row, (values, dimension))| values.get(row * dimension..(row + 1) * dimension));
            vectors.found.push(vector.is_some());
            vectors.values.extend_from_slice(vector.unwrap_or_default());
        }
        Ok(vectors)
    }

    fn holders(&mut self, contents: &[ContentHash], since: Option<&Token>) -> Result<Vec<Vec<RowId>>, SinkError> {
        let Self { shared, tables } = self;
        let (name, action) = (&shared.name, "cannot find the holders of contents");
        let stored = tables.iter_mut().map(AsMut::as_mut).find(|stored| *stored.table() == Table::Files);
        let stored = stored.ok_or_else(|| sink_error(name, action, "the store has no files"))?;
        let keys: Vec<Key> = contents.iter().map(Hash::key).collect();
        let since = since.and_then(|token| version_of(token, stored.table()));
        let (of, taken) = shared.wait("cannot read", &Table::Files, async {
            let mut groups = Vec::new();
            let mut of = Vec::new();
            for (nth, entries) in stored.find(KeyKind::Contents, &keys).await?.into_iter().enumerate() {
                for group in Group::live(&entries).into_iter().chain(Group::deleted(&entries, since)) {
                    if stored.is_there(&group).await? {
                        groups.push(Some(group));
                        of.push(nth);
                    }
                }
            }
            Ok((of, stored.take(&groups, &["path", "content_hash"]).await?))
        })?;
        let mut holders = vec![Vec::new(); contents.len()];
        let Some(batch) = &taken.batch else { return Ok(holders) };
        let paths = Columns(batch).text("path").wrap_err(name, action)?;
        let hashes = Columns(batch).hashes("content_hash").wrap_err(name, action)?;
        for (nth, rows) in of.into_iter().zip(&taken.rows) {
            if let Some(holders) = holders.get_mut(nth) {
                holders.extend(
                    rows.iter()
                        .map(|&row| RowId { path: RelPath::from(paths.value(row)), content_hash: hashes.value(row) }),
                );
            }
        }
        // A path can have held a content, lost it, and got it back.
        for (content, holders) in contents.iter().zip(&mut holders) {
            holders.retain(|row| row.content_hash == *content);
            holders.sort_unstable();
            holders.dedup();
        }
        Ok(holders)
    }
}

/// Which rows of a key are wanted, or were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Live rows, or those that were deleted last if there are none.
    Either,
    /// Live rows.
    Live,
    /// The rows that were deleted last.
    Deleted,
    /// None.
    Nothing,
}

impl<T: AsRef<StoredTable> + AsMut<StoredTable>> LanceStore<T> {
    /// The extra columns of a table.
    fn extras(&self, table: &Table) -> Vec<ExtraColumn> {
        let stored = self.tables.iter().map(AsRef::as_ref).find(|stored| stored.table() == table);
        stored.map_or_else(Vec::new, |stored| stored.schema.extras.clone())
    }

    /// Takes the rows of these keys. Returns for each key which rows were taken; `None` if the
    /// store has no such table.
    fn take(
        &mut self,
        table: &Table,
        keys: &[Key],
        of: &[Of],
        since: Option<&Token>,
    ) -> Result<Option<(Taken, Vec<Of>)>, SinkError> {
        let Self { shared, tables } = self;
        let stored = tables.iter_mut().map(AsMut::as_mut).find(|stored| stored.table() == table);
        let Some(stored) = stored else { return Ok(None) };
        let since = since.and_then(|token| version_of(token, table));
        let columns: Vec<String> = (stored.schema.arrow.fields().iter())
            .map(|field| field.name().clone())
            .filter(|column| !matches!(column.as_str(), "path" | "content_hash" | "chunk_id"))
            .collect();
        let taken = shared.wait("cannot read", table, async {
            let mut groups = Vec::with_capacity(keys.len());
            let mut states = Vec::with_capacity(keys.len());
            for (entries, of) in stored.find(KeyKind::Rows, keys).await?.iter().zip(of) {
                let (group, state) = stored.first_there(entries, *of, since).await?.unzip();
                groups.push(group);
                states.push(state.unwrap_or(Of::Nothing));
            }
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            Ok((stored.take(&groups, &columns).await?, states))
        })?;
        Ok(Some(taken))
    }
}

impl StoredTable {
    /// The first group of a key's rows that can still be read.
    async fn first_there(
        &mut self,
        entries: &[Entry],
        of: Of,
        since: Option<u64>,
    ) -> Result<Option<(Group, Of)>, TableError> {
        if matches!(of, Of::Live | Of::Either)
            && let Some(group) = Group::live(entries)
        {
            return Ok(Some((group, Of::Live)));
        }
        if matches!(of, Of::Deleted | Of::Either) {
            for group in Group::deleted(entries, since) {
                if self.is_there(&group).await? {
                    return Ok(Some((group, Of::Deleted)));
                }
            }
        }
        Ok(None)
    }
}
