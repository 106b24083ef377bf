//! How C#'s `using` names files.

use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{below, directory, stem};
use crate::spec::resolution::{ModuleSystem, Names, of_members, package, suffixes, taken};

pub(super) static MODULES: ModuleSystem =
    ModuleSystem { names: of_namespace_member, ..ModuleSystem::new("cs:", resolve) };

/// Adds the file, and its folder as the namespace that it belongs to: a folder `A.B` holds
/// the namespace `A.B`.
fn of_namespace_member(path: &str, _index: &[&str], names: &mut Names) {
    let stem = stem(path);
    let name = stem.rsplit('/').next().unwrap_or(stem);
    let namespace = directory(stem).replace('.', "/");
    suffixes(&below(&namespace, name), 2).for_each(|suffix| names.push(suffix));
    of_members(&namespace, names);
}

/// Adds the folder of a namespace and the file of a type: both are named alike.
fn resolve(_path: &str, import: &Import, names: &mut Names) {
    let module = import.module.replace('.', "/");
    if module.split('/').next() == Some("System") {
        return;
    }
    if let Some(name) = taken(import) {
        names.push(&below(&module, name));
        package(&below(&module, name), names);
    } else if module.contains('/') {
        names.push(&module);
    }
    package(&module, names);
}
