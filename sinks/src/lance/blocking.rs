//! Running Lance's futures for callers that are plain synchronous code.

use std::future::Future;
use std::io;

use gristmill_pipeline::contained;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::sink_error::panicked;

/// A runtime of the store's own.
///
/// The caller may be synchronous or run inside another runtime. On a thread of another
/// runtime, which must not block on a future, the future runs on a thread of its own.
pub(crate) struct Blocking {
    /// `None` only while being dropped.
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Blocking {
    /// With `single_threaded`, futures and what they spawn run on the calling thread
    /// while it waits. Lance still encodes on a pool of its own, whose size
    /// `LANCE_CPU_THREADS` sets, and reads files on blocking threads.
    pub fn new(single_threaded: bool) -> io::Result<Self> {
        let mut builder = if single_threaded { Builder::new_current_thread() } else { Builder::new_multi_thread() };
        if !single_threaded {
            builder.worker_threads(1);
        }
        let runtime = builder.thread_name("lance-store").enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Waits for a future. Lance panics on some damaged files, which is an error here.
    pub fn wait<F>(&self, future: F) -> io::Result<F::Output>
    where
        F: Future + Send,
        F::Output: Send,
    {
        let runtime = self.runtime.as_ref().ok_or_else(|| io::Error::other("the store is closed"))?;
        let wait =
            || contained(|| runtime.block_on(future)).map_err(|panic| io::Error::other(panicked("Lance", &panic)));
        if Handle::try_current().is_err() {
            return wait();
        }
        std::thread::scope(|scope| scope.spawn(wait).join())
            .map_err(|_| io::Error::other("a thread that waited for Lance panicked"))?
    }

    /// The runtime's handle, to spawn tasks.
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropping a runtime waits for its threads, which is refused inside another.
            runtime.shutdown_background();
        }
    }
}
