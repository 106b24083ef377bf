//! Linked worktrees: other checkouts of a repository, whose files would be indexed twice.

use std::path::{Path, PathBuf};

use super::repository::{GitDirs, path_of};

/// The source, as far as it decides which checkouts of a repository lie in it.
#[derive(Clone, Debug)]
pub(super) struct Checkouts {
    /// The root, as an absolute path without links.
    pub(super) root: PathBuf,
    /// Whether folders whose name begins with a dot are entered.
    pub(super) hidden: bool,
}

impl Checkouts {
    /// The checkout that stands for the one at `location`, if another does: that which encloses
    /// it, or else the repository's main one, or else, where the repository is bare, the one with
    /// the branch that `HEAD` of the repository names, or the first by path.
    pub(super) fn other<'a>(
        &self,
        location: &Path,
        dirs: &GitDirs,
        mut around: impl Iterator<Item = &'a GitDirs>,
    ) -> Option<PathBuf> {
        if let Some(enclosing) = around.find(|enclosing| enclosing.common == dirs.common) {
            return Some(enclosing.git.clone());
        }
        if !dirs.is_linked() {
            return None;
        }
        let main = dirs.common.parent().filter(|_| dirs.common.file_name().is_some_and(|name| name == ".git"));
        if let Some(main) = main {
            // A bare repository may be called `.git` too: it has no files beside it.
            if !is_bare(&dirs.common) {
                return self.holds(main).then(|| main.to_owned());
            }
        }
        let own = location.canonicalize().ok()?;
        let first = self.linked(&dirs.common).into_iter().next()?;
        (first != own).then_some(first)
    }

    /// The linked worktrees of a repository that lie in the source, the preferred one first.
    fn linked(&self, common: &Path) -> Vec<PathBuf> {
        let head = std::fs::read(common.join("HEAD")).unwrap_or_default();
        let entries = std::fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten();
        let mut found: Vec<(bool, PathBuf)> = entries
            .filter_map(|entry| {
                let git = entry.path();
                let link = git.join(path_of(&std::fs::read(git.join("gitdir")).ok()?)?);
                let checkout = link.parent()?.canonicalize().ok().filter(|checkout| self.holds(checkout))?;
                Some((std::fs::read(git.join("HEAD")).ok()? != head, checkout))
            })
            .collect();
        found.sort();
        found.into_iter().map(|(_, checkout)| checkout).collect()
    }

    /// Whether a folder is one that a walk of the source may come to.
    fn holds(&self, folder: &Path) -> bool {
        let is_hidden = |name: std::path::Component<'_>| name.as_os_str().as_encoded_bytes().starts_with(b".");
        folder.strip_prefix(&self.root).is_ok_and(|below| self.hidden || !below.components().any(is_hidden))
    }
}

/// Whether the configuration of a repository says that it has no work tree.
fn is_bare(common: &Path) -> bool {
    gix::open_opts(common, gix::open::Options::isolated())
        .is_ok_and(|repository| repository.config_snapshot().boolean("core.bare").unwrap_or_default())
}
