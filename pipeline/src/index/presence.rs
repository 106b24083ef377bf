//! Who writes an index: a file beside the lock, by which others name the holder and see how far it is.
//!
//! ```text
//! WRITER = JSON of `Writer`
//! ```
//!
//! The lock alone decides who may write. The file may be left over from a process that was killed, so whoever reads it
//! asks the system whether that process is there.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{atomic, read_text};
use crate::measure::{Meters, resident_memory};

const FILE: &str = "WRITER";

/// A process that writes an index, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Writer {
    /// The process.
    pub pid: u32,
    /// Its program and subcommand, such as `gristmill watch`.
    pub command: String,
    /// When it took the lock, in milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// When it wrote this, in milliseconds since the Unix epoch: about once a second while it builds an epoch.
    pub updated_ms: u64,
    /// What it does: `idle` between epochs, else the part of the run, such as `process`.
    pub phase: String,
    /// Files of the source, once it is scanned.
    pub files: u64,
    /// Contents to analyse, as far as known.
    pub contents: u64,
    /// Contents that were read.
    pub contents_done: u64,
    /// Requests that wait for it.
    pub queued: u64,
    /// Its resident memory in bytes, where the system tells.
    pub memory_bytes: Option<u64>,
    /// When the process started, in a unit of the system: another one may get its number.
    started: Option<u64>,
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, command, .. } = self;
        write!(f, "process {pid} (`{command}`)")
    }
}

impl Writer {
    /// Whether the process is still there, as far as this machine knows.
    fn is_alive(&self) -> bool {
        match (self.started, start_of(&self.pid.to_string())) {
            (Some(then), Some(now)) => then == now,
            (Some(_), None) => false,
            (None, _) => exists(self.pid),
        }
    }
}

/// Who writes the index in a folder now; `None` if nobody does, or it is not known.
#[must_use]
pub fn writer_of(index: &Path) -> Option<Writer> {
    read(&index.join(FILE)).filter(Writer::is_alive)
}

/// Reads the file. Its text goes to terminals, whoever wrote it.
fn read(file: &Path) -> Option<Writer> {
    let mut writer: Writer = serde_json::from_str(&read_text(file).ok()?).ok()?;
    for text in [&mut writer.command, &mut writer.phase] {
        text.retain(|letter| !letter.is_control());
    }
    Some(writer)
}

/// The presence of this process as the writer of an index. Dropping the last clone ends it.
#[derive(Clone, Debug)]
pub(crate) struct Presence(Arc<Shown>);

#[derive(Debug)]
struct Shown {
    file: PathBuf,
    command: String,
    since_ms: u64,
}

impl Presence {
    /// Shows this process as the writer, which has the lock. Returns also the one before, if it ended while it did
    /// something.
    pub(super) fn of(index: &Path) -> (Self, Option<Writer>) {
        let before = read(&index.join(FILE));
        let presence = Self(Arc::new(Shown { file: index.join(FILE), command: command(), since_ms: now_ms() }));
        presence.show("idle", None);
        (presence, before.filter(|before| before.phase != "idle"))
    }

    /// Shows what the process does. What cannot be shown is no failure.
    pub(crate) fn show(&self, phase: &str, meters: Option<&Meters>) {
        let Shown { file, command, since_ms } = &*self.0;
        let count = |of: fn(&Meters) -> u64| meters.map_or(0, of);
        let writer = Writer {
            pid: std::process::id(),
            command: command.clone(),
            since_ms: *since_ms,
            updated_ms: now_ms(),
            phase: phase.to_owned(),
            files: count(|meters| meters.files.load(Ordering::Relaxed)),
            contents: count(|meters| meters.contents.load(Ordering::Relaxed)),
            contents_done: count(|meters| meters.stages().first().map_or(0, |stage| stage.progress().0)),
            queued: count(|meters| meters.queued_requests.load(Ordering::Relaxed)),
            memory_bytes: resident_memory(),
            started: start_of("self"),
        };
        if let Ok(json) = serde_json::to_vec(&writer) {
            let _ = atomic::replace_unflushed(file, &json);
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// The program's name and its subcommand.
fn command() -> String {
    let mut arguments = std::env::args_os();
    let program = arguments.next().map(PathBuf::from);
    let program =
        program.as_deref().and_then(Path::file_name).map_or("gristmill".into(), |name| name.to_string_lossy());
    match arguments.next() {
        Some(first) => format!("{program} {}", first.to_string_lossy()),
        None => program.into_owned(),
    }
}

/// When a process started, as the system counts.
fn start_of(process: &str) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is a name in parentheses, which may hold anything; the start is the 22nd.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(unix)]
fn exists(pid: u32) -> bool {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};

    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| matches!(test_kill_process(pid), Ok(()) | Err(Errno::PERM)))
}

#[cfg(not(unix))]
fn exists(_pid: u32) -> bool {
    true
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_is_shown_while_it_is_there() {
        let folder = tempfile::tempdir().expect("creates");
        assert_eq!(writer_of(folder.path()), None);
        let (presence, before) = Presence::of(folder.path());
        assert_eq!(before, None);
        let writer = writer_of(folder.path()).expect("is shown");
        assert_eq!((writer.pid, &*writer.phase), (std::process::id(), "idle"));
        presence.show("process", None);
        let text = std::fs::read_to_string(folder.path().join(FILE)).expect("reads");
        assert!(text.contains("process"), "{text}");
        drop(presence);
        assert_eq!(writer_of(folder.path()), None);
        // Left over from a process that was killed.
        let killed = Writer { started: Some(1), phase: "process".into(), ..writer };
        std::fs::write(folder.path().join(FILE), serde_json::to_vec(&killed).expect("encodes")).expect("writes");
        assert_eq!(writer_of(folder.path()), None);
        let (_presence, before) = Presence::of(folder.path());
        assert_eq!(before, Some(killed));
    }
}
