//! How Lua's `require` names files.

use gristmill_pipeline::port::Import;

use crate::spec::resolution::{ModuleSystem, Names, absolute};

pub(super) static MODULES: ModuleSystem = ModuleSystem { index: &["init"], ..ModuleSystem::new("lua:", resolve) };

fn resolve(_path: &str, import: &Import, names: &mut Names) {
    absolute(&import.module.replace('.', "/"), None, names);
}
