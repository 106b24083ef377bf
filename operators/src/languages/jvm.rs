//! How imports name files on the JVM: what Java, Kotlin and Scala share.

use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::directory;
use crate::spec::resolution::{ModuleSystem, Names, absolute, folder_unit, of_file, of_members, package, taken};

/// For Kotlin and Scala; Java resolves imports in a stricter way.
pub(super) static MODULES: ModuleSystem =
    ModuleSystem { names: of_package_member, unit: folder_unit, packages: true, ..ModuleSystem::new("jvm:", resolve) };

/// Adds the file, and its folder as the package that it belongs to.
fn of_package_member(path: &str, index: &[&str], names: &mut Names) {
    of_file(path, index, names);
    of_members(directory(path), names);
}

/// Adds the class, and its package: a file may hold functions and classes of any name.
fn resolve(_path: &str, import: &Import, names: &mut Names) {
    if let Some(module) = module_path(import) {
        class(&module, import, names);
        package(&module, names);
    }
}

/// Returns the module as a path; `None` for what comes with the JDK.
pub(super) fn module_path(import: &Import) -> Option<String> {
    let module = import.module.replace('.', "/");
    (!matches!(module.split('/').next(), Some("java" | "javax"))).then_some(module)
}

/// Adds the class that an import may mean.
pub(super) fn class(module: &str, import: &Import, names: &mut Names) {
    if &*import.name != "*" {
        absolute(module, taken(import), names);
    } else if module.contains('/') {
        // All members of a class, rather than of a package.
        absolute(module, None, names);
    }
}

#[cfg(test)]
mod tests;
