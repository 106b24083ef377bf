//! Which paths a rescan examines.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::symlink_metadata;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::DirectorySource;
use crate::merkle::{Node, Tree};
use crate::path::RelPath;

/// With more changed paths than this, a scan of the whole folder is hardly slower.
const MOST: usize = 1000;

/// Files whose rules decide which files beside and below them belong to the index.
const IGNORE_FILES: [&str; 2] = [".gitignore", ".ignore"];

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
            match roots.place(path)? {
                Place::Outside => continue,
                Place::Inside(path) => {
                    let target = standing(&source.root, known, path, &mut checked);
                    if !source.skip.iter().any(|skipped| source.root.join(&target).starts_with(skipped)) {
                        relative.push(target);
                    }
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
        let Some(reach) = reach(path) else { return Some(Place::Outside) };
        if reach.is_absolute() {
            // Rules above the root hold in it too.
            let is_above = self.0.iter().any(|root| root.starts_with(reach));
            return if is_above { None } else { Some(Place::Outside) };
        }
        let names = reach.components().filter(|part| *part != Component::CurDir);
        let reach: PathBuf = names.collect();
        (!reach.as_os_str().is_empty()).then_some(Place::Inside(reach))
    }
}

/// The path below which a change of `path` has its effect; nothing if it has none.
fn reach(path: &Path) -> Option<&Path> {
    let is_named = |path: &&Path, name: &str| path.file_name().is_some_and(|found| found == name);
    if let Some(git) = path.ancestors().filter(|above| is_named(above, ".git")).last() {
        // Of a repository's own folder, only its list of excluded files matters.
        let inside = path.strip_prefix(git).ok()?;
        return if Path::new("info/exclude").starts_with(inside) { git.parent() } else { None };
    }
    if IGNORE_FILES.iter().any(|name| is_named(&path, name)) { path.parent() } else { Some(path) }
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
