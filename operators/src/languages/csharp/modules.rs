//! How C#'s `using` names files.
//!
//! Namespaces are told from folders, which projects follow by convention: the files of one folder see
//! each other's types, and those of the folders above, as those of `A.B` do those of `A`. A namespace
//! that is spread over folders, or several in one, are not told apart.

use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{below, directory, stem};
use crate::spec::resolution::{ModuleSystem, Names, folder_unit, local_name, of_members, package, suffixes, taken};

pub(super) static MODULES: ModuleSystem = ModuleSystem {
    names: of_namespace_member,
    local: local_names,
    unit: folder_unit,
    packages: true,
    implied: OUTER,
    ..ModuleSystem::new("cs:", resolve)
};

/// The namespaces around that of a file, which it sees without saying so: one step up for each dot.
const OUTER: &[&str] = &[".", "..", "...", "...."];

/// Returns the name that an import binds; a namespace binds none.
pub(super) fn local_names(import: &Import) -> Vec<&str> {
    if OUTER.contains(&&*import.module) { Vec::new() } else { local_name(import) }
}

/// Adds the file, and its folder as the namespace that it belongs to: a folder `A.B` holds
/// the namespace `A.B`.
fn of_namespace_member(path: &str, _index: &[&str], names: &mut Names) {
    let stem = stem(path);
    let name = stem.rsplit('/').next().unwrap_or(stem);
    let namespace = directory(stem).replace('.', "/");
    suffixes(&below(&namespace, name), 2).for_each(|suffix| names.push(suffix));
    of_members(&namespace, names);
    names.exact(&format!("{namespace}/*"));
}

/// Adds the folder of a namespace and the file of a type: both are named alike.
fn resolve(path: &str, import: &Import, names: &mut Names) {
    if OUTER.contains(&&*import.module) {
        let mut namespace = directory(path).replace('.', "/");
        for _ in 0..import.module.len() {
            namespace = directory(&namespace).to_owned();
        }
        if !namespace.is_empty() {
            names.take([]);
            names.exact(&format!("{namespace}/*"));
        }
        return;
    }
    let module = import.module.replace('.', "/");
    if module.split('/').next() == Some("System") {
        return;
    }
    if let Some(name) = taken(import) {
        names.take([name]);
        names.push(&below(&module, name));
        // An alias of a namespace.
        names.take([]);
        package(&below(&module, name), names);
        // A type in a file of another name.
        names.take([name]);
    } else if let Some((_, of)) = module.rsplit_once('/') {
        // All static members of a type.
        names.take([of]);
        names.push(&module);
        names.take([]);
    }
    package(&module, names);
}
