//! The names of a file.

use gristmill_pipeline::ModuleName;

use super::paths::{directory, stem};

/// Limit on the ends of a path that are names of it, besides the whole.
const MAX_SUFFIXES: usize = 8;
/// Limit on the names that a file has, or an import may mean.
const MAX_NAMES: usize = 32;

/// Names in one module system, each once, in the order of adding.
pub(crate) struct Names {
    prefix: &'static str,
    names: Vec<ModuleName>,
    without: [Option<String>; 2],
    /// What is looked up in the modules that are added next.
    then: Then,
    /// What is said of the next name, as in [`ModuleName`].
    also: bool,
    guess: bool,
}

/// What an import takes from a module.
enum Then {
    /// These names.
    Names(Vec<Box<str>>),
    /// This name, but of the module that is named like it.
    Unless(Box<str>),
}

impl Names {
    /// Returns no names; those that are added get `prefix`.
    pub fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            names: Vec::new(),
            without: [None, None],
            then: Then::Names(Vec::new()),
            also: false,
            guess: false,
        }
    }

    /// Of the modules that are added next, `names` are taken.
    pub fn take<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        self.then = Then::Names(names.into_iter().map(Into::into).collect());
    }

    /// Of the modules that are added next, `name` is taken, unless they are named so.
    pub fn take_unless_named(&mut self, name: &str) {
        self.then = Then::Unless(name.into());
    }

    /// Says that the name that is added next is as likely as the one before.
    pub fn also(&mut self) {
        self.also = true;
    }

    /// Says that only what is found in the module that is added next tells that it is meant.
    pub fn guess(&mut self) {
        self.guess = true;
    }

    /// Adds `name`, which may be the end of a path.
    pub fn push(&mut self, name: &str) {
        self.add(format!("{}{name}", self.prefix));
    }

    /// Adds the file or folder at exactly `path`.
    pub fn exact(&mut self, path: &str) {
        self.add(format!("{}/{path}", self.prefix));
    }

    /// Adds the file or folder at exactly `path` of the module system of another prefix.
    pub fn exact_of(&mut self, prefix: &str, path: &str) {
        self.add(format!("{prefix}/{path}"));
    }

    /// Adds what a manifest declares by the name `name`.
    pub fn declared(&mut self, name: &str) {
        self.add(declared(self.prefix, name));
    }

    /// Adds the file or folder at the path `below` in the place that a manifest names `name`.
    pub fn in_place(&mut self, name: &str, below: &str) {
        self.add_in(named(self.prefix, name), Some(below));
    }

    fn add(&mut self, name: String) {
        self.add_in(name, None);
    }

    fn add_in(&mut self, name: String, below: Option<&str>) {
        let (also, guess) = (std::mem::take(&mut self.also), std::mem::take(&mut self.guess));
        let left_out = self.without.iter().flatten().any(|without| *without == name);
        let is_known = |known: &ModuleName| known.name == name && known.below.as_deref() == below;
        if left_out || self.names.len() >= MAX_NAMES || self.names.iter().any(is_known) {
            return;
        }
        let then = match &self.then {
            Then::Names(names) => names.clone(),
            Then::Unless(taken) if name.rsplit(['/', ':']).next() == Some(taken) => Vec::new(),
            Then::Unless(taken) => vec![taken.clone()],
        };
        self.names.push(ModuleName { name, below: below.map(Into::into), then, also, guess });
    }

    /// Rejects the file or folder at exactly `path` from now on.
    pub fn leave_out(&mut self, path: &str) {
        if let Some(free) = self.without.iter_mut().find(|without| without.is_none()) {
            *free = Some(format!("{}/{path}", self.prefix));
        }
    }

    /// Returns the names.
    pub fn finish(self) -> Vec<ModuleName> {
        self.names
    }
}

/// Returns the name of what a manifest declares by the name `name`.
pub(crate) fn declared(prefix: &str, name: &str) -> String {
    format!("{prefix}={name}")
}

/// Returns the name of a place that a manifest names `name`.
pub(crate) fn named(prefix: &str, name: &str) -> String {
    format!("{prefix}~{name}")
}

/// Returns the ends of `path` that have at least `least` parts, the longest first.
pub(crate) fn suffixes(path: &str, least: usize) -> impl Iterator<Item = &str> {
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

/// Adds the path without its extension, and for a file whose stem is in `index` its folder.
pub(crate) fn of_file(path: &str, index: &[&str], names: &mut Names) {
    of_stem(stem(path), index, names);
}

/// As [`of_file`], for a path without its extension.
pub(crate) fn of_stem(stem: &str, index: &[&str], names: &mut Names) {
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

/// Adds the files of the package `package`, such as `a/b/*`.
pub(crate) fn of_members(package: &str, names: &mut Names) {
    for suffix in suffixes(package, 1) {
        names.push(&format!("{suffix}/*"));
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
