//! The main loop of a worker.

use std::io::{self, BufReader, ErrorKind, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use gristmill_pipeline::resident_memory;
use rustix::process::{Resource, Rlimit, setrlimit};

use super::watchdog::Watchdog;
use super::wire::{Answer, HEAD_BYTES, Head, Outcome, READ_BYTES, greeting, read_exactly, write_answer};
use crate::languages::known_languages;
use crate::parse::machine::{self, Failure, Parsed};
use crate::spec::Grammar;

/// Idle timeout of a worker.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// A worker that holds more memory than this after a text ends, and gives it back.
const RETIREMENT_BYTES: u64 = 256 << 20;
/// Texts smaller than this leave little memory behind.
const LARGE_TEXT_BYTES: u64 = 256 << 10;

/// How a worker parses.
pub(super) type Parses = fn(&'static Grammar, &str) -> Result<Parsed, Failure>;

/// Serves the parent, which is at the other end of standard input. Returns the exit code.
pub(super) fn main() -> i32 {
    i32::from(serve(machine::parse).is_err())
}

/// Serves the parent until it has ended, or has not asked for a while.
pub(super) fn serve(parse: Parses) -> io::Result<()> {
    limit_dumps();
    // Standard output stays free: grammars may print to it.
    let mut stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    stream.set_read_timeout(Some(IDLE_LIMIT))?;
    let watchdog = Watchdog::start(stream.try_clone()?)?;
    stream.write_all(&greeting())?;
    // A small text comes with its head in one read.
    let mut requests = BufReader::with_capacity(READ_BYTES, stream.try_clone()?);
    let (mut head, mut text, mut buffer) = ([0; HEAD_BYTES], Vec::new(), Vec::new());
    loop {
        match requests.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        let head = Head::from_bytes(&head);
        read_exactly(&mut requests, head.bytes, &mut text)?;
        watchdog.begin(head.budget);
        let result = answer(parse, head, &text);
        let answer = Answer { result, cpu: watchdog.end() };
        buffer = write_answer(&answer, buffer, &mut stream)?;
        if head.bytes > LARGE_TEXT_BYTES && resident_memory().is_some_and(|memory| memory > RETIREMENT_BYTES) {
            return Ok(());
        }
    }
}

fn answer(parse: Parses, head: Head, text: &[u8]) -> Outcome {
    let language = usize::try_from(head.language).ok().and_then(|index| known_languages().get(index));
    let (Some(grammar), Ok(text)) = (language.and_then(|language| language.grammar), std::str::from_utf8(text)) else {
        return Outcome::Done(Err(Failure::Grammar));
    };
    match catch_unwind(AssertUnwindSafe(|| parse(grammar, text))) {
        Ok(result) => Outcome::Done(result),
        Err(payload) => {
            let message = payload.downcast::<String>().map(|message| *message);
            let message = message.or_else(|payload| payload.downcast::<&str>().map(|message| (*message).to_owned()));
            Outcome::Panicked(message.unwrap_or_else(|_| "no message".to_owned()))
        }
    }
}

/// A crash of a worker is expected, and leaves no core dump.
fn limit_dumps() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
