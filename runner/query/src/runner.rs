//! The runner: answers requests, whose tool calls run concurrently on one epoch.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_config::{Job, Registry};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::answers;
use super::call::{CallContext, DEFAULT_DEADLINE, deadline_error};
use super::epoch::OpenEpoch;
use super::erased_tool::ErasedTool;
use super::error::{ErrorCode, ToolError};
use super::index::QueriedIndex;
use super::observer::CallObserver;
use super::request::{AnswerNote, AnswerOrError, Outcome, Request, RequestOptions, Response, ToolCall};
use super::threads::Threads;
use super::tool::ToolContext;
use super::tool_set::ToolSet;

/// The maximum number of calls in a request.
pub const MAX_CALLS: usize = 32;

/// The range of `deadline_ms`.
const DEADLINES_MS: std::ops::RangeInclusive<u64> = 1..=600_000;

/// The calls of a [`Runner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// The maximum number of concurrent calls.
    pub max: usize,
    /// Calls that run.
    pub running: usize,
    /// Calls that wait for a thread.
    pub waiting: usize,
}

/// Answers requests over a set of indexes with a set of tools. Clones share everything.
///
/// A request is answered from one epoch of one index. Its calls run concurrently, each on a thread
/// of a bounded pool. Needs a Tokio runtime; [`BlockingRunner`](super::BlockingRunner) brings its
/// own.
#[derive(Clone)]
pub struct Runner {
    indexes: Arc<BTreeMap<Arc<str>, Arc<QueriedIndex>>>,
    tools: Arc<ToolSet>,
    observer: Option<Arc<dyn CallObserver>>,
    /// Bytes of answers that are kept of an epoch; 0 for none.
    kept_bytes: u64,
    threads: Arc<Threads>,
    /// The share of the threads that this runner may use, if it is a tenant's.
    share: Option<Arc<Threads>>,
}

impl Runner {
    /// Creates a runner. At most `max_calls` calls run at once; others wait, the earliest deadline first. A
    /// call that would start after its deadline is rejected at once with [`ErrorCode::Busy`].
    #[must_use]
    pub fn new(indexes: impl IntoIterator<Item = Arc<QueriedIndex>>, tools: ToolSet, max_calls: usize) -> Self {
        let indexes = indexes.into_iter().map(|index| (Arc::clone(index.name()), index)).collect();
        let (indexes, tools) = (Arc::new(indexes), Arc::new(tools));
        Self { indexes, tools, observer: None, kept_bytes: 0, threads: Arc::new(Threads::new(max_calls)), share: None }
    }

    /// Sets the observer that receives the outcome of every call.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn CallObserver>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Keeps answers, in so many bytes for each open epoch. Worth it where the same is asked again.
    #[must_use]
    pub fn keeping_answers(self, bytes: u64) -> Self {
        Self { kept_bytes: bytes, ..self }
    }

    /// Creates a runner over the index of one job.
    #[must_use]
    pub fn of_job(job: Job, tools: ToolSet) -> Self {
        let name = job.name.clone();
        Self::new([Arc::new(QueriedIndex::new(name, Arc::new(job)))], tools, default_threads())
    }

    /// Opens an index that was written by a job with the default graph. `registry` is what such a job
    /// may name; an index of another job is opened by [`of_job`](Self::of_job).
    ///
    /// # Errors
    /// If the folder contains no index, or it cannot be opened.
    pub fn open(folder: &Path, registry: &Registry, tools: ToolSet) -> Result<Self, ToolError> {
        let job =
            Job::of_index(folder, registry).map_err(|error| ToolError::internal("the job cannot be built", &error))?;
        let runner = Self::of_job(job, tools);
        for index in runner.indexes() {
            index.refresh()?;
        }
        Ok(runner)
    }

    /// Returns a runner over some of the indexes, for a tenant that may query no others. It shares
    /// the threads, of which it uses at most three quarters, so that others are not starved.
    #[must_use]
    pub fn only(&self, names: &[Arc<str>]) -> Self {
        let indexes = self.indexes.iter().filter(|(name, _)| names.contains(name));
        let indexes = indexes.map(|(name, index)| (Arc::clone(name), Arc::clone(index))).collect();
        let share = Threads::new(self.threads.max() * 3 / 4);
        Self { indexes: Arc::new(indexes), share: Some(Arc::new(share)), ..self.clone() }
    }

    /// Returns the tools.
    #[must_use]
    pub fn tools(&self) -> &ToolSet {
        &self.tools
    }

    /// Iterates over the indexes.
    pub fn indexes(&self) -> impl Iterator<Item = &Arc<QueriedIndex>> {
        self.indexes.values()
    }

    /// Returns the number of calls that run and wait, and the maximum.
    #[must_use]
    pub fn load(&self) -> Load {
        let threads = &self.threads;
        Load { max: threads.max(), running: threads.running(), waiting: threads.waiting() }
    }

    /// Returns the index with this name; without a name, the only one.
    ///
    /// # Errors
    /// If the index does not exist, or there are several and `name` is `None`.
    pub fn index(&self, name: Option<&str>) -> Result<&Arc<QueriedIndex>, ToolError> {
        let known = || self.indexes.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match name {
            Some(name) => self.indexes.get(name).ok_or_else(|| {
                ToolError::new(ErrorCode::UnknownJob, "unknown job").help(format!("available jobs: {}", known()))
            }),
            None if self.indexes.len() == 1 => self.indexes.values().next().ok_or_else(no_index),
            None if self.indexes.is_empty() => Err(no_index()),
            None => Err(ToolError::bad_input("`job` is required: there are several jobs")
                .help(format!("set `job` to one of {}", known()))),
        }
    }

    /// Creates the context of a call by `tenant`, with the deadline of the request.
    ///
    /// # Errors
    /// If `deadline_ms` is out of range.
    pub fn call(&self, tenant: impl Into<Arc<str>>, options: &RequestOptions) -> Result<CallContext, ToolError> {
        let within = match options.deadline_ms {
            None => DEFAULT_DEADLINE,
            Some(ms) if DEADLINES_MS.contains(&ms) => Duration::from_millis(ms),
            Some(ms) => {
                let (min, max) = (DEADLINES_MS.start(), DEADLINES_MS.end());
                return Err(ToolError::bad_input(format!("`deadline_ms` must be between {min} and {max}, got {ms}")));
            }
        };
        Ok(CallContext::new(tenant, within))
    }

    /// Runs the calls of a request. A call that fails does not affect the others.
    ///
    /// Dropping the future cancels the calls.
    ///
    /// # Errors
    /// If the index or epoch does not exist, or the number of calls is out of range.
    pub async fn ask(&self, request: Request, call: CallContext) -> Result<Response, ToolError> {
        if request.calls.is_empty() || request.calls.len() > MAX_CALLS {
            let message = format!("a request must have between 1 and {MAX_CALLS} calls, got {}", request.calls.len());
            return Err(ToolError::bad_input(message));
        }
        let index = Arc::clone(self.index(request.options.job.as_deref())?);
        let _cancel = call.cancel_on_drop();
        let epoch = self.epoch(&index, request.options.epoch, &call).await?;
        let ref_name: Option<Arc<str>> = request.options.ref_name.map(Into::into);
        // Dropping this future drops the set, which aborts the calls.
        let mut calls = JoinSet::new();
        for (nth, tool_call) in request.calls.into_iter().enumerate() {
            let (index, epoch, ref_name) = (Arc::clone(&index), Arc::clone(&epoch), ref_name.clone());
            let answer = self.clone().answer(index, epoch, ref_name, tool_call, call.clone());
            calls.spawn(async move { (nth, answer.await) }.in_current_span());
        }
        let mut answers = Vec::with_capacity(calls.len());
        while let Some(answer) = calls.join_next().await {
            answers.push(
                answer.map_err(|_| {
                    ToolError::new(ErrorCode::Internal, "internal error: the tool's task was cancelled")
                })?,
            );
        }
        answers.sort_unstable_by_key(|(nth, _)| *nth);
        let record = epoch.record();
        Ok(Response {
            request: call.request.to_string(),
            context: call.describe(),
            epoch: record.epoch,
            revision: record.revision.as_deref().map(ToOwned::to_owned),
            committed_ms: record.committed_ms,
            coverage: epoch.coverage(),
            answers: answers.into_iter().map(|(_, outcome)| outcome).collect(),
        })
    }

    /// Returns the epoch to query. Needs no thread if it is the current one and open.
    async fn epoch(
        &self,
        index: &Arc<QueriedIndex>,
        epoch: Option<gristmill_pipeline::Epoch>,
        call: &CallContext,
    ) -> Result<Arc<OpenEpoch>, ToolError> {
        if let Some(current) = index.current_if_open()
            && epoch.is_none_or(|epoch| epoch == current.record().epoch)
        {
            return Ok(current);
        }
        let index = Arc::clone(index);
        self.on_thread(call, move || index.at(epoch)).await?
    }

    async fn answer(
        self,
        index: Arc<QueriedIndex>,
        epoch: Arc<OpenEpoch>,
        ref_name: Option<Arc<str>>,
        tool_call: ToolCall,
        call: CallContext,
    ) -> Outcome {
        let started = Instant::now();
        let ToolCall { tool: name, input } = tool_call;
        let span = tracing::info_span!("call", tool = %name, request = %call.request, tenant = %call.tenant, user = call.user.as_deref(), trace = call.trace.as_deref());
        let found = self.tools.find(&name).copied();
        let kept = found.filter(|tool| tool.of_epoch && self.kept_bytes > 0);
        let kept = kept.map(|tool| (tool.name, answers::key(tool.name, ref_name.as_deref(), &input)));
        if let Some((tool, key)) = &kept {
            let again = epoch.answers(self.kept_bytes).get(key);
            if let Some(observer) = &self.observer {
                observer.kept_answer_looked_up(tool, again.is_some());
            }
            if let Some(answer) = again {
                let duration = started.elapsed();
                if let Some(observer) = &self.observer {
                    observer.call_ended(tool, duration, None);
                }
                let (took_ms, result) = (duration.as_secs_f64() * 1e3, AnswerOrError::Answer((*answer).clone()));
                return Outcome { tool: name, took_ms, notes: Vec::new(), result };
            }
        }
        let result = match found {
            Some(tool) => {
                let (of_work, span, epoch) = (call.clone(), span.clone(), Arc::clone(&epoch));
                let answer = move || {
                    let _entered = span.enter();
                    answer(&tool, input, &index, &epoch, ref_name.as_deref(), &of_work)
                };
                self.on_thread(&call, answer).await
            }
            None => Err(self.tools.unknown(&name)),
        };
        let duration = started.elapsed();
        let (result, notes) = match result {
            Ok((result, notes)) => (result, notes),
            Err(error) => (Err(error), Vec::new()),
        };
        // A note may tell of something that passes, such as an embedder that does not answer.
        if let (Some((_, key)), Ok(answer), true) = (kept, &result, notes.is_empty()) {
            epoch.answers(self.kept_bytes).keep(key, answer, duration);
        }
        if let Some(observer) = &self.observer {
            let known = self.tools.find(&name).map_or("unknown", |tool| tool.name);
            observer.call_ended(known, duration, result.as_ref().err().map(|error| error.code));
        }
        if let Err(error) = &result {
            tracing::debug!(parent: &span, code = error.code.as_str(), detail = %error, "tool call failed");
        }
        Outcome {
            tool: name,
            took_ms: duration.as_secs_f64() * 1e3,
            notes,
            result: result.map_or_else(AnswerOrError::Error, AnswerOrError::Answer),
        }
    }

    /// Runs `work` on a thread as soon as one is free. At the deadline the call is cancelled, and
    /// the work is not waited for.
    async fn on_thread<T: Send + 'static>(
        &self,
        call: &CallContext,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ToolError> {
        let share = match &self.share {
            Some(share) => Some(share.permit(call).await?),
            None => None,
        };
        let permit = self.threads.permit(call).await?;
        let working = tokio::task::spawn_blocking(move || {
            // Released when the work ends, not when the caller leaves: until then the thread is
            // not free.
            let _permits = (share, permit);
            work()
        });
        match tokio::time::timeout_at(call.deadline().into(), working).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) => Err(ToolError::new(ErrorCode::Internal, "internal error: the tool panicked")),
            Err(_) => {
                call.cancel();
                Err(deadline_error())
            }
        }
    }
}

type Answered = (Result<serde_json::Value, ToolError>, Vec<AnswerNote>);

fn answer(
    tool: &ErasedTool,
    input: serde_json::Value,
    index: &QueriedIndex,
    epoch: &OpenEpoch,
    ref_name: Option<&str>,
    call: &CallContext,
) -> Answered {
    if let Err(error) = call.check() {
        return (Err(error), Vec::new());
    }
    match ToolContext::new(index, epoch, ref_name, call) {
        Ok(context) => ((tool.ask)(input, &context), context.into_notes()),
        Err(error) => (Err(error), Vec::new()),
    }
}

fn no_index() -> ToolError {
    ToolError::new(ErrorCode::UnknownJob, "there is no index to query")
}

/// The default number of threads: four per core, as some wait for the disk while others compute.
#[must_use]
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(4, |cores| cores.get() * 4)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn call() -> CallContext {
        CallContext::new("test", Duration::from_secs(60))
    }

    #[tokio::test]
    async fn calls_wait_for_a_thread_until_their_deadline() {
        let runner = Runner::new([], ToolSet::new(), 1);
        let (release, blocked) = channel::<()>();
        let first = {
            let runner = runner.clone();
            tokio::spawn(async move { runner.on_thread(&call(), move || blocked.recv().is_ok()).await })
        };
        while runner.load().running == 0 {
            tokio::task::yield_now().await;
        }
        let spawn = || {
            let runner = runner.clone();
            tokio::spawn(async move { runner.on_thread(&call(), || true).await })
        };
        // 16 agents with five calls each.
        const CALLS: usize = 80;
        let waiting: Vec<_> = (0..CALLS).map(|_| spawn()).collect();
        while runner.load().waiting < CALLS {
            tokio::task::yield_now().await;
        }
        let late = CallContext::new("test", Duration::from_millis(1));
        assert_eq!(runner.on_thread(&late, || true).await.unwrap_err().code, ErrorCode::Deadline);
        let [first_waiting, waiting @ ..] = waiting.as_slice() else { panic!("no call waits") };
        first_waiting.abort();
        while runner.load().waiting == CALLS {
            tokio::task::yield_now().await;
        }
        release.send(()).unwrap();
        assert!(first.await.unwrap().unwrap());
        while waiting.iter().any(|waiting| !waiting.is_finished()) {
            tokio::task::yield_now().await;
        }
        assert_eq!(runner.load(), Load { max: 1, running: 0, waiting: 0 });
    }

    #[tokio::test]
    async fn a_tenant_cannot_use_all_threads() {
        let all = Runner::new([], ToolSet::new(), 4);
        let (one, other) = (all.only(&[]), all.only(&[]));
        let held: Vec<_> = (0..4)
            .map(|_| {
                let (release, blocked) = channel::<()>();
                let one = one.clone();
                (release, tokio::spawn(async move { one.on_thread(&call(), move || blocked.recv().is_ok()).await }))
            })
            .collect();
        while all.load().running < 3 {
            tokio::task::yield_now().await;
        }
        assert!(other.on_thread(&call(), || true).await.unwrap());
        assert_eq!(all.load().running, 3, "the fourth call waits for its tenant's share");
        let (releases, held): (Vec<_>, Vec<_>) = held.into_iter().unzip();
        releases.iter().for_each(|release| release.send(()).unwrap());
        for held in held {
            assert!(held.await.unwrap().unwrap());
        }
    }
}
