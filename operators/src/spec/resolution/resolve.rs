//! The names that an import may mean: what module systems share.

use gristmill_pipeline::port::Import;

use super::names::Names;
use super::paths::{below, directory, from, stem};

/// Returns the name that is taken from a module; `None` if all of it is.
pub(crate) fn taken(import: &Import) -> Option<&str> {
    Some(&*import.name).filter(|name| !name.is_empty() && *name != "*")
}

/// Adds `module` and `name` in it: whole, then ever shorter ends, down to two parts. A
/// single part is added only if the import has no more.
pub(crate) fn absolute(module: &str, name: Option<&str>, names: &mut Names) {
    let mut rest = Some(module);
    while let Some(end) = rest {
        if let Some(name) = name {
            names.push(&below(end, name));
        }
        if end.contains('/') || end.len() == module.len() {
            names.push(end);
        }
        rest = end.split_once('/').map(|(_, rest)| rest);
    }
}

/// Adds `module` as a package: whole, then ever shorter ends, down to two parts.
pub(crate) fn package(module: &str, names: &mut Names) {
    let mut rest = Some(module);
    while let Some(end) = rest.filter(|end| end.contains('/') || end.len() == module.len()) {
        names.push(&format!("{end}/*"));
        rest = end.split_once('/').map(|(_, rest)| rest);
    }
}

/// Resolves an import that names a file by its path: beside the importing one, in the
/// root, or anywhere.
pub(crate) fn included(path: &str, import: &Import, names: &mut Names) {
    let file = stem(&import.module);
    if let Some(base) = from(directory(path), file.trim_start_matches('/')) {
        names.exact(&base);
    }
    let inward = file.trim_start_matches("./").trim_start_matches('/');
    if !inward.starts_with("..") {
        names.exact(inward);
        if inward.contains('/') {
            absolute(inward, None, names);
        }
    }
}
