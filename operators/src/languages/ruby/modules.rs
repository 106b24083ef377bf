//! How Ruby's `require` names files.

use gristmill_pipeline::ModuleUnit;
use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{below, directory, from};
use crate::spec::resolution::{ModuleSystem, Names, absolute};

pub(super) static MODULES: ModuleSystem =
    ModuleSystem { local: local_names, unit, ..ModuleSystem::new("rb:", resolve) };

/// A `require` binds no name: constants are global.
pub(super) fn local_names(_import: &Import) -> Vec<&str> {
    Vec::new()
}

/// All files of a source share their constants.
fn unit(_path: &str, _index: &[&str]) -> ModuleUnit {
    ModuleUnit { unit: "rb:".to_owned(), ..ModuleUnit::default() }
}

fn resolve(path: &str, import: &Import, names: &mut Names) {
    let module = import.module.strip_suffix(".rb").unwrap_or(&import.module);
    if module.starts_with('.') {
        if let Some(base) = from(directory(path), module) {
            names.exact(&base);
        }
        return;
    }
    names.push(&below("lib", module));
    absolute(module, None, names);
}
