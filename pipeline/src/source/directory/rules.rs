//! Ignore rules: those of git, and those of `.ignore` files, which weigh more.
//!
//! Rules of git end at the repository that holds a file: what a `.gitignore` above it says is
//! about another repository. A file that git tracks is taken whatever they say. `.ignore` files
//! hold in nested repositories as well, but not those above the repository of the source.

use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::sync::Arc;

use gix::bstr::{BStr, ByteSlice as _};
use gix_ignore::glob::pattern::Case;
use gix_ignore::glob::{Pattern, wildmatch};

use super::read::reason_of;
use super::repository::{GitDirs, Notices, Repository};
use crate::source::attributes::{GIT_ATTRIBUTES, Marks, mark_of};

/// The file with git's rules.
pub(super) const GIT_IGNORE: &str = ".gitignore";

/// The file with rules of search tools, which git does not read.
pub(super) const IGNORE: &str = ".ignore";

/// Ignore files are read up to this size, as git does.
const MAX_BYTES: u64 = 100 << 20;

/// The kinds of ignore files, which differ in what may stand in their place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PatternFile {
    /// A `.gitignore`: git follows no link to it.
    Git,
    /// Any other.
    Excludes,
}

/// The patterns of an ignore file; none if there is no such file.
pub(super) fn read_patterns(path: &Path, kind: PatternFile) -> Result<Vec<Pattern>, String> {
    let text = read_rules(path, kind)?;
    Ok(gix_ignore::parse(&text, false).map(|(pattern, ..)| pattern).collect())
}

/// The text of a file with rules; empty if there is no such file.
fn read_rules(path: &Path, kind: PatternFile) -> Result<Vec<u8>, String> {
    let read = || -> std::io::Result<Vec<u8>> {
        let is_link = kind == PatternFile::Git && std::fs::symlink_metadata(path)?.is_symlink();
        if is_link {
            return Err(std::io::Error::other("it is a symbolic link, which git does not follow"));
        }
        if !std::fs::metadata(path)?.is_file() {
            return Ok(Vec::new());
        }
        let mut text = Vec::new();
        std::fs::File::open(path)?.take(MAX_BYTES).read_to_end(&mut text)?;
        // A carriage return before the end counts as one before a line feed.
        text.push(b'\n');
        Ok(text)
    };
    match read() {
        Ok(text) => Ok(text),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(error) => Err(reason_of(&error)),
    }
}

/// What the rules say about a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No rule leaves it out.
    Neutral,
    /// A rule takes it, even if its name begins with a dot.
    Taken,
    /// It is ignored but tracked, or a folder with tracked files, of which only those are taken.
    Tracked,
    /// It is left out.
    Ignored,
}

/// The rules of a folder, and of those above it.
#[derive(Debug)]
pub(super) struct Rules {
    above: Option<Arc<Rules>>,
    repository: Arc<Repository>,
    /// The length of the folder's path, with a slash at the end.
    base: usize,
    git: Vec<Pattern>,
    own: Vec<Pattern>,
    marks: Marks,
    /// Whether a repository, or the source, begins here.
    is_boundary: bool,
    /// Whether the folder is ignored, so that only tracked files of it are taken.
    is_ignored: bool,
}

/// Which of the files that matter here a folder has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RuleFiles {
    pub(super) git: bool,
    pub(super) git_ignore: bool,
    pub(super) ignore: bool,
    pub(super) attributes: bool,
}

impl RuleFiles {
    /// Notes a name that a folder holds.
    pub(super) fn meet(&mut self, name: &[u8]) {
        match name {
            b".git" => self.git = true,
            b".gitignore" => self.git_ignore = true,
            b".ignore" => self.ignore = true,
            b".gitattributes" => self.attributes = true,
            _ => {}
        }
    }

    fn of(folder: &Path) -> Self {
        let has = |name: &str| std::fs::symlink_metadata(folder.join(name)).is_ok();
        Self { git: has(".git"), git_ignore: has(GIT_IGNORE), ignore: has(IGNORE), attributes: has(GIT_ATTRIBUTES) }
    }
}

impl Rules {
    /// The rules that hold above `root`, an absolute path without links, whose own are not among
    /// them yet.
    pub(super) fn above(root: &Path, reads_attributes: bool, notices: &Arc<Notices>) -> Arc<Self> {
        let own = raw_path(root);
        let outside = || Arc::new(Self::boundary(Repository::none(own.len(), notices), own.len()));
        if GitDirs::of(root).is_some() {
            return outside();
        }
        let Some((top, dirs)) = root.ancestors().skip(1).find_map(|above| Some((above, GitDirs::of(above)?))) else {
            return outside();
        };
        let base = raw_path(top).len();
        let mut rules = Arc::new(Self::boundary(Repository::open(top, dirs, base, notices), base));
        let mut between: Vec<&Path> = root.ancestors().skip(1).take_while(|above| *above != top).collect();
        between.push(top);
        for folder in between.into_iter().rev() {
            let raw = raw_path(folder);
            if folder != top {
                match rules.within(&raw) {
                    Some(within) => rules = within,
                    None => return Self::outside_of_ignored(root, top, &own, notices),
                }
            }
            let tell = |name: &str, reason: String| {
                notices.add(format!("the rules of {} cannot be read: {reason}", folder.join(name).display()));
            };
            let mut files = RuleFiles { git: false, ..RuleFiles::of(folder) };
            files.attributes &= reads_attributes;
            rules = rules.enter(folder, &raw, files, tell);
        }
        rules.within(&own).unwrap_or_else(|| Self::outside_of_ignored(root, top, &own, notices))
    }

    /// The rules for a folder of that raw path as such; nothing if it is ignored.
    fn within(self: &Arc<Self>, raw: &[u8]) -> Option<Arc<Self>> {
        match self.verdict(raw.strip_suffix(b"/").unwrap_or(raw), true) {
            Verdict::Ignored => None,
            Verdict::Tracked => Some(self.of_ignored()),
            Verdict::Neutral | Verdict::Taken => Some(Arc::clone(self)),
        }
    }

    /// Whoever names a folder wants its files, whatever the repository around it ignores.
    fn outside_of_ignored(root: &Path, top: &Path, own: &[u8], notices: &Arc<Notices>) -> Arc<Self> {
        let (root, top) = (root.display(), top.display());
        notices.add(format!("{root} is ignored by the repository {top}, whose ignore rules are not applied to it"));
        Arc::new(Self::boundary(Repository::none(own.len(), notices), own.len()))
    }

    fn boundary(repository: Repository, base: usize) -> Self {
        let (git, own, marks) = (Vec::new(), Vec::new(), Marks::default());
        let repository = Arc::new(repository);
        Self { above: None, repository, base, git, own, marks, is_boundary: true, is_ignored: false }
    }

    /// The rules within a folder below this one: at `location`, with that raw path, which ends in
    /// a slash. `tell` is called with the name of an ignore file that cannot be read.
    pub(super) fn enter(
        self: &Arc<Self>,
        location: &Path,
        raw: &[u8],
        files: RuleFiles,
        mut tell: impl FnMut(&str, String),
    ) -> Arc<Self> {
        if !files.git_ignore && !files.ignore && !files.attributes {
            return Arc::clone(self);
        }
        let marks = if files.attributes {
            let text = read_rules(&location.join(GIT_ATTRIBUTES), PatternFile::Git).unwrap_or_else(|reason| {
                tell(GIT_ATTRIBUTES, reason);
                Vec::new()
            });
            Marks::parse(&text)
        } else {
            Marks::default()
        };
        let mut read = |name: &str, kind| {
            read_patterns(&location.join(name), kind).unwrap_or_else(|reason| {
                tell(name, reason);
                Vec::new()
            })
        };
        let git = if files.git_ignore { read(GIT_IGNORE, PatternFile::Git) } else { Vec::new() };
        let own = if files.ignore { read(IGNORE, PatternFile::Excludes) } else { Vec::new() };
        Arc::new(Self {
            above: Some(Arc::clone(self)),
            repository: Arc::clone(&self.repository),
            base: raw.len(),
            git,
            own,
            marks,
            is_boundary: false,
            is_ignored: self.is_ignored,
        })
    }

    /// The rules within a nested repository, whose work tree has that raw path.
    pub(super) fn enter_repository(
        self: &Arc<Self>,
        location: &Path,
        dirs: GitDirs,
        raw: &[u8],
        notices: &Arc<Notices>,
    ) -> Arc<Self> {
        let repository = Repository::open(location, dirs, raw.len(), notices);
        Arc::new(Self { above: Some(Arc::clone(self)), ..Self::boundary(repository, raw.len()) })
    }

    /// The rules within a folder that is ignored and has tracked files.
    pub(super) fn of_ignored(self: &Arc<Self>) -> Arc<Self> {
        if self.is_ignored {
            return Arc::clone(self);
        }
        Arc::new(Self {
            above: Some(Arc::clone(self)),
            repository: Arc::clone(&self.repository),
            base: self.base,
            git: Vec::new(),
            own: Vec::new(),
            marks: Marks::default(),
            is_boundary: false,
            is_ignored: true,
        })
    }

    /// Whether only tracked files are taken here.
    pub(super) fn is_ignored(&self) -> bool {
        self.is_ignored
    }

    /// The repositories that these rules come from, from the innermost.
    pub(super) fn repositories(&self) -> impl Iterator<Item = &GitDirs> {
        std::iter::successors(Some(self), |rules| rules.above.as_deref())
            .filter(|rules| rules.is_boundary)
            .filter_map(|rules| rules.repository.dirs.as_ref())
    }

    /// The attribute by which a `.gitattributes` file marks a file in this folder as generated or vendored code.
    pub(super) fn mark(&self, raw: &[u8]) -> Option<&'static str> {
        let mut is_inside = true;
        let chain = std::iter::successors(Some(self), |rules| rules.above.as_deref());
        let own = chain.take_while(move |rules| std::mem::replace(&mut is_inside, !rules.is_boundary));
        let files = own.filter(|rules| !rules.marks.is_empty());
        mark_of(files.map(|rules| (&rules.marks, raw.get(rules.base..).unwrap_or_default())), self.repository.case)
    }

    /// What the rules say of a file or folder in this folder, by its raw path.
    pub(super) fn verdict(&self, raw: &[u8], is_folder: bool) -> Verdict {
        let chain = || std::iter::successors(Some(self), |rules| rules.above.as_deref());
        let own = chain().find_map(|rules| last_match(&rules.own, raw, rules.base, is_folder, Case::Sensitive));
        match own {
            Some(true) => return Verdict::Ignored,
            Some(false) => return Verdict::Taken,
            None => {}
        }
        let repository = &*self.repository;
        let of_git = || {
            for rules in chain() {
                let found = last_match(&rules.git, raw, rules.base, is_folder, repository.case);
                if found.is_some() {
                    return found;
                }
                if rules.is_boundary {
                    break;
                }
            }
            last_match(&repository.excludes, raw, repository.base, is_folder, repository.case)
        };
        match if self.is_ignored { Some(true) } else { of_git() } {
            None => Verdict::Neutral,
            Some(false) => Verdict::Taken,
            Some(true) if repository.tracks(raw.get(repository.base..).unwrap_or_default(), is_folder) => {
                Verdict::Tracked
            }
            Some(true) => Verdict::Ignored,
        }
    }
}

/// Whether the last pattern that matches a path ignores it; none if no pattern matches.
fn last_match(patterns: &[Pattern], raw: &[u8], base: usize, is_folder: bool, case: Case) -> Option<bool> {
    if patterns.is_empty() {
        return None;
    }
    let path = BStr::new(raw.get(base..)?);
    let name = path.rfind_byte(b'/').map(|slash| slash + 1);
    let mode = wildmatch::Mode::NO_MATCH_SLASH_LITERAL;
    let is_match = |pattern: &&Pattern| pattern.matches_repo_relative_path(path, name, Some(is_folder), case, mode);
    patterns.iter().rev().find(is_match).map(|pattern| !pattern.is_negative())
}

/// The bytes of an absolute path, with `/` between its names and at its end.
pub(super) fn raw_path(path: &Path) -> Vec<u8> {
    let mut raw = path.as_os_str().as_encoded_bytes().to_vec();
    if cfg!(windows) {
        raw.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
    }
    if !raw.ends_with(b"/") {
        raw.push(b'/');
    }
    raw
}
