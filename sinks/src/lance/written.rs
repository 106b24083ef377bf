//! Whether what Lance wrote is whole, before anything refers to it.
//!
//! Lance 14 ignores an error of the last write to a local file (`LocalWriter::poll_shutdown` of `lance-io` takes
//! `Ready(Err)` for done), gives the file its name, and goes on. So an epoch looks at what it wrote: a data file has
//! the length that its writer counted, a manifest and a file of an index end as their format says, and a deletion
//! file reads back as the rows that it deletes.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use lance::Dataset;
use lance_table::format::{Fragment, MAGIC};
use lance_table::io::deletion::read_deletion_file;

use super::location::Location;
use crate::durable;

/// A file that was not written whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum LostWrite {
    #[error(
        "the disk took only {found} of the {meant} bytes of {}; free space on it, or see its log for errors, \
         and run again",
        path.display()
    )]
    Short { path: PathBuf, found: u64, meant: u64 },
    #[error(
        "the end of {} did not reach the disk; free space on it, or see its log for errors, and run again",
        .0.display()
    )]
    NoEnd(PathBuf),
    #[error("cannot look at what was written to {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
}

/// Checks the data files of new fragments.
pub(super) fn check_data(location: &Location, fragments: &[Fragment]) -> Result<(), LostWrite> {
    for fragment in fragments {
        for (file, path) in fragment.files.iter().zip(location.data_files([fragment])) {
            match file.file_size_bytes.get() {
                Some(meant) => check_length(path, meant.get())?,
                None => check_end(path)?,
            }
        }
    }
    Ok(())
}

/// Checks the deletion files of fragments that lost rows.
pub(super) async fn check_deletions(
    location: &Location,
    dataset: &Dataset,
    fragments: &[Fragment],
) -> lance::Result<Result<(), LostWrite>> {
    let store = dataset.object_store(None).await?;
    let base = dataset.branch_location().path;
    for fragment in fragments {
        let Some(file) = &fragment.deletion_file else { continue };
        let read = read_deletion_file(fragment.id, file, &base, &store).await;
        let is_whole = read.is_ok_and(|rows| file.num_deleted_rows.is_none_or(|meant| rows.len() == meant));
        if !is_whole {
            return Ok(Err(LostWrite::NoEnd(location.deletion_file(fragment.id, file))));
        }
    }
    Ok(Ok(()))
}

/// Checks the manifest of the newest version of a table. One that is not whole is deleted, as no reader of the table
/// would get past it.
pub(super) fn check_manifest(location: &Location, dataset: &Dataset) -> Result<(), LostWrite> {
    let Some(manifest) = location.manifest_of(dataset) else { return Ok(()) };
    check_end(manifest.clone()).inspect_err(|_| {
        // What cannot be deleted now, garbage collection finds.
        let _ = durable::remove(&manifest);
    })
}

/// Deletes manifests of versions after `version` that lack their end, as a power cut may leave them. No epoch names
/// them, and no reader of the table would get past them.
pub(super) fn remove_torn_manifests(location: &Location, version: u64) -> io::Result<()> {
    for entry in durable::entries(&location.manifests())? {
        let path = entry?.path();
        let is_later = version_of_manifest(&path).is_some_and(|found| found > version);
        if is_later && matches!(check_end(path.clone()), Err(LostWrite::NoEnd(_))) {
            tracing::warn!(manifest = %path.display(), "deletes a manifest that was not written whole");
            durable::remove(&path)?;
        }
    }
    Ok(())
}

/// Whether the table has any manifest.
pub(super) fn has_manifests(location: &Location) -> io::Result<bool> {
    for entry in durable::entries(&location.manifests())? {
        if version_of_manifest(&entry?.path()).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The version in the name of a manifest, which counts down from the largest number so that the newest is listed
/// first, or up, as in older tables.
pub(super) fn version_of_manifest(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".manifest")?;
    let number: u64 = name.parse().ok()?;
    Some(if name.len() == 20 { u64::MAX - number } else { number })
}

fn check_length(path: PathBuf, meant: u64) -> Result<(), LostWrite> {
    match fs::metadata(&path) {
        Ok(metadata) if metadata.len() == meant => Ok(()),
        Ok(metadata) => Err(LostWrite::Short { path, found: metadata.len(), meant }),
        Err(error) => Err(LostWrite::Unreadable { path, error }),
    }
}

/// Checks that a file, such as one of an index, ends as all of Lance's formats do.
pub(super) fn check_end(path: PathBuf) -> Result<(), LostWrite> {
    let read = || -> io::Result<bool> {
        let mut file = File::open(&path)?;
        let length = file.metadata()?.len();
        let mut end = [0; MAGIC.len()];
        if length < end.len() as u64 {
            return Ok(false);
        }
        file.seek(SeekFrom::End(-(end.len() as i64)))?;
        file.read_exact(&mut end)?;
        Ok(end == *MAGIC)
    };
    match read() {
        Ok(true) => Ok(()),
        Ok(false) => Err(LostWrite::NoEnd(path)),
        Err(error) => Err(LostWrite::Unreadable { path, error }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_lacks_its_end_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (content, is_whole) in [("data LANC", true), ("LANC", true), ("data LAN", false), ("", false), ("C", false)]
        {
            fs::write(&path, content).unwrap();
            assert_eq!(check_end(path.clone()).is_ok(), is_whole, "{content}");
        }
        fs::write(&path, "12345").unwrap();
        assert!(check_length(path.clone(), 5).is_ok());
        let error = check_length(path.clone(), 8192).unwrap_err().to_string();
        assert!(error.contains("only 5 of the 8192 bytes"), "{error}");
        fs::remove_file(&path).unwrap();
        assert!(matches!(check_length(path.clone(), 5), Err(LostWrite::Unreadable { .. })));
        assert!(matches!(check_end(path), Err(LostWrite::Unreadable { .. })));
    }

    #[test]
    fn the_name_of_a_manifest_has_its_version() {
        let version = |name: &str| version_of_manifest(Path::new(name));
        assert_eq!(version("_versions/18446744073709551612.manifest"), Some(3));
        assert_eq!((version("12.manifest"), version("12.manifest#1"), version("d12.manifest")), (Some(12), None, None));
    }
}
