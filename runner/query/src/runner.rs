//! The runner: asks indexes with any number of tools at once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_config::Job;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::call::{Call, DEFAULT_DEADLINE, deadline_error};
use super::epoch::OpenEpoch;
use super::error::{ErrorCode, ToolError};
use super::index::QueriedIndex;
use super::observer::CallObserver;
use super::request::{AnswerOrError, Note, Outcome, Place, Request, Response, ToolCall};
use super::threads::Threads;
use super::tool::{At, ErasedTool};
use super::tool_set::ToolSet;

/// Most calls of a request.
pub const MOST_CALLS: usize = 32;

/// What a caller may give as time, in milliseconds.
const DEADLINES_MS: std::ops::RangeInclusive<u64> = 1..=600_000;

/// Asks indexes. Clones are of the same runner.
///
/// Every request is answered from one epoch of one index; its calls run at once, on threads
/// of their own, so that no question waits for another but for a free thread. Needs a tokio
/// runtime; [`BlockingRunner`](super::BlockingRunner) does not.
#[derive(Clone)]
pub struct Runner {
    indexes: Arc<BTreeMap<Arc<str>, Arc<QueriedIndex>>>,
    tools: Arc<ToolSet>,
    observer: Option<Arc<dyn CallObserver>>,
    threads: Arc<Threads>,
    /// The part of the threads that this runner takes, if it is one of several.
    share: Option<Arc<Threads>>,
}

impl Runner {
    /// A runner over these indexes, by their names, with these tools. `most` calls run at
    /// once; four times as many wait, and more are refused.
    #[must_use]
    pub fn new(indexes: impl IntoIterator<Item = Arc<QueriedIndex>>, tools: ToolSet, most: usize) -> Self {
        let indexes = indexes.into_iter().map(|index| (Arc::clone(index.name()), index)).collect();
        let (indexes, tools) = (Arc::new(indexes), Arc::new(tools));
        Self { indexes, tools, observer: None, threads: Arc::new(Threads::new(most)), share: None }
    }

    /// The same runner, which tells an observer of its calls.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn CallObserver>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// A runner over the index of one job.
    #[must_use]
    pub fn of_job(job: Job, tools: ToolSet) -> Self {
        let name = job.name.clone();
        Self::new([Arc::new(QueriedIndex::new(name, Arc::new(job)))], tools, default_threads())
    }

    /// A runner over an index that was written by a job with the default graph.
    ///
    /// # Errors
    /// If there is no index in the folder.
    pub fn open(folder: &Path, tools: ToolSet) -> Result<Self, ToolError> {
        let job = Job::of_index(folder).map_err(|error| ToolError::internal("the job cannot be built", &error))?;
        let runner = Self::of_job(job, tools);
        for index in runner.indexes() {
            index.refresh()?;
        }
        Ok(runner)
    }

    /// A runner with the same threads over some of its indexes: the others do not exist for
    /// who has it. It takes three quarters of the threads at most, so that others find some.
    #[must_use]
    pub fn only(&self, names: &[Arc<str>]) -> Self {
        let indexes = self.indexes.iter().filter(|(name, _)| names.contains(name));
        let indexes = indexes.map(|(name, index)| (Arc::clone(name), Arc::clone(index))).collect();
        let share = Threads::new(self.threads.most() * 3 / 4);
        Self { indexes: Arc::new(indexes), share: Some(Arc::new(share)), ..self.clone() }
    }

    /// The tools.
    #[must_use]
    pub fn tools(&self) -> &ToolSet {
        &self.tools
    }

    /// The indexes.
    pub fn indexes(&self) -> impl Iterator<Item = &Arc<QueriedIndex>> {
        self.indexes.values()
    }

    /// Calls that run at most at once, that run now, and that wait.
    #[must_use]
    pub fn load(&self) -> [usize; 3] {
        let threads = &self.threads;
        [threads.most(), threads.running(), threads.waiting()]
    }

    /// The index of a name; without a name, the only one.
    ///
    /// # Errors
    /// If there is no such index, or several and no name.
    pub fn index(&self, name: Option<&str>) -> Result<&Arc<QueriedIndex>, ToolError> {
        let known = || self.indexes.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match name {
            Some(name) => self.indexes.get(name).ok_or_else(|| {
                ToolError::new(ErrorCode::UnknownJob, "there is no job of that name")
                    .help(format!("there is {}", known()))
            }),
            None if self.indexes.len() == 1 => self.indexes.values().next().ok_or_else(no_index),
            None if self.indexes.is_empty() => Err(no_index()),
            None => {
                Err(ToolError::bad_input("the request names no job").help(format!("set `job` to one of {}", known())))
            }
        }
    }

    /// A call by `tenant` with the time that the request gives it.
    ///
    /// # Errors
    /// If the time is out of range.
    pub fn call(&self, tenant: impl Into<Arc<str>>, place: &Place) -> Result<Call, ToolError> {
        let within = match place.deadline_ms {
            None => DEFAULT_DEADLINE,
            Some(ms) if DEADLINES_MS.contains(&ms) => Duration::from_millis(ms),
            Some(ms) => {
                let (least, most) = (DEADLINES_MS.start(), DEADLINES_MS.end());
                return Err(ToolError::bad_input(format!("`deadline_ms` is {ms}; it goes from {least} to {most}")));
            }
        };
        Ok(Call::new(tenant, within))
    }

    /// Asks. A call that fails leaves the others as they are.
    ///
    /// When the future is dropped, what it began is cancelled.
    ///
    /// # Errors
    /// If the request names no index or epoch that is there, or has no calls or too many.
    pub async fn ask(&self, request: Request, call: Call) -> Result<Response, ToolError> {
        if request.calls.is_empty() || request.calls.len() > MOST_CALLS {
            let message = format!("a request has from 1 to {MOST_CALLS} calls, this one has {}", request.calls.len());
            return Err(ToolError::bad_input(message));
        }
        let index = Arc::clone(self.index(request.place.job.as_deref())?);
        let _cancel = call.cancel_on_drop();
        let epoch = self.epoch(&index, request.place.epoch, &call).await?;
        let of_ref: Option<Arc<str>> = request.place.of_ref.map(Into::into);
        // Dropped with this future, which ends them.
        let mut calls = JoinSet::new();
        for (nth, tool_call) in request.calls.into_iter().enumerate() {
            let (index, epoch, of_ref) = (Arc::clone(&index), Arc::clone(&epoch), of_ref.clone());
            let answer = self.clone().answer(index, epoch, of_ref, tool_call, call.clone());
            calls.spawn(async move { (nth, answer.await) }.in_current_span());
        }
        let mut answers = Vec::with_capacity(calls.len());
        while let Some(answer) = calls.join_next().await {
            answers.push(answer.map_err(|_| ToolError::new(ErrorCode::Internal, "a call was lost"))?);
        }
        answers.sort_unstable_by_key(|(nth, _)| *nth);
        let record = epoch.record();
        Ok(Response {
            request: call.request.to_string(),
            epoch: record.epoch,
            revision: record.revision.as_deref().map(ToOwned::to_owned),
            committed_ms: record.committed_ms,
            coverage: epoch.coverage(),
            answers: answers.into_iter().map(|(_, outcome)| outcome).collect(),
        })
    }

    /// The epoch to ask. Nobody waits for a thread where the current one is open.
    async fn epoch(
        &self,
        index: &Arc<QueriedIndex>,
        epoch: Option<gristmill_pipeline::Epoch>,
        call: &Call,
    ) -> Result<Arc<OpenEpoch>, ToolError> {
        if let Some(current) = index.open_now()
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
        of_ref: Option<Arc<str>>,
        tool_call: ToolCall,
        call: Call,
    ) -> Outcome {
        let started = Instant::now();
        let ToolCall { tool: name, input } = tool_call;
        let span = tracing::info_span!("call", tool = %name, request = %call.request, tenant = %call.tenant, trace = call.trace.as_deref());
        let result = match self.tools.find(&name).copied() {
            Some(tool) => {
                let (of_work, span) = (call.clone(), span.clone());
                let answer = move || {
                    let _entered = span.enter();
                    answer(&tool, input, &index, &epoch, of_ref.as_deref(), &of_work)
                };
                self.on_thread(&call, answer).await
            }
            None => Err(self.tools.unknown(&name)),
        };
        let took = started.elapsed();
        let (result, notes) = match result {
            Ok((result, notes)) => (result, notes),
            Err(error) => (Err(error), Vec::new()),
        };
        if let Some(observer) = &self.observer {
            // A name that no tool has must not become a series of its own.
            let known = self.tools.find(&name).map_or("unknown", |tool| tool.name);
            observer.ended(known, took, result.as_ref().err().map(|error| error.code));
        }
        if let Err(error) = &result {
            tracing::debug!(parent: &span, code = error.code.as_str(), detail = %error, "no answer");
        }
        Outcome {
            tool: name,
            took_ms: took.as_secs_f64() * 1e3,
            notes,
            result: result.map_or_else(AnswerOrError::Error, AnswerOrError::Answer),
        }
    }

    /// Runs on a thread as soon as one is free, until the call's time is over: then the work
    /// is told to stop, and is not waited for.
    async fn on_thread<T: Send + 'static>(
        &self,
        call: &Call,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ToolError> {
        let share = match &self.share {
            Some(share) => Some(share.permit(call).await?),
            None => None,
        };
        let permit = self.threads.permit(call).await?;
        let working = tokio::task::spawn_blocking(move || {
            // Given back when the work ends, not when its caller goes: a thread that goes on
            // is not free.
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

type Answered = (Result<serde_json::Value, ToolError>, Vec<Note>);

fn answer(
    tool: &ErasedTool,
    input: serde_json::Value,
    index: &QueriedIndex,
    epoch: &OpenEpoch,
    of_ref: Option<&str>,
    call: &Call,
) -> Answered {
    if let Err(error) = call.check() {
        return (Err(error), Vec::new());
    }
    match At::new(index, epoch, of_ref, call) {
        Ok(at) => ((tool.ask)(input, &at), at.into_notes()),
        Err(error) => (Err(error), Vec::new()),
    }
}

fn no_index() -> ToolError {
    ToolError::new(ErrorCode::UnknownJob, "there is no index to ask")
}

/// Threads that answer where nothing else is said: some wait for a disk while others work.
#[must_use]
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(4, |cores| cores.get() * 4)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::super::threads::WAITING_PER_THREAD;
    use super::*;

    fn call() -> Call {
        Call::new("test", Duration::from_secs(60))
    }

    #[tokio::test]
    async fn what_finds_no_thread_waits_and_what_is_too_much_is_refused() {
        let runner = Runner::new([], ToolSet::new(), 1);
        let (release, blocked) = channel::<()>();
        let first = {
            let runner = runner.clone();
            tokio::spawn(async move { runner.on_thread(&call(), move || blocked.recv().is_ok()).await })
        };
        while runner.load()[1] == 0 {
            tokio::task::yield_now().await;
        }
        let spawn = || {
            let runner = runner.clone();
            tokio::spawn(async move { runner.on_thread(&call(), || true).await })
        };
        let waiting: Vec<_> = (0..WAITING_PER_THREAD).map(|_| spawn()).collect();
        while runner.load()[2] < WAITING_PER_THREAD {
            tokio::task::yield_now().await;
        }
        let refused = runner.on_thread(&call(), || true).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Busy);
        let late = Call::new("test", Duration::ZERO);
        // One that left made room for another, whose time is over before it finds a thread.
        let [first_waiting, waiting @ ..] = waiting.as_slice() else { panic!("nobody waits") };
        first_waiting.abort();
        while runner.load()[2] == WAITING_PER_THREAD {
            tokio::task::yield_now().await;
        }
        assert_eq!(runner.on_thread(&late, || true).await.unwrap_err().code, ErrorCode::Deadline);
        release.send(()).unwrap();
        assert!(first.await.unwrap().unwrap());
        while waiting.iter().any(|waiting| !waiting.is_finished()) {
            tokio::task::yield_now().await;
        }
        assert_eq!(runner.load(), [1, 0, 0]);
    }

    #[tokio::test]
    async fn one_tenant_leaves_threads_to_others() {
        let all = Runner::new([], ToolSet::new(), 4);
        let (one, other) = (all.only(&[]), all.only(&[]));
        let held: Vec<_> = (0..4)
            .map(|_| {
                let (release, blocked) = channel::<()>();
                let one = one.clone();
                (release, tokio::spawn(async move { one.on_thread(&call(), move || blocked.recv().is_ok()).await }))
            })
            .collect();
        while all.load()[1] < 3 {
            tokio::task::yield_now().await;
        }
        assert!(other.on_thread(&call(), || true).await.unwrap());
        assert_eq!(all.load()[1], 3, "the fourth waits for its tenant's share");
        let (releases, held): (Vec<_>, Vec<_>) = held.into_iter().unzip();
        releases.iter().for_each(|release| release.send(()).unwrap());
        for held in held {
            assert!(held.await.unwrap().unwrap());
        }
    }
}
