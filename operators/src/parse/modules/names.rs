//! The names that files have.

use super::relative::{below, directory, stem};

/// How many ends of a path are names of it, besides the whole.
const MAX_SUFFIXES: usize = 8;
/// How many names a file has, or an import may mean.
const MAX_NAMES: usize = 32;

/// Names of one family, each once, in the order they came.
pub(super) struct Names {
    prefix: &'static str,
    names: Vec<String>,
    without: [Option<String>; 2],
}

impl Names {
    pub fn new(prefix: &'static str) -> Self {
        Self { prefix, names: Vec::new(), without: [None, None] }
    }

    /// Adds `name`, which may be the end of a path.
    pub fn push(&mut self, name: &str) {
        self.add(format!("{}{name}", self.prefix));
    }

    /// Adds the file or folder at exactly `path`.
    pub fn exact(&mut self, path: &str) {
        self.add(format!("{}/{path}", self.prefix));
    }

    fn add(&mut self, name: String) {
        let left_out = self.without.iter().flatten().any(|without| *without == name);
        if !left_out && self.names.len() < MAX_NAMES && !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    /// Never adds the file or folder at exactly `path`.
    pub fn leave_out(&mut self, path: &str) {
        if let Some(free) = self.without.iter_mut().find(|without| without.is_none()) {
            *free = Some(format!("{}/{path}", self.prefix));
        }
    }

    pub fn finish(self) -> Vec<String> {
        self.names
    }
}

/// The ends of `path`, the longest first, down to `least` parts.
fn suffixes(path: &str, least: usize) -> impl Iterator<Item = &str> {
    let parts = if path.is_empty() { 0 } else { path.split('/').count() };
    let whole = (parts >= least && parts > 0).then_some(path);
    let starts = path.match_indices('/').map(|(slash, _)| slash + 1);
    let ends = starts.enumerate().filter(move |(dropped, _)| {
        let left = parts - dropped - 1;
        left >= least && left <= MAX_SUFFIXES
    });
    // A path too deep for all its ends still has its whole and its shorter ends.
    whole.into_iter().chain(ends.filter_map(|(_, start)| path.get(start..))).take(MAX_SUFFIXES + 1)
}

/// The path without its extension, and for a file that stands for its folder the folder.
pub(super) fn of_file(path: &str, index: &[&str], names: &mut Names) {
    of_stem(stem(path), index, names);
}

fn of_stem(stem: &str, index: &[&str], names: &mut Names) {
    names.exact(stem);
    let name = stem.rsplit('/').next().unwrap_or(stem);
    if index.contains(&name) {
        let folder = directory(stem);
        names.exact(folder);
        suffixes(folder, 1).for_each(|suffix| names.push(suffix));
        // Alone, the name of an index says nothing.
        suffixes(stem, 2).for_each(|suffix| names.push(suffix));
    } else {
        suffixes(stem, 1).for_each(|suffix| names.push(suffix));
    }
}

/// As [`of_file`]; declarations `a.d.ts` are named like what they declare.
pub(super) fn of_script(path: &str, index: &[&str], names: &mut Names) {
    let stem = stem(path);
    of_stem(stem.strip_suffix(".d").unwrap_or(stem), index, names);
}

/// The folder: its files are one package.
pub(super) fn of_folder(path: &str, _index: &[&str], names: &mut Names) {
    let folder = directory(path);
    names.exact(folder);
    suffixes(folder, if folder.contains('/') { 2 } else { 1 }).for_each(|suffix| names.push(suffix));
}

/// The file, and its folder as the package that it belongs to.
pub(super) fn of_package_member(path: &str, index: &[&str], names: &mut Names) {
    of_file(path, index, names);
    of_members(directory(path), names);
}

fn of_members(package: &str, names: &mut Names) {
    for suffix in suffixes(package, 1) {
        names.push(&format!("{suffix}/*"));
    }
}

/// As [`of_package_member`], where a folder `A.B` holds the namespace `A.B`.
pub(super) fn of_namespace_member(path: &str, _index: &[&str], names: &mut Names) {
    let stem = stem(path);
    let name = stem.rsplit('/').next().unwrap_or(stem);
    let namespace = directory(stem).replace('.', "/");
    suffixes(&below(&namespace, name), 2).for_each(|suffix| names.push(suffix));
    of_members(&namespace, names);
}

/// The path with its extension: a header and its source are two files.
pub(super) fn of_header(path: &str, _index: &[&str], names: &mut Names) {
    names.exact(path);
    suffixes(path, 1).for_each(|suffix| names.push(suffix));
}

/// The target that a file belongs to: the folder below `Sources` or `Tests`, or else the
/// outermost one.
pub(super) fn of_target(path: &str, _index: &[&str], names: &mut Names) {
    let folder = directory(path);
    let mut parts = folder.split('/');
    let target = match parts.by_ref().find(|part| matches!(*part, "Sources" | "Source" | "Tests")) {
        Some(_) => parts.next(),
        None => folder.split('/').next(),
    };
    if let Some(target) = target.filter(|target| !target.is_empty()) {
        names.push(target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_whole_parts() {
        assert_eq!(suffixes("a/b/c", 1).collect::<Vec<_>>(), ["a/b/c", "b/c", "c"]);
        assert_eq!(suffixes("a/b/c", 2).collect::<Vec<_>>(), ["a/b/c", "b/c"]);
        assert_eq!(suffixes("a", 1).collect::<Vec<_>>(), ["a"]);
        assert_eq!(suffixes("a", 2).count(), 0);
        assert_eq!(suffixes("", 1).count(), 0);
        let deep = ["x"; 20].join("/");
        let all: Vec<&str> = suffixes(&deep, 1).collect();
        assert_eq!((all.len(), all[0], all[8]), (9, &*deep, "x"));
    }
}
