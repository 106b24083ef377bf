//! The watchdog of a worker: a thread that ends the process when a text exceeds its budget.
//!
//! The thread that parses may be deep in C code that never comes back, so it cannot do this itself.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use gristmill_pipeline::resident_memory;
use parking_lot::{Condvar, Mutex};
use rustix::process::{Signal, getpid, kill_process};
use rustix::time::{ClockId, clock_gettime};

use super::budget::Budget;
use super::wire::{Answer, Outcome, write_answer};
use crate::parse::machine::Failure;

const TICK: Duration = Duration::from_millis(20);
/// After so many ticks without a text it sleeps until there is one.
const IDLE_TICKS: u32 = 50;

/// Watches over the text that the worker parses.
pub(super) struct Watchdog(Arc<Shared>);

struct Shared {
    running: Mutex<Option<Running>>,
    begun: Condvar,
}

/// A text that is being parsed.
#[derive(Clone, Copy)]
struct Running {
    started: Duration,
    budget: Budget,
}

impl Watchdog {
    /// Starts the thread. It answers on `stream` for a text that exceeds its budget.
    pub fn start(stream: UnixStream) -> io::Result<Self> {
        let shared = Arc::new(Shared { running: Mutex::new(None), begun: Condvar::new() });
        let watched = Arc::clone(&shared);
        std::thread::Builder::new().name("watchdog".into()).spawn(move || watched.watch(stream))?;
        Ok(Self(shared))
    }

    /// The worker begins a text.
    pub fn begin(&self, budget: Budget) {
        *self.0.running.lock() = Some(Running { started: process_cpu(), budget });
        self.0.begun.notify_one();
    }

    /// The worker has done the text. Returns the CPU time that it took.
    pub fn end(&self) -> Duration {
        // Where the watchdog was faster, it holds the lock, and the process is about to end.
        let running = self.0.running.lock().take();
        running.map_or(Duration::ZERO, Running::cpu)
    }
}

impl Running {
    fn cpu(self) -> Duration {
        process_cpu().saturating_sub(self.started)
    }

    /// Which limit it exceeds.
    fn excess(self) -> Option<Failure> {
        if self.cpu() > self.budget.cpu {
            return Some(Failure::Time);
        }
        resident_memory().filter(|memory| *memory > self.budget.memory).map(|_| Failure::Memory)
    }
}

impl Shared {
    fn watch(&self, mut stream: UnixStream) {
        let mut idle = 0;
        loop {
            std::thread::sleep(TICK);
            let mut running = self.running.lock();
            let Some(text) = *running else {
                idle += 1;
                while idle >= IDLE_TICKS && running.is_none() {
                    self.begun.wait(&mut running);
                }
                continue;
            };
            idle = 0;
            if let Some(failure) = text.excess() {
                let answer = Answer { result: Outcome::Done(Err(failure)), cpu: text.cpu() };
                // Fails where the parent has ended.
                let _ = write_answer(&answer, Vec::new(), &mut stream);
                let _ = kill_process(getpid(), Signal::KILL);
            }
        }
    }
}

/// CPU time of the process.
fn process_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}
