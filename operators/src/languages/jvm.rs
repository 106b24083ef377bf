//! How imports name files on the JVM: what Java, Kotlin and Scala share.
//!
//! A package is the unit: what its files define is seen in all of them. It is told from the folder,
//! without the source set, so that tests see what they test; a file in another folder than its
//! package names is in a package of its own folder. A package that several modules have is one.

use gristmill_pipeline::ModuleUnit;
use gristmill_pipeline::port::Import;

use crate::spec::resolution::paths::{below, directory};
use crate::spec::resolution::{ModuleSystem, Names, absolute, of_file, of_members, package, taken};

/// For Kotlin and Scala; Java resolves imports in a stricter way.
pub(super) static MODULES: ModuleSystem =
    ModuleSystem { names: of_package_member, unit: package_unit, packages: true, ..ModuleSystem::new("jvm:", resolve) };

/// The unit of a file: its folder, without the module and source set of `core/src/main/java/` and the
/// like.
fn package_unit(path: &str, _index: &[&str]) -> ModuleUnit {
    let folder = directory(path);
    let parts: Vec<&str> = folder.split('/').collect();
    let is_language = |part: &&str| ["java", "kotlin", "scala", "groovy"].iter().any(|name| part.starts_with(name));
    let sets = parts.iter().position(|part| *part == "src").filter(|at| parts.get(at + 2).is_some_and(is_language));
    let unit = match sets.and_then(|at| parts.get(at + 3..)).filter(|package| !package.is_empty()) {
        Some(package) => format!("package {}/", package.join("/")),
        // Differs from every path.
        None => format!("{folder}/"),
    };
    ModuleUnit { unit, ..ModuleUnit::default() }
}

/// Adds the file, and its folder as the package that it belongs to.
fn of_package_member(path: &str, index: &[&str], names: &mut Names) {
    of_file(path, index, names);
    of_members(directory(path), names);
}

/// Adds the class, and its package: a file may hold functions and classes of any name.
fn resolve(_path: &str, import: &Import, names: &mut Names) {
    let Some(imported) = Imported::of(import) else { return };
    imported.class(names);
    imported.package(names);
    imported.object(names);
}

/// An import, taken apart: the package, as a path, and the classes and members below it.
pub(super) struct Imported<'i> {
    package: String,
    members: Vec<&'i str>,
    takes_all: bool,
}

impl<'i> Imported<'i> {
    /// Takes an import apart: classes begin with a capital letter. `None` for what comes with the
    /// JDK.
    pub fn of(import: &'i Import) -> Option<Self> {
        // A companion is no name of its own in the paths of its members.
        let mut parts: Vec<&str> = import.module.split('.').filter(|part| *part != "Companion").collect();
        if matches!(parts.first(), Some(&"java" | &"javax")) {
            return None;
        }
        let class = parts.iter().position(|part| part.starts_with(char::is_uppercase)).unwrap_or(parts.len());
        let mut members = parts.split_off(class);
        members.extend(taken(import).filter(|name| *name != "Companion"));
        Some(Self { package: parts.join("/"), members, takes_all: &*import.name == "*" })
    }

    /// Adds the file of the class.
    pub fn class(&self, names: &mut Names) {
        names.take(self.members.iter().copied());
        let Some(class) = self.members.first() else { return };
        let mut package = Some(&*self.package);
        while let Some(end) = package {
            names.push(&below(end, class));
            package = end.split_once('/').map(|(_, rest)| rest);
        }
    }

    /// Adds all files of the package.
    pub fn package(&self, names: &mut Names) {
        names.take(self.members.iter().copied());
        package(&self.package, names);
    }

    /// Adds the file of an object that is written like a package.
    fn object(&self, names: &mut Names) {
        let object = self.package.rsplit('/').next().unwrap_or_default();
        if !object.is_empty() && (self.takes_all || self.package.contains('/')) {
            names.take(std::iter::once(object).chain(self.members.iter().copied()));
            absolute(&self.package, None, names);
        }
    }

    /// Whether all of a package is imported.
    pub fn is_whole_package(&self) -> bool {
        self.takes_all && self.members.is_empty()
    }
}

#[cfg(test)]
mod tests;
