//! The sinks of a run: on the calling thread, or each on a thread of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::graph::{Body, Graph, SinkStage};
use crate::hash::{Fingerprint, Hash};
use crate::measure::{Meters, StageMeter};
use crate::port::Port;
use crate::sink::{Sink, SinkContext, SinkError};
use crate::view::ViewSchema;

type Job = Box<dyn FnOnce(&mut dyn Sink) + Send>;

/// A sink, wherever it runs. Jobs are done in the order in which they were given.
pub(super) struct SinkHandle {
    pub(super) name: Arc<str>,
    pub(super) chunk_lane: Option<usize>,
    pub(super) embed_lane: Option<usize>,
    /// Whether it keeps the tables of views.
    pub(super) keeps_views: bool,
    /// Whether it gives rows back.
    pub(super) is_fact_store: bool,
    /// Whether it gives vectors back rounded.
    pub(super) rounds_vectors: bool,
    meter: Arc<StageMeter>,
    /// The meter of the stage before it, which is blocked when this sink is slow.
    before: Option<Arc<StageMeter>>,
    place: Place,
    /// The first error of a job that nobody waited for.
    failure: Arc<Mutex<Option<SinkError>>>,
}

enum Place {
    Here(Box<dyn Sink>),
    Thread { jobs: Option<Sender<Job>>, thread: Option<JoinHandle<()>> },
}

/// How many jobs may wait for a sink. Each is a batch of records, whose bytes the memory
/// limit counts.
const WAITING_JOBS: usize = 4;

/// How many components the vectors have that a sink stores, if it stores any.
pub(super) fn dimension(graph: &Graph, sink: &SinkStage) -> Option<usize> {
    Some(graph.embed_lanes().get(sink.embed_lane?)?.dimension)
}

/// Hash of what decides the form of a sink's rows.
pub(super) fn shape(graph: &Graph, sink: &SinkStage) -> Option<Fingerprint> {
    let stage = graph.stages().get(sink.stage)?;
    let ports = sink.ports.iter().map(|port| port.as_str()).collect::<Vec<_>>().join(",");
    let dimension = dimension(graph, sink).unwrap_or_default();
    let parts: [&[u8]; 3] = [stage.fingerprint.as_bytes(), ports.as_bytes(), &dimension.to_le_bytes()];
    Some(Hash::of_parts(parts))
}

/// Builds all sinks of a graph, in its order, each as `wrap` makes it. The first that can
/// keeps the tables.
pub(super) fn build(
    graph: &Graph,
    meters: &Meters,
    folder: impl Fn(&str) -> std::path::PathBuf,
    tables: &[Arc<ViewSchema>],
    threaded: bool,
    wrap: impl Fn(Box<dyn Sink>) -> Box<dyn Sink>,
) -> Result<Vec<SinkHandle>, SinkError> {
    let mut handles: Vec<SinkHandle> = Vec::new();
    for sink in graph.sinks() {
        let Some(stage) = graph.stages().get(sink.stage) else { continue };
        let Body::Sink(factory) = &stage.body else { continue };
        let keeps_views = sink.ports.contains(&Port::Syntax)
            && factory.keeps_views()
            && !handles.iter().any(|handle| handle.keeps_views);
        let tables = if keeps_views { tables } else { &[] };
        let mut built = wrap(factory.build(SinkContext {
            name: stage.name.as_ref().into(),
            folder: folder(&stage.name),
            inputs: sink.ports.clone(),
            dimension: dimension(graph, sink),
            views: tables.to_vec(),
            single_threaded: !threaded,
        })?);
        let (is_fact_store, rounds_vectors) = match built.fact_store() {
            Some(store) => (true, store.rounds_vectors()),
            None => (false, false),
        };
        let meter = Arc::clone(meters.stage(sink.stage));
        let before = stage.inputs.last().map(|&input| Arc::clone(meters.stage(input)));
        handles.push(SinkHandle {
            name: Arc::clone(&stage.name),
            chunk_lane: sink.chunk_lane,
            embed_lane: sink.embed_lane,
            keeps_views,
            is_fact_store,
            rounds_vectors,
            place: if threaded { Place::start(built, Arc::clone(&meter))? } else { Place::Here(built) },
            meter,
            before,
            failure: Arc::default(),
        });
    }
    Ok(handles)
}

impl Place {
    fn start(mut sink: Box<dyn Sink>, meter: Arc<StageMeter>) -> Result<Self, SinkError> {
        let (sender, jobs): (Sender<Job>, Receiver<Job>) = bounded(WAITING_JOBS);
        let name = Arc::clone(&meter.name);
        let work = move || {
            let mut waiting_since = Instant::now();
            for job in jobs {
                meter.starved(waiting_since.elapsed());
                job(&mut *sink);
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
    /// Gives the sink a job on `items` records of `bytes`, without waiting for it. An
    /// error shows up with a later call.
    pub(super) fn post(
        &mut self,
        items: usize,
        bytes: u64,
        job: impl FnOnce(&mut dyn Sink) -> Result<(), SinkError> + Send + 'static,
    ) -> Result<(), SinkError> {
        self.failed()?;
        let (meter, failure) = (Arc::clone(&self.meter), Arc::clone(&self.failure));
        meter.enqueued(items as u64, bytes);
        let measured = move |sink: &mut dyn Sink| {
            meter.dequeued(items as u64, bytes);
            if failure.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
                return;
            }
            if let Err(error) = meter.measure(items, bytes, || job(sink)) {
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        };
        match &mut self.place {
            Place::Here(sink) => measured(&mut **sink),
            Place::Thread { jobs, .. } => {
                let since = Instant::now();
                if jobs.as_ref().is_none_or(|jobs| jobs.send(Box::new(measured)).is_err()) {
                    return Err(self.died());
                }
                if let Some(before) = &self.before {
                    before.blocked(since.elapsed());
                }
            }
        }
        Ok(())
    }

    /// Begins a job whose result is waited for later, so that sinks can work side by
    /// side.
    pub(super) fn begin<R: Send + 'static>(
        &mut self,
        job: impl FnOnce(&mut dyn Sink) -> Result<R, SinkError> + Send + 'static,
    ) -> Result<Receiver<Result<R, SinkError>>, SinkError> {
        let (sender, receiver) = bounded(1);
        self.post(0, 0, move |sink| {
            // The receiver is gone only when the epoch was given up.
            let _ = sender.send(job(sink));
            Ok(())
        })?;
        Ok(receiver)
    }

    /// Waits for the result of a job that was begun.
    pub(super) fn finish<R>(&self, receiver: &Receiver<Result<R, SinkError>>) -> Result<R, SinkError> {
        match receiver.recv() {
            Ok(result) => result,
            Err(_) => Err(self.failed().err().unwrap_or_else(|| self.died())),
        }
    }

    /// Gives the sink a job and waits for its result.
    pub(super) fn call<R: Send + 'static>(
        &mut self,
        job: impl FnOnce(&mut dyn Sink) -> Result<R, SinkError> + Send + 'static,
    ) -> Result<R, SinkError> {
        let receiver = self.begin(job)?;
        self.finish(&receiver)
    }

    /// Waits until all jobs given so far are done, and tells whether one failed.
    pub(super) fn settle(&mut self) -> Result<(), SinkError> {
        self.call(|_| Ok(()))?;
        self.failed()
    }

    /// Makes the sink drop what it has of the epoch, whatever failed before.
    pub(super) fn abandon(&mut self) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The epoch is given up; what cannot be removed now is dropped by the next open.
        let _ = self.call(|sink| sink.abandon());
    }

    fn failed(&self) -> Result<(), SinkError> {
        match self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn died(&self) -> SinkError {
        SinkError {
            sink: self.name.as_ref().into(),
            action: "stopped working".into(),
            message: "its thread ended with a panic; please report it".into(),
        }
    }
}
