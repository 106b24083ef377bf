//! Deleting files of an index folder that no retained epoch names.
//!
//! A published epoch has a file `meta.<epoch>.json`; a segment file that none of those names
//! belongs to an epoch that was never published, or that is no longer retained.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gristmill_pipeline::{Epoch, SinkError, Token};
use tantivy::directory::error::OpenReadError;
use tantivy::{Index, TantivyError};

use super::directory::{EpochDirectory, META};
use crate::durable;
use crate::sink_error::{WrapErr as _, sink_error};

/// The file that lists the segments of an epoch.
pub(super) fn meta_name(epoch: Epoch) -> String {
    format!("meta.{epoch}.json")
}

fn epoch_of(name: &str) -> Option<Epoch> {
    name.strip_prefix("meta.")?.strip_suffix(".json")?.parse().ok()
}

/// The `meta` file that a token names.
pub(super) fn meta_of(token: &Token) -> Option<&str> {
    token.get("meta")?.as_str().filter(|name| epoch_of(name).is_some())
}

/// The files of the state that a token names, relative to `folder`.
pub(super) fn files_of(folder: &Path, token: &Token) -> tantivy::Result<Vec<PathBuf>> {
    let Some(meta) = meta_of(token) else { return Ok(Vec::new()) };
    // Segments list files that they may have, such as of deletions.
    let segments = segment_files(folder, meta)?;
    let mut files: Vec<PathBuf> = segments.into_iter().filter(|file| folder.join(file).exists()).collect();
    files.push(meta.into());
    files.sort_unstable();
    Ok(files)
}

/// Keeps the epochs that these tokens name, and deletes the files of all others. Readers that
/// are open are not affected.
///
/// # Errors
/// If a token is of another store, or the folder cannot be read or written.
pub(super) fn retain(folder: &Path, tokens: &[Token]) -> Result<(), SinkError> {
    let action = "cannot delete old epochs";
    let mut keep = HashSet::new();
    for token in tokens {
        let name = meta_of(token).ok_or_else(|| sink_error("tantivy", action, "a token names no `meta` file"))?;
        keep.insert(name.to_owned());
    }
    for name in metas(folder).wrap_err("tantivy", action)? {
        if !keep.contains(&name) {
            durable::remove(&folder.join(name)).wrap_err("tantivy", action)?;
        }
    }
    sweep(folder).wrap_err("tantivy", action)
}

/// Deletes the epochs after `newest`, and all files that no epoch names.
pub(super) fn roll_back(folder: &Path, newest: &str) -> tantivy::Result<()> {
    for name in metas(folder)? {
        if epoch_of(&name) > epoch_of(newest) {
            tracing::info!(index = %folder.display(), from = name, to = newest, "rolls back");
            durable::remove(&folder.join(name))?;
        }
    }
    sweep(folder)
}

/// Deletes the files that no published epoch names, and epochs that nobody can open.
pub(super) fn sweep(folder: &Path) -> tantivy::Result<()> {
    let mut named: HashSet<PathBuf> = HashSet::new();
    for name in metas(folder)? {
        match segment_files(folder, &name) {
            Ok(files) => named.extend(files),
            Err(error) if is_damage(&error) => {
                tracing::warn!(index = %folder.display(), meta = name, %error, "deletes an epoch that cannot be read");
                durable::remove(&folder.join(name))?;
            }
            Err(error) => return Err(error),
        }
    }
    for name in names(folder)? {
        // Locks begin with a dot.
        let kept = name == META || name.starts_with('.') || epoch_of(&name).is_some();
        if !kept && !named.contains(Path::new(&name)) {
            durable::remove(&folder.join(name))?;
        }
    }
    Ok(())
}

/// Deletes folders in the place of files: the store has none.
pub(super) fn tidy(folder: &Path) -> io::Result<()> {
    for entry in durable::entries(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            durable::remove(&entry.path())?;
        }
    }
    Ok(())
}

/// The files that an epoch's segments have, or may have.
fn segment_files(folder: &Path, meta: &str) -> tantivy::Result<HashSet<PathBuf>> {
    let directory = EpochDirectory::open(folder, meta).map_err(TantivyError::from)?;
    Ok(Index::open(directory)?.load_metas()?.list_segment_files())
}

/// Whether the file is at fault, not the system that was to read it.
fn is_damage(error: &TantivyError) -> bool {
    let (TantivyError::OpenReadError(OpenReadError::IoError { io_error, .. }) | TantivyError::IoError(io_error)) =
        error
    else {
        return true;
    };
    matches!(io_error.kind(), io::ErrorKind::IsADirectory | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

fn metas(folder: &Path) -> io::Result<impl Iterator<Item = String>> {
    Ok(names(folder)?.into_iter().filter(|name| epoch_of(name).is_some()))
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        // Files of this store have names in UTF-8.
        names.extend(entry?.file_name().into_string());
    }
    Ok(names)
}
