//! How PHP's `use` and `require` name files.

use gristmill_pipeline::ModuleUnit;
use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{below, stem};
use crate::spec::resolution::{ModuleSystem, Names, absolute, included, taken};

pub(super) static MODULES: ModuleSystem =
    ModuleSystem { local: local_names, unit, ..ModuleSystem::new("php:", resolve) };

/// What a `use` names is told by its file alone (see `scopes`).
pub(super) fn local_names(_import: &Import) -> Vec<&str> {
    Vec::new()
}

/// All files of a source share their names.
fn unit(_path: &str, _index: &[&str]) -> ModuleUnit {
    ModuleUnit { unit: "php:".to_owned(), ..ModuleUnit::default() }
}

fn resolve(path: &str, import: &Import, names: &mut Names) {
    // A file, not a name.
    if stem(&import.module).len() < import.module.len() || import.module.contains('/') {
        return included(path, import, names);
    }
    let module = import.module.replace('\\', "/");
    absolute(&module, taken(import), names);
    // The first part of a name stands for the folder of the sources.
    if let Some(name) = taken(import) {
        let inner = module.split_once('/').map_or("", |(_, inner)| inner);
        for sources in ["src", "app", "lib"] {
            names.exact(&below(&below(sources, inner), name));
        }
    }
}
