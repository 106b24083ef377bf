//! What a file holds: its content's hash, or why its content was not taken.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use gristmill_ids::Hash;

use crate::diagnostic::Severity;
use crate::merkle::{Leaf, Stat};
use crate::source::select::too_large;

/// Whether a leaf of the last epoch still tells what the file holds: its stat data is
/// the same, and its times are older than the scan that recorded them (git's racy rule:
/// a file written within the clock's resolution after it was read looks unchanged).
pub(super) fn vouches(leaf: &Leaf, stat: &Stat, scanned_ns: i64) -> bool {
    leaf.note.is_none() && leaf.stat == *stat && stat.modified_ns < scanned_ns && stat.changed_ns < scanned_ns
}

/// Reads and hashes a file. Gives its leaf and the number of bytes read.
pub(super) fn hash_file(location: &Path, met: Stat, limit: u64) -> (Leaf, u64) {
    let read = || -> std::io::Result<(Stat, Vec<u8>, Stat)> {
        let mut file = File::open(location)?;
        let before = Stat::of(&file.metadata()?);
        let mut bytes = Vec::with_capacity(usize::try_from(before.bytes.min(limit)).unwrap_or_default() + 1);
        file.by_ref().take(limit + 1).read_to_end(&mut bytes)?;
        Ok((before, bytes, Stat::of(&file.metadata()?)))
    };
    match read() {
        Err(error) => (unreadable(met, &reason_of(&error)), 0),
        Ok((_, bytes, after)) if bytes.len() as u64 > limit => (too_large(after, limit), bytes.len() as u64),
        Ok((before, bytes, after)) => {
            // A file that changed meanwhile is looked at again next time.
            let stat = if before == after { after } else { Stat::default() };
            (Leaf { content_hash: Hash::of(&bytes), stat, note: None }, bytes.len() as u64)
        }
    }
}

/// The operating system's words without its number, which differs between systems.
pub(super) fn reason_of(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "permission denied".into(),
        ErrorKind::NotFound => "it is gone".into(),
        _ => error.to_string(),
    }
}

pub(super) fn unreadable(stat: Stat, reason: &str) -> Leaf {
    // No stat data is kept: the next run looks again.
    let size = Stat { bytes: stat.bytes, ..Stat::default() };
    let message = format!("cannot be read: {reason}; make it readable, or leave it out with `source.exclude`");
    Leaf::noted(size, Severity::Error, "unreadable", message)
}
