//! Writing files so that they survive a power cut.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;

/// How many files are flushed at a time. File systems combine flushes that wait for the
/// same journal commit, so several at once cost little more than one.
const MAX_FLUSHES: usize = 8;

/// Flushes files and folders to the disk; with `concurrent`, several at a time.
pub(crate) fn sync_all(paths: &[PathBuf], concurrent: bool) -> io::Result<()> {
    let flush = |path: &PathBuf| File::open(path)?.sync_all();
    if !concurrent || paths.len() < 2 {
        return paths.iter().try_for_each(flush);
    }
    let share = paths.len().div_ceil(MAX_FLUSHES);
    thread::scope(|scope| {
        let flushes: Vec<_> =
            paths.chunks(share).map(|paths| scope.spawn(move || paths.iter().try_for_each(flush))).collect();
        flushes.into_iter().try_for_each(|flush| match flush.join() {
            Ok(result) => result,
            Err(_) => Err(io::Error::other("a thread that flushes files panicked")),
        })
    })
}

/// Replaces a file atomically by rename: a reader sees the old content or the new. With
/// `sync`, the new content is on the disk before the old one is replaced.
pub(crate) fn replace_file(path: &Path, content: &[u8], sync: bool) -> io::Result<()> {
    let draft = path.with_extension("draft");
    let mut file = File::create(&draft)?;
    file.write_all(content)?;
    if !sync {
        return fs::rename(&draft, path);
    }
    file.sync_all()?;
    rename(&draft, path)
}

/// Renames a file that is already flushed, and flushes the folder.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    match to.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

/// Flushes the entries of a folder. Systems on which a folder cannot be opened as a file make
/// them durable by themselves.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The entries of a folder; none if it does not exist.
pub(crate) fn entries(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    match fs::read_dir(folder) {
        Err(error) if !is_absent(&error) => Err(error),
        entries => Ok(entries.into_iter().flatten()),
    }
}

/// Removes a file, or a folder and all it contains, if it exists. Which of the two it is, only a damaged store says
/// otherwise than its reader expects.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if !is_absent(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Whether there is nothing at a path.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
