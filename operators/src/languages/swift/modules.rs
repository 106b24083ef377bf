//! How Swift's imports name the targets of a package.

use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::directory;
use crate::spec::resolution::{ModuleSystem, Names};

pub(super) static MODULES: ModuleSystem = ModuleSystem { names: of_target, ..ModuleSystem::new("swift:", resolve) };

/// Adds the target that a file belongs to: the folder below `Sources` or `Tests`, or else
/// the outermost one.
fn of_target(path: &str, _index: &[&str], names: &mut Names) {
    let folder = directory(path);
    let mut parts = folder.split('/');
    let target = match parts.by_ref().find(|part| matches!(*part, "Sources" | "Source" | "Tests")) {
        Some(_) => parts.next(),
        None => folder.split('/').next(),
    };
    if let Some(target) = target.filter(|target| !target.is_empty()) {
        names.push(target);
    }
}

fn resolve(_path: &str, import: &Import, names: &mut Names) {
    names.push(import.module.split('.').next().unwrap_or(&import.module));
}
