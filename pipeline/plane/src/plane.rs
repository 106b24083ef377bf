//! The plane's threads, and the handle that feeds them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use timely::communication::WorkerGuards;

use super::dataflow::build;
use super::{Deltas, Derive, Facts, PassageLane};

/// A running fact plane: timely workers on threads of their own, which share no memory
/// but the channels to this handle. Dropping it ends them.
pub struct FactPlane {
    /// One a worker; dropped before the guards, which wait for the workers to end.
    inputs: Vec<Sender<Facts>>,
    /// `None` from a worker that panicked.
    outputs: Receiver<Option<Deltas>>,
    workers: Option<WorkerGuards<()>>,
    rounds: u64,
    facts: u64,
    busy: Duration,
}

/// How a plane is set up.
#[derive(Clone)]
pub struct PlaneConfig {
    /// Timely workers, at least one.
    pub workers: usize,
    /// How each embed lane identifies passages.
    pub lanes: Vec<PassageLane>,
    /// What it derives from its facts, if anything.
    pub derived: Option<Arc<dyn Derive>>,
    /// A fault to build into the dataflow.
    #[doc(hidden)]
    pub broken: Option<Broken>,
}

/// A fault of the dataflow, for tests which prove that its output decides what is done.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// No passage ever leaves the plane.
    PassagesMissing,
    /// A passage leaves the plane once for every chunk that is it, not once.
    PassagesRepeat,
}

/// The plane's threads could not be started, or ended.
#[derive(Debug, thiserror::Error)]
pub enum PlaneError {
    /// They could not be started.
    #[error("the fact plane's threads could not be started: {0}")]
    Start(String),
    /// A worker ended before its time.
    #[error("a worker of the fact plane ended in the middle of an epoch; run again")]
    Ended,
}

impl FactPlane {
    /// Starts a plane that knows nothing.
    ///
    /// # Errors
    /// If the threads cannot be started.
    pub fn start(config: PlaneConfig) -> Result<Self, PlaneError> {
        let workers = config.workers.max(1);
        let (inputs, receivers): (Vec<_>, Vec<_>) = (0..workers).map(|_| bounded::<Facts>(1)).unzip();
        // Each worker takes the receiver of its index; the lock is for the hand-over only.
        let receivers: Mutex<Vec<Option<Receiver<Facts>>>> = Mutex::new(receivers.into_iter().map(Some).collect());
        let (sender, outputs) = unbounded();
        let guards = timely::execute(timely::Config::process(workers), move |worker| {
            let receiver = receivers.lock().ok().and_then(|mut all| all.get_mut(worker.index())?.take());
            let Some(receiver) = receiver else { return };
            let _told = PanicSignal(&sender);
            let mut ends = worker.dataflow(|scope| build(scope, &config));
            while let Ok(facts) = receiver.recv() {
                let next = ends.enter(facts);
                worker.step_while(|| ends.probe.less_than(&next));
                if sender.send(Some(ends.take())).is_err() {
                    return;
                }
            }
        });
        let guards = guards.map_err(PlaneError::Start)?;
        Ok(Self { inputs, outputs, workers: Some(guards), rounds: 0, facts: 0, busy: Duration::ZERO })
    }

    /// Enters facts, waits until the probe has passed them, and gives what follows.
    ///
    /// # Errors
    /// If a worker has ended.
    pub fn round(&mut self, facts: Facts) -> Result<Deltas, PlaneError> {
        let started = Instant::now();
        self.rounds += 1;
        self.facts += facts.len() as u64;
        for (input, share) in self.inputs.iter().zip(split(facts, self.inputs.len())) {
            if input.send(share).is_err() {
                return Err(self.ended());
            }
        }
        let mut deltas = Deltas::default();
        for _ in &self.inputs {
            let Ok(Some(of_worker)) = self.outputs.recv() else { return Err(self.ended()) };
            deltas.append(of_worker);
        }
        deltas.consolidate();
        self.busy += started.elapsed();
        Ok(deltas)
    }

    /// A worker has ended. The others wait for it, and are not waited for.
    fn ended(&mut self) -> PlaneError {
        std::mem::forget(self.workers.take());
        PlaneError::Ended
    }

    /// Rounds so far, facts entered so far, and the time that rounds took.
    #[must_use]
    pub fn measures(&self) -> (u64, u64, Duration) {
        (self.rounds, self.facts, self.busy)
    }
}

/// Signals a panic of its thread to the receiver of outputs. Without it the other workers would wait for
/// that thread, and the receiver would block for ever.
struct PanicSignal<'a>(&'a Sender<Option<Deltas>>);

impl Drop for PanicSignal<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.send(None);
        }
    }
}

/// Deals facts to workers by their keys, by which the dataflow keeps them anyway.
fn split(facts: Facts, workers: usize) -> Vec<Facts> {
    if workers == 1 {
        return vec![facts];
    }
    let mut shares = vec![Facts::default(); workers];
    let worker = |key: u128| (key % workers as u128) as usize;
    for fact in facts.files {
        shares[worker(fact.0.0.to_bits())].files.push(fact);
    }
    for fact in facts.analysed {
        shares[worker(fact.0.to_bits())].analysed.push(fact);
    }
    for fact in facts.contents {
        shares[worker(fact.0.0.to_bits())].contents.push(fact);
    }
    for fact in facts.paths {
        shares[worker(fact.0.0.to_bits())].paths.push(fact);
    }
    for fact in facts.imports {
        shares[worker(fact.0.0.path.to_bits())].imports.push(fact);
    }
    shares
}

#[cfg(test)]
mod tests;
