//! Opening, scanning and taking rows of one table.

use std::sync::Arc;

use arrow::array::{AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{SchemaRef, UInt64Type};
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use lance::Dataset;
use lance::dataset::ProjectionRequest;
use lance::dataset::builder::DatasetBuilder;
use lance::dataset::fragment::{FileFragment, FragReadConfig};
use lance::session::Session;
use lance_core::ROW_ADDR;
use lance_core::datatypes::Schema;
use lance_io::scheduler::{ScanScheduler, SchedulerConfig};
use lance_table::format::Fragment;

use super::location::Location;

/// Rows per batch of a scan.
const SCAN_ROWS: u32 = 8192;
/// Fragments that are opened, and batches that are decoded, before they are asked for.
const FRAGMENTS_AHEAD: usize = 4;
const BATCHES_AHEAD: usize = 2;
/// Bytes that are read before they are decoded: memory that is used again, and not first touched, is what
/// makes a scan fast.
const BYTES_AHEAD: u64 = 4 << 20;

/// Opens a table at a version, or at its newest.
pub(super) async fn open(location: &Location, session: &Arc<Session>, version: Option<u64>) -> lance::Result<Dataset> {
    let mut builder = DatasetBuilder::from_uri(location.uri()).with_session(Arc::clone(session));
    if let Some(version) = version {
        builder = builder.with_version(version);
    }
    builder.load().await
}

/// Batches of rows, each with their addresses.
pub(super) type Batches = BoxStream<'static, lance::Result<RecordBatch>>;

/// The rows of all fragments that are not deleted, in the order of their addresses, in batches of so many.
pub(super) async fn read_all(dataset: &Dataset, columns: &[&str], rows: u32) -> lance::Result<Batches> {
    read(dataset, dataset.get_fragments(), &dataset.schema().project(columns)?, rows).await
}

/// The rows of these fragments of a dataset that are not deleted, in their order.
///
/// Fragments are read by themselves. A scan of a dataset makes a plan of the query engine first, for which
/// that registers hundreds of functions: a fifth of the CPU time of a process that searches once.
pub(super) async fn read(
    dataset: &Dataset,
    fragments: Vec<FileFragment>,
    projection: &Schema,
    rows: u32,
) -> lance::Result<Batches> {
    let scheduler = ScanScheduler::new(dataset.object_store(None).await?, SchedulerConfig::new(BYTES_AHEAD));
    let projection = projection.clone();
    let open = move |(nth, fragment): (u32, FileFragment)| {
        let (projection, scheduler) = (projection.clone(), Arc::clone(&scheduler));
        let config = FragReadConfig::default().with_row_address(true);
        let config = config.with_scan_scheduler(scheduler).with_reader_priority(nth);
        async move {
            let reader = fragment.open(&projection, config).await?;
            Ok::<_, lance::Error>(reader.read_all(rows).await?.buffered(BATCHES_AHEAD))
        }
    };
    Ok(stream::iter((0..).zip(fragments)).map(open).buffered(FRAGMENTS_AHEAD).try_flatten().boxed())
}

/// Reads columns of all rows in the order of their addresses, and calls `each` with
/// every batch and the row addresses in it.
pub(super) async fn scan<E: From<lance::Error>>(
    dataset: &Dataset,
    columns: &[&str],
    mut each: impl FnMut(&RecordBatch, &[u64]) -> Result<(), E> + Send,
) -> Result<(), E> {
    let mut stream = read_all(dataset, columns, SCAN_ROWS).await?;
    while let Some(batch) = stream.try_next().await? {
        let addresses = addresses(&batch)?;
        each(&batch, addresses)?;
    }
    Ok(())
}

/// The row addresses in a batch of a scan.
pub(super) fn addresses(batch: &RecordBatch) -> lance::Result<&[u64]> {
    batch
        .column_by_name(ROW_ADDR)
        .and_then(|column| column.as_primitive_opt::<UInt64Type>())
        .map(|column| &**column.values())
        .ok_or_else(|| lance::Error::internal("a scan returned no row addresses".to_owned()))
}

/// Reads columns of the rows at these ascending addresses, in that order.
pub(super) async fn take(dataset: &Dataset, addresses: &[u64], columns: &[&str]) -> lance::Result<RecordBatch> {
    let projection = ProjectionRequest::from_columns(columns, dataset.schema());
    dataset.take_rows(addresses, projection).await
}

/// The rows of some fragments, in order.
pub(super) struct Fragments {
    stream: Batches,
}

impl Fragments {
    pub async fn open(dataset: &Dataset, fragments: Vec<Fragment>, columns: &[&str]) -> lance::Result<Self> {
        let of = Arc::new(dataset.clone());
        let fragments = fragments.into_iter().map(|fragment| FileFragment::new(Arc::clone(&of), fragment)).collect();
        Ok(Self { stream: read(dataset, fragments, &dataset.schema().project(columns)?, SCAN_ROWS).await? })
    }

    /// The next batch of the rows whose address `keep` accepts, with that schema, and their
    /// addresses; `None` at the end.
    pub async fn next(
        &mut self,
        schema: &SchemaRef,
        keep: impl Fn(u64) -> bool + Send,
    ) -> lance::Result<Option<(RecordBatch, Vec<u64>)>> {
        let Some(batch) = self.stream.try_next().await? else { return Ok(None) };
        let mask: BooleanArray = addresses(&batch)?.iter().map(|address| Some(keep(*address))).collect();
        let kept = addresses(&batch)?.iter().copied().filter(|address| keep(*address)).collect();
        let columns: Result<Vec<_>, _> = schema
            .fields()
            .iter()
            .map(|field| {
                let column = batch.column_by_name(field.name());
                column
                    .cloned()
                    .ok_or_else(|| lance::Error::internal(format!("a scan returned no column {}", field.name())))
            })
            .collect();
        let batch = RecordBatch::try_new(Arc::clone(schema), columns?)?;
        Ok(Some((filter_record_batch(&batch, &mask)?, kept)))
    }
}
