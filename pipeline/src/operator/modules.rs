//! How a parse operator names modules.

use gristmill_ids::NameKey;
use gristmill_plane::{ChainKey, NameChain};

/// A module that an import may mean, and what it takes from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleName {
    /// One of the names of the module (see [`Parser::module_names`](crate::Parser::module_names)), or
    /// the name that a manifest gives to a folder.
    pub name: String,
    /// The path of the module in that folder, whose parts are separated by `/`; `None` if `name` is
    /// the module's.
    pub below: Option<Box<str>>,
    /// The names to look up in it, in order; none if the module itself is meant.
    pub then: Vec<Box<str>>,
    /// Whether it is as likely as the name before: a module and an item may have one name.
    pub also: bool,
    /// Whether only what is found in the module tells that it is meant.
    pub guess: bool,
}

impl ModuleName {
    /// The module itself.
    #[must_use]
    pub fn whole(name: impl Into<String>) -> Self {
        Self { name: name.into(), below: None, then: Vec::new(), also: false, guess: false }
    }

    /// The module at the path `below` in the folder that a manifest names `name`.
    #[must_use]
    pub fn in_folder(name: impl Into<String>, below: &str) -> Self {
        Self { below: Some(below.into()), ..Self::whole(name) }
    }
}

/// Where a file or folder lies, for manifests that name folders.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModulePlace {
    /// What paths begin at. Places with different roots are different, whatever their paths: a
    /// language has a root of its own.
    pub root: String,
    /// The path from there, whose parts are separated by `/`.
    pub path: String,
}

impl ModulePlace {
    /// The key of the place: that of a file is that of its folder, joined with the rest of its path.
    pub(crate) fn key(&self) -> ChainKey {
        ChainKey::of(NameKey::of(&self.root)).join(path_chain(&self.path))
    }
}

/// The parts of a path; none for that of the root.
pub(crate) fn path_parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

/// The parts of a path, as names.
pub(crate) fn path_chain(path: &str) -> NameChain {
    NameChain::of(path_parts(path))
}

/// What a manifest says for imports in other files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declared {
    /// The modules that the import means have this name.
    Module(String),
    /// A folder, or a single module, has a name.
    Place(NamedPlace),
    /// In this folder, names of places with that root that manifests of folders around it give do
    /// not count, unless another manifest of the folder passes them on.
    Boundary {
        /// See [`ModulePlace::root`].
        root: String,
        /// The folder; empty for the whole source.
        scope: String,
        /// Whether this is one that passes them on.
        is_passed: bool,
    },
}

/// A place that a manifest names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPlace {
    /// The name, which imports give by [`ModuleName::in_folder`].
    pub name: String,
    /// What has it.
    pub place: ModulePlace,
    /// The folder whose files know that name; empty for the whole source. Of several such folders around a
    /// file the innermost counts.
    pub scope: String,
    /// Whether files outside of that folder know it too, where no folder around them has that name.
    pub is_public: bool,
    /// Of several manifests of one folder the least counts.
    pub order: u8,
}

/// What the definitions of a file belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleUnit {
    /// Names the unit: the files of one unit see each other's definitions. The path of the file
    /// where it is a unit of its own.
    pub unit: String,
    /// Names the package that several units belong to; empty if they share nothing.
    pub package: String,
    /// Units that this one is a member of, each with its name there, as `b` of the package `a`
    /// for the module `a.b`.
    pub member_of: Vec<(String, String)>,
}
