//! One sink, on the calling thread or on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};
use gristmill_ids::{ChunkLaneId, EmbedLaneId, Epoch};
use parking_lot::Mutex;

use crate::measure::StageMeter;
use crate::operator::panic_message;
use crate::sink::{
    EpochMeta, EpochWriter, FactForm, FactStore, Published, Sink, SinkConfig, SinkContext, SinkError, StagedEpoch,
    StagedRows, Token,
};

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// A store at one of the steps of an epoch.
enum Store {
    Open(Box<dyn Sink>),
    Writing(Box<dyn EpochWriter>),
    Staged(Box<dyn StagedEpoch>),
    /// Only its facts are read, and its rows are counted.
    Counted {
        facts: Option<Box<dyn FactStore>>,
        config: Arc<dyn SinkConfig>,
        context: SinkContext,
        added: u64,
    },
    /// A step failed, so that nothing is open.
    Closed,
}

impl Store {
    fn fact_store(&mut self) -> Option<&mut dyn FactStore> {
        match self {
            Self::Writing(writer) => writer.fact_store(),
            Self::Counted { facts: Some(facts), .. } => Some(&mut **facts),
            Self::Open(_) | Self::Counted { facts: None, .. } | Self::Staged(_) | Self::Closed => None,
        }
    }
}

/// A sink, wherever it runs. Jobs are done in the order in which they were given.
pub(in crate::run) struct SinkHandle {
    pub(in crate::run) name: Arc<str>,
    pub(in crate::run) chunk_lane: Option<ChunkLaneId>,
    pub(in crate::run) embed_lane: Option<EmbedLaneId>,
    /// Whether it stores definitions, references and imports (port `syntax`).
    pub(in crate::run) has_syntax: bool,
    /// Whether it keeps the tables of views.
    pub(in crate::run) keeps_views: bool,
    /// Whether it gives rows back.
    pub(in crate::run) is_fact_store: bool,
    /// Whether it gives vectors back rounded.
    pub(in crate::run) rounds_vectors: bool,
    /// Whether it was opened without the rows of the base, as they were damaged.
    pub(super) is_rebuilt: bool,
    meter: Arc<StageMeter>,
    /// The meter of the stage before it, which is blocked when this sink is slow.
    before: Option<Arc<StageMeter>>,
    place: Place,
    /// The first error of a job that nobody waited for.
    failure: Arc<Mutex<Option<SinkError>>>,
}

enum Place {
    Here(Box<Store>),
    Thread { jobs: Option<Sender<Job>>, thread: Option<JoinHandle<()>> },
}

/// How many jobs may wait for a sink. Each is a batch of records, whose bytes the memory
/// limit counts.
const WAITING_JOBS: usize = 4;

/// A job whose result is waited for later.
pub(super) struct Pending<R>(Receiver<Result<R, SinkError>>);

/// What finds the state of a sink, and the files that it reaches.
pub(in crate::run) struct SinkState {
    pub(in crate::run) token: Token,
    pub(in crate::run) files: Vec<PathBuf>,
}

/// What a handle is made of beside the store.
pub(super) struct Shape {
    pub(super) name: Arc<str>,
    pub(super) chunk_lane: Option<ChunkLaneId>,
    pub(super) embed_lane: Option<EmbedLaneId>,
    pub(super) has_syntax: bool,
    pub(super) keeps_views: bool,
    pub(super) facts: Option<FactForm>,
    pub(super) meter: Arc<StageMeter>,
    pub(super) before: Option<Arc<StageMeter>>,
}

impl Place {
    fn start(mut store: Store, meter: Arc<StageMeter>) -> Result<Self, SinkError> {
        let (sender, jobs): (Sender<Job>, Receiver<Job>) = bounded(WAITING_JOBS);
        let name = Arc::clone(&meter.name);
        let work = move || {
            let mut waiting_since = Instant::now();
            for job in jobs {
                meter.starved_since(waiting_since);
                job(&mut store);
                waiting_since = Instant::now();
            }
        };
        let thread = std::thread::Builder::new().name(format!("sink-{name}")).spawn(work);
        let thread = thread.map_err(|error| SinkError {
            sink: name.as_ref().into(),
            action: "cannot start its thread".into(),
            message: error.to_string().into(),
        })?;
        Ok(Self::Thread { jobs: Some(sender), thread: Some(thread) })
    }
}

fn panicked(sink: &str, panic: &str) -> SinkError {
    SinkError {
        sink: sink.into(),
        action: "stopped working".into(),
        message: format!("it panicked ({panic}); please report it").into(),
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Thread { jobs, thread } = self {
            // The thread ends when no more jobs can come.
            drop(jobs.take());
            if let Some(thread) = thread.take() {
                let _ = thread.join();
            }
        }
    }
}

impl SinkHandle {
    /// A handle of a sink that is not open yet, on a thread of its own if `threaded`.
    pub(super) fn closed(shape: Shape, threaded: bool) -> Result<Self, SinkError> {
        let Shape { name, chunk_lane, embed_lane, has_syntax, keeps_views, facts, meter, before } = shape;
        let place = if threaded {
            Place::start(Store::Closed, Arc::clone(&meter))?
        } else {
            Place::Here(Box::new(Store::Closed))
        };
        Ok(Self {
            name,
            chunk_lane,
            embed_lane,
            has_syntax,
            keeps_views,
            is_fact_store: facts.is_some(),
            rounds_vectors: facts.is_some_and(|facts| facts.rounds_vectors),
            meter,
            before,
            is_rebuilt: false,
            place,
            failure: Arc::default(),
        })
    }

    /// Opens the store, in the place of what was open before.
    pub(super) fn open(
        &mut self,
        open: impl FnOnce() -> Result<Box<dyn Sink>, SinkError> + Send + 'static,
    ) -> Result<Pending<()>, SinkError> {
        self.start("open", move |store| {
            // Two must not be open at once.
            *store = Store::Closed;
            *store = Store::Open(open()?);
            Ok(())
        })
    }

    /// Opens the facts of the store only, and counts the rows that it would store.
    pub(super) fn count(
        &mut self,
        config: Arc<dyn SinkConfig>,
        context: SinkContext,
        base: Option<Token>,
    ) -> Result<Pending<()>, SinkError> {
        self.start("open", move |store| {
            let facts = base.map_or(Ok(None), |token| config.open_facts(context.clone(), &token))?;
            *store = Store::Counted { facts, config, context, added: 0 };
            Ok(())
        })
    }

    /// Gives the store a job on `items` records of `bytes`, without waiting for it. An
    /// error shows up with a later call. `action` is what traces call it.
    fn send(
        &mut self,
        action: &'static str,
        items: usize,
        bytes: u64,
        job: impl FnOnce(&mut Store) -> Result<(), SinkError> + Send + 'static,
    ) -> Result<(), SinkError> {
        self.failed()?;
        let (meter, failure) = (Arc::clone(&self.meter), Arc::clone(&self.failure));
        meter.enqueued(items as u64, bytes);
        let measured = move |store: &mut Store| {
            meter.dequeued(items as u64, bytes);
            if failure.lock().is_some() {
                return;
            }
            // A thread that ended would leave jobs in its channel, and their callers waiting.
            let result = catch_unwind(AssertUnwindSafe(|| meter.measure_action(action, items, bytes, || job(store))));
            let result = result.unwrap_or_else(|payload| {
                *store = Store::Closed;
                Err(panicked(&meter.name, &panic_message(&*payload)))
            });
            if let Err(error) = result {
                failure.lock().get_or_insert(error);
            }
        };
        match &mut self.place {
            Place::Here(store) => measured(store),
            Place::Thread { jobs, .. } => {
                let since = Instant::now();
                if jobs.as_ref().is_none_or(|jobs| jobs.send(Box::new(measured)).is_err()) {
                    return Err(self.died());
                }
                if let Some(before) = &self.before {
                    before.blocked_since(since);
                }
            }
        }
        Ok(())
    }

    /// Begins a job whose result is waited for later, so that sinks can work side by side.
    fn start<R: Send + 'static>(
        &mut self,
        action: &'static str,
        job: impl FnOnce(&mut Store) -> Result<R, SinkError> + Send + 'static,
    ) -> Result<Pending<R>, SinkError> {
        let (sender, receiver) = bounded(1);
        self.send(action, 0, 0, move |store| {
            // The receiver is gone only when the epoch was given up.
            let _ = sender.send(job(store));
            Ok(())
        })?;
        Ok(Pending(receiver))
    }

    /// Waits for the result of a job.
    pub(super) fn finish<R>(&self, pending: &Pending<R>) -> Result<R, SinkError> {
        match pending.0.recv() {
            Ok(result) => result,
            Err(_) => Err(self.failed().err().unwrap_or_else(|| self.died())),
        }
    }

    /// Gives the writer a job that adds no records, without waiting for it.
    pub(super) fn write(
        &mut self,
        action: &'static str,
        job: impl FnOnce(&mut dyn EpochWriter) -> Result<(), SinkError> + Send + 'static,
    ) -> Result<(), SinkError> {
        let out_of_step = self.out_of_step(action);
        self.send(action, 0, 0, move |store| match store {
            Store::Writing(writer) => job(&mut **writer),
            // Whoever only counts has counted already.
            Store::Counted { .. } => Ok(()),
            Store::Open(_) | Store::Staged(_) | Store::Closed => Err(out_of_step),
        })
    }

    /// Adds records: writes them, or counts the rows that they would make.
    pub(super) fn add(
        &mut self,
        records: Vec<crate::sink::Record>,
        bytes: u64,
        done: impl FnOnce() + Send + 'static,
    ) -> Result<(), SinkError> {
        let out_of_step = self.out_of_step("add records");
        self.send("", records.len(), bytes, move |store| {
            let result = match store {
                Store::Writing(writer) => writer.add(&records),
                Store::Counted { config, context, added, .. } => {
                    *added += records.iter().map(|record| config.rows_of(context, record)).sum::<u64>();
                    Ok(())
                }
                Store::Open(_) | Store::Staged(_) | Store::Closed => Err(out_of_step),
            };
            done();
            result
        })
    }

    /// Asks the store for facts and waits for them. A sink that does not give rows back
    /// gives the default.
    pub(super) fn read<R: Default + Send + 'static>(
        &mut self,
        job: impl FnOnce(&mut dyn FactStore) -> Result<R, SinkError> + Send + 'static,
    ) -> Result<R, SinkError> {
        let pending = self.start("recall", move |store| store.fact_store().map_or_else(|| Ok(R::default()), job))?;
        self.finish(&pending)
    }

    /// How many rows a counting sink would make of these records.
    pub(super) fn rows_of(&mut self, records: Arc<[crate::sink::Record]>) -> Result<u64, SinkError> {
        let pending = self.start("count", move |store| match store {
            Store::Counted { config, context, .. } => {
                Ok(records.iter().map(|record| config.rows_of(context, record)).sum())
            }
            Store::Open(_) | Store::Writing(_) | Store::Staged(_) | Store::Closed => Ok(0),
        })?;
        self.finish(&pending)
    }

    pub(super) fn begin(&mut self, epoch: Epoch, replace: bool) -> Result<Pending<()>, SinkError> {
        let out_of_step = self.out_of_step("begin an epoch");
        self.start("begin", move |store| match std::mem::replace(store, Store::Closed) {
            Store::Open(sink) => {
                *store = Store::Writing(sink.begin(epoch, replace)?);
                Ok(())
            }
            counted @ Store::Counted { .. } => {
                *store = counted;
                Ok(())
            }
            Store::Writing(_) | Store::Staged(_) | Store::Closed => Err(out_of_step),
        })
    }

    pub(super) fn stage(&mut self, meta: EpochMeta) -> Result<Pending<StagedRows>, SinkError> {
        let out_of_step = self.out_of_step("stage the epoch");
        self.start("stage", move |store| match std::mem::replace(store, Store::Closed) {
            Store::Writing(writer) => {
                let staged = writer.stage(&meta)?;
                let rows = staged.rows();
                *store = Store::Staged(staged);
                Ok(rows)
            }
            Store::Counted { added, .. } => Ok(StagedRows { added, deleted: 0 }),
            Store::Open(_) | Store::Staged(_) | Store::Closed => Err(out_of_step),
        })
    }

    pub(super) fn publish(&mut self) -> Result<Pending<(SinkState, Option<String>)>, SinkError> {
        let out_of_step = self.out_of_step("publish the epoch");
        self.start("publish", move |store| match std::mem::replace(store, Store::Closed) {
            Store::Staged(staged) => {
                let Published { token, sink, notice, files } = staged.publish()?;
                *store = Store::Open(sink);
                Ok((SinkState { token, files }, notice))
            }
            Store::Open(_) | Store::Writing(_) | Store::Counted { .. } | Store::Closed => Err(out_of_step),
        })
    }

    /// Waits until all jobs given so far are done, and tells whether one failed.
    pub(super) fn settle(&mut self) -> Result<(), SinkError> {
        let pending = self.start("settle", |_| Ok(()))?;
        self.finish(&pending)?;
        self.failed()
    }

    /// Drops what the store has of the epoch, whatever failed before.
    pub(super) fn abort(&mut self) {
        self.failure.lock().take();
        let aborted = self.start("abort", |store| match std::mem::replace(store, Store::Closed) {
            Store::Writing(writer) => writer.abort(),
            Store::Staged(staged) => staged.abort(),
            other @ (Store::Open(_) | Store::Counted { .. } | Store::Closed) => {
                *store = other;
                Ok(())
            }
        });
        // What cannot be removed now is dropped by the next open.
        let _ = aborted.and_then(|pending| self.finish(&pending));
    }

    fn failed(&self) -> Result<(), SinkError> {
        self.failure.lock().take().map_or(Ok(()), Err)
    }

    fn out_of_step(&self, action: &str) -> SinkError {
        SinkError {
            sink: self.name.as_ref().into(),
            action: format!("cannot {action}").into(),
            message: "the sink is at another step of the epoch; run again, and please report it".into(),
        }
    }

    fn died(&self) -> SinkError {
        SinkError {
            sink: self.name.as_ref().into(),
            action: "stopped working".into(),
            message: "it panicked; please report it".into(),
        }
    }
}
