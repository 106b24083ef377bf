//! Which files an import may mean, told from paths alone.
//!
//! Every file has names, by which imports elsewhere may mean it, and every import has names
//! that it may mean, the likeliest first. Both are paths behind the prefix of a
//! [`ModuleSystem`]:
//!
//! ```text
//! py:/src/a/b    the file at exactly that path, without its extension
//! py:a/b         any file whose path ends so
//! jvm:a/b/*      any file of the package `a.b`
//! ```
//!
//! A relative import names an exact path. An absolute one begins at a root that only a
//! build tool knows, so it is compared with the ends of paths.

mod names;
pub(crate) mod paths;
mod resolve;

use gristmill_pipeline::port::Import;
use gristmill_pipeline::{Declared, ModuleName, ModulePlace, ModuleUnit};

pub(crate) use self::names::{Names, declared, named, of_file, of_members, of_stem, suffixes};
pub(crate) use self::resolve::{absolute, included, package, taken};

/// Adds the names of the file at a path; `index` is [`ModuleSystem::index`].
pub(crate) type NamesOf = fn(path: &str, index: &[&str], names: &mut Names);
/// Adds the names that an import in the file at a path may mean, the likeliest first.
pub(crate) type Resolve = fn(path: &str, import: &Import, names: &mut Names);

/// Returns the names that an import binds in its file.
pub(crate) type LocalNames = fn(&Import) -> Vec<&str>;
/// Returns the name that an import in the file at a path gives what it means for other files.
pub(crate) type Declares = fn(path: &str, import: &Import) -> Option<Declared>;
/// Returns what the definitions of the file at a path belong to.
pub(crate) type UnitOf = fn(path: &str, index: &[&str]) -> ModuleUnit;

/// How imports name files, in one language or in several whose files import each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModuleSystem {
    /// Begins every name, such as `py:`. Languages with the same prefix see each other's
    /// files and definitions.
    pub prefix: &'static str,
    /// Stems of files that stand for the folder they lie in.
    pub index: &'static [&'static str],
    /// Names a file.
    pub names: NamesOf,
    /// Names what an import may mean.
    pub resolve: Resolve,
    /// Names what an import binds.
    pub local: LocalNames,
    /// Names what an import of a manifest declares.
    pub declares: Declares,
    /// The unit of a file.
    pub unit: UnitOf,
    /// Whether what an import takes from a module is looked up in its unit even if a file is
    /// named like it, because the units are packages of many files.
    pub packages: bool,
    /// Modules that every file imports without saying so, under their own names.
    pub implied: &'static [&'static str],
    /// Whether an import may mean the file that it is in.
    pub own: bool,
    /// File stems, such as `index`, by which a file is the module of its folder when a manifest gives that
    /// folder a name. Empty if manifests of these languages name no folders.
    pub roots: &'static [&'static str],
}

impl ModuleSystem {
    /// Returns a module system that names a file by its path without the extension.
    pub const fn new(prefix: &'static str, resolve: Resolve) -> Self {
        let (local, unit): (LocalNames, UnitOf) = (local_name, own_unit);
        let declares: Declares = |_, _| None;
        let (names, packages, implied): (NamesOf, bool, &[&str]) = (of_file, false, &[]);
        let own = false;
        Self { prefix, index: &[], names, resolve, local, declares, unit, packages, implied, own, roots: &[] }
    }

    /// Returns the names by which imports may mean the file at `path`.
    pub fn module_names(&self, path: &str) -> Vec<String> {
        let mut names = Names::new(self.prefix);
        (self.names)(path, self.index, &mut names);
        names.finish().into_iter().map(|module| module.name).collect()
    }

    /// Returns the places of the file at `path`: the exact paths among its names.
    pub fn module_places(&self, path: &str) -> Vec<ModulePlace> {
        if self.roots.is_empty() {
            return Vec::new();
        }
        let mut names = Names::new(self.prefix);
        (self.names)(path, self.roots, &mut names);
        let names = names.finish().into_iter();
        let exact = |name: &str| name.strip_prefix(self.prefix)?.strip_prefix('/').map(|path| place(self.prefix, path));
        names.filter_map(|module| exact(&module.name)).collect()
    }

    /// Returns the names that an import in the file at `path` may mean, the likeliest
    /// first. The file itself is not among them where its whole path would say so.
    pub fn import_names(&self, path: &str, import: &Import) -> Vec<ModuleName> {
        let mut names = Names::new(self.prefix);
        match taken(import) {
            Some(name) if self.packages => names.take([name]),
            Some(name) => names.take_unless_named(name),
            None => {}
        }
        let own = paths::stem(path);
        // What a file imports without saying so may be itself, as the root of a crate is.
        let implied = self.own || self.implied.contains(&&*import.module);
        if !implied {
            names.leave_out(own);
        }
        if !implied && self.index.contains(&own.rsplit('/').next().unwrap_or(own)) {
            names.leave_out(paths::directory(own));
        }
        (self.resolve)(path, import, &mut names);
        names.finish()
    }
}

/// Returns the place of the file or folder at exactly `path` in the module system of a prefix.
pub(crate) fn place(prefix: &str, path: &str) -> ModulePlace {
    ModulePlace { root: prefix.into(), path: path.into() }
}

/// Returns the name that an import binds: its alias, else what it takes, else the last part of the
/// module.
pub(crate) fn local_name(import: &Import) -> Vec<&str> {
    let last = |module| str::rsplit(module, ['.', '/', ':', '\\']).next().unwrap_or_default();
    let name = match (&*import.alias, &*import.name) {
        ("", "*") => return Vec::new(),
        ("", "") => last(&import.module),
        ("", name) => name,
        (alias, _) => alias,
    };
    vec![name]
}

/// The unit of a file that is one of its own.
fn own_unit(path: &str, _index: &[&str]) -> ModuleUnit {
    ModuleUnit { unit: path.into(), ..ModuleUnit::default() }
}

/// The unit of a file that shares it with the other files of its folder.
pub(crate) fn folder_unit(path: &str, _index: &[&str]) -> ModuleUnit {
    // Differs from every path.
    ModuleUnit { unit: format!("{}/", paths::directory(path)), ..ModuleUnit::default() }
}
