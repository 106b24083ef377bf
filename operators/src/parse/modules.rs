//! Looks up the module system of a file, by the language that its path names.

use gristmill_pipeline::port::Import;
use gristmill_pipeline::{Declared, ModuleName, ModulePlace, ModuleUnit, RelPath};

use crate::language;
use crate::spec::resolution::ModuleSystem;

fn module_system(path: &RelPath) -> Option<&'static ModuleSystem> {
    language::of_path(path)?.modules
}

/// Returns what languages that share names have in common: the prefix of their module
/// system, or else the name of the language itself.
pub(crate) fn name_scope(language: &str) -> &str {
    language::of_name(language).and_then(|language| language.modules).map_or(language, |modules| modules.prefix)
}

/// Returns the names by which imports may mean the file at `path`.
pub(crate) fn module_names(path: &RelPath) -> Vec<String> {
    module_system(path).map_or_else(Vec::new, |modules| modules.module_names(path.as_str()))
}

/// Returns the names that an import in the file at `path` may mean, the likeliest first.
pub(crate) fn import_names(path: &RelPath, import: &Import) -> Vec<ModuleName> {
    module_system(path).map_or_else(Vec::new, |modules| modules.import_names(path.as_str(), import))
}

/// Returns the names that an import in the file at `path` binds there.
pub(crate) fn local_names(path: &RelPath, import: &Import) -> Vec<Box<str>> {
    let names = module_system(path).map_or_else(Vec::new, |modules| (modules.local)(import));
    names.into_iter().map(Into::into).collect()
}

/// Returns the places at which manifests that name folders find the file at `path`.
pub(crate) fn module_places(path: &RelPath) -> Vec<ModulePlace> {
    module_system(path).map_or_else(Vec::new, |modules| modules.module_places(path.as_str()))
}

/// Returns the name that an import in the file at `path` gives what it means for other files.
pub(crate) fn declared(path: &RelPath, import: &Import) -> Option<Declared> {
    module_system(path).and_then(|modules| (modules.declares)(path.as_str(), import))
}

/// Returns what the file at `path` imports without saying so.
pub(crate) fn implied_imports(path: &RelPath) -> Vec<Import> {
    let implied = module_system(path).map_or(&[][..], |modules| modules.implied);
    let import = |module: &&str| Import { module: (*module).into(), name: "".into(), alias: "".into(), line: 0 };
    implied.iter().map(import).collect()
}

/// Returns what the definitions of the file at `path` belong to.
pub(crate) fn unit(path: &RelPath) -> ModuleUnit {
    match module_system(path) {
        Some(modules) => (modules.unit)(path.as_str(), modules.index),
        None => ModuleUnit { unit: path.as_str().into(), ..ModuleUnit::default() },
    }
}
