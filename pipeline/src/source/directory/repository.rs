//! A repository that a walk comes to: which files its ignore rules and its index speak of.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use gix::bstr::BStr;
use gix_ignore::glob::Pattern;
use gix_ignore::glob::pattern::Case;
use parking_lot::Mutex;

use super::rules::{PatternFile, read_patterns};

/// What a scan has to say that belongs to no file, each once.
#[derive(Debug, Default)]
pub(super) struct Notices(Mutex<BTreeSet<String>>);

impl Notices {
    pub(super) fn add(&self, notice: String) {
        self.0.lock().insert(notice);
    }

    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock()).into_iter().collect()
    }
}

/// The folders of a repository, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GitDirs {
    /// The folder of this checkout: `.git`, or what a `.git` file leads to.
    pub(super) git: PathBuf,
    /// The folder that all linked worktrees of the repository share.
    pub(super) common: PathBuf,
}

impl GitDirs {
    /// The repository whose work tree is `folder`, if it is one.
    pub(super) fn of(folder: &Path) -> Option<Self> {
        let dot_git = folder.join(".git");
        let git = if std::fs::metadata(&dot_git).ok()?.is_file() {
            let link = std::fs::read(&dot_git).ok()?;
            folder.join(path_of(link.strip_prefix(b"gitdir:")?)?)
        } else {
            dot_git
        };
        Self::at(&git)
    }

    /// The repository in that folder, if it is one.
    pub(super) fn at(git: &Path) -> Option<Self> {
        let git = git.canonicalize().ok()?;
        let common = match std::fs::read(git.join("commondir")) {
            Ok(path) => git.join(path_of(&path)?).canonicalize().ok()?,
            Err(_) => git.clone(),
        };
        let is_repository = std::fs::symlink_metadata(git.join("HEAD")).is_ok_and(|head| !head.is_dir())
            && common.join("objects").is_dir()
            && common.join("refs").is_dir();
        is_repository.then_some(Self { git, common })
    }

    /// Whether this checkout is a linked worktree.
    pub(super) fn is_linked(&self) -> bool {
        self.git != self.common
    }
}

/// The path in a file of git that holds one.
pub(super) fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    let path = bytes.trim_ascii_start();
    let path = path.strip_suffix(b"\n").unwrap_or(path);
    let path = path.strip_suffix(b"\r").unwrap_or(path);
    if path.is_empty() { None } else { Some(gix::path::from_bstr(BStr::new(path)).ok()?.into_owned()) }
}

/// What a repository says about all of its files; outside of one, what git's global
/// configuration says.
#[derive(Debug)]
pub(super) struct Repository {
    /// Its folders; none outside of a repository.
    pub(super) dirs: Option<GitDirs>,
    /// The length of its work tree's path, with a slash at the end.
    pub(super) base: usize,
    /// Whether its rules regard case.
    pub(super) case: Case,
    /// `info/exclude` and `core.excludesFile`, the one that weighs more last.
    pub(super) excludes: Vec<Pattern>,
    hash: Option<gix::hash::Kind>,
    index: OnceLock<Option<gix::index::File>>,
    notices: Arc<Notices>,
}

impl Repository {
    /// Reads the configuration of a repository with that work tree.
    pub(super) fn open(folder: &Path, dirs: GitDirs, base: usize, notices: &Arc<Notices>) -> Self {
        let opened = gix::open(folder).ok();
        let config = opened.as_ref().map(gix::Repository::config_snapshot);
        let own = config.as_ref().and_then(|config| config.trusted_path("core.excludesFile").ok().flatten());
        let ignore_case = config.as_ref().and_then(|config| config.boolean("core.ignoreCase")).unwrap_or_default();
        let mut excludes = global_excludes(own, opened.is_none(), notices);
        excludes.extend(read_or_tell(&dirs.common.join("info/exclude"), notices));
        Self {
            base,
            case: if ignore_case { Case::Fold } else { Case::Sensitive },
            excludes,
            hash: opened.map(|repository| repository.object_hash()),
            dirs: Some(dirs),
            index: OnceLock::new(),
            notices: Arc::clone(notices),
        }
    }

    /// What holds outside of a repository.
    pub(super) fn none(base: usize, notices: &Arc<Notices>) -> Self {
        Self {
            dirs: None,
            base,
            case: Case::Sensitive,
            excludes: global_excludes(None, true, notices),
            hash: None,
            index: OnceLock::new(),
            notices: Arc::clone(notices),
        }
    }

    /// Whether git tracks the file at that path, or a file below it.
    pub(super) fn tracks(&self, path: &[u8], is_folder: bool) -> bool {
        let Some(index) = self.index() else { return false };
        if is_folder {
            let mut below = path.to_vec();
            below.push(b'/');
            // A submodule is an entry of its own.
            index.prefixed_entries_range(BStr::new(&below)).is_some() || index.entry_range(BStr::new(path)).is_some()
        } else {
            index.entry_range(BStr::new(path)).is_some()
        }
    }

    /// The index of the checkout, read when it is first asked for; none if there is none yet.
    pub(super) fn index(&self) -> Option<&gix::index::File> {
        let read = || {
            let path = self.dirs.as_ref()?.git.join("index");
            if std::fs::symlink_metadata(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
                return None;
            }
            let read = match self.hash {
                Some(hash) => gix::index::File::at(&path, hash, true, gix::index::decode::Options::default())
                    .map_err(|error| error.probable_cause().to_string()),
                None => Err("the repository cannot be opened".to_owned()),
            };
            read.map_err(|reason| {
                let path = path.display();
                self.notices.add(format!("files that are tracked but ignored are left out: {path}: {reason}"));
            })
            .ok()
        };
        self.index.get_or_init(read).as_ref()
    }
}

/// The patterns of `core.excludesFile`, or of the file that stands for it by default.
fn global_excludes(own: Option<PathBuf>, read_global: bool, notices: &Notices) -> Vec<Pattern> {
    let home = gix::path::env::home_dir();
    let named = own.or_else(|| {
        let config = read_global.then(|| gix::config::File::from_globals().ok()).flatten()?;
        let context = gix::config::path::interpolate::Context { home_dir: home.as_deref(), ..Default::default() };
        config.path("core.excludesFile")?.interpolate(context).ok()
    });
    let by_default = || {
        let config = std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
        Some(config.or_else(|| Some(home.as_ref()?.join(".config")))?.join("git/ignore"))
    };
    named.or_else(by_default).map(|path| read_or_tell(&path, notices)).unwrap_or_default()
}

/// The patterns of a file outside of the source's tree.
fn read_or_tell(path: &Path, notices: &Notices) -> Vec<Pattern> {
    match read_patterns(path, PatternFile::Excludes) {
        Ok(patterns) => patterns,
        Err(reason) => {
            notices.add(format!("the ignore rules of {} cannot be read: {reason}", path.display()));
            Vec::new()
        }
    }
}
