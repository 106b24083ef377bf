//! Parsing in worker processes, so that what a grammar's C code does wrong costs one file.
//!
//! A tree-sitter scanner may fail an assertion, loop, or write where it must not, and each of these
//! ends or stalls the process that it runs in. So texts are parsed by workers: processes of the same
//! program that get a text and give back what was found in it.
//!
//! ```text
//! Parse ─► Pool ─► Worker ══ socket ══► serve ─► machine::parse
//!                                        watchdog: ends the process when a text exceeds its budget
//! ```
//!
//! A call of the operator holds one worker while it waits, so there are never more of them than threads
//! that parse. Calls own no thread and no clock: budgets of CPU time and memory are kept by the worker
//! itself. A worker ends when its parent has ended, or has not asked for a minute.
//!
//! Without [`isolate`], as in most tests, texts are parsed in the process itself, with equal results.

mod budget;
mod pool;
mod serve;
#[cfg(test)]
mod tests;
mod watchdog;
mod wire;
mod worker;

use std::sync::OnceLock;

use gristmill_pipeline::{Emitter, OperatorError};

use self::pool::{Pool, PoolError};
use self::worker::Launch;
use super::machine::{self, Failure, Parsed};
use crate::spec::{Grammar, Language};

/// The argument that makes a worker of this program.
const WORKER_ARGUMENT: &str = "--gristmill-parse-worker";

/// The environment variable that, set to `off`, has texts parsed in the process itself.
const ISOLATION_VARIABLE: &str = "GRISTMILL_ISOLATION";

static POOL: OnceLock<Pool> = OnceLock::new();

/// Has every [`Parse`](super::Parse) operator of this process parse in worker processes, so that a file
/// on which a grammar crashes, loops or exhausts the memory becomes text with a diagnostic, and the
/// process goes on.
///
/// The workers are this same program, started with an argument by which this function knows a worker.
/// It must therefore be called first in `main`, before arguments are read: in a worker it serves its
/// parent, and does not return. `gristmill::Program` calls it.
///
/// ```no_run
/// gristmill_operators::parse::isolate();
/// // Build a pipeline and run it.
/// ```
///
/// The environment variable `GRISTMILL_ISOLATION=off` turns it off.
#[allow(clippy::disallowed_methods, reason = "a worker holds nothing that a destructor would free")]
pub fn isolate() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == WORKER_ARGUMENT) {
        std::process::exit(serve::main());
    }
    if std::env::var_os(ISOLATION_VARIABLE).is_some_and(|value| value == "off") {
        return;
    }
    if let Some(launch) = Launch::of_this_program() {
        POOL.get_or_init(|| Pool::new(launch));
    }
}

/// Parses a text, in a worker if this process has workers.
///
/// # Errors
/// If no worker can be started, or the run was interrupted.
pub(super) fn parse<T>(
    language: &Language,
    grammar: &'static Grammar,
    text: &str,
    out: &mut Emitter<T>,
) -> Result<Result<Parsed, Failure>, OperatorError> {
    let Some(pool) = POOL.get() else { return Ok(machine::parse(grammar, text)) };
    let answered = pool.parse(language, text, &|| out.is_interrupted());
    let (result, cpu) = answered.map_err(|error| stopped(&error))?;
    out.count_cpu(cpu);
    Ok(result)
}

fn stopped(error: &PoolError) -> OperatorError {
    OperatorError { stage: "parse".into(), message: error.to_string().into() }
}
