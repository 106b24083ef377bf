//! A child process of a test. All waits have a timeout: a process that hangs fails its test with its
//! output.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Reached only by failing tests.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// A process that is killed at the end of the test.
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    lines: Mutex<Receiver<String>>,
    errors: tempfile::NamedTempFile,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        let errors = tempfile::NamedTempFile::new().unwrap();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors.reopen().unwrap());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { input: child.stdin.take(), child, lines: Mutex::new(lines), errors }
    }

    /// Writes a line to its input.
    pub(crate) fn send(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Closes its input.
    pub(crate) fn close_input(&mut self) {
        drop(self.input.take());
    }

    /// The next line of its output; `None` at the end.
    pub(crate) fn next_line(&self) -> Option<String> {
        match self.lines.lock().unwrap().recv_timeout(DEADLINE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no output: {}", self.errors()),
        }
    }

    /// Waits for a line that holds these words.
    pub(crate) fn wait_for_line(&self, words: &str) {
        let started = Instant::now();
        while started.elapsed() < DEADLINE {
            match self.next_line() {
                Some(line) if line.contains(words) => return,
                Some(_) => {}
                None => break,
            }
        }
        panic!("it never said `{words}`: {}", self.errors());
    }

    /// What it has written to standard error so far.
    pub(crate) fn errors(&self) -> String {
        std::fs::read_to_string(self.errors.path()).unwrap()
    }

    /// Waits until it has ended, and gives the exit code.
    pub(crate) fn code(&mut self) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(started.elapsed() < DEADLINE, "it does not end: {}", self.errors());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal, waits until it has ended, and gives the exit code.
    pub(crate) fn end(&mut self, signal: &str) -> Option<i32> {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
        self.code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
