//! How Rust binds names.
//!
//! Items are seen in all of the block or module that holds them, so they are declared before it
//! is bound. What signatures and fields say of types is gathered in a first pass over the items,
//! without bodies, so that calls of what is defined further down are followed too.
//!
//! A container, an `Option` or a `Result` of values is one layer around them: what `?`, `unwrap`
//! and `for` give is the value in it. References and smart pointers are what they point to.

mod expressions;
mod generics;
mod imports;
mod items;
mod methods;
mod paths;
mod patterns;
mod tokens;
mod types;

use gristmill_pipeline::port::{Anchor, DefinitionKind};
use tree_sitter::Node;

use crate::bind::{Binder, Binding, PathId, Value};

/// What `Self` is.
const SELF: &str = "Self";
/// The trait that is implemented.
const TRAIT: &str = "trait";
/// The module within the file.
const MODULE: &str = "module";
/// Where the imports of the block are bound.
const IMPORTS: &str = "imports";
/// Where names are looked up that no scope declares, if not in the file.
const FREE: &str = "free";
/// What is remembered where there is none of these.
const NOTHING: Binding = Binding::Local(Value::UNKNOWN);

/// Binds a file.
pub(super) fn bind<'t>(binder: &mut Binder<'t>, root: Node<'t>) {
    let (unit, file) = (binder.root(Anchor::Unit), binder.root(Anchor::File));
    binder.mark(MODULE, Binding::Path(unit));
    binder.mark(IMPORTS, Binding::Path(file));
    for (definition, key) in binder.definitions() {
        let named = definition.parent.is_none()
            && !matches!(definition.kind, DefinitionKind::Implementation | DefinitionKind::Macro);
        if let Some(key) = key.filter(|_| named) {
            binder.declare(&definition.name, Binding::Path(key));
        }
    }
    items::hoist(binder, root);
    binder.be_quiet(true);
    binder.each(root, expressions::visit);
    binder.be_quiet(false);
    binder.each(root, expressions::visit);
}

/// Sets a mark, and returns what it was.
fn swap(binder: &mut Binder<'_>, word: &'static str, binding: Binding) -> Binding {
    let outer = binder.marked(word).unwrap_or(NOTHING);
    binder.mark(word, binding);
    outer
}

/// What `Self` is, or a value of it.
fn own_value(binder: &Binder<'_>) -> Value {
    match binder.marked(SELF) {
        Some(Binding::Local(value)) => value,
        _ => Value::UNKNOWN,
    }
}

/// Where a name is looked up that no scope declares.
fn free_path<'t>(binder: &mut Binder<'t>, name: &'t str) -> PathId {
    match binder.marked_path(FREE) {
        Some(path) => binder.below(path, name),
        None => binder.path(Anchor::Free, name),
    }
}

/// The path above another.
fn above(binder: &Binder<'_>, path: PathId) -> Option<PathId> {
    binder.parent(path).map(|(above, _)| above)
}

/// The last name of a path; empty if it has none.
fn last_name<'t>(binder: &Binder<'t>, path: PathId) -> &'t str {
    let name = binder.parent(path).map_or("", |(_, name)| name);
    name.rsplit("::").next().unwrap_or(name)
}

/// The path of what an import binds to a name, in the module or function of `imports`.
fn imported<'t>(binder: &mut Binder<'t>, imports: PathId, name: &'t str) -> PathId {
    let mut written = binder.names(imports);
    written.push(name);
    match binder.alias(&written.join("::")).filter(|_| written.len() > 1) {
        Some(alias) => binder.path(Anchor::File, alias),
        None => binder.below(imports, name),
    }
}

/// The path of a field of what a path leads to.
fn field_path<'t>(binder: &mut Binder<'t>, of: PathId, name: &'t str) -> PathId {
    let fields = binder.below(of, "$");
    binder.below(fields, name)
}

/// The field of a value.
fn field_of<'t>(binder: &mut Binder<'t>, of: Value, name: &'t str) -> Value {
    of.plain().map_or(Value::UNKNOWN, |path| Value::of(field_path(binder, path, name)))
}

/// Whether a name is written as those of types, traits and variants are.
fn is_type_name(name: &str) -> bool {
    let mut letters = name.trim_start_matches('_').chars();
    letters.next().is_some_and(char::is_uppercase)
        && (letters.clone().next().is_none() || letters.any(char::is_lowercase))
}

/// Whether a name is written as those of types and constants are.
fn is_capital(name: &str) -> bool {
    name.trim_start_matches('_').starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests;
