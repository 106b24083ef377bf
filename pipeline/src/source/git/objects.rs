//! The object store of a repository, read from many threads.

use std::path::{Path, PathBuf};

use gix::objs::tree::EntryMode;
use gix::objs::{CommitRefIter, Find as _, Kind, TreeRefIter};
use gix::odb::pack::cache::lru;
use gix::odb::pack::cache::object;
use gix::{ObjectId, ThreadSafeRepository};
use gix_attributes::glob::pattern::Case;
use parking_lot::Mutex;

use crate::path::unescape_name;
use crate::source::SourceError;

/// Bytes of unpacked delta bases that a handle keeps. Neighbours in a tree need not share
/// their bases, so these are many small ones, found by hash.
const DELTA_CACHE_BYTES: usize = 16 << 20;

/// Bytes of tree objects that a handle keeps.
const TREE_CACHE_BYTES: usize = 4 << 20;

/// The objects of one repository.
///
/// Replacement objects (`git replace`) are not followed: what a commit holds is then told
/// by its id alone, and cannot change between runs.
pub(super) struct Objects {
    repository: ThreadSafeRepository,
    place: PathBuf,
    /// Handles that no thread uses; at most as many as ever were in use at once.
    idle: Mutex<Vec<Handle>>,
}

/// What one thread reads objects with.
pub(super) struct Handle {
    /// Reads blobs, each of which is wanted once.
    blobs: gix::odb::Handle,
    /// Reads trees, which are wanted again for each path below them.
    trees: gix::odb::Handle,
    /// The blob read last.
    buffer: Vec<u8>,
}

/// Why an object cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable(pub(super) String);

impl Objects {
    pub(super) fn new(repository: ThreadSafeRepository, place: PathBuf) -> Self {
        Self { repository, place, idle: Mutex::new(Vec::new()) }
    }

    /// The repository's absolute path.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// Reads with a handle that no other thread has meanwhile.
    pub(super) fn with<R>(&self, read: impl FnOnce(&mut Handle) -> R) -> R {
        let idle = self.idle.lock().pop();
        let mut handle = idle.unwrap_or_else(|| Handle::new(&self.repository));
        let result = read(&mut handle);
        self.idle.lock().push(handle);
        result
    }

    /// The tree of a commit.
    pub(super) fn tree_of(&self, commit: ObjectId) -> Result<ObjectId, SourceError> {
        let tree = self.with(|handle| {
            let mut buffer = Vec::new();
            let data = handle.find(commit, Kind::Commit, &mut buffer)?;
            let tree = CommitRefIter::from_bytes(data, commit.kind()).tree_id();
            tree.map_err(|error| Unreadable(reason(&error)))
        });
        tree.map_err(|unreadable| self.error(Kind::Commit, commit, unreadable))
    }

    /// Reads a tree object into `buffer`.
    pub(super) fn read_tree(&self, handle: &Handle, id: ObjectId, buffer: &mut Vec<u8>) -> Result<(), SourceError> {
        let read = handle.find(id, Kind::Tree, buffer).map(|_| ());
        read.map_err(|unreadable| self.error(Kind::Tree, id, unreadable))
    }

    /// Reads a blob.
    pub(super) fn read_blob(&self, id: ObjectId) -> Result<Vec<u8>, SourceError> {
        self.with(|handle| handle.take_blob(id)).map_err(|unreadable| self.error(Kind::Blob, id, unreadable))
    }

    /// Whether the repository's rules regard case.
    pub(super) fn case(&self) -> Case {
        let ignores = self.repository.to_thread_local().config_snapshot().boolean("core.ignoreCase");
        if ignores.unwrap_or_default() { Case::Fold } else { Case::Sensitive }
    }

    /// The error of a tree that cannot be decoded.
    pub(super) fn unreadable_tree(&self, id: ObjectId, reason: String) -> SourceError {
        self.error(Kind::Tree, id, Unreadable(reason))
    }

    fn error(&self, kind: Kind, id: ObjectId, Unreadable(reason): Unreadable) -> SourceError {
        SourceError::Object { repository: self.place.clone(), object: format!("{kind} {id}"), reason }
    }
}

impl Handle {
    fn new(repository: &ThreadSafeRepository) -> Self {
        let open = || {
            let mut store = gix::odb::Cache::from(repository.objects.to_handle());
            store.ignore_replacements = true;
            store.with_pack_cache(|| Box::new(lru::MemoryCappedHashmap::new(DELTA_CACHE_BYTES)))
        };
        let trees = open().with_object_cache(|| Box::new(object::MemoryCappedHashmap::new(TREE_CACHE_BYTES)));
        Self { blobs: open(), trees, buffer: Vec::new() }
    }

    /// Reads an object of that kind into `buffer`.
    fn find<'a>(&self, id: ObjectId, kind: Kind, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Unreadable> {
        let store = if kind == Kind::Tree { &self.trees } else { &self.blobs };
        let data = store.try_find(&id, buffer).map_err(|error| Unreadable(reason(&error)))?;
        let data = data.ok_or_else(|| Unreadable("it is not there".into()))?;
        if data.kind == kind { Ok(data.data) } else { Err(Unreadable(format!("it is a {}", data.kind))) }
    }

    /// The size of a blob, which is not read.
    pub(super) fn size(&self, blob: ObjectId) -> Result<u64, Unreadable> {
        use gix::odb::Header as _;
        let header = self.blobs.try_header(&blob).map_err(|error| Unreadable(reason(&error)))?;
        Ok(header.ok_or_else(|| Unreadable("it is not there".into()))?.size())
    }

    /// The bytes of a blob.
    pub(super) fn blob(&mut self, id: ObjectId) -> Result<&[u8], Unreadable> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let length = self.find(id, Kind::Blob, &mut buffer).map(<[u8]>::len);
        self.buffer = buffer;
        length.map(|length| self.buffer.get(..length).unwrap_or_default())
    }

    /// The bytes of a blob, to keep.
    pub(super) fn take_blob(&self, id: ObjectId) -> Result<Vec<u8>, Unreadable> {
        let mut bytes = Vec::new();
        self.find(id, Kind::Blob, &mut bytes)?;
        Ok(bytes)
    }

    /// What stands at a path of the index below a tree.
    pub(super) fn entry(&self, tree: ObjectId, path: &str) -> Result<Option<(EntryMode, ObjectId)>, Unreadable> {
        let mut buffer = Vec::new();
        let mut found = (EntryMode::from(gix::objs::tree::EntryKind::Tree), tree);
        for name in path.split('/') {
            if !found.0.is_tree() {
                return Ok(None);
            }
            let entries = TreeRefIter::from_bytes(self.find(found.1, Kind::Tree, &mut buffer)?, tree.kind());
            // A name may look like an escape and be none: it is tried as it stands first.
            let escaped = unescape_name(name);
            let mut standing = None;
            for entry in entries {
                let entry = entry.map_err(|error| Unreadable(reason(&error)))?;
                if *entry.filename == *name.as_bytes() {
                    standing = Some((entry.mode, entry.oid.to_owned()));
                    break;
                }
                if escaped.as_ref().is_some_and(|escaped| *entry.filename == **escaped) {
                    standing = Some((entry.mode, entry.oid.to_owned()));
                }
            }
            match standing {
                Some(standing) => found = standing,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }
}

/// What was tried and the cause of its failure, in one line.
pub(super) fn reason(error: &gix::Error) -> String {
    let cause = error.probable_cause().to_string();
    match error.iter_errors().next().map(ToString::to_string) {
        Some(tried) if tried != cause => format!("{tried}: {cause}"),
        _ => cause,
    }
}
