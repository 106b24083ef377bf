//! Which paths a rescan examines.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::symlink_metadata;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::DirectorySource;
use super::repository::{GitDirs, Notices, Repository};
use super::rules::{GIT_IGNORE, IGNORE, raw_path};
use crate::merkle::{Node, Tree};
use crate::path::RelPath;
use crate::source::attributes::GIT_ATTRIBUTES;

/// With more changed paths than this, a scan of the whole folder is hardly slower.
const MOST: usize = 1000;

/// Files of a repository's own folder whose change may be felt in all of its work tree.
const GIT_FILES: [&str; 5] = ["info/exclude", "config", "config.worktree", "HEAD", "commondir"];

/// Paths that are examined with all that lies below them, none below another.
pub(super) struct Targets {
    paths: Vec<RelPath>,
    locations: Locations,
}

/// Where the targets lie, and the folders on the way to them, root and all.
#[derive(Clone)]
pub(super) struct Locations(Arc<HashMap<OsString, Kind>>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Way,
    Target,
}

impl Targets {
    /// What must be examined when these paths changed; nothing if it is the whole folder.
    pub(super) fn of(source: &DirectorySource, known: &Tree, changed: &[PathBuf]) -> Option<Self> {
        // Through a link, a file has paths that lie nowhere near the changed one.
        if changed.len() > MOST || source.follow_links {
            return None;
        }
        let roots = Roots::of(&source.root);
        let mut checked = PathBuf::new();
        let mut relative = Vec::with_capacity(changed.len());
        for path in changed {
            let paths = match roots.place(path)? {
                Place::Outside => continue,
                Place::Inside(path) => vec![path],
                Place::Tracked(repository) => tracked_otherwise(&source.root, known, &repository)?,
            };
            for path in paths {
                let target = standing(&source.root, known, path, &mut checked);
                if !source.skip.iter().any(|skipped| source.root.join(&target).starts_with(skipped)) {
                    relative.push(target);
                }
            }
        }
        relative.sort_unstable();
        relative.dedup_by(|later, earlier| later.starts_with(&*earlier));
        let paths = relative.iter().map(|path| RelPath::from_relative(path)).collect();
        let locations = Locations::of(&source.root, &relative);
        Some(Self { paths, locations })
    }

    /// Their paths.
    pub(super) fn paths(&self) -> &[RelPath] {
        &self.paths
    }

    /// Where they lie.
    pub(super) fn locations(&self) -> Locations {
        self.locations.clone()
    }
}

impl Locations {
    fn of(root: &Path, targets: &[PathBuf]) -> Self {
        let mut kinds = HashMap::new();
        for target in targets {
            let location = root.join(target);
            let way = location.ancestors().skip(1).take(target.components().count());
            kinds.extend(way.map(|folder| (folder.as_os_str().to_owned(), Kind::Way)));
            kinds.insert(location.into_os_string(), Kind::Target);
        }
        Self(Arc::new(kinds))
    }

    /// Whether the location is a target, below one, or on the way to one. A walk must have
    /// come to it from the root.
    pub(super) fn admit(&self, location: &Path) -> bool {
        let folder = || location.parent().and_then(|folder| self.0.get(folder.as_os_str()));
        self.0.contains_key(location.as_os_str()) || folder() != Some(&Kind::Way)
    }

    /// Whether there is nothing to look at.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Where a change has its effect.
enum Place {
    /// At this path below the root, and below it.
    Inside(PathBuf),
    /// On the files of this repository that are tracked since, or are no longer.
    Tracked(PathBuf),
    /// On no file of the source.
    Outside,
}

/// The ways to name the root.
struct Roots(Vec<PathBuf>);

impl Roots {
    fn of(root: &Path) -> Self {
        let others = [std::path::absolute(root).ok(), root.canonicalize().ok()];
        Self(std::iter::once(root.to_owned()).chain(others.into_iter().flatten()).collect())
    }

    /// Where a change of that path, absolute or relative to the root, has its effect;
    /// nothing if everywhere.
    fn place(&self, path: &Path) -> Option<Place> {
        if path.components().any(|part| part == Component::ParentDir) {
            // Which folder this leads to depends on links.
            return None;
        }
        let below = self.0.iter().filter(|_| path.is_absolute()).find_map(|root| path.strip_prefix(root).ok());
        let path = below.unwrap_or(path);
        let reach = match reach(path) {
            Reach::Nothing => return Some(Place::Outside),
            Reach::Everything => return None,
            Reach::Below(path) | Reach::Tracked(path) if path.is_absolute() => {
                // Rules above the root hold in it too.
                let is_above = self.0.iter().any(|root| root.starts_with(path));
                return if is_above { None } else { Some(Place::Outside) };
            }
            Reach::Tracked(path) => return Some(Place::Tracked(path.to_owned())),
            Reach::Below(path) => path,
        };
        let names = reach.components().filter(|part| *part != Component::CurDir);
        let reach: PathBuf = names.collect();
        (!reach.as_os_str().is_empty()).then_some(Place::Inside(reach))
    }
}

/// What a change of a path has an effect on.
enum Reach<'p> {
    /// What lies at this path and below it.
    Below(&'p Path),
    /// The files of the repository with this work tree that are tracked since, or are no longer.
    Tracked(&'p Path),
    Everything,
    Nothing,
}

fn reach(path: &Path) -> Reach<'_> {
    let is_named = |path: &&Path, name: &str| path.file_name().is_some_and(|found| found == name);
    if let Some(git) = path.ancestors().filter(|above| is_named(above, ".git")).last() {
        // Of a repository's own folder, only its rules and its index matter.
        let (Ok(inside), Some(work_tree)) = (path.strip_prefix(git), git.parent()) else { return Reach::Nothing };
        return if inside == Path::new("index") {
            Reach::Tracked(work_tree)
        } else if GIT_FILES.iter().any(|name| Path::new(name).starts_with(inside)) {
            Reach::Below(work_tree)
        } else if inside.starts_with("modules") && (inside.ends_with("index") || inside.ends_with("info/exclude")) {
            // The work tree of a submodule lies wherever it is configured to.
            Reach::Everything
        } else {
            Reach::Nothing
        };
    }
    match path.parent() {
        Some(folder) if [GIT_IGNORE, IGNORE, GIT_ATTRIBUTES].iter().any(|name| is_named(&path, name)) => {
            Reach::Below(folder)
        }
        _ => Reach::Below(path),
    }
}

/// The files of a repository, at this path below the root, that its index has and the known tree
/// has not, or the other way round: which of them are ignored, and so belong to the source only
/// while they are tracked, the walk to them tells. Nothing if the index cannot be read.
fn tracked_otherwise(root: &Path, known: &Tree, repository: &Path) -> Option<Vec<PathBuf>> {
    let names = repository.components().filter(|part| *part != Component::CurDir);
    let folder: PathBuf = names.collect();
    let location = root.join(&folder);
    let Some(dirs) = GitDirs::of(&location) else { return Some(Vec::new()) };
    let opened = Repository::open(&location, dirs, raw_path(&location).len(), &Arc::new(Notices::default()));
    let index = opened.index()?;
    let path = RelPath::from_relative(&folder);
    let known = known.directory(path.as_str());
    let mut found = Vec::new();
    let mut tracked = std::collections::HashSet::new();
    for entry in index.entries() {
        let path = RelPath::from_bytes(entry.path(index));
        let is_known = known.is_some_and(|known| known.has_file(path.as_str()));
        if !is_known {
            let path = gix::path::from_bstr(entry.path(index)).ok()?.into_owned();
            if symlink_metadata(location.join(&path)).is_ok_and(|found| found.is_file()) {
                found.push(folder.join(path));
            }
        }
        tracked.insert(path);
    }
    if let Some(known) = known {
        let untracked = |path: &str| !tracked.contains(&RelPath::from(path));
        known.for_each(|path| {
            if untracked(path) {
                found.push(folder.join(super::unescape(path).unwrap_or_else(|| path.into())));
            }
        });
    }
    (found.len() <= MOST).then_some(found)
}

/// The path itself if it lies in a folder that stands, in the known tree and on disk;
/// otherwise the path above it that has come or gone as a whole. `checked` is a folder
/// that was seen on disk.
fn standing(root: &Path, known: &Tree, path: PathBuf, checked: &mut PathBuf) -> PathBuf {
    let mut target = known_part(known, &path);
    while let Some(above) = target.parent().filter(|above| !above.as_os_str().is_empty() && *above != &**checked) {
        let above = above.to_owned();
        if symlink_metadata(root.join(&above)).is_ok_and(|found| found.is_dir()) {
            *checked = above;
            break;
        }
        target = above;
    }
    target
}

/// The path as far as the known tree has directories on the way, and one name more.
fn known_part(known: &Tree, path: &Path) -> PathBuf {
    let mut directory = known.directory("");
    let mut part = PathBuf::new();
    for name in path.components() {
        part.push(name);
        let name = RelPath::from_relative(Path::new(&name));
        directory = match directory.and_then(|directory| directory.find(name.as_str())) {
            Some((_, Node::Directory(inner))) => Some(inner),
            _ => break,
        };
    }
    part
}
