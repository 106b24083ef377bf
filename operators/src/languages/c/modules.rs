//! How C and C++ include files.

use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{below, directory, from};
use crate::spec::resolution::{ModuleSystem, Names, absolute, suffixes};

pub(crate) static MODULES: ModuleSystem = ModuleSystem { names: of_header, ..ModuleSystem::new("c:", resolve) };

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
