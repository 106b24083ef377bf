//! Scopes: which names are declared where.

use foldhash::HashMap;

use super::paths::{PathId, Value};

/// What a name is declared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    /// Something that a path of names leads to.
    Path(PathId),
    /// A variable, a parameter or a type parameter, with what is known of its value.
    Local(Value),
}

/// What opens a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    /// The file.
    Module,
    /// A type, whose names its methods do not see.
    Class,
    /// A type, whose names what it holds sees.
    Type,
    /// A function.
    Function,
    /// A block in one of these.
    Block,
    /// A module in the file, whose body sees no name of what is around it.
    Closed,
}

/// A scope.
pub(super) struct Scope<'t> {
    kind: ScopeKind,
    names: HashMap<&'t str, Binding>,
    /// Names of types, where these are not among the others.
    types: HashMap<&'t str, Binding>,
}

impl<'t> Scope<'t> {
    pub fn new(kind: ScopeKind) -> Self {
        Self { kind, names: HashMap::default(), types: HashMap::default() }
    }

    pub fn kind(&self) -> ScopeKind {
        self.kind
    }

    pub fn get(&self, name: &str) -> Option<Binding> {
        self.names.get(name).copied()
    }

    pub fn get_type(&self, name: &str) -> Option<Binding> {
        self.types.get(name).copied()
    }

    pub fn declare_type(&mut self, name: &'t str, binding: Binding) {
        self.types.insert(name, binding);
    }

    pub fn declare(&mut self, name: &'t str, binding: Binding) {
        self.names.insert(name, binding);
    }
}
