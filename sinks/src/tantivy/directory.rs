//! Two views of an index folder: one that stages an epoch, and one that reads a published
//! epoch.
//!
//! Both ignore Tantivy's list of managed files: which files may be deleted follows from the
//! retained epochs (see [`collect`](super::collect)), and maintaining the list would flush one
//! more file for each file written.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tantivy::Directory;
use tantivy::directory::error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, DirectoryLock, FileHandle, Lock, MmapDirectory, TerminatingWrite, WatchCallback, WatchHandle,
    WritePtr,
};

/// The file by which Tantivy knows an index.
pub(super) const META: &str = "meta.json";
const MANAGED: &str = ".managed.json";
/// Bytes of a file that wait for the next write: on a slow disk each write costs, whatever its size.
const BUFFERED_BYTES: usize = 1 << 17;

fn is(path: &Path, name: &str) -> bool {
    path.as_os_str() == name
}

fn refused(path: &Path) -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("{} belongs to a published epoch, which is read-only", path.display()),
    )
}

fn absent(path: &Path) -> OpenReadError {
    OpenReadError::FileDoesNotExist(path.to_path_buf())
}

/// A published epoch, read-only: it serves the epoch's own file as `meta.json`.
#[derive(Clone, Debug)]
pub(super) struct EpochDirectory {
    inner: MmapDirectory,
    meta: Arc<Path>,
}

impl EpochDirectory {
    pub fn open(folder: &Path, meta: &str) -> Result<Self, OpenDirectoryError> {
        Ok(Self { inner: MmapDirectory::open(folder)?, meta: Path::new(meta).into() })
    }
}

impl Directory for EpochDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.inner.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        Err(DeleteError::IoError { io_error: Arc::new(refused(path)), filepath: path.to_path_buf() })
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.inner.exists(if is(path, META) { &self.meta } else { path })
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        Err(OpenWriteError::IoError { io_error: Arc::new(refused(path)), filepath: path.to_path_buf() })
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        if is(path, MANAGED) {
            return Err(absent(path));
        }
        self.inner.atomic_read(if is(path, META) { &self.meta } else { path })
    }

    fn atomic_write(&self, path: &Path, _: &[u8]) -> io::Result<()> {
        Err(refused(path))
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, _: &Lock) -> Result<DirectoryLock, LockError> {
        // The files of a retained epoch are neither changed nor deleted.
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}

/// The epoch being written: files go to the folder, `meta.json` stays in memory, and
/// nothing is deleted.
#[derive(Clone, Debug)]
pub(super) struct StagingDirectory {
    inner: MmapDirectory,
    folder: Arc<Path>,
    staged: Arc<Mutex<Staged>>,
}

#[derive(Debug, Default)]
struct Staged {
    meta: Option<Vec<u8>>,
    written: Vec<PathBuf>,
}

impl StagingDirectory {
    /// Opens the folder on top of an epoch's `meta.json`, or on top of nothing.
    pub fn open(folder: &Path, meta: Option<Vec<u8>>) -> Result<Self, OpenDirectoryError> {
        let staged = Arc::new(Mutex::new(Staged { meta, written: Vec::new() }));
        Ok(Self { inner: MmapDirectory::open(folder)?, folder: folder.into(), staged })
    }

    /// The newest `meta.json`.
    pub fn meta(&self) -> Option<Vec<u8>> {
        self.staged().meta.clone()
    }

    /// The files written since the last call.
    pub fn take_written(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.staged().written)
    }

    fn staged(&self) -> MutexGuard<'_, Staged> {
        self.staged.lock()
    }
}

impl Directory for StagingDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.inner.get_file_handle(path)
    }

    fn delete(&self, _: &Path) -> Result<(), DeleteError> {
        // A published epoch may name the file; files that none names are deleted later.
        Ok(())
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        if is(path, META) { Ok(self.staged().meta.is_some()) } else { self.inner.exists(path) }
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let place = self.folder.join(path);
        let file = OpenOptions::new().write(true).create_new(true).open(&place).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                OpenWriteError::FileAlreadyExists(path.to_path_buf())
            } else {
                OpenWriteError::IoError { io_error: Arc::new(error), filepath: path.to_path_buf() }
            }
        })?;
        self.staged().written.push(place);
        Ok(BufWriter::with_capacity(BUFFERED_BYTES, Box::new(SegmentFile(file))))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        if is(path, META) {
            self.staged().meta.clone().ok_or_else(|| absent(path))
        } else if is(path, MANAGED) {
            Err(absent(path))
        } else {
            self.inner.atomic_read(path)
        }
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        if is(path, META) {
            self.staged().meta = Some(data.to_vec());
            Ok(())
        } else if is(path, MANAGED) {
            Ok(())
        } else {
            self.inner.atomic_write(path, data)
        }
    }

    fn sync_directory(&self) -> io::Result<()> {
        // All files of an epoch are flushed together when it is staged.
        Ok(())
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.inner.acquire_lock(lock)
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}

/// A file that is flushed later.
struct SegmentFile(File);

impl Write for SegmentFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for SegmentFile {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        Ok(())
    }
}
