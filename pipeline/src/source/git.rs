//! The `git` source: revisions of a repository, read from its object store.
//!
//! Git's trees already are Merkle trees: between two commits only trees whose ids differ
//! are entered, and only blobs whose ids differ are read. Contents are known by their
//! BLAKE3 hash all the same, so that a revision and a checkout of it are equal.

mod history;
mod marks;
mod objects;
mod refs;
mod walk;

pub use history::{CommitInfo, commits_between};
pub use refs::matching_refs;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gix::ObjectId;
use gristmill_ids::Hash;
use rayon::prelude::*;

use self::marks::TreeMarks;
use self::objects::{Handle, Objects, Unreadable};
use self::walk::{Change, Held, Selection};
use super::sensitive::RULES_VERSION;
use super::{LastScan, Object, Origin, RefRevision, Scan, ScanMeasures, ScanOptions, Source, SourceError, select};
use crate::diagnostic::Severity;
use crate::merkle::{Leaf, Stat, Tree};
use crate::path::RelPath;
use crate::sink::RowId;

/// The code of a submodule, which is not entered.
const SUBMODULE: &str = "submodule";

/// The code of a file whose blob the repository lacks.
const MISSING_OBJECT: &str = "missing_object";

/// Which revisions of which repository, and which of its files belong to the index.
#[derive(Clone, Debug)]
pub struct GitConfig {
    /// A folder in the repository's work tree, or the repository itself.
    pub path: PathBuf,
    /// What of its history.
    pub revisions: Revisions,
    /// Globs of files to take; all if empty.
    pub include: Vec<String>,
    /// Globs of files and folders to leave out.
    pub exclude: Vec<String>,
    /// Whether to take files and folders whose name begins with a dot.
    pub hidden: bool,
    /// Whether to take files that `.gitattributes` marks `linguist-generated` or `linguist-vendored`.
    pub generated: bool,
    /// The largest file to take, in bytes.
    pub max_file_bytes: u64,
}

/// What of a repository's history is indexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revisions {
    /// A branch, a tag, a commit, or anything else that leads to a commit, such as
    /// `HEAD~3`.
    One(String),
    /// All branches and tags that one of the patterns matches, side by side. A branch of a
    /// remote is matched as `origin/main`.
    Refs(Vec<String>),
}

impl GitConfig {
    /// Hash of all that decides which files of a commit are taken, and what is noted of
    /// the others. The version of this code is part of it, as its lists are.
    fn selection(&self) -> Hash {
        let cap = self.max_file_bytes.to_le_bytes();
        let (version, sensitive) = (env!("CARGO_PKG_VERSION"), [RULES_VERSION]);
        let flags = [u8::from(self.hidden) | u8::from(!self.generated) << 1];
        let rules: [&[u8]; 5] = [b"gristmill git selection", version.as_bytes(), &sensitive, &flags, &cap];
        let include = self.include.iter().flat_map(|glob| [b"+", glob.as_bytes()]);
        let exclude = self.exclude.iter().flat_map(|glob| [b"-", glob.as_bytes()]);
        Hash::of_parts(rules.into_iter().chain(include).chain(exclude))
    }
}

/// Revisions of a git repository, read from its object store; nothing is checked out.
///
/// Files that git tracks are taken whatever `.gitignore` and `.ignore` say. Symbolic links
/// are left out, submodules are noted, and a file whose blob is missing is quarantined.
pub struct GitSource {
    objects: Arc<Objects>,
    heads: Vec<Head>,
    is_over_refs: bool,
    /// The git trees of the heads.
    trees: Arc<[ObjectId]>,
    selection: Selection,
    selection_hash: Hash,
    generated: bool,
    max_file_bytes: u64,
}

/// A commit to index.
struct Head {
    /// The ref that leads to it, where there are several.
    name: Box<str>,
    commit: Box<str>,
    tree: ObjectId,
}

/// A known tree, with the git tree that it was made of.
#[derive(Clone)]
struct Known {
    name: Box<str>,
    commit: Box<str>,
    tree: Tree,
}

/// What a scan has read.
#[derive(Default)]
struct Read {
    files: AtomicU64,
    bytes: AtomicU64,
    /// What the trees of refs that came before hold by these blobs.
    hashes: HashMap<ObjectId, Hash>,
}

impl GitSource {
    /// Opens the repository at or above `config.path`, bare or with a work tree, and
    /// resolves the revisions.
    ///
    /// # Errors
    /// If there is no repository, no such commit in it, nothing that a pattern of refs
    /// matches, or a glob is malformed.
    pub fn open(config: GitConfig) -> Result<Self, SourceError> {
        let overrides = select::overrides(Path::new("."), &config.include, &config.exclude)?;
        let opened = refs::Opened::at(&config.path)?;
        let is_over_refs = matches!(config.revisions, Revisions::Refs(_));
        let commits = match &config.revisions {
            Revisions::One(revision) => vec![(String::new(), opened.commit(revision)?)],
            Revisions::Refs(patterns) => opened.all_matching(patterns)?,
        };
        let objects = opened.into_objects();
        let head = |(name, commit): (String, ObjectId)| {
            let tree = objects.tree_of(commit)?;
            Ok(Head { name: name.into(), commit: commit.to_string().into(), tree })
        };
        let heads: Vec<Head> = commits.into_iter().map(head).collect::<Result<_, SourceError>>()?;
        Ok(Self {
            objects: Arc::new(objects),
            is_over_refs,
            trees: heads.iter().map(|head| head.tree).collect(),
            heads,
            selection: Selection { overrides, hidden: config.hidden },
            selection_hash: config.selection(),
            generated: config.generated,
            max_file_bytes: config.max_file_bytes,
        })
    }

    /// The commit that was resolved, in hex digits; of several refs the first one's.
    #[must_use]
    pub fn commit(&self) -> &str {
        self.heads.first().map_or("", |head| &head.commit)
    }

    /// What is known of the repository, if all else that made it still holds.
    fn known(&self, last: &LastScan<'_>) -> Vec<Known> {
        let tree = last.tree;
        // A stored tree that could not be read comes as an empty one.
        let holds = last.place == self.objects.place()
            && last.selection == Some(self.selection_hash)
            && last.merkle_root == tree.root_hash();
        let one =
            last.revision.iter().map(|commit| Known { name: "".into(), commit: (*commit).into(), tree: tree.clone() });
        let of_refs = last.refs.iter().map(|known| Known {
            name: known.name.clone(),
            commit: known.revision.clone(),
            tree: tree.of_ref(&known.name),
        });
        if holds { one.chain(of_refs).collect() } else { Vec::new() }
    }

    /// The tree of a head, made of a known one if it can be compared with it.
    fn tree(
        &self,
        head: &Head,
        known: Option<&Known>,
        options: &ScanOptions,
        read: &mut Read,
    ) -> Result<Tree, SourceError> {
        let marks = self.marks(head.tree, options)?;
        let case = self.objects.case();
        let (base, changes) = self.changes(head.tree, known, &marks, options)?;
        let leaf_of = |(path, held): &Change| {
            options.interrupt.check()?;
            let Some(held) = *held else { return Ok(None) };
            let marked = || marks.mark(path.as_str(), case);
            let (leaf, bytes) = self.objects.with(|handle| self.leaf(handle, path, held, marked, &read.hashes));
            if let Some(bytes) = bytes {
                read.files.fetch_add(1, Ordering::Relaxed);
                read.bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            Ok(Some(leaf))
        };
        let leaves: Vec<Option<Leaf>> = if options.threads == 1 {
            changes.iter().map(leaf_of).collect::<Result<_, SourceError>>()
        } else {
            changes.par_iter().with_min_len(8).map(leaf_of).collect()
        }?;
        if self.is_over_refs {
            let hashes = changes.iter().zip(&leaves).filter_map(|((_, held), leaf)| match (held, leaf) {
                (Some(Held::Blob(blob)), Some(Leaf { content_hash, note: None, .. })) => Some((*blob, *content_hash)),
                _ => None,
            });
            read.hashes.extend(hashes);
        }
        let changes = changes.into_iter().zip(leaves).map(|((path, _), leaf)| (path, leaf));
        Ok(base.unwrap_or(&Tree::empty()).patched(changes.collect()))
    }

    /// What must be done to the known tree, or to an empty one, to make the new one of it.
    fn changes<'a>(
        &self,
        tree: ObjectId,
        known: Option<&'a Known>,
        marks: &TreeMarks,
        options: &ScanOptions,
    ) -> Result<(Option<&'a Tree>, Vec<Change>), SourceError> {
        let made_of = |known: &Known| self.objects.tree_of(ObjectId::from_hex(known.commit.as_bytes()).ok()?).ok();
        if let Some(known) = known
            // Trees of the old commit may be gone by now; then nothing can be compared.
            && let Some(base) = made_of(known)
            // Other marks may speak of any file.
            && self.marks(base, options).is_ok_and(|before| before == *marks)
            && let Ok(mut changes) = walk::changes(&self.objects, &self.selection, Some(base), tree, options)
        {
            changes.extend(self.to_read_again(tree, &known.tree));
            return Ok((Some(&known.tree), changes));
        }
        Ok((None, walk::changes(&self.objects, &self.selection, None, tree, options)?))
    }

    /// What the `.gitattributes` files of a tree mark, if that matters.
    fn marks(&self, tree: ObjectId, options: &ScanOptions) -> Result<TreeMarks, SourceError> {
        if self.generated { Ok(TreeMarks::default()) } else { TreeMarks::of(&self.objects, tree, options) }
    }

    /// Files that could not be read, and may be readable by now.
    fn to_read_again(&self, tree: ObjectId, known: &Tree) -> Vec<Change> {
        let mut found = Vec::new();
        known.for_each(|path, leaf| {
            let code = leaf.note.as_ref().map(|note| &*note.code);
            if !matches!(code, None | Some(select::SENSITIVE | select::TOO_LARGE | select::GENERATED | SUBMODULE))
                && let Ok(Some((mode, id))) = self.objects.with(|handle| handle.entry(tree, path))
                && mode.is_blob()
            {
                found.push((RelPath::from(path), Some(Held::Blob(id))));
            }
        });
        found
    }

    /// The leaf of what a path holds, and the bytes that were read for it.
    fn leaf(
        &self,
        handle: &mut Handle,
        path: &RelPath,
        held: Held,
        marked: impl FnOnce() -> Option<&'static str>,
        hashes: &HashMap<ObjectId, Hash>,
    ) -> (Leaf, Option<u64>) {
        let blob = match held {
            Held::Blob(blob) => blob,
            Held::Submodule => {
                let message = "not entered: this submodule is a repository of its own; index that one by itself";
                let leaf = Leaf::noted(Stat::default(), Severity::Note, SUBMODULE, message.to_owned());
                return (leaf, None);
            }
        };
        let bytes = match handle.size(blob) {
            Ok(bytes) => bytes,
            Err(unreadable) => return (missing(blob, &unreadable), None),
        };
        let stat = Stat { bytes, ..Stat::default() };
        if let Some(noted) = select::refused(path.as_str(), stat, self.max_file_bytes) {
            return (noted, None);
        }
        if let Some(attribute) = marked() {
            return (select::marked(stat, attribute), None);
        }
        if let Some(content_hash) = hashes.get(&blob) {
            return (Leaf { content_hash: *content_hash, stat, note: None }, None);
        }
        match handle.blob(blob) {
            Ok(content) => (Leaf { content_hash: Hash::of(content), stat, note: None }, Some(bytes)),
            Err(unreadable) => (missing(blob, &unreadable), None),
        }
    }
}

fn missing(blob: ObjectId, Unreadable(reason): &Unreadable) -> Leaf {
    let message = format!(
        "the blob {blob} cannot be read from the repository: {reason}; \
         fetch it with `git fetch --refetch`, or clone the repository again without `--filter`"
    );
    Leaf::noted(Stat::default(), Severity::Error, MISSING_OBJECT, message)
}

impl Source for GitSource {
    /// Walks the commit's tree, or what differs from the known commit's, and reads and
    /// hashes each blob that it met. Of several refs each is compared with what it was, and
    /// a new one with another; a blob that one of them had is not read for the next.
    fn scan(&self, last: Option<&LastScan<'_>>, options: &ScanOptions) -> Result<Scan, SourceError> {
        let known = last.map_or_else(Vec::new, |last| self.known(last));
        let mut read = Read::default();
        let mut scanned: Vec<Known> = Vec::with_capacity(self.heads.len());
        for head in &self.heads {
            let find = |is_it: &dyn Fn(&&Known) -> bool| scanned.iter().chain(&known).find(is_it);
            let same = find(&|known| known.commit == head.commit).or(find(&|known| known.name == head.name));
            let base = same.or(scanned.last()).or(known.first());
            let tree = self.tree(head, base, options, &mut read)?;
            scanned.push(Known { name: head.name.clone(), commit: head.commit.clone(), tree });
        }
        let (tree, revision, refs) = if self.is_over_refs {
            let refs =
                self.heads.iter().map(|head| RefRevision { name: head.name.clone(), revision: head.commit.clone() });
            let tree = Tree::over_refs(scanned.iter().map(|known| (&*known.name, known.tree.clone())));
            (tree, None, refs.collect())
        } else {
            let one = scanned.pop().map(|known| (known.tree, known.commit));
            let (tree, commit) = one.unzip();
            (tree.unwrap_or_else(Tree::empty), commit, Vec::new())
        };
        let measures = ScanMeasures {
            files: tree.len() as u64,
            files_read: read.files.into_inner(),
            bytes_read: read.bytes.into_inner(),
            ..ScanMeasures::default()
        };
        Ok(Scan { tree, revision, refs, selection: Some(self.selection_hash), notices: Vec::new(), measures })
    }

    fn origin(&self, file: &RowId) -> Origin {
        Origin::Object(Arc::new(Blob {
            objects: Arc::clone(&self.objects),
            trees: Arc::clone(&self.trees),
            file: file.clone(),
        }))
    }

    fn is_over_refs(&self) -> bool {
        self.is_over_refs
    }

    fn place(&self) -> &Path {
        self.objects.place()
    }
}

/// A file of one of the revisions.
struct Blob {
    objects: Arc<Objects>,
    trees: Arc<[ObjectId]>,
    file: RowId,
}

impl Blob {
    fn find(&self, handle: &Handle) -> Result<Vec<u8>, Unreadable> {
        let mut blobs: Vec<ObjectId> = Vec::new();
        for tree in &*self.trees {
            match handle.entry(*tree, self.file.path.as_str())? {
                Some((mode, id)) if mode.is_blob() && !blobs.contains(&id) => blobs.push(id),
                _ => {}
            }
        }
        let mut read = Err(Unreadable("it is no file of the revision".into()));
        for blob in &blobs {
            read = handle.take_blob(*blob);
            // What refs hold at one path is told apart by its hash. A single content is
            // given as it is: whoever reads it checks it.
            if let Ok(bytes) = &read
                && (blobs.len() == 1 || Hash::of(bytes) == self.file.content_hash)
            {
                break;
            }
        }
        read
    }
}

impl Object for Blob {
    fn read(&self) -> io::Result<Vec<u8>> {
        let read = self.objects.with(|handle| self.find(handle));
        // Never `NotFound`: a commit does not lose a file, but a repository may lose its blob.
        read.map_err(|Unreadable(reason)| io::Error::other(format!("the repository does not give it: {reason}")))
    }
}

#[cfg(test)]
mod tests;
