//! The paths of names that lead to definitions.

use std::collections::HashMap;

use gristmill_pipeline::port::{Anchor, Definition, DefinitionKind, NamePath};

use crate::spec::is_type;

/// Sets the keys of definitions. `scopes` has, for each, the names between those of the definitions
/// around it and its own.
///
/// `fields_apart` is that of the grammar. What an implementation block holds are members of its type, wherever that is: below the type's
/// own key if the file defines it, else below its name in the package.
pub(super) fn name_definitions(definitions: &mut [Definition], scopes: &[Box<str>], fields_apart: bool) {
    let mut types: HashMap<Box<str>, Vec<usize>> = HashMap::new();
    for (index, definition) in definitions.iter().enumerate() {
        if is_type(definition.kind) && definition.kind != DefinitionKind::Implementation {
            types.entry(definition.name.clone()).or_default().push(index);
        }
    }
    // Types come first: a block may stand before its type.
    for blocks in [false, true] {
        for index in 0..definitions.len() {
            if in_block(definitions, index) == blocks {
                let is_field = |definition: &Definition| definition.kind == DefinitionKind::Field;
                let apart = fields_apart && definitions.get(index).is_some_and(is_field);
                let key = key_of(definitions, scopes, &types, index, apart);
                if let Some(definition) = definitions.get_mut(index) {
                    definition.key = key;
                }
            }
        }
    }
}

/// Whether a definition is an implementation block, or lies in one.
fn in_block(definitions: &[Definition], index: usize) -> bool {
    let mut at = definitions.get(index);
    while let Some(definition) = at {
        if definition.kind == DefinitionKind::Implementation {
            return true;
        }
        at = definition.parent.and_then(|parent| definitions.get(parent as usize));
    }
    false
}

/// The type of the file that an implementation block is of: of those of its name the one in the
/// innermost module around it, or else the first.
fn type_of_block<'d>(
    definitions: &'d [Definition],
    types: &HashMap<Box<str>, Vec<usize>>,
    block: &Definition,
) -> Option<&'d Definition> {
    let named = || types.get(&block.name).into_iter().flatten().filter_map(|index| definitions.get(*index));
    let mut parent = block.parent;
    loop {
        if let Some(beside) = named().find(|of| of.parent == parent) {
            return Some(beside);
        }
        let Some(around) = parent else { return named().next() };
        parent = definitions.get(around as usize).and_then(|around| around.parent);
    }
}

fn key_of(
    definitions: &[Definition],
    scopes: &[Box<str>],
    types: &HashMap<Box<str>, Vec<usize>>,
    index: usize,
    apart: bool,
) -> NamePath {
    let Some(definition) = definitions.get(index) else { return NamePath::UNKNOWN };
    if definition.kind == DefinitionKind::Implementation {
        let of_type = type_of_block(definitions, types, definition).map(|of| of.key.clone());
        return of_type.unwrap_or_else(|| NamePath::new(Anchor::Package, [&*definition.name]));
    }
    let parent = definition.parent.and_then(|parent| definitions.get(parent as usize));
    let scope = scopes.get(index).map_or("", |scope| scope);
    let names = scope.split(['.', ':', '\\', '#']).filter(|name| !name.is_empty());
    let names = names.chain(apart.then_some(".")).chain([&*definition.name]);
    match parent {
        Some(parent) => parent.key.with(names),
        None => NamePath::new(Anchor::Unit, names),
    }
}
