//! How a parse operator names modules.

/// A module that an import may mean, and what it takes from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleName {
    /// One of the names of the module (see [`Parser::module_names`](crate::Parser::module_names)).
    pub name: String,
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
        Self { name: name.into(), then: Vec::new(), also: false, guess: false }
    }
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
