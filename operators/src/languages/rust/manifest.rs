//! What `Cargo.toml` says: by which names the files of its package know its own library and those of
//! packages in other folders.
//!
//! Other packages know a library only if their manifest, or that of the workspace, names its folder: many a
//! package of tests is called like one from the registry.

use gristmill_pipeline::port::Import;
use gristmill_pipeline::{Declared, NamedPlace};
use tree_sitter::Node;

use super::modules::{PREFIX, ROOTS};
use crate::spec::resolution::paths::{below, directory, from, stem};
use crate::spec::resolution::{ModuleSystem, named, place};
use crate::spec::{Uses, children};

/// The name of the file.
const NAME: &str = "Cargo.toml";
/// Where the library of a package lies, if the manifest does not say.
const LIBRARY: &str = "src/lib.rs";

pub(crate) static MODULES: ModuleSystem =
    ModuleSystem { names: |_, _, _| {}, local: |_| vec![""], declares, ..ModuleSystem::new("toml:", |_, _, _| {}) };

/// Records what a table of a TOML text names, if it looks like one of a manifest: the library of a package and
/// that of each dependency in a folder, as an import of its path under the name of the crate.
pub(crate) fn table<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(key) = children(node).next().map(|key| uses.slice(key)) else { return };
    if key == "package" {
        return package(uses, node);
    }
    if let Some((_, name)) = key.rsplit_once('.').filter(|(before, _)| is_dependencies(before)) {
        return dependency(uses, node, name);
    }
    if is_dependencies(key) {
        for pair in children(node).filter(|pair| pair.kind() == "pair") {
            let (name, value) = (pair.named_child(0), pair.named_child(1));
            if let Some((name, value)) = name.zip(value).filter(|(_, value)| value.kind() == "inline_table") {
                dependency(uses, value, uses.slice(name));
            }
        }
    }
}

/// Whether a table is one of dependencies: `dependencies`, `target.'cfg(unix)'.dev-dependencies`,
/// `patch.crates-io`.
fn is_dependencies(key: &str) -> bool {
    let last = key.rsplit('.').next();
    key.starts_with("patch.") || matches!(last, Some("dependencies" | "dev-dependencies" | "build-dependencies"))
}

fn package<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some((at, name)) = value(uses, node, "name") else { return };
    let tables = node.parent().into_iter().flat_map(children);
    let is_library = |table: &Node<'t>| children(*table).next().is_some_and(|key| uses.slice(key) == "lib");
    let library = tables.filter(|table| table.kind() == "table").find(is_library);
    let of_library = |key| library.and_then(|library| value(uses, library, key)).map(|(_, text)| text);
    let (name, path) = (of_library("name").unwrap_or(name), of_library("path").unwrap_or(LIBRARY));
    // The modules of a library are files in the folder of its root file. A root file called `lib.rs` or
    // `mod.rs` is found by the path of that folder; any other needs an import of its own.
    let (name, root) = (name.replace('-', "_"), stem(path));
    uses.import(at, &format!("./{}", directory(path)), "", &name);
    if !ROOTS.contains(&root.rsplit('/').next().unwrap_or(root)) {
        uses.import(at, root, "", &name);
    }
}

/// Records the library of a package that lies in a folder of this source, under the name that the manifest
/// gives to it.
fn dependency<'t>(uses: &mut Uses<'t>, node: Node<'t>, name: &'t str) {
    let name = name.trim_matches(['"', '\'']);
    if let Some((at, path)) = value(uses, node, "path") {
        let library = below(path.trim_end_matches('/'), directory(LIBRARY));
        uses.import(at, &library, "", &name.replace('-', "_"));
    }
}

/// The string of a key in a table, and where it stands.
fn value<'t>(uses: &Uses<'t>, table: Node<'t>, key: &str) -> Option<(Node<'t>, &'t str)> {
    let mut pairs = children(table).filter(|pair| pair.kind() == "pair");
    let pair = pairs.find(|pair| pair.named_child(0).is_some_and(|name| uses.slice(name) == key))?;
    let value = pair.named_child(1)?;
    Some((value, uses.plain_string(value)?))
}

fn declares(path: &str, import: &Import) -> Option<Declared> {
    let name = (path.rsplit('/').next() == Some(NAME) && !import.alias.is_empty()).then_some(&*import.alias)?;
    let place = place(PREFIX, &from(directory(path), &import.module)?);
    let (name, scope) = (named(PREFIX, name), directory(path).to_owned());
    Some(Declared::Place(NamedPlace { name, place, scope, is_public: false, order: 0 }))
}
