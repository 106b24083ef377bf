//! How Go's imports name packages.

use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{directory, from};
use crate::spec::resolution::{ModuleSystem, Names, absolute, suffixes};

pub(super) static MODULES: ModuleSystem = ModuleSystem { names: of_folder, ..ModuleSystem::new("go:", resolve) };

/// Adds the folder: its files are one package.
fn of_folder(path: &str, _index: &[&str], names: &mut Names) {
    let folder = directory(path);
    names.exact(folder);
    suffixes(folder, if folder.contains('/') { 2 } else { 1 }).for_each(|suffix| names.push(suffix));
}

/// Adds the folder of a package. For one in the root of its repository, the last part of the
/// path is enough, behind the repository's host and owner.
fn resolve(path: &str, import: &Import, names: &mut Names) {
    let module = &*import.module;
    if module.starts_with('.') {
        if let Some(base) = from(directory(path), module) {
            names.exact(&base);
        }
        return;
    }
    absolute(module, None, names);
    let hosted = module.split('/').next().is_some_and(|host| host.contains('.'));
    if let Some((_, last)) = module.rsplit_once('/').filter(|(before, _)| hosted && before.contains('/')) {
        names.push(last);
    }
}
