//! The runner for callers without an asynchronous runtime.

use std::path::Path;
use std::sync::mpsc;

use tokio::runtime::{Builder, Runtime};

use super::call::Call;
use super::error::{ErrorCode, ToolError};
use super::request::{Request, Response};
use super::runner::Runner;
use super::tool_set::ToolSet;

/// A [`Runner`] that blocks the calling thread. It brings a runtime of its own, and may be
/// used inside of another: nothing of it runs on the caller's thread. The documentation of
/// `gristmill-tools` has an example.
pub struct BlockingRunner {
    runner: Runner,
    /// `None` only while being dropped.
    runtime: Option<Runtime>,
}

impl BlockingRunner {
    /// A runner that blocks.
    ///
    /// # Errors
    /// If its threads cannot be started.
    pub fn new(runner: Runner) -> Result<Self, ToolError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("gristmill-ask").enable_time().build();
        let runtime = runtime.map_err(|error| ToolError::internal("cannot start a thread", &error))?;
        Ok(Self { runner, runtime: Some(runtime) })
    }

    /// One over an index that was written by a job with the default graph.
    ///
    /// # Errors
    /// If there is no index in the folder.
    pub fn open(folder: &Path, tools: ToolSet) -> Result<Self, ToolError> {
        Self::new(Runner::open(folder, tools)?)
    }

    /// The runner.
    #[must_use]
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// Those of [`Runner::ask`].
    pub fn ask(&self, request: Request, call: Call) -> Result<Response, ToolError> {
        let gone = || ToolError::new(ErrorCode::Internal, "the runner's thread is gone");
        let runtime = self.runtime.as_ref().ok_or_else(gone)?;
        let (sender, answer) = mpsc::sync_channel(1);
        let runner = self.runner.clone();
        runtime.spawn(async move {
            // The one who asked waits.
            let _ = sender.send(runner.ask(request, call).await);
        });
        answer.recv().map_err(|_| gone())?
    }
}

impl Drop for BlockingRunner {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // To wait for its threads is refused inside of another runtime.
            runtime.shutdown_background();
        }
    }
}
