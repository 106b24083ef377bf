//! A runner for callers without an async runtime.

use std::path::Path;
use std::sync::mpsc;

use gristmill_config::Registry;
use tokio::runtime::{Builder, Runtime};

use super::call::CallContext;
use super::error::{ErrorCode, ToolError};
use super::request::{Request, Response};
use super::runner::Runner;
use super::tool_set::ToolSet;

/// A [`Runner`] that blocks the calling thread. It has its own Tokio runtime, and can be used
/// within another: its tasks never run on the caller's thread. The documentation of
/// `gristmill-tools` has an example.
pub struct BlockingRunner {
    runner: Runner,
    /// `None` only while being dropped.
    runtime: Option<Runtime>,
}

impl BlockingRunner {
    /// Wraps a runner.
    ///
    /// # Errors
    /// If the threads cannot be started.
    pub fn new(runner: Runner) -> Result<Self, ToolError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("gristmill-ask").enable_time().build();
        let runtime = runtime.map_err(|error| ToolError::internal("cannot start a thread", &error))?;
        Ok(Self { runner, runtime: Some(runtime) })
    }

    /// Opens an index that was written by a job with the default graph; see [`Runner::open`].
    ///
    /// # Errors
    /// If the folder contains no index, or it cannot be opened.
    pub fn open(folder: &Path, registry: &Registry, tools: ToolSet) -> Result<Self, ToolError> {
        Self::new(Runner::open(folder, registry, tools)?)
    }

    /// Returns the wrapped runner.
    #[must_use]
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// Runs a request and waits for the response.
    ///
    /// # Errors
    /// Those of [`Runner::ask`].
    pub fn ask(&self, request: Request, call: CallContext) -> Result<Response, ToolError> {
        let gone = || ToolError::new(ErrorCode::Internal, "internal error: the thread of the runner ended");
        let runtime = self.runtime.as_ref().ok_or_else(gone)?;
        let (sender, answer) = mpsc::sync_channel(1);
        let runner = self.runner.clone();
        runtime.spawn(async move {
            // Cannot fail: the receiver waits.
            let _ = sender.send(runner.ask(request, call).await);
        });
        answer.recv().map_err(|_| gone())?
    }
}

impl Drop for BlockingRunner {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting for the threads would panic within another runtime.
            runtime.shutdown_background();
        }
    }
}
