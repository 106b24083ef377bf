//! Files that are replaced whole or not at all.

use std::fs::{File, remove_dir_all, rename};
use std::io::{Result, Write as _};
use std::path::Path;

/// Replaces the file at `path`: writes a neighbour, syncs it, renames it over `path` and
/// syncs the folder, so that after a crash at any moment the file is the old or the new.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("tmp");
    for path in [path, &temporary] {
        // A foreign folder, over which no file can be renamed.
        if path.is_dir() {
            remove_dir_all(path)?;
        }
    }
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rename(&temporary, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
