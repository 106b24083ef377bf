//! How Ruby's `require` names files.

use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{below, directory, from};
use crate::spec::resolution::{ModuleSystem, Names, absolute};

pub(super) static MODULES: ModuleSystem = ModuleSystem::new("rb:", resolve);

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
