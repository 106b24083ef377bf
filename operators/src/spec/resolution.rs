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

pub(crate) use self::names::{Names, of_file, of_members, of_stem, suffixes};
pub(crate) use self::resolve::{absolute, included, package, taken};

/// Adds the names of the file at a path; `index` is [`ModuleSystem::index`].
pub(crate) type NamesOf = fn(path: &str, index: &[&str], names: &mut Names);
/// Adds the names that an import in the file at a path may mean, the likeliest first.
pub(crate) type Resolve = fn(path: &str, import: &Import, names: &mut Names);

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
}

impl ModuleSystem {
    /// Returns a module system that names a file by its path without the extension.
    pub const fn new(prefix: &'static str, resolve: Resolve) -> Self {
        Self { prefix, index: &[], names: of_file, resolve }
    }

    /// Returns the names by which imports may mean the file at `path`.
    pub fn module_names(&self, path: &str) -> Vec<String> {
        let mut names = Names::new(self.prefix);
        (self.names)(path, self.index, &mut names);
        names.finish()
    }

    /// Returns the names that an import in the file at `path` may mean, the likeliest
    /// first. The file itself is not among them where its whole path would say so.
    pub fn import_names(&self, path: &str, import: &Import) -> Vec<String> {
        let mut names = Names::new(self.prefix);
        let own = paths::stem(path);
        names.leave_out(own);
        if self.index.contains(&own.rsplit('/').next().unwrap_or(own)) {
            names.leave_out(paths::directory(own));
        }
        (self.resolve)(path, import, &mut names);
        names.finish()
    }
}
