//! What `package.json` says of the package in its folder: by which names imports elsewhere mean
//! which of its modules.
//!
//! What the manifest names is most often built from sources elsewhere in the folder, so these are
//! looked for too.

use gristmill_pipeline::port::Import;
use tree_sitter::Node;

use super::modules::script;
use crate::spec::resolution::paths::{below, directory, from};
use crate::spec::resolution::{ModuleSystem, Names, declared};
use crate::spec::{Uses, children};

/// The name of the file.
const NAME: &str = "package.json";
/// The prefix of the module system of scripts.
const SCRIPTS: &str = "js:";
/// Fields that name the main module, the likeliest to be a source first.
const FIELDS: &[&str] = &["source", "svelte", "types", "typings", "module", "main"];
/// Folders of what is built, as in `dist/cjs/index.js`.
const BUILT: &[&str] = &["dist", "build", "lib", "out", "output", "es", "esm", "cjs"];
/// Limit on the modules that a manifest names.
const MAX_MODULES: usize = 64;

pub(crate) static MODULES: ModuleSystem =
    ModuleSystem { names: |_, _, _| {}, local: |_| vec![""], declares, ..ModuleSystem::new("json:", resolve) };

/// Records what the object of a JSON text names, if it looks like the manifest of a package.
pub(crate) fn object<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let first = uses.text.len() - uses.text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).len();
    if node.start_byte() != first {
        return;
    }
    let Some(name) = value(uses, node, "name").and_then(|name| uses.literal(name)) else { return };
    let has = |field: &str| value(uses, node, field).is_some();
    if !["version", "private", "dependencies", "devDependencies", "scripts"].into_iter().any(has) {
        return;
    }
    let mut modules: Vec<(Node<'t>, String, &'t str)> = Vec::new();
    let exports = value(uses, node, "exports");
    let main = FIELDS.iter().find_map(|field| value(uses, node, field).filter(|value| value.kind() == "string"));
    let main = main.or_else(|| exports.and_then(|exports| target(uses, value(uses, exports, ".").unwrap_or(exports))));
    match main.and_then(|main| Some((main, uses.literal(main)?))) {
        Some((main, target)) => modules.push((main, name.to_owned(), target)),
        None => modules.push((node, name.to_owned(), "index")),
    }
    for pair in exports.into_iter().flat_map(children).filter(|pair| pair.kind() == "pair") {
        let key = pair.child_by_field_name("key").and_then(|key| uses.literal(key));
        let Some(part) = key.and_then(|key| key.strip_prefix("./")).filter(|part| !part.contains('*')) else {
            continue;
        };
        let found = pair.child_by_field_name("value").and_then(|value| target(uses, value));
        if let Some((found, target)) = found.and_then(|found| Some((found, uses.literal(found)?))) {
            modules.push((found, format!("{name}/{part}"), target));
        }
    }
    for (at, name, target) in modules.into_iter().take(MAX_MODULES) {
        uses.import(at, target, "", &name);
    }
}

/// The value of a field of an object.
fn value<'t>(uses: &Uses<'t>, object: Node<'t>, field: &str) -> Option<Node<'t>> {
    let mut pairs = children(object).filter(|pair| pair.kind() == "pair");
    let named = |pair: &Node<'t>| pair.child_by_field_name("key").and_then(|key| uses.literal(key)) == Some(field);
    pairs.find(named)?.child_by_field_name("value")
}

/// The first file that the conditions of an entry of `exports` name.
fn target<'t>(uses: &Uses<'t>, mut entry: Node<'t>) -> Option<Node<'t>> {
    for _ in 0..8 {
        if entry.kind() == "string" {
            return Some(entry);
        }
        let conditions = ["source", "types", "import", "module", "default", "require", "node", "browser"];
        entry = conditions.iter().find_map(|condition| value(uses, entry, condition))?;
    }
    None
}

fn declares(path: &str, import: &Import) -> Option<String> {
    let is_manifest = path.rsplit('/').next() == Some(NAME);
    (is_manifest && !import.alias.is_empty()).then(|| declared(SCRIPTS, &import.alias))
}

fn resolve(path: &str, import: &Import, names: &mut Names) {
    if path.rsplit('/').next() != Some(NAME) {
        return;
    }
    let (folder, target) = (directory(path), script(&import.module));
    let Some(target) = from("", target) else { return };
    let mut add = |file: &str| names.exact_of(SCRIPTS, &below(folder, file));
    add(&target);
    // What is built has the place of its source, below other folders.
    let mut built = &*target;
    while let Some((_, rest)) = built.split_once('/').filter(|(first, _)| BUILT.contains(first)) {
        add(&below("src", rest));
        add(rest);
        built = rest;
    }
    let package = import.alias.split_once('/').filter(|_| import.alias.starts_with('@'));
    let package = package.map_or(&*import.alias, |(_, package)| package);
    if package.contains('/') {
        return;
    }
    // The main module of the package, most often.
    for file in ["src/index", "src/main", "src/lib", "source/index", "lib/index", "index", "main"] {
        add(file);
    }
    add(&below("src", package));
    add(package);
}
