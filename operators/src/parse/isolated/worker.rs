//! A worker as its parent sees it.

use std::ffi::OsString;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use gristmill_pipeline::run::HelperProcess;

use super::WORKER_ARGUMENT;
use super::wire::{Answer, Head, LENGTH_BYTES, READ_BYTES, greeting, read_exactly};

/// How often a wait for a worker looks whether the run was interrupted.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How workers are started.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub variables: Vec<(OsString, OsString)>,
}

impl Launch {
    /// Workers of the program that runs; `None` if the system does not say which that is.
    pub fn of_this_program() -> Option<Self> {
        // A program that is replaced while it runs stays what it is under this name.
        let running = Path::new("/proc/self/exe");
        let program = if running.exists() { running.to_owned() } else { std::env::current_exe().ok()? };
        Some(Self { program, arguments: vec![WORKER_ARGUMENT.into()], variables: Vec::new() })
    }
}

/// A worker process. It is killed when dropped.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    _counted: HelperProcess,
    stream: UnixStream,
    buffer: Vec<u8>,
}

/// How a request ended.
pub(super) enum Asked {
    Answered(Answer),
    /// The run was interrupted meanwhile; the worker is of no more use.
    Interrupted,
    /// The worker had ended by itself, as idle workers do.
    Retired,
    /// The worker crashed.
    Crashed,
}

/// Whether the run was interrupted.
pub(super) type IsInterrupted<'a> = &'a dyn Fn() -> bool;

impl Worker {
    /// Starts a worker, and waits until it is ready.
    pub fn start(launch: &Launch, is_interrupted: IsInterrupted<'_>) -> io::Result<Self> {
        let (stream, other) = UnixStream::pair()?;
        stream.set_read_timeout(Some(POLL_INTERVAL))?;
        stream.set_write_timeout(Some(POLL_INTERVAL))?;
        let mut command = Command::new(&launch.program);
        command.arg0("gristmill-parse-worker").args(&launch.arguments).envs(launch.variables.iter().cloned());
        command.stdin(OwnedFd::from(other)).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
        let child = command.spawn()?;
        // Closes this process's copy of the other end.
        drop(command);
        let counted = HelperProcess::counted(child.id());
        let mut worker = Self { child, _counted: counted, stream, buffer: Vec::new() };
        let mut greeted = [0; 32];
        match worker.patient(is_interrupted).read_exact(&mut greeted) {
            Ok(()) if greeted == greeting() => Ok(worker),
            Ok(()) => Err(io::Error::other("the program was replaced while it ran; start it again")),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                let status = worker.ended()?;
                Err(io::Error::other(format!("it ended as it started, with {status}")))
            }
            Err(error) => Err(error),
        }
    }

    /// Has it parse a text.
    pub fn ask(&mut self, head: Head, text: &str, is_interrupted: IsInterrupted<'_>) -> Asked {
        match self.exchange(head, text, is_interrupted) {
            Ok(answer) => Asked::Answered(answer),
            Err(_) if is_interrupted() => Asked::Interrupted,
            Err(_) => match self.ended() {
                Ok(status) if status.success() => Asked::Retired,
                _ => Asked::Crashed,
            },
        }
    }

    fn exchange(&mut self, head: Head, text: &str, is_interrupted: IsInterrupted<'_>) -> io::Result<Answer> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        buffer.extend_from_slice(&head.to_bytes());
        buffer.extend_from_slice(text.as_bytes());
        let mut stream = self.patient(is_interrupted);
        stream.write_all(&buffer)?;
        // A small answer comes with its length in one read; nothing follows it.
        let mut stream = BufReader::with_capacity(READ_BYTES, stream);
        let mut length = [0; LENGTH_BYTES];
        stream.read_exact(&mut length)?;
        read_exactly(&mut stream, u64::from_le_bytes(length), &mut buffer)?;
        let answer = postcard::from_bytes(&buffer).map_err(io::Error::other)?;
        self.buffer = buffer;
        Ok(answer)
    }

    fn patient<'a>(&'a self, is_interrupted: IsInterrupted<'a>) -> Patient<'a> {
        Patient { stream: &self.stream, is_interrupted }
    }

    /// Waits for the end of a worker that has closed its end, and returns how it ended.
    fn ended(&mut self) -> io::Result<ExitStatus> {
        // One that ends already is not changed by this; none can keep us waiting.
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.ended();
    }
}

/// A stream that waits as long as it takes, but not beyond an interrupt.
struct Patient<'a> {
    stream: &'a UnixStream,
    is_interrupted: IsInterrupted<'a>,
}

impl Patient<'_> {
    fn attempt(&self, mut action: impl FnMut(&UnixStream) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            match action(self.stream) {
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if (self.is_interrupted)() {
                        return Err(io::Error::other("interrupted"));
                    }
                }
                result => return result,
            }
        }
    }
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.attempt(|mut stream| stream.read(buffer))
    }
}

impl Write for Patient<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.attempt(|mut stream| stream.write(buffer))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
