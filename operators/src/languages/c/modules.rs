//! How C and C++ include files.

use gristmill_pipeline::ModuleUnit;
use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{below, directory, from};
use crate::spec::resolution::{ModuleSystem, Names, absolute, suffixes};

pub(crate) static MODULES: ModuleSystem =
    ModuleSystem { names: of_header, local: local_names, unit, ..ModuleSystem::new("c:", resolve) };

/// Folders each of whose folders holds a program of its own.
const PROGRAMS: &[&str] = &[
    "3rdparty",
    "contrib",
    "deps",
    "extern",
    "external",
    "packages",
    "subprojects",
    "third-party",
    "third_party",
    "thirdparty",
    "vendor",
];

/// An `#include` brings in all names.
pub(crate) fn local_names(_import: &Import) -> Vec<&str> {
    Vec::new()
}

/// A file is a unit of its own. What is linked together only a build tool knows: all of the source,
/// but for the programs of others that it holds.
fn unit(path: &str, _index: &[&str]) -> ModuleUnit {
    let folders: Vec<&str> = directory(path).split('/').collect();
    let program = folders.iter().rposition(|folder| PROGRAMS.contains(folder)).map_or(0, |at| at + 2);
    let program = folders.get(..program).unwrap_or_default().join("/");
    ModuleUnit { unit: path.into(), package: format!("c:{program}"), ..ModuleUnit::default() }
}

/// Adds the path with its extension: a header and its source are two files.
fn of_header(path: &str, _index: &[&str], names: &mut Names) {
    names.exact(path);
    suffixes(path, 1).for_each(|suffix| names.push(suffix));
}

/// Adds the headers that an `#include` may mean: one in quotes beside the file first, then, as
/// one in `<…>`, in the folders for headers.
fn resolve(path: &str, import: &Import, names: &mut Names) {
    let quoted = &*import.name == "*";
    let file = import.module.trim_start_matches("./");
    if let Some(exact) = from(directory(path), file).filter(|_| quoted) {
        names.exact(&exact);
    }
    let inward = file.trim_start_matches("../");
    if inward.len() == file.len() {
        for base in ["", "include", "src"] {
            names.exact(&below(base, file));
        }
    }
    if quoted {
        absolute(inward, None, names);
    } else if file.contains('/') {
        names.push(file);
    }
}
