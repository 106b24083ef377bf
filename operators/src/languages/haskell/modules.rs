//! How Haskell's imports name files.

use gristmill_pipeline::port::Import;

use crate::spec::resolution::{ModuleSystem, Names};

pub(super) static MODULES: ModuleSystem = ModuleSystem::new("hs:", resolve);

/// Adds the module's name, which is the whole path below the folder of the sources.
fn resolve(_path: &str, import: &Import, names: &mut Names) {
    names.push(&import.module.replace('.', "/"));
}
