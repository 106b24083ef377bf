//! Streaming record batches into new fragments, in no manifest yet.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::channel::mpsc;
use futures::{SinkExt as _, StreamExt as _};
use lance::Dataset;
use lance::dataset::transaction::{Operation, Transaction};
use lance::dataset::{InsertBuilder, WriteDestination, WriteParams};
use lance::deps::datafusion::error::DataFusionError;
use lance::deps::datafusion::physical_plan::SendableRecordBatchStream;
use lance::deps::datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use lance_table::format::Fragment;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Where a table's new fragments go.
#[derive(Clone)]
pub(super) enum Target {
    /// A table that exists.
    Table(Arc<Dataset>),
    /// A table to be created.
    New(String),
}

/// A task that writes fragments from the batches it is sent.
pub(super) struct FragmentWriter {
    batches: mpsc::Sender<Result<RecordBatch, DataFusionError>>,
    /// `None` once it has failed.
    task: Option<JoinHandle<lance::Result<Transaction>>>,
}

/// Why a batch could not be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error(transparent)]
    Lance(Box<lance::Error>),
    #[error("the task that writes fragments ended: {0}")]
    Task(#[from] tokio::task::JoinError),
    #[error("the task that writes fragments stopped taking rows")]
    Stopped,
}

impl From<lance::Error> for WriteError {
    fn from(error: lance::Error) -> Self {
        Self::Lance(Box::new(error))
    }
}

impl FragmentWriter {
    /// Starts the task. One batch waits in the channel while another is written.
    pub fn start(runtime: &Handle, target: Target, schema: SchemaRef, params: WriteParams) -> Self {
        let (batches, received) = mpsc::channel(0);
        let stream: SendableRecordBatchStream = Box::pin(RecordBatchStreamAdapter::new(schema, received.fuse()));
        let task = runtime.spawn(async move {
            let destination = match &target {
                Target::Table(dataset) => WriteDestination::Dataset(Arc::clone(dataset)),
                Target::New(uri) => WriteDestination::Uri(uri),
            };
            InsertBuilder::new(destination).with_params(&params).execute_uncommitted_stream(stream).await
        });
        Self { batches, task: Some(task) }
    }

    /// Hands over a batch; waits while the task is behind.
    pub async fn send(&mut self, batch: RecordBatch) -> Result<(), WriteError> {
        if self.batches.send(Ok(batch)).await.is_ok() {
            return Ok(());
        }
        // The task dropped its end: it failed, and its own error says why.
        if let Some(task) = self.task.take() {
            task.await??;
        }
        Err(WriteError::Stopped)
    }

    /// Finishes the fragments.
    pub async fn finish(self) -> Result<Transaction, WriteError> {
        let Self { batches, task } = self;
        drop(batches);
        match task {
            Some(task) => Ok(task.await??),
            None => Err(WriteError::Stopped),
        }
    }
}

/// The fragments that a writer's transaction adds.
pub(super) fn new_fragments(operation: &Operation) -> &[Fragment] {
    match operation {
        Operation::Append { fragments } | Operation::Overwrite { fragments, .. } => fragments,
        _ => &[],
    }
}
