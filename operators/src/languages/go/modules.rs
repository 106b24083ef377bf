//! How Go's imports name packages.

use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{below, directory, from};
use crate::spec::resolution::{ModuleSystem, Names, absolute, folder_unit, suffixes};

pub(super) static MODULES: ModuleSystem = ModuleSystem {
    names: of_folder,
    local: local_names,
    unit: folder_unit,
    packages: true,
    // All files of a folder are its package.
    roots: &["*"],
    ..ModuleSystem::new(PREFIX, resolve)
};

/// The prefix of names.
pub(crate) const PREFIX: &str = "go:";
/// Limit on the folders of a module that the path of a package in it names, and so on the beginnings that are looked
/// up.
const MAX_DEPTH: usize = 10;

/// First parts of the paths of packages that come with the compiler, in order. No module may have one of
/// them as its path.
const OWN: &[&str] = &[
    "archive",
    "bufio",
    "builtin",
    "bytes",
    "cmp",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "structs",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "unicode",
    "unique",
    "unsafe",
    "weak",
];

/// Returns the name of the package that an import brings in, which its path tells almost always.
pub(super) fn local_names(import: &Import) -> Vec<&str> {
    if &*import.name == "*" {
        return Vec::new();
    }
    if !import.alias.is_empty() {
        return vec![&*import.alias];
    }
    let is_version = |part: &str| part.strip_prefix('v').is_some_and(|digits| digits.parse::<u32>().is_ok());
    let mut parts = import.module.rsplit('/');
    let last = parts.next().unwrap_or_default();
    let last = if is_version(last) { parts.next().unwrap_or(last) } else { last };
    let last = last.rsplit_once('.').filter(|(_, version)| is_version(version)).map_or(last, |(name, _)| name);
    vec![last.strip_prefix("go-").unwrap_or(last)]
}

/// Adds the folder: its files are one package.
fn of_folder(path: &str, _index: &[&str], names: &mut Names) {
    let folder = directory(path);
    names.exact(folder);
    suffixes(folder, if folder.contains('/') { 2 } else { 1 }).for_each(|suffix| names.push(suffix));
}

/// Adds the folder of a package: in the module whose path begins the package's, as a manifest says, and else by its
/// name. For one in the root of its repository, the last part of the path is enough, behind the repository's host
/// and owner.
fn resolve(path: &str, import: &Import, names: &mut Names) {
    let module = &*import.module;
    if module.starts_with('.') {
        if let Some(base) = from(directory(path), module) {
            names.exact(&base);
        }
        return;
    }
    let first = module.split('/').next().unwrap_or_default();
    if OWN.binary_search(&first).is_ok() {
        // Where the compiler's own sources are indexed.
        return names.exact(&below("src", module));
    }
    names.in_place(module, "");
    for (end, _) in module.rmatch_indices('/').take(MAX_DEPTH) {
        let (path, folder) = module.split_at(end);
        names.in_place(path, folder.trim_start_matches('/'));
    }
    absolute(module, None, names);
    let hosted = first.contains('.');
    if let Some((before, last)) = module.rsplit_once('/').filter(|(before, _)| hosted && before.contains('/')) {
        names.push(last);
        // The package in the root of the source, whose folder has no name.
        if before.matches('/').count() == 1 {
            names.exact("");
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_that_is_searched_is_in_order() {
        assert!(super::OWN.is_sorted());
    }
}
