//! Opening, scanning and taking rows of one table.

use std::sync::Arc;

use arrow::array::{AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{SchemaRef, UInt64Type};
use futures::TryStreamExt as _;
use lance::Dataset;
use lance::dataset::ProjectionRequest;
use lance::dataset::builder::DatasetBuilder;
use lance::session::Session;
use lance_core::ROW_ADDR;
use lance_table::format::Fragment;

use super::location::Location;

/// Rows per batch of a scan.
const SCAN_ROWS: usize = 8192;

/// Opens a table at a version, or at its newest.
pub(super) async fn open(location: &Location, session: &Arc<Session>, version: Option<u64>) -> lance::Result<Dataset> {
    let mut builder = DatasetBuilder::from_uri(location.uri()).with_session(Arc::clone(session));
    if let Some(version) = version {
        builder = builder.with_version(version);
    }
    builder.load().await
}

/// Reads columns of all rows in the order of their addresses, and calls `each` with
/// every batch and the row addresses in it.
pub(super) async fn scan<E: From<lance::Error>>(
    dataset: &Dataset,
    columns: &[&str],
    mut each: impl FnMut(&RecordBatch, &[u64]) -> Result<(), E> + Send,
) -> Result<(), E> {
    let mut scanner = dataset.scan();
    scanner.project(columns)?.with_row_address().batch_size(SCAN_ROWS).scan_in_order(true);
    let mut stream = scanner.try_into_stream().await?;
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
    stream: lance::dataset::scanner::DatasetRecordBatchStream,
}

impl Fragments {
    pub async fn open(dataset: &Dataset, fragments: Vec<Fragment>, columns: &[&str]) -> lance::Result<Self> {
        let mut scanner = dataset.scan();
        scanner.with_fragments(fragments).project(columns)?.with_row_address();
        scanner.batch_size(SCAN_ROWS).scan_in_order(true);
        Ok(Self { stream: scanner.try_into_stream().await? })
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
