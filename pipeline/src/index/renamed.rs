//! The name of a revision that holds what the newest epoch holds already.
//!
//! It is written beside the epoch's record and not into it: a reader holds an epoch by a
//! lock on the record's file, and another file in its place would be held by nobody.

use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use gristmill_ids::Hash;
use serde::{Deserialize, Serialize};

use super::{CommitRecord, atomic, checked, read_text};
use crate::source::RefRevision;

/// What such a name replaces in a record.
#[derive(Serialize, Deserialize)]
struct Renamed {
    revision: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refs: Vec<RefRevision>,
    selection: Option<Hash>,
}

/// Where the name lies for a record that lies there.
pub(super) fn beside(record: &Path) -> PathBuf {
    record.with_extension("revision")
}

/// Writes the revision, refs and selection of `record`.
pub(super) fn write(path: &Path, record: &CommitRecord) -> Result<()> {
    let renamed = Renamed { revision: record.revision.clone(), refs: record.refs.clone(), selection: record.selection };
    atomic::replace(path, checked::encode(&renamed)?.as_bytes())
}

/// Gives a record its newer name, if it has one.
pub(super) fn apply(path: &Path, record: &mut CommitRecord) -> Result<()> {
    let text = match read_text(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        text => text?,
    };
    if !checked::is_whole(&text) {
        return Err(Error::new(ErrorKind::InvalidData, "its checksum does not match"));
    }
    let renamed: Renamed = serde_json::from_str(&text).map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
    (record.revision, record.refs, record.selection) = (renamed.revision, renamed.refs, renamed.selection);
    Ok(())
}
