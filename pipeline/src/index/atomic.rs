//! Files that are replaced whole or not at all.

use std::fs::{File, remove_dir_all, rename};
use std::io::{Result, Write as _};
use std::path::{Path, PathBuf};

/// Replaces the file at `path`: writes a neighbour, syncs it, renames it over `path` and
/// syncs the folder, so that after a crash at any moment the file is the old or the new.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let (temporary, mut file) = create_beside(path, "tmp")?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rename(&temporary, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Replaces a file by rename. After a power cut it may be the old, the new, or torn.
pub(super) fn replace_unflushed(path: &Path, bytes: &[u8]) -> Result<()> {
    let (draft, mut file) = create_beside(path, "draft")?;
    file.write_all(bytes)?;
    rename(draft, path)
}

/// Creates the neighbour of a file, whatever lies in the place of either.
fn create_beside(path: &Path, extension: &str) -> Result<(PathBuf, File)> {
    let beside = path.with_extension(extension);
    for path in [path, &beside] {
        // Over a foreign folder no file can be renamed.
        if path.is_dir() {
            remove_dir_all(path)?;
        }
    }
    Ok((beside.clone(), File::create(beside)?))
}
