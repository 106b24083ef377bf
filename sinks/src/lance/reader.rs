//! Reading the tables at a token.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array as _, RecordBatch};
use arrow::datatypes::{SchemaRef, UInt32Type};
use futures::TryStreamExt as _;
use gristmill_pipeline::{ExtraColumn, ExtraOwner, Hash, RelPath, RowKey, SinkError, Token, row_key};
use lance::Dataset;
use lance::dataset::scanner::RowAddrTreeMap;
use lance::session::Session;

use super::blocking::Blocking;
use super::digest::RowDigest;
use super::error::{TableError, named};
use super::load;
use super::location::Location;
use super::session;
use super::token::{VectorState, rows_of, tables_of, version_of};
use crate::sink_error::{WrapErr as _, sink_error};
use crate::tables::{ColumnError, Columns, Table, extras};

/// The name of the sink in errors of a reader.
const READER: &str = "lance";

/// The tables of one epoch. Epochs that are written later are not visible.
pub struct LanceReader {
    blocking: Blocking,
    session: Arc<Session>,
    tables: BTreeMap<Table, OpenTable>,
    pub(super) vectors: VectorState,
    /// The address of each chunk, sorted by locator; loaded on first use.
    keys: OnceLock<Vec<(ChunkLocator, u64)>>,
}

/// A table that is opened on first use: most queries use one or two of six.
struct OpenTable {
    location: Location,
    version: u64,
    rows: u64,
    dataset: OnceLock<Arc<Dataset>>,
}

/// Identifies a row of `chunks` within an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkLocator {
    /// [`RowId::key`](gristmill_pipeline::RowId::key) of the path and its content.
    pub row: RowKey,
    /// The chunk's index among those of the path, counted from 0.
    pub ordinal: u32,
}

/// Every vector of a table, for exact search.
#[derive(Clone, Debug)]
pub struct ChunkVectors {
    /// Components of a vector.
    pub dimension: usize,
    /// The components, one vector after the other (`rows × dimension`).
    pub values: Vec<f32>,
    /// For each row its address, for [`LanceReader::take`].
    pub addresses: Vec<u64>,
    /// For each row its file, as an index into `files`.
    pub file: Vec<u32>,
    /// For each row its ordinal.
    pub ordinals: Vec<u32>,
    /// Each path, with the key of the path and its content.
    pub files: Vec<(RelPath, RowKey)>,
}

impl LanceReader {
    /// Finds the tables in `folder` that `token` names, at its versions. Each is opened on first use.
    ///
    /// # Errors
    /// If the token names no table.
    pub fn open(folder: &Path, token: &Token) -> Result<Self, SinkError> {
        let blocking = Blocking::new(false).wrap_err(READER, "cannot start its runtime")?;
        let mut tables = BTreeMap::new();
        for table in tables_of(token) {
            let Some(version) = version_of(token, &table) else { continue };
            let (location, rows) = (Location::new(folder, &table), rows_of(token, &table).unwrap_or(0));
            tables.insert(table, OpenTable { location, version, rows, dataset: OnceLock::new() });
        }
        if tables.is_empty() {
            return Err(sink_error(
                READER,
                "cannot open its tables",
                "the token names no table; is it of a Lance store?",
            ));
        }
        let session = Arc::new(session());
        Ok(Self { blocking, session, tables, vectors: VectorState::of(token, &Table::Chunks), keys: OnceLock::new() })
    }

    /// The tables that the epoch has.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.keys()
    }

    /// The number of rows of a table; 0 if the epoch does not have the table.
    #[must_use]
    pub fn count_rows(&self, table: &Table) -> u64 {
        self.tables.get(table).map_or(0, |open| open.rows)
    }

    /// The columns of a table.
    ///
    /// # Errors
    /// If the epoch does not have the table.
    pub fn schema(&self, table: &Table) -> Result<SchemaRef, SinkError> {
        let schema: arrow::datatypes::Schema = self.dataset(table)?.schema().into();
        Ok(Arc::new(schema))
    }

    /// The extra columns that operators added to `files` and `chunks`, in their order.
    ///
    /// # Errors
    /// If a table cannot be opened.
    pub fn extra_columns(&self) -> Result<Vec<ExtraColumn>, SinkError> {
        let mut columns = Vec::new();
        for owner in [ExtraOwner::Files, ExtraOwner::Chunks] {
            let table = extras::table_of(owner);
            if self.tables.contains_key(&table) {
                columns.extend(extras::of_schema(owner, &self.dataset(&table)?.schema().into()));
            }
        }
        Ok(columns)
    }

    /// The first `rows` rows of a table.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn sample(&self, table: &Table, rows: usize) -> Result<RecordBatch, SinkError> {
        let rows = rows.min(usize::try_from(self.count_rows(table)).unwrap_or(usize::MAX));
        let indices: Vec<u64> = (0..rows as u64).collect();
        let dataset = self.dataset(table)?;
        self.wait(table, async { Ok(dataset.take(&indices, dataset.schema().clone()).await?) })
    }

    /// Columns of all rows of a table; all columns if none is named.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn scan(&self, table: &Table, columns: &[&str]) -> Result<Vec<RecordBatch>, SinkError> {
        let dataset = self.dataset(table)?;
        self.wait(table, async {
            let mut scanner = dataset.scan();
            if !columns.is_empty() {
                scanner.project(columns)?;
            }
            Ok(scanner.scan_in_order(true).try_into_stream().await?.try_collect().await?)
        })
    }

    /// Columns of the rows that satisfy an SQL condition, at most `limit` rows.
    ///
    /// # Errors
    /// If the condition is not valid SQL over the table's columns, or the table cannot be read.
    pub fn filter(
        &self,
        table: &Table,
        columns: &[&str],
        condition: &str,
        limit: Option<u32>,
    ) -> Result<Vec<RecordBatch>, SinkError> {
        let dataset = self.dataset(table)?;
        self.wait(table, async {
            let mut scanner = dataset.scan();
            if !columns.is_empty() {
                scanner.project(columns)?;
            }
            scanner.filter(condition)?.limit(limit.map(i64::from), None)?;
            Ok(scanner.try_into_stream().await?.try_collect().await?)
        })
    }

    /// Columns of the rows at these addresses, in that order.
    ///
    /// # Errors
    /// If the table cannot be read, or has no such rows.
    pub fn take(&self, table: &Table, addresses: &[u64], columns: &[&str]) -> Result<RecordBatch, SinkError> {
        let dataset = self.dataset(table)?;
        self.wait(table, async { Ok(load::take(dataset, addresses, columns).await?) })
    }

    /// The addresses of these chunks; `None` for a chunk that does not exist. The first call
    /// reads three columns of the table, later ones search what it loaded.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn chunk_addresses(&self, chunks: &[ChunkLocator]) -> Result<Vec<Option<u64>>, SinkError> {
        let keys = self.keys()?;
        let find = |name: &ChunkLocator| {
            keys.binary_search_by_key(name, |entry| entry.0).ok().and_then(|at| keys.get(at)).map(|entry| entry.1)
        };
        Ok(chunks.iter().map(find).collect())
    }

    /// Columns of these chunks, in that order; chunks that do not exist are left out.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn take_chunks(&self, chunks: &[ChunkLocator], columns: &[&str]) -> Result<RecordBatch, SinkError> {
        let addresses: Vec<u64> = self.chunk_addresses(chunks)?.into_iter().flatten().collect();
        self.take(&Table::Chunks, &addresses, columns)
    }

    /// The addresses of all chunks of these rows.
    pub(super) fn addresses_of(&self, rows: &HashSet<RowKey>) -> Result<RowAddrTreeMap, SinkError> {
        let keys = self.keys()?;
        let mut addresses = RowAddrTreeMap::new();
        for row in rows {
            let start = keys.partition_point(|(name, _)| name.row < *row);
            let of_row = keys.iter().skip(start).take_while(|(name, _)| name.row == *row);
            of_row.for_each(|(_, address)| {
                addresses.insert(*address);
            });
        }
        Ok(addresses)
    }

    fn keys(&self) -> Result<&[(ChunkLocator, u64)], SinkError> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys);
        }
        let keys = self.load_keys()?;
        Ok(self.keys.get_or_init(|| keys))
    }

    fn load_keys(&self) -> Result<Vec<(ChunkLocator, u64)>, SinkError> {
        let dataset = self.dataset(&Table::Chunks)?;
        let mut keys = Vec::new();
        self.wait(
            &Table::Chunks,
            load::scan(dataset, &["path", "content_hash", "ordinal"], |batch, addresses| {
                let columns = Columns(batch);
                let ordinals = columns.numbers::<UInt32Type>("ordinal")?;
                each_file(&columns, |_, row, rows| {
                    let named =
                        |at: usize| Some((ChunkLocator { row, ordinal: ordinals.value(at) }, *addresses.get(at)?));
                    keys.extend(rows.filter_map(named));
                })?;
                Ok(())
            }),
        )?;
        keys.sort_unstable();
        Ok(keys)
    }

    /// All vectors, with what identifies their rows.
    ///
    /// # Errors
    /// If the table has no vectors or cannot be read.
    pub fn vectors(&self) -> Result<ChunkVectors, SinkError> {
        let dataset = self.dataset(&Table::Chunks)?;
        let rows = usize::try_from(self.count_rows(&Table::Chunks)).unwrap_or_default();
        let mut vectors = ChunkVectors {
            dimension: 0,
            values: Vec::new(),
            addresses: Vec::with_capacity(rows),
            file: Vec::with_capacity(rows),
            ordinals: Vec::with_capacity(rows),
            files: Vec::new(),
        };
        self.wait(
            &Table::Chunks,
            load::scan(dataset, &["path", "content_hash", "ordinal", "vector"], |batch, addresses| {
                let columns = Columns(batch);
                let ordinals = columns.numbers::<UInt32Type>("ordinal")?;
                let (values, dimension) = columns.vectors("vector")?;
                if vectors.dimension == 0 {
                    vectors.dimension = dimension;
                    vectors.values.reserve_exact(rows * dimension);
                }
                vectors.values.extend_from_slice(&values);
                vectors.addresses.extend_from_slice(addresses);
                vectors.ordinals.extend_from_slice(ordinals.values());
                each_file(&columns, |path, row, rows| {
                    // A file whose rows span two batches comes twice, which does no harm.
                    vectors.files.push((RelPath::from(path), row));
                    let file = u32::try_from(vectors.files.len() - 1).unwrap_or(u32::MAX);
                    vectors.file.extend(rows.map(|_| file));
                })?;
                Ok(())
            }),
        )?;
        Ok(vectors)
    }

    /// The keys of the files whose path and language `is_allowed` accepts.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn rows_of_files(&self, is_allowed: impl Fn(&str, &str) -> bool + Sync) -> Result<HashSet<RowKey>, SinkError> {
        let dataset = self.dataset(&Table::Files)?;
        let mut keys = HashSet::new();
        self.wait(
            &Table::Files,
            load::scan(dataset, &["path", "content_hash", "language"], |batch, _| {
                let columns = Columns(batch);
                let languages = columns.text("language")?;
                each_file(&columns, |path, row, mut rows| {
                    if rows.any(|row| is_allowed(path, languages.value(row))) {
                        keys.insert(row);
                    }
                })?;
                Ok(())
            }),
        )?;
        Ok(keys)
    }

    /// The keys of the rows that a ref has; `None` if the index does not cover that ref.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn rows_of_ref(&self, name: &str) -> Result<Option<HashSet<RowKey>>, SinkError> {
        let table = Table::View("refs".into());
        if !self.tables.contains_key(&table) {
            return Ok(None);
        }
        let condition = format!("ref = '{}'", name.replace('\'', "''"));
        let mut keys = HashSet::new();
        for batch in self.filter(&table, &["path", "content_hash"], &condition, None)? {
            let each = each_file(&Columns(&batch), |_, row, _| {
                keys.insert(row);
            });
            each.map_err(|error| named(READER, "cannot read", &table)(error.into()))?;
        }
        Ok((!keys.is_empty()).then_some(keys))
    }

    /// A hash of the content of each table: of all columns but `epoch` of all rows, independent
    /// of the order of the rows and of the fragments that hold them.
    ///
    /// # Errors
    /// If a table cannot be read.
    pub fn table_digests(&self) -> Result<BTreeMap<Table, Hash>, SinkError> {
        self.tables().map(|table| Ok((table.clone(), self.table_digest(table)?))).collect()
    }

    /// A hash of the content of all tables. Equal digests mean equal rows.
    ///
    /// # Errors
    /// If a table cannot be read.
    pub fn digest(&self) -> Result<Hash, SinkError> {
        let tables = self.table_digests()?;
        let parts = tables.iter().flat_map(|(table, hash)| [table.as_str().as_bytes(), hash.as_bytes().as_slice()]);
        Ok(Hash::of_parts(parts))
    }

    fn table_digest(&self, table: &Table) -> Result<Hash, SinkError> {
        let dataset = self.dataset(table)?;
        let columns: Vec<&str> =
            dataset.schema().fields.iter().map(|field| field.name.as_str()).filter(|name| *name != "epoch").collect();
        let mut digest = RowDigest::default();
        let mut refused = None;
        self.wait(
            table,
            load::scan(dataset, &columns, |batch, _| {
                if let Err(error) = digest.add(batch, &columns) {
                    refused.get_or_insert(error);
                }
                Ok(())
            }),
        )?;
        match refused {
            Some(error) => Err(sink_error(READER, format!("cannot digest table {table}"), error)),
            None => Ok(digest.finish()),
        }
    }

    pub(super) fn dataset(&self, table: &Table) -> Result<&Arc<Dataset>, SinkError> {
        let open = self
            .tables
            .get(table)
            .ok_or_else(|| sink_error(READER, format!("cannot read table {table}"), "the store has no such table"))?;
        if let Some(dataset) = open.dataset.get() {
            return Ok(dataset);
        }
        let dataset = self
            .blocking
            .wait(load::open(&open.location, &self.session, Some(open.version)))
            .wrap_err(READER, "cannot open its tables")?
            .map_err(|error| named(READER, "cannot open", table)(error.into()))?;
        // Two threads may open it at once, which does no harm.
        Ok(open.dataset.get_or_init(|| Arc::new(dataset)))
    }

    pub(super) fn wait<T: Send>(
        &self,
        table: &Table,
        future: impl Future<Output = Result<T, TableError>> + Send,
    ) -> Result<T, SinkError> {
        self.blocking.wait(future).wrap_err(READER, "cannot read")?.map_err(named(READER, "cannot read", table))
    }
}

/// Calls `each` with the path, the key and the rows of each file of a batch. The rows of a
/// file are consecutive.
pub(super) fn each_file(
    columns: &Columns<'_>,
    mut each: impl FnMut(&str, RowKey, Range<usize>),
) -> Result<(), ColumnError> {
    let (paths, hashes) = (columns.text("path")?, columns.hashes("content_hash")?);
    let mut start = 0;
    while start < paths.len() {
        let (path, hash) = (paths.value(start), hashes.value(start));
        let is_same = |row: &usize| paths.value(*row) == path && hashes.value(*row) == hash;
        let end = start + 1 + (start + 1..paths.len()).take_while(is_same).count();
        each(path, row_key(path, &hash), start..end);
        start = end;
    }
    Ok(())
}
