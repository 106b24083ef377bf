//! Names of types, where a type and a variable of one name stand side by side, and the members of
//! types.

use gristmill_pipeline::port::{Anchor, Definition};
use tree_sitter::Node;

use super::{Binder, Binding, PathId, ScopeKind, Value};

impl<'t> Binder<'t> {
    /// Declares the name of a type in the innermost scope.
    pub fn declare_type(&mut self, name: &'t str, binding: Binding) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.declare_type(name, binding);
        }
    }

    /// What a name is declared as that must be a type: also that of an import.
    pub fn lookup_type(&self, name: &str) -> Option<Binding> {
        let declared = self.scopes.iter().rev().find_map(|scope| scope.get_type(name));
        let imported = || self.scopes.first().and_then(|module| module.get(name));
        declared
            .or_else(|| imported().filter(|binding| matches!(binding, Binding::Path(path) if self.is_import(*path))))
    }

    /// What a name is declared as, be it a variable or a type; with `past_locals`, what is local is
    /// not meant.
    pub fn lookup_any(&self, name: &str, past_locals: bool) -> Option<Binding> {
        let seen = |binding: &Binding| !past_locals || matches!(binding, Binding::Path(_));
        let mut scopes = self.scopes.iter().rev();
        scopes.find_map(|scope| scope.get(name).filter(seen).or_else(|| scope.get_type(name).filter(seen)))
    }

    /// Whether what is declared here is a member of a type or of the file.
    pub fn in_body(&self) -> bool {
        self.scopes.last().is_some_and(|scope| matches!(scope.kind(), ScopeKind::Type | ScopeKind::Module))
    }

    /// Records that the name at `node` is bound so, and returns what it stands for.
    pub fn use_binding(&mut self, node: Node<'t>, binding: Binding) -> Value {
        match binding {
            Binding::Local(value) => {
                self.record(node, Value::LOCAL);
                value
            }
            Binding::Path(path) => {
                self.record(node, Value::of(path));
                Value::of(path)
            }
        }
    }

    /// Remembers that the variable at a path holds a container.
    pub fn hold(&mut self, path: PathId, value: Value) {
        if value.wraps() > 0 {
            self.held.insert(path, value);
        }
    }

    /// The container that the variable of a value holds, else the value itself.
    pub fn held(&self, value: Value) -> Value {
        value.plain().and_then(|path| self.held.get(&path)).copied().unwrap_or(value)
    }

    /// The definitions right below that whose name is `node`, each with its path.
    pub fn members(&self, node: Node<'_>) -> Vec<(&'t Definition, PathId)> {
        let Some(index) = self.definition_index(node) else { return Vec::new() };
        let (owner, end) = (self.keys.get(index).copied().flatten(), self.definitions.get(index));
        let end = end.map_or(0, |definition| definition.span.end_byte);
        let later = self.definitions.iter().zip(&self.keys).skip(index + 1);
        let within = later.take_while(|(definition, _)| definition.span.start_byte < end);
        let member = |(definition, key): (&'t Definition, &Option<PathId>)| {
            let key = (*key)?;
            self.paths.parent(key).is_some_and(|(above, _)| Some(above) == owner).then_some((definition, key))
        };
        within.filter_map(member).collect()
    }

    /// The definitions of a name, each with its path.
    pub fn named(&self, name: &str) -> impl Iterator<Item = (&'t Definition, PathId)> {
        let named = self.by_name.get(name).into_iter().flatten();
        named.filter_map(|index| {
            let index = *index as usize;
            Some((self.definitions.get(index)?, self.keys.get(index).copied().flatten()?))
        })
    }

    /// Whether a path is a name of the unit.
    pub fn is_of_unit(&self, path: PathId) -> bool {
        self.paths.is_root(self.paths.parent(path).map(|(above, _)| above), Anchor::Unit)
    }
}
