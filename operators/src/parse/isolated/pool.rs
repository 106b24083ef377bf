//! The workers of this process.

use std::io;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::budget::Budget;
use super::wire::{Answer, Head, Outcome};
use super::worker::{Asked, IsInterrupted, Launch, Worker};
use crate::parse::machine::{Failure, Parsed};
use crate::spec::Language;

/// Workers, started as they are needed: a call takes one that is idle, or starts one.
pub(super) struct Pool {
    launch: Launch,
    budget: fn(usize) -> Budget,
    state: Mutex<State>,
    /// A worker became idle, or ended.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Worker>,
    /// Workers that are idle or in use.
    live: usize,
}

/// Why a pool cannot parse.
#[derive(Debug, thiserror::Error)]
pub(super) enum PoolError {
    #[error(
        "no parse worker can be started: {0}; allow more processes or open files, or set `GRISTMILL_ISOLATION=off` \
         to parse without workers"
    )]
    Start(io::Error),
    #[error("interrupted while parsing")]
    Interrupted,
}

impl Pool {
    /// A pool without workers yet.
    pub fn new(launch: Launch) -> Self {
        Self::with_budget(launch, Budget::of)
    }

    /// A pool with budgets of its own.
    pub fn with_budget(launch: Launch, budget: fn(usize) -> Budget) -> Self {
        Self { launch, budget, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Has a worker parse a text. Also returns the CPU time that it took.
    ///
    /// A worker may crash for what an earlier text did to it, or be killed by somebody; so the text is
    /// tried again in a fresh one, and only a second crash is the text's.
    pub fn parse(
        &self,
        language: &Language,
        text: &str,
        is_interrupted: IsInterrupted<'_>,
    ) -> Result<(Result<Parsed, Failure>, Duration), PoolError> {
        let head = Head::of(language, text, (self.budget)(text.len()));
        let mut crashes = 0;
        while crashes < 2 {
            let mut worker = self.take(crashes > 0, is_interrupted)?;
            match worker.ask(head, text, is_interrupted) {
                Asked::Answered(Answer { result, cpu }) => {
                    // A worker that says so is about to end.
                    let is_last = matches!(result, Outcome::Done(Err(Failure::Time | Failure::Memory)));
                    self.put_back(if is_last { None } else { Some(worker) });
                    return match result {
                        Outcome::Done(result) => Ok((result, cpu)),
                        // It goes on here as if the text had been parsed here.
                        Outcome::Panicked(message) => std::panic::resume_unwind(Box::new(message)),
                    };
                }
                Asked::Interrupted => {
                    self.put_back(None);
                    return Err(PoolError::Interrupted);
                }
                Asked::Retired => self.put_back(None),
                Asked::Crashed => {
                    self.put_back(None);
                    crashes += 1;
                }
            }
        }
        Ok((Err(Failure::Crash), Duration::ZERO))
    }

    /// Takes an idle worker, or starts one: always if it must be fresh. Where the system allows no more
    /// processes, it waits for one that is in use.
    fn take(&self, fresh: bool, is_interrupted: IsInterrupted<'_>) -> Result<Worker, PoolError> {
        let mut state = self.state.lock();
        loop {
            if !fresh && let Some(worker) = state.idle.pop() {
                return Ok(worker);
            }
            state.live += 1;
            drop(state);
            let started = Worker::start(&self.launch, is_interrupted);
            let error = match started {
                Ok(worker) => return Ok(worker),
                Err(_) if is_interrupted() => PoolError::Interrupted,
                Err(error) => PoolError::Start(error),
            };
            state = self.state.lock();
            state.live -= 1;
            self.changed.notify_one();
            if matches!(error, PoolError::Interrupted) {
                return Err(error);
            }
            if let Some(worker) = state.idle.pop() {
                return Ok(worker);
            }
            if state.live == 0 {
                return Err(error);
            }
            self.changed.wait(&mut state);
        }
    }

    /// Returns a worker to the pool; `None` for one that has ended.
    fn put_back(&self, worker: Option<Worker>) {
        let mut state = self.state.lock();
        match worker {
            Some(worker) => state.idle.push(worker),
            None => state.live -= 1,
        }
        self.changed.notify_one();
    }
}
