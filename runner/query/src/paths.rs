//! Paths as people and agents write them, and the paths of the index that they mean.

use std::path::{Component, Path};

use unicode_normalization::UnicodeNormalization as _;

use super::quote::quote;

/// The maximum number of paths that are suggested.
const MAX_NEAR: usize = 3;

/// Returns a path as the index writes it: relative to the source, without `.`, `..`, doubled and
/// trailing slashes. The root is the empty path. `None` for a path that is not below the source.
///
/// ```
/// use std::path::Path;
///
/// use gristmill_query::relative_path;
///
/// let relative = |path| relative_path(path, Path::new("/home/me/project"));
/// assert_eq!(relative("./src//lib.rs").as_deref(), Some("src/lib.rs"));
/// assert_eq!(relative("/home/me/project/src/").as_deref(), Some("src"));
/// assert_eq!(relative("../elsewhere"), None);
/// ```
#[must_use]
pub fn relative_path(path: &str, source: &Path) -> Option<String> {
    let path = path.trim().strip_prefix("file://").unwrap_or(path.trim());
    let path = if is_absolute(path) { Path::new(path).strip_prefix(source).ok()? } else { Path::new(path) };
    let mut parts: Vec<&str> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(parts.join("/"))
}

/// Returns whether a path is absolute and not below the source.
pub(super) fn is_foreign(path: &str, source: &Path) -> bool {
    relative_path(path, source).is_none() && is_absolute(path)
}

/// Returns whether a path is absolute, on Unix or on Windows.
fn is_absolute(path: &str) -> bool {
    let path = path.trim();
    let is_drive = path.get(1..3).is_some_and(|rest| matches!(rest, ":\\" | ":/"));
    is_drive || ["/", "~/", "file://"].iter().any(|start| path.starts_with(start))
}

/// Returns the paths of the index that a path may mean, most likely first: relative to the source,
/// with slashes for backslashes, in both Unicode normal forms; for an absolute path from elsewhere
/// its ends, the longest first.
pub(super) fn spellings(path: &str, source: &Path) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |path: String| {
        let forms = [path.nfc().collect(), path.nfd().collect()];
        for form in std::iter::once(path).chain(forms) {
            if !found.contains(&form) {
                found.push(form);
            }
        }
    };
    let slashes = path.contains('\\').then(|| path.replace('\\', "/"));
    for path in std::iter::once(path).chain(slashes.as_deref()) {
        if let Some(relative) = relative_path(path, source) {
            add(relative);
        }
        if is_foreign(path, source) {
            let parts: Vec<&str> =
                path.trim().split('/').filter(|part| !part.is_empty() && !matches!(*part, "." | "..")).collect();
            (1..parts.len()).filter_map(|skipped| parts.get(skipped..)).for_each(|rest| add(rest.join("/")));
        }
    }
    found
}

/// Returns the help of an error about a path that the index does not have.
#[must_use]
pub fn did_you_mean(near: &[&str]) -> String {
    let near: Vec<String> = near.iter().copied().map(quote).collect();
    format!("did you mean {}?", near.join(" or "))
}

/// Collects the paths that are most like one that does not exist.
pub(super) struct NearPaths<'a> {
    /// The name of the wanted file, in lower case.
    name: String,
    /// The names of its folders, the innermost first.
    folders: Vec<String>,
    /// By ascending distance.
    best: Vec<(usize, usize, &'a str)>,
}

impl<'a> NearPaths<'a> {
    pub(super) fn new(path: &str) -> Self {
        let lower = path.trim().trim_end_matches('/').replace('\\', "/").to_lowercase();
        let mut parts = lower.rsplit('/').map(ToOwned::to_owned);
        let name = parts.next().unwrap_or_default();
        Self { name, folders: parts.collect(), best: Vec::new() }
    }

    pub(super) fn add(&mut self, path: &'a str) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let allowed = 1 + self.name.len() / 4;
        if self.name.is_empty() || self.name.len().abs_diff(name.len()) > allowed {
            return;
        }
        let distance = strsim::osa_distance(&self.name, &name.to_lowercase());
        if distance > allowed {
            return;
        }
        let folder = folder.to_lowercase();
        let shared = folder.rsplit('/').zip(&self.folders).take_while(|(left, right)| left == right).count();
        let place = (distance, usize::MAX - shared, path);
        let at = self.best.partition_point(|known| *known < place);
        self.best.insert(at, place);
        self.best.truncate(MAX_NEAR);
    }

    pub(super) fn best(self) -> Vec<&'a str> {
        // Names that are equal exclude those that are only similar.
        let least = self.best.first().map_or(0, |(distance, ..)| *distance);
        self.best.into_iter().filter(|(distance, ..)| *distance == least).map(|(.., path)| path).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "/home/me/project";

    #[test]
    fn paths_are_made_relative_to_the_source() {
        let relative = |path: &str| relative_path(path, Path::new(SOURCE));
        for path in ["src", "./src", "src/", "./src/", "src//", "/home/me/project/src", "lib/../src", " src ", "src/."]
        {
            assert_eq!(relative(path).as_deref(), Some("src"), "{path}");
        }
        for path in [".", "./", "", "/home/me/project", "/home/me/project/"] {
            assert_eq!(relative(path).as_deref(), Some(""), "{path}");
        }
        for path in ["..", "../src", "src/../..", "/home/me", "/home/me/project2/src", "/etc"] {
            assert_eq!(relative(path), None, "{path}");
        }
        assert_eq!(relative("file:///home/me/project/a b.rs").as_deref(), Some("a b.rs"));
        assert_eq!(relative("app/[id]/(auth)/page.tsx").as_deref(), Some("app/[id]/(auth)/page.tsx"));
    }

    #[test]
    fn absolute_paths_from_elsewhere_are_taken_by_their_ends() {
        let spelled = |path: &str| spellings(path, Path::new(SOURCE));
        assert_eq!(spelled("/tmp/copy/src/a.rs"), ["copy/src/a.rs", "src/a.rs", "a.rs"]);
        assert_eq!(spelled("src\\api\\a.rs"), ["src\\api\\a.rs", "src/api/a.rs"]);
        assert_eq!(spelled("C:\\work\\src\\a.rs").last().map(String::as_str), Some("a.rs"));
        assert_eq!(spelled("cafe\u{301}.rs"), ["cafe\u{301}.rs", "caf\u{e9}.rs"]);
        assert_eq!(spelled("../a.rs"), [""; 0]);
    }

    #[test]
    fn similar_paths_are_those_of_the_same_name_else_of_nearly_the_same() {
        let near = |wanted: &str| {
            let mut near = NearPaths::new(wanted);
            ["src/api/pour.py", "lib/pour.py", "test/test_pour.py", "src/pout.py"]
                .into_iter()
                .for_each(|path| near.add(path));
            near.best()
        };
        assert_eq!(near("api/pour.py"), ["src/api/pour.py", "lib/pour.py"]);
        assert_eq!(near("test/test_puor.py"), ["test/test_pour.py"]);
        assert_eq!(near("render.py"), [""; 0]);
    }
}
