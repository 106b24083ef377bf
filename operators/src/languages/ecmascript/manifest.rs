//! What `package.json` says of the package in its folder, and `tsconfig.json` of the files in its own:
//! by which names imports mean which modules and folders.
//!
//! What a manifest names is most often built from sources elsewhere in the folder, so these are
//! looked for too. A folder is an import of `folder/*` under a name that ends with `*`. The options of a
//! compiler that extend no others end what those of outer folders say.

use gristmill_pipeline::port::Import;
use gristmill_pipeline::{Declared, NamedPlace};
use tree_sitter::Node;

use super::modules::{PREFIX, script};
use crate::spec::resolution::paths::{below, directory, from};
use crate::spec::resolution::{ModuleSystem, Names, declared, named, place};
use crate::spec::{Uses, children};

/// The name of a package's manifest.
const PACKAGE: &str = "package.json";
/// Fields that name the main module, the likeliest to be a source first.
const FIELDS: &[&str] = &["source", "svelte", "types", "typings", "module", "main"];
/// Folders of what is built, as in `dist/cjs/index.js`.
const BUILT: &[&str] = &["dist", "build", "lib", "out", "output", "es", "esm", "cjs"];
/// Limit on the modules and folders that a manifest names.
const MAX_MODULES: usize = 1000;
/// The name of an import that ends what the manifests of outer folders say.
const BOUNDARY: &str = "|";
/// The name of one that passes it on.
const PASSED: &str = "/";
/// Keys of a file with options of a compiler.
const OPTIONS: [&str; 5] = ["compilerOptions", "files", "include", "references", "typeAcquisition"];

pub(crate) static MODULES: ModuleSystem =
    ModuleSystem { names: |_, _, _| {}, local: |_| vec![""], declares, ..ModuleSystem::new("json:", resolve) };

/// Records what the object of a JSON text names, if it looks like a manifest.
pub(crate) fn object<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if node.parent().is_some_and(|parent| parent.kind() == "document") {
        package(uses, node);
        compiler(uses, node);
    }
}

/// Records the modules of a package.
fn package<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(name) = value(uses, node, "name").and_then(|name| uses.plain_string(name)) else { return };
    let has = |field: &str| value(uses, node, field).is_some();
    if !["version", "private", "dependencies", "devDependencies", "scripts"].into_iter().any(has) {
        return;
    }
    let mut modules: Vec<(Node<'t>, String, String)> = Vec::new();
    let exports = value(uses, node, "exports");
    let main = FIELDS.iter().find_map(|field| value(uses, node, field).filter(|value| value.kind() == "string"));
    let main = main.or_else(|| exports.and_then(|exports| target(uses, value(uses, exports, ".").unwrap_or(exports))));
    match main.and_then(|main| Some((main, uses.plain_string(main)?))) {
        Some((main, target)) => modules.push((main, name.to_owned(), target.to_owned())),
        None => modules.push((node, name.to_owned(), "index".to_owned())),
    }
    let exported = exports.into_iter().flat_map(|exports| pairs(uses, exports));
    let exported = exported.filter_map(|(key, at)| Some((format!("{name}/{}", key.strip_prefix("./")?), at)));
    let own = value(uses, node, "imports").into_iter().flat_map(|imports| pairs(uses, imports));
    let own = own.filter(|(key, _)| key.starts_with('#')).map(|(key, at)| (key.to_owned(), at));
    for (name, at) in exported.chain(own) {
        if let Some((found, target)) = target(uses, at).and_then(|found| Some((found, uses.plain_string(found)?))) {
            let built = target.trim_start_matches("./").split_once('/').filter(|(first, _)| BUILT.contains(first));
            if let Some((_, rest)) = built.filter(|_| target.contains('*') || name.starts_with('#')) {
                modules.push((found, name.clone(), format!("./src/{rest}")));
            }
            modules.push((found, name, target.to_owned()));
        }
    }
    record(uses, &modules);
}

/// Records the names that the options of a TypeScript compiler give to modules and folders.
fn compiler<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    match value(uses, node, "extends") {
        Some(extends) => uses.import(extends, ".", "", PASSED),
        // Any other object of JSON has neither.
        None if OPTIONS.iter().any(|key| value(uses, node, key).is_some()) => uses.import(node, ".", "", BOUNDARY),
        None => {}
    }
    let Some(options) = value(uses, node, "compilerOptions") else { return };
    let base = value(uses, options, "baseUrl").and_then(|base| Some((base, uses.plain_string(base)?)));
    let mut modules: Vec<(Node<'t>, String, String)> = Vec::new();
    let folder = base.map_or("", |(_, base)| base).trim_end_matches('/');
    for (key, at) in value(uses, options, "paths").into_iter().flat_map(|paths| pairs(uses, paths)) {
        for found in children(at).filter(|found| found.kind() == "string") {
            if let Some(target) = uses.plain_string(found) {
                modules.push((found, key.to_owned(), rooted(&below(folder, target))));
            }
        }
    }
    if let Some((at, base)) = base {
        modules.push((at, "*".to_owned(), rooted(&below(base.trim_end_matches('/'), "*"))));
    }
    record(uses, &modules);
}

/// A path that is written as one from the folder of the manifest.
fn rooted(path: &str) -> String {
    if path.starts_with('.') { path.to_owned() } else { format!("./{path}") }
}

/// Records modules, and folders as what ends with `/*`, by their names. A pattern with more than that, such
/// as `src/*/index.ts`, names no folder.
fn record<'t>(uses: &mut Uses<'t>, modules: &[(Node<'t>, String, String)]) {
    let folder = |path: &str| path == "*" || path.ends_with("/*");
    let is_plain = |path: &str| !path.contains('*') || (folder(path) && path.matches('*').count() == 1);
    let taken = modules.iter().filter_map(|(at, name, target)| {
        let target = if target.contains('*') { script(target) } else { target };
        let is_taken = is_plain(name) && is_plain(target) && folder(name) == folder(target);
        is_taken.then_some((at, name, target))
    });
    for (at, name, target) in taken.take(MAX_MODULES) {
        uses.import(*at, target, "", name);
    }
}

/// The fields of an object, by their names.
fn pairs<'t>(uses: &Uses<'t>, object: Node<'t>) -> Vec<(&'t str, Node<'t>)> {
    let pairs = children(object).filter(|pair| pair.kind() == "pair");
    let named = |pair: Node<'t>| Some((uses.plain_string(pair.child_by_field_name("key")?)?, pair));
    pairs.filter_map(named).filter_map(|(key, pair)| Some((key, pair.child_by_field_name("value")?))).collect()
}

/// The value of a field of an object.
fn value<'t>(uses: &Uses<'t>, object: Node<'t>, field: &str) -> Option<Node<'t>> {
    let mut pairs = children(object).filter(|pair| pair.kind() == "pair");
    let named = |pair: &Node<'t>| pair.child_by_field_name("key").and_then(|key| uses.plain_string(key)) == Some(field);
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

/// Whether the file at a path has options of a compiler.
fn has_options(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("tsconfig") || name.starts_with("jsconfig")
}

fn is_package(path: &str) -> bool {
    path.rsplit('/').next() == Some(PACKAGE)
}

fn declares(path: &str, import: &Import) -> Option<Declared> {
    let (name, scope) = (&*import.alias, directory(path).to_owned());
    if name.is_empty() || !(is_package(path) || has_options(path)) {
        return None;
    }
    if name == BOUNDARY || name == PASSED {
        let is_passed = name == PASSED;
        return has_options(path).then(|| Declared::Boundary { root: PREFIX.into(), scope, is_passed });
    }
    let is_folder = name.ends_with('*');
    // Who imports a package lies elsewhere; who imports what begins with `#` does not.
    let is_public = is_package(path) && !name.starts_with('#');
    if is_public && !is_folder {
        return Some(Declared::Module(declared(PREFIX, name)));
    }
    let target = if is_folder { import.module.trim_end_matches('*') } else { script(&import.module) };
    let place = place(PREFIX, &from(&scope, target)?);
    let name = named(PREFIX, name.trim_end_matches('*').trim_end_matches('/'));
    // Beside the options that editors use lie those of tests and builds.
    let is_first = matches!(path.rsplit('/').next(), Some("tsconfig.json" | "jsconfig.json"));
    let order = u8::from(has_options(path) && !is_first);
    Some(Declared::Place(NamedPlace { name, place, scope, is_public, order }))
}

fn resolve(path: &str, import: &Import, names: &mut Names) {
    if !is_package(path) {
        return;
    }
    let (folder, target) = (directory(path), script(&import.module));
    let Some(target) = from("", target) else { return };
    let mut add = |file: &str| names.exact_of(PREFIX, &below(folder, file));
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
