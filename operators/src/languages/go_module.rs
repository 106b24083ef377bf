//! `go.mod`: by which names the files of this source know its modules, and which folders replace others.
//!
//! A module is known to all that import its path, and what one replaces only to its own files: the manifest of
//! a module within another ends what the outer one says.

use gristmill_pipeline::port::Import;
use gristmill_pipeline::{Declared, NamedPlace};
use tree_sitter::Node;

use super::go::PREFIX;
use crate::spec::resolution::paths::{directory, from};
use crate::spec::resolution::{ModuleSystem, named, place};
use crate::spec::{Grammar, Language, Use, Uses, children};

/// The name of the file.
const NAME: &str = "go.mod";
/// The name of an import that ends what the manifests of outer folders say.
const BOUNDARY: &str = "|";

pub(super) static LANGUAGE: Language =
    Language { file_names: &[NAME], grammar: Some(&GRAMMAR), modules: Some(&MODULES), ..Language::new("go-module") };

static GRAMMAR: Grammar = Grammar {
    uses: &[("module_directive", Use::By(module)), ("replace_spec", Use::By(replacement))],
    ..Grammar::new(|| tree_sitter_gomod_orchard::LANGUAGE.into(), "tree-sitter-gomod-orchard 0.5.8")
};

static MODULES: ModuleSystem =
    ModuleSystem { names: |_, _, _| {}, local: |_| vec![""], declares, ..ModuleSystem::new("gomod:", |_, _, _| {}) };

/// Records the folder of the manifest under the path of its module.
fn module<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    if let Some(path) = children(node).find(|child| child.kind() == "module_path") {
        uses.import(path, ".", "", BOUNDARY);
        uses.import(path, ".", "", written(uses, path));
    }
}

/// Records a folder under the path of the module that it replaces. A module that replaces another is not here.
fn replacement<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let (from, to) = (node.child_by_field_name("from_path"), node.child_by_field_name("to_path"));
    let Some((from, to)) = from.zip(to) else { return };
    let folder = written(uses, to);
    if folder == ".." || folder.starts_with("./") || folder.starts_with("../") {
        uses.import(to, folder, "", written(uses, from));
    }
}

/// Returns a path without its quotation marks.
fn written<'t>(uses: &Uses<'t>, node: Node<'t>) -> &'t str {
    uses.slice(node).trim_matches(['"', '`'])
}

fn declares(path: &str, import: &Import) -> Option<Declared> {
    if path.rsplit('/').next() != Some(NAME) {
        return None;
    }
    let scope = directory(path).to_owned();
    if &*import.alias == BOUNDARY {
        return Some(Declared::Boundary { root: PREFIX.into(), scope, is_passed: false });
    }
    let place = place(PREFIX, &from(&scope, &import.module)?);
    let is_public = &*import.module == ".";
    Some(Declared::Place(NamedPlace { name: named(PREFIX, &import.alias), place, scope, is_public, order: 0 }))
}

#[cfg(test)]
mod tests;
